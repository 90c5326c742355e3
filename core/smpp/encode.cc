#include "core/smpp/encode.h"

#include <cstring>

#include "core/base/limits.h"
#include "core/smpp/field_limits.h"
#include "core/smpp/tlv.h"

namespace sy::smpp {

namespace {

using enum CommandStatus;

constexpr auto tag_message_payload = static_cast<uint16_t>(TlvTag::message_payload);

// What encode_sm writes besides the variable fields: header, TON and NPI of two addresses, five
// NULs, eight one-octet fields (esm_class to sm_length).
constexpr size_t sm_fixed_octets = limits::pdu_header_bytes + 4 + 5 + 8;
// data_sm: three NULs, three one-octet fields, and the header of a message_payload TLV.
static_assert(sm_fixed_octets >= limits::pdu_header_bytes + 4 + 3 + 3 + tlv_header_bytes);

/// Writes one PDU: the header first, its command_length at the end.
class PduWriter {
  public:
    PduWriter(std::span<uint8_t> out, CommandId id, uint32_t sequence_number) : writer_(out) {
        writer_.integer(uint32_t{0});
        writer_.integer(static_cast<uint32_t>(id));
        writer_.integer(static_cast<uint32_t>(esme_rok));
        writer_.integer(sequence_number);
    }

    PduWriter& c_string(std::string_view value, [[maybe_unused]] size_t octets_max) {
        SY_DCHECK(value.size() <= octets_max);
        SY_DCHECK(value.find('\0') == std::string_view::npos);
        writer_.c_string(value);
        return *this;
    }
    PduWriter& time(std::string_view value) {
        SY_DCHECK(value.empty() || value.size() == time_octets);
        return c_string(value, time_octets);
    }
    PduWriter& octet(uint8_t value) {
        writer_.integer(value);
        return *this;
    }
    PduWriter& integer(uint32_t value) {
        writer_.integer(value);
        return *this;
    }
    PduWriter& octets(Octets value) {
        writer_.octets(value);
        return *this;
    }
    PduWriter& address(const Address& address, size_t octets_max) {
        return octet(address.ton).octet(address.npi).c_string(address.digits, octets_max);
    }
    PduWriter& short_message(Octets value) {
        SY_DCHECK(value.size() <= short_message_octets_max);
        return octet(static_cast<uint8_t>(value.size())).octets(value);
    }

    /// The PDU's octets; 0 when it did not fit.
    size_t finish() {
        if (writer_.overflow()) {
            return 0;
        }
        store_be(writer_.buffer().data(), static_cast<uint32_t>(writer_.written()));
        return writer_.written();
    }

  private:
    ByteWriter writer_;
};

// The names of accounts are as long as two peers agree on; DecodeRules can be told to take this.
constexpr size_t account_octets_max = 255;

/// Copies a field of a few to a few hundred octets and returns the end. Short fields take two
/// overlapping moves instead of a call: they are most of a PDU's fields.
inline uint8_t* put(uint8_t* to, const void* from, size_t count) {
    const auto* octets = static_cast<const uint8_t*>(from);
    if (count >= 8 && count <= 16) {
        uint64_t head = 0;
        uint64_t tail = 0;
        std::memcpy(&head, octets, 8);
        std::memcpy(&tail, octets + count - 8, 8);
        std::memcpy(to, &head, 8);
        std::memcpy(to + count - 8, &tail, 8);
    } else if (count != 0) {
        std::memcpy(to, octets, count);
    }
    return to + count;
}

inline uint8_t* put_c_string(uint8_t* to, std::string_view value) {
    to = put(to, value.data(), value.size());
    *to = 0;
    return to + 1;
}

inline uint8_t* put_address(uint8_t* to, const Address& address) {
    to[0] = address.ton;
    to[1] = address.npi;
    return put_c_string(to + 2, address.digits);
}

void check_sm([[maybe_unused]] const Sm& sm) {
    SY_DCHECK(sm.service_type.size() <= service_type_octets_max);
    SY_DCHECK(sm.source.digits.size() <= address_octets_max);
    SY_DCHECK(sm.destination.digits.size() <= address_octets_max);
    SY_DCHECK(sm.schedule_delivery_time.empty() || sm.schedule_delivery_time.size() == time_octets);
    SY_DCHECK(sm.validity_period.empty() || sm.validity_period.size() == time_octets);
    SY_DCHECK(sm.short_message.size() <= short_message_octets_max);
}

}  // namespace

size_t encode_empty(std::span<uint8_t> out,
                    CommandId id,
                    CommandStatus status,
                    uint32_t sequence_number) {
    if (out.size() < limits::pdu_header_bytes) {
        return 0;
    }
    encode_header(out.data(), {.command_length = limits::pdu_header_bytes,
                               .command_id = id,
                               .command_status = static_cast<uint32_t>(status),
                               .sequence_number = sequence_number});
    return limits::pdu_header_bytes;
}

size_t encode_bind(std::span<uint8_t> out,
                   CommandId id,
                   uint32_t sequence_number,
                   const Bind& bind) {
    return PduWriter(out, id, sequence_number)
        .c_string(bind.system_id, account_octets_max)
        .c_string(bind.password, account_octets_max)
        .c_string(bind.system_type, system_type_octets_max)
        .octet(bind.interface_version)
        .octet(bind.addr_ton)
        .octet(bind.addr_npi)
        .c_string(bind.address_range, address_range_octets_max)
        .finish();
}

size_t encode_bind_resp(std::span<uint8_t> out,
                        CommandId id,
                        uint32_t sequence_number,
                        const BindResp& resp) {
    return PduWriter(out, id, sequence_number)
        .c_string(resp.system_id, account_octets_max)
        .octets(resp.tlvs)
        .finish();
}

size_t encode_outbind(std::span<uint8_t> out, uint32_t sequence_number, const Outbind& outbind) {
    return PduWriter(out, CommandId::outbind, sequence_number)
        .c_string(outbind.system_id, account_octets_max)
        .c_string(outbind.password, account_octets_max)
        .finish();
}

size_t encoded_sm_bytes_max(const Sm& sm) {
    return sm_fixed_octets + sm.service_type.size() + sm.source.digits.size() +
           sm.destination.digits.size() + sm.schedule_delivery_time.size() +
           sm.validity_period.size() + sm.short_message.size() + sm.tlvs.size();
}

size_t encode_sm(std::span<uint8_t> out, CommandId id, uint32_t sequence_number, const Sm& sm) {
    check_sm(sm);
    const size_t length = encoded_sm_bytes_max(sm);  // exact for this form
    if (length > out.size()) {
        return 0;
    }
    encode_header(out.data(), {.command_length = static_cast<uint32_t>(length),
                               .command_id = id,
                               .command_status = static_cast<uint32_t>(esme_rok),
                               .sequence_number = sequence_number});
    uint8_t* to = put_c_string(out.data() + limits::pdu_header_bytes, sm.service_type);
    to = put_address(to, sm.source);
    to = put_address(to, sm.destination);
    to[0] = sm.esm_class;
    to[1] = sm.protocol_id;
    to[2] = sm.priority_flag;
    to = put_c_string(to + 3, sm.schedule_delivery_time);
    to = put_c_string(to, sm.validity_period);
    to[0] = sm.registered_delivery;
    to[1] = sm.replace_if_present_flag;
    to[2] = sm.data_coding;
    to[3] = sm.sm_default_msg_id;
    to[4] = static_cast<uint8_t>(sm.short_message.size());
    to = put(to + 5, sm.short_message.data(), sm.short_message.size());
    to = put(to, sm.tlvs.data(), sm.tlvs.size());
    SY_DCHECK(to == out.data() + length);
    return length;
}

size_t encode_data_sm(std::span<uint8_t> out, uint32_t sequence_number, const Sm& sm) {
    PduWriter writer(out, CommandId::data_sm, sequence_number);
    writer.c_string(sm.service_type, service_type_octets_max)
        .address(sm.source, long_address_octets_max)
        .address(sm.destination, long_address_octets_max)
        .octet(sm.esm_class)
        .octet(sm.registered_delivery)
        .octet(sm.data_coding);
    if (!sm.short_message.empty()) {
        SY_DCHECK(sm.short_message.size() <= 0xFFFF);
        const auto length = static_cast<uint32_t>(sm.short_message.size());
        writer.integer(uint32_t{tag_message_payload} << 16 | length).octets(sm.short_message);
    }
    return writer.octets(sm.tlvs).finish();
}

size_t encode_sm_resp(std::span<uint8_t> out,
                      CommandId id,
                      uint32_t sequence_number,
                      const SmResp& resp) {
    return PduWriter(out, id, sequence_number)
        .c_string(resp.message_id, message_id_octets_max)
        .octets(resp.tlvs)
        .finish();
}

size_t encode_submit_multi(std::span<uint8_t> out,
                           uint32_t sequence_number,
                           const SubmitMulti& multi) {
    const Sm& sm = multi.sm;
    return PduWriter(out, CommandId::submit_multi, sequence_number)
        .c_string(sm.service_type, service_type_octets_max)
        .address(sm.source, address_octets_max)
        .octet(multi.number_of_dests)
        .octets(multi.dest_addresses)
        .octet(sm.esm_class)
        .octet(sm.protocol_id)
        .octet(sm.priority_flag)
        .time(sm.schedule_delivery_time)
        .time(sm.validity_period)
        .octet(sm.registered_delivery)
        .octet(sm.replace_if_present_flag)
        .octet(sm.data_coding)
        .octet(sm.sm_default_msg_id)
        .short_message(sm.short_message)
        .octets(sm.tlvs)
        .finish();
}

size_t encode_submit_multi_resp(std::span<uint8_t> out,
                                uint32_t sequence_number,
                                std::string_view message_id,
                                std::span<const UnsuccessSme> unsuccess) {
    SY_DCHECK(unsuccess.size() <= 255);
    PduWriter writer(out, CommandId::submit_multi_resp, sequence_number);
    writer.c_string(message_id, message_id_octets_max)
        .octet(static_cast<uint8_t>(unsuccess.size()));
    for (const UnsuccessSme& recipient : unsuccess) {
        writer.address(recipient.address, address_octets_max).integer(recipient.error_status_code);
    }
    return writer.finish();
}

size_t encode_query_sm(std::span<uint8_t> out, uint32_t sequence_number, const QuerySm& query) {
    return PduWriter(out, CommandId::query_sm, sequence_number)
        .c_string(query.message_id, message_id_octets_max)
        .address(query.source, address_octets_max)
        .finish();
}

size_t encode_query_sm_resp(std::span<uint8_t> out,
                            uint32_t sequence_number,
                            const QuerySmResp& resp) {
    return PduWriter(out, CommandId::query_sm_resp, sequence_number)
        .c_string(resp.message_id, message_id_octets_max)
        .c_string(resp.final_date, time_octets)
        .octet(resp.message_state)
        .octet(resp.error_code)
        .finish();
}

size_t encode_cancel_sm(std::span<uint8_t> out, uint32_t sequence_number, const CancelSm& cancel) {
    return PduWriter(out, CommandId::cancel_sm, sequence_number)
        .c_string(cancel.service_type, service_type_octets_max)
        .c_string(cancel.message_id, message_id_octets_max)
        .address(cancel.source, address_octets_max)
        .address(cancel.destination, address_octets_max)
        .finish();
}

size_t encode_replace_sm(std::span<uint8_t> out,
                         uint32_t sequence_number,
                         const ReplaceSm& replace) {
    return PduWriter(out, CommandId::replace_sm, sequence_number)
        .c_string(replace.message_id, message_id_octets_max)
        .address(replace.source, address_octets_max)
        .time(replace.schedule_delivery_time)
        .time(replace.validity_period)
        .octet(replace.registered_delivery)
        .octet(replace.sm_default_msg_id)
        .short_message(replace.short_message)
        .octets(replace.tlvs)
        .finish();
}

size_t encode_alert_notification(std::span<uint8_t> out,
                                 uint32_t sequence_number,
                                 const AlertNotification& alert) {
    return PduWriter(out, CommandId::alert_notification, sequence_number)
        .address(alert.source, long_address_octets_max)
        .address(alert.esme, long_address_octets_max)
        .octets(alert.tlvs)
        .finish();
}

}  // namespace sy::smpp
