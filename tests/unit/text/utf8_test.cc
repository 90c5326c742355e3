#include "core/text/utf8.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/text/gsm7.h"

namespace sy::text {
namespace {

using Bytes = std::vector<uint8_t>;

std::string decoded(const Bytes& text, CharacterSet set, const Udh& udh = {}) {
    std::string out(4 * text.size() + 8, '#');
    out.resize(to_utf8(text, Coding{.character_set = set}, udh, out));
    return out;
}

Bytes encoded(std::string_view text, CharacterSet set, const Udh& udh = {}) {
    Bytes out(4 * text.size() + 8);
    const Encoded result = from_utf8(text, set, udh, out);
    EXPECT_EQ(result.replaced, 0u) << text;
    EXPECT_FALSE(result.truncated) << text;
    out.resize(result.octets);
    return out;
}

Udh with_languages(uint8_t locking, uint8_t single) {
    return {.locking_language = locking, .single_shift_language = single};
}

TEST(Gsm7, EveryCharacterOfTheDefaultAlphabet) {
    Bytes all;
    for (uint8_t code = 0; code < 0x80; ++code) {
        if (code != gsm7_escape) {
            all.push_back(code);
        }
    }
    EXPECT_EQ(decoded(all, CharacterSet::gsm7),
              "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
              "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
}

TEST(Gsm7, ExtensionTable) {
    EXPECT_EQ(decoded({0x1B, 0x0A, 0x1B, 0x14, 0x1B, 0x28, 0x1B, 0x29, 0x1B, 0x2F,
                       0x1B, 0x3C, 0x1B, 0x3D, 0x1B, 0x3E, 0x1B, 0x40, 0x1B, 0x65},
                      CharacterSet::gsm7),
              "\f^{}\\[~]|€");
}

TEST(Gsm7, UnknownExtensionCodeShowsTheBaseCharacter) {
    EXPECT_EQ(decoded({0x1B, 'a', 0x1B, 0x00}, CharacterSet::gsm7), "a@");
    EXPECT_EQ(decoded({0x1B, 0x60}, CharacterSet::gsm7, with_languages(1, 0)), "ç");
}

TEST(Gsm7, DoubleEscapeAndEscapeAtTheEndAreSpaces) {
    EXPECT_EQ(decoded({'a', 0x1B, 0x1B, 'b'}, CharacterSet::gsm7), "a b");
    EXPECT_EQ(decoded({'a', 0x1B}, CharacterSet::gsm7), "a ");
}

TEST(Gsm7, OctetWithBit7IsReplaced) {
    EXPECT_EQ(decoded({'a', 0xFC, 'b'}, CharacterSet::gsm7), "a\uFFFDb");
    EXPECT_EQ(decoded({0x1B, 0xFC}, CharacterSet::gsm7), "\uFFFD");
}

TEST(Gsm7, NationalSingleShiftTables) {
    EXPECT_EQ(decoded({0x1B, 0x47, 0x1B, 0x49, 0x1B, 0x53, 0x1B, 0x63, 0x1B, 0x67, 0x1B, 0x69, 0x1B,
                       0x73, 0x1B, 0x65},
                      CharacterSet::gsm7, with_languages(0, 1)),
              "ĞİŞçğış€");
    EXPECT_EQ(decoded({0x1B, 0x09, 0x1B, 0x41, 0x1B, 0x49, 0x1B, 0x4F, 0x1B, 0x55, 0x1B, 0x61, 0x1B,
                       0x69, 0x1B, 0x6F, 0x1B, 0x75},
                      CharacterSet::gsm7, with_languages(0, 2)),
              "çÁÍÓÚáíóú");
    EXPECT_EQ(decoded({0x1B, 0x05, 0x1B, 0x0B, 0x1B, 0x12, 0x1B, 0x19, 0x1B, 0x1F, 0x1B, 0x41,
                       0x1B, 0x5B, 0x1B, 0x5C, 0x1B, 0x61, 0x1B, 0x7B, 0x1B, 0x7C, 0x1B, 0x7F},
                      CharacterSet::gsm7, with_languages(0, 3)),
              "êÔΦΘÊÀÃÕÂãõâ");
}

TEST(Gsm7, NationalLockingTables) {
    EXPECT_EQ(decoded({0x04, 0x07, 0x0B, 0x0C, 0x1C, 0x1D, 0x40, 0x60}, CharacterSet::gsm7,
                      with_languages(1, 0)),
              "€ıĞğŞşİç");
    EXPECT_EQ(decoded({0x04, 0x12, 0x15, 0x16, 0x17, 0x18, 0x1A, 0x24, 0x40, 0x5B, 0x60, 0x7D},
                      CharacterSet::gsm7, with_languages(3, 0)),
              "êª∞^\\€|ºÍÃ~`");
}

TEST(Gsm7, LanguageWithoutATableFallsBackToTheDefault) {
    const Bytes text{0x00, 0x1B, 0x65, 0x40};
    for (const int language : {2, 4, 13, 14, 255}) {  // 2 (Spanish) has no locking table
        const auto id = static_cast<uint8_t>(language);
        EXPECT_EQ(decoded(text, CharacterSet::gsm7, with_languages(id, 0)), "@€¡") << language;
        EXPECT_EQ(decoded(text, CharacterSet::gsm7, with_languages(0, id)), "@€¡") << language;
    }
}

// The decoder copies blocks of common characters without looking them up: a block with any one
// octet in any place must read as the octets one by one do.
TEST(Gsm7, BlocksReadAsTheirOctets) {
    for (uint8_t locking = 0; locking < 4; ++locking) {
        const Udh udh = with_languages(locking, 0);
        for (unsigned octet = 0; octet < 256; ++octet) {
            if (octet == gsm7_escape) {
                continue;
            }
            const auto special = static_cast<uint8_t>(octet);
            const std::string one = decoded({special}, CharacterSet::gsm7, udh);
            for (size_t place = 0; place < 40; ++place) {
                Bytes text(40, 'x');
                text[place] = special;
                std::string want(40, 'x');
                want.replace(place, 1, one);
                ASSERT_EQ(decoded(text, CharacterSet::gsm7, udh), want) << octet << ' ' << place;
            }
        }
    }
}

// What word filters rely on: they look at the octets as they arrived (core/match/word_filter.h).
TEST(Coding, SameOctetsInAllAlphabetsWithAscii) {
    for (const CharacterSet set : {CharacterSet::gsm7, CharacterSet::ascii, CharacterSet::latin1,
                                   CharacterSet::cyrillic, CharacterSet::hebrew, CharacterSet::ucs2,
                                   CharacterSet::binary, CharacterSet::unreadable}) {
        if (!has_ascii(set)) {
            continue;
        }
        for (uint8_t locking = 0; locking < 4; ++locking) {
            const Udh udh = with_languages(locking, 0);
            for (unsigned octet = 0; octet < 256; ++octet) {
                const auto one = static_cast<uint8_t>(octet);
                if (set == CharacterSet::gsm7 && one == gsm7_escape) {
                    continue;
                }
                const std::string read = decoded({one}, set, udh);
                if (is_same_in_all(one)) {
                    EXPECT_EQ(read, std::string(1, static_cast<char>(one)));
                } else {
                    for (const char c : read) {
                        EXPECT_FALSE(is_same_in_all(static_cast<uint8_t>(c))) << octet;
                    }
                }
            }
        }
    }
    EXPECT_TRUE(has_ascii(CharacterSet::gsm7));
    EXPECT_TRUE(has_ascii(CharacterSet::latin1));
    EXPECT_FALSE(has_ascii(CharacterSet::ucs2));
}

TEST(Coding, WithAsciiIsTheTextOrNarrowUcs2) {
    std::array<uint8_t, 64> buffer{};
    const Bytes latin{'a', 0xE9, 'b'};
    const auto same = with_ascii(latin, {.character_set = CharacterSet::latin1}, buffer);
    ASSERT_TRUE(same.has_value());
    EXPECT_EQ(same->data(), latin.data());
    const Coding ucs2{.character_set = CharacterSet::ucs2};
    for (size_t units = 0; units < buffer.size() + 9; ++units) {
        Bytes wide, narrow;
        for (size_t i = 0; i < units; ++i) {
            constexpr uint16_t some[] = {'a', 'Z', 0xE9, 0xFF, 0x100, 0x161, 0x661, 0xD83D, 0xFEFF};
            const uint16_t unit = some[(i * 7 + units) % std::size(some)];
            wide.push_back(static_cast<uint8_t>(unit >> 8));
            wide.push_back(static_cast<uint8_t>(unit));
            if (i > 0 || unit != 0xFEFF) {
                narrow.push_back(static_cast<uint8_t>(std::min<unsigned>(unit, 0xFF)));
            }
        }
        narrow.resize(std::min(narrow.size(), buffer.size()));
        const auto octets = with_ascii(wide, ucs2, buffer);
        ASSERT_TRUE(octets.has_value());
        EXPECT_EQ(Bytes(octets->begin(), octets->end()), narrow) << units;
        wide.push_back('x');  // half a unit
        EXPECT_EQ(with_ascii(wide, ucs2, buffer)->size(), narrow.size());
    }
    const Bytes little_endian{0xFF, 0xFE, 'a', 0};
    EXPECT_FALSE(with_ascii(little_endian, ucs2, buffer).has_value());
    EXPECT_FALSE(with_ascii(latin, {.character_set = CharacterSet::binary}, buffer).has_value());
}

TEST(Gsm7, EscapePairAcrossABlockBoundary) {
    for (size_t place = 10; place < 36; ++place) {
        Bytes text(40, 'x');
        text[place] = gsm7_escape;
        text[place + 1] = 0x65;
        EXPECT_EQ(decoded(text, CharacterSet::gsm7),
                  std::string(place, 'x') + "€" + std::string(38 - place, 'x'));
    }
}

TEST(Latin1, BlocksReadAsTheirOctets) {
    for (unsigned octet = 0; octet < 256; ++octet) {
        const auto special = static_cast<uint8_t>(octet);
        for (size_t place = 0; place < 40; ++place) {
            Bytes text(40, 'x');
            text[place] = special;
            std::string want(40, 'x');
            want.replace(place, 1, decoded({special}, CharacterSet::latin1));
            ASSERT_EQ(decoded(text, CharacterSet::latin1), want) << octet << ' ' << place;
        }
    }
}

TEST(Latin1, EveryOctetIsItsCodePoint) {
    EXPECT_EQ(decoded({'a', 0xA3, 0xE9, 0xFC, 0xFF, 0x40}, CharacterSet::latin1), "a£éüÿ@");
}

TEST(Ascii, OctetsAbove7FAreReplaced) {
    EXPECT_EQ(decoded({'@', '$', '_', 0x80}, CharacterSet::ascii), "@$_\uFFFD");
}

TEST(Iso8859, CyrillicAndHebrew) {
    EXPECT_EQ(decoded({0xBF, 0xE0, 0xEF, 0xF0, 0xFD, 0xA1, 0xFF}, CharacterSet::cyrillic),
              "Пря№§Ёџ");
    EXPECT_EQ(decoded({0xF9, 0xEC, 0xE5, 0xED, 0xAA, 0xA1}, CharacterSet::hebrew), "שלום×\uFFFD");
}

TEST(Ucs2, BasicPlaneAndSurrogatePair) {
    EXPECT_EQ(
        decoded({0x00, 'A', 0x04, 0x16, 0x20, 0xAC, 0xD8, 0x3D, 0xDE, 0x00}, CharacterSet::ucs2),
        "AЖ€\U0001F600");
}

TEST(Ucs2, LoneSurrogatesAreReplaced) {
    EXPECT_EQ(decoded({0xD8, 0x3D, 0x00, 'a'}, CharacterSet::ucs2), "\uFFFDa");
    EXPECT_EQ(decoded({0xDE, 0x00, 0x00, 'a'}, CharacterSet::ucs2), "\uFFFDa");
    EXPECT_EQ(decoded({0x00, 'a', 0xD8, 0x3D}, CharacterSet::ucs2), "a\uFFFD");
    EXPECT_EQ(decoded({0xD8, 0x3D, 0xD8, 0x3D, 0xDE, 0x00}, CharacterSet::ucs2),
              "\uFFFD\U0001F600");
}

TEST(Ucs2, OddLengthEndsInAReplacement) {
    EXPECT_EQ(decoded({0x00, 'a', 0x00}, CharacterSet::ucs2), "a\uFFFD");
    EXPECT_EQ(decoded({0x00}, CharacterSet::ucs2), "\uFFFD");
}

TEST(Ucs2, ByteOrderMarkNamesTheOrderAndIsLeftOut) {
    EXPECT_EQ(decoded({0xFE, 0xFF, 0x00, 'a'}, CharacterSet::ucs2), "a");
    EXPECT_EQ(decoded({0xFF, 0xFE, 'a', 0x00, 0x3D, 0xD8, 0x00, 0xDE}, CharacterSet::ucs2),
              "a\U0001F600");
}

TEST(ToUtf8, BinaryUnreadableAndSimToolkitHaveNoText) {
    EXPECT_EQ(decoded({'a', 'b'}, CharacterSet::binary), "");
    EXPECT_EQ(decoded({'a', 'b'}, CharacterSet::unreadable), "");
    EXPECT_EQ(decoded({'a', 'b'}, CharacterSet::gsm7, Udh{.sim_toolkit = true}), "");
}

// Every set, every length of buffer: what is written is a prefix of the whole, ends between
// characters, and nothing behind the buffer is touched.
TEST(ToUtf8, TruncatesAtACharacterBoundary) {
    const struct {
        CharacterSet set;
        Bytes text;
    } cases[] = {
        {CharacterSet::gsm7, {'a', 0x1B, 0x65, 0x00, 0x10, 'z', 0x1B, 0x65}},
        {CharacterSet::latin1, {'a', 0xE9, 0xE9, 'z', 0xFF}},
        {CharacterSet::ucs2, {0x00, 'a', 0x20, 0xAC, 0xD8, 0x3D, 0xDE, 0x00, 0x04, 0x16}},
    };
    for (const auto& c : cases) {
        const std::string whole = decoded(c.text, c.set);
        for (size_t room = 0; room <= whole.size(); ++room) {
            std::string out(whole.size() + 8, '#');
            const size_t written =
                to_utf8(c.text, Coding{.character_set = c.set}, {}, {out.data(), room});
            ASSERT_LE(written, room);
            EXPECT_EQ(out.substr(0, written), whole.substr(0, written));
            EXPECT_EQ(out.substr(room), std::string(out.size() - room, '#'));
            EXPECT_TRUE(written == whole.size() || (whole[written] & 0xC0) != 0x80);
            EXPECT_GT(written + 4, std::min(room, whole.size()));
        }
    }
}

// Where a view of the text itself is as good, it is what conversion gives; at every length around
// that of blocks, with one special octet anywhere, and cut off.
TEST(AsUtf8, IsWhatConversionGives) {
    Prng prng(17);
    size_t views = 0;
    for (int round = 0; round < 200'000; ++round) {
        const auto set = static_cast<CharacterSet>(prng.below(8));
        const Udh udh{.locking_language = static_cast<uint8_t>(prng.below(14)),
                      .single_shift_language = static_cast<uint8_t>(prng.below(14)),
                      .sim_toolkit = prng.chance(1, 20)};
        Bytes text(prng.below(200));
        for (uint8_t& octet : text) {
            octet = static_cast<uint8_t>('a' + prng.below(26));
        }
        if (!text.empty() && prng.chance(1, 2)) {
            text[prng.below(text.size())] = static_cast<uint8_t>(prng());
        }
        std::string converted(prng.chance(1, 2) ? 800U : prng.below(200), '#');
        std::string room = converted;
        const Coding coding{.character_set = set};
        converted.resize(to_utf8(text, coding, udh, converted));
        const std::string_view view = as_utf8(text, coding, udh, room);
        ASSERT_EQ(view, converted) << "round " << round;
        views += static_cast<const void*>(view.data()) == text.data() ? 1U : 0U;
    }
    EXPECT_GT(views, 20'000U);
}

TEST(FromUtf8, RoundTripOfEverySeptetInEveryTable) {
    for (uint8_t locking = 0; locking < 5; ++locking) {
        for (uint8_t single = 0; single < 5; ++single) {
            const Udh udh = with_languages(locking, single);
            for (int code = 0; code < 0x80; ++code) {
                const auto octet = static_cast<uint8_t>(code);
                for (const Bytes& text : {Bytes{octet}, Bytes{gsm7_escape, octet}}) {
                    const std::string utf8 = decoded(text, CharacterSet::gsm7, udh);
                    const Bytes again = encoded(utf8, CharacterSet::gsm7, udh);
                    // Some characters have two codes; what they decode to must be the same.
                    EXPECT_EQ(decoded(again, CharacterSet::gsm7, udh), utf8);
                    EXPECT_LE(again.size(), 2u);
                }
            }
        }
    }
}

TEST(FromUtf8, RoundTripOfEveryCodePointInUcs2) {
    for (char32_t c = 1; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 97) {
        if ((c >= 0xD800 && c <= 0xDFFF) || c == 0xFEFF || c == 0xFFFE) {
            continue;
        }
        Bytes utf16;
        const auto push = [&utf16](char32_t unit) {
            utf16.push_back(static_cast<uint8_t>(unit >> 8));
            utf16.push_back(static_cast<uint8_t>(unit & 0xFF));
        };
        if (c < 0x10000) {
            push(c);
        } else {
            push(0xD800 + ((c - 0x10000) >> 10));
            push(0xDC00 + ((c - 0x10000) & 0x3FF));
        }
        const std::string utf8 = decoded(utf16, CharacterSet::ucs2);
        ASSERT_EQ(encoded(utf8, CharacterSet::ucs2), utf16) << static_cast<uint32_t>(c);
    }
}

TEST(FromUtf8, WhatTheSetLacksBecomesAQuestionMark) {
    Bytes out(8);
    const Encoded result = from_utf8("aЖb", CharacterSet::gsm7, {}, out);
    EXPECT_EQ(result.octets, 3u);
    EXPECT_EQ(result.replaced, 1u);
    EXPECT_EQ(as_chars({out.data(), 3}), "a?b");
}

TEST(FromUtf8, MalformedUtf8IsOneReplacementAnOctet) {
    // Overlong slash, surrogate, above U+10FFFF, cut sequence, lone continuation.
    for (const char* text : {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80"}) {
        Bytes out(16);
        const Encoded result = from_utf8(text, CharacterSet::ucs2, {}, out);
        EXPECT_EQ(result.octets, 2 * std::string_view(text).size());
        for (size_t i = 0; i < result.octets; i += 2) {
            EXPECT_EQ(load_be<uint16_t>(out.data() + i), 0xFFFD);
        }
    }
}

TEST(FromUtf8, NeverWritesHalfAnEscapePairOrSurrogatePair) {
    Bytes out(1, 0xAA);
    EXPECT_TRUE(from_utf8("€", CharacterSet::gsm7, {}, out).truncated);
    EXPECT_EQ(out[0], 0xAA);
    Bytes three(3, 0xAA);
    const Encoded result = from_utf8("\U0001F600", CharacterSet::ucs2, {}, three);
    EXPECT_TRUE(result.truncated);
    EXPECT_EQ(result.octets, 0u);
}

// The slow obvious model of the GSM 7-bit decoder.
std::string gsm7_model(const Bytes& text, const Udh& udh) {
    const auto chars = [](const Septet& septet) {
        return std::string(septet.utf8.data(), septet.length);
    };
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != gsm7_escape) {
            out += chars(locking_table(udh.locking_language)[text[i]]);
        } else if (i + 1 == text.size()) {
            out += ' ';
        } else {
            const uint8_t code = text[++i];
            const std::string shifted = chars(single_shift_table(udh.single_shift_language)[code]);
            out += shifted.empty() ? chars(locking_table(udh.locking_language)[code]) : shifted;
        }
    }
    return out;
}

TEST(ToUtf8, Gsm7AgreesWithTheModelOnRandomText) {
    Prng prng(20);
    for (int round = 0; round < 20'000; ++round) {
        Bytes text(prng.below(40));
        for (uint8_t& octet : text) {
            octet = prng.chance(1, 5) ? gsm7_escape : static_cast<uint8_t>(prng.below(0x90));
        }
        const Udh udh = with_languages(static_cast<uint8_t>(prng.below(5)),
                                       static_cast<uint8_t>(prng.below(5)));
        ASSERT_EQ(decoded(text, CharacterSet::gsm7, udh), gsm7_model(text, udh)) << round;
    }
}

// Blocks of plain text are copied whole: something else now and then, at every place.
TEST(ToUtf8, Gsm7AgreesWithTheModelOnMostlyPlainText) {
    constexpr std::string_view others = "\x1B\x1B\x1B$@_[\x7F\x01";
    Prng prng(21);
    for (int round = 0; round < 50'000; ++round) {
        Bytes text(prng.below(80));
        for (uint8_t& octet : text) {
            octet = prng.chance(1, 40) ? static_cast<uint8_t>(others[prng.below(others.size())])
                                       : static_cast<uint8_t>('a' + prng.below(26));
        }
        const Udh udh = with_languages(static_cast<uint8_t>(prng.below(5)),
                                       static_cast<uint8_t>(prng.below(5)));
        ASSERT_EQ(decoded(text, CharacterSet::gsm7, udh), gsm7_model(text, udh)) << round;
    }
}

}  // namespace
}  // namespace sy::text
