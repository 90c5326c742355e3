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

/// Takes the next whole TLV off the front of `stream`; false where none is left.
[[nodiscard]] inline bool next_tlv(Octets& stream, Tlv& out) {
    if (stream.size() < tlv_header_bytes) {
        return false;
    }
    const size_t length = load_be<uint16_t>(stream.data() + 2);
    if (length > stream.size() - tlv_header_bytes) {
        return false;
    }
    out = {load_be<uint16_t>(stream.data()), stream.subspan(tlv_header_bytes, length)};
    stream = stream.subspan(tlv_header_bytes + length);
    return true;
}

/// How many octets at the front of `stream` are whole TLVs; stream.size() when all of it is.
[[nodiscard]] inline size_t whole_tlvs_bytes(Octets stream) {
    const size_t before = stream.size();
    Tlv tlv;
    while (next_tlv(stream, tlv)) {
    }
    return before - stream.size();
}

}  // namespace sy::smpp
