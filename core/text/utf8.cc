#include "core/text/utf8.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "core/base/assert.h"
#include "core/text/gsm7.h"

namespace sy::text {
namespace {

constexpr char32_t replacement = 0xFFFD;

// Cursor over the caller's buffer; a character that does not fit whole ends it.
class Utf8Sink {
  public:
    explicit Utf8Sink(std::span<char> out) : out_(out) {}

    bool put(const char* utf8, size_t length) {
        if (length > out_.size() - at_) {
            return false;
        }
        std::memcpy(out_.data() + at_, utf8, length);
        at_ += length;
        return true;
    }
    bool put(char32_t c) {
        std::array<char, 4> utf8{};
        size_t length = 0;
        const auto push = [&](char32_t value) { utf8[length++] = static_cast<char>(value); };
        if (c < 0x80) {
            push(c);
        } else if (c < 0x800) {
            push(0xC0 | (c >> 6));
        } else if (c < 0x10000) {
            push(0xE0 | (c >> 12));
            push(0x80 | ((c >> 6) & 0x3F));
        } else {
            push(0xF0 | (c >> 18));
            push(0x80 | ((c >> 12) & 0x3F));
            push(0x80 | ((c >> 6) & 0x3F));
        }
        if (c >= 0x80) {
            push(0x80 | (c & 0x3F));
        }
        return put(utf8.data(), length);
    }
    /// Copies a whole table entry and advances by its length. REQUIRES: room() >= 4.
    void put_entry(const Septet& septet) {
        std::memcpy(out_.data() + at_, &septet, sizeof septet);
        at_ += septet.length;
    }
    [[nodiscard]] size_t room() const { return out_.size() - at_; }
    [[nodiscard]] size_t written() const { return at_; }

  private:
    std::span<char> out_;
    size_t at_ = 0;
};

// Most text is ASCII in every set. Blocks of it are copied whole; a block with anything else in it
// goes the slow way. Bench: text/to_utf8/set=gsm7 147 ns -> 39 ns a message of 156 octets.
constexpr size_t block_octets = 16;
using Block [[gnu::vector_size(block_octets)]] = uint8_t;  // one vector register
using Wide [[gnu::vector_size(32)]] = uint8_t;
// Without AVX they are passed in memory; here they are passed to what is inlined.
#pragma GCC diagnostic ignored "-Wpsabi"

// Whether any octet of the block at `from` is special().
template <class Special>
bool has_special(const uint8_t* from, Special special) {
    Block block;
    std::memcpy(&block, from, sizeof block);
    std::array<uint64_t, 2> any{};
    const auto found = special(block);
    static_assert(sizeof found == sizeof any);
    std::memcpy(any.data(), &found, sizeof any);
    return (any[0] | any[1]) != 0;
}

// Copies blocks, from `at` on, in which no octet is special(): all are the same in UTF-8. A rest
// that is shorter than a block is looked at together with what stands before it.
template <class Special>
void copy_plain(Octets text, size_t& at, Utf8Sink& sink, Special special) {
    while (text.size() - at >= block_octets && sink.room() >= block_octets) {
        if (has_special(text.data() + at, special)) {
            return;
        }
        sink.put(reinterpret_cast<const char*>(text.data() + at), block_octets);
        at += block_octets;
    }
    const size_t rest = text.size() - at;
    if (rest > 0 && rest < block_octets && text.size() >= block_octets && sink.room() >= rest &&
        !has_special(text.data() + text.size() - block_octets, special)) {
        sink.put(reinterpret_cast<const char*>(text.data() + at), rest);
        at = text.size();
    }
}

// All but the septets that stand for the same octet in every locking table: is_same_in_all() of a
// whole block (test: Gsm7.BlocksReadAsTheirOctets).
template <class Block>
[[gnu::always_inline]] inline auto special_in_gsm7(Block block) {
    // Signed, so that octets above 0x7F are below ' '; with 0x20 set, '@' is '`', and what stands
    // between the capital and the small letters is behind 'z'.
    using Signed = decltype(block < block);
    const auto low = reinterpret_cast<Signed>(block);
    const auto folded = reinterpret_cast<Signed>(block | uint8_t{0x20});
    return (low < int8_t{' '}) | (low == int8_t{'$'}) | (folded == int8_t{'`'}) |
           (folded > int8_t{'z'});
}

template <class Block>
[[gnu::always_inline]] inline auto above_ascii(Block block) {
    return block >= uint8_t{0x80};
}

// Whether no octet is special(). False also for a text that is shorter than a block.
template <class Special>
bool is_plain(Octets text, Special special) {
    if (text.size() < sizeof(Wide)) {
        return false;
    }
    const auto special_at = [&](size_t at) {
        Wide block;
        std::memcpy(&block, text.data() + at, sizeof block);
        return special(block);
    };
    auto found = special_at(text.size() - sizeof(Wide));
    for (size_t at = 0; at + sizeof(Wide) < text.size(); at += sizeof(Wide)) {
        found |= special_at(at);
    }
    std::array<uint64_t, sizeof found / 8> any;
    std::memcpy(any.data(), &found, sizeof found);
    return (any[0] | any[1] | any[2] | any[3]) == 0;
}

// The character behind an escape; where the extension table has a hole, the base table's (23.038
// section 6.2.1.1). An escape at the end of a part and a double escape read as a space.
const Septet& escaped(uint8_t code, const SeptetTable& base, const SeptetTable& extension) {
    return extension[code].length != 0 ? extension[code] : base[code];
}

size_t gsm7_to_utf8(Octets text, const Udh& udh, std::span<char> out) {
    const SeptetTable& base = locking_table(udh.locking_language);
    const SeptetTable& extension = single_shift_table(udh.single_shift_language);
    Utf8Sink sink(out);
    for (size_t at = 0; at < text.size();) {
        copy_plain(text, at, sink, special_in_gsm7<Block>);
        for (const size_t end = std::min(at + block_octets, text.size()); at < end; ++at) {
            const Septet* septet = &base[text[at]];
            if (septet->length == 0) [[unlikely]] {
                const bool last = at + 1 == text.size();
                septet = &escaped(last ? gsm7_escape : text[++at], base, extension);
            }
            if (sink.room() >= sizeof(Septet)) [[likely]] {
                sink.put_entry(*septet);
            } else if (!sink.put(septet->utf8.data(), septet->length)) {
                return sink.written();
            }
        }
    }
    return sink.written();
}

char32_t cyrillic(uint8_t octet) {
    if (octet <= 0xA0 || octet == 0xAD) {
        return octet;
    }
    return octet == 0xF0 ? 0x2116 : octet == 0xFD ? 0xA7 : 0x0401u + octet - 0xA1u;
}

char32_t hebrew(uint8_t octet) {
    if (octet >= 0xE0 && octet <= 0xFA) {
        return 0x05D0u + octet - 0xE0u;
    }
    switch (octet) {
        case 0xAA:
            return 0xD7;
        case 0xBA:
            return 0xF7;
        case 0xDF:
            return 0x2017;
        case 0xFD:
            return 0x200E;
        case 0xFE:
            return 0x200F;
        default:  // 0xA1 and 0xBF to 0xDE are holes
            return octet == 0xA1 || octet >= 0xBF ? replacement : char32_t{octet};
    }
}

template <class Map>
size_t octets_to_utf8(Octets text, std::span<char> out, Map map) {
    Utf8Sink sink(out);
    for (size_t at = 0; at < text.size();) {
        copy_plain(text, at, sink, above_ascii<Block>);
        for (const size_t end = std::min(at + block_octets, text.size()); at < end; ++at) {
            if (!sink.put(map(text[at]))) {
                return sink.written();
            }
        }
    }
    return sink.written();
}

constexpr uint16_t big_endian_mark = 0xFEFF;
constexpr uint16_t little_endian_mark = 0xFFFE;  // as a big-endian reader finds it

// One octet a unit, 0xFF for those above. Vectors, for what is longer than a few of them.
size_t narrow(Octets utf16, std::span<uint8_t> out) {
    constexpr size_t units = 16;
    using Units [[gnu::vector_size(2 * units)]] = uint16_t;
    using Narrow [[gnu::vector_size(units)]] = uint8_t;
    const size_t count = std::min(utf16.size() / 2, out.size());
    size_t at = 0;
    for (; at + units <= count; at += units) {
        Units wide;
        std::memcpy(&wide, utf16.data() + 2 * at, sizeof wide);
        wide = wide << 8 | wide >> 8;
        wide |= static_cast<Units>(wide > 0xFF) & uint16_t{0xFF};
        wide &= uint16_t{0xFF};
        const Narrow octets = __builtin_convertvector(wide, Narrow);
        std::memcpy(out.data() + at, &octets, sizeof octets);
    }
    for (; at < count; ++at) {
        const auto unit = load_be<uint16_t>(utf16.data() + 2 * at);
        out[at] = static_cast<uint8_t>(std::min<uint16_t>(unit, 0xFF));
    }
    return count;
}

bool is_high_surrogate(char32_t unit) {
    return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low_surrogate(char32_t unit) {
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

size_t utf16_to_utf8(Octets text, std::span<char> out) {
    size_t at = 0;
    bool little_endian = false;
    if (text.size() >= 2) {
        const auto mark = load_be<uint16_t>(text.data());
        little_endian = mark == little_endian_mark;
        at = mark == big_endian_mark || little_endian ? 2 : 0;
    }
    const auto unit_at = [&](size_t i) -> char32_t {
        const auto unit = load_be<uint16_t>(text.data() + i);
        return little_endian ? __builtin_bswap16(unit) : unit;
    };
    Utf8Sink sink(out);
    for (; at + 2 <= text.size(); at += 2) {
        char32_t c = unit_at(at);
        if (is_high_surrogate(c) && at + 4 <= text.size() && is_low_surrogate(unit_at(at + 2))) {
            c = 0x10000 + ((c - 0xD800) << 10) + (unit_at(at + 2) - 0xDC00);
            at += 2;
        } else if (is_high_surrogate(c) || is_low_surrogate(c)) {
            c = replacement;
        }
        if (!sink.put(c)) {
            return sink.written();
        }
    }
    if (at < text.size()) {
        sink.put(replacement);  // half a unit
    }
    return sink.written();
}

// Takes one code point off the front: U+FFFD for one malformed octet (overlong forms, surrogates
// and values above U+10FFFF included).
char32_t next_code_point(std::string_view& text) {
    const auto octet = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
    const uint8_t lead = octet(0);
    const size_t length = lead < 0x80   ? 1
                          : lead < 0xC2 ? 0
                          : lead < 0xE0 ? 2
                          : lead < 0xF0 ? 3
                          : lead < 0xF5 ? 4
                                        : 0;
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    constexpr uint8_t lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    char32_t c = lead & lead_mask[length];
    bool good = length != 0 && length <= text.size();
    for (size_t i = 1; good && i < length; ++i) {
        good = (octet(i) & 0xC0) == 0x80;
        c = (c << 6) | (octet(i) & 0x3Fu);
    }
    good = good && c >= smallest[length] && c <= 0x10FFFF && !is_high_surrogate(c) &&
           !is_low_surrogate(c);
    text.remove_prefix(good ? length : 1);
    return good ? c : replacement;
}

// One character in `set`; empty where the set does not have it.
struct Units {
    std::array<uint8_t, 4> octets{};
    size_t count = 0;
};
Units units_of(char32_t c, CharacterSet set, const Udh& udh) {
    Units out;
    const auto push = [&out](char32_t octet) {
        out.octets[out.count++] = static_cast<uint8_t>(octet);
    };
    const auto push_unit = [&push](char32_t unit) {
        push(unit >> 8);
        push(unit & 0xFF);
    };
    if (set == CharacterSet::ucs2) {
        if (c >= 0x10000) {
            push_unit(0xD800 + ((c - 0x10000) >> 10));
            push_unit(0xDC00 + ((c - 0x10000) & 0x3FF));
        } else {
            push_unit(c);
        }
    } else if (set == CharacterSet::gsm7) {
        const auto code = septet_of(c, udh.locking_language, udh.single_shift_language);
        if (code.has_value() && code->escaped) {
            push(gsm7_escape);
        }
        if (code.has_value()) {
            push(code->code);
        }
    } else if (c < (set == CharacterSet::latin1 ? 0x100u : 0x80u)) {
        push(c);
    }
    return out;
}

}  // namespace

size_t character_octets(std::string_view text, size_t at) {
    const auto octet_at = [](std::string_view from, size_t index) {
        return static_cast<uint8_t>(from[index]);
    };
    const uint8_t lead = octet_at(text, at);
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xC2 || lead > 0xF4) {
        return 0;
    }
    const size_t count = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (text.size() - at < count) {
        return 0;
    }
    const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (octet_at(text, at + 1) < low || octet_at(text, at + 1) > high) {
        return 0;
    }
    for (size_t i = 2; i < count; ++i) {
        if ((octet_at(text, at + i) & 0xC0) != 0x80) {
            return 0;
        }
    }
    return count;
}

bool is_utf8(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
        const size_t count = character_octets(text, at);
        if (count == 0) {
            return false;
        }
        at += count;
    }
    return true;
}

size_t to_utf8(Octets text, const Coding& coding, const Udh& udh, std::span<char> out) {
    if (udh.sim_toolkit) {
        return 0;
    }
    switch (coding.character_set) {
        case CharacterSet::gsm7:
            return gsm7_to_utf8(text, udh, out);
        case CharacterSet::ascii:
            return octets_to_utf8(text, out, [](uint8_t octet) {
                return octet < 0x80 ? char32_t{octet} : replacement;
            });
        case CharacterSet::latin1:
            return octets_to_utf8(text, out, [](uint8_t octet) { return char32_t{octet}; });
        case CharacterSet::cyrillic:
            return octets_to_utf8(text, out, cyrillic);
        case CharacterSet::hebrew:
            return octets_to_utf8(text, out, hebrew);
        case CharacterSet::ucs2:
            return utf16_to_utf8(text, out);
        case CharacterSet::binary:
        case CharacterSet::unreadable:
            return 0;
    }
    return 0;
}

std::string_view as_utf8(Octets text, const Coding& coding, const Udh& udh, std::span<char> out) {
    const CharacterSet set = coding.character_set;
    const bool same =
        !udh.sim_toolkit && ((set == CharacterSet::gsm7 &&
                              is_plain(text, [](Wide block) { return special_in_gsm7(block); })) ||
                             ((set == CharacterSet::latin1 || set == CharacterSet::ascii) &&
                              is_plain(text, [](Wide block) { return above_ascii(block); })));
    if (same) {
        return {reinterpret_cast<const char*>(text.data()), std::min(text.size(), out.size())};
    }
    return {out.data(), to_utf8(text, coding, udh, out)};
}

std::optional<Octets> narrowed(Octets text, const Coding& coding, std::span<uint8_t> out) {
    if (coding.character_set != CharacterSet::ucs2) {
        return std::nullopt;
    }
    if (text.size() >= 2) {
        const auto mark = load_be<uint16_t>(text.data());
        if (mark == little_endian_mark) {
            return std::nullopt;
        }
        text = text.subspan(mark == big_endian_mark ? 2 : 0);
    }
    return out.first(narrow(text, out));
}

Encoded from_utf8(std::string_view text, CharacterSet set, const Udh& udh, std::span<uint8_t> out) {
    SY_DCHECK(set == CharacterSet::gsm7 || set == CharacterSet::ascii ||
              set == CharacterSet::latin1 || set == CharacterSet::ucs2);
    Encoded result;
    while (!text.empty()) {
        Units units = units_of(next_code_point(text), set, udh);
        if (units.count == 0) {
            units = units_of(U'?', set, udh);
            ++result.replaced;
        }
        if (units.count > out.size() - result.octets) {
            result.truncated = true;
            break;
        }
        std::memcpy(out.data() + result.octets, units.octets.data(), units.count);
        result.octets += units.count;
    }
    return result;
}

}  // namespace sy::text
