// Data plane: which MO rule wins. decide() and explain() run the same code; explain() only listens.
#include <array>

#include "core/route/expressions.h"
#include "core/route/keyword.h"
#include "core/route/message_scan.h"
#include "core/route/mo_impl.h"

namespace sy::route {

namespace {

enum class Verdict : uint8_t { won, won_first, supplier, source, when, keyword, text, no_text };

struct Silent {
    void considered(uint32_t, Verdict) {}
};

// The keywords of the table that the message's first word is: as written, and without punctuation.
// Looked up when a rule first asks.
class FirstWord {
  public:
    FirstWord(const MoTable::Impl& table, MessageScan& scan) : table_(table), scan_(scan) {}

    [[nodiscard]] bool is(uint32_t keyword) {
        if (!known_) {
            known_ = true;
            const std::string_view word = first_word(scan_.text());
            as_written_ = find(word);
            bare_ = find(without_punctuation(word));
        }
        return keyword == as_written_ || keyword == bare_;
    }

  private:
    [[nodiscard]] uint32_t find(std::string_view word) const {
        const FoldedWord folded = fold_word(word);
        const auto it = table_.keywords.find(folded.view());
        return it == table_.keywords.end() ? MoTable::Impl::no_keyword : it->second;
    }

    const MoTable::Impl& table_;
    MessageScan& scan_;
    bool known_ = false;
    uint32_t as_written_ = MoTable::Impl::no_keyword;
    uint32_t bare_ = MoTable::Impl::no_keyword;
};

// One message and what is known of it by now.
struct Asked {
    const MoQuery& query;
    uint64_t source_key;
    FirstWord& word;
    MessageScan& scan;
    std::vector<WhenState>& whens;
};

Verdict judge(const MoTable::Impl& table, const MoRow& row, const Asked& asked) {
    const auto& [query, source_key, word, scan, whens] = asked;
    if (row.supplier.valid() && row.supplier != query.supplier) {
        return Verdict::supplier;
    }
    if (!row.source.contains(source_key)) {
        return Verdict::source;
    }
    if (row.when.valid() &&
        !holds_at(*table.whens[row.when.value], query.wall_ns, whens[row.when.value])) {
        return Verdict::when;
    }
    if (row.keyword != MoTable::Impl::no_keyword &&
        (query.is_later_part || !word.is(row.keyword))) {
        return Verdict::keyword;
    }
    if (row.text_expression != Expressions::none && !scan.text_matches(row.text_expression)) {
        return scan.has_text() ? Verdict::text : Verdict::no_text;
    }
    return Verdict::won;
}

template <class Listener>
class Decider {
  public:
    Decider(const MoTable::Impl& table,
            const Patterns& patterns,
            RouteScratch::Impl& scratch,
            Listener& listener)
        : table_(table), patterns_(patterns), scratch_(scratch), listener_(listener) {}

    void decide(std::span<const MoQuery> queries, std::span<MoDecision> decisions) {
        SY_ASSERT(queries.size() == decisions.size() && queries.size() <= limits::burst);
        SY_ASSERT(scratch_.text_matches.capacity() >= patterns_.text.size());
        std::array<PrefixIndex::Probe, limits::burst> probes;
        std::array<uint32_t, limits::burst> nodes;
        const size_t count = queries.size();
        for (size_t i = 0; i < count; ++i) {
            probes[i] = {number_key(queries[i].number), 0};
        }
        table_.index.find({probes.data(), count}, {nodes.data(), count});
        for (size_t i = 0; i < count; ++i) {
            decide_one(queries[i], nodes[i], decisions[i]);
        }
    }

  private:
    void decide_one(const MoQuery& query, uint32_t node, MoDecision& decision) {
        decision = MoDecision{};
        if (query.first_place != no_place && follow_first(query, node, decision)) {
            return;
        }
        MessageScan scan(patterns_, scratch_, query.sm, query.alphabet);
        FirstWord word(table_, scan);
        const Asked asked{query, number_key(query.source), word, scan, scratch_.mo_whens};
        for_each_row(node, [&](uint32_t row, uint32_t place) {
            const Verdict verdict = judge(table_, table_.rows[row], asked);
            listener_.considered(table_.rows[row].rule, verdict);
            if (verdict == Verdict::won) {
                take(row, place, query, decision);
            }
            return verdict == Verdict::won;
        });
    }

    // The row at the place where the first part won; what that part had and this one has not is not
    // asked again. False where the numbers or the supplier do not fit: something else was meant.
    bool follow_first(const MoQuery& query, uint32_t node, MoDecision& decision) {
        const uint64_t source_key = number_key(query.source);
        for_each_row(node, [&](uint32_t row, uint32_t place) {
            const MoRow& there = table_.rows[row];
            const bool found = place == query.first_place;
            if (found && there.source.contains(source_key) &&
                (!there.supplier.valid() || there.supplier == query.supplier)) {
                listener_.considered(there.rule, Verdict::won_first);
                take(row, place, query, decision);
            }
            return found;
        });
        return decision.routed;
    }

    // From the exact number to ever shorter prefixes, until `each(row, place)` says that it is
    // enough.
    template <class Each>
    void for_each_row(uint32_t node, const Each& each) {
        for (uint32_t place = 0; node != PrefixIndex::none; node = table_.index.node(node).parent) {
            const PrefixIndex::Node& number = table_.index.node(node);
            for (uint32_t row = number.rows_begin; row < number.rows_end; ++row, ++place) {
                if (each(row, place)) {
                    return;
                }
            }
        }
    }

    void take(uint32_t row, uint32_t place, const MoQuery& query, MoDecision& decision) {
        const MoOutcome& outcome = table_.outcomes[row];
        decision.routed = true;
        decision.rule_line = outcome.line;
        decision.place = place < no_place ? static_cast<uint16_t>(place) : no_place;
        decision.target_count =
            table_.targets.order(outcome.targets, query.spread, decision.targets);
        for (const CustomerId copy : outcome.rule->copies) {
            decision.copies[decision.copy_count++] = copy;
        }
        decision.reply = outcome.rule->reply.get();
        decision.cost = outcome.rule->cost ? &*outcome.rule->cost : nullptr;
    }

    const MoTable::Impl& table_;
    const Patterns& patterns_;
    RouteScratch::Impl& scratch_;
    Listener& listener_;
};

std::string in_words(Verdict verdict, const MoRule& rule, const MoQuery& query) {
    switch (verdict) {
        case Verdict::won:
            return "won";
        case Verdict::won_first:
            return "won, as it did for the first part of the message";
        case Verdict::when:
            return "holds only at \"" + rule.when->text + "\"";
        case Verdict::supplier:
            return "is for another supplier";
        case Verdict::source:
            return "source " + std::string(query.source) + " does not begin with " + rule.source;
        case Verdict::keyword:
            return "first word is not \"" + rule.keyword + "\"";
        case Verdict::text:
            return "text does not match \"" + rule.text + "\"";
        case Verdict::no_text:
            return "the message has no text to match \"" + rule.text + "\"";
    }
    return {};
}

}  // namespace

void MoTable::decide(std::span<const MoQuery> queries,
                     std::span<MoDecision> decisions,
                     RouteScratch& scratch) const {
    Silent silent;
    Decider<Silent>(*impl_, *patterns_, scratch.impl(), silent).decide(queries, decisions);
}

MoTable::Explanation MoTable::explain(const MoQuery& query, RouteScratch& scratch) const {
    struct Recorder {
        const std::vector<MoRule>& rules;
        const MoQuery& query;
        std::vector<Considered>& considered_rules;

        void considered(uint32_t rule, Verdict verdict) {
            considered_rules.push_back({&rules[rule],
                                        in_words(verdict, rules[rule], query),
                                        verdict == Verdict::won || verdict == Verdict::won_first,
                                        {}});
        }
    };
    Explanation explanation;
    Recorder recorder{impl_->rules, query, explanation.considered};
    Decider<Recorder>(*impl_, *patterns_, scratch.impl(), recorder)
        .decide({&query, 1}, {&explanation.decision, 1});
    for (Considered& one : explanation.considered) {
        if (one.won && !one.rule->text.empty()) {
            MessageScan scan(*patterns_, scratch.impl(), query.sm, query.alphabet);
            one.found.push_back(found_in("text", one.rule->text, scan.text()));
        }
    }
    return explanation;
}

}  // namespace sy::route
