// Cuts PDUs out of an in-order octet stream without copying. A PDU that straddles two spans is the
// caller's to assemble (engine/session.h). SMPP 3.4 section 3.2; bad input rows 1 and 2 of
// PROTOCOL 9.
#pragma once

#include "core/base/limits.h"
#include "core/smpp/pdu.h"

namespace sy::smpp {

struct Frame {
    Header header;
    Octets body;  // behind the header
};

enum class FrameOutcome : uint8_t {
    complete,   // `out` is set and `stream` stands behind it
    need_more,  // the stream ends inside a PDU; nothing consumed
    too_short,  // command_length < 16: the stream cannot be resynchronised
    too_long,   // command_length > pdu_bytes_max; out.header is set as far as 16 octets are in
};

/// Takes the next PDU off the front of `stream`. REQUIRES: pdu_bytes_max >= 16.
[[nodiscard]] inline FrameOutcome next_frame(Octets& stream, uint32_t pdu_bytes_max, Frame& out) {
    if (stream.size() < sizeof(uint32_t)) {
        return FrameOutcome::need_more;
    }
    const uint32_t length = load_be<uint32_t>(stream.data());
    if (length < limits::pdu_header_bytes) {
        return FrameOutcome::too_short;
    }
    if (length > pdu_bytes_max) {
        out.header = stream.size() >= limits::pdu_header_bytes ? decode_header(stream.data())
                                                               : Header{.command_length = length};
        return FrameOutcome::too_long;
    }
    if (stream.size() < length) {
        return FrameOutcome::need_more;
    }
    out.header = decode_header(stream.data());
    out.body = stream.subspan(limits::pdu_header_bytes, length - limits::pdu_header_bytes);
    stream = stream.subspan(length);
    return FrameOutcome::complete;
}

}  // namespace sy::smpp
