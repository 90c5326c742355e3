#include "core/smpp/tlv.h"

#include <algorithm>
#include <iterator>

namespace sy::smpp {

namespace {

using enum TlvTag;

// Sorted by tag. Lengths as SMPP 3.4 section 5.3.2 and 5.0 section 4.8.4 have them, the NUL
// counted.
constexpr TlvRule rules[] = {
    {dest_addr_subunit, 1, 1, "dest_addr_subunit"},
    {dest_network_type, 1, 1, "dest_network_type"},
    {dest_bearer_type, 1, 1, "dest_bearer_type"},
    {dest_telematics_id, 2, 2, "dest_telematics_id"},
    {source_addr_subunit, 1, 1, "source_addr_subunit"},
    {source_network_type, 1, 1, "source_network_type"},
    {source_bearer_type, 1, 1, "source_bearer_type"},
    {source_telematics_id, 1, 1, "source_telematics_id"},
    {qos_time_to_live, 4, 4, "qos_time_to_live"},
    {payload_type, 1, 1, "payload_type"},
    {additional_status_info_text, 1, 256, "additional_status_info_text"},
    {receipted_message_id, 1, 65, "receipted_message_id"},
    {ms_msg_wait_facilities, 1, 1, "ms_msg_wait_facilities"},
    {privacy_indicator, 1, 1, "privacy_indicator"},
    {source_subaddress, 2, 23, "source_subaddress"},
    {dest_subaddress, 2, 23, "dest_subaddress"},
    {user_message_reference, 2, 2, "user_message_reference"},
    {user_response_code, 1, 1, "user_response_code"},
    {source_port, 2, 2, "source_port"},
    {destination_port, 2, 2, "destination_port"},
    {sar_msg_ref_num, 2, 2, "sar_msg_ref_num"},
    {language_indicator, 1, 1, "language_indicator"},
    {sar_total_segments, 1, 1, "sar_total_segments"},
    {sar_segment_seqnum, 1, 1, "sar_segment_seqnum"},
    {sc_interface_version, 1, 1, "sc_interface_version"},
    {callback_num_pres_ind, 1, 1, "callback_num_pres_ind"},
    {callback_num_atag, 0, 65, "callback_num_atag"},
    {number_of_messages, 1, 1, "number_of_messages"},
    {callback_num, 4, 19, "callback_num"},
    {dpf_result, 1, 1, "dpf_result"},
    {set_dpf, 1, 1, "set_dpf"},
    {ms_availability_status, 1, 1, "ms_availability_status"},
    {network_error_code, 3, 3, "network_error_code"},
    {message_payload, 0, 65535, "message_payload"},
    {delivery_failure_reason, 1, 1, "delivery_failure_reason"},
    {more_messages_to_send, 1, 1, "more_messages_to_send"},
    {message_state, 1, 1, "message_state"},
    {congestion_state, 1, 1, "congestion_state"},
    {ussd_service_op, 1, 1, "ussd_service_op"},
    {billing_identification, 1, 1024, "billing_identification"},
    {source_network_id, 7, 65, "source_network_id"},
    {dest_network_id, 7, 65, "dest_network_id"},
    {source_node_id, 6, 6, "source_node_id"},
    {dest_node_id, 6, 6, "dest_node_id"},
    {dest_addr_np_resolution, 1, 1, "dest_addr_np_resolution"},
    {dest_addr_np_information, 10, 10, "dest_addr_np_information"},
    {dest_addr_np_country, 1, 5, "dest_addr_np_country"},
    {display_time, 1, 1, "display_time"},
    {sms_signal, 2, 2, "sms_signal"},
    {ms_validity, 1, 4, "ms_validity"},
    {alert_on_message_delivery, 0, 1, "alert_on_message_delivery"},
    {its_reply_type, 1, 1, "its_reply_type"},
    {its_session_info, 2, 2, "its_session_info"},
};

constexpr bool tag_before(const TlvRule& a, const TlvRule& b) {
    return a.tag < b.tag;
}
static_assert(std::is_sorted(std::begin(rules), std::end(rules), tag_before));

constexpr bool is_digit(uint8_t octet) {
    return octet >= '0' && octet <= '9';
}

}  // namespace

std::optional<uint32_t> tlv_integer(Octets value) {
    if (value.empty() || value.size() > sizeof(uint32_t)) {
        return std::nullopt;
    }
    uint32_t out = 0;
    for (const uint8_t octet : value) {
        out = out << 8 | octet;
    }
    return out;
}

bool find_integer(Octets stream, TlvTag tag, uint32_t& out) {
    Octets value;
    if (!find_tlv(stream, tag, value)) {
        return false;
    }
    const std::optional<uint32_t> integer = tlv_integer(value);
    if (integer) {
        out = *integer;
    }
    return integer.has_value();
}

std::string_view tlv_c_string(Octets value) {
    const std::string_view chars = as_chars(value);
    return chars.substr(0, chars.find('\0'));
}

std::optional<NetworkErrorCode> read_network_error_code(Octets value) {
    if (value.size() != 3 && value.size() != 4) {
        return std::nullopt;
    }
    if (is_digit(value[0]) && is_digit(value[1]) && is_digit(value[2])) {
        const int code = (value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0');
        return NetworkErrorCode{.type = 0, .code = static_cast<uint16_t>(code)};
    }
    // Four octets are an integer when they begin with 0, else type, code and something behind.
    const size_t code_at = value.size() == 4 && value[0] == 0 ? 2 : 1;
    return NetworkErrorCode{.type = value[0], .code = load_be<uint16_t>(value.data() + code_at)};
}

const TlvRule* tlv_rule(TlvTag tag) {
    const auto* found =
        std::lower_bound(std::begin(rules), std::end(rules), tag,
                         [](const TlvRule& rule, TlvTag t) { return rule.tag < t; });
    return found != std::end(rules) && found->tag == tag ? found : nullptr;
}

}  // namespace sy::smpp
