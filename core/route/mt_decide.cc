// Data plane: which MT rule wins. decide() and explain() run the same code; explain() only listens.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "core/base/prefetch.h"
#include "core/route/choice_words.h"
#include "core/route/expressions.h"
#include "core/route/message_scan.h"
#include "core/route/mt_choose.h"
#include "core/route/mt_impl.h"
#include "core/route/mt_judge.h"

namespace sy::route {

namespace {

// What decide() passes for a listener: nothing is left of it after compilation.
struct Silent {
    static constexpr bool listens = false;
    static constexpr bool wants_facts = false;
    void sold(const PriceTable::Step*) {}
    void limit(Money) {}
    void target(const TargetFacts&) {}
};

ExactValues exact_values_of(const MtQuery& query) {
    return {query.customer, query.sm == nullptr ? uint8_t{0} : query.sm->data_coding,
            sender_type_of(query.sender, query.sender_ton)};
}

template <class Listener>
class Decider {
  public:
    // REQUIRES: all parts of one MtTable.
    Decider(const MtTable::Impl& impl,
            const MtTable& table,
            RouteScratch::Impl& scratch,
            Listener& listener)
        : table_(impl),
          networks_(table.networks()),
          patterns_(table.patterns()),
          prices_(table.prices()),
          scratch_(scratch),
          listener_(listener) {}

    void decide(std::span<const MtQuery> queries, std::span<MtDecision> decisions) {
        SY_ASSERT(queries.size() == decisions.size() && queries.size() <= limits::burst);
        SY_ASSERT(scratch_.sender_matches.capacity() >= patterns_.sender.size());
        SY_ASSERT(scratch_.text_matches.capacity() >= patterns_.text.size());
        SY_ASSERT(scratch_.whens.size() >= table_.whens.size());
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
        for (size_t i = 0; i < count; ++i) {
            screening_[i].from_probes_to(nodes);
            plan_[i].from_probes_to(nodes);
        }
        prefetch_rows({nodes.data(), probes.count}, queries);
        for (size_t i = 0; i < count; ++i) {
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
        networks_.resolve({numbers.data(), count}, {keys_.data(), count},
                          {resolved_.data(), count});
        if (table_.network_segments.empty()) {
            return;
        }
        for (size_t i = 0; i < count; ++i) {
            plan_[i].network = probe_network(i, table_.segment_of(queries[i].plan), probes);
            if (table_.screening_networks) {
                screening_[i].network = probe_network(i, MtTable::Impl::screening_segment, probes);
            }
        }
    }
    uint32_t probe_network(size_t i, uint32_t segment, Probes& probes) const {
        const uint32_t of_both = table_.network_segment(segment, resolved_[i].network);
        return of_both == MtTable::Impl::no_segment ? PrefixIndex::none
                                                    : probes.add(keys_[i], of_both);
    }

    // The cache misses of a burst overlap: all nodes, then the rows or lanes of each, then what the
    // lanes say. Of nodes further up nothing is fetched: few messages get there.
    void prefetch_rows(std::span<const uint32_t> nodes, std::span<const MtQuery> queries) {
        for (const uint32_t node : nodes) {
            if (node != PrefixIndex::none) {
                sy::prefetch(&table_.index.node(node));
            }
        }
        bool any_lanes = false;
        for (const uint32_t node : nodes) {
            if (node != PrefixIndex::none) {
                const PrefixIndex::Node& prefix = table_.index.node(node);
                if (PrefixSearch::has_lanes(prefix)) {
                    any_lanes = true;
                    table_.conditions.prefetch_lanes(node);
                } else {
                    sy::prefetch(&table_.conditions.rows()[prefix.rows_begin]);
                }
            }
        }
        for (size_t i = 0; i < queries.size(); ++i) {
            exact_[i] = exact_values_of(queries[i]);
        }
        if (any_lanes) {
            for_each_lane(queries.size(), [&](uint32_t node, uint32_t lane, size_t i) {
                table_.conditions.prefetch(node, lane, exact_[i]);
            });
            for_each_lane(queries.size(), [&](uint32_t node, uint32_t lane, size_t i) {
                const RuleIndex::Range range = table_.conditions.lane(node, lane, exact_[i]);
                if (!range.empty()) {
                    sy::prefetch(&table_.conditions.rows()[range.begin]);
                }
            });
        }
    }
    template <class Each>
    void for_each_lane(size_t count, const Each& each) {
        constexpr int fetched_max = 4;  // of a prefix; more are rare
        for (size_t i = 0; i < count; ++i) {
            for (const uint32_t node :
                 {plan_[i].network, plan_[i].prefix, screening_[i].network, screening_[i].prefix}) {
                if (node == PrefixIndex::none ||
                    !PrefixSearch::has_lanes(table_.index.node(node))) {
                    continue;
                }
                uint32_t lanes = table_.conditions.lanes(node);
                for (int k = 0; k < fetched_max && lanes != 0; ++k, lanes &= lanes - 1) {
                    each(node, static_cast<uint32_t>(std::countr_zero(lanes)), i);
                }
            }
        }
    }

    void decide_one(const MtQuery& query, size_t i, MtDecision& decision) {
        MessageScan scan(patterns_, scratch_, query.sm, query.alphabet);
        const Case the_case{query, exact_[i], resolved_[i].is_ported};
        Judge judge(table_, scratch_, the_case, scan);
        decision = MtDecision{};
        decision.network = resolved_[i].network;
        const MtRow* row = first_holding(screening_[i], judge);
        if (row == nullptr) {
            row = first_holding(plan_[i], judge);
        }
        if (row == nullptr) {
            return;
        }
        const MtOutcome& outcome = table_.outcomes[row->outcome];
        decision.kind = outcome.kind;
        decision.status = outcome.status;
        decision.rule_line = row->line;
        decision.sender_to = outcome.sender_to;
        decision.reroute_ns = outcome.reroute_ns;
        outcomes_[i] = &outcome;
    }

    // The whole number where it is ported, then rules of its network, then all others.
    const MtRow* first_holding(Scope scope, Judge& judge) {
        const MtRow* row = nullptr;
        if (judge.the_case().is_ported && scope.prefix != PrefixIndex::none) [[unlikely]] {
            const PrefixIndex::Node& longest = table_.index.node(scope.prefix);
            const MtRow& any = table_.conditions.rows()[longest.rows_begin];
            if ((*table_.rules)[any.rule].prefix.size() ==
                judge.the_case().query.destination.size()) {
                row = first_of(scope.prefix, longest, judge);
                scope.prefix = longest.parent;
            }
        }
        if (row == nullptr) {
            row = first_in_chain(scope.network, judge);
        }
        return row != nullptr ? row : first_in_chain(scope.prefix, judge);
    }

    // From the longest prefix to ever shorter ones.
    const MtRow* first_in_chain(uint32_t node, Judge& judge) {
        const MtRow* row = nullptr;
        while (node != PrefixIndex::none && row == nullptr) {
            const PrefixIndex::Node& prefix = table_.index.node(node);
            row = first_of(node, prefix, judge);
            node = prefix.parent;
        }
        return row;
    }

    const MtRow* first_of(uint32_t node, const PrefixIndex::Node& prefix, Judge& judge) {
        const MtRow* winner = PrefixSearch(table_.conditions, judge).winner(node, prefix);
        if constexpr (Listener::listens) {
            const std::span<const MtRow> rows = table_.conditions.rows();
            listener_.prefix_decided(
                rows.subspan(prefix.rows_begin, prefix.rows_end - prefix.rows_begin), winner,
                judge);
        }
        return winner;
    }

    const MtTable::Impl& table_;
    const NetworkTables& networks_;
    const Patterns& patterns_;
    const Prices& prices_;
    RouteScratch::Impl& scratch_;
    Listener& listener_;
    std::array<uint64_t, limits::burst> keys_;
    std::array<const MtOutcome*, limits::burst> outcomes_;
    std::array<ExactValues, limits::burst> exact_;
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
        case Verdict::when:
            return "holds only at \"" + rule.when->text + "\"";
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

// What the decider says, kept for explain(): the rows of each prefix up to its winner, in the order
// in which they count, and what decided over the winner's targets.
class Explainer {
  public:
    static constexpr bool listens = true;
    static constexpr bool wants_facts = true;

    Explainer(const std::vector<MtRule>& rules, MtTable::Explanation& explanation)
        : rules_(rules), explanation_(explanation) {}

    void prefix_decided(std::span<const MtRow> rows, const MtRow* winner, Judge& judge) {
        std::vector<const MtRow*> by_rank;
        for (const MtRow& row : rows) {
            if (winner == nullptr || row.rank <= winner->rank) {
                by_rank.push_back(&row);
            }
        }
        std::ranges::sort(by_rank, {}, &MtRow::rank);
        for (const MtRow* row : by_rank) {
            if (row != winner && explanation_.considered.size() >= MtTable::considered_max) {
                ++explanation_.not_listed;
                continue;
            }
            const MtRule& rule = rules_[row->rule];
            const Verdict verdict = judge(*row);
            explanation_.considered.push_back({&rule,
                                               in_words(verdict, rule, judge.the_case().query),
                                               row == winner, found(rule, verdict, judge)});
        }
    }
    void sold(const PriceTable::Step* price) {
        is_sold_ = true;
        sell_price_ = price;
    }
    void limit(Money money) { cost_limit_ = money; }
    void target(const TargetFacts& facts) { targets_.push_back(facts); }

    // Conditions are looked at in this order, so the verdict tells which expressions matched.
    std::vector<Found> found(const MtRule& rule, Verdict verdict, Judge& judge) {
        std::vector<Found> all;
        const bool after_sender =
            verdict == Verdict::won || verdict == Verdict::text || verdict == Verdict::no_text;
        const bool sender = !rule.sender.empty() && after_sender;
        const bool text = !rule.text.empty() && verdict == Verdict::won;
        if ((!sender && !text) || found_count_ == MtTable::found_max) {
            return all;
        }
        ++found_count_;
        if (sender) {
            std::array<char, sender_utf8_bytes_max> buffer;
            all.push_back(found_in("sender", rule.sender,
                                   sender_utf8(judge.the_case().query.sender, buffer)));
        }
        if (text) {
            all.push_back(found_in("text", rule.text, judge.scan().text()));
        }
        return all;
    }

    [[nodiscard]] bool is_sold() const { return is_sold_; }
    [[nodiscard]] const PriceTable::Step* sell_price() const { return sell_price_; }
    [[nodiscard]] Money cost_limit() const { return cost_limit_; }
    [[nodiscard]] std::span<const TargetFacts> targets() const { return targets_; }

  private:
    const std::vector<MtRule>& rules_;
    MtTable::Explanation& explanation_;
    size_t found_count_ = 0;
    bool is_sold_ = false;
    const PriceTable::Step* sell_price_ = nullptr;
    Money cost_limit_ = Money::highest();
    std::vector<TargetFacts> targets_;
};

}  // namespace

namespace {

template <class Word>
bool word_of_digits(const char* octets) {
    // Less '0', a digit is 0 to 9; 0x76 more makes anything above set its top bit.
    constexpr Word ones = static_cast<Word>(~Word{0}) / 0xFF;
    Word word;
    std::memcpy(&word, octets, sizeof word);
    word ^= ones * '0';
    return ((word | (word + ones * 0x76)) & ones * 0x80) == 0;
}

// Loads that overlap in place of a loop whose end the CPU cannot guess.
bool all_digits(std::string_view text) {
    const size_t size = text.size();
    if (size >= 8 && size <= 16) {
        const bool head = word_of_digits<uint64_t>(text.data());
        const bool tail = word_of_digits<uint64_t>(text.data() + size - 8);
        return head && tail;
    }
    if (size >= 4 && size < 8) {
        const bool head = word_of_digits<uint32_t>(text.data());
        const bool tail = word_of_digits<uint32_t>(text.data() + size - 4);
        return head && tail;
    }
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
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
    if (!all_digits(sender)) {
        return SenderType::alpha;
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
    Decider<Silent>(*impl_, *this, scratch.impl(), silent).decide(queries, decisions);
}

MtTable::Explanation MtTable::explain(const MtQuery& query, RouteScratch& scratch) const {
    Explanation explanation;
    MtDecision& decision = explanation.decision;
    Explainer recorder(rules(), explanation);
    Decider<Explainer>(*impl_, *this, scratch.impl(), recorder).decide({&query, 1}, {&decision, 1});
    const auto winner = std::ranges::find(rules(), decision.rule_line, &MtRule::line);
    ChoiceCase the_case;
    the_case.network = decision.network;
    the_case.buy = prices_->buy.get();
    the_case.quality = scratch.impl().quality;
    for (const TargetFacts& facts : recorder.targets()) {
        explanation.targets.push_back(
            {facts.supplier, target_in_words(facts, the_case, winner->select, prices_->currency)});
    }
    explanation.limit = limit_in_words(recorder.cost_limit(), recorder.is_sold(),
                                       recorder.sell_price(), prices_->currency);
    if (networks_.networks != nullptr) {
        const uint64_t key = number_key(query.destination);
        NetworkTables::Resolved resolved;
        networks_.resolve({&query.destination, 1}, {&key, 1}, {&resolved, 1});
        explanation.network = networks_.in_words(resolved);
    }
    return explanation;
}

}  // namespace sy::route
