#include "core/smpp/session.h"

namespace sy::smpp {

namespace {

using enum CommandId;
using enum CommandStatus;

constexpr Verdict handle{Action::handle, esme_rok};
constexpr Verdict ignore{Action::ignore, esme_rok};
constexpr Verdict wrong_state{Action::respond, esme_rinvbndsts};

constexpr Verdict when(bool legal) {
    return legal ? handle : wrong_state;
}

/// A known request that this side does not offer (PROTOCOL 9 row 6).
Verdict not_offered(SessionState state, Version version) {
    if (!is_bound(state)) {
        return wrong_state;
    }
    return {Action::respond, version == Version::v50 ? esme_rprohibited : esme_rinvcmdid};
}

/// data_sm: 3.4 allows it both ways on every bind, 5.0 only along the direction of the bind.
bool data_sm_legal(SessionState state, Version version, bool along_the_bind) {
    return is_bound(state) && (version != Version::v50 || along_the_bind);
}

Verdict judge_bind(SessionState state) {
    switch (state) {
        case SessionState::open:
        case SessionState::outbound:
            return handle;
        case SessionState::bound_tx:
        case SessionState::bound_rx:
        case SessionState::bound_trx:
            return {Action::respond, esme_ralybnd};
        case SessionState::unbound:
        case SessionState::closed:
            break;
    }
    return wrong_state;
}

Verdict request_from_esme(SessionState state, Version version, CommandId id) {
    switch (id) {
        case bind_receiver:
        case bind_transmitter:
        case bind_transceiver:
            return judge_bind(state);
        case submit_sm:
        case submit_multi:
        case query_sm:
        case cancel_sm:
        case replace_sm:
            return when(can_submit(state));
        case data_sm:
            return when(data_sm_legal(state, version, can_submit(state)));
        case outbind:
        case alert_notification:  // no response type exists (row 7)
            return {Action::generic_nack, esme_rinvcmdid};
        default:  // deliver_sm and the broadcast operations
            return not_offered(state, version);
    }
}

Verdict request_from_mc(SessionState state, Version version, CommandId id) {
    switch (id) {
        case deliver_sm:
            return when(can_deliver(state));
        case data_sm:
            return when(data_sm_legal(state, version, can_deliver(state)));
        case alert_notification:
            return can_deliver(state) ? handle : ignore;
        case outbind:
            return state == SessionState::open ? handle : ignore;
        default:  // what only an ESME sends
            return not_offered(state, version);
    }
}

bool esme_sends(CommandId request) {
    switch (request) {
        case bind_receiver:
        case bind_transmitter:
        case bind_transceiver:
        case submit_sm:
        case submit_multi:
        case query_sm:
        case cancel_sm:
        case replace_sm:
        case data_sm:
        case unbind:
        case enquire_link:
            return true;
        default:
            return false;
    }
}

bool mc_sends(CommandId request) {
    return request == deliver_sm || request == data_sm || request == unbind ||
           request == enquire_link;
}

/// Responses are never answered (row 4): what we cannot have asked for is only counted.
Verdict judge_response(Role ours, CommandId id) {
    if (id == generic_nack) {
        return handle;  // some peers answer any request with it
    }
    const auto request = static_cast<CommandId>(static_cast<uint32_t>(id) & ~response_bit);
    return (ours == Role::esme ? esme_sends(request) : mc_sends(request)) ? handle : ignore;
}

}  // namespace

Verdict judge(Role ours, SessionState state, Version version, CommandId id) {
    if (state == SessionState::closed) {
        return ignore;
    }
    // What nearly every PDU is.
    if (id == (ours == Role::mc ? submit_sm : submit_sm_resp) && can_submit(state)) [[likely]] {
        return handle;
    }
    if (is_response(id)) {
        return judge_response(ours, id);
    }
    if (!is_known(id)) {
        return {Action::generic_nack, esme_rinvcmdid};
    }
    if (id == enquire_link) {
        return handle;  // also in open: clients and probes ask before they bind
    }
    if (id == unbind) {
        return when(is_bound(state));
    }
    return ours == Role::mc ? request_from_esme(state, version, id)
                            : request_from_mc(state, version, id);
}

bool may_send(Role ours, SessionState state, Version version, CommandId id) {
    if (is_response(id) || !is_known(id)) {
        return false;
    }
    if (id == enquire_link) {
        // Peers that go by 3.4 refuse it before the bind, so we never send it there.
        return is_bound(state);
    }
    const Role theirs = ours == Role::mc ? Role::esme : Role::mc;
    return judge(theirs, state, version, id).action == Action::handle;
}

SessionState state_after(SessionState state, CommandId id, CommandStatus status) {
    const bool may_bind = state == SessionState::open || state == SessionState::outbound;
    switch (id) {
        case outbind:
            return state == SessionState::open ? SessionState::outbound : state;
        case bind_transmitter_resp:
            return may_bind && status == esme_rok ? SessionState::bound_tx : state;
        case bind_receiver_resp:
            return may_bind && status == esme_rok ? SessionState::bound_rx : state;
        case bind_transceiver_resp:
            return may_bind && status == esme_rok ? SessionState::bound_trx : state;
        case unbind_resp:
            // Whatever its status: the side that asked is going to close. One that refuses an
            // unbind in open leaves the state as it is.
            return is_bound(state) ? SessionState::unbound : state;
        default:
            return state;
    }
}

CommandStatus status_for(Version version, CommandStatus status) {
    const auto value = static_cast<uint32_t>(status);
    const bool vendor = value >= 0x400 && value <= 0x4FF;
    if (version == Version::v50 || value < 0x100 || vendor) {
        return status;
    }
    switch (status) {
        case esme_rsertypunauth:
        case esme_rsertypunavail:
        case esme_rsertypdenied:
            return esme_rinvsertyp;
        case esme_rprohibited:
            return esme_rinvcmdid;
        case esme_rinvsrcaddrsubunit:
        case esme_rinvdstaddrsubunit:
            return esme_rinvoptparamval;
        default:
            // rinvdcs and the broadcast errors up to 0x112; the rest is reserved.
            return value <= 0x112 ? esme_rsubmitfail : esme_runknownerr;
    }
}

}  // namespace sy::smpp
