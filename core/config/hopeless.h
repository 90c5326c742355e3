// Rows that can never win because one that asks for less comes before them. Control plane only.
#pragma once

#include <bit>
#include <cstdint>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "core/config/complaints.h"
#include "core/config/shadow.h"

namespace sy::config {

/// The row that comes first for each place and set of conditions. One open-addressed table of row
/// indexes. `Facts` says of a rule: asks_of(rule), a bit for each condition that it has beside its
/// place, less than 64 in value; hash_of(rule, asks) and equal_in(rule, rule, asks), of the place
/// and those conditions alone.
template <class Rule, class Facts>
class FirstRows {
  public:
    explicit FirstRows(const std::vector<Rule>& rules)
        : rules_(rules), slots_(std::bit_ceil(rules.size() * 2 + 1), empty) {
        for (uint32_t i = 0; i < rules.size(); ++i) {
            const uint32_t asks = Facts::asks_of(rules[i]);
            seen_ |= uint64_t{1} << asks;
            uint32_t& slot = slot_of(rules[i], asks);
            if (slot == empty || before(rules[i], rules[slot])) {
                slot = i;
            }
        }
    }

    /// A row that asks for less than `rule` and comes before it; null if there is none.
    [[nodiscard]] const Rule* winner_over(const Rule& rule) {
        const uint32_t asks = Facts::asks_of(rule);
        for (uint32_t less = asks; less != 0;) {
            less = (less - 1) & asks;  // every smaller set of its conditions, in turn
            if ((seen_ >> less & 1) == 0) {
                continue;
            }
            const uint32_t found = slot_of(rule, less);
            if (found != empty && before(rules_[found], rule)) {
                return &rules_[found];
            }
        }
        return nullptr;
    }

  private:
    static constexpr uint32_t empty = UINT32_MAX;
    static_assert(Facts::everything < 64, "one bit for each set of conditions");

    static bool before(const Rule& a, const Rule& b) {
        return std::tie(a.priority, a.line) < std::tie(b.priority, b.line);
    }
    uint32_t& slot_of(const Rule& rule, uint32_t asks) {
        const size_t mask = slots_.size() - 1;
        size_t slot = Facts::hash_of(rule, asks) & mask;
        while (slots_[slot] != empty && (Facts::asks_of(rules_[slots_[slot]]) != asks ||
                                         !Facts::equal_in(rules_[slots_[slot]], rule, asks))) {
            slot = (slot + 1) & mask;
        }
        return slots_[slot];
    }

    const std::vector<Rule>& rules_;
    std::vector<uint32_t> slots_;
    uint64_t seen_ = 0;  // sets of conditions, a bit each
};

/// Warns of rows with the conditions of another, and of rows behind one that asks for less.
template <class Facts, class Rule>
void warn_of_rows_that_never_win(const std::vector<Rule>& rules, Complaints& complaints) {
    warn_of_shadowed_rows(
        rules, [](const Rule& rule) { return Facts::hash_of(rule, Facts::asks_of(rule)); },
        [](const Rule& a, const Rule& b) {
            return Facts::asks_of(a) == Facts::asks_of(b) &&
                   Facts::equal_in(a, b, Facts::asks_of(a));
        },
        complaints);
    FirstRows<Rule, Facts> first(rules);
    for (const Rule& rule : rules) {
        const Rule* const winner = first.winner_over(rule);
        if (winner == nullptr) {
            continue;
        }
        const bool earlier = winner->priority == rule.priority;
        complaints.warning(
            {rule.line, 1},
            fmt::format("the row never wins: line {} asks for less and {}", winner->line,
                        earlier ? "stands before it with the same priority"
                                : fmt::format("has the lower priority {}", winner->priority)));
    }
}

}  // namespace sy::config
