// Data plane: which MT rule wins. decide() and explain() run the same code; explain() only listens.
#include <array>

#include "core/route/expressions.h"
#include "core/route/message_scan.h"
#include "core/route/mt_impl.h"

namespace sy::route {

namespace {

enum class Verdict : uint8_t { won, customer, sender_type, data_coding, sender, text, no_text };

// What decide() passes for a listener: nothing is left of it after compilation.
struct Silent {
    void considered(uint32_t, Verdict) {}
};

// Cheap conditions first: the scans run only for rules that everything else lets through.
Verdict judge(const MtRow& row, const MtQuery& query, SenderType sender_type, MessageScan& scan) {
    if (row.customer.valid() && row.customer != query.customer) {
        return Verdict::customer;
    }
    if (row.sender_type != SenderType::any && row.sender_type != sender_type) {
        return Verdict::sender_type;
    }
    if (row.data_coding >= 0 &&
        row.data_coding != (query.sm == nullptr ? 0 : query.sm->data_coding)) {
        return Verdict::data_coding;
    }
    if (row.sender_expression != Expressions::none &&
        !scan.sender_matches(query.sender, row.sender_expression)) {
        return Verdict::sender;
    }
    if (row.text_expression != Expressions::none && !scan.text_matches(row.text_expression)) {
        return scan.has_text() ? Verdict::text : Verdict::no_text;
    }
    return Verdict::won;
}

template <class Listener>
class Decider {
  public:
    Decider(const MtTable::Impl& table,
            const Patterns& patterns,
            RouteScratch::Impl& scratch,
            Listener& listener)
        : table_(table), patterns_(patterns), scratch_(scratch), listener_(listener) {}

    void decide(std::span<const MtQuery> queries, std::span<MtDecision> decisions) {
        SY_ASSERT(queries.size() == decisions.size() && queries.size() <= limits::burst);
        SY_ASSERT(scratch_.sender_matches.capacity() >= patterns_.sender.size());
        SY_ASSERT(scratch_.text_matches.capacity() >= patterns_.text.size());
        std::array<PrefixIndex::Probe, PrefixIndex::probes_max> probes;
        std::array<uint32_t, PrefixIndex::probes_max> nodes;
        const size_t count = queries.size();
        for (size_t i = 0; i < count; ++i) {
            const uint64_t key = number_key(queries[i].destination);
            probes[i] = {key, table_.segment_of(queries[i].plan)};
            probes[count + i] = {key, MtTable::Impl::screening_segment};
        }
        const size_t probe_count = table_.screening ? 2 * count : count;
        table_.index.find({probes.data(), probe_count}, {nodes.data(), probe_count});
        prefetch({nodes.data(), probe_count});
        for (size_t i = 0; i < count; ++i) {
            const uint32_t screening = table_.screening ? nodes[count + i] : PrefixIndex::none;
            decide_one(queries[i], screening, nodes[i], decisions[i]);
        }
    }

  private:
    void prefetch(std::span<const uint32_t> nodes) const {
        for (const uint32_t node : nodes) {
            if (node != PrefixIndex::none) {
                __builtin_prefetch(&table_.index.node(node));
            }
        }
        for (const uint32_t node : nodes) {
            if (node != PrefixIndex::none) {
                const uint32_t first = table_.index.node(node).rows_begin;
                __builtin_prefetch(&table_.rows[first]);
                __builtin_prefetch(&table_.outcomes[first]);
            }
        }
    }

    void decide_one(const MtQuery& query, uint32_t screening, uint32_t plan, MtDecision& decision) {
        MessageScan scan(patterns_, scratch_, query.sm, query.alphabet);
        const SenderType sender_type = sender_type_of(query.sender, query.sender_ton);
        decision = MtDecision{};
        const MtOutcome* outcome = first_holding(screening, query, sender_type, scan);
        if (outcome == nullptr) {
            outcome = first_holding(plan, query, sender_type, scan);
        }
        if (outcome == nullptr) {
            return;
        }
        decision.kind = outcome->kind;
        decision.status = outcome->status;
        decision.rule_line = outcome->line;
        decision.target_count =
            table_.targets.order(outcome->targets, query.spread, decision.targets);
    }

    // From the longest prefix to ever shorter ones.
    const MtOutcome* first_holding(uint32_t node,
                                   const MtQuery& query,
                                   SenderType sender_type,
                                   MessageScan& scan) {
        while (node != PrefixIndex::none) {
            const PrefixIndex::Node& prefix = table_.index.node(node);
            for (uint32_t i = prefix.rows_begin; i < prefix.rows_end; ++i) {
                const MtRow& row = table_.rows[i];
                const Verdict verdict = judge(row, query, sender_type, scan);
                listener_.considered(row.rule, verdict);
                if (verdict == Verdict::won) {
                    return &table_.outcomes[i];
                }
            }
            node = prefix.parent;
        }
        return nullptr;
    }

    const MtTable::Impl& table_;
    const Patterns& patterns_;
    RouteScratch::Impl& scratch_;
    Listener& listener_;
};

const char* name_of(SenderType type) {
    switch (type) {
        case SenderType::any:
            return "empty";
        case SenderType::alpha:
            return "alpha";
        case SenderType::short_code:
            return "short";
        case SenderType::long_number:
            return "long";
    }
    return "";
}

std::string in_words(Verdict verdict, const MtRule& rule, const MtQuery& query) {
    switch (verdict) {
        case Verdict::won:
            return "won";
        case Verdict::customer:
            return "is for another customer";
        case Verdict::sender_type:
            return std::string("sender is ") +
                   name_of(sender_type_of(query.sender, query.sender_ton)) + ", not " +
                   name_of(rule.sender_type);
        case Verdict::data_coding:
            return "data_coding is " +
                   std::to_string(query.sm == nullptr ? 0 : query.sm->data_coding) + ", not " +
                   std::to_string(rule.data_coding);
        case Verdict::sender:
            return "sender \"" + std::string(query.sender) + "\" does not match \"" + rule.sender +
                   "\"";
        case Verdict::text:
            return "text does not match \"" + rule.text + "\"";
        case Verdict::no_text:
            return "the message has no text to match \"" + rule.text + "\"";
    }
    return {};
}

}  // namespace

SenderType sender_type_of(std::string_view sender, uint8_t sender_ton) {
    constexpr uint8_t ton_international = 1;
    constexpr uint8_t ton_alphanumeric = 5;
    // PROTOCOL facts: short codes have 3 to 8 digits; international numbers at least 7.
    constexpr size_t short_code_digits_max = 8;
    constexpr size_t international_digits_min = 7;
    if (sender.empty()) {
        return SenderType::any;
    }
    if (sender_ton == ton_alphanumeric) {
        return SenderType::alpha;
    }
    for (const char c : sender) {
        if (c < '0' || c > '9') {
            return SenderType::alpha;
        }
    }
    if (sender.size() > short_code_digits_max ||
        (sender_ton == ton_international && sender.size() >= international_digits_min)) {
        return SenderType::long_number;
    }
    return SenderType::short_code;
}

void MtTable::decide(std::span<const MtQuery> queries,
                     std::span<MtDecision> decisions,
                     RouteScratch& scratch) const {
    Silent silent;
    Decider<Silent>(*impl_, *patterns_, scratch.impl(), silent).decide(queries, decisions);
}

MtTable::Explanation MtTable::explain(const MtQuery& query, RouteScratch& scratch) const {
    struct Recorder {
        const std::vector<MtRule>& rules;
        const MtQuery& query;
        std::vector<Considered>& considered_rules;

        void considered(uint32_t rule, Verdict verdict) {
            considered_rules.push_back({&rules[rule], in_words(verdict, rules[rule], query)});
        }
    };
    Explanation explanation;
    Recorder recorder{impl_->rules, query, explanation.considered};
    Decider<Recorder>(*impl_, *patterns_, scratch.impl(), recorder)
        .decide({&query, 1}, {&explanation.decision, 1});
    return explanation;
}

}  // namespace sy::route
