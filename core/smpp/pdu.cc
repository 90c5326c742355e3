#include "core/smpp/pdu.h"

namespace sy::smpp {

namespace {

void move_view(std::string_view& view, const uint8_t* from, const uint8_t* to) {
    if (view.empty()) {
        view = {};  // an empty view may point anywhere; after a move it points nowhere
        return;
    }
    const auto offset = reinterpret_cast<const uint8_t*>(view.data()) - from;
    view = {reinterpret_cast<const char*>(to + offset), view.size()};
}

void move_view(Octets& view, const uint8_t* from, const uint8_t* to) {
    view = view.empty() ? Octets{} : Octets{to + (view.data() - from), view.size()};
}

}  // namespace

bool is_known(CommandId id) {
    switch (id) {
        case CommandId::generic_nack:
        case CommandId::bind_receiver:
        case CommandId::bind_transmitter:
        case CommandId::query_sm:
        case CommandId::submit_sm:
        case CommandId::deliver_sm:
        case CommandId::unbind:
        case CommandId::replace_sm:
        case CommandId::cancel_sm:
        case CommandId::bind_transceiver:
        case CommandId::outbind:
        case CommandId::enquire_link:
        case CommandId::submit_multi:
        case CommandId::alert_notification:
        case CommandId::data_sm:
        case CommandId::broadcast_sm:
        case CommandId::query_broadcast_sm:
        case CommandId::cancel_broadcast_sm:
        case CommandId::bind_receiver_resp:
        case CommandId::bind_transmitter_resp:
        case CommandId::query_sm_resp:
        case CommandId::submit_sm_resp:
        case CommandId::deliver_sm_resp:
        case CommandId::unbind_resp:
        case CommandId::replace_sm_resp:
        case CommandId::cancel_sm_resp:
        case CommandId::bind_transceiver_resp:
        case CommandId::enquire_link_resp:
        case CommandId::submit_multi_resp:
        case CommandId::data_sm_resp:
        case CommandId::broadcast_sm_resp:
        case CommandId::query_broadcast_sm_resp:
        case CommandId::cancel_broadcast_sm_resp:
            return true;
    }
    return false;
}

void Sm::rebase(const uint8_t* from, const uint8_t* to) {
    move_view(service_type, from, to);
    move_view(source.digits, from, to);
    move_view(destination.digits, from, to);
    move_view(schedule_delivery_time, from, to);
    move_view(validity_period, from, to);
    move_view(short_message, from, to);
    move_view(tlvs, from, to);
}

}  // namespace sy::smpp
