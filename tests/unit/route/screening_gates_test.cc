// Goal: a gate asks for what all rules of its prefix and of the shorter ones ask for, and there is
// none where that is not only expressions with words. Method: prefixes by hand; decisions beside
// the model are tests/model/mt_model_test.cc's.
#include "core/route/screening_gates.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/bytes.h"
#include "core/route/expressions.h"

namespace sy::route {
namespace {

constexpr uint32_t segment = 0;
constexpr uint32_t none = Expressions::none;

MtRow row_with(uint32_t sender, uint32_t text) {
    MtRow row;
    row.sender_expression = sender;
    row.text_expression = text;
    return row;
}

class Gates {
  public:
    explicit Gates(std::vector<std::string> texts) : words_(std::move(texts)) {}

    // In the order of numbers, shorter ones first.
    void add(std::string_view prefix, std::vector<MtRow> rows, uint32_t of_segment = segment) {
        const auto begin = static_cast<uint32_t>(rows_.size());
        rows_.insert(rows_.end(), rows.begin(), rows.end());
        entries_.push_back(
            {of_segment, prefix_range(prefix), begin, static_cast<uint32_t>(rows_.size()), 0});
    }
    void build() {
        index_ = PrefixIndex(entries_, 2);
        gates = ScreeningGates(index_, entries_, segment, rows_, words_);
    }
    [[nodiscard]] const ScreeningGates::Gate* at(uint32_t node) const {
        return gates.of(node) == 0 ? nullptr : &gates.gate(gates.of(node));
    }

    ScreeningGates gates;

  private:
    KnownWords words_;
    std::vector<MtRow> rows_;
    std::vector<PrefixIndex::Entry> entries_;
    PrefixIndex index_;
};

bool lets_pass(const ScreeningGates::Gate& gate, std::string_view text) {
    return !gate.texts || !gate.texts->may_hold(as_octets(text));
}

TEST(ScreeningGates, OfAPrefixAndThoseThatItLiesIn) {
    Gates gates({"prize", "(?i)code\\s+\\d+", "free"});
    gates.add("4", {row_with(none, 0), row_with(none, 1)});
    gates.add("44", {row_with(none, 2)});
    gates.add("47", {row_with(7, none)});
    gates.add("5", {row_with(7, none)});
    gates.add("44", {row_with(none, 2)}, segment + 1);
    gates.build();
    ASSERT_NE(gates.at(0), nullptr);
    EXPECT_FALSE(gates.at(0)->asks_senders);
    EXPECT_FALSE(lets_pass(*gates.at(0), "a prize"));
    EXPECT_FALSE(lets_pass(*gates.at(0), "your CODE"));
    EXPECT_TRUE(lets_pass(*gates.at(0), "free"));
    ASSERT_NE(gates.at(1), nullptr);
    EXPECT_FALSE(lets_pass(*gates.at(1), "a prize"));
    EXPECT_FALSE(lets_pass(*gates.at(1), "free"));
    ASSERT_NE(gates.at(2), nullptr);
    EXPECT_TRUE(gates.at(2)->asks_senders);
    EXPECT_FALSE(lets_pass(*gates.at(2), "a prize"));
    ASSERT_NE(gates.at(3), nullptr);
    EXPECT_TRUE(gates.at(3)->asks_senders);
    EXPECT_FALSE(gates.at(3)->texts.has_value());
    EXPECT_GT(gates.gates.bytes(), 3 * sizeof(ScreeningGates::Gate));
}

TEST(ScreeningGates, NoneWhereARuleAsksForSomethingElse) {
    Gates gates({"prize", "[0-9]+"});
    gates.add("4", {row_with(none, 0), row_with(none, none)});
    gates.add("44", {row_with(none, 0)});
    gates.add("5", {row_with(none, 1)});  // no word tells
    gates.add("55", {row_with(none, 0)});
    gates.add("6", {row_with(3, 1)});  // its sender does
    gates.build();
    for (uint32_t node = 0; node < 4; ++node) {
        EXPECT_EQ(gates.at(node), nullptr) << node;
    }
    ASSERT_NE(gates.at(4), nullptr);
    EXPECT_TRUE(gates.at(4)->asks_senders);
    EXPECT_FALSE(gates.at(4)->texts.has_value());
}

TEST(ScreeningGates, EqualOnesAreOneAndThereIsABound) {
    std::vector<std::string> texts;
    for (size_t i = 0; i < ScreeningGates::gates_max + 5; ++i) {
        texts.push_back("word" + std::to_string(1000 + i));
    }
    Gates gates(texts);
    for (uint32_t i = 0; i < texts.size(); ++i) {
        gates.add(std::to_string(10'000 + 2 * i), {row_with(none, i)});
        gates.add(std::to_string(10'001 + 2 * i), {row_with(none, i), row_with(none, i)});
    }
    gates.build();
    for (uint32_t i = 0; i < texts.size(); ++i) {
        EXPECT_EQ(gates.gates.of(2 * i), gates.gates.of(2 * i + 1));
        ASSERT_EQ(gates.at(2 * i) != nullptr, i < ScreeningGates::gates_max) << i;
        if (gates.at(2 * i) != nullptr) {
            EXPECT_FALSE(lets_pass(*gates.at(2 * i), texts[i]));
            EXPECT_TRUE(lets_pass(*gates.at(2 * i), texts[i == 0 ? 1 : 0]));
        }
    }
}

// Up to as many words as a filter takes.
TEST(ScreeningGates, NoneOfTooManyWords) {
    std::vector<std::string> texts;
    std::vector<MtRow> rows;
    for (uint32_t i = 0; i <= match::WordFilter::words_max; ++i) {
        texts.push_back("word" + std::to_string(1000 + i));
        rows.push_back(row_with(none, i));
    }
    Gates gates(texts);
    gates.add("4", rows);
    gates.add("44", {rows.front()});
    rows.pop_back();
    gates.add("5", rows);
    gates.build();
    EXPECT_EQ(gates.at(0), nullptr);
    EXPECT_EQ(gates.at(1), nullptr);
    ASSERT_NE(gates.at(2), nullptr);
    EXPECT_FALSE(lets_pass(*gates.at(2), texts.front()));
}

}  // namespace
}  // namespace sy::route
