// Reads just what the checks need out of submit_sm and deliver_sm. Written apart from core/smpp on
// purpose: a mistake in the router's decoder must not be blind to itself here.
#pragma once

#include <cstring>
#include <string_view>

#include "core/base/bytes.h"

namespace sy::load {

struct SmView {
    std::string_view service_type;
    std::string_view source;
    std::string_view destination;
    uint8_t esm_class = 0;
    uint8_t registered_delivery = 0;
    uint8_t data_coding = 0;
    Octets short_message;
    Octets tlvs;
};

/// The next C-Octet String; false when its NUL is missing.
[[nodiscard]] inline bool take_c_string(Octets& from, std::string_view& out) {
    const void* end = from.empty() ? nullptr : std::memchr(from.data(), 0, from.size());
    if (end == nullptr) {
        return false;
    }
    const auto size = static_cast<size_t>(static_cast<const uint8_t*>(end) - from.data());
    out = as_chars(from.first(size));
    from = from.subspan(size + 1);
    return true;
}

[[nodiscard]] inline bool take_octets(Octets& from, size_t count, Octets& out) {
    if (from.size() < count) {
        return false;
    }
    out = from.first(count);
    from = from.subspan(count);
    return true;
}

/// Body of a submit_sm or deliver_sm (SMPP 3.4 section 4.4.1, 4.6.1).
[[nodiscard]] inline bool view_sm(Octets body, SmView& out) {
    Octets flags, skipped;
    std::string_view text;
    if (!take_c_string(body, out.service_type) || !take_octets(body, 2, skipped) ||
        !take_c_string(body, out.source) || !take_octets(body, 2, skipped) ||
        !take_c_string(body, out.destination) || !take_octets(body, 3, flags)) {
        return false;
    }
    out.esm_class = flags[0];
    if (!take_c_string(body, text) || !take_c_string(body, text) || !take_octets(body, 5, flags)) {
        return false;
    }
    out.registered_delivery = flags[0];
    out.data_coding = flags[2];
    if (!take_octets(body, flags[4], out.short_message)) {
        return false;
    }
    out.tlvs = body;
    return true;
}

/// The value of the first TLV with this tag; empty when there is none.
[[nodiscard]] inline Octets find_tlv(Octets tlvs, uint16_t tag) {
    while (tlvs.size() >= 4) {
        const auto found = load_be<uint16_t>(tlvs.data());
        const auto size = load_be<uint16_t>(tlvs.data() + 2);
        if (size > tlvs.size() - 4) {
            return {};
        }
        if (found == tag) {
            return tlvs.subspan(4, size);
        }
        tlvs = tlvs.subspan(4u + size);
    }
    return {};
}

/// The word behind "key" ("id:", "stat:") in the text of a receipt; empty when there is none.
[[nodiscard]] inline std::string_view receipt_word(std::string_view text, std::string_view key) {
    for (size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
        if (at == 0 || text[at - 1] == ' ') {
            const std::string_view rest = text.substr(at + key.size());
            return rest.substr(0, rest.find(' '));
        }
    }
    return {};
}

inline constexpr uint16_t tlv_receipted_message_id = 0x001E;
inline constexpr uint16_t tlv_message_state = 0x0427;

}  // namespace sy::load
