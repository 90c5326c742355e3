// Data plane: which MT rule wins. decide() and explain() run the same code; explain() only listens.
#include <algorithm>
#include <array>

#include "core/route/choice_words.h"
#include "core/route/expressions.h"
#include "core/route/message_scan.h"
#include "core/route/mt_choose.h"
#include "core/route/mt_impl.h"

namespace sy::route {

namespace {

enum class Verdict : uint8_t { won, customer, sender_type, data_coding, sender, text, no_text };

// What decide() passes for a listener: nothing is left of it after compilation.
struct Silent {
    static constexpr bool wants_facts = false;
    void considered(uint32_t, Verdict) {}
    void sold(const PriceTable::Step*) {}
    void limit(Money) {}
    void target(const TargetFacts&) {}
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
            const Prices& prices,
            RouteScratch::Impl& scratch,
            Listener& listener)
        : table_(table),
          patterns_(patterns),
          prices_(prices),
          scratch_(scratch),
          listener_(listener) {}

    void decide(std::span<const MtQuery> queries, std::span<MtDecision> decisions) {
        SY_ASSERT(queries.size() == decisions.size() && queries.size() <= limits::burst);
        SY_ASSERT(scratch_.sender_matches.capacity() >= patterns_.sender.size());
        SY_ASSERT(scratch_.text_matches.capacity() >= patterns_.text.size());
        const size_t count = queries.size();
        Probes probes;
        for (size_t i = 0; i < count; ++i) {
            keys_[i] = number_key(queries[i].destination);
            const uint32_t segment = table_.segment_of(queries[i].plan);
            plan_[i].prefix = probes.add(keys_[i], segment);
            screening_[i].prefix = table_.screening
                                       ? probes.add(keys_[i], MtTable::Impl::screening_segment)
                                       : PrefixIndex::none;
        }
        if (!table_.network_segments.empty() || table_.any_quality || prices_.by_network()) {
            probe_networks(queries, probes);
        }
        std::array<uint32_t, PrefixIndex::probes_max> nodes;
        table_.index.find({probes.all.data(), probes.count}, {nodes.data(), probes.count});
        prefetch({nodes.data(), probes.count});
        for (size_t i = 0; i < count; ++i) {
            screening_[i].from_probes_to(nodes);
            plan_[i].from_probes_to(nodes);
            decide_one(queries[i], i, decisions[i]);
        }
        TargetStage<Listener>(table_, prices_, scratch_.quality, listener_)
            .choose(queries, {keys_.data(), count}, {outcomes_.data(), count}, decisions);
    }

  private:
    struct Probes {
        std::array<PrefixIndex::Probe, PrefixIndex::probes_max> all;
        uint32_t count = 0;

        uint32_t add(uint64_t key, uint32_t segment) {
            all[count] = {key, segment};
            return count++;
        }
    };
    static_assert(PrefixIndex::probes_max >= 4 * limits::burst);

    // Where the rules of one scope (the plan, or screening) begin for a message: first the probes,
    // then the nodes that they found. None: no rule there.
    struct Scope {
        uint32_t prefix = PrefixIndex::none;
        uint32_t network = PrefixIndex::none;  // rules that name the destination's network

        void from_probes_to(std::span<const uint32_t> nodes) {
            prefix = prefix == PrefixIndex::none ? prefix : nodes[prefix];
            network = network == PrefixIndex::none ? network : nodes[network];
        }
    };

    void probe_networks(std::span<const MtQuery> queries, Probes& probes) {
        const size_t count = queries.size();
        std::array<std::string_view, limits::burst> numbers;
        for (size_t i = 0; i < count; ++i) {
            numbers[i] = queries[i].destination;
        }
        table_.networks.resolve({numbers.data(), count}, {keys_.data(), count},
                                {resolved_.data(), count});
        if (table_.network_segments.empty()) {
            return;
        }
        for (size_t i = 0; i < count; ++i) {
            plan_[i].network = probe_network(i, table_.segment_of(queries[i].plan), probes);
            screening_[i].network = probe_network(i, MtTable::Impl::screening_segment, probes);
        }
    }
    uint32_t probe_network(size_t i, uint32_t segment, Probes& probes) const {
        const uint32_t of_both = table_.network_segment(segment, resolved_[i].network);
        return of_both == MtTable::Impl::no_segment ? PrefixIndex::none
                                                    : probes.add(keys_[i], of_both);
    }

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

    void decide_one(const MtQuery& query, size_t i, MtDecision& decision) {
        MessageScan scan(patterns_, scratch_, query.sm, query.alphabet);
        const SenderType sender_type = sender_type_of(query.sender, query.sender_ton);
        const Case the_case{query, sender_type, resolved_[i].is_ported};
        decision = MtDecision{};
        decision.network = resolved_[i].network;
        const MtOutcome* outcome = first_holding(screening_[i], the_case, scan);
        if (outcome == nullptr) {
            outcome = first_holding(plan_[i], the_case, scan);
        }
        if (outcome == nullptr) {
            return;
        }
        decision.kind = outcome->kind;
        decision.status = outcome->status;
        decision.rule_line = outcome->line;
        outcomes_[i] = outcome;
    }

    struct Case {
        const MtQuery& query;
        SenderType sender_type;
        bool is_ported;
    };

    // The whole number where it is ported, then rules of its network, then all others.
    const MtOutcome* first_holding(Scope scope, const Case& the_case, MessageScan& scan) {
        const MtOutcome* outcome = nullptr;
        if (the_case.is_ported && scope.prefix != PrefixIndex::none) [[unlikely]] {
            const PrefixIndex::Node& longest = table_.index.node(scope.prefix);
            const MtRow& row = table_.rows[longest.rows_begin];
            if (table_.rules[row.rule].prefix.size() == the_case.query.destination.size()) {
                outcome = first_of(longest, the_case, scan);
                scope.prefix = longest.parent;
            }
        }
        if (outcome == nullptr) {
            outcome = first_in_chain(scope.network, the_case, scan);
        }
        return outcome != nullptr ? outcome : first_in_chain(scope.prefix, the_case, scan);
    }

    // From the longest prefix to ever shorter ones.
    const MtOutcome* first_in_chain(uint32_t node, const Case& the_case, MessageScan& scan) {
        const MtOutcome* outcome = nullptr;
        while (node != PrefixIndex::none && outcome == nullptr) {
            const PrefixIndex::Node& prefix = table_.index.node(node);
            outcome = first_of(prefix, the_case, scan);
            node = prefix.parent;
        }
        return outcome;
    }

    const MtOutcome* first_of(const PrefixIndex::Node& prefix,
                              const Case& the_case,
                              MessageScan& scan) {
        for (uint32_t i = prefix.rows_begin; i < prefix.rows_end; ++i) {
            const MtRow& row = table_.rows[i];
            const Verdict verdict = judge(row, the_case.query, the_case.sender_type, scan);
            listener_.considered(row.rule, verdict);
            if (verdict == Verdict::won) {
                return &table_.outcomes[i];
            }
        }
        return nullptr;
    }

    const MtTable::Impl& table_;
    const Patterns& patterns_;
    const Prices& prices_;
    RouteScratch::Impl& scratch_;
    Listener& listener_;
    std::array<uint64_t, limits::burst> keys_;
    std::array<const MtOutcome*, limits::burst> outcomes_;
    std::array<Scope, limits::burst> plan_;
    std::array<Scope, limits::burst> screening_;
    std::array<NetworkTables::Resolved, limits::burst> resolved_;
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
    Decider<Silent>(*impl_, *patterns_, *prices_, scratch.impl(), silent)
        .decide(queries, decisions);
}

namespace {

// What the decider says, kept for explain().
struct Explainer {
    static constexpr bool wants_facts = true;

    void considered(uint32_t rule, Verdict verdict) {
        rules_considered.push_back({&rules[rule], in_words(verdict, rules[rule], query)});
    }
    void sold(const PriceTable::Step* price) {
        is_sold = true;
        sell_price = price;
    }
    void limit(Money money) { cost_limit = money; }
    void target(const TargetFacts& facts) { targets.push_back(facts); }

    const std::vector<MtRule>& rules;
    const MtQuery& query;
    std::vector<MtTable::Considered> rules_considered{};
    bool is_sold = false;
    const PriceTable::Step* sell_price = nullptr;
    Money cost_limit = Money::highest();
    std::vector<TargetFacts> targets{};
};

}  // namespace

MtTable::Explanation MtTable::explain(const MtQuery& query, RouteScratch& scratch) const {
    Explanation explanation;
    MtDecision& decision = explanation.decision;
    Explainer recorder{impl_->rules, query};
    Decider<Explainer>(*impl_, *patterns_, *prices_, scratch.impl(), recorder)
        .decide({&query, 1}, {&decision, 1});
    explanation.considered = std::move(recorder.rules_considered);
    const auto winner = std::ranges::find(impl_->rules, decision.rule_line, &MtRule::line);
    ChoiceCase the_case;
    the_case.network = decision.network;
    the_case.buy = prices_->buy.get();
    the_case.quality = scratch.impl().quality;
    for (const TargetFacts& facts : recorder.targets) {
        explanation.targets.push_back(
            {facts.supplier, target_in_words(facts, the_case, winner->select, prices_->currency)});
    }
    explanation.limit = limit_in_words(recorder.cost_limit, recorder.is_sold, recorder.sell_price,
                                       prices_->currency);
    if (impl_->networks.networks != nullptr) {
        const uint64_t key = number_key(query.destination);
        NetworkTables::Resolved resolved;
        impl_->networks.resolve({&query.destination, 1}, {&key, 1}, {&resolved, 1});
        explanation.network = impl_->networks.in_words(resolved);
    }
    return explanation;
}

}  // namespace sy::route
