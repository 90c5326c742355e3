#include "core/config/mt_shadow.h"

#include <bit>
#include <functional>
#include <tuple>

#include <fmt/format.h>

#include "core/config/shadow.h"

namespace sy::config {
namespace {

using route::MtRule;

// What a rule asks for beside its place, a bit each.
enum Asks : uint32_t {
    customer = 1,
    sender_type = 2,
    data_coding = 4,
    when = 8,
    sender = 16,
    text = 32,
    everything = 63,
};

uint32_t asks_of(const MtRule& rule) {
    return (rule.customer.valid() ? customer : 0u) |
           (rule.sender_type != route::SenderType::any ? sender_type : 0u) |
           (rule.data_coding >= 0 ? data_coding : 0u) | (rule.when != nullptr ? when : 0u) |
           (rule.sender.empty() ? 0u : sender) | (rule.text.empty() ? 0u : text);
}

// Of the place and of those conditions alone. What a rule does not ask for is a value like others.
size_t hash_of(const MtRule& rule, uint32_t asks) {
    const std::hash<std::string> of_text;
    size_t hash = fold(of_text(rule.plan), of_text(rule.prefix));
    hash = fold(hash, rule.network.value);
    hash = fold(hash, asks);
    hash = fold(hash, (asks & customer) != 0 ? rule.customer.value : 0);
    hash = fold(hash, (asks & sender_type) != 0 ? static_cast<size_t>(rule.sender_type) : 0);
    hash = fold(hash, (asks & data_coding) != 0 ? static_cast<size_t>(rule.data_coding) : 0);
    hash = fold(hash, (asks & when) != 0 ? std::hash<const void*>{}(rule.when.get()) : 0);
    hash = fold(hash, (asks & sender) != 0 ? of_text(rule.sender) : 0);
    return fold(hash, (asks & text) != 0 ? of_text(rule.text) : 0);
}

bool equal_in(const MtRule& a, const MtRule& b, uint32_t asks) {
    return a.prefix == b.prefix && a.plan == b.plan && a.network == b.network &&
           ((asks & customer) == 0 || a.customer == b.customer) &&
           ((asks & sender_type) == 0 || a.sender_type == b.sender_type) &&
           ((asks & data_coding) == 0 || a.data_coding == b.data_coding) &&
           ((asks & when) == 0 || a.when == b.when) &&
           ((asks & sender) == 0 || a.sender == b.sender) &&
           ((asks & text) == 0 || a.text == b.text);
}

// The row that comes first for each place and conditions. One open-addressed table of row indexes.
class FirstRows {
  public:
    explicit FirstRows(const std::vector<MtRule>& rules)
        : rules_(rules), slots_(std::bit_ceil(rules.size() * 2 + 1), empty) {
        for (uint32_t i = 0; i < rules.size(); ++i) {
            const uint32_t asks = asks_of(rules[i]);
            seen_ |= uint64_t{1} << asks;
            uint32_t& slot = slot_of(rules[i], asks);
            if (slot == empty || before(rules[i], rules[slot])) {
                slot = i;
            }
        }
    }

    /// A row that asks for less than `rule` and comes before it; null if there is none.
    [[nodiscard]] const MtRule* winner_over(const MtRule& rule) {
        const uint32_t asks = asks_of(rule);
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

    static bool before(const MtRule& a, const MtRule& b) {
        return std::tie(a.priority, a.line) < std::tie(b.priority, b.line);
    }
    uint32_t& slot_of(const MtRule& rule, uint32_t asks) {
        const size_t mask = slots_.size() - 1;
        size_t slot = hash_of(rule, asks) & mask;
        while (slots_[slot] != empty && (asks_of(rules_[slots_[slot]]) != asks ||
                                         !equal_in(rules_[slots_[slot]], rule, asks))) {
            slot = (slot + 1) & mask;
        }
        return slots_[slot];
    }

    const std::vector<MtRule>& rules_;
    std::vector<uint32_t> slots_;
    uint64_t seen_ = 0;  // sets of conditions, a bit each
};
static_assert(everything < 64, "FirstRows keeps one bit for each set of conditions");

}  // namespace

void warn_of_hopeless_rows(const std::vector<MtRule>& rules, Complaints& complaints) {
    warn_of_shadowed_rows(
        rules, [](const MtRule& rule) { return hash_of(rule, asks_of(rule)); },
        [](const MtRule& a, const MtRule& b) {
            return asks_of(a) == asks_of(b) && equal_in(a, b, asks_of(a));
        },
        complaints);
    FirstRows first(rules);
    for (const MtRule& rule : rules) {
        const MtRule* const winner = first.winner_over(rule);
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
