// Goal: rows whose texts are asked together get a group of just their expressions where that spares
// something. Method: rows of prefixes by hand.
#include "core/route/text_groups.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/route/expressions.h"

namespace sy::route {
namespace {

std::vector<std::string> words(size_t count) {
    std::vector<std::string> all;
    for (size_t i = 0; i < count; ++i) {
        all.push_back("word" + std::to_string(i));
    }
    return all;
}

MtRow row_with(uint32_t text, CustomerId customer = {}) {
    MtRow row;
    row.sender_expression = Expressions::none;
    row.text_expression = text;
    row.customer = customer;
    return row;
}

class Rows {
  public:
    void add(std::vector<MtRow> rows) { static_cast<void>(index_.add_prefix(rows)); }
    void group(const std::vector<std::string>& expressions, const TextGroups* running = nullptr) {
        KnownWords known(expressions);
        groups = TextGroups(index_, known, running);
        index_.finish();
    }
    [[nodiscard]] uint8_t group_of(size_t row) const { return index_.rows()[row].text_group; }

    TextGroups groups;

  private:
    RuleIndex index_;
};

TEST(TextGroups, RowsOfAPrefixThatIsWalked) {
    Rows rows;
    rows.add({row_with(0), row_with(Expressions::none), row_with(1)});
    rows.add({row_with(Expressions::none)});
    rows.add({row_with(1), row_with(0), row_with(1)});
    rows.add({row_with(2)});
    rows.group(words(8));
    ASSERT_EQ(rows.groups.sets().size(), 2U);
    EXPECT_NE(rows.group_of(0), TextGroups::all);
    EXPECT_EQ(rows.group_of(2), rows.group_of(0));
    EXPECT_EQ(rows.group_of(3), TextGroups::all);
    EXPECT_EQ(rows.group_of(4), rows.group_of(0)) << "the same expressions in another order";
    EXPECT_NE(rows.group_of(7), rows.group_of(0));
    EXPECT_EQ(rows.groups[rows.group_of(7)].database()->expressions(),
              std::vector<std::string>{"word2"});
    EXPECT_GT(rows.groups.bytes(), 0U);
}

// More than a walk takes: a lane for each customer.
TEST(TextGroups, LanesOfOnePrefixEachHaveTheirs) {
    Rows rows;
    std::vector<MtRow> of_prefix;
    for (uint32_t i = 0; i < 12; ++i) {
        of_prefix.push_back(row_with(i, CustomerId{static_cast<uint16_t>(i / 6)}));
    }
    rows.add(std::move(of_prefix));
    rows.group(words(100));
    EXPECT_EQ(rows.groups.sets().size(), 2U);
    for (size_t i = 0; i < 12; ++i) {
        EXPECT_EQ(rows.groups[rows.group_of(i)].database()->expressions().size(), 6U);
        EXPECT_EQ(rows.group_of(i), rows.group_of(i < 6 ? 0 : 6));
    }
}

TEST(TextGroups, NoneWhereItWouldSpareLittleOrCannotBe) {
    std::vector<std::string> expressions = words(8);
    expressions[7] = "[0-9]+";
    Rows rows;
    rows.add({row_with(0), row_with(1), row_with(2)});  // more than a quarter of all
    rows.add({row_with(3), row_with(7)});               // an expression without words
    rows.group(expressions);
    EXPECT_TRUE(rows.groups.sets().empty());
    for (size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(rows.group_of(i), TextGroups::all);
    }
}

// Of a reload: ids may have changed, and one prefix has another expression.
TEST(TextGroups, SharesWhatTheRunningTableHasCompiled) {
    Rows before;
    before.add({row_with(0), row_with(1)});
    before.add({row_with(2)});
    before.group(words(8));
    std::vector<std::string> expressions = words(8);
    std::swap(expressions[0], expressions[5]);
    expressions[2] = "another";
    Rows after;
    after.add({row_with(5), row_with(1)});
    after.add({row_with(2)});
    after.group(expressions, &before.groups);
    ASSERT_EQ(after.groups.sets().size(), 2U);
    EXPECT_EQ(after.groups[after.group_of(0)].database(),
              before.groups[before.group_of(0)].database());
    EXPECT_NE(after.groups[after.group_of(2)].database(),
              before.groups[before.group_of(2)].database());
    match::PatternScratch scratch;
    match::MatchSet matches;
    ASSERT_TRUE(scratch.prepare(*after.groups[after.group_of(0)].database()).has_value());
    matches.reserve(9);
    ASSERT_TRUE(after.groups[after.group_of(0)].scan("word0", scratch, matches));
    EXPECT_TRUE(matches.contains(5));
    EXPECT_FALSE(matches.contains(0));
}

TEST(TextGroups, TheMostFrequentOfTooMany) {
    const size_t count = TextGroups::groups_max + 50;
    Rows rows;
    for (uint32_t i = 0; i < count; ++i) {
        rows.add({row_with(i)});
    }
    for (uint32_t i = 50; i < count; ++i) {
        rows.add({row_with(i)});
    }
    rows.group(words(count));
    EXPECT_EQ(rows.groups.sets().size(), TextGroups::groups_max);
    for (size_t i = 0; i < count; ++i) {
        EXPECT_EQ(rows.group_of(i) == TextGroups::all, i < 50) << i;
    }
}

}  // namespace
}  // namespace sy::route
