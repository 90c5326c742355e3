// Control plane: the constructor.
#include "core/route/screening_gates.h"

#include <algorithm>
#include <map>

#include "core/base/assert.h"
#include "core/route/expressions.h"

namespace sy::route {

namespace {

// What a message needs so that some rule may hold.
struct Demand {
    bool can_be_told = true;
    bool senders = false;
    std::vector<uint32_t> texts;  // ascending, each once

    friend auto operator<=>(const Demand&, const Demand&) = default;
};

// What more rules demand in the same way as those before. What cannot be told takes no room,
// however many prefixes lie in one with thousands of expressions.
void add(std::span<const MtRow> rows, Demand& demand) {
    for (const MtRow& row : rows) {
        if (row.sender_expression != Expressions::none) {
            demand.senders = true;
        } else if (row.text_expression != Expressions::none) {
            demand.texts.push_back(row.text_expression);
        } else {
            demand.can_be_told = false;
        }
    }
    std::ranges::sort(demand.texts);
    demand.texts.erase(std::ranges::unique(demand.texts).begin(), demand.texts.end());
    if (!demand.can_be_told || demand.texts.size() > match::WordFilter::words_max) {
        demand = {.can_be_told = false, .senders = false, .texts = {}};
    }
}

// Nothing where it cannot be told from words.
std::optional<ScreeningGates::Gate> gate_of(const Demand& demand, KnownWords& known) {
    ScreeningGates::Gate gate{.asks_senders = demand.senders};
    std::vector<match::Word> words;
    for (const uint32_t expression : demand.texts) {
        const std::vector<match::Word>& some = known.of(expression).words;
        if (some.empty() || words.size() + some.size() > match::WordFilter::words_max) {
            return std::nullopt;
        }
        words.insert(words.end(), some.begin(), some.end());
    }
    if (!words.empty()) {
        gate.texts = match::WordFilter::make(words);
    }
    return words.empty() || gate.texts ? std::optional(std::move(gate)) : std::nullopt;
}

}  // namespace

ScreeningGates::ScreeningGates(const PrefixIndex& index,
                               std::span<const PrefixIndex::Entry> entries,
                               uint32_t segment,
                               std::span<const MtRow> rows,
                               KnownWords& words) {
    std::vector<Demand> demands;
    std::map<Demand, Id> known;
    for (uint32_t node = 0; node < entries.size() && entries[node].segment == segment; ++node) {
        const uint32_t parent = index.node(node).parent;
        SY_ASSERT(parent == PrefixIndex::none || parent < node);
        Demand& demand = demands.emplace_back();
        if (parent != PrefixIndex::none) {
            demand = demands[parent];
        }
        if (demand.can_be_told) {
            add(rows.subspan(entries[node].rows_begin,
                             entries[node].rows_end - entries[node].rows_begin),
                demand);
        }
        ids_.push_back(0);
        if (!demand.can_be_told) {
            continue;
        }
        const auto [it, is_new] = known.try_emplace(demand, Id{0});
        std::optional<Gate> gate;
        if (is_new && gates_.size() < gates_max && (gate = gate_of(demand, words))) {
            gates_.push_back(*std::move(gate));
            it->second = static_cast<Id>(gates_.size());
        }
        ids_.back() = it->second;
    }
}

size_t ScreeningGates::bytes() const {
    size_t sum = ids_.size() * sizeof(Id);
    for (const Gate& gate : gates_) {
        sum += sizeof gate + (gate.texts ? gate.texts->needles().size_bytes() : 0);
    }
    return sum;
}

}  // namespace sy::route
