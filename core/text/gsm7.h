// The GSM 03.38 alphabets (3GPP TS 23.038 sections 6.2.1 and 6.2.1.1, annex A) as tables of UTF-8.
// One entry is four octets, so that a decoder copies it whole and advances by its length.
// Constant data; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace sy::text {

inline constexpr uint8_t gsm7_escape = 0x1B;

struct Septet {
    std::array<char, 3> utf8{};
    uint8_t length = 0;  // 0: no character (the escape, or a hole of an extension table)
};
/// Indexed by the octet: the upper half holds U+FFFD, as unpacked septets never have bit 7.
using SeptetTable = std::array<Septet, 256>;

/// What the IEs 0x25 and 0x24 select; ids that we have no table for fall back to the default.
[[nodiscard]] const SeptetTable& locking_table(uint8_t language);
[[nodiscard]] const SeptetTable& single_shift_table(uint8_t language);

/// Octets that are the same ASCII character in every locking table, and that nothing but an escape
/// turns into another: letters, digits, the space and most signs. So they are in every alphabet of
/// coding.h that has_ascii().
[[nodiscard]] constexpr bool is_same_in_all(uint8_t octet) {
    return (octet >= ' ' && octet <= 'Z' && octet != '$' && octet != '@') ||
           (octet >= 'a' && octet <= 'z');
}

struct SeptetCode {
    uint8_t code = 0;
    bool escaped = false;
};
/// The way back: a Unicode code point in the tables that these languages select.
[[nodiscard]] std::optional<SeptetCode> septet_of(char32_t code_point,
                                                  uint8_t locking_language,
                                                  uint8_t single_shift_language);

}  // namespace sy::text
