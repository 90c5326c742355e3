// User data headers and what stands beside them: concatenation, ports, national language shifts
// (3GPP TS 23.040 section 9.2.3.24), SAR TLVs (SMPP 3.4 sections 5.3.2.22 to 5.3.2.24), and where a
// message's octets are. Views only: they live as long as the PDU. No allocation; any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/smpp/pdu.h"

namespace sy::text {

/// Which part of which long message. Parts belong together when account, source, destination, ref,
/// its width and total are equal.
struct Concat {
    uint16_t ref = 0;
    uint8_t total = 0;  // 1 to 255
    uint8_t seq = 0;    // 1 to total
    bool ref_is_16bit = false;

    friend bool operator==(const Concat&, const Concat&) = default;
};

struct Ports {
    uint16_t destination = 0;
    uint16_t source = 0;

    friend bool operator==(const Ports&, const Ports&) = default;
};

struct Udh {
    uint16_t octet_count = 0;  // UDHL itself included; 0: no header
    uint8_t locking_language = 0;
    uint8_t single_shift_language = 0;
    bool malformed = false;    // UDHI set, but the header does not fit or an element overruns it
    bool sim_toolkit = false;  // IEI 0x70 to 0x7F: an OTA command, its data is no text
    std::optional<Concat> concat{};
    std::optional<Ports> ports{};
};

/// Reads the header at the start of `message`, the octets of a message whose esm_class has UDHI.
/// Unknown elements and elements of a wrong length are passed over, the last duplicate wins. A
/// header longer than the message counts as none (octet_count 0, malformed).
[[nodiscard]] Udh parse_udh(Octets message);

struct MessageText {
    Octets octets;  // all of it, UDH included
    Octets text;    // behind the UDH
    Udh udh;
};
/// short_message, or message_payload where short_message is empty.
[[nodiscard]] Octets message_octets(const smpp::Sm& sm);
[[nodiscard]] MessageText message_text(const smpp::Sm& sm);

/// The concatenation element of the UDH, else the three SAR TLVs if all are there and make sense.
[[nodiscard]] std::optional<Concat> concat_of(const smpp::Sm& sm, const Udh& udh);

}  // namespace sy::text
