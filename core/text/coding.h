// data_coding to the three facts that it stands for: character set, message class, message waiting
// and compression. SMPP 3.4 section 5.2.19 below 0x10, GSM 03.38 (3GPP TS 23.038) section 4 from
// there on. Pure functions; any thread.
#pragma once

#include <cstdint>

namespace sy::text {

/// What data_coding 0 means at a peer; a setting of each account, gsm7 unless it says otherwise.
enum class Alphabet : uint8_t { gsm7, latin1, ascii };

enum class CharacterSet : uint8_t {
    gsm7,        // GSM 03.38 default alphabet, one septet an octet, with its shift tables
    ascii,       // IA5
    latin1,      // ISO-8859-1
    cyrillic,    // ISO-8859-5
    hebrew,      // ISO-8859-8
    ucs2,        // UTF-16BE in practice
    binary,      // 8-bit data: no text
    unreadable,  // text that we have no table for (Japanese and Korean sets), or compressed text
};

/// Alphabets of one octet a character, in which gsm7.h's is_same_in_all() octets stand for
/// themselves, and no other octet stands for one of them.
[[nodiscard]] constexpr bool has_ascii(CharacterSet set) {
    return set != CharacterSet::ucs2 && set != CharacterSet::binary &&
           set != CharacterSet::unreadable;
}

// Message waiting indication (23.038 section 4, coding groups 1100, 1101 and 1110).
enum class MessageWaiting : uint8_t { none, discard, store };

// Eight octets, so that it is passed in a register; seven go through memory in parts.
struct alignas(8) Coding {
    CharacterSet character_set = CharacterSet::gsm7;
    int8_t message_class = -1;  // 0 (flash) to 3, -1: none
    bool compressed = false;
    bool auto_delete = false;  // coding groups 01xx: the phone deletes it once it was read
    MessageWaiting waiting = MessageWaiting::none;
    bool waiting_active = false;
    uint8_t waiting_type = 0;  // 0 voicemail, 1 fax, 2 e-mail, 3 other

    friend bool operator==(const Coding&, const Coding&) = default;
};

/// Total: every octet has a meaning; reserved ones read as the default alphabet, as 23.038 asks.
[[nodiscard]] Coding coding_of(uint8_t data_coding, Alphabet zero_means);

}  // namespace sy::text
