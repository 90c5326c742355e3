// What a decoded submission means, checked against the specification and an account's rules
// (PROTOCOL 9 rows 13 to 36): the first fault's command_status, fields in wire order, then TLVs.
// What routing and accounts decide (numbers, senders, rates) is not looked at here. Once per
// message: no allocation, any thread.
//
// The wire also carries much that is wrong and harmless. The defaults take what real customers send
// and suppliers understand; `strict` goes by the letter.
#pragma once

#include "core/base/time.h"
#include "core/smpp/pdu.h"
#include "core/smpp/status.h"

namespace sy::smpp {

struct ValidateRules {
    Version version = Version::v34;
    Nanos wall_now_ns = 0;  // a validity_period before this is past; 0: not checked
    // strict refuses: priority_flag above the version's (else it counts as 0); registered_delivery
    // 3 on 3.4 and bit 5 (else it counts as 1, the bit for nothing); sm_length 255 on 3.4; 255
    // destinations on 3.4; sar_* or ports beside a UDH (else the UDH counts).
    bool strict = false;
    bool replace_if_present = true;     // false: the flag is esme_rinvsubrep
    bool payload_beside_text = false;   // true: short_message and message_payload together pass
    bool distribution_lists = false;    // false: a list name is esme_rcntsubdl
    uint32_t text_octets_max = 0xFFFF;  // of short_message or message_payload
};

/// Whether the text of a message with UDHI begins with a user data header (3GPP TS 23.040 section
/// 9.2.3.24) whose elements fill it.
[[nodiscard]] bool udh_is_whole(Octets text);

/// submit_sm (deliver_sm has other rules: take what comes).
[[nodiscard]] CommandStatus validate_submit(const Sm& sm, const ValidateRules& rules);
[[nodiscard]] CommandStatus validate_data_sm(const Sm& sm, const ValidateRules& rules);
/// The shared fields and every destination. REQUIRES: decoded, so that the list is whole.
[[nodiscard]] CommandStatus validate_submit_multi(const SubmitMulti& multi,
                                                  const ValidateRules& rules);

}  // namespace sy::smpp
