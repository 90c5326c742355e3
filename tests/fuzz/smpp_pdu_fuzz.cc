// A stream of PDUs: framing, decoding, and the laws between decode and encode. For requests,
// encoding what was decoded gives back the octets that were read (but for octets that the rules
// say to ignore at the end); for responses, which are read leniently, it gives back the same views.
//
// The sequence_number's low bits choose the rules, so an input is nothing but PDUs.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/smpp/decode.h"
#include "core/smpp/encode.h"
#include "core/smpp/framer.h"
#include "core/smpp/validate.h"

namespace sy::smpp {
namespace {

using enum CommandStatus;

constexpr uint32_t sequence = 42;
std::array<uint8_t, 2 * limits::pdu_bytes_max> pdu_buffer;

Octets body_of(size_t pdu_bytes) {
    SY_ASSERT(pdu_bytes >= limits::pdu_header_bytes);
    Octets stream(pdu_buffer.data(), pdu_bytes);
    Frame frame;
    SY_ASSERT(next_frame(stream, pdu_buffer.size(), frame) == FrameOutcome::complete);
    SY_ASSERT(stream.empty());
    SY_ASSERT(frame.header.sequence_number == sequence);
    return frame.body;
}

/// Validation reads everything and must only end; strict refuses at least what the default does.
template <class Pdu, class Validate>
void check_validate(const Pdu& pdu, Version version, Validate validate) {
    ValidateRules validate_rules{.version = version};
    const CommandStatus status = validate(pdu, validate_rules);
    validate_rules.strict = true;
    SY_ASSERT(status == esme_rok || validate(pdu, validate_rules) != esme_rok);
}

/// REQUIRES: what was read, encoded again. `ignored_max`: how many octets may be missing at the
/// end.
void check_prefix(Octets body, size_t pdu_bytes, size_t ignored_max) {
    const Octets again = body_of(pdu_bytes);
    SY_ASSERT(again.size() <= body.size());
    SY_ASSERT(body.size() - again.size() <= ignored_max);
    SY_ASSERT(std::equal(again.begin(), again.end(), body.begin()));
}

size_t ignored_max(const DecodeRules& rules, size_t body_bytes) {
    if (rules.version == Version::v33) {
        return body_bytes;
    }
    return rules.ignore_trailing_nuls ? 3 : 0;
}

void check_sm(const Frame& frame, const DecodeRules& rules) {
    Sm sm;
    if (decode_sm(frame.body, rules, sm) != esme_rok) {
        return;
    }
    check_validate(sm, rules.version, validate_submit);
    const size_t bytes = encode_sm(pdu_buffer, frame.header.command_id, sequence, sm);
    SY_ASSERT(bytes <= encoded_sm_bytes_max(sm));
    check_prefix(frame.body, bytes, ignored_max(rules, frame.body.size()));

    // A copy of the body and rebased views say the same.
    const std::vector<uint8_t> copy(frame.body.begin(), frame.body.end());
    sm.rebase(frame.body.data(), copy.data());
    check_prefix(frame.body, encode_sm(pdu_buffer, frame.header.command_id, sequence, sm),
                 ignored_max(rules, frame.body.size()));
}

void check_data_sm(const Frame& frame, const DecodeRules& rules) {
    Sm sm;
    if (decode_data_sm(frame.body, rules, sm) == esme_rok) {
        check_validate(sm, rules.version, validate_data_sm);
        check_prefix(frame.body, encode_data_sm(pdu_buffer, sequence, sm),
                     ignored_max(rules, frame.body.size()));
    }
}

void check_submit_multi(const Frame& frame, const DecodeRules& rules) {
    SubmitMulti multi;
    if (decode_submit_multi(frame.body, rules, multi) != esme_rok) {
        return;
    }
    check_validate(multi, rules.version, validate_submit_multi);
    check_prefix(frame.body, encode_submit_multi(pdu_buffer, sequence, multi),
                 ignored_max(rules, frame.body.size()));
    Octets list = multi.dest_addresses;
    MultiDestination destination;
    size_t count = 0;
    while (next_destination(list, destination)) {
        ++count;
    }
    SY_ASSERT(list.empty());
    SY_ASSERT(count == multi.number_of_dests);
}

void check_submit_multi_resp(const Frame& frame, const DecodeRules& rules) {
    SubmitMultiResp resp;
    if (decode_submit_multi_resp(frame.body, rules, resp) != esme_rok) {
        return;
    }
    std::vector<UnsuccessSme> recipients;
    Octets list = resp.unsuccess_smes;
    UnsuccessSme recipient;
    while (next_unsuccess(list, recipient)) {
        recipients.push_back(recipient);
    }
    SY_ASSERT(recipients.size() == resp.no_unsuccess);
    check_prefix(frame.body,
                 encode_submit_multi_resp(pdu_buffer, sequence, resp.message_id, recipients),
                 frame.body.size());
}

void check_sm_resp(const Frame& frame, const DecodeRules& rules) {
    SmResp resp;
    if (decode_sm_resp(frame.body, rules, resp) != esme_rok) {
        return;
    }
    const size_t bytes = encode_sm_resp(pdu_buffer, frame.header.command_id, sequence, resp);
    SmResp again;
    SY_ASSERT(decode_sm_resp(body_of(bytes), rules, again) == esme_rok);
    // An id that begins with a control character may read as a TLV the second time.
    if (resp.message_id.empty() || resp.message_id[0] >= ' ') {
        SY_ASSERT(again.message_id == resp.message_id);
        SY_ASSERT(as_chars(again.tlvs) == as_chars(resp.tlvs));
    }
}

void check_bind_resp(const Frame& frame, const DecodeRules& rules) {
    BindResp resp;
    if (decode_bind_resp(frame.body, rules, resp) == esme_rok) {
        body_of(encode_bind_resp(pdu_buffer, frame.header.command_id, sequence, resp));
    }
}

void check_session_pdus(const Frame& frame, const DecodeRules& rules) {
    Bind bind;
    if (decode_bind(frame.body, rules, bind) == esme_rok) {
        check_prefix(frame.body, encode_bind(pdu_buffer, CommandId::bind_receiver, sequence, bind),
                     frame.body.size());
    }
    Outbind outbind;
    if (decode_outbind(frame.body, rules, outbind) == esme_rok) {
        check_prefix(frame.body, encode_outbind(pdu_buffer, sequence, outbind), frame.body.size());
    }
    AlertNotification alert;
    if (decode_alert_notification(frame.body, rules, alert) == esme_rok) {
        check_prefix(frame.body, encode_alert_notification(pdu_buffer, sequence, alert),
                     ignored_max(rules, frame.body.size()));
    }
}

void check_operations(const Frame& frame, const DecodeRules& rules) {
    QuerySm query;
    if (decode_query_sm(frame.body, rules, query) == esme_rok) {
        check_prefix(frame.body, encode_query_sm(pdu_buffer, sequence, query), frame.body.size());
    }
    QuerySmResp resp;
    if (decode_query_sm_resp(frame.body, rules, resp) == esme_rok) {
        check_prefix(frame.body, encode_query_sm_resp(pdu_buffer, sequence, resp),
                     frame.body.size());
    }
    CancelSm cancel;
    if (decode_cancel_sm(frame.body, rules, cancel) == esme_rok) {
        check_prefix(frame.body, encode_cancel_sm(pdu_buffer, sequence, cancel), frame.body.size());
    }
    ReplaceSm replace;
    if (decode_replace_sm(frame.body, rules, replace) == esme_rok) {
        check_prefix(frame.body, encode_replace_sm(pdu_buffer, sequence, replace),
                     ignored_max(rules, frame.body.size()));
    }
}

/// Messages by their command_id; the small PDUs are tried on any other body.
void check_frame(const Frame& frame) {
    DecodeRules rules;
    rules.version = (frame.header.sequence_number & 1) != 0 ? Version::v33 : Version::v34;
    rules.ignore_trailing_nuls = (frame.header.sequence_number & 2) == 0;
    switch (frame.header.command_id) {
        case CommandId::submit_sm:
        case CommandId::deliver_sm:
            return check_sm(frame, rules);
        case CommandId::data_sm:
            return check_data_sm(frame, rules);
        case CommandId::submit_multi:
            return check_submit_multi(frame, rules);
        case CommandId::submit_multi_resp:
            return check_submit_multi_resp(frame, rules);
        case CommandId::submit_sm_resp:
        case CommandId::deliver_sm_resp:
        case CommandId::data_sm_resp:
            return check_sm_resp(frame, rules);
        case CommandId::bind_receiver_resp:
        case CommandId::bind_transmitter_resp:
        case CommandId::bind_transceiver_resp:
            return check_bind_resp(frame, rules);
        default:
            check_session_pdus(frame, rules);
            check_operations(frame, rules);
    }
}

}  // namespace
}  // namespace sy::smpp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    sy::Octets stream(data, size);
    sy::smpp::Frame frame;
    while (sy::smpp::next_frame(stream, sy::limits::pdu_bytes_max, frame) ==
           sy::smpp::FrameOutcome::complete) {
        sy::smpp::check_frame(frame);
    }
    return 0;
}

#ifdef SY_FUZZ
// Structure-aware mutation: the body is mutated behind a header that stays a header, so that few
// inputs die in the framer.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t size_max);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data,
                                          size_t size,
                                          size_t size_max,
                                          unsigned int seed) {
    using sy::smpp::CommandId;
    constexpr CommandId ids[] = {
        CommandId::submit_sm,          CommandId::deliver_sm,        CommandId::data_sm,
        CommandId::submit_multi,       CommandId::submit_multi_resp, CommandId::submit_sm_resp,
        CommandId::bind_receiver_resp, CommandId::query_sm,
    };
    constexpr size_t header_bytes = sy::limits::pdu_header_bytes;
    if (size_max < header_bytes || seed % 8 == 0) {
        return LLVMFuzzerMutate(data, size, size_max);
    }
    if (size < header_bytes) {
        std::memset(data + size, 0, header_bytes - size);
        size = header_bytes;
    }
    if (seed % 8 == 1) {
        const CommandId id = ids[seed / 8 % std::size(ids)];
        sy::store_be(data + 4, static_cast<uint32_t>(id));
        sy::store_be(data + 12, static_cast<uint32_t>(seed / 64));
    } else {
        size = header_bytes +
               LLVMFuzzerMutate(data + header_bytes, size - header_bytes, size_max - header_bytes);
    }
    sy::store_be(data, static_cast<uint32_t>(size));
    return size;
}
#endif
