// Data plane: which MO rule wins. decide() and explain() run the same code; explain() only listens.
#include <array>

#include "core/route/expressions.h"
#include "core/route/keyword.h"
#include "core/route/message_scan.h"
#include "core/route/mo_impl.h"

namespace sy::route {

namespace {

enum class Verdict : uint8_t { won, supplier, source, keyword, text, no_text };

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

Verdict judge(const MoRow& row,
              const MoQuery& query,
              uint64_t source_key,
              FirstWord& word,
              MessageScan& scan) {
    if (row.supplier.valid() && row.supplier != query.supplier) {
        return Verdict::supplier;
    }
    if (!row.source.contains(source_key)) {
        return Verdict::source;
    }
    if (row.keyword != MoTable::Impl::no_keyword && !word.is(row.keyword)) {
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
        MessageScan scan(patterns_, scratch_, query.sm, query.alphabet);
        FirstWord word(table_, scan);
        const uint64_t source_key = number_key(query.source);
        while (node != PrefixIndex::none) {
            const PrefixIndex::Node& number = table_.index.node(node);
            for (uint32_t i = number.rows_begin; i < number.rows_end; ++i) {
                const MoRow& row = table_.rows[i];
                const Verdict verdict = judge(row, query, source_key, word, scan);
                listener_.considered(row.rule, verdict);
                if (verdict == Verdict::won) {
                    const MoOutcome& outcome = table_.outcomes[i];
                    decision.routed = true;
                    decision.rule_line = outcome.line;
                    decision.target_count =
                        table_.targets.order(outcome.targets, query.spread, decision.targets);
                    return;
                }
            }
            node = number.parent;
        }
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
            considered_rules.push_back(
                {&rules[rule], in_words(verdict, rules[rule], query), verdict == Verdict::won, {}});
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
