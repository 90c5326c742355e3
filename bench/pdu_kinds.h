// Every kind of PDU that core/smpp encodes or decodes, as peers send it: for bench/smpp_bench.cc. A
// kind encodes one, decodes its body, and tells whether what came out is what went in.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "core/base/bytes.h"
#include "core/smpp/decode.h"
#include "core/smpp/encode.h"

namespace sy::smpp {

struct PduKind {
    const char* name;
    /// Octets written.
    size_t (*encode)(std::span<uint8_t> out, uint32_t sequence_number);
    /// Decodes and looks at a field at the end; null: header alone.
    bool (*decode)(Octets body);
};

namespace kinds {

inline constexpr DecodeRules rules{};
inline constexpr auto good = CommandStatus::esme_rok;
inline constexpr Address from{1, 1, "447700900001"};
inline constexpr Address to{1, 1, "491711234567"};
inline constexpr std::string_view message_id = "0123456789abcdef";
inline constexpr std::string_view text =
    "Your verification code is 123456. Do not share it with anyone. It is valid for ten minutes.";
// sc_interface_version and user_message_reference, as they stand on the wire.
inline constexpr std::string_view version_tlv{"\x02\x10\x00\x01\x34", 5};
inline constexpr std::string_view reference_tlv{"\x02\x04\x00\x02\x00\x07", 6};
// Two SME addresses, as submit_multi lists them.
inline constexpr std::string_view two_destinations{
    "\x01\x01\x01"
    "447700900001\0"
    "\x01\x01\x01"
    "447700900002\0",
    32};

inline size_t encode_bind_trx(std::span<uint8_t> out, uint32_t sequence) {
    return encode_bind(out, CommandId::bind_transceiver, sequence,
                       {.system_id = "acme",
                        .password = "secret",
                        .system_type = "",
                        .interface_version = 0x34,
                        .address_range = "447"});
}
inline bool decode_bind_trx(Octets body) {
    Bind bind;
    return decode_bind(body, rules, bind) == good && bind.address_range == "447";
}

inline size_t encode_bind_trx_resp(std::span<uint8_t> out, uint32_t sequence) {
    return encode_bind_resp(out, CommandId::bind_transceiver_resp, sequence,
                            {.system_id = "switchyard", .tlvs = as_octets(version_tlv)});
}
inline bool decode_bind_trx_resp(Octets body) {
    BindResp resp;
    return decode_bind_resp(body, rules, resp) == good && resp.tlvs.size() == version_tlv.size();
}

inline size_t encode_outbind_one(std::span<uint8_t> out, uint32_t sequence) {
    return encode_outbind(out, sequence, {.system_id = "smsc", .password = "secret"});
}
inline bool decode_outbind_one(Octets body) {
    Outbind outbind;
    return decode_outbind(body, rules, outbind) == good && outbind.password == "secret";
}

inline Sm message() {
    Sm sm;
    sm.source = from;
    sm.destination = to;
    sm.registered_delivery = 1;
    sm.short_message = as_octets(text);
    sm.tlvs = as_octets(reference_tlv);
    return sm;
}
inline bool is_message(const Sm& sm) {
    return sm.destination.digits == to.digits && sm.tlvs.size() >= reference_tlv.size();
}

inline size_t encode_submit_one(std::span<uint8_t> out, uint32_t sequence) {
    return encode_sm(out, CommandId::submit_sm, sequence, message());
}
inline size_t encode_deliver_one(std::span<uint8_t> out, uint32_t sequence) {
    return encode_sm(out, CommandId::deliver_sm, sequence, message());
}
inline bool decode_sm_one(Octets body) {
    Sm sm;
    return decode_sm(body, rules, sm) == good && is_message(sm) &&
           sm.short_message.size() == text.size();
}
inline size_t encode_data_one(std::span<uint8_t> out, uint32_t sequence) {
    return encode_data_sm(out, sequence, message());
}
inline bool decode_data_one(Octets body) {
    Sm sm;
    return decode_data_sm(body, rules, sm) == good && is_message(sm);
}

template <CommandId id>
size_t encode_resp(std::span<uint8_t> out, uint32_t sequence) {
    return encode_sm_resp(out, id, sequence, {.message_id = message_id, .tlvs = {}});
}
inline bool decode_resp(Octets body) {
    SmResp resp;
    return decode_sm_resp(body, rules, resp) == good && resp.message_id == message_id;
}

inline size_t encode_multi(std::span<uint8_t> out, uint32_t sequence) {
    SubmitMulti multi;
    multi.sm = message();
    multi.sm.destination = {};
    multi.number_of_dests = 2;
    multi.dest_addresses = as_octets(two_destinations);
    return encode_submit_multi(out, sequence, multi);
}
inline bool decode_multi(Octets body) {
    SubmitMulti multi;
    if (decode_submit_multi(body, rules, multi) != good) {
        return false;
    }
    MultiDestination one;
    uint8_t count = 0;
    while (next_destination(multi.dest_addresses, one)) {
        ++count;
    }
    return count == 2 && one.address.digits == "447700900002";
}

inline size_t encode_multi_resp(std::span<uint8_t> out, uint32_t sequence) {
    const std::array unsuccess{UnsuccessSme{from, 0x0B}};
    return encode_submit_multi_resp(out, sequence, message_id, unsuccess);
}
inline bool decode_multi_resp(Octets body) {
    SubmitMultiResp resp;
    if (decode_submit_multi_resp(body, rules, resp) != good) {
        return false;
    }
    UnsuccessSme one;
    return next_unsuccess(resp.unsuccess_smes, one) && one.error_status_code == 0x0B;
}

inline size_t encode_query(std::span<uint8_t> out, uint32_t sequence) {
    return encode_query_sm(out, sequence, {.message_id = message_id, .source = from});
}
inline bool decode_query(Octets body) {
    QuerySm query;
    return decode_query_sm(body, rules, query) == good && query.source.digits == from.digits;
}

inline size_t encode_query_resp(std::span<uint8_t> out, uint32_t sequence) {
    return encode_query_sm_resp(out, sequence,
                                {.message_id = message_id,
                                 .final_date = "2601311200000000",
                                 .message_state = 2,
                                 .error_code = 7});
}
inline bool decode_query_resp(Octets body) {
    QuerySmResp resp;
    return decode_query_sm_resp(body, rules, resp) == good && resp.error_code == 7;
}

inline size_t encode_cancel(std::span<uint8_t> out, uint32_t sequence) {
    return encode_cancel_sm(
        out, sequence,
        {.service_type = "", .message_id = message_id, .source = from, .destination = to});
}
inline bool decode_cancel(Octets body) {
    CancelSm cancel;
    return decode_cancel_sm(body, rules, cancel) == good && cancel.destination.digits == to.digits;
}

inline size_t encode_replace(std::span<uint8_t> out, uint32_t sequence) {
    ReplaceSm replace;
    replace.message_id = message_id;
    replace.source = from;
    replace.short_message = as_octets(text);
    return encode_replace_sm(out, sequence, replace);
}
inline bool decode_replace(Octets body) {
    ReplaceSm replace;
    return decode_replace_sm(body, rules, replace) == good &&
           replace.short_message.size() == text.size();
}

inline size_t encode_alert(std::span<uint8_t> out, uint32_t sequence) {
    return encode_alert_notification(out, sequence, {.source = from, .esme = to, .tlvs = {}});
}
inline bool decode_alert(Octets body) {
    AlertNotification alert;
    return decode_alert_notification(body, rules, alert) == good && alert.esme.digits == to.digits;
}

template <CommandId id>
size_t encode_header_alone(std::span<uint8_t> out, uint32_t sequence) {
    return encode_empty(out, id, good, sequence);
}

}  // namespace kinds

/// Those that differ by their command_id alone stand here once: the three binds, and the responses
/// of submit_sm, deliver_sm and data_sm share their code.
inline constexpr std::array pdu_kinds{
    PduKind{"bind", kinds::encode_bind_trx, kinds::decode_bind_trx},
    PduKind{"bind_resp", kinds::encode_bind_trx_resp, kinds::decode_bind_trx_resp},
    PduKind{"outbind", kinds::encode_outbind_one, kinds::decode_outbind_one},
    PduKind{"submit_sm", kinds::encode_submit_one, kinds::decode_sm_one},
    PduKind{"submit_sm_resp", kinds::encode_resp<CommandId::submit_sm_resp>, kinds::decode_resp},
    PduKind{"deliver_sm", kinds::encode_deliver_one, kinds::decode_sm_one},
    PduKind{"deliver_sm_resp", kinds::encode_resp<CommandId::deliver_sm_resp>, kinds::decode_resp},
    PduKind{"data_sm", kinds::encode_data_one, kinds::decode_data_one},
    PduKind{"data_sm_resp", kinds::encode_resp<CommandId::data_sm_resp>, kinds::decode_resp},
    PduKind{"submit_multi", kinds::encode_multi, kinds::decode_multi},
    PduKind{"submit_multi_resp", kinds::encode_multi_resp, kinds::decode_multi_resp},
    PduKind{"query_sm", kinds::encode_query, kinds::decode_query},
    PduKind{"query_sm_resp", kinds::encode_query_resp, kinds::decode_query_resp},
    PduKind{"cancel_sm", kinds::encode_cancel, kinds::decode_cancel},
    PduKind{"replace_sm", kinds::encode_replace, kinds::decode_replace},
    PduKind{"alert_notification", kinds::encode_alert, kinds::decode_alert},
    PduKind{"enquire_link", kinds::encode_header_alone<CommandId::enquire_link>, nullptr},
    PduKind{"unbind", kinds::encode_header_alone<CommandId::unbind>, nullptr},
    PduKind{"generic_nack", kinds::encode_header_alone<CommandId::generic_nack>, nullptr},
};

}  // namespace sy::smpp
