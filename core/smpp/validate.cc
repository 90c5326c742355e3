#include "core/smpp/validate.h"

#include <algorithm>
#include <cstring>

#include "core/smpp/decode.h"
#include "core/smpp/time_format.h"
#include "core/smpp/tlv.h"

namespace sy::smpp {

namespace {

using enum CommandStatus;

constexpr uint8_t ton_max = 6;  // abbreviated (SMPP 3.4 section 5.2.5)
// Section 5.2.6: unknown, ISDN, data, telex, land mobile, national, private, ERMES, Internet, WAP.
constexpr uint32_t npi_known = 1u << 0 | 1u << 1 | 1u << 3 | 1u << 4 | 1u << 6 | 1u << 8 | 1u << 9 |
                               1u << 10 | 1u << 14 | 1u << 18;
constexpr uint8_t mode_transaction = 0x02;
// registered_delivery (section 5.2.17): bits 0 to 4 mean something; the text of 3.4 calls bit 4
// "bit 5", so that one is forgiven.
constexpr uint8_t registered_delivery_reserved = 0xC0;
constexpr uint8_t registered_delivery_reserved_strict = 0xE0;

bool npi_is_known(uint8_t npi) {
    return npi < 32 && (npi_known >> npi & 1u) != 0;
}

/// A control character among the eight octets at `at`: below 0x20, or 0x7F. Octets with the high
/// bit are none.
bool eight_have_control(const char* at) {
    constexpr uint64_t each = 0x0101010101010101;
    constexpr uint64_t high = 0x80 * each;
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    const uint64_t low = word & ~high;
    const uint64_t printable = low + 0x60 * each;  // high bit: not below 0x20
    const uint64_t rubout = low + 0x01 * each;     // high bit: 0x7F
    return ((~printable | rubout) & ~word & high) != 0;
}

/// Control characters are in no alphabet of an address.
bool has_control(std::string_view text) {
    if (text.size() >= 8 && text.size() <= 16) {  // two words that may overlap
        return eight_have_control(text.data()) || eight_have_control(text.data() + text.size() - 8);
    }
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto octet = static_cast<uint8_t>(c);
        return octet < 0x20 || octet == 0x7F;
    });
}

CommandStatus check_source(const Address& source) {
    if (source.ton > ton_max) {
        return esme_rinvsrcton;
    }
    if (!npi_is_known(source.npi)) {
        return esme_rinvsrcnpi;
    }
    return has_control(source.digits) ? esme_rinvsrcadr : esme_rok;
}

CommandStatus check_destination(const Address& destination) {
    if (destination.ton > ton_max) {
        return esme_rinvdstton;
    }
    if (!npi_is_known(destination.npi)) {
        return esme_rinvdstnpi;
    }
    return destination.digits.empty() || has_control(destination.digits) ? esme_rinvdstadr
                                                                         : esme_rok;
}

/// Types that an ESME may submit; 5.0 lets a routing entity submit receipts too.
bool type_allowed(uint8_t type, Version version) {
    switch (type) {
        case 0x00:
        case 0x08:  // delivery acknowledgement
        case 0x10:  // user acknowledgement
            return true;
        case esm_class_delivery_receipt:
        case esm_class_intermediate:
            return version == Version::v50;
        default:
            return false;
    }
}

/// The TLVs that this router acts on; all others pass unread.
struct UsedTlvs {
    Octets payload;
    bool has_payload = false;
    bool bad_length = false;
    bool ports = false;
    uint8_t sar_seen = 0;  // one bit a field
    uint32_t sar_total = 0;
    uint32_t sar_seqnum = 0;

    [[nodiscard]] bool sar_complete() const { return sar_seen == 7; }
};

void read_tlv(const Tlv& tlv, UsedTlvs& out) {
    const size_t octets = tlv.value.size();
    switch (tlv.tag) {
        case TlvTag::message_payload:
            out.payload = tlv.value;
            out.has_payload = true;
            break;
        case TlvTag::user_message_reference:
            out.bad_length |= octets != 1 && octets != 2;  // 1: some libraries
            break;
        case TlvTag::sar_msg_ref_num:
            out.bad_length |= octets != 2;
            out.sar_seen |= 1;
            break;
        case TlvTag::sar_total_segments:
            out.bad_length |= octets != 1;
            out.sar_total = tlv_integer(tlv.value).value_or(0);
            out.sar_seen |= 2;
            break;
        case TlvTag::sar_segment_seqnum:
            out.bad_length |= octets != 1;
            out.sar_seqnum = tlv_integer(tlv.value).value_or(0);
            out.sar_seen |= 4;
            break;
        case TlvTag::source_port:
        case TlvTag::destination_port:
            out.bad_length |= octets != 2;
            out.ports = true;
            break;
        case TlvTag::qos_time_to_live:
            out.bad_length |= octets != 4;
            break;
        default:
            break;
    }
}

UsedTlvs read_tlvs(Octets stream) {
    UsedTlvs out;
    for (const Tlv& tlv : TlvRange(stream)) {
        read_tlv(tlv, out);
    }
    return out;
}

/// Incomplete sar_* are nothing (row 34).
CommandStatus check_tlvs(const UsedTlvs& tlvs, bool udhi, const ValidateRules& rules) {
    if (tlvs.bad_length) {
        return esme_rinvparlen;
    }
    if (tlvs.sar_complete() &&
        (tlvs.sar_total == 0 || tlvs.sar_seqnum == 0 || tlvs.sar_seqnum > tlvs.sar_total)) {
        return esme_rinvoptparamval;
    }
    if (rules.strict && udhi && (tlvs.sar_complete() || tlvs.ports)) {
        return esme_rinvoptparamval;
    }
    return esme_rok;
}

CommandStatus check_times(const Sm& sm, const ValidateRules& rules) {
    Nanos at = 0;
    if (!sm.schedule_delivery_time.empty() &&
        !parse_time(sm.schedule_delivery_time, rules.wall_now_ns, at)) {
        return esme_rinvsched;
    }
    if (!sm.validity_period.empty() &&
        (!parse_time(sm.validity_period, rules.wall_now_ns, at) || at < rules.wall_now_ns)) {
        return esme_rinvexpiry;
    }
    return esme_rok;
}

CommandStatus check_registered_delivery(uint8_t value, const ValidateRules& rules) {
    const uint8_t reserved =
        rules.strict ? registered_delivery_reserved_strict : registered_delivery_reserved;
    const bool success_only = (value & 0x03) == 0x03;  // 5.0's; reserved in 3.4
    const bool refused =
        (value & reserved) != 0 || (rules.strict && success_only && rules.version != Version::v50);
    return refused ? esme_rinvregdlvflg : esme_rok;
}

/// Everything from esm_class on but the times: small integers.
CommandStatus check_esm_class(const Sm& sm, bool data_sm, const ValidateRules& rules) {
    const bool transaction = (sm.esm_class & esm_class_mode_mask) == mode_transaction;
    if ((transaction && !data_sm) ||
        !type_allowed(sm.esm_class & esm_class_type_mask, rules.version)) {
        return esme_rinvesmclass;
    }
    return esme_rok;
}

CommandStatus check_flags(const Sm& sm, const ValidateRules& rules) {
    const uint8_t priority_max = rules.version == Version::v50 ? 4 : 3;
    if (rules.strict && sm.priority_flag > priority_max) {
        return esme_rinvprtflg;
    }
    if (const CommandStatus status = check_times(sm, rules); status != esme_rok) {
        return status;
    }
    if (const CommandStatus status = check_registered_delivery(sm.registered_delivery, rules);
        status != esme_rok) {
        return status;
    }
    if (sm.replace_if_present_flag > 1) {
        return esme_rinvrepflag;
    }
    if (sm.replace_if_present_flag == 1 && !rules.replace_if_present) {
        return esme_rinvsubrep;
    }
    return sm.sm_default_msg_id != 0 ? esme_rinvdftmsgid : esme_rok;
}

/// short_message and message_payload, and the TLVs beside them.
CommandStatus check_text(const Sm& sm, const ValidateRules& rules) {
    if (rules.strict && sm.short_message.size() > 254 && rules.version != Version::v50) {
        return esme_rinvmsglen;
    }
    const UsedTlvs tlvs = read_tlvs(sm.tlvs);
    const bool both = !sm.short_message.empty() && tlvs.has_payload;
    if (both && !rules.payload_beside_text) {
        return esme_roptparnotallwd;
    }
    const Octets text = sm.short_message.empty() ? tlvs.payload : sm.short_message;
    if (text.size() > rules.text_octets_max) {
        return esme_rinvmsglen;
    }
    const bool udhi = (sm.esm_class & esm_class_udhi) != 0;
    if (udhi && !udh_is_whole(text)) {
        return esme_rinvesmclass;
    }
    return check_tlvs(tlvs, udhi, rules);
}

CommandStatus check_shared_fields(const Sm& sm, const ValidateRules& rules) {
    if (const CommandStatus status = check_esm_class(sm, false, rules); status != esme_rok) {
        return status;
    }
    if (const CommandStatus status = check_flags(sm, rules); status != esme_rok) {
        return status;
    }
    return check_text(sm, rules);
}

}  // namespace

bool udh_is_whole(Octets text) {
    if (text.empty() || text[0] >= text.size()) {
        return false;
    }
    Octets elements = text.subspan(1, text[0]);
    while (!elements.empty()) {
        if (elements.size() < 2 || size_t{elements[1]} + 2 > elements.size()) {
            return false;
        }
        elements = elements.subspan(size_t{elements[1]} + 2);
    }
    return true;
}

CommandStatus validate_submit(const Sm& sm, const ValidateRules& rules) {
    if (const CommandStatus status = check_source(sm.source); status != esme_rok) {
        return status;
    }
    if (const CommandStatus status = check_destination(sm.destination); status != esme_rok) {
        return status;
    }
    return check_shared_fields(sm, rules);
}

CommandStatus validate_data_sm(const Sm& sm, const ValidateRules& rules) {
    if (const CommandStatus status = check_source(sm.source); status != esme_rok) {
        return status;
    }
    if (const CommandStatus status = check_destination(sm.destination); status != esme_rok) {
        return status;
    }
    if (const CommandStatus status = check_esm_class(sm, true, rules); status != esme_rok) {
        return status;
    }
    if (const CommandStatus status = check_registered_delivery(sm.registered_delivery, rules);
        status != esme_rok) {
        return status;
    }
    Octets payload;
    if (!find_tlv(sm.tlvs, TlvTag::message_payload, payload)) {
        return esme_rmissingoptparam;
    }
    return check_text(sm, rules);
}

CommandStatus validate_submit_multi(const SubmitMulti& multi, const ValidateRules& rules) {
    if (const CommandStatus status = check_source(multi.sm.source); status != esme_rok) {
        return status;
    }
    if (rules.strict && multi.number_of_dests > 254 && rules.version != Version::v50) {
        return esme_rinvnumdests;
    }
    Octets list = multi.dest_addresses;
    MultiDestination destination;
    while (next_destination(list, destination)) {
        const bool is_list = destination.dest_flag == 2;
        if (is_list && !rules.distribution_lists) {
            return esme_rcntsubdl;
        }
        const CommandStatus status = is_list ? esme_rok : check_destination(destination.address);
        if (status != esme_rok) {
            return status;
        }
    }
    if (multi.sm.replace_if_present_flag != 0) {
        return esme_rinvrepflag;  // section 4.5.1: must be 0 here
    }
    return check_shared_fields(multi.sm, rules);
}

}  // namespace sy::smpp
