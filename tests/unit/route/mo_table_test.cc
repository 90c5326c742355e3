// MO routing by example; tests/model/route_model_test.cc has the random half.
#include "core/route/mo_table.h"

#include "tests/unit/route/route_fixture.h"

namespace sy::route {
namespace {

using testing::customer;
using testing::message;
using testing::MoBench;
using testing::to_customers;

MoRule rule(uint32_t line, std::string number, uint16_t to) {
    MoRule result;
    result.line = line;
    if (number.ends_with('*')) {
        number.pop_back();
        result.number_is_prefix = true;
    }
    result.number = std::move(number);
    result.targets = to_customers({to});
    return result;
}

MoQuery query(std::string_view number, const smpp::Sm* sm = nullptr) {
    MoQuery result;
    result.supplier = SupplierId{0};
    result.number = number;
    result.source = "447700900999";
    result.sm = sm;
    return result;
}

TEST(MoTable, WithoutRulesNothingIsRouted) {
    MoBench bench({});
    EXPECT_FALSE(bench.decide(query("447700900123")).routed);
}

TEST(MoTable, ExactNumberBeforeLongerPrefixBeforeShorter) {
    MoBench bench({rule(2, "", 0), rule(3, "44*", 1), rule(4, "4477*", 2), rule(5, "447700", 3)});
    EXPECT_EQ(bench.decide(query("447700")).rule_line, 5U);
    EXPECT_EQ(bench.decide(query("4477001")).rule_line, 4U);
    EXPECT_EQ(bench.decide(query("4477")).rule_line, 4U);
    EXPECT_EQ(bench.decide(query("4420")).rule_line, 3U);
    EXPECT_EQ(bench.decide(query("60000")).rule_line, 2U);
}

TEST(MoTable, ExactNumberBeforeThePrefixOfTheSameDigits) {
    MoBench bench({rule(2, "4477*", 0), rule(3, "4477", 1)});
    EXPECT_EQ(bench.decide(query("4477")).rule_line, 3U);
    EXPECT_EQ(bench.decide(query("44770")).rule_line, 2U);
}

TEST(MoTable, RowWithKeywordBeforeOneWithoutWhateverThePriority) {
    auto any = rule(2, "60000", 0);
    any.priority = -5;
    auto keyword = rule(3, "60000", 1);
    keyword.keyword = "Join";
    auto second = rule(4, "60000", 2);
    second.keyword = "join";
    second.priority = -1;
    MoBench bench({any, keyword, second});
    const auto join = message("JOIN me");
    const auto joined = message("joined");
    EXPECT_EQ(bench.decide(query("60000", &join)).rule_line, 4U);
    EXPECT_EQ(bench.decide(query("60000", &joined)).rule_line, 2U);
    EXPECT_EQ(bench.decide(query("60000")).rule_line, 2U);
}

TEST(MoTable, KeywordIsTheFirstWordInAnyCaseAndAlphabet) {
    auto stop = rule(2, "60000", 0);
    stop.keyword = "СТОП";
    auto dotted = rule(3, "60000", 1);
    dotted.keyword = "stop!";
    auto plain = rule(4, "60000", 2);
    plain.keyword = "stop";
    MoBench bench({stop, dotted, plain});
    const auto cyrillic =
        message(std::string_view("\x04\x41\x04\x42\x04\x3E\x04\x3F\x00\x20\x00\x31", 12), 8);
    EXPECT_EQ(bench.decide(query("60000", &cyrillic)).rule_line, 2U);
    const auto shout = message(" Stop! now");
    EXPECT_EQ(bench.decide(query("60000", &shout)).rule_line, 3U);
    const auto full_stop = message("STOP.");
    EXPECT_EQ(bench.decide(query("60000", &full_stop)).rule_line, 4U);
    const auto second_word = message("please stop");
    EXPECT_FALSE(bench.decide(query("60000", &second_word)).routed);
    const auto binary = message("stop", 4);
    EXPECT_FALSE(bench.decide(query("60000", &binary)).routed);
}

TEST(MoTable, SupplierSourceAndTextAreConditions) {
    auto by_supplier = rule(2, "60000", 0);
    by_supplier.supplier = SupplierId{9};
    auto by_source = rule(3, "60000", 1);
    by_source.source = "4478";
    auto by_text = rule(4, "60000", 2);
    by_text.text = "\\d{4}";
    MoBench bench({by_supplier, by_source, by_text, rule(5, "60*", 3)});
    const auto plain = message("hello");
    const auto digits = message("pin 1234");
    EXPECT_EQ(bench.decide(query("60000", &plain)).rule_line, 5U);
    EXPECT_EQ(bench.decide(query("60000", &digits)).rule_line, 4U);
    auto question = query("60000", &digits);
    question.source = "4478";
    EXPECT_EQ(bench.decide(question).rule_line, 3U);
    question.supplier = SupplierId{9};
    EXPECT_EQ(bench.decide(question).rule_line, 2U);
    question.source = "447";
    question.supplier = SupplierId{0};
    EXPECT_EQ(bench.decide(question).rule_line, 4U);
}

TEST(MoTable, NumberOfAnAccountStandsBehindItsRowsAndBeforePrefixes) {
    auto keyword = rule(2, "447700900123", 1);
    keyword.keyword = "help";
    MoBench bench({keyword, rule(3, "4477*", 2)}, {{"447700900123", customer(5)}});
    const auto help = message("help");
    const auto plain = message("hello");
    EXPECT_EQ(bench.decide(query("447700900123", &help)).rule_line, 2U);
    const auto own = bench.decide(query("447700900123", &plain));
    EXPECT_TRUE(own.routed);
    EXPECT_EQ(own.rule_line, 0U);
    ASSERT_EQ(own.target_count, 1);
    EXPECT_EQ(own.targets[0], customer(5));
    EXPECT_EQ(bench.decide(query("447700900124", &plain)).rule_line, 3U);
    const auto explanation = bench.table.explain(query("447700900123", &plain), bench.scratch);
    ASSERT_EQ(explanation.considered.size(), 2U);
    EXPECT_EQ(explanation.considered[0].verdict, "first word is not \"help\"");
    EXPECT_EQ(explanation.considered[1].rule->line, 0U);
    EXPECT_EQ(explanation.considered[1].rule->note, "a number of the customer's account");
    EXPECT_EQ(explanation.considered[1].verdict, "won");
}

TEST(MoTable, WhenHoldsByTheClock) {
    auto zone = std::make_shared<Zone>();
    zone->name = "UTC";
    zone->offsets = {{0, 0}};
    auto mondays = std::make_shared<When>();
    mondays->text = "Mon";
    mondays->parts = {{zone, {{0, static_cast<int32_t>(day_seconds)}}}};
    auto on_mondays = rule(2, "60000", 0);
    on_mondays.when = mondays;
    MoBench bench({on_mondays, rule(3, "60000", 1)});
    auto question = query("60000");
    // 1970-01-01 was a Thursday.
    question.wall_ns = 3 * Nanos{day_seconds} * second_ns;
    EXPECT_EQ(bench.decide(question).rule_line, 3U);
    const auto explanation = bench.table.explain(question, bench.scratch);
    EXPECT_EQ(explanation.considered[0].verdict, "holds only at \"Mon\"");
    question.wall_ns += Nanos{day_seconds} * second_ns;
    EXPECT_EQ(bench.decide(question).rule_line, 2U);
}

TEST(MoTable, CopiesReplyAndCostComeWithTheDecision) {
    auto one = rule(2, "60000", 0);
    one.copies = {customer(7), customer(8)};
    one.cost = Money{5};
    one.reply = std::make_shared<const ReplyTemplate>(*parse_reply("hello {1}"));
    MoBench bench({one, rule(3, "60*", 1)});
    const auto decision = bench.decide(query("60000"));
    ASSERT_EQ(decision.copy_count, 2);
    EXPECT_EQ(decision.copies[0], customer(7));
    EXPECT_EQ(decision.copies[1], customer(8));
    ASSERT_NE(decision.cost, nullptr);
    EXPECT_EQ(*decision.cost, Money{5});
    ASSERT_NE(decision.reply, nullptr);
    EXPECT_EQ(decision.reply->source, "hello {1}");
    const auto plain = bench.decide(query("60001"));
    EXPECT_EQ(plain.copy_count, 0);
    EXPECT_EQ(plain.reply, nullptr);
    EXPECT_EQ(plain.cost, nullptr);
}

// The first part's row is known by its place; without it a later part has no keyword at all.
TEST(MoTable, LaterPartsFollowTheFirst) {
    auto join = rule(2, "60000", 1);
    join.keyword = "join";
    join.text = "please$";
    MoBench bench({join, rule(3, "60000", 0), rule(4, "6*", 2)});
    const auto first = message("Join me please");
    const auto later = message("join and more");
    const auto won = bench.decide(query("60000", &first));
    EXPECT_EQ(won.rule_line, 2U);
    auto question = query("60000", &later);
    question.is_later_part = true;
    EXPECT_EQ(bench.decide(question).rule_line, 3U);
    question.first_place = won.place;
    EXPECT_EQ(bench.decide(question).rule_line, 2U);
    const auto explanation = bench.table.explain(question, bench.scratch);
    ASSERT_EQ(explanation.considered.size(), 1U);
    EXPECT_EQ(explanation.considered[0].verdict,
              "won, as it did for the first part of the message");
    question.first_place = 99;  // of another table
    EXPECT_EQ(bench.decide(question).rule_line, 3U);
    // By prefix: places go on to shorter ones.
    auto by_prefix = query("61", &later);
    const auto short_one = bench.decide(by_prefix);
    EXPECT_EQ(short_one.rule_line, 4U);
    by_prefix.is_later_part = true;
    by_prefix.first_place = short_one.place;
    EXPECT_EQ(bench.decide(by_prefix).rule_line, 4U);
}

TEST(MoTable, PlacesMeanTheSameInTablesOfTheSameRules) {
    auto other = rule(3, "60000", 1);
    const MoBench one({rule(2, "60000", 0), other});
    const MoBench same({rule(2, "60000", 0), other});
    other.keyword = "x";
    const MoBench different({rule(2, "60000", 0), other});
    EXPECT_EQ(one.table.content_hash(), same.table.content_hash());
    EXPECT_NE(one.table.content_hash(), different.table.content_hash());
}

TEST(MoTable, OwnsNumbersThatARowOrAnAccountNamesWhole) {
    MoBench bench({rule(2, "60000", 0), rule(3, "4477*", 1), rule(4, "", 2)},
                  {{"447700900123", customer(5)}});
    EXPECT_TRUE(bench.table.owns("60000"));
    EXPECT_TRUE(bench.table.owns("447700900123"));
    EXPECT_FALSE(bench.table.owns("4477"));
    EXPECT_FALSE(bench.table.owns("447700900124"));
    EXPECT_FALSE(bench.table.owns(""));
}

TEST(MoTable, EveryErrorIsNamed) {
    auto bad_text = rule(2, "1", 0);
    bad_text.text = "(open";
    auto bad_number = rule(3, "44x", 0);
    auto bad_source = rule(4, "1", 0);
    bad_source.source = "+44";
    auto two_words = rule(5, "1", 0);
    two_words.keyword = "join now";
    auto long_word = rule(6, "1", 0);
    long_word.keyword = std::string(100, 'a');
    auto no_target = rule(7, "1", 0);
    no_target.targets.clear();
    std::vector<MtTable::BuildError> errors;
    (void)MoTable::build({bad_text, bad_number, bad_source, two_words, long_word, no_target},
                         {{"123", customer(1)}, {"123", customer(2)}, {"", customer(1)}}, errors);
    std::vector<std::pair<uint32_t, std::string>> named;
    for (const auto& error : errors) {
        EXPECT_FALSE(error.text.empty());
        named.emplace_back(error.line, error.column);
    }
    std::sort(named.begin(), named.end());
    const std::vector<std::pair<uint32_t, std::string>> expected = {
        {0, "numbers"}, {0, "numbers"}, {2, "text"},    {3, "number"},
        {4, "source"},  {5, "keyword"}, {6, "keyword"}, {7, "targets"}};
    EXPECT_EQ(named, expected);
}

}  // namespace
}  // namespace sy::route
