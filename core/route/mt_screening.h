// Data plane: the first stage of MtTable::decide() after the index: which messages of a burst pass
// the screening rules of their destination, told by their gates without a look at the rules.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/prefetch.h"
#include "core/route/message_scan.h"
#include "core/route/mt_impl.h"
#include "core/route/scratch_impl.h"
#include "core/text/coding.h"
#include "core/text/udh.h"
#include "core/text/utf8.h"

namespace sy::route {

class ScreeningStage {
  public:
    ScreeningStage(const ScreeningGates& gates,
                   const Patterns& patterns,
                   RouteScratch::Impl& scratch)
        : gates_(gates),
          scratch_(scratch),
          senders_(scratch.cached_patterns.get() == &patterns ? &scratch.senders : nullptr) {}

    /// The messages that pass, a bit each. `gates`: of each message, 0 for one that has none.
    uint32_t pass(std::span<const MtQuery> queries, std::span<const ScreeningGates::Id> gates) {
        size_t count = 0;
        for (uint32_t i = 0; i < queries.size(); ++i) {
            at_gate_[count] = i;
            count += gates[i] != 0 ? 1U : 0U;
            if (const smpp::Sm* sm = queries[i].sm; sm != nullptr) {
                sy::prefetch(&sm->short_message);
            }
        }
        count = without_senders(queries, gates, count);
        uint32_t passing = 0;
        for (size_t k = 0; k < count; ++k) {
            const uint32_t i = at_gate_[k];
            const auto& texts = gates_.gate(gates[i]).texts;
            const bool passes = !texts || !may_hold(*texts, queries[i]);
            passing |= uint32_t{passes} << i;
        }
        return passing;
    }

  private:
    static_assert(limits::burst <= 32, "pass() has a bit a message");

    // Keeps those whose sender is known to match no expression, or does not count.
    size_t without_senders(std::span<const MtQuery> queries,
                           std::span<const ScreeningGates::Id> gates,
                           size_t count) {
        for (size_t k = 0; k < count; ++k) {
            const uint32_t i = at_gate_[k];
            looks_[k] = SenderCache::nowhere();
            if (gates_.gate(gates[i]).asks_senders && senders_ != nullptr) {
                looks_[k] = senders_->look(queries[i].sender);
                senders_->prefetch(looks_[k]);
            }
        }
        for (size_t k = 0; senders_ != nullptr && k < count; ++k) {
            senders_->locate(looks_[k]);
        }
        size_t kept = 0;
        for (size_t k = 0; k < count; ++k) {
            const uint32_t i = at_gate_[k];
            bool keeps = !gates_.gate(gates[i]).asks_senders;
            if (!keeps && senders_ != nullptr) {
                const auto matches = senders_->find(looks_[k]);
                keeps = matches && matches->empty();
            }
            at_gate_[kept] = i;
            kept += keeps ? 1U : 0U;
            if (const smpp::Sm* sm = queries[i].sm; sm != nullptr) {
                sy::prefetch(sm->short_message.data());
            }
        }
        return kept;
    }

    bool may_hold(const match::WordFilter& words, const MtQuery& query) {
        if (query.sm == nullptr) {
            return words.may_hold({});
        }
        const text::Coding coding = text::coding_of(query.sm->data_coding, query.alphabet);
        const bool has_header = (query.sm->esm_class & smpp::esm_class_udhi) != 0;
        const Octets text =
            has_header ? text::message_text(*query.sm).text : text::message_octets(*query.sm);
        const auto octets = text_for_filter(text, coding, scratch_.text);
        return octets ? words.may_hold(*octets) : text::has_text(coding, {});
    }

    const ScreeningGates& gates_;
    RouteScratch::Impl& scratch_;
    const SenderCache* senders_;  // null: nothing is known of anybody
    std::array<uint32_t, limits::burst> at_gate_;
    std::array<SenderCache::Look, limits::burst> looks_;
};

}  // namespace sy::route
