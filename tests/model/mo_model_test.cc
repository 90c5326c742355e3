// Goal: MoTable::decide() and explain() give what the routing model says. Method: random tables and
// random messages; the model walks all rules one by one and keeps the best.
#include "core/route/mo_table.h"
#include "core/route/scratch.h"
#include "tests/model/route_model.h"

namespace sy::route {
namespace {

const std::vector<std::string> expressions = {"(?i)stop", "[0-9]{4}", "^.{4}$", "now$", "^$"};
const std::vector<std::string> keywords = {"STOP", "join", "Now", "stop!", "\xC3\x89t\xC3\xA9"};
// In GSM 03.38: 0x1F is a capital E with acute, 0x05 a small one.
const std::vector<std::string> texts = {"",          "stop",    "STOP.",           " Stop! now",
                                        "join 1234", "JOIN",    "please join",     "\x1FT\x05",
                                        "\x05t\x1F", "now now", "stop\nit please", "joined"};
// The first words of these texts in lower case, with and without punctuation, written by hand.
const std::map<std::string, std::vector<std::string>> first_words = {
    {"", {}},
    {"stop", {"stop"}},
    {"STOP.", {"stop.", "stop"}},
    {" Stop! now", {"stop!", "stop"}},
    {"join 1234", {"join"}},
    {"JOIN", {"join"}},
    {"please join", {"please"}},
    {"\x1FT\x05", {"été"}},
    {"\x05t\x1F", {"été"}},
    {"now now", {"now"}},
    {"stop\nit please", {"stop"}},
    {"joined", {"joined"}},
};
const std::map<std::string, std::string> small_keywords = {
    {"STOP", "stop"}, {"join", "join"}, {"Now", "now"}, {"stop!", "stop!"}, {"Été", "été"}};

// A When of whole days; its text has an x for each day on which it holds, from Monday.
std::shared_ptr<const When> random_when(Prng& prng) {
    static const auto zone = std::make_shared<const Zone>(Zone{"UTC", {{0, 0}}});
    auto when = std::make_shared<When>();
    std::vector<WeekSpan> spans;
    for (int32_t day = 0; day < 7; ++day) {
        const bool holds = prng.chance(1, 2);
        when->text += holds ? 'x' : '-';
        const auto begin = static_cast<int32_t>(day * day_seconds);
        const auto end = static_cast<int32_t>(begin + day_seconds);
        if (holds && !spans.empty() && spans.back().end_s == begin) {
            spans.back().end_s = end;
        } else if (holds) {
            spans.push_back({begin, end});
        }
    }
    if (!spans.empty()) {
        when->parts = {{zone, spans}};
    }
    return when;
}

// 1970-01-01 was a Thursday.
size_t week_day(Nanos wall_ns) {
    return (wall_ns / second_ns / static_cast<uint64_t>(day_seconds) + 3) % 7;
}

MoRule random_rule(Prng& prng, uint32_t line, bool with_expressions) {
    MoRule rule;
    rule.line = line;
    rule.number = model::random_digits(prng, prng.chance(1, 8) ? 15 : 4);
    rule.number_is_prefix = rule.number.empty() || prng.chance(1, 2);
    if (prng.chance(1, 3)) {
        rule.supplier = SupplierId{static_cast<uint16_t>(prng.below(3))};
    }
    if (prng.chance(1, 4)) {
        rule.source = model::random_digits(prng, 2);
    }
    if (prng.chance(1, 3)) {
        rule.keyword = model::pick(prng, keywords);
    }
    if (with_expressions && prng.chance(1, 3)) {
        rule.text = model::pick(prng, expressions);
    }
    if (prng.chance(1, 4)) {
        rule.when = random_when(prng);
    }
    if (prng.chance(1, 4)) {
        rule.copies = {CustomerId{static_cast<uint16_t>(100 + prng.below(5))}};
    }
    rule.priority = static_cast<int32_t>(prng.below(4)) - 2;
    rule.select = prng.chance(1, 3) ? Select::order : Select::weight;
    rule.targets = model::random_targets<CustomerId>(prng);
    return rule;
}

struct Question {
    std::string number;
    std::string source;
    std::string octets;
    smpp::Sm sm;
};

class Model {
  public:
    Model(const std::vector<MoRule>& rules,
          const std::vector<std::pair<std::string, CustomerId>>& numbers)
        : rules_(rules), numbers_(numbers) {}

    static bool holds(const MoRule& rule,
                      const MoQuery& query,
                      const std::string& octets,
                      model::Matcher& matcher) {
        const bool number_holds = rule.number_is_prefix ? query.number.starts_with(rule.number)
                                                        : rule.number == query.number;
        const auto text = model::text_of(*query.sm, query.alphabet);
        bool keyword_holds = rule.keyword.empty();
        if (!keyword_holds && text.present && !query.is_later_part) {
            const auto& words = first_words.at(octets);
            keyword_holds = std::find(words.begin(), words.end(),
                                      small_keywords.at(rule.keyword)) != words.end();
        }
        return number_holds && keyword_holds &&
               (!rule.supplier.valid() || rule.supplier == query.supplier) &&
               query.source.starts_with(rule.source) &&
               (rule.when == nullptr || rule.when->text[week_day(query.wall_ns)] == 'x') &&
               (rule.text.empty() || (text.present && matcher.matches(rule.text, text.utf8)));
    }

    // The line of the winner, 0 for an account's number, and its targets.
    struct Answer {
        bool routed = false;
        uint32_t line = 0;
        std::vector<CustomerId> targets;
        std::vector<CustomerId> copies = {};
    };
    Answer answer(const MoQuery& query, const std::string& octets, model::Matcher& matcher) const {
        const MoRule* best = nullptr;
        for (const MoRule& rule : rules_) {
            if (holds(rule, query, octets, matcher) &&
                (best == nullptr || rank(rule) < rank(*best))) {
                best = &rule;
            }
        }
        if (best == nullptr || best->number_is_prefix) {
            for (const auto& [number, customer] : numbers_) {
                if (number == query.number) {
                    return {true, 0, {customer}};
                }
            }
        }
        if (best == nullptr) {
            return {};
        }
        return {true, best->line, model::ordered(best->targets, best->select, query.spread),
                best->copies};
    }

  private:
    // Smaller is better; of equal ones the earlier row stays.
    static std::tuple<bool, int, bool, int32_t> rank(const MoRule& rule) {
        return {rule.number_is_prefix, -static_cast<int>(rule.number.size()), rule.keyword.empty(),
                rule.priority};
    }

    const std::vector<MoRule>& rules_;
    const std::vector<std::pair<std::string, CustomerId>>& numbers_;
};

std::vector<std::pair<std::string, CustomerId>> random_numbers(Prng& prng) {
    std::map<std::string, CustomerId> numbers;
    for (uint64_t i = 0, count = prng.below(6); i < count; ++i) {
        numbers["4" + model::random_digits(prng, 3)] =
            CustomerId{static_cast<uint16_t>(50 + prng.below(5))};
    }
    return {numbers.begin(), numbers.end()};
}

void expect_explained(const MoTable& table,
                      const MoQuery& query,
                      const std::string& octets,
                      const MoDecision& decision,
                      RouteScratch& scratch,
                      model::Matcher& matcher) {
    const auto explanation = table.explain(query, scratch);
    ASSERT_EQ(explanation.decision.routed, decision.routed);
    ASSERT_EQ(explanation.decision.rule_line, decision.rule_line);
    ASSERT_EQ(explanation.decision.targets, decision.targets);
    uint32_t winners = 0;
    for (const auto& considered : explanation.considered) {
        const bool won = considered.verdict == "won";
        ASSERT_EQ(won, Model::holds(*considered.rule, query, octets, matcher))
            << considered.verdict;
        winners += won ? 1U : 0U;
    }
    ASSERT_EQ(winners, decision.routed ? 1U : 0U);
}

// Whatever a later part says, it goes where the first one went, and all that comes with it.
void expect_followed(const MoTable& table,
                     MoQuery query,
                     const MoDecision& first,
                     RouteScratch& scratch) {
    const smpp::Sm other = model::message("stop 9999 now", 0);
    query.sm = &other;
    query.wall_ns += 3 * Nanos{day_seconds} * second_ns;
    query.is_later_part = true;
    query.first_place = first.place;
    MoDecision later;
    table.decide({&query, 1}, {&later, 1}, scratch);
    ASSERT_EQ(later.rule_line, first.rule_line);
    ASSERT_EQ(later.targets, first.targets);
    ASSERT_EQ(later.copies, first.copies);
}

void run_round(Prng& prng, bool with_expressions, model::Matcher& matcher, uint64_t& routed) {
    std::vector<MoRule> rules;
    for (uint64_t i = 0, count = prng.below(50); i < count; ++i) {
        rules.push_back(random_rule(prng, static_cast<uint32_t>(i + 2), with_expressions));
    }
    const auto numbers = random_numbers(prng);
    std::vector<MtTable::BuildError> errors;
    const MoTable table = MoTable::build(rules, numbers, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text;
    RouteScratch scratch;
    ASSERT_TRUE(scratch.prepare(MtTable(), table));

    const size_t count = 1 + prng.below(limits::burst);
    std::vector<Question> questions(count);
    std::vector<MoQuery> queries(count);
    for (size_t i = 0; i < count; ++i) {
        Question& question = questions[i];
        question.number = model::random_digits(prng, prng.chance(1, 4) ? 16 : 4);
        question.source = model::random_digits(prng, 12);
        question.octets = model::pick(prng, texts);
        question.sm = model::message(question.octets, prng.chance(1, 6) ? 4 : 0);
        queries[i].supplier = SupplierId{static_cast<uint16_t>(prng.below(4))};
        queries[i].number = question.number;
        queries[i].source = question.source;
        queries[i].sm = &question.sm;
        queries[i].spread = prng();
        queries[i].wall_ns = prng.below(20) * Nanos{day_seconds} * second_ns;
        queries[i].is_later_part = prng.chance(1, 6);
    }
    std::vector<MoDecision> decisions(count);
    table.decide(queries, decisions, scratch);
    const Model model(rules, numbers);
    for (size_t i = 0; i < count; ++i) {
        SCOPED_TRACE("number " + questions[i].number + ", text " + questions[i].octets);
        const auto expected = model.answer(queries[i], questions[i].octets, matcher);
        ASSERT_EQ(decisions[i].routed, expected.routed);
        ASSERT_EQ(decisions[i].rule_line, expected.line);
        ASSERT_EQ(decisions[i].target_count, expected.targets.size());
        ASSERT_TRUE(std::equal(expected.targets.begin(), expected.targets.end(),
                               decisions[i].targets.begin()));
        ASSERT_NO_FATAL_FAILURE(expect_explained(table, queries[i], questions[i].octets,
                                                 decisions[i], scratch, matcher));
        ASSERT_TRUE(std::equal(expected.copies.begin(), expected.copies.end(),
                               decisions[i].copies.begin(),
                               decisions[i].copies.begin() + decisions[i].copy_count));
        routed += decisions[i].routed ? 1U : 0U;
        if (decisions[i].routed) {
            ASSERT_NO_FATAL_FAILURE(expect_followed(table, queries[i], decisions[i], scratch));
        }
    }
}

TEST(MoModel, TableAgreesWithTheModelWithoutExpressions) {
    Prng prng(3);
    model::Matcher matcher;
    uint64_t routed = 0;
    for (int round = 0; round < model::plain_rounds; ++round) {
        ASSERT_NO_FATAL_FAILURE(run_round(prng, false, matcher, routed)) << "round " << round;
    }
    EXPECT_GT(routed, 2U * model::plain_rounds);  // the rounds did ask something
}

TEST(MoModel, TableAgreesWithTheModelWithExpressions) {
    Prng prng(4);
    model::Matcher matcher;
    uint64_t routed = 0;
    for (int round = 0; round < model::scanning_rounds; ++round) {
        ASSERT_NO_FATAL_FAILURE(run_round(prng, true, matcher, routed)) << "round " << round;
    }
    EXPECT_GT(routed, 2U * model::scanning_rounds);
}

}  // namespace
}  // namespace sy::route
