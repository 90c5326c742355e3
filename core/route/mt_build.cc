// Control plane: checked MT rules into their compiled form, and the parts of MtTable that never run
// per message.
#include <algorithm>
#include <bit>
#include <tuple>
#include <unordered_map>

#include <tbb/parallel_invoke.h>
#include <tbb/parallel_sort.h>

#include "core/route/expressions.h"
#include "core/route/mt_impl.h"
#include "core/route/rule_checks.h"
#include "core/route/when_ids.h"

namespace sy::route {

namespace {

constexpr const char* screening_plan = "*";

void check_rule(const MtRule& rule, std::vector<MtTable::BuildError>& errors) {
    check_digits(rule.prefix, rule.line, "prefix", errors);
    if (rule.action == Action::route) {
        check_targets(rule.targets, rule.line, errors);
        if (rule.plan == screening_plan) {
            errors.push_back({rule.line, "action",
                              "a rule of plan \"*\" cannot route: expected reject or drop"});
        }
    }
}

MtOutcome outcome_of(const MtRule& rule, TargetPool<SupplierId>& pool) {
    MtOutcome outcome;
    switch (rule.action) {
        case Action::route:
            outcome.kind = MtDecision::Kind::route;
            outcome.targets = pool.add(rule.targets, rule.select);
            outcome.max_cost = rule.max_cost;
            outcome.plain = (rule.select == Select::weight || rule.select == Select::order) &&
                            rule.max_cost == Money::highest();
            outcome.sender_to = rule.sender_to.get();
            outcome.reroute_ns = rule.reroute_ns;
            break;
        case Action::reject:
            outcome.kind = MtDecision::Kind::reject;
            outcome.status = rule.reject_status;
            break;
        case Action::drop:
            outcome.kind = MtDecision::Kind::drop;
            break;
    }
    return outcome;
}

// Few rules differ in what becomes of a message: those few stay in the caches.
class OutcomePool {
  public:
    explicit OutcomePool(std::vector<MtOutcome>& outcomes) : outcomes_(outcomes) {}

    uint32_t add(const MtOutcome& outcome) {
        const uint64_t hash =
            mix64(mix64(reinterpret_cast<uintptr_t>(outcome.sender_to) ^
                        std::hash<int64_t>{}(outcome.max_cost.nanos) ^ outcome.reroute_ns << 1) ^
                  (uint64_t{outcome.targets.begin} << 34 |
                   uint64_t{static_cast<uint32_t>(outcome.status)} << 2 |
                   static_cast<uint64_t>(outcome.kind)));
        const auto [begin, end] = ids_.equal_range(hash);
        for (auto it = begin; it != end; ++it) {
            if (outcomes_[it->second] == outcome) {
                return it->second;
            }
        }
        const auto id = static_cast<uint32_t>(outcomes_.size());
        outcomes_.push_back(outcome);
        ids_.emplace(hash, id);
        return id;
    }

  private:
    std::vector<MtOutcome>& outcomes_;
    std::unordered_multimap<uint64_t, uint32_t> ids_;
};

// Where a rule stands in the index and among the rules of its prefix.
struct Place {
    uint32_t segment;
    KeyRange range;
    int32_t priority;
    uint32_t rule;

    [[nodiscard]] bool same_prefix(const Place& other) const {
        return segment == other.segment && range == other.range;
    }
    friend bool operator<(const Place& a, const Place& b) {
        return std::tie(a.segment, a.range.first, b.range.last, a.priority, a.rule) <
               std::tie(b.segment, b.range.first, a.range.last, b.priority, b.rule);
    }
};

// Hands out the segments of rules that name a network.
class SegmentsOfNetworks {
  public:
    explicit SegmentsOfNetworks(uint32_t first) : first_(first) {}

    uint32_t of(uint32_t segment, NetworkId network) {
        const auto next = first_ + static_cast<uint32_t>(pairs_.size());
        screening_ |= segment == MtTable::Impl::screening_segment;
        return pairs_.try_emplace(NetworkSegments::pair(segment, network), next).first->second;
    }
    [[nodiscard]] const NetworkSegments::Pairs& pairs() const { return pairs_; }
    [[nodiscard]] bool screening() const { return screening_; }

  private:
    uint32_t first_;
    bool screening_ = false;
    NetworkSegments::Pairs pairs_;
};

std::vector<Place> places_of(const std::vector<MtRule>& rules,
                             const std::vector<std::string>& plans,
                             SegmentsOfNetworks& networks) {
    std::unordered_map<std::string, uint32_t> segments;
    for (uint32_t i = 0; i < plans.size(); ++i) {
        segments.emplace(plans[i], i + 1);
    }
    segments[screening_plan] = MtTable::Impl::screening_segment;
    std::vector<Place> places;
    places.reserve(rules.size());
    for (uint32_t i = 0; i < rules.size(); ++i) {
        if (const auto it = segments.find(rules[i].plan); it != segments.end()) {
            const uint32_t segment =
                rules[i].network.valid() ? networks.of(it->second, rules[i].network) : it->second;
            places.push_back({segment, prefix_range(rules[i].prefix), rules[i].priority, i});
        }
    }
    tbb::parallel_sort(places.begin(), places.end());
    return places;
}

// The rows of each prefix into the index of rules; its prefixes, in the same order, for theirs.
std::vector<PrefixIndex::Entry> index_rows(const std::vector<Place>& places,
                                           const std::vector<MtRow>& conditions,
                                           KnownWords& words,
                                           const TextGroups* running,
                                           MtTable::Impl& table) {
    std::vector<PrefixIndex::Entry> entries;
    std::vector<MtRow> rows;  // of one prefix
    for (size_t at = 0; at < places.size();) {
        const Place& first = places[at];
        const auto rows_begin = static_cast<uint32_t>(at);
        rows.clear();
        for (; at < places.size() && places[at].same_prefix(first); ++at) {
            rows.push_back(conditions[places[at].rule]);
        }
        const RuleIndex::Tag tag = table.conditions.add_prefix(rows);
        entries.push_back({first.segment, first.range, rows_begin, static_cast<uint32_t>(at), tag});
    }
    table.text_groups = TextGroups(table.conditions, words, running);
    table.conditions.finish();
    return entries;
}

}  // namespace

MtTable::MtTable()
    : impl_(std::make_shared<Impl>()),
      patterns_(std::make_shared<Patterns>()),
      prices_(std::make_shared<Prices>()) {}
MtTable::MtTable(const MtTable&) = default;
MtTable& MtTable::operator=(const MtTable&) = default;
MtTable::MtTable(MtTable&&) noexcept = default;
MtTable& MtTable::operator=(MtTable&&) noexcept = default;
MtTable::~MtTable() = default;

MtTable MtTable::build(std::shared_ptr<const MtRules> shared_rules,
                       const std::vector<std::string>& plans,
                       std::vector<BuildError>& errors,
                       NetworkTables networks,
                       const PatternSource& source) {
    const MtRules& rules = *shared_rules;
    const size_t errors_before = errors.size();
    Expressions senders;
    Expressions texts;
    std::vector<MtRow> conditions;
    conditions.reserve(rules.size());
    auto impl = std::make_shared<Impl>();
    WhenIds whens(impl->whens);
    for (uint32_t i = 0; i < rules.size(); ++i) {
        const MtRule& rule = rules[i];
        check_rule(rule, errors);
        conditions.push_back({i, rule.line, 0, senders.add(rule.sender, rule.line, "sender"),
                              texts.add(rule.text, rule.line, "text"), 0, rule.customer,
                              whens.of(rule, errors), rule.data_coding, rule.sender_type});
    }
    Patterns patterns;
    // The long parts of a compile know nothing of each other.
    std::vector<Place> places;
    const auto plan_count = static_cast<uint32_t>(plans.size());
    SegmentsOfNetworks networks_of(plan_count + 2);
    std::vector<BuildError> text_errors;
    const bool sound = errors.size() == errors_before;
    const Patterns* const running = source.running;
    tbb::parallel_invoke(
        [&] {
            patterns.sender =
                senders.compile(mt_sender_set, running == nullptr ? nullptr : &running->sender,
                                source.cache, errors);
        },
        [&] {
            patterns.text =
                texts.compile(mt_text_set, running == nullptr ? nullptr : &running->text,
                              source.cache, text_errors);
        },
        [&] {
            if (sound) {
                places = places_of(rules, plans, networks_of);
            }
        });
    errors.insert(errors.end(), text_errors.begin(), text_errors.end());
    MtTable table;
    if (errors.size() != errors_before) {
        return table;
    }
    OutcomePool outcomes(impl->outcomes);
    for (MtRow& row : conditions) {
        row.outcome = outcomes.add(outcome_of(rules[row.rule], impl->targets));
    }
    KnownWords words(patterns.text.expressions());
    const std::vector<PrefixIndex::Entry> entries =
        index_rows(places, conditions, words, source.groups, *impl);
    impl->plan_count = plan_count;
    impl->index =
        PrefixIndex(entries, plan_count + 2 + static_cast<uint32_t>(networks_of.pairs().size()));
    impl->screening_first = FirstDigits(impl->index, entries, MtTable::Impl::screening_segment);
    impl->screening_gates = ScreeningGates(impl->index, entries, MtTable::Impl::screening_segment,
                                           impl->conditions.rows(), words);
    impl->any_quality = std::ranges::any_of(
        rules, [](const MtRule& rule) { return rule.select == Select::quality; });
    impl->network_segments = NetworkSegments(networks_of.pairs());
    impl->screening_networks = networks_of.screening();
    impl->rules = std::move(shared_rules);
    table.impl_ = std::move(impl);
    table.networks_ = std::move(networks);
    table.patterns_ = std::make_shared<const Patterns>(std::move(patterns));
    return table;
}

const MtRules& MtTable::rules() const {
    return *impl_->rules;
}

size_t MtTable::index_bytes() const {
    return impl_->conditions.bytes() + impl_->index.bytes() +
           impl_->outcomes.size() * sizeof(MtOutcome) + impl_->network_segments.bytes() +
           impl_->screening_first.bytes() + impl_->screening_gates.bytes() +
           impl_->text_groups.bytes();
}

size_t MtTable::when_count() const {
    return impl_->whens.size();
}

const TextGroups& MtTable::text_groups() const {
    return impl_->text_groups;
}

MtTable MtTable::with_patterns(Patterns patterns) const {
    SY_ASSERT(patterns.sender.size() == patterns_->sender.size());
    SY_ASSERT(patterns.text.size() == patterns_->text.size());
    MtTable table(*this);
    table.patterns_ = std::make_shared<const Patterns>(std::move(patterns));
    return table;
}

}  // namespace sy::route
