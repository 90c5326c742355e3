// Whether screening rules can hold at all. Every message has to pass those of its destination, and
// nearly every one does: where all of them ask for expressions, it is enough that its sender
// matches none and that none of the texts' words stands in its text (match/word_filter.h). One gate
// for all rules of a prefix and of the shorter prefixes that it lies in.
//
// Built by the control thread, then immutable; any worker asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/match/word_filter.h"
#include "core/route/known_words.h"
#include "core/route/prefix_index.h"
#include "core/route/rule_index.h"

namespace sy::route {

class ScreeningGates {
  public:
    /// 0: no gate, the rules have to be looked at.
    using Id = uint8_t;
    static constexpr size_t gates_max = 255;

    struct Gate {
        bool asks_senders = false;  // some rule asks for a sender, which has to match none
        std::optional<match::WordFilter> texts{};  // nothing: no rule asks for a text alone
    };

    ScreeningGates() = default;
    /// `entries`: of the index, which has `segment` first. `rows`: theirs.
    ScreeningGates(const PrefixIndex& index,
                   std::span<const PrefixIndex::Entry> entries,
                   uint32_t segment,
                   std::span<const MtRow> rows,
                   KnownWords& words);

    [[nodiscard]] bool empty() const { return gates_.empty(); }
    /// REQUIRES: a node of the segment.
    [[nodiscard]] Id of(uint32_t node) const { return ids_[node]; }
    /// REQUIRES: id != 0.
    [[nodiscard]] const Gate& gate(Id id) const { return gates_[id - 1]; }
    [[nodiscard]] size_t bytes() const;

  private:
    std::vector<Id> ids_;  // by node
    std::vector<Gate> gates_;
};

}  // namespace sy::route
