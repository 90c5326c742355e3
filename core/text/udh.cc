#include "core/text/udh.h"

#include "core/smpp/tlv.h"

namespace sy::text {
namespace {

// 3GPP TS 23.040 section 9.2.3.24.
constexpr uint8_t iei_concat_8bit = 0x00;
constexpr uint8_t iei_ports_8bit = 0x04;
constexpr uint8_t iei_ports_16bit = 0x05;
constexpr uint8_t iei_concat_16bit = 0x08;
constexpr uint8_t iei_single_shift = 0x24;
constexpr uint8_t iei_locking_shift = 0x25;
constexpr uint8_t iei_sim_toolkit_first = 0x70;
constexpr uint8_t iei_sim_toolkit_last = 0x7F;

bool sensible(const Concat& concat) {
    return concat.seq != 0 && concat.seq <= concat.total;
}

void read_element(uint8_t iei, Octets data, Udh& out) {
    const auto keep = [&out](const Concat& concat) {
        if (sensible(concat)) {
            out.concat = concat;
        }
    };
    if (iei == iei_concat_8bit && data.size() == 3) {
        keep({.ref = data[0], .total = data[1], .seq = data[2]});
    } else if (iei == iei_concat_16bit && data.size() == 4) {
        keep({load_be<uint16_t>(data.data()), data[2], data[3], true});
    } else if (iei == iei_ports_8bit && data.size() == 2) {
        out.ports = Ports{.destination = data[0], .source = data[1]};
    } else if (iei == iei_ports_16bit && data.size() == 4) {
        out.ports = Ports{load_be<uint16_t>(data.data()), load_be<uint16_t>(data.data() + 2)};
    } else if (iei == iei_single_shift && data.size() == 1) {
        out.single_shift_language = data[0];
    } else if (iei == iei_locking_shift && data.size() == 1) {
        out.locking_language = data[0];
    } else if (iei >= iei_sim_toolkit_first && iei <= iei_sim_toolkit_last) {
        out.sim_toolkit = true;
    }
}

}  // namespace

Udh parse_udh(Octets message) {
    Udh out;
    if (message.empty() || size_t{message[0]} + 1 > message.size()) {
        out.malformed = true;
        return out;
    }
    out.octet_count = static_cast<uint16_t>(message[0] + 1);
    Octets rest = message.subspan(1, message[0]);
    while (!rest.empty()) {
        if (rest.size() < 2 || size_t{rest[1]} + 2 > rest.size()) {
            out.malformed = true;
            break;
        }
        read_element(rest[0], rest.subspan(2, rest[1]), out);
        rest = rest.subspan(size_t{rest[1]} + 2);
    }
    return out;
}

Octets message_octets(const smpp::Sm& sm) {
    Octets octets = sm.short_message;
    if (octets.empty()) {
        (void)smpp::find_tlv(sm.tlvs, smpp::TlvTag::message_payload, octets);
    }
    return octets;
}

MessageText message_text(const smpp::Sm& sm) {
    MessageText out;
    out.octets = message_octets(sm);
    if ((sm.esm_class & smpp::esm_class_udhi) != 0) {
        out.udh = parse_udh(out.octets);
    }
    out.text = out.octets.subspan(out.udh.octet_count);
    return out;
}

std::optional<Concat> concat_of(const smpp::Sm& sm, const Udh& udh) {
    if (udh.concat.has_value()) {
        return udh.concat;
    }
    Concat sar{.ref_is_16bit = true};
    unsigned seen = 0;
    Octets rest = sm.tlvs;
    smpp::Tlv tlv;
    while (smpp::next_tlv(rest, tlv)) {
        if (tlv.tag == smpp::TlvTag::sar_msg_ref_num && tlv.value.size() == 2) {
            sar.ref = load_be<uint16_t>(tlv.value.data());
            seen |= 1;
        } else if (tlv.tag == smpp::TlvTag::sar_total_segments && tlv.value.size() == 1) {
            sar.total = tlv.value[0];
            seen |= 2;
        } else if (tlv.tag == smpp::TlvTag::sar_segment_seqnum && tlv.value.size() == 1) {
            sar.seq = tlv.value[0];
            seen |= 4;
        }
    }
    return seen == 7 && sensible(sar) ? std::optional(sar) : std::nullopt;
}

}  // namespace sy::text
