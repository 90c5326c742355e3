// Goal: a saved database behaves as the one that was saved, and anything else than that is refused.
#include "core/match/database.h"

#include <algorithm>

#include "tests/unit/match/match_support.h"

namespace sy::match {
namespace {

std::shared_ptr<const Database> database_of(std::vector<std::string> expressions) {
    std::ranges::sort(expressions);
    std::vector<PatternError> errors;
    auto database = Database::compile(std::move(expressions), errors);
    EXPECT_TRUE(errors.empty());
    return database;
}

Ids scanned(const Database& database, const std::string& text) {
    std::vector<uint32_t> bit_of;
    for (uint32_t i = 0; i < database.expressions().size(); ++i) {
        bit_of.push_back(i);
    }
    MatchSet matches;
    matches.reserve(static_cast<uint32_t>(bit_of.size()));
    hs_scratch_t* scratch = nullptr;
    EXPECT_EQ(hs_alloc_scratch(database.hyperscan(), &scratch), HS_SUCCESS);
    database.scan(text, scratch, bit_of.data(), matches);
    hs_free_scratch(scratch);
    return ids_of(matches);
}

TEST(Database, SavedMatchesAsTheOneThatWasSaved) {
    const auto database =
        database_of({"(?i)\\botp\\b", "\\d{6}", "^word$", "\xD0\x96.\xD0\x96", "a|word"});
    const auto octets = database->serialise();
    ASSERT_TRUE(octets);
    const auto loaded = Database::deserialise(*octets);
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ((*loaded)->expressions(), database->expressions());
    EXPECT_EQ((*loaded)->cost_us(), database->cost_us());
    for (const char* text :
         {"your OTP", "hotp", "123456", "\xD0\x96\xC3\xA9\xD0\x96", "word", ""}) {
        EXPECT_EQ(scanned(**loaded, text), scanned(*database, text)) << text;
    }
}

TEST(Database, EmptyOneCanBeSaved) {
    const auto octets = database_of({})->serialise();
    ASSERT_TRUE(octets);
    const auto loaded = Database::deserialise(*octets);
    ASSERT_TRUE(loaded);
    EXPECT_TRUE((*loaded)->expressions().empty());
}

// Any octet that is changed or missing is noticed, wherever it stands.
TEST(Database, RefusesEveryDamage) {
    const auto octets = database_of({"abc", "x[0-9]+y"})->serialise();
    ASSERT_TRUE(octets);
    for (size_t i = 0; i < octets->size(); ++i) {
        std::string flipped = *octets;
        flipped[i] = static_cast<char>(flipped[i] ^ 1);
        ASSERT_FALSE(Database::deserialise(flipped)) << i;
        ASSERT_FALSE(Database::deserialise(octets->substr(0, i))) << i;
    }
    EXPECT_FALSE(Database::deserialise(*octets + "x"));
    EXPECT_FALSE(
        Database::deserialise("something else entirely, and long enough to have a header"));
}

TEST(Database, NameIsOfContent) {
    const std::vector<std::string> expressions = {"a", "b"};
    const std::vector<std::string> others = {"a", "c"};
    EXPECT_EQ(Database::content_name(expressions), Database::content_name(expressions));
    EXPECT_NE(Database::content_name(expressions), Database::content_name(others));
    EXPECT_EQ(Database::content_name(expressions).size(), 32u);
}

TEST(WhyRefused, NamesTheReason) {
    EXPECT_FALSE(why_refused("fine"));
    EXPECT_FALSE(why_refused("(?i)\\bwin.{0,40}prize"));
    EXPECT_NE(why_refused("(open"), std::nullopt);
    EXPECT_NE(why_refused("(a)\\1"), std::nullopt);
    EXPECT_NE(why_refused("(?=a)b"), std::nullopt);
    EXPECT_NE(why_refused("\xFF"), std::nullopt);
    EXPECT_NE(why_refused(std::string("a\0b", 3)), std::nullopt);
}

// Minutes to compile, or gigabytes: refused before Hyperscan sees them.
TEST(WhyRefused, RuinousRepeats) {
    for (const char* expression :
         {"[ab]{30000}[bc]{30000}", "a{30000}b{30000}", "(a.{0,100}b){30}", "((a{50}){50}){50}",
          "(x[0-9]{1,1000}){1,1000}", "(?x) (a{100}){100}"}) {
        const auto why = why_refused(expression);
        ASSERT_TRUE(why) << expression;
        EXPECT_NE(why->find("written out"), std::string::npos) << *why;
    }
}

}  // namespace
}  // namespace sy::match
