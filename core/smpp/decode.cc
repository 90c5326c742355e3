#include "core/smpp/decode.h"

#include "core/smpp/decode_fast.h"
#include "core/smpp/reader.h"
#include "core/smpp/tlv.h"

namespace sy::smpp {

namespace {

using enum CommandStatus;

enum class DestFlag : uint8_t { sme_address = 1, distribution_list = 2 };  // section 5.2.25

/// Whether all of the 1 to 3 octets that are too few for a TLV are NULs that peers append.
bool is_nul_padding(Octets rest) {
    if (rest.size() >= tlv_header_bytes) {
        return false;
    }
    for (const uint8_t octet : rest) {
        if (octet != 0) {
            return false;
        }
    }
    return true;
}

CommandStatus decode_tlvs(Octets rest, const DecodeRules& rules, Octets& out) {
    out = {};
    if (rest.empty() || rules.version == Version::v33) {
        return esme_rok;
    }
    const size_t whole_bytes = whole_tlvs_bytes(rest);
    if (whole_bytes != rest.size() &&
        !(rules.ignore_trailing_nuls && is_nul_padding(rest.subspan(whole_bytes)))) {
        return esme_rinvoptparstream;
    }
    out = rest.first(whole_bytes);
    return esme_rok;
}

/// What follows the destination in submit_sm, deliver_sm and submit_multi, up to the TLVs.
void read_sm_tail(Reader& reader, Sm& out) {
    reader.octet(out.esm_class);
    reader.octet(out.protocol_id);
    reader.octet(out.priority_flag);
    reader.time(esme_rinvsched, out.schedule_delivery_time);
    reader.time(esme_rinvexpiry, out.validity_period);
    reader.octet(out.registered_delivery);
    reader.octet(out.replace_if_present_flag);
    reader.octet(out.data_coding);
    reader.octet(out.sm_default_msg_id);
    reader.short_message(out.short_message);
}

/// Body faults first, then those of the TLV stream (PROTOCOL 9, order of checks).
CommandStatus finish(const Reader& reader, const DecodeRules& rules, Octets& tlvs) {
    return reader.fault() != esme_rok ? reader.fault() : decode_tlvs(reader.rest(), rules, tlvs);
}

bool is_tlv_stream(Octets octets) {
    return is_nul_padding(octets.subspan(whole_tlvs_bytes(octets)));
}

/// The first field of a response body, and the TLVs behind it, from whatever a peer sent. Some
/// leave the field out before TLVs: then the octets are tried as a TLV stream.
void split_lenient(Octets body, std::string_view& field, Octets& tlvs) {
    const std::string_view chars = as_chars(body);
    const size_t nul = chars.find('\0');
    if (nul == std::string_view::npos) {
        field = chars;
        tlvs = {};
        return;
    }
    const Octets rest = body.subspan(nul + 1);
    // No id begins with a control character, but many TLV tags do.
    const bool odd_field = nul > 0 && body[0] < ' ';
    if ((odd_field || !is_tlv_stream(rest)) && is_tlv_stream(body)) {
        field = {};
        tlvs = body.first(whole_tlvs_bytes(body));
        return;
    }
    field = chars.substr(0, nul);
    tlvs = rest.first(whole_tlvs_bytes(rest));
}

}  // namespace

CommandStatus decode_bind(Octets body, const DecodeRules& rules, Bind& out) {
    Reader reader(body);
    reader.c_string(rules.system_id_octets_max, esme_rinvsysid, out.system_id);
    reader.c_string(rules.password_octets_max, esme_rinvpaswd, out.password);
    reader.c_string(system_type_octets_max, esme_rinvsystyp, out.system_type);
    reader.octet(out.interface_version);
    reader.octet(out.addr_ton);
    reader.octet(out.addr_npi);
    // The specification has no status of its own for a bad address_range.
    reader.c_string(address_range_octets_max, esme_rinvcmdlen, out.address_range);
    return reader.fault();
}

CommandStatus decode_bind_resp(Octets body, const DecodeRules& rules, BindResp& out) {
    split_lenient(body, out.system_id, out.tlvs);
    if (out.system_id.size() > rules.system_id_octets_max) {
        out.system_id = {};
        return esme_rinvsysid;
    }
    return esme_rok;
}

CommandStatus decode_outbind(Octets body, const DecodeRules& rules, Outbind& out) {
    Reader reader(body);
    reader.c_string(rules.system_id_octets_max, esme_rinvsysid, out.system_id);
    reader.c_string(rules.password_octets_max, esme_rinvpaswd, out.password);
    return reader.fault();
}

CommandStatus decode_sm(Octets body, const DecodeRules& rules, Sm& out) {
    size_t tlvs_at = 0;
    if (decode_sm_fast(body, out, tlvs_at)) [[likely]] {
        return decode_tlvs(body.subspan(tlvs_at), rules, out.tlvs);
    }
    // Not the common shape, or a fault: field by field, so that each fault gets its own status.
    Reader reader(body);
    reader.c_string(service_type_octets_max, esme_rinvsertyp, out.service_type);
    reader.address(address_octets_max, esme_rinvsrcadr, out.source);
    reader.address(address_octets_max, esme_rinvdstadr, out.destination);
    read_sm_tail(reader, out);
    return finish(reader, rules, out.tlvs);
}

CommandStatus decode_data_sm(Octets body, const DecodeRules& rules, Sm& out) {
    out = {};
    Reader reader(body);
    reader.c_string(service_type_octets_max, esme_rinvsertyp, out.service_type);
    reader.address(long_address_octets_max, esme_rinvsrcadr, out.source);
    reader.address(long_address_octets_max, esme_rinvdstadr, out.destination);
    reader.octet(out.esm_class);
    reader.octet(out.registered_delivery);
    reader.octet(out.data_coding);
    return finish(reader, rules, out.tlvs);
}

CommandStatus decode_sm_resp(Octets body, const DecodeRules&, SmResp& out) {
    split_lenient(body, out.message_id, out.tlvs);
    if (out.message_id.size() > message_id_octets_max) {
        out.message_id = {};
        return esme_rinvmsgid;
    }
    return esme_rok;
}

bool next_destination(Octets& dest_addresses, MultiDestination& out) {
    if (dest_addresses.empty()) {
        return false;
    }
    Reader reader(dest_addresses);
    out = {};
    reader.octet(out.dest_flag);
    if (out.dest_flag == static_cast<uint8_t>(DestFlag::sme_address)) {
        reader.address(address_octets_max, esme_rinvdstadr, out.address);
    } else if (out.dest_flag == static_cast<uint8_t>(DestFlag::distribution_list)) {
        reader.c_string(dl_name_octets_max, esme_rinvdlname, out.dl_name);
    } else {
        return false;
    }
    dest_addresses = reader.rest();
    return reader.fault() == esme_rok;
}

namespace {

/// Walks number_of_dests destinations; `reader` stands behind them afterwards.
void read_destinations(Reader& reader, SubmitMulti& out) {
    reader.octet(out.number_of_dests);
    if (reader.fault() == esme_rok && out.number_of_dests == 0) {
        reader.fail(esme_rinvnumdests);
    }
    const Octets list = reader.rest();
    for (uint32_t i = 0; i < out.number_of_dests && reader.fault() == esme_rok; ++i) {
        uint8_t dest_flag = 0;
        Address address;
        std::string_view dl_name;
        reader.octet(dest_flag, esme_rinvnumdests);
        if (reader.fault() != esme_rok) {
            break;
        }
        if (dest_flag == static_cast<uint8_t>(DestFlag::sme_address)) {
            reader.address(address_octets_max, esme_rinvdstadr, address);
        } else if (dest_flag == static_cast<uint8_t>(DestFlag::distribution_list)) {
            reader.c_string(dl_name_octets_max, esme_rinvdlname, dl_name);
        } else {
            reader.fail(esme_rinvdestflag);
        }
    }
    out.dest_addresses = list.first(list.size() - reader.rest().size());
}

}  // namespace

CommandStatus decode_submit_multi(Octets body, const DecodeRules& rules, SubmitMulti& out) {
    out = {};
    Reader reader(body);
    reader.c_string(service_type_octets_max, esme_rinvsertyp, out.sm.service_type);
    reader.address(address_octets_max, esme_rinvsrcadr, out.sm.source);
    read_destinations(reader, out);
    read_sm_tail(reader, out.sm);
    return finish(reader, rules, out.sm.tlvs);
}

bool next_unsuccess(Octets& unsuccess_smes, UnsuccessSme& out) {
    if (unsuccess_smes.empty()) {
        return false;
    }
    Reader reader(unsuccess_smes);
    reader.address(address_octets_max, esme_rinvdstadr, out.address);
    reader.integer(out.error_status_code);
    unsuccess_smes = reader.rest();
    return reader.fault() == esme_rok;
}

CommandStatus decode_submit_multi_resp(Octets body,
                                       const DecodeRules& rules,
                                       SubmitMultiResp& out) {
    out = {};
    Reader reader(body);
    reader.c_string(message_id_octets_max, esme_rinvmsgid, out.message_id);
    reader.octet(out.no_unsuccess);
    const Octets list = reader.rest();
    for (uint32_t i = 0; i < out.no_unsuccess && reader.fault() == esme_rok; ++i) {
        UnsuccessSme recipient;
        reader.address(address_octets_max, esme_rinvdstadr, recipient.address);
        reader.integer(recipient.error_status_code);
    }
    out.unsuccess_smes = list.first(list.size() - reader.rest().size());
    return finish(reader, rules, out.tlvs);
}

CommandStatus decode_query_sm(Octets body, const DecodeRules&, QuerySm& out) {
    Reader reader(body);
    reader.c_string(message_id_octets_max, esme_rinvmsgid, out.message_id);
    reader.address(address_octets_max, esme_rinvsrcadr, out.source);
    return reader.fault();
}

CommandStatus decode_query_sm_resp(Octets body, const DecodeRules&, QuerySmResp& out) {
    Reader reader(body);
    reader.c_string(message_id_octets_max, esme_rinvmsgid, out.message_id);
    // Some report 12 digits of local time, so any length up to 16 is taken.
    reader.c_string(time_octets, esme_rinvexpiry, out.final_date);
    reader.octet(out.message_state);
    reader.octet(out.error_code);
    return reader.fault();
}

CommandStatus decode_cancel_sm(Octets body, const DecodeRules&, CancelSm& out) {
    Reader reader(body);
    reader.c_string(service_type_octets_max, esme_rinvsertyp, out.service_type);
    reader.c_string(message_id_octets_max, esme_rinvmsgid, out.message_id);
    reader.address(address_octets_max, esme_rinvsrcadr, out.source);
    reader.address(address_octets_max, esme_rinvdstadr, out.destination);
    return reader.fault();
}

CommandStatus decode_replace_sm(Octets body, const DecodeRules& rules, ReplaceSm& out) {
    Reader reader(body);
    reader.c_string(message_id_octets_max, esme_rinvmsgid, out.message_id);
    reader.address(address_octets_max, esme_rinvsrcadr, out.source);
    reader.time(esme_rinvsched, out.schedule_delivery_time);
    reader.time(esme_rinvexpiry, out.validity_period);
    reader.octet(out.registered_delivery);
    reader.octet(out.sm_default_msg_id);
    reader.short_message(out.short_message);
    return finish(reader, rules, out.tlvs);
}

CommandStatus decode_alert_notification(Octets body,
                                        const DecodeRules& rules,
                                        AlertNotification& out) {
    Reader reader(body);
    reader.address(long_address_octets_max, esme_rinvsrcadr, out.source);
    reader.address(long_address_octets_max, esme_rinvdstadr, out.esme);
    return finish(reader, rules, out.tlvs);
}

}  // namespace sy::smpp
