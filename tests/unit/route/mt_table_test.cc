// MT routing by example; tests/model/route_model_test.cc has the random half.
#include "core/route/mt_table.h"

#include "tests/unit/route/route_fixture.h"

namespace sy::route {
namespace {

using testing::message;
using testing::MtBench;
using testing::supplier;
using testing::to_suppliers;
using Kind = MtDecision::Kind;

MtRule rule(uint32_t line, std::string prefix, uint16_t to) {
    MtRule result;
    result.line = line;
    result.plan = "default";
    result.prefix = std::move(prefix);
    result.targets = to_suppliers({{to}});
    return result;
}

MtQuery query(std::string_view destination, const smpp::Sm* sm = nullptr) {
    MtQuery result;
    result.customer = CustomerId{0};
    result.plan = PlanId{0};
    result.destination = destination;
    result.sender = "ACME";
    result.sm = sm;
    return result;
}

TEST(MtTable, WithoutRulesThereIsNoRoute) {
    MtBench bench({});
    EXPECT_EQ(bench.decide(query("447700900123")).kind, Kind::no_route);
    RouteScratch scratch;
    MtDecision decision;
    const MtQuery question = query("44");
    MtTable().decide({&question, 1}, {&decision, 1}, scratch);
    EXPECT_EQ(decision.kind, Kind::no_route);
}

TEST(MtTable, LongestPrefixWins) {
    MtBench bench({rule(2, "", 0), rule(3, "44", 1), rule(4, "4477", 2), rule(5, "4478", 3)});
    EXPECT_EQ(bench.decide(query("447700900123")).targets[0], supplier(2));
    EXPECT_EQ(bench.decide(query("447800900123")).rule_line, 5U);
    EXPECT_EQ(bench.decide(query("4420")).targets[0], supplier(1));
    EXPECT_EQ(bench.decide(query("4")).targets[0], supplier(0));
    EXPECT_EQ(bench.decide(query("")).targets[0], supplier(0));
    EXPECT_EQ(bench.decide(query("12345678901234567890")).targets[0], supplier(0));
}

TEST(MtTable, LowerPriorityThenEarlierRowWins) {
    auto later = rule(2, "44", 0);
    later.priority = 10;
    auto first = rule(3, "44", 1);
    auto same = rule(4, "44", 2);
    auto longer = rule(5, "447", 3);
    longer.priority = 1000;
    MtBench bench({later, first, same, longer});
    EXPECT_EQ(bench.decide(query("4420")).rule_line, 3U);
    EXPECT_EQ(bench.decide(query("4477")).rule_line, 5U);  // the longer prefix comes first
}

TEST(MtTable, RowWhoseConditionsFailIsPassedOverToShorterPrefixes) {
    auto other_customer = rule(2, "4477", 0);
    other_customer.customer = CustomerId{7};
    auto by_sender = rule(3, "447", 1);
    by_sender.sender = "^BANK";
    auto by_text = rule(4, "44", 2);
    by_text.text = "(?i)code";
    auto by_type = rule(5, "4", 3);
    by_type.sender_type = SenderType::long_number;
    auto by_coding = rule(6, "4", 4);
    by_coding.data_coding = 8;
    MtBench bench({other_customer, by_sender, by_text, by_type, by_coding, rule(7, "", 5)});
    const auto plain = message("hello");
    const auto code = message("your CODE is 1234");
    const auto ucs2 = message(std::string_view("\0h", 2), 8);
    EXPECT_EQ(bench.decide(query("447700", &plain)).rule_line, 7U);
    EXPECT_EQ(bench.decide(query("447700", &code)).rule_line, 4U);
    EXPECT_EQ(bench.decide(query("447700", &ucs2)).rule_line, 6U);
    auto question = query("447700", &code);
    question.sender = "BANK1";
    EXPECT_EQ(bench.decide(question).rule_line, 3U);
    question.customer = CustomerId{7};
    EXPECT_EQ(bench.decide(question).rule_line, 2U);
    question = query("447700", &plain);
    question.sender = "447700900456";
    EXPECT_EQ(bench.decide(question).rule_line, 5U);
}

TEST(MtTable, TextIsMatchedAsUtf8AfterDecoding) {
    auto euro = rule(2, "44", 0);
    euro.text = "^€.€$";
    auto at = rule(3, "44", 1);
    at.text = "^@$";
    MtBench bench({euro, at});
    const auto gsm = message("\x1B\x65\x05\x1B\x65");  // € é € in GSM 03.38
    EXPECT_EQ(bench.decide(query("44", &gsm)).rule_line, 2U);
    const auto ucs2 = message(std::string_view("\x20\xAC\x00\xE9\x20\xAC", 6), 8);
    EXPECT_EQ(bench.decide(query("44", &ucs2)).rule_line, 2U);
    const auto at_gsm = message(std::string_view("\0", 1));
    EXPECT_EQ(bench.decide(query("44", &at_gsm)).rule_line, 3U);
    auto latin1 = query("44", &at_gsm);
    latin1.alphabet = Alphabet::latin1;  // 0 is no @ there
    EXPECT_EQ(bench.decide(latin1).kind, Kind::no_route);
}

TEST(MtTable, UserDataHeaderIsNoText) {
    auto start = rule(2, "44", 0);
    start.text = "^second";
    MtBench bench({start});
    auto part = message(std::string_view("\x05\x00\x03\x11\x02\x02second half", 17));
    part.esm_class = smpp::esm_class_udhi;
    EXPECT_EQ(bench.decide(query("44", &part)).rule_line, 2U);
}

TEST(MtTable, BinaryMessageHasNoTextToMatch) {
    auto any_text = rule(2, "44", 0);
    any_text.text = ".*";
    MtBench bench({any_text});
    const auto binary = message("abc", 4);
    EXPECT_EQ(bench.decide(query("44", &binary)).kind, Kind::no_route);
    const auto empty = message("");
    EXPECT_EQ(bench.decide(query("44", &empty)).kind, Kind::route);
}

TEST(MtTable, ScreeningComesFirstForEveryPlan) {
    auto premium = rule(2, "449", 0);
    premium.plan = "*";
    premium.action = Action::reject;
    premium.reject_status = smpp::CommandStatus::esme_rinvdstadr;
    auto spam = rule(3, "", 0);
    spam.plan = "*";
    spam.action = Action::drop;
    spam.text = "(?i)casino";
    auto exact = rule(4, "4490000000", 1);  // longer, but not screening
    auto other = rule(5, "", 2);
    other.plan = "other";
    MtBench bench({premium, spam, exact, rule(6, "", 3), other});
    const auto plain = message("hello");
    const auto casino = message("CASINO!");
    const auto rejected = bench.decide(query("4490000000", &plain));
    EXPECT_EQ(rejected.kind, Kind::reject);
    EXPECT_EQ(rejected.status, smpp::CommandStatus::esme_rinvdstadr);
    EXPECT_EQ(rejected.target_count, 0);
    EXPECT_EQ(bench.decide(query("4420", &casino)).kind, Kind::drop);
    EXPECT_EQ(bench.decide(query("4420", &casino)).rule_line, 3U);
    EXPECT_EQ(bench.decide(query("4420", &plain)).rule_line, 6U);
    auto question = query("4420", &plain);
    question.plan = PlanId{1};
    EXPECT_EQ(bench.decide(question).rule_line, 5U);
    question.sm = &casino;
    EXPECT_EQ(bench.decide(question).kind, Kind::drop);
    question = query("4420", &plain);
    question.plan = PlanId{};  // no plan: screening alone
    EXPECT_EQ(bench.decide(question).kind, Kind::no_route);
}

TEST(MtTable, RejectAndDropInsideAPlan) {
    auto reject = rule(2, "44", 0);
    reject.action = Action::reject;
    reject.reject_status = smpp::CommandStatus::esme_rthrottled;
    auto drop = rule(3, "45", 0);
    drop.action = Action::drop;
    MtBench bench({rule(4, "", 0), reject, drop});
    EXPECT_EQ(bench.decide(query("4420")).status, smpp::CommandStatus::esme_rthrottled);
    EXPECT_EQ(bench.decide(query("4520")).kind, Kind::drop);
    EXPECT_EQ(bench.decide(query("46")).kind, Kind::route);
}

TEST(MtTable, EveryErrorIsNamed) {
    auto bad_sender = rule(2, "44", 0);
    bad_sender.sender = "(open";
    auto bad_both = rule(3, "45", 0);
    bad_both.sender = "[z-a]";
    bad_both.text = "(open";
    auto bad_prefix = rule(4, "44x", 0);
    auto long_prefix = rule(5, "1234567890123456", 0);
    auto no_target = rule(6, "44", 0);
    no_target.targets.clear();
    auto too_many = rule(7, "44", 0);
    too_many.targets =
        to_suppliers({{0, 1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12, 13, 14, 15, 16}});
    auto twice = rule(8, "44", 0);
    twice.targets = to_suppliers({{0}, {1, 0}});
    auto screening_route = rule(9, "44", 0);
    screening_route.plan = "*";
    std::vector<MtTable::BuildError> errors;
    const auto table = MtTable::build({bad_sender, bad_both, bad_prefix, long_prefix, no_target,
                                       too_many, twice, screening_route, rule(10, "44", 0)},
                                      {"default"}, errors);
    std::vector<std::pair<uint32_t, std::string>> named;
    for (const auto& error : errors) {
        EXPECT_FALSE(error.text.empty());
        named.emplace_back(error.line, error.column);
    }
    std::sort(named.begin(), named.end());
    const std::vector<std::pair<uint32_t, std::string>> expected = {
        {2, "sender"},  {3, "sender"},  {3, "text"},    {4, "prefix"}, {5, "prefix"},
        {6, "targets"}, {7, "targets"}, {8, "targets"}, {9, "action"}};
    EXPECT_EQ(named, expected);
    EXPECT_TRUE(table.rules().empty());
}

TEST(MtTable, SixteenTargetsAreTheMost) {
    auto all = rule(2, "44", 0);
    all.targets = to_suppliers({{0, 1, 2, 3, 4, 5, 6, 7}, {8, 9, 10, 11, 12, 13, 14, 15}});
    all.select = Select::order;
    MtBench bench({all});
    const auto decision = bench.decide(query("44"));
    ASSERT_EQ(decision.target_count, 16);
    for (uint16_t i = 0; i < 16; ++i) {
        EXPECT_EQ(decision.targets[i], supplier(i));
    }
}

TEST(MtTable, ExplainNamesEveryRuleConsideredAndWhyItLost) {
    auto other_customer = rule(2, "4477", 0);
    other_customer.customer = CustomerId{7};
    auto by_sender = rule(3, "447", 1);
    by_sender.sender = "^BANK";
    auto by_text = rule(4, "44", 2);
    by_text.text = "code";
    auto by_type = rule(5, "4", 3);
    by_type.sender_type = SenderType::short_code;
    auto by_coding = rule(6, "4", 4);
    by_coding.data_coding = 8;
    MtBench bench({other_customer, by_sender, by_text, by_type, by_coding, rule(7, "", 5),
                   rule(8, "", 6), rule(9, "33", 6)});
    const auto plain = message("hello");
    const auto explanation = bench.table.explain(query("447700", &plain), bench.scratch);
    EXPECT_EQ(explanation.decision.rule_line, 7U);
    ASSERT_EQ(explanation.considered.size(), 6U);
    const std::pair<uint32_t, std::string> expected[] = {
        {2, "is for another customer"},      {3, "sender \"ACME\" does not match \"^BANK\""},
        {4, "text does not match \"code\""}, {5, "sender is alpha, not short"},
        {6, "data_coding is 0, not 8"},      {7, "won"}};
    for (size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(explanation.considered[i].rule->line, expected[i].first);
        EXPECT_EQ(explanation.considered[i].verdict, expected[i].second);
    }
}

TEST(MtTable, WholeBurstDecidesAsOneByOne) {
    std::vector<MtRule> rules;
    for (uint16_t i = 0; i < 40; ++i) {
        rules.push_back(rule(i + 2U, std::to_string(10 + i), i));
    }
    MtBench bench(rules);
    std::vector<std::string> numbers;
    std::vector<MtQuery> queries;
    for (uint32_t i = 0; i < limits::burst; ++i) {
        numbers.push_back(std::to_string(15 + i) + "000000");
    }
    for (const auto& number : numbers) {
        queries.push_back(query(number));
    }
    std::vector<MtDecision> decisions(queries.size());
    bench.table.decide(queries, decisions, bench.scratch);
    for (size_t i = 0; i < queries.size(); ++i) {
        EXPECT_EQ(decisions[i].rule_line, i + 7);
        EXPECT_EQ(decisions[i].targets[0], supplier(static_cast<uint16_t>(i + 5)));
    }
}

}  // namespace
}  // namespace sy::route
