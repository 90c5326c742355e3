// Goal: no word of a filter stands in a text that it calls free of them, however the text is looked
// through. Method: examples; random words and texts against a search for each word.
#include "core/match/word_filter.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::match {
namespace {

#ifdef SY_CHECKS
constexpr int filters_compared = 60;
#else
constexpr int filters_compared = 600;
#endif

Word word(std::string octets, bool caseless = false) {
    return {.octets = std::move(octets), .caseless = caseless};
}

// Of exactly its size, so that sanitizers see a read behind its end.
bool may_hold(const WordFilter& filter, std::string_view text) {
    const std::vector<uint8_t> octets(text.begin(), text.end());
    const bool best = filter.may_hold(octets);
    for (const FilterVariant variant : filter_variants()) {
        EXPECT_EQ(filter.may_hold(octets, variant), best)
            << static_cast<int>(variant) << " \"" << text << '"';
    }
    return best;
}

char small(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool stands_in(const Word& wanted, std::string_view text) {
    return !std::ranges::search(text, wanted.octets, [&](char a, char b) {
                return wanted.caseless ? small(a) == small(b) : a == b;
            }).empty();
}

bool stands_in(const WordFilter::Needle& needle, std::string_view text) {
    for (size_t at = 0; at < text.size(); ++at) {
        uint64_t here = 0;
        for (size_t i = 0; i < sizeof here && at + i < text.size(); ++i) {
            here |= uint64_t{static_cast<uint8_t>(text[at + i])} << (8 * i);
        }
        if ((((here | needle.fold) ^ needle.octets) & needle.mask) == 0) {
            return true;
        }
    }
    return false;
}

TEST(WordFilter, TellsWhereNoWordStands) {
    const auto filter = WordFilter::make(std::array{word("prize"), word("Code", true)});
    ASSERT_TRUE(filter.has_value());
    for (const char* text : {"prize", "a prize!", "your cOdE", "xxcodexx"}) {
        EXPECT_TRUE(may_hold(*filter, text)) << text;
    }
    for (const char* text : {"", "priz", "PRIZE", "c ode", "rize", "cod", "our offer of today"}) {
        EXPECT_FALSE(may_hold(*filter, text)) << text;
    }
}

TEST(WordFilter, LooksForTheRarestOctetsOfAWord) {
    const auto filter = WordFilter::make(std::array{word("testament99887766")});
    ASSERT_TRUE(filter.has_value());
    ASSERT_EQ(filter->needles().size(), 1U);
    const WordFilter::Needle& needle = filter->needles().front();
    EXPECT_EQ(as_chars(Octets(reinterpret_cast<const uint8_t*>(&needle.octets), 8)), "99887766");
    EXPECT_EQ(needle.fold, 0U);
    EXPECT_EQ(needle.mask, ~uint64_t{0});
    EXPECT_FALSE(may_hold(*filter, "a testament"));
}

// Octets that are another character in GSM 7-bit are not looked for.
TEST(WordFilter, NoneForWordsThatReadDifferently) {
    for (const char* octets : {"ab", "a@bc", "$$$$", "[ab]", "x_y_z", "\xC3\xA9t\xC3\xA9", ""}) {
        EXPECT_FALSE(WordFilter::make(std::array{word("word"), word(octets)}).has_value())
            << octets;
    }
    const auto filter = WordFilter::make(std::array{word("caf\xC3\xA9_house$", true)});
    ASSERT_TRUE(filter.has_value());
    EXPECT_TRUE(may_hold(*filter, "Caf\x05\x11House\x02"));
    EXPECT_FALSE(may_hold(*filter, "Caf\x05 hous"));
}

TEST(WordFilter, WithoutWordsHoldsNothing) {
    const auto filter = WordFilter::make({});
    ASSERT_TRUE(filter.has_value());
    EXPECT_FALSE(may_hold(*filter, "a text\x1B"));
}

TEST(WordFilter, AnEscapeMayStandInsideAWord) {
    const auto filter = WordFilter::make(std::array{word("code")});
    ASSERT_TRUE(filter.has_value());
    EXPECT_FALSE(may_hold(*filter, "co*de"));
    for (size_t at = 0; at < 200; ++at) {
        std::string text(200, 'x');
        text[at] = '\x1B';
        EXPECT_TRUE(may_hold(*filter, text)) << at;
    }
}

// At every place of texts of every length, the ends of blocks among them.
TEST(WordFilter, FindsAWordWhereverItStands) {
    for (const char* octets : {"abc", "abcd", "abcdefgh", "abcdefghij"}) {
        const auto filter = WordFilter::make(std::array{word(octets)});
        ASSERT_TRUE(filter.has_value());
        const std::string_view wanted = octets;
        for (size_t size = 0; size < 290; ++size) {
            ASSERT_FALSE(may_hold(*filter, std::string(size, 'a')));
            for (size_t at = 0; at + wanted.size() <= size; at += size < 80 ? 1 : 7) {
                std::string text(size, 'b');
                text.replace(at, wanted.size(), wanted);
                ASSERT_TRUE(may_hold(*filter, text)) << wanted << " at " << at << " of " << size;
            }
        }
    }
}

std::string random_octets(Prng& prng, size_t size, std::string_view from) {
    std::string octets;
    while (octets.size() < size) {
        octets += from[prng.below(from.size())];
    }
    return octets;
}

TEST(WordFilter, AgreesWithALookForEachWord) {
    using namespace std::string_view_literals;
    Prng prng(41);
    size_t held = 0, free_of_all = 0, wrong_alarms = 0;
    for (int round = 0; round < filters_compared; ++round) {
        std::vector<Word> words;
        for (uint64_t i = 1 + prng.below(round % 2 == 0 ? 4 : 64); i > 0; --i) {
            words.push_back(
                word(random_octets(prng, 3 + prng.below(9), "abK1 zAB9"sv), prng.chance(1, 2)));
        }
        const auto filter = WordFilter::make(words);
        ASSERT_TRUE(filter.has_value());
        for (int i = 0; i < 100; ++i) {
            std::string text = random_octets(prng, prng.below(200), "abKk1 zABZ9\0\xE1\x81"sv);
            if (prng.chance(1, 300)) {
                text += '\x1B';
            }
            const bool may = may_hold(*filter, text);
            const bool needle = std::ranges::any_of(
                filter->needles(),
                [&](const WordFilter::Needle& each) { return stands_in(each, text); });
            const bool any =
                std::ranges::any_of(words, [&](const Word& each) { return stands_in(each, text); });
            ASSERT_EQ(may, needle || text.find('\x1B') != text.npos) << '"' << text << '"';
            ASSERT_TRUE(may || !any) << '"' << text << '"';
            held += any ? 1U : 0U;
            free_of_all += may ? 0U : 1U;
            wrong_alarms += may && !any ? 1U : 0U;
        }
    }
    EXPECT_GT(held, 1'000U);
    EXPECT_GT(free_of_all, 1'000U);
    EXPECT_GT(wrong_alarms, 0U);
}

TEST(WordFilter, NoneForTooManyWords) {
    std::vector<Word> words;
    for (size_t i = 0; i <= WordFilter::words_max; ++i) {
        words.push_back(word("word" + std::to_string(1000 + i)));
    }
    EXPECT_FALSE(WordFilter::make(words).has_value());
    words.pop_back();
    const auto filter = WordFilter::make(words);
    ASSERT_TRUE(filter.has_value());
    words.push_back(words.front());  // once more does not count
    EXPECT_EQ(WordFilter::make(words)->needles().size(), WordFilter::words_max);
    for (const Word& each : words) {
        EXPECT_TRUE(may_hold(*filter, "a " + each.octets + "."));
    }
}

}  // namespace
}  // namespace sy::match
