// Which text expressions are asked for together: those of one lane of a prefix, or of a prefix
// whose rows are walked. Where they are few beside all that the table has, a message's text is
// scanned for them alone (match/quick_set.h). Built by the control thread, then immutable; any
// worker asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/match/quick_set.h"
#include "core/route/known_words.h"
#include "core/route/rule_index.h"

namespace sy::route {

class TextGroups {
  public:
    static constexpr uint8_t all = MtRow::all_texts;  // no group: every expression of the table
    static constexpr size_t groups_max = all;  // 255, of 1 to some 10 KB each (bench/match_bench)
    // A smaller part of all expressions than this has to be in a group, or it spares too little.
    static constexpr size_t smaller_by = 4;

    TextGroups() = default;
    /// Gives the rows of `conditions`, which is not finished, their groups. The most frequent get
    /// one where there are too many. What `running` (may be null) has compiled is shared.
    TextGroups(RuleIndex& conditions, KnownWords& words, const TextGroups* running);

    [[nodiscard]] const match::QuickSet& operator[](uint8_t group) const { return sets_[group]; }
    [[nodiscard]] const std::vector<match::QuickSet>& sets() const { return sets_; }
    [[nodiscard]] size_t bytes() const;

  private:
    std::vector<match::QuickSet> sets_;
};

}  // namespace sy::route
