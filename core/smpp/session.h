// The SMPP session as a pure state machine: which PDU may come in which state, what to answer when
// it may not, how the state changes, and what a peer's version allows (SMPP 3.4 section 2, 5.0
// section 2.2; PROTOCOL 5 and 7). Holds nothing and knows no time: timers, windows and sockets are
// the engine's. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/smpp/pdu.h"
#include "core/smpp/status.h"

namespace sy::smpp {

enum class SessionState : uint8_t {
    open,      // connected, no bind yet
    outbound,  // outbind was sent or received, no bind yet (5.0)
    bound_tx,
    bound_rx,
    bound_trx,
    unbound,  // unbind was answered, the connection still stands (5.0)
    closed,
};

/// Our side of the session: the SMSC (MC in 5.0) to customers, the ESME to suppliers.
enum class Role : uint8_t { mc, esme };

enum class Action : uint8_t {
    handle,        // legal here
    respond,       // its own response with `status` and no body
    generic_nack,  // generic_nack with `status`, the PDU's sequence number
    ignore,        // no answer, count it
};

struct Verdict {
    Action action = Action::ignore;
    CommandStatus status = CommandStatus::esme_rok;

    friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// What to do with a PDU of this id that the peer sent. A response is handled when our role sends
/// its request; whether one is pending is the window's to say (and if none is: count, never
/// answer).
[[nodiscard]] Verdict judge(Role ours, SessionState state, Version version, CommandId id);

/// Whether we may send this request now.
[[nodiscard]] bool may_send(Role ours, SessionState state, Version version, CommandId id);

/// The state once this PDU has gone over the session, in either direction. `status` is the PDU's.
[[nodiscard]] SessionState state_after(SessionState state, CommandId id, CommandStatus status);

[[nodiscard]] constexpr bool is_bind(CommandId id) {
    return id == CommandId::bind_receiver || id == CommandId::bind_transmitter ||
           id == CommandId::bind_transceiver;
}
[[nodiscard]] constexpr bool is_bound(SessionState state) {
    return state == SessionState::bound_tx || state == SessionState::bound_rx ||
           state == SessionState::bound_trx;
}
/// The ESME submits over it / the SMSC delivers over it.
[[nodiscard]] constexpr bool can_submit(SessionState state) {
    return state == SessionState::bound_tx || state == SessionState::bound_trx;
}
[[nodiscard]] constexpr bool can_deliver(SessionState state) {
    return state == SessionState::bound_rx || state == SessionState::bound_trx;
}

/// What an interface_version means; reserved values count as the version below them.
[[nodiscard]] constexpr Version version_of(uint8_t interface_version) {
    if (interface_version < static_cast<uint8_t>(Version::v34)) {
        return Version::v33;
    }
    return interface_version < static_cast<uint8_t>(Version::v50) ? Version::v34 : Version::v50;
}
[[nodiscard]] constexpr bool tlvs_allowed(Version version) {
    return version != Version::v33;
}
/// Usable characters of a message_id that the peer can take: 3.3 has 9 with the NUL.
[[nodiscard]] constexpr size_t message_id_octets_limit(Version version) {
    return version == Version::v33 ? 8 : 64;
}
[[nodiscard]] constexpr size_t short_message_octets_limit(Version version) {
    return version == Version::v50 ? 255 : 254;
}
/// The status to send to a peer of this version instead of one that it does not know.
[[nodiscard]] CommandStatus status_for(Version version, CommandStatus status);

}  // namespace sy::smpp
