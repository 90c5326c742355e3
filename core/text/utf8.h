// Message text to UTF-8 and back, into the caller's buffer: no allocation, no failure, truncated at
// a character boundary. What cannot be read becomes U+FFFD, what cannot be written '?'. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/bytes.h"
#include "core/text/coding.h"
#include "core/text/udh.h"

namespace sy::text {

/// Whether to_utf8 can say anything about such a message.
[[nodiscard]] inline bool has_text(const Coding& coding, const Udh& udh) {
    return coding.character_set != CharacterSet::binary &&
           coding.character_set != CharacterSet::unreadable && !udh.sim_toolkit;
}

/// Octets of the well-formed UTF-8 character that begins at `at` (Unicode table 3-7), 0 if none
/// does. REQUIRES: at < text.size().
[[nodiscard]] size_t character_octets(std::string_view text, size_t at);
[[nodiscard]] bool is_utf8(std::string_view text);

/// UTF-8 of `text`, the octets behind the UDH; `udh` names the national language tables. Returns
/// the octets written, 0 where has_text() is false. UCS-2 is read as UTF-16BE, or as UTF-16LE
/// behind its byte order mark (the mark itself is left out).
size_t to_utf8(Octets text, const Coding& coding, const Udh& udh, std::span<char> out);

/// The same as a view: of `out`, or of `text` itself where that is the same octets in UTF-8
/// already, as most messages in GSM 7 bit, ASCII and Latin-1 are.
[[nodiscard]] std::string_view as_utf8(Octets text,
                                       const Coding& coding,
                                       const Udh& udh,
                                       std::span<char> out);

/// UCS-2 to an octet a unit, 0xFF for what Latin-1 does not have; a byte order mark is left out, as
/// to_utf8() does. Nothing for any other text, and for little-endian UCS-2. What does not fit is
/// left out.
[[nodiscard]] std::optional<Octets> narrowed(Octets text,
                                             const Coding& coding,
                                             std::span<uint8_t> out);
/// The text in an alphabet with ASCII, for those who look for ASCII alone: itself or narrowed().
[[nodiscard]] inline std::optional<Octets> with_ascii(Octets text,
                                                      const Coding& coding,
                                                      std::span<uint8_t> out) {
    return has_ascii(coding.character_set) ? text : narrowed(text, coding, out);
}

struct Encoded {
    size_t octets = 0;    // written
    size_t replaced = 0;  // characters that the set does not have, written as '?'
    bool truncated = false;
};
/// The way back, for tests, explain and answers to MO messages: it looks each character up, which
/// is too slow for every message. Allocates nothing. Malformed UTF-8 counts as U+FFFD. REQUIRES:
/// `set` is gsm7, ascii, latin1 or ucs2.
Encoded from_utf8(std::string_view text, CharacterSet set, const Udh& udh, std::span<uint8_t> out);

}  // namespace sy::text
