// The compiled form of MT rules, shared by mt_build.cc (control plane) and mt_decide.cc (data
// plane). Immutable once built.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/prng.h"
#include "core/route/first_digits.h"
#include "core/route/mt_table.h"
#include "core/route/network_segments.h"
#include "core/route/prefix_index.h"
#include "core/route/rule_index.h"
#include "core/route/screening_gates.h"
#include "core/route/target_order.h"
#include "core/route/text_groups.h"

namespace sy::route {

// What happens when it wins.
struct alignas(limits::cache_line_bytes) MtOutcome {
    MtDecision::Kind kind = MtDecision::Kind::no_route;
    smpp::CommandStatus status{};
    bool plain = true;  // weights or the order as written are all that its targets need
    TargetPool<SupplierId>::Range targets{};
    Money max_cost = Money::highest();
    const number::Sender* sender_to = nullptr;  // of one of `rules`
    Nanos reroute_ns = 0;

    friend bool operator==(const MtOutcome&, const MtOutcome&) = default;
};

struct MtTable::Impl {
    // Segments of the index: screening rules, then one a plan, then an empty one for a query
    // without a plan that we know, then one for each of these and a network that rules name with
    // it.
    static constexpr uint32_t screening_segment = 0;

    std::shared_ptr<const MtRules> rules = std::make_shared<const MtRules>();
    RuleIndex conditions;                            // of the nodes of `index`
    TextGroups text_groups;                          // of its rows
    std::vector<MtOutcome> outcomes;                 // of its rows; rows with the same one share it
    std::vector<std::shared_ptr<const When>> whens;  // by WhenId
    TargetPool<SupplierId> targets;
    PrefixIndex index;
    FirstDigits screening_first;     // of the screening segment
    ScreeningGates screening_gates;  // of its nodes
    uint32_t plan_count = 0;
    bool screening_networks = false;  // some screening rule names a network
    bool any_quality = false;         // some rule selects by it
    NetworkSegments network_segments;

    Impl() : index({}, 2) {}

    [[nodiscard]] uint32_t segment_of(PlanId plan) const {
        return 1 + (plan.value < plan_count ? plan.value : plan_count);
    }
};

/// What kind of sender this is; `any` for an empty one, which only a rule for any sender matches.
[[nodiscard]] SenderType sender_type_of(std::string_view sender, uint8_t sender_ton);

}  // namespace sy::route
