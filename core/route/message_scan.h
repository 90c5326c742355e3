// One message while it is decided: its text as UTF-8 and the expressions that match, each made when
// a rule first asks and at most once. Lives on the worker's stack, buffers are the scratch's.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/match/pattern_set.h"
#include "core/route/account.h"
#include "core/route/scratch_impl.h"
#include "core/smpp/pdu.h"

namespace sy::route {

/// The sender as valid UTF-8: as it is where it already is, else read as Latin-1 into `buffer`.
[[nodiscard]] std::string_view sender_utf8(std::string_view sender, std::span<char> buffer);

class MessageScan {
  public:
    MessageScan(const match::PatternSet& patterns,
                RouteScratch::Impl& scratch,
                const smpp::Sm* sm,
                Alphabet alphabet)
        : patterns_(patterns), scratch_(scratch), sm_(sm), alphabet_(alphabet) {}

    [[nodiscard]] bool sender_matches(std::string_view sender, uint32_t expression) {
        if (!sender_scanned_) {
            scan_sender(sender);
        }
        return match::test_bit(scratch_.sender_bits, expression);
    }

    /// False for a message without text (binary, an alphabet that we cannot read).
    [[nodiscard]] bool text_matches(uint32_t expression) {
        if (!text_scanned_) {
            scan_text();
        }
        return has_text_ && match::test_bit(scratch_.text_bits, expression);
    }

    [[nodiscard]] std::string_view text() {
        if (!decoded_) {
            decode();
        }
        return text_;
    }
    [[nodiscard]] bool has_text() {
        if (!decoded_) {
            decode();
        }
        return has_text_;
    }

  private:
    void decode();
    void scan_sender(std::string_view sender);
    void scan_text();

    const match::PatternSet& patterns_;
    RouteScratch::Impl& scratch_;
    const smpp::Sm* sm_;
    Alphabet alphabet_;
    bool sender_scanned_ = false;
    bool text_scanned_ = false;
    bool decoded_ = false;
    bool has_text_ = false;
    std::string_view text_;
};

}  // namespace sy::route
