// Rows of the route tables after checking: what config/ parsed and route/ compiles. Control plane
// only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/number/outgoing.h"
#include "core/route/money.h"
#include "core/route/reply.h"
#include "core/route/when.h"
#include "core/smpp/status.h"

namespace sy::route {

enum class SenderType : uint8_t { any, alpha, short_code, long_number };
enum class Action : uint8_t { route, reject, drop };
// How the targets of a tier are put in order. MO rules know the first two.
enum class Select : uint8_t { weight, order, cost, quality };

template <class TargetId>
struct Target {
    TargetId id;
    uint32_t weight = 1;
};
template <class TargetId>
using Tiers = std::vector<std::vector<Target<TargetId>>>;

// One row of mt.csv. Empty condition: any.
struct MtRule {
    uint32_t line = 0;    // of the file, for people
    std::string plan;     // "*" in a screening rule: every plan
    CustomerId customer;  // none: any
    std::string prefix;   // E.164 digits, empty: any destination
    NetworkId network;    // of the destination; none: any
    std::string sender;   // regular expression
    std::string text;     // regular expression over the UTF-8 text
    SenderType sender_type = SenderType::any;
    int16_t data_coding = -1;          // -1: any
    std::shared_ptr<const When> when;  // null: always
    int32_t priority = 0;              // lower wins
    Action action = Action::route;
    smpp::CommandStatus reject_status = smpp::CommandStatus::esme_rinvdstadr;
    Tiers<SupplierId> targets;
    Select select = Select::weight;
    Money max_cost = Money::highest();                // dearer targets are taken off
    std::shared_ptr<const number::Sender> sender_to;  // null: the customer's sender goes out
    // No final receipt within, or a failed one: over the next target. 0: the receipt changes
    // nothing.
    Nanos reroute_ns = 0;
    std::string note;
};

using MtRules = std::vector<MtRule>;

// One row of mo.csv.
struct MoRule {
    uint32_t line = 0;
    std::string number;                // inbound number or its prefix
    bool number_is_prefix = false;     // written "4477*"
    SupplierId supplier;               // none: any
    std::string source;                // prefix of the phone's number
    std::string keyword;               // first word, caseless
    std::string text;                  // regular expression
    std::shared_ptr<const When> when;  // null: always
    int32_t priority = 0;
    Tiers<CustomerId> targets;
    Select select = Select::weight;
    std::vector<CustomerId> copies;              // get it too, once a target has accepted it
    std::shared_ptr<const ReplyTemplate> reply;  // null: none
    std::optional<Money> cost;                   // of a message to the number
    std::string note;
};

enum class ErrorClass : uint8_t { final, next, pause };

// One row of errors.csv.
struct ErrorRule {
    uint32_t line = 0;
    SupplierId supplier;  // none: any
    smpp::CommandStatus status{};
    ErrorClass error_class = ErrorClass::final;
};

}  // namespace sy::route
