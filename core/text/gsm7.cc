#include "core/text/gsm7.h"

#include <span>
#include <string_view>

namespace sy::text {
namespace {

// Rows of 16; \x1b stands for the escape. The literals are UTF-16: every character is in the BMP.
constexpr std::u16string_view default_alphabet =
    u"@£$¥èéùìòÇ\nØø\rÅå"
    u"Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    u" !\"#¤%&'()*+,-./"
    u"0123456789:;<=>?"
    u"¡ABCDEFGHIJKLMNO"
    u"PQRSTUVWXYZÄÖÑÜ§"
    u"¿abcdefghijklmno"
    u"pqrstuvwxyzäöñüà";
constexpr std::u16string_view turkish_alphabet =
    u"@£$¥€éùıòÇ\nĞğ\rÅå"
    u"Δ_ΦΓΛΩΠΨΣΘΞ\x1bŞşßÉ"
    u" !\"#¤%&'()*+,-./"
    u"0123456789:;<=>?"
    u"İABCDEFGHIJKLMNO"
    u"PQRSTUVWXYZÄÖÑÜ§"
    u"çabcdefghijklmno"
    u"pqrstuvwxyzäöñüà";
constexpr std::u16string_view portuguese_alphabet =
    u"@£$¥êéúíóç\nÔô\rÁá"
    u"Δ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ"
    u" !\"#º%&'()*+,-./"
    u"0123456789:;<=>?"
    u"ÍABCDEFGHIJKLMNO"
    u"PQRSTUVWXYZÃÕÚÜ§"
    u"~abcdefghijklmno"
    u"pqrstuvwxyzãõ`üà";

struct Extension {
    uint8_t code;
    char16_t character;
};
// The default extension; every national single shift table keeps these.
constexpr Extension default_extension[] = {
    {0x0A, u'\f'}, {0x14, u'^'}, {0x28, u'{'}, {0x29, u'}'}, {0x2F, u'\\'},
    {0x3C, u'['},  {0x3D, u'~'}, {0x3E, u']'}, {0x40, u'|'}, {0x65, u'€'},
};
constexpr Extension turkish_extension[] = {
    {0x47, u'Ğ'}, {0x49, u'İ'}, {0x53, u'Ş'}, {0x63, u'ç'},
    {0x67, u'ğ'}, {0x69, u'ı'}, {0x73, u'ş'},
};
constexpr Extension spanish_extension[] = {
    {0x09, u'ç'}, {0x41, u'Á'}, {0x49, u'Í'}, {0x4F, u'Ó'}, {0x55, u'Ú'},
    {0x61, u'á'}, {0x69, u'í'}, {0x6F, u'ó'}, {0x75, u'ú'},
};
constexpr Extension portuguese_extension[] = {
    {0x05, u'ê'}, {0x09, u'ç'}, {0x0B, u'Ô'}, {0x0C, u'ô'}, {0x0E, u'Á'}, {0x0F, u'á'},
    {0x12, u'Φ'}, {0x13, u'Γ'}, {0x15, u'Ω'}, {0x16, u'Π'}, {0x17, u'Ψ'}, {0x18, u'Σ'},
    {0x19, u'Θ'}, {0x1F, u'Ê'}, {0x41, u'À'}, {0x49, u'Í'}, {0x4F, u'Ó'}, {0x55, u'Ú'},
    {0x5B, u'Ã'}, {0x5C, u'Õ'}, {0x61, u'Â'}, {0x69, u'í'}, {0x6F, u'ó'}, {0x75, u'ú'},
    {0x7B, u'ã'}, {0x7C, u'õ'}, {0x7F, u'â'},
};

// Languages of 23.038 section 6.2.1.2.4 that have tables here.
constexpr uint8_t turkish = 1;
constexpr uint8_t spanish = 2;  // single shift only
constexpr uint8_t portuguese = 3;

constexpr Septet septet_utf8(char16_t c) {
    const auto octet = [](unsigned value) { return static_cast<char>(value); };
    if (c < 0x80) {
        return {{octet(c), 0, 0}, 1};
    }
    if (c < 0x800) {
        return {{octet(0xC0u | (c >> 6)), octet(0x80u | (c & 0x3F)), 0}, 2};
    }
    return {{octet(0xE0u | (c >> 12)), octet(0x80u | ((c >> 6) & 0x3F)), octet(0x80u | (c & 0x3F))},
            3};
}

constexpr SeptetTable make_locking(std::u16string_view alphabet) {
    SeptetTable table{};
    for (size_t i = 0; i < table.size(); ++i) {
        table[i] = i < alphabet.size() ? septet_utf8(alphabet[i]) : septet_utf8(u'\uFFFD');
    }
    table[gsm7_escape] = {};
    return table;
}

constexpr SeptetTable make_extension(std::span<const Extension> national) {
    SeptetTable table{};
    for (const Extension& entry : default_extension) {
        table[entry.code] = septet_utf8(entry.character);
    }
    for (const Extension& entry : national) {
        table[entry.code] = septet_utf8(entry.character);
    }
    table[gsm7_escape] = septet_utf8(u' ');  // reserved for a further extension: shown as a space
    return table;
}

static_assert(default_alphabet.size() == 128);
static_assert(turkish_alphabet.size() == 128);
static_assert(portuguese_alphabet.size() == 128);
static_assert(default_alphabet[gsm7_escape] == gsm7_escape);
static_assert(turkish_alphabet[gsm7_escape] == gsm7_escape);
static_assert(portuguese_alphabet[gsm7_escape] == gsm7_escape);
static_assert(sizeof(Septet) == 4);

constexpr SeptetTable default_locking = make_locking(default_alphabet);
constexpr SeptetTable turkish_locking = make_locking(turkish_alphabet);
constexpr SeptetTable portuguese_locking = make_locking(portuguese_alphabet);
constexpr SeptetTable default_single = make_extension({});
constexpr SeptetTable turkish_single = make_extension(turkish_extension);
constexpr SeptetTable spanish_single = make_extension(spanish_extension);
constexpr SeptetTable portuguese_single = make_extension(portuguese_extension);

std::u16string_view locking_alphabet(uint8_t language) {
    return language == turkish      ? turkish_alphabet
           : language == portuguese ? portuguese_alphabet
                                    : default_alphabet;
}

std::span<const Extension> national_extension(uint8_t language) {
    switch (language) {
        case turkish:
            return turkish_extension;
        case spanish:
            return spanish_extension;
        case portuguese:
            return portuguese_extension;
        default:
            return {};
    }
}

}  // namespace

const SeptetTable& locking_table(uint8_t language) {
    return language == turkish      ? turkish_locking
           : language == portuguese ? portuguese_locking
                                    : default_locking;
}

const SeptetTable& single_shift_table(uint8_t language) {
    switch (language) {
        case turkish:
            return turkish_single;
        case spanish:
            return spanish_single;
        case portuguese:
            return portuguese_single;
        default:
            return default_single;
    }
}

std::optional<SeptetCode> septet_of(char32_t code_point,
                                    uint8_t locking_language,
                                    uint8_t single_shift_language) {
    if (code_point > 0xFFFF || code_point == gsm7_escape) {
        return std::nullopt;
    }
    const auto character = static_cast<char16_t>(code_point);
    const size_t at = locking_alphabet(locking_language).find(character);
    if (at != std::u16string_view::npos) {
        return SeptetCode{static_cast<uint8_t>(at), false};
    }
    for (const auto table : {std::span<const Extension>(default_extension),
                             national_extension(single_shift_language)}) {
        for (const Extension& entry : table) {
            if (entry.character == character) {
                return SeptetCode{entry.code, true};
            }
        }
    }
    return std::nullopt;
}

}  // namespace sy::text
