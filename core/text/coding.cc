#include "core/text/coding.h"

#include <array>
#include <cstddef>

namespace sy::text {
namespace {

constexpr CharacterSet alphabet_set(Alphabet alphabet) {
    switch (alphabet) {
        case Alphabet::gsm7:
            return CharacterSet::gsm7;
        case Alphabet::latin1:
            return CharacterSet::latin1;
        case Alphabet::ascii:
            return CharacterSet::ascii;
    }
    return CharacterSet::gsm7;
}

// SMPP 3.4 section 5.2.19: the values that GSM leaves to SMPP.
constexpr CharacterSet smpp_set(uint8_t data_coding, Alphabet zero_means) {
    switch (data_coding) {
        case 0x01:
            return CharacterSet::ascii;
        case 0x02:
        case 0x04:
            return CharacterSet::binary;
        case 0x03:
            return CharacterSet::latin1;
        case 0x06:
            return CharacterSet::cyrillic;
        case 0x07:
            return CharacterSet::hebrew;
        case 0x08:
            return CharacterSet::ucs2;
        case 0x05:  // JIS
        case 0x09:  // pictograms
        case 0x0A:  // ISO-2022-JP
        case 0x0D:  // JIS X 0212
        case 0x0E:  // KS C 5601
            return CharacterSet::unreadable;
        default:  // 0x00, and the reserved 0x0B, 0x0C, 0x0F
            return alphabet_set(zero_means);
    }
}

// 23.038 section 4, groups 00xx and 01xx: bits 3 and 2 name the alphabet, bit 4 says that bits 1
// and 0 are a class, bit 5 that the text is compressed.
constexpr Coding general_group(uint8_t data_coding) {
    constexpr std::array sets = {CharacterSet::gsm7, CharacterSet::binary, CharacterSet::ucs2,
                                 CharacterSet::gsm7};  // 11 is reserved
    Coding out;
    out.character_set = sets[(data_coding >> 2) & 3];
    out.auto_delete = (data_coding & 0x40) != 0;
    if ((data_coding & 0x10) != 0) {
        out.message_class = static_cast<int8_t>(data_coding & 3);
    }
    if ((data_coding & 0x20) != 0) {
        out.compressed = true;
        out.character_set = CharacterSet::unreadable;
    }
    return out;
}

// Groups 1100, 1101, 1110: bit 3 switches the indication on or off, bits 1 and 0 name its kind.
constexpr Coding waiting_group(uint8_t data_coding) {
    Coding out;
    out.waiting = data_coding < 0xD0 ? MessageWaiting::discard : MessageWaiting::store;
    out.waiting_active = (data_coding & 8) != 0;
    out.waiting_type = data_coding & 3;
    if (data_coding >= 0xE0) {
        out.character_set = CharacterSet::ucs2;
    }
    return out;
}

constexpr Coding coding_made_of(uint8_t data_coding, Alphabet zero_means) {
    Coding out;
    if (data_coding < 0x10) {
        out.character_set = smpp_set(data_coding, zero_means);
        return out;
    }
    if (data_coding < 0x80) {
        return general_group(data_coding);
    }
    if (data_coding >= 0xF0) {
        out.character_set = (data_coding & 4) != 0 ? CharacterSet::binary : CharacterSet::gsm7;
        out.message_class = static_cast<int8_t>(data_coding & 3);
        return out;
    }
    return data_coding >= 0xC0 ? waiting_group(data_coding) : out;
}

// By alphabet and data_coding: every message whose text is looked at asks.
using Table = std::array<std::array<Coding, 256>, 3>;
static_assert(static_cast<size_t>(Alphabet::ascii) == 2);

consteval Table table_of_all() {
    Table table;
    for (size_t alphabet = 0; alphabet < table.size(); ++alphabet) {
        for (size_t data_coding = 0; data_coding < 256; ++data_coding) {
            table[alphabet][data_coding] =
                coding_made_of(static_cast<uint8_t>(data_coding), static_cast<Alphabet>(alphabet));
        }
    }
    return table;
}
constexpr Table codings = table_of_all();

}  // namespace

Coding coding_of(uint8_t data_coding, Alphabet zero_means) {
    return codings[static_cast<size_t>(zero_means)][data_coding];
}

}  // namespace sy::text
