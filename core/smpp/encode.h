// Encoding PDUs into a caller's buffer: whole PDU with header, number of octets returned, 0 when it
// does not fit. No allocation. Fields longer than the wire allows are the caller's bug (SY_DCHECK).
#pragma once

#include "core/smpp/pdu.h"
#include "core/smpp/status.h"

namespace sy::smpp {

/// Header-only PDUs: enquire_link(_resp), unbind(_resp), generic_nack, cancel_sm_resp,
/// replace_sm_resp, and every response whose status is not 0 (SMPP 3.4: no body then).
size_t encode_empty(std::span<uint8_t> out,
                    CommandId id,
                    CommandStatus status,
                    uint32_t sequence_number);

size_t encode_bind(std::span<uint8_t> out,
                   CommandId id,
                   uint32_t sequence_number,
                   const Bind& bind);
/// bind_*_resp with status 0.
size_t encode_bind_resp(std::span<uint8_t> out,
                        CommandId id,
                        uint32_t sequence_number,
                        const BindResp& resp);
size_t encode_outbind(std::span<uint8_t> out, uint32_t sequence_number, const Outbind& outbind);
/// submit_sm or deliver_sm.
size_t encode_sm(std::span<uint8_t> out, CommandId id, uint32_t sequence_number, const Sm& sm);
/// An upper bound of what encode_sm / encode_data_sm will write for this message.
[[nodiscard]] size_t encoded_sm_bytes_max(const Sm& sm);
/// A short_message goes out as the TLV message_payload, in front of the other TLVs: data_sm has no
/// other place for text. REQUIRES: sm.tlvs holds no message_payload in that case.
size_t encode_data_sm(std::span<uint8_t> out, uint32_t sequence_number, const Sm& sm);
/// submit_sm_resp, deliver_sm_resp, data_sm_resp with status 0.
size_t encode_sm_resp(std::span<uint8_t> out,
                      CommandId id,
                      uint32_t sequence_number,
                      const SmResp& resp);
size_t encode_submit_multi(std::span<uint8_t> out,
                           uint32_t sequence_number,
                           const SubmitMulti& multi);
size_t encode_submit_multi_resp(std::span<uint8_t> out,
                                uint32_t sequence_number,
                                std::string_view message_id,
                                std::span<const UnsuccessSme> unsuccess);
size_t encode_query_sm(std::span<uint8_t> out, uint32_t sequence_number, const QuerySm& query);
size_t encode_query_sm_resp(std::span<uint8_t> out,
                            uint32_t sequence_number,
                            const QuerySmResp& resp);
size_t encode_cancel_sm(std::span<uint8_t> out, uint32_t sequence_number, const CancelSm& cancel);
size_t encode_replace_sm(std::span<uint8_t> out,
                         uint32_t sequence_number,
                         const ReplaceSm& replace);
size_t encode_alert_notification(std::span<uint8_t> out,
                                 uint32_t sequence_number,
                                 const AlertNotification& alert);

}  // namespace sy::smpp
