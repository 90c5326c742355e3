// One message while it is decided: its text as UTF-8 and the expressions that match, each made when
// a rule first asks and at most once. Lives on the worker's stack, buffers are the scratch's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/bytes.h"
#include "core/route/account.h"
#include "core/route/patterns.h"
#include "core/route/scratch_impl.h"
#include "core/route/text_groups.h"
#include "core/smpp/pdu.h"
#include "core/text/coding.h"
#include "core/text/udh.h"
#include "core/text/utf8.h"

namespace sy::route {

/// The sender as valid UTF-8: as it is where it already is, else read as Latin-1 into `buffer`.
[[nodiscard]] std::string_view sender_utf8(std::string_view sender, std::span<char> buffer);

/// A text for a word filter (match/word_filter.h), as it arrived where that can be; nothing if it
/// has to be decoded. As far as expressions see it: no octet becomes less than one in UTF-8 but an
/// escape, for which filters say "perhaps". `buffer`: scan_text_bytes_max octets.
[[nodiscard]] inline std::optional<Octets> text_for_filter(Octets text,
                                                           const text::Coding& coding,
                                                           std::span<char> buffer) {
    const std::span out(reinterpret_cast<uint8_t*>(buffer.data()), buffer.size());
    const auto octets = text::with_ascii(text, coding, out);
    return octets ? std::optional(octets->first(std::min(octets->size(), out.size())))
                  : std::nullopt;
}

class MessageScan {
  public:
    MessageScan(const Patterns& patterns,
                RouteScratch::Impl& scratch,
                const smpp::Sm* sm,
                Alphabet alphabet,
                const TextGroups* groups = nullptr)
        : patterns_(patterns), groups_(groups), scratch_(scratch), sm_(sm), alphabet_(alphabet) {}

    /// Where the sender cache would have the sender, if the caller has found that out. Lives as
    /// long as this.
    void set_look(const SenderCache::Look& look) { look_ = &look; }

    [[nodiscard]] bool sender_matches(std::string_view sender, uint32_t expression) {
        if (!sender_known_) {
            know_sender(sender);
        }
        return sender_scanned_
                   ? scratch_.sender_matches.contains(expression)
                   : std::ranges::find(sender_matches_, expression) != sender_matches_.end();
    }

    /// All expressions that match the sender.
    [[nodiscard]] std::span<const uint32_t> sender_hits(std::string_view sender) {
        if (!sender_known_) {
            know_sender(sender);
        }
        return sender_scanned_ ? scratch_.sender_matches.hits() : sender_matches_;
    }

    /// All expressions of a group that match the text; none for a message without text.
    [[nodiscard]] std::span<const uint32_t> text_hits(uint8_t group) {
        know_text(group);
        return has_text_ ? scratch_.text_matches.hits() : std::span<const uint32_t>{};
    }

    /// False for a message without text (binary, an alphabet that we cannot read). REQUIRES: an
    /// expression of this group.
    [[nodiscard]] bool text_matches(uint32_t expression, uint8_t group = TextGroups::all) {
        know_text(group);
        return has_text_ && scratch_.text_matches.contains(expression);
    }

    [[nodiscard]] std::string_view text() {
        if (!decoded_) {
            decode();
        }
        return text_;
    }
    [[nodiscard]] bool has_text() {
        if (!read_) {
            read();
        }
        return has_text_;
    }

  private:
    // Beyond so many groups a message is scanned for all.
    static constexpr uint8_t groups_scanned_max = 2;

    void read();
    void decode();
    void know_sender(std::string_view sender);
    void know_text(uint8_t group) {
        if (!text_scanned_ || (scanned_group_ != TextGroups::all && scanned_group_ != group)) {
            scan_text(group);
        }
    }
    void scan_text(uint8_t group);

    const Patterns& patterns_;
    const TextGroups* groups_;  // null: rows have none
    RouteScratch::Impl& scratch_;
    const smpp::Sm* sm_;
    Alphabet alphabet_;
    const SenderCache::Look* look_ = nullptr;
    bool sender_known_ = false;
    bool sender_scanned_ = false;  // else it was in the cache
    bool text_scanned_ = false;
    uint8_t scanned_group_ = TextGroups::all;
    uint8_t groups_scanned_ = 0;
    bool read_ = false;  // the next three are known
    bool has_text_ = false;
    text::Coding coding_;
    text::MessageText message_;
    bool decoded_ = false;  // text_ is known
    std::string_view text_;
    std::span<const uint32_t> sender_matches_;
};

}  // namespace sy::route
