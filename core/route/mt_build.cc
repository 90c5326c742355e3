// Control plane: checked MT rules into their compiled form, and the parts of MtTable that never run
// per message.
#include <algorithm>
#include <bit>
#include <map>
#include <tuple>
#include <unordered_map>

#include <tbb/parallel_invoke.h>
#include <tbb/parallel_sort.h>

#include "core/route/expressions.h"
#include "core/route/mt_impl.h"
#include "core/route/rule_checks.h"

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
    outcome.line = rule.line;
    switch (rule.action) {
        case Action::route:
            outcome.kind = MtDecision::Kind::route;
            outcome.targets = pool.add(rule.targets, rule.select);
            outcome.max_cost = rule.max_cost;
            outcome.plain = (rule.select == Select::weight || rule.select == Select::order) &&
                            rule.max_cost == Money::highest();
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
class NetworkSegments {
  public:
    explicit NetworkSegments(uint32_t first) : first_(first) {}

    uint32_t of(uint32_t segment, NetworkId network) {
        const auto next = first_ + static_cast<uint32_t>(segments_.size());
        return segments_.try_emplace({segment, network}, next).first->second;
    }
    [[nodiscard]] uint32_t count() const { return static_cast<uint32_t>(segments_.size()); }

    void write_to(MtTable::Impl& table) const {
        if (segments_.empty()) {
            return;
        }
        table.network_segments.resize(std::bit_ceil(2 * segments_.size()));
        const size_t mask = table.network_segments.size() - 1;
        for (const auto& [of, segment] : segments_) {
            size_t slot = table.first_slot(of.first, of.second);
            while (table.network_segments[slot].segment != MtTable::Impl::no_segment) {
                slot = (slot + 1) & mask;
            }
            table.network_segments[slot] = {of.first, of.second, segment};
        }
    }

  private:
    uint32_t first_;
    std::map<std::pair<uint32_t, NetworkId>, uint32_t> segments_;
};

std::vector<Place> places_of(const std::vector<MtRule>& rules,
                             const std::vector<std::string>& plans,
                             NetworkSegments& networks) {
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

MtTable MtTable::build(std::vector<MtRule> rules,
                       const std::vector<std::string>& plans,
                       std::vector<BuildError>& errors,
                       NetworkTables networks,
                       const PatternSource& source) {
    const size_t errors_before = errors.size();
    Expressions senders;
    Expressions texts;
    std::vector<MtRow> conditions;
    conditions.reserve(rules.size());
    for (uint32_t i = 0; i < rules.size(); ++i) {
        const MtRule& rule = rules[i];
        check_rule(rule, errors);
        conditions.push_back({i, senders.add(rule.sender, rule.line, "sender"),
                              texts.add(rule.text, rule.line, "text"), rule.customer,
                              rule.data_coding, rule.sender_type});
    }
    auto impl = std::make_shared<Impl>();
    Patterns patterns;
    // The long parts of a compile know nothing of each other.
    std::vector<Place> places;
    const auto plan_count = static_cast<uint32_t>(plans.size());
    NetworkSegments network_segments(plan_count + 2);
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
                places = places_of(rules, plans, network_segments);
            }
        });
    errors.insert(errors.end(), text_errors.begin(), text_errors.end());
    MtTable table;
    if (errors.size() != errors_before) {
        return table;
    }
    std::vector<PrefixIndex::Entry> entries;
    for (const Place& place : places) {
        const auto row = static_cast<uint32_t>(impl->rows.size());
        if (row == 0 || !place.same_prefix(places[row - 1])) {
            entries.push_back({place.segment, place.range, row, row});
        }
        ++entries.back().rows_end;
        impl->rows.push_back(conditions[place.rule]);
        impl->outcomes.push_back(outcome_of(rules[place.rule], impl->targets));
    }
    impl->plan_count = plan_count;
    impl->index = PrefixIndex(entries, plan_count + 2 + network_segments.count());
    impl->screening =
        std::ranges::any_of(rules, [](const MtRule& rule) { return rule.plan == screening_plan; });
    impl->any_quality = std::ranges::any_of(
        rules, [](const MtRule& rule) { return rule.select == Select::quality; });
    network_segments.write_to(*impl);
    impl->networks = std::move(networks);
    impl->rules = std::move(rules);
    table.impl_ = std::move(impl);
    table.patterns_ = std::make_shared<const Patterns>(std::move(patterns));
    return table;
}

const std::vector<MtRule>& MtTable::rules() const {
    return impl_->rules;
}
MtTable MtTable::with_patterns(Patterns patterns) const {
    SY_ASSERT(patterns.sender.size() == patterns_->sender.size());
    SY_ASSERT(patterns.text.size() == patterns_->text.size());
    MtTable table(*this);
    table.patterns_ = std::make_shared<const Patterns>(std::move(patterns));
    return table;
}

}  // namespace sy::route
