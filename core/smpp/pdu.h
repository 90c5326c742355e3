// SMPP PDUs as views: what the wire says, pointing into the octets that were received or that are
// to be sent. Nothing is owned; a view lives as long as its octets. Any thread.
//
// SMPP 3.4 section 5, SMPP 5.0 section 4. Sizes of C-Octet Strings in comments count the NUL, as
// the specification does; the views do not contain it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/bytes.h"

namespace sy::smpp {

// SMPP 3.4 section 5.1.2.1, 5.0 section 4.7.5.
enum class CommandId : uint32_t {
    generic_nack = 0x80000000,
    bind_receiver = 0x00000001,
    bind_transmitter = 0x00000002,
    query_sm = 0x00000003,
    submit_sm = 0x00000004,
    deliver_sm = 0x00000005,
    unbind = 0x00000006,
    replace_sm = 0x00000007,
    cancel_sm = 0x00000008,
    bind_transceiver = 0x00000009,
    outbind = 0x0000000B,
    enquire_link = 0x00000015,
    submit_multi = 0x00000021,
    alert_notification = 0x00000102,
    data_sm = 0x00000103,
    broadcast_sm = 0x00000111,
    query_broadcast_sm = 0x00000112,
    cancel_broadcast_sm = 0x00000113,
    bind_receiver_resp = 0x80000001,
    bind_transmitter_resp = 0x80000002,
    query_sm_resp = 0x80000003,
    submit_sm_resp = 0x80000004,
    deliver_sm_resp = 0x80000005,
    unbind_resp = 0x80000006,
    replace_sm_resp = 0x80000007,
    cancel_sm_resp = 0x80000008,
    bind_transceiver_resp = 0x80000009,
    enquire_link_resp = 0x80000015,
    submit_multi_resp = 0x80000021,
    data_sm_resp = 0x80000103,
    broadcast_sm_resp = 0x80000111,
    query_broadcast_sm_resp = 0x80000112,
    cancel_broadcast_sm_resp = 0x80000113,
};

inline constexpr uint32_t response_bit = 0x80000000;

/// True for every command_id of SMPP 3.4 and 5.0, requests and responses alike.
[[nodiscard]] bool is_known(CommandId id);

[[nodiscard]] constexpr bool is_response(CommandId id) {
    return (static_cast<uint32_t>(id) & response_bit) != 0;
}
[[nodiscard]] constexpr CommandId response_to(CommandId id) {
    return static_cast<CommandId>(static_cast<uint32_t>(id) | response_bit);
}

// interface_version thresholds (SMPP 3.4 section 5.2.4; PROTOCOL facts: 0x35 to 0x4F count as 3.4).
enum class Version : uint8_t { v33 = 0x33, v34 = 0x34, v50 = 0x50 };

struct Header {
    uint32_t command_length = 0;  // whole PDU, header included
    CommandId command_id{};
    uint32_t command_status = 0;
    uint32_t sequence_number = 0;
};

/// REQUIRES: 16 readable / writable octets.
[[nodiscard]] inline Header decode_header(const uint8_t* from) {
    return {load_be<uint32_t>(from), static_cast<CommandId>(load_be<uint32_t>(from + 4)),
            load_be<uint32_t>(from + 8), load_be<uint32_t>(from + 12)};
}
inline void encode_header(uint8_t* to, const Header& header) {
    store_be(to, header.command_length);
    store_be(to + 4, static_cast<uint32_t>(header.command_id));
    store_be(to + 8, header.command_status);
    store_be(to + 12, header.sequence_number);
}

struct Address {
    uint8_t ton = 0;  // SMPP 3.4 section 5.2.5
    uint8_t npi = 0;  // section 5.2.6
    std::string_view digits;
};

// bind_receiver, bind_transmitter, bind_transceiver (section 4.1).
struct Bind {
    std::string_view system_id;    // 16
    std::string_view password;     // 9; longer ones occur, see DecodeRules
    std::string_view system_type;  // 13
    uint8_t interface_version = 0;
    uint8_t addr_ton = 0;
    uint8_t addr_npi = 0;
    std::string_view address_range;  // 41
};

// bind_*_resp: system_id 16, TLV sc_interface_version.
struct BindResp {
    std::string_view system_id;
    Octets tlvs;
};

struct Outbind {
    std::string_view system_id;
    std::string_view password;
};

// submit_sm, deliver_sm (sections 4.4.1, 4.6.1) and data_sm (4.7.1, which has no fields from
// protocol_id to sm_default_msg_id but registered_delivery and data_coding: they stay at 0 /
// empty).
struct Sm {
    std::string_view service_type;  // 6
    Address source;                 // 21; data_sm 65
    Address destination;            // 21; data_sm 65
    uint8_t esm_class = 0;
    uint8_t protocol_id = 0;
    uint8_t priority_flag = 0;
    std::string_view schedule_delivery_time;  // 1 or 17
    std::string_view validity_period;         // 1 or 17
    uint8_t registered_delivery = 0;
    uint8_t replace_if_present_flag = 0;
    uint8_t data_coding = 0;
    uint8_t sm_default_msg_id = 0;
    Octets short_message;  // 0 to 255 octets; empty in data_sm
    Octets tlvs;           // whole TLV stream, structurally checked, forwarded byte for byte

    /// Points the views into `to` instead of `from`; the octets at both are the same PDU body.
    /// REQUIRES: every view that is not empty points into `from`.
    void rebase(const uint8_t* from, const uint8_t* to);
};

// submit_sm_resp, deliver_sm_resp, data_sm_resp: message_id 65.
struct SmResp {
    std::string_view message_id;
    Octets tlvs;
};

// submit_multi (section 4.5.1): `sm` holds the shared fields (its destination stays empty).
struct SubmitMulti {
    Sm sm;
    uint8_t number_of_dests = 0;
    Octets dest_addresses;  // raw list, structurally checked; walk with next_destination()
};
struct MultiDestination {
    uint8_t dest_flag = 0;  // 1 SME address, 2 distribution list
    Address address;
    std::string_view dl_name;
};
struct UnsuccessSme {
    Address address;
    uint32_t error_status_code = 0;
};
// submit_multi_resp (section 4.5.2).
struct SubmitMultiResp {
    std::string_view message_id;  // 65
    uint8_t no_unsuccess = 0;
    Octets unsuccess_smes;  // raw list, structurally checked; walk with next_unsuccess()
    Octets tlvs;
};

struct QuerySm {
    std::string_view message_id;
    Address source;
};
struct QuerySmResp {
    std::string_view message_id;
    std::string_view final_date;  // 1 or 17
    uint8_t message_state = 0;
    uint8_t error_code = 0;
};
struct CancelSm {
    std::string_view service_type;
    std::string_view message_id;
    Address source;
    Address destination;
};
struct ReplaceSm {
    std::string_view message_id;
    Address source;
    std::string_view schedule_delivery_time;
    std::string_view validity_period;
    uint8_t registered_delivery = 0;
    uint8_t sm_default_msg_id = 0;
    Octets short_message;
    Octets tlvs;
};
struct AlertNotification {
    Address source;  // 65
    Address esme;    // 65
    Octets tlvs;
};

// esm_class (section 5.2.12): type bits are tested masked, never by equality.
inline constexpr uint8_t esm_class_type_mask = 0x3C;
inline constexpr uint8_t esm_class_mode_mask = 0x03;
inline constexpr uint8_t esm_class_store_and_forward = 0x03;
inline constexpr uint8_t esm_class_delivery_receipt = 0x04;
inline constexpr uint8_t esm_class_intermediate = 0x20;
inline constexpr uint8_t esm_class_udhi = 0x40;

/// registered_delivery (section 5.2.17): any of the two low bits asks for a receipt, bit 4 for
/// intermediate ones.
[[nodiscard]] constexpr bool wants_receipt(uint8_t registered_delivery) {
    return (registered_delivery & 0x13) != 0;
}

}  // namespace sy::smpp
