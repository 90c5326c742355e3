// Data plane: decisions over a burst, stage by stage, so that the cache misses of its messages
// overlap: keys, networks, the prefixes with rules, what their rows ask for, the rows, what the
// winner says, its targets. decide() and explain() run this same code; explain() only listens.
#pragma once

#include <array>
#include <bit>
#include <span>

#include "core/base/prefetch.h"
#include "core/route/message_scan.h"
#include "core/route/mt_choose.h"
#include "core/route/mt_impl.h"
#include "core/route/mt_judge.h"
#include "core/route/mt_screening.h"

namespace sy::route {

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
        SY_ASSERT(scratch_.text_matches.capacity() >=
                  patterns_.text.size() + (table_.text_groups.sets().empty() ? 0 : 1));
        SY_ASSERT(scratch_.whens.size() >= table_.whens.size());
        const size_t count = queries.size();
        ask_prefixes(queries);
        if (!table_.network_segments.empty() || table_.any_quality || prices_.by_network()) {
            ask_networks(queries);
        }
        find_nodes(count);
        if (!Listener::listens && !table_.screening_gates.empty()) {
            pass_screening(queries);
        }
        find_known_winners(count);
        prefetch_conditions(queries);
        for (const uint32_t i : others()) {
            winners_[i] = winner_of(queries[i], i);
        }
        for (size_t i = 0; i < count; ++i) {
            if (winners_[i] != nullptr) {
                sy::prefetch(&outcome_of(*winners_[i]));
            }
        }
        for (size_t i = 0; i < count; ++i) {
            decisions[i] = MtDecision{};
            decisions[i].network = resolved_[i].network;
            if (winners_[i] != nullptr) {
                take(*winners_[i], i, decisions[i]);
            }
        }
        TargetStage<Listener>(table_, prices_, scratch_.quality, listener_)
            .choose(queries, {keys_.data(), count}, {outcomes_.data(), count}, decisions);
    }

  private:
    using Node = PrefixIndex::Node;
    static constexpr Node no_rules{};

    // Where the rules of one scope (the plan, or screening) begin for a message: first the places
    // of its probes, then the nodes that they found.
    struct Probed {
        uint32_t prefix = no_probe;
        uint32_t network = no_probe;  // rules that name the destination's network
    };
    struct Scope {
        const Node* prefix;
        const Node* network;
        // The lanes of each, in the order of their bits; null: none, or not looked for.
        const RuleIndex::Range* prefix_lanes = nullptr;
        const RuleIndex::Range* network_lanes = nullptr;

        [[nodiscard]] bool empty() const { return prefix == &no_rules && network == &no_rules; }
        [[nodiscard]] RuleIndex::Tag tag() const { return prefix->tag | network->tag; }
    };
    static constexpr uint32_t no_probe = PrefixIndex::probes_max;
    static_assert(PrefixIndex::probes_max >= 4 * limits::burst);
    static constexpr size_t lanes_max = 4 * limits::burst;  // that are looked for ahead

    uint32_t probe(uint64_t key, uint32_t segment) {
        probes_[probe_count_] = {key, segment};
        return probe_count_++;
    }
    // Written always, counted only where it is wanted: no branch to guess wrong.
    uint32_t probe_if(bool wanted, uint64_t key, uint32_t segment) {
        probes_[probe_count_] = {key, segment};
        const uint32_t place = wanted ? probe_count_ : no_probe;
        probe_count_ += wanted ? 1 : 0;
        return place;
    }
    uint32_t probe_if_any(uint64_t key, uint32_t segment) {
        return probe_if(segment != NetworkSegments::none, key, segment);
    }

    // FirstDigits::ask counts as none.
    [[nodiscard]] const Node& node_or_none(uint32_t node) const {
        return node >= FirstDigits::ask ? no_rules : table_.index.node(node);
    }

    void ask_prefixes(std::span<const MtQuery> queries) {
        for (size_t i = 0; i < queries.size(); ++i) {
            keys_[i] = number_key(queries[i].destination);
            plan_probes_[i].prefix = probe(keys_[i], table_.segment_of(queries[i].plan));
        }
        for (size_t i = 0; i < queries.size(); ++i) {
            const uint32_t first = table_.screening_first[keys_[i]];
            screening_nodes_[i] = &node_or_none(first);
            screening_probes_[i].prefix =
                probe_if(first == FirstDigits::ask, keys_[i], MtTable::Impl::screening_segment);
        }
    }

    void ask_networks(std::span<const MtQuery> queries) {
        const size_t count = queries.size();
        networks_.resolve({keys_.data(), count}, {resolved_.data(), count});
        const NetworkSegments& segments = table_.network_segments;
        if (segments.empty()) {
            return;
        }
        std::array<NetworkSegments::Place, limits::burst> places;
        for (size_t i = 0; i < count; ++i) {
            places[i] = segments.place_of(table_.segment_of(queries[i].plan), resolved_[i].network);
        }
        for (size_t i = 0; i < count; ++i) {
            plan_probes_[i].network = probe_if_any(keys_[i], segments.find(places[i]));
        }
        for (size_t i = 0; table_.screening_networks && i < count; ++i) {
            screening_probes_[i].network = probe_if_any(
                keys_[i], segments.find(MtTable::Impl::screening_segment, resolved_[i].network));
        }
    }

    // Of nodes further up nothing is fetched: few messages get there.
    void find_nodes(size_t count) {
        std::array<uint32_t, PrefixIndex::probes_max> found;
        table_.index.find({probes_.data(), probe_count_}, {found.data(), probe_count_});
        std::array<const Node*, PrefixIndex::probes_max + 1> nodes;
        nodes[no_probe] = &no_rules;
        for (size_t k = 0; k < probe_count_; ++k) {
            nodes[k] = &node_or_none(found[k]);
            sy::prefetch(nodes[k]);
        }
        const MtRow* rows = table_.conditions.rows().data();
        for (size_t k = 0; k < probe_count_; ++k) {
            sy::prefetch(rows + nodes[k]->rows_begin);
        }
        for (size_t i = 0; i < count; ++i) {
            const auto scope = [&](const Probed& probed) {
                return Scope{nodes[probed.prefix], nodes[probed.network]};
            };
            plan_[i] = scope(plan_probes_[i]);
            screening_[i] = scope(screening_probes_[i]);
            screening_[i].prefix = screening_probes_[i].prefix == no_probe ? screening_nodes_[i]
                                                                           : screening_[i].prefix;
            sy::prefetch(rows + screening_[i].prefix->rows_begin);
        }
    }

    // Forgets the screening rules of messages for which none can hold.
    void pass_screening(std::span<const MtQuery> queries) {
        const ScreeningGates& gates = table_.screening_gates;
        const Node* const nodes = &table_.index.node(0);
        std::array<ScreeningGates::Id, limits::burst> gates_of;
        ScreeningGates::Id any = 0;
        for (size_t i = 0; i < queries.size(); ++i) {
            const Scope& scope = screening_[i];
            const bool by_prefix = scope.prefix != &no_rules && scope.network == &no_rules;
            gates_of[i] =
                by_prefix ? gates.of(static_cast<uint32_t>(scope.prefix - nodes)) : uint8_t{0};
            any |= gates_of[i];
        }
        if (any == 0) {
            return;
        }
        ScreeningStage stage(gates, patterns_, scratch_);
        for (uint32_t passing = stage.pass(queries, {gates_of.data(), queries.size()});
             passing != 0; passing &= passing - 1) {
            screening_[static_cast<size_t>(std::countr_zero(passing))].prefix = &no_rules;
        }
    }

    // Most prefixes begin with a rule that asks for nothing; which of them is no branch to guess
    // wrong. All other messages get a closer look.
    void find_known_winners(size_t count) {
        const MtRow* const rows = table_.conditions.rows().data();
        size_t other_count = 0;
        for (uint32_t i = 0; i < count; ++i) {
            const Node* const first =
                plan_[i].network != &no_rules ? plan_[i].network : plan_[i].prefix;
            winners_[i] = rows + first->rows_begin;
            const bool known = !Listener::listens && (first->tag & RuleIndex::first_holds) != 0 &&
                               screening_[i].empty() && !resolved_[i].is_ported;
            others_[other_count] = i;
            other_count += known ? 0 : 1;
        }
        other_count_ = other_count;
    }
    [[nodiscard]] std::span<const uint32_t> others() const {
        return {others_.data(), other_count_};
    }

    void prefetch_conditions(std::span<const MtQuery> queries) {
        RuleIndex::Tag all = 0;
        for (const uint32_t i : others()) {
            const RuleIndex::Tag tag = plan_[i].tag() | screening_[i].tag();
            all |= tag;
            tags_[i] = tag;
            const smpp::Sm* sm = queries[i].sm;
            exact_[i] = {queries[i].customer, sm == nullptr ? uint8_t{0} : sm->data_coding,
                         SenderType::any};
        }
        if ((all & RuleIndex::asks_senders) != 0) {
            look_for_senders(queries);
        }
        if ((all & RuleIndex::all_lanes) != 0) {
            find_lanes(queries);
        }
    }

    // Which expressions match the senders is mostly known.
    void look_for_senders(std::span<const MtQuery> queries) {
        if (scratch_.cached_patterns.get() != &patterns_) {
            return;
        }
        looked_ = true;
        for (const uint32_t i : others()) {
            if ((tags_[i] & RuleIndex::asks_senders) != 0) {
                looks_[i] = scratch_.senders.look(queries[i].sender);
                scratch_.senders.prefetch(looks_[i]);
            }
        }
        for (const uint32_t i : others()) {
            if ((tags_[i] & RuleIndex::asks_senders) != 0) {
                scratch_.senders.locate(looks_[i]);
            }
        }
    }

    // Of prefixes further up nothing is looked for: few messages get there.
    void find_lanes(std::span<const MtQuery> queries) {
        const RuleIndex& conditions = table_.conditions;
        std::array<RuleIndex::LanePlace, lanes_max> places;
        size_t place_count = 0;
        const auto lanes_of = [&](const Node& node, Case& the_case) -> const RuleIndex::Range* {
            RuleIndex::Tag lanes = node.tag & RuleIndex::all_lanes;
            const auto wanted = static_cast<size_t>(std::popcount(lanes));
            if (lanes == 0 || wanted > lanes_max - place_count) {
                return nullptr;
            }
            const RuleIndex::Range* const first = &lanes_[place_count];
            for (; lanes != 0; lanes &= lanes - 1) {
                const auto lane = static_cast<uint32_t>(std::countr_zero(lanes));
                places[place_count++] =
                    conditions.place_of(node.rows_begin, lane, the_case.exact_for(lane));
            }
            return first;
        };
        for (const uint32_t i : others()) {
            if ((tags_[i] & RuleIndex::all_lanes) != 0) {
                Case the_case(queries[i], exact_[i], resolved_[i].is_ported);
                for (Scope* scope : {&screening_[i], &plan_[i]}) {
                    scope->network_lanes = lanes_of(*scope->network, the_case);
                    scope->prefix_lanes = lanes_of(*scope->prefix, the_case);
                }
                exact_[i] = the_case.exact();  // it may know the sender's type now
            }
        }
        const MtRow* rows = conditions.rows().data();
        for (size_t k = 0; k < place_count; ++k) {
            lanes_[k] = conditions.lane(places[k]);
            sy::prefetch(rows + lanes_[k].begin);
        }
    }

    const MtRow* winner_of(const MtQuery& query, size_t i) {
        MessageScan scan(patterns_, scratch_, query.sm, query.alphabet, &table_.text_groups);
        if (looked_ && (tags_[i] & RuleIndex::asks_senders) != 0) {
            scan.set_look(looks_[i]);
        }
        Case the_case(query, exact_[i], resolved_[i].is_ported);
        Judge judge(table_, scratch_, the_case, scan);
        const MtRow* row = first_holding(screening_[i], judge);
        return row != nullptr ? row : first_holding(plan_[i], judge);
    }

    // The whole number where it is ported, then rules of its network, then all others.
    const MtRow* first_holding(Scope scope, Judge& judge) {
        const MtRow* row = nullptr;
        if (judge.the_case().is_ported() && scope.prefix != &no_rules) [[unlikely]] {
            const MtRow& any = table_.conditions.rows()[scope.prefix->rows_begin];
            if ((*table_.rules)[any.rule].prefix.size() ==
                judge.the_case().query().destination.size()) {
                row = first_of(*scope.prefix, scope.prefix_lanes, judge);
                scope.prefix = parent_of(*scope.prefix);
                scope.prefix_lanes = nullptr;
            }
        }
        if (row == nullptr) {
            row = first_in_chain(scope.network, scope.network_lanes, judge);
        }
        return row != nullptr ? row : first_in_chain(scope.prefix, scope.prefix_lanes, judge);
    }

    [[nodiscard]] const Node* parent_of(const Node& node) const {
        return &node_or_none(node.parent);
    }

    // From the longest prefix to ever shorter ones.
    const MtRow* first_in_chain(const Node* node, const RuleIndex::Range* lanes, Judge& judge) {
        const MtRow* row = nullptr;
        while (node != &no_rules && row == nullptr) {
            row = first_of(*node, lanes, judge);
            node = parent_of(*node);
            lanes = nullptr;
        }
        return row;
    }

    const MtRow* first_of(const Node& prefix, const RuleIndex::Range* lanes, Judge& judge) {
        const MtRow* winner = PrefixSearch(table_.conditions, judge).winner(prefix, lanes);
        if constexpr (Listener::listens) {
            const std::span<const MtRow> rows = table_.conditions.rows();
            listener_.prefix_decided(
                rows.subspan(prefix.rows_begin, prefix.rows_end - prefix.rows_begin), winner,
                judge);
        }
        return winner;
    }

    [[nodiscard]] const MtOutcome& outcome_of(const MtRow& row) const {
        return table_.outcomes[row.outcome];
    }
    void take(const MtRow& row, size_t i, MtDecision& decision) {
        const MtOutcome& outcome = outcome_of(row);
        table_.targets.prefetch(outcome.targets);
        decision.kind = outcome.kind;
        decision.status = outcome.status;
        decision.rule_line = row.line;
        decision.sender_to = outcome.sender_to;
        decision.reroute_ns = outcome.reroute_ns;
        outcomes_[i] = &outcome;
    }

    const MtTable::Impl& table_;
    const NetworkTables& networks_;
    const Patterns& patterns_;
    const Prices& prices_;
    RouteScratch::Impl& scratch_;
    Listener& listener_;

    uint32_t probe_count_ = 0;
    std::array<PrefixIndex::Probe, PrefixIndex::probes_max + 1> probes_;
    // By message:
    std::array<uint64_t, limits::burst> keys_;
    std::array<Probed, limits::burst> plan_probes_;
    std::array<Probed, limits::burst> screening_probes_;
    // By the first digits; of no use where there is a probe.
    std::array<const Node*, limits::burst> screening_nodes_;
    std::array<NetworkTables::Resolved, limits::burst> resolved_;
    std::array<Scope, limits::burst> plan_;
    std::array<Scope, limits::burst> screening_;
    std::array<const MtRow*, limits::burst> winners_;  // null: no rule holds
    // The messages whose winner is to be found among several, and for these alone:
    std::array<uint32_t, limits::burst> others_;
    size_t other_count_ = 0;
    std::array<RuleIndex::Tag, limits::burst> tags_;  // of all its prefixes
    std::array<ExactValues, limits::burst> exact_;    // the sender_type only where asked for
    std::array<RuleIndex::Range, lanes_max> lanes_;   // of one prefix after the other
    bool looked_ = false;
    std::array<SenderCache::Look, limits::burst> looks_;  // where tags_ ask for senders
    std::array<const MtOutcome*, limits::burst> outcomes_;
};

}  // namespace sy::route
