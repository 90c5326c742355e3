// One SMPP session as its worker keeps it: a customer's ESME bound to us, or our link to a
// supplier. Plain data; the rules are in smpp/session.h, the flows in worker.h. Used by one worker
// alone.
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/engine/message.h"
#include "core/engine/output.h"
#include "core/engine/transport.h"
#include "core/route/account.h"
#include "core/smpp/decode.h"
#include "core/smpp/session.h"
#include "core/smpp/window.h"

namespace sy::engine {

enum class Side : uint8_t { none, customer, supplier };

// Why the session gets no more traffic.
enum class Ending : uint8_t {
    no,
    unbinding,  // we sent unbind: waiting for its response
    draining,   // waiting for what is in flight, then we unbind
    closing,    // the transport has been told to close
};

/// A request of ours that waits for its response; given up, what a late one is found by (LostWays).
union Outstanding {
    Message* message = nullptr;
    uint64_t ticket;
};

struct Session {
    ConnId conn;
    Side side = Side::none;
    Ending ending = Ending::no;
    smpp::SessionState state = smpp::SessionState::open;
    uint32_t active_index = 0;  // place in the worker's list of live sessions

    CustomerId customer_id;
    SupplierId supplier_id;
    const route::Customer* customer = nullptr;  // of the adopted snapshot
    const route::Supplier* supplier = nullptr;
    uint16_t trunk = 0xFFFF;  // supplier side: index into the worker's trunks

    smpp::DecodeRules decode_rules;
    smpp::Version version = smpp::Version::v34;  // the peer's
    bool tlvs = true;                            // may be sent to the peer

    IdForm id_form = IdForm::decimal;  // of the ids that this customer gets
    uint32_t requests_open = 0;        // the peer's requests that we have not answered
    std::unique_ptr<smpp::Window<Outstanding>> window;  // made when bound

    Endpoint peer;
    Nanos since_ns = 0;             // of the TCP connection
    Nanos last_in_ns = 0;           // any PDU, answers to our enquire_link too: the peer is alive
    Nanos probe_ns = 0;             // enquire_link sent and nothing heard since; 0: none
    Nanos ending_ns = 0;            // when `ending` began
    Nanos hold_until_ns = 0;        // customer side: delivers wait (temporary refusal)
    uint32_t control_sequence = 0;  // of our bind or unbind
    uint8_t malformed_in_row = 0;
    bool counted = false;  // holds a place among its customer's binds
    bool dirty = false;    // stands in the worker's list of sessions with output
    bool blocked = false;  // the transport took less than offered: wait for on_writable
    bool paused = false;   // reading is off until the output drains

    Chunk* partial = nullptr;  // the beginning of a PDU that straddles two spans
    Output output;
};

}  // namespace sy::engine
