// Decoding PDU bodies into views, every length checked. The outcome is the command_status to answer
// with (PROTOCOL: bad input -> answer); esme_rok means that the view is complete. No allocation.
//
// `body` is the PDU without its 16 header octets. Structural faults only: meaning (esm_class types,
// time formats, TON/NPI, lengths against an account's rules) is checked by validate.h.
#pragma once

#include "core/smpp/pdu.h"
#include "core/smpp/status.h"

namespace sy::smpp {

/// What a peer may get away with. Defaults are lenient as real peers need it (PROTOCOL 16.2).
struct DecodeRules {
    Version version = Version::v34;  // v33: trailing octets after the mandatory fields are not TLVs
    bool ignore_trailing_nuls = true;   // 1 to 3 NULs behind the last field are no TLV stream
    uint8_t password_octets_max = 64;   // without the NUL; the specification says 8
    uint8_t system_id_octets_max = 64;  // without the NUL; the specification says 15
};

[[nodiscard]] CommandStatus decode_bind(Octets body, const DecodeRules& rules, Bind& out);
/// As lenient as decode_sm_resp; the one fault is esme_rinvsysid.
[[nodiscard]] CommandStatus decode_bind_resp(Octets body, const DecodeRules& rules, BindResp& out);
[[nodiscard]] CommandStatus decode_outbind(Octets body, const DecodeRules& rules, Outbind& out);
/// submit_sm and deliver_sm.
[[nodiscard]] CommandStatus decode_sm(Octets body, const DecodeRules& rules, Sm& out);
[[nodiscard]] CommandStatus decode_data_sm(Octets body, const DecodeRules& rules, Sm& out);
/// submit_sm_resp, deliver_sm_resp, data_sm_resp. Never fails on what peers are known to send: a
/// missing body, a missing NUL or a bare TLV stream decode to what is there. The one fault is
/// esme_rinvmsgid, for an id of more than 64 characters: message_id is empty then.
[[nodiscard]] CommandStatus decode_sm_resp(Octets body, const DecodeRules& rules, SmResp& out);
[[nodiscard]] CommandStatus decode_submit_multi(Octets body,
                                                const DecodeRules& rules,
                                                SubmitMulti& out);
/// Takes the next destination off the front of a checked list; false at its end.
[[nodiscard]] bool next_destination(Octets& dest_addresses, MultiDestination& out);
[[nodiscard]] CommandStatus decode_submit_multi_resp(Octets body,
                                                     const DecodeRules& rules,
                                                     SubmitMultiResp& out);
/// Takes the next recipient off the front of a checked list; false at its end.
[[nodiscard]] bool next_unsuccess(Octets& unsuccess_smes, UnsuccessSme& out);
[[nodiscard]] CommandStatus decode_query_sm(Octets body, const DecodeRules& rules, QuerySm& out);
[[nodiscard]] CommandStatus decode_query_sm_resp(Octets body,
                                                 const DecodeRules& rules,
                                                 QuerySmResp& out);
[[nodiscard]] CommandStatus decode_cancel_sm(Octets body, const DecodeRules& rules, CancelSm& out);
[[nodiscard]] CommandStatus decode_replace_sm(Octets body,
                                              const DecodeRules& rules,
                                              ReplaceSm& out);
[[nodiscard]] CommandStatus decode_alert_notification(Octets body,
                                                      const DecodeRules& rules,
                                                      AlertNotification& out);

}  // namespace sy::smpp
