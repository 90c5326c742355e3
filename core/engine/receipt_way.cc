#include "core/engine/receipt_way.h"

#include <algorithm>

#include "core/smpp/tlv.h"

namespace sy::engine {

using smpp::MessageState;

namespace {

void copy_address(const smpp::Address& from,
                  uint8_t& ton,
                  uint8_t& npi,
                  uint8_t& length,
                  std::array<char, limits::address_octets_max>& digits) {
    ton = from.ton;
    npi = from.npi;
    length = static_cast<uint8_t>(from.digits.copy(digits.data(), digits.size()));
}

}  // namespace

void fill_way(const Message& message, Nanos submitted_wall_ns, ReceiptWay& way) {
    way = {};
    way.customer = message.customer;
    way.id = message.id;
    way.id_form = message.id_form;
    way.registered_delivery = message.sm.registered_delivery;
    way.network = message.network;
    copy_address(message.sm.source, way.source_ton, way.source_npi, way.source_length, way.source);
    copy_address(message.sm.destination, way.destination_ton, way.destination_npi,
                 way.destination_length, way.destination);
    uint32_t reference = 0;
    if (!message.sm.tlvs.empty() &&
        smpp::find_integer(message.sm.tlvs, smpp::TlvTag::user_message_reference, reference)) {
        way.has_reference = true;
        way.user_message_reference = static_cast<uint16_t>(reference);
    }
    way.submitted_wall_ns = submitted_wall_ns;
}

void make_own_receipt(Message& message,
                      MessageState state,
                      smpp::CommandStatus status,
                      Nanos now_wall_ns) {
    constexpr auto error_max = uint32_t{999};  // three digits (Appendix B)
    fill_way(message, message.accepted_wall_ns, message.way);
    message.receipt_state = static_cast<uint8_t>(state);
    message.receipt_error = std::min(static_cast<uint32_t>(status), error_max);
    message.intermediate = false;
    message.network_error_code.reset();
    message.received_wall_ns = now_wall_ns;
}

bool is_success(MessageState state) {
    return state == MessageState::delivered || state == MessageState::accepted;
}

bool is_wanted(uint8_t registered_delivery, bool final, MessageState state) {
    if (!final) {
        return (registered_delivery & 0x10) != 0;
    }
    switch (registered_delivery & 0x03) {
        case 1:
            return true;
        case 2:
            return !is_success(state);
        case 3:
            return is_success(state);
        default:
            return false;
    }
}

}  // namespace sy::engine
