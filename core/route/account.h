// Accounts in their compiled form: what the engine needs of a customer and of a supplier. Immutable
// inside a snapshot; config/ fills them, engine/ reads them from every worker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/endpoint.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/number/plan.h"
#include "core/route/money.h"
#include "core/smpp/status.h"
#include "core/text/coding.h"

namespace sy::route {

using number::NumberForm;
using number::NumberPlan;
using text::Alphabet;  // what data_coding 0 means at a peer

enum class BindMode : uint8_t {
    transmitter,
    receiver,
    transceiver,
    pair
};  // pair: one TX and one RX

// How the id of a submit_sm_resp relates to the one in the receipt (PROTOCOL 16.1).
enum class MessageIdMode : uint8_t { as_is, hex_decimal, decimal_hex };

// What a customer's message ids look like (3.3 binds always get 8 hex digits).
enum class MessageIdFormat : uint8_t { decimal, hex };

// What to do with a message whose link died between submit and response.
enum class OnUnknown : uint8_t { fail, resend };

struct Timers {
    Nanos enquire_link_ns = 30 * second_ns;  // idle time before we probe
    Nanos session_init_ns = 10 * second_ns;  // TCP connected to bound
    Nanos inactivity_ns = 300 * second_ns;   // no traffic but enquire_link: unbind
    Nanos response_ns = 30 * second_ns;      // our request to its response

    friend bool operator==(const Timers&, const Timers&) = default;
};

struct Customer {
    std::string name;
    std::string system_id;
    std::string password;
    std::string plan = "default";
    PlanId plan_id;
    bool allow_transmitter = true, allow_receiver = true, allow_transceiver = true;
    uint16_t binds_max = 4;
    uint16_t window = 100;             // unanswered requests, per session and direction
    uint32_t rate_per_second = 0;      // messages over all binds, 0: no limit
    uint32_t burst = 0;                // bucket depth in messages, 0: one second of the rate
    std::vector<Cidr> allow;           // empty: any address
    std::vector<std::string> numbers;  // E.164 inbound numbers of this customer
    Alphabet alphabet = Alphabet::gsm7;
    MessageIdFormat id_format = MessageIdFormat::decimal;
    NumberPlan number_plan;
    bool receipt_tlvs = true;
    Margin margin;  // of its prices in sell.csv
    smpp::CommandStatus no_route_status = smpp::CommandStatus::esme_rinvdstadr;
    smpp::CommandStatus bind_refused_status =
        smpp::CommandStatus::esme_rbindfail;  // wrong id or password
    bool store_and_forward = false;           // where a message does not say (esm_class)
    uint32_t receipt_queue_max = 25'000;      // receipts waiting for a bind
    Nanos receipt_age_max_ns = Nanos{48} * 3600 * second_ns;
    Timers timers;

    friend bool operator==(const Customer&, const Customer&) = default;
};

struct Supplier {
    std::string name;
    std::vector<Endpoint> hosts;         // binds are spread over them
    std::vector<Endpoint> outbind_from;  // peers whose outbind we answer by binding on that link
    std::string system_id;
    std::string password;
    std::string system_type;
    uint8_t interface_version = 0x34;
    std::optional<bool> tlvs;  // unset: by the version negotiated; PROTOCOL 7
    BindMode bind = BindMode::transceiver;
    uint16_t binds = 1;
    uint16_t window = 10;
    uint32_t rate_per_second = 0;
    uint32_t burst = 0;
    uint32_t queue = 4096;  // messages in its ring; a power of two
    MessageIdMode id_mode = MessageIdMode::as_is;
    Alphabet alphabet = Alphabet::gsm7;
    NumberPlan number_plan;         // for numbers that it sends (MO)
    NumberForm number_form;         // for destinations that we send
    bool acceptd_is_final = false;  // PROTOCOL 15.3: ACCEPTD is intermediate at many suppliers
    bool receipt_by_text = true;    // "id:... stat:..." without the esm_class bits is a receipt
    bool orphan_refuse =
        false;  // unmatched receipts: refuse (supplier repeats) or accept and count
    Nanos receipt_park_ns = 30 * second_ns;  // how long a receipt waits for its submit_sm_resp
    smpp::CommandStatus refuse_status =
        smpp::CommandStatus::esme_rsyserr;  // "not now" for deliver_sm
    OnUnknown on_unknown = OnUnknown::fail;
    Nanos pause_ns = 1 * second_ns;          // how long error class `pause` holds it
    uint32_t breaker = 10;                   // failures in a row that open its breaker; 0: never
    Nanos breaker_pause_ns = 5 * second_ns;  // to the probe; doubles while probes fail ...
    Nanos breaker_pause_max_ns = 60 * second_ns;  // ... to here
    Nanos reconnect_min_ns = 1 * second_ns;       // back-off doubles from here ...
    Nanos reconnect_max_ns = 60 * second_ns;      // ... to here, with jitter
    Timers timers;

    friend bool operator==(const Supplier&, const Supplier&) = default;
};

}  // namespace sy::route
