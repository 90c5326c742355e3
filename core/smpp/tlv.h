// TLVs (SMPP 3.4 section 5.3): checking and walking a stream of them. No allocation, any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/bytes.h"

namespace sy::smpp {

inline constexpr size_t tlv_header_bytes = 4;  // tag and length

struct Tlv {
    uint16_t tag = 0;
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

}  // namespace sy::smpp
