// Goal: one scan finds exactly the expressions that match, refused ones are all named, a saved set
// behaves as the one that was saved.
#include "core/match/pattern_set.h"

#include <regex>

#include <gtest/gtest.h>

#include <hs.h>

#include "core/base/prng.h"

namespace sy::match {
namespace {

using Bits = std::vector<uint64_t>;

// Compiling is slow under sanitizers and checks.
#ifdef SY_CHECKS
constexpr int sets = 15;
constexpr int expressions_compared = 100;
#else
constexpr int sets = 60;
constexpr int expressions_compared = 600;
#endif

PatternSet compiled(const std::vector<std::string>& expressions) {
    std::vector<PatternError> errors;
    PatternSet set = PatternSet::compile(expressions, errors);
    for (const auto& error : errors) {
        ADD_FAILURE() << expressions[error.index] << ": " << error.text;
    }
    return set;
}

Bits scanned(const PatternSet& set, std::string_view text) {
    PatternScratch scratch;
    EXPECT_TRUE(scratch.prepare(set));
    Bits bits(set.words(), ~uint64_t{0});  // scan() must clear what does not match
    set.scan(text, scratch, bits);
    return bits;
}

// One expression in UTF-8 mode, straight from Hyperscan.
class Utf8Reference {
  public:
    explicit Utf8Reference(const std::string& expression) {
        hs_compile_error_t* error = nullptr;
        EXPECT_EQ(hs_compile(expression.c_str(), HS_FLAG_UTF8 | HS_FLAG_ALLOWEMPTY, HS_MODE_BLOCK,
                             nullptr, &database_, &error),
                  HS_SUCCESS);
        EXPECT_EQ(hs_alloc_scratch(database_, &scratch_), HS_SUCCESS);
    }
    Utf8Reference(const Utf8Reference&) = delete;
    Utf8Reference& operator=(const Utf8Reference&) = delete;
    ~Utf8Reference() {
        hs_free_scratch(scratch_);
        hs_free_database(database_);
    }
    [[nodiscard]] bool matches(const std::string& text) const {
        bool matched = false;
        const auto on_match = [](unsigned, unsigned long long, unsigned long long, unsigned,
                                 void* context) -> int {
            *static_cast<bool*>(context) = true;
            return 0;
        };
        EXPECT_EQ(hs_scan(database_, text.c_str(), static_cast<unsigned>(text.size()), 0, scratch_,
                          on_match, &matched),
                  HS_SUCCESS);
        return matched;
    }

  private:
    hs_database_t* database_ = nullptr;
    hs_scratch_t* scratch_ = nullptr;
};

TEST(PatternSet, FindsEveryMatchingExpressionAndNoOther) {
    const auto set = compiled({"code", "^code", "(?i)CODE", "x+", "(foo)?", ".*"});
    const Bits bits = scanned(set, "your code");
    EXPECT_EQ(bits, Bits{0b110101});
}

TEST(PatternSet, EmptyTextMatchesOnlyWhatMayBeEmpty) {
    const auto set = compiled({"a", "a*", "^$", "."});
    EXPECT_EQ(scanned(set, {}), Bits{0b0110});
}

TEST(PatternSet, WithoutExpressionsNothingIsWritten) {
    const PatternSet set = compiled({});
    PatternScratch scratch;
    ASSERT_TRUE(scratch.prepare(set));
    set.scan("text", scratch, {});
    EXPECT_EQ(set.size(), 0U);
    EXPECT_EQ(set.words(), 0U);
}

TEST(PatternSet, NamesEveryRefusedExpression) {
    std::vector<PatternError> errors;
    const std::vector<std::string> expressions = {
        "fine", "(open", "(a)\\1", "also fine", "a{3,1}", "[z-a]", std::string("a\0b", 3), "\xFF"};
    const auto set = PatternSet::compile(expressions, errors);
    EXPECT_EQ(set.size(), 0U);
    ASSERT_EQ(errors.size(), 6U);
    const size_t expected[] = {1, 2, 4, 5, 6, 7};
    for (size_t i = 0; i < errors.size(); ++i) {
        EXPECT_EQ(errors[i].index, expected[i]);
        EXPECT_FALSE(errors[i].text.empty());
    }
}

// Hyperscan parses these without complaint and then does not say which of them is too large.
TEST(PatternSet, NamesWhatOnlyTheCompilerRefuses) {
    std::vector<PatternError> errors;
    const std::vector<std::string> expressions = {"fine", "a{30000}b{30000}", "also fine",
                                                  "c{30000}d{30000}"};
    const auto set = PatternSet::compile(expressions, errors);
    EXPECT_EQ(set.size(), 0U);
    ASSERT_EQ(errors.size(), 2U);
    EXPECT_EQ(errors[0].index, 1U);
    EXPECT_EQ(errors[1].index, 3U);
}

// Where octets were taken for characters to be quicker, the answer must still be that of UTF-8
// mode. Random expressions over ASCII and wide characters, against Hyperscan told to use UTF-8.
TEST(PatternSet, ChosenModeAgreesWithUtf8Mode) {
    const std::vector<std::string> atoms = {
        "a",   "b",      "1",   "[ab]",         "[^a]",   ".",      "\\d",   "\\D",
        "\\w", "\\W",    "\\S", "\\s",          "(a|1b)", "é",      "\\b",   "[é1]",
        "a|b", "[^\\d]", "\\.", "[[:^alpha:]]", "(.+)",   "(a|.*)", "(b.+a)"};
    const std::vector<std::string> tails = {"",  "",    "",     "*",    "+",
                                            "?", "{2}", "{1,}", "{0,}", "{1,3}"};
    const std::vector<std::string> pieces = {"a", "b", "1", " ", "é", "€", "😀", "."};
    Prng prng(9);
    uint32_t in_octets = 0;
    for (int round = 0; round < expressions_compared; ++round) {
        std::string expression = prng.chance(1, 2) ? "^" : "";
        for (uint64_t k = 0, parts = 1 + prng.below(4); k < parts; ++k) {
            const std::string& atom = atoms[prng.below(atoms.size())];
            const bool repeatable = atom != "\\b" && atom != "a|b";
            expression += atom + (repeatable ? tails[prng.below(tails.size())] : "");
        }
        expression += prng.chance(1, 2) ? "$" : "";
        if (needs_utf8_mode(expression)) {
            continue;  // both would be the same
        }
        std::vector<PatternError> errors;
        const std::vector<std::string> one = {expression};
        const auto set = PatternSet::compile(one, errors);
        if (!errors.empty()) {
            continue;  // "^\\b$" can never match, says Hyperscan
        }
        ++in_octets;
        PatternScratch scratch;
        ASSERT_TRUE(scratch.prepare(set));
        const Utf8Reference reference(expression);
        for (int t = 0; t < 30; ++t) {
            std::string text;
            for (uint64_t k = 0, length = prng.below(6); k < length; ++k) {
                text += pieces[prng.below(pieces.size())];
            }
            uint64_t bits = 0;
            set.scan(text, scratch, {&bits, 1});
            ASSERT_EQ(bits != 0, reference.matches(text)) << expression << " on \"" << text << '"';
        }
    }
    EXPECT_GT(in_octets, static_cast<uint32_t>(expressions_compared / 20));
}

TEST(PatternSet, MoreThanOneWordOfBits) {
    std::vector<std::string> expressions;
    for (int i = 0; i < 200; ++i) {
        expressions.push_back("w" + std::to_string(i) + ";");
    }
    const auto set = compiled(expressions);
    ASSERT_EQ(set.words(), 4U);
    const Bits bits = scanned(set, "w0; w63; w64; w199;");
    for (uint32_t i = 0; i < 200; ++i) {
        EXPECT_EQ(test_bit(bits, i), i == 0 || i == 63 || i == 64 || i == 199) << i;
    }
}

TEST(PatternSet, SavedSetMatchesAsTheOneThatWasSaved) {
    const auto set = compiled({"(?i)otp", "^\\d{6}$", "\xD0\x96.\xD0\x96"});
    const auto octets = set.serialise();
    ASSERT_TRUE(octets);
    const auto loaded = PatternSet::deserialise(*octets);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->size(), 3U);
    for (const char* text : {"your OTP", "123456", "\xD0\x96\xC3\xA9\xD0\x96", "none"}) {
        EXPECT_EQ(scanned(*loaded, text), scanned(set, text)) << text;
    }
}

TEST(PatternSet, EmptySetCanBeSaved) {
    const auto octets = PatternSet().serialise();
    ASSERT_TRUE(octets);
    const auto loaded = PatternSet::deserialise(*octets);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->size(), 0U);
}

TEST(PatternSet, RefusesDamagedOctets) {
    const auto set = compiled({"abc"});
    const auto octets = set.serialise();
    ASSERT_TRUE(octets);
    EXPECT_FALSE(PatternSet::deserialise(""));
    EXPECT_FALSE(PatternSet::deserialise("something else entirely"));
    EXPECT_FALSE(PatternSet::deserialise(octets->substr(0, 8)));
    EXPECT_FALSE(PatternSet::deserialise(octets->substr(0, octets->size() - 1)));
    std::string flipped = *octets;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
    EXPECT_FALSE(PatternSet::deserialise(flipped));
}

TEST(PatternScratch, ServesEverySetItWasPreparedFor) {
    const auto small = compiled({"a"});
    const auto large = compiled({"(?i)spam.{5,20}http", "[0-9]{3}-[0-9]{4}", "b+c"});
    PatternScratch scratch;
    ASSERT_TRUE(scratch.prepare(small));
    ASSERT_TRUE(scratch.prepare(large));
    ASSERT_TRUE(scratch.prepare(small));
    uint64_t bits = 0;
    small.scan("xa", scratch, {&bits, 1});
    EXPECT_EQ(bits, 1U);
    large.scan("call 555-1234", scratch, {&bits, 1});
    EXPECT_EQ(bits, 2U);
}

// Differential: random sets of expressions on random texts against std::regex, one by one.
TEST(PatternSet, AgreesWithTheStandardLibrary) {
    const std::vector<std::string> atoms = {"a", "b", "1", "[ab]", "\\d", "(ab|1)", ".", "(b{2})"};
    const std::vector<std::string> tails = {"", "", "*", "+", "?"};
    Prng prng(7);
    for (int round = 0; round < sets; ++round) {
        std::vector<std::string> expressions;
        for (uint64_t i = 0, n = 1 + prng.below(20); i < n; ++i) {
            std::string expression = prng.chance(1, 3) ? "^" : "";
            for (uint64_t k = 0, parts = 1 + prng.below(4); k < parts; ++k) {
                expression += atoms[prng.below(atoms.size())] + tails[prng.below(tails.size())];
            }
            expressions.push_back(expression + (prng.chance(1, 3) ? "$" : ""));
        }
        const auto set = compiled(expressions);
        for (int t = 0; t < 20; ++t) {
            std::string text;
            for (uint64_t k = 0, length = prng.below(8); k < length; ++k) {
                text += "ab1 "[prng.below(4)];
            }
            const Bits bits = scanned(set, text);
            for (uint32_t i = 0; i < expressions.size(); ++i) {
                ASSERT_EQ(test_bit(bits, i), std::regex_search(text, std::regex(expressions[i])))
                    << expressions[i] << " on \"" << text << '"';
            }
        }
    }
}

}  // namespace
}  // namespace sy::match
