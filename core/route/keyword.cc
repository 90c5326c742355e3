#include "core/route/keyword.h"

#include <cstdint>

namespace sy::route {

namespace {

// Sequence lengths and payload bits of valid UTF-8; a stray octet passes as itself.
struct Decoded {
    char32_t code_point;
    size_t octets;
};

Decoded decode(std::string_view text) {
    const auto octet = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto tail = [&](size_t i) { return static_cast<char32_t>(octet(i) & 0x3F); };
    const unsigned char lead = octet(0);
    if (lead >= 0xF0 && text.size() >= 4) {
        return {(static_cast<char32_t>(lead & 0x07) << 18) | tail(1) << 12 | tail(2) << 6 | tail(3),
                4};
    }
    if (lead >= 0xE0 && text.size() >= 3) {
        return {(static_cast<char32_t>(lead & 0x0F) << 12) | tail(1) << 6 | tail(2), 3};
    }
    if (lead >= 0xC0 && text.size() >= 2) {
        return {(static_cast<char32_t>(lead & 0x1F) << 6) | tail(1), 2};
    }
    return {lead, 1};
}

size_t encode(char32_t c, char* out) {
    const auto tail = [](char32_t value) { return static_cast<char>(0x80 | (value & 0x3F)); };
    if (c < 0x80) {
        out[0] = static_cast<char>(c);
        return 1;
    }
    if (c < 0x800) {
        out[0] = static_cast<char>(0xC0 | c >> 6);
        out[1] = tail(c);
        return 2;
    }
    if (c < 0x10000) {
        out[0] = static_cast<char>(0xE0 | c >> 12);
        out[1] = tail(c >> 6);
        out[2] = tail(c);
        return 3;
    }
    out[0] = static_cast<char>(0xF0 | c >> 18);
    out[1] = tail(c >> 12);
    out[2] = tail(c >> 6);
    out[3] = tail(c);
    return 4;
}

constexpr bool in(char32_t c, char32_t first, char32_t last) {
    return c >= first && c <= last;
}

char32_t fold_latin(char32_t c) {
    if (in(c, 'A', 'Z')) {
        return c + 0x20;
    }
    if (in(c, 0xC0, 0xDE) && c != 0xD7) {
        return c + 0x20;
    }
    if (c == 0x178) {  // Y with diaeresis: its small letter is in Latin-1
        return 0xFF;
    }
    // Latin Extended-A stands in pairs, capital first: on even places, from 0x139 to 0x148 and from
    // 0x179 on odd ones. Dotted and dotless i (0x130, 0x131) are letters of their own.
    if (in(c, 0x100, 0x12F) || in(c, 0x132, 0x137) || in(c, 0x14A, 0x177)) {
        return c | 1U;
    }
    if (in(c, 0x139, 0x148) || in(c, 0x179, 0x17E)) {
        return c + (c & 1U);
    }
    return c;
}

char32_t fold_greek(char32_t c) {
    if (in(c, 0x391, 0x3AB) && c != 0x3A2) {
        return c + 0x20;
    }
    switch (c) {
        case 0x386:
            return 0x3AC;
        case 0x388:
        case 0x389:
        case 0x38A:
            return c + 0x25;
        case 0x38C:
            return 0x3CC;
        case 0x38E:
        case 0x38F:
            return c + 0x3F;
        case 0x3C2:  // final sigma
            return 0x3C3;
        default:
            return c;
    }
}

char32_t fold_cyrillic(char32_t c) {
    if (in(c, 0x400, 0x40F)) {
        return c + 0x50;
    }
    if (in(c, 0x410, 0x42F)) {
        return c + 0x20;
    }
    // Pairs as in Latin Extended-A; 0x4C0 to 0x4CE is the one odd stretch.
    if (in(c, 0x460, 0x481) || in(c, 0x48A, 0x4BF) || in(c, 0x4D0, 0x52F)) {
        return c | 1U;
    }
    if (in(c, 0x4C1, 0x4CE)) {
        return c + (c & 1U);
    }
    return c == 0x4C0 ? 0x4CF : c;
}

bool is_space(char c) {
    return c == ' ' || in(static_cast<unsigned char>(c), '\t', '\r');
}

// Octets of the white space at the front, 0 if there is none.
size_t space_octets(std::string_view text) {
    if (!text.empty() && is_space(text[0])) {
        return 1;
    }
    return text.starts_with("\xC2\xA0") ? 2 : 0;
}

}  // namespace

char32_t fold(char32_t c) {
    if (c < 0x180) {
        return fold_latin(c);
    }
    if (c < 0x400) {
        return fold_greek(c);
    }
    return c < 0x530 ? fold_cyrillic(c) : c;
}

FoldedWord fold_word(std::string_view word) {
    FoldedWord folded;
    while (!word.empty()) {
        const Decoded decoded = decode(word);
        if (folded.octets.size() - folded.size < 4) {
            folded.size = 0;
            return folded;
        }
        folded.size += encode(fold(decoded.code_point), folded.octets.data() + folded.size);
        word.remove_prefix(decoded.octets);
    }
    return folded;
}

std::string_view first_word(std::string_view text) {
    while (const size_t octets = space_octets(text)) {
        text.remove_prefix(octets);
    }
    size_t end = 0;
    while (end < text.size() && space_octets(text.substr(end)) == 0) {
        ++end;
    }
    return text.substr(0, end);
}

std::string_view without_punctuation(std::string_view word) {
    const size_t last = word.find_last_not_of(".,;:!?\"')");
    return last == std::string_view::npos ? std::string_view{} : word.substr(0, last + 1);
}

}  // namespace sy::route
