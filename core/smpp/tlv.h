// TLVs (SMPP 3.4 section 5.3, 5.0 section 4.8): checking, walking and reading a stream of them. A
// router reads only those that it acts on and forwards all of them byte for byte. No allocation,
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"

namespace sy::smpp {

inline constexpr size_t tlv_header_bytes = 4;  // tag and length

// Any 16-bit value is legal here; 0x1400 to 0x3FFF are the vendors'.
enum class TlvTag : uint16_t {
    dest_addr_subunit = 0x0005,
    dest_network_type = 0x0006,
    dest_bearer_type = 0x0007,
    dest_telematics_id = 0x0008,
    source_addr_subunit = 0x000D,
    source_network_type = 0x000E,
    source_bearer_type = 0x000F,
    source_telematics_id = 0x0010,
    qos_time_to_live = 0x0017,
    payload_type = 0x0019,
    additional_status_info_text = 0x001D,
    receipted_message_id = 0x001E,
    ms_msg_wait_facilities = 0x0030,
    privacy_indicator = 0x0201,
    source_subaddress = 0x0202,
    dest_subaddress = 0x0203,
    user_message_reference = 0x0204,
    user_response_code = 0x0205,
    source_port = 0x020A,
    destination_port = 0x020B,
    sar_msg_ref_num = 0x020C,
    language_indicator = 0x020D,
    sar_total_segments = 0x020E,
    sar_segment_seqnum = 0x020F,
    sc_interface_version = 0x0210,
    callback_num_pres_ind = 0x0302,
    callback_num_atag = 0x0303,
    number_of_messages = 0x0304,
    callback_num = 0x0381,
    dpf_result = 0x0420,
    set_dpf = 0x0421,
    ms_availability_status = 0x0422,
    network_error_code = 0x0423,
    message_payload = 0x0424,
    delivery_failure_reason = 0x0425,
    more_messages_to_send = 0x0426,
    message_state = 0x0427,
    congestion_state = 0x0428,
    ussd_service_op = 0x0501,
    billing_identification = 0x060B,
    source_network_id = 0x060D,
    dest_network_id = 0x060E,
    source_node_id = 0x060F,
    dest_node_id = 0x0610,
    dest_addr_np_resolution = 0x0611,
    dest_addr_np_information = 0x0612,
    dest_addr_np_country = 0x0613,
    display_time = 0x1201,
    sms_signal = 0x1203,
    ms_validity = 0x1204,
    alert_on_message_delivery = 0x130C,
    its_reply_type = 0x1380,
    its_session_info = 0x1383,
};

struct Tlv {
    TlvTag tag{};
    Octets value;
};

/// How many octets at the front of `stream` are whole TLVs; stream.size() when all of it is.
[[nodiscard]] inline size_t whole_tlvs_bytes(Octets stream) {
    size_t at = 0;
    while (stream.size() - at >= tlv_header_bytes) {
        const size_t length = load_be<uint16_t>(stream.data() + at + 2);
        if (length > stream.size() - at - tlv_header_bytes) {
            break;
        }
        at += tlv_header_bytes + length;
    }
    return at;
}

/// Takes the next TLV off the front of `stream`; false at its end, or where it is no whole TLV.
[[nodiscard]] inline bool next_tlv(Octets& stream, Tlv& out) {
    if (stream.size() < tlv_header_bytes) {
        return false;
    }
    const size_t length = load_be<uint16_t>(stream.data() + 2);
    if (length > stream.size() - tlv_header_bytes) {
        return false;
    }
    out.tag = static_cast<TlvTag>(load_be<uint16_t>(stream.data()));
    out.value = stream.subspan(tlv_header_bytes, length);
    stream = stream.subspan(tlv_header_bytes + length);
    return true;
}

/// `for (const Tlv& tlv : TlvRange(sm.tlvs))`
class TlvRange {
  public:
    explicit TlvRange(Octets stream) : stream_(stream) {}

    struct End {};
    class Iterator {
      public:
        explicit Iterator(Octets rest) : rest_(rest) { ++*this; }
        const Tlv& operator*() const { return tlv_; }
        Iterator& operator++() {
            more_ = next_tlv(rest_, tlv_);
            return *this;
        }
        bool operator==(End) const { return !more_; }

      private:
        Octets rest_;
        Tlv tlv_;
        bool more_ = false;
    };
    [[nodiscard]] Iterator begin() const { return Iterator(stream_); }
    [[nodiscard]] static End end() { return {}; }

  private:
    Octets stream_;
};

/// The first TLV of this tag; false when there is none.
[[nodiscard]] inline bool find_tlv(Octets stream, TlvTag tag, Octets& value) {
    Tlv tlv;
    while (next_tlv(stream, tlv)) {
        if (tlv.tag == tag) {
            value = tlv.value;
            return true;
        }
    }
    return false;
}

/// An integer of 1 to 4 octets, whatever length its table row says: some libraries write 1 octet
/// where 2 are due (user_message_reference).
[[nodiscard]] std::optional<uint32_t> tlv_integer(Octets value);

/// find_tlv and tlv_integer; false when it is absent or no integer.
[[nodiscard]] bool find_integer(Octets stream, TlvTag tag, uint32_t& out);

/// A C-Octet String value, its NUL or NULs there or not.
[[nodiscard]] std::string_view tlv_c_string(Octets value);

// network_error_code (section 5.3.2.31).
struct NetworkErrorCode {
    uint8_t type = 0;  // 1 ANSI-136, 2 IS-95, 3 GSM; 0: the peer did not say
    uint16_t code = 0;

    friend bool operator==(const NetworkErrorCode&, const NetworkErrorCode&) = default;
};
/// Also three ASCII digits, and four octets, as some peers write it.
[[nodiscard]] std::optional<NetworkErrorCode> read_network_error_code(Octets value);

/// What the specification says of a tag.
struct TlvRule {
    TlvTag tag;
    uint16_t octets_min;
    uint16_t octets_max;
    std::string_view name;
};
/// Nothing for a tag that no version defines.
[[nodiscard]] const TlvRule* tlv_rule(TlvTag tag);

}  // namespace sy::smpp
