// What a worker has to tell people: small values over a ring to the control thread, which logs
// them. The worker never formats and never blocks; when the ring is full the event is counted as
// lost.
#pragma once

#include <cstdint>

#include "core/base/endpoint.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/smpp/status.h"

namespace sy::engine {

enum class EventKind : uint8_t {
    customer_bound,         // customer, peer
    customer_bind_refused,  // customer (none when the system_id is unknown), peer, status
    customer_closed,        // customer, peer, detail = CloseReason
    supplier_connecting,    // supplier, peer
    supplier_bound,         // supplier, peer
    supplier_bind_refused,  // supplier, peer, status
    supplier_closed,        // supplier, peer, detail = CloseReason
    peer_not_smpp,          // peer: impossible command_length before any bind
    session_dead,           // customer or supplier, peer: no answer to enquire_link
    message_unknown,        // supplier: outcome of a message unknown, detail = message id
    supplier_paused,        // supplier, status that caused it
    supplier_opened,        // supplier: its breaker; status of the last failure, OK: no answer
    supplier_probed,        // supplier: one message shows whether it works again
    supplier_recovered,     // supplier: it does, its breaker is closed
    drained,                // worker has nothing left
};

struct Event {
    EventKind kind{};
    uint8_t worker = 0;
    CustomerId customer;
    SupplierId supplier;
    smpp::CommandStatus status{};
    uint64_t detail = 0;
    Endpoint peer;
    Nanos wall_ns = 0;
};

}  // namespace sy::engine
