// Goal: MtTable::decide() and explain() give what the routing model says. Method: random tables and
// random messages; the model walks all rules one by one and keeps the best.
#include <tuple>

#include "core/route/mo_table.h"
#include "core/route/mt_table.h"
#include "core/route/scratch.h"
#include "tests/model/route_model.h"

namespace sy::route {
namespace {

const std::vector<std::string> plans = {"default", "gold", "silver"};
const std::vector<std::string> expressions = {
    "^A", "(?i)acme", "^\\d+$", "code", "(?i)WIN.*now", "[0-9]{4}", "^.{3}$", "é", "^$", "x?"};
const std::vector<std::string> senders = {"ACME",         "acme",    "",          "12345",
                                          "447700900123", "Caf\xE9", "A\xC3\xA9", "bank"};
const std::vector<std::string> texts = {"",     "code 1234",    "win it now", "abc",
                                        "\x05", "WIN \x05 NOW", "hello",      "x"};

// Screening rules that ask for what stands in a text, and texts with some of it.
const std::vector<std::string> screened_texts = {"(?i)\\bprize\\b",
                                                 "code\\s+[0-9]{4}",
                                                 "(?i)bit\\.ly/[a-z]+",
                                                 "(win|won)\\s+now",
                                                 "café",
                                                 "(?i)offers?",
                                                 "^urgent",
                                                 "[0-9]{6}",
                                                 "o.fe.r"};
const std::vector<std::string> pieces = {"prize",     "PRIZE",
                                         "code 1234", "bit.ly/abc",
                                         "win now",   "caf\x05",
                                         "caf\xE9",   "Offer",
                                         "urgent",    "123456",
                                         " ",         "xyz",
                                         "\x1B\x65",  std::string("o\x1B") + "ffer",
                                         "prices",    "cod",
                                         "bit.ly",    "win"};

std::string random_text(Prng& prng, bool ucs2) {
    const bool little_endian = ucs2 && prng.chance(1, 4);
    std::string text = little_endian ? "\xFF\xFE" : "";
    for (uint64_t i = prng.below(8); i > 0; --i) {
        for (const char c : model::pick(prng, pieces)) {
            text += little_endian ? std::string{c, '\0'}
                    : ucs2        ? std::string{'\0', c}
                                  : std::string{c};
        }
        text += prng.chance(1, 6) ? std::string(2 * prng.below(45), 'x') : "";
    }
    return text;
}

// What a round makes of its tables.
struct Shape {
    uint64_t rules_max = 60;
    bool with_expressions = false;
    bool dense = false;     // many rules behind few prefixes, as a plan of many customers has them
    bool screened = false;  // every other rule is a screening one, and most of them ask for texts
};

std::string random_prefix(Prng& prng, const Shape& shape) {
    if (shape.dense) {
        return prng.chance(1, 2) ? "" : "4";
    }
    if (prng.chance(1, 8)) {
        return "4" + model::random_digits(prng, 6);  // may be a ported number
    }
    return model::random_digits(prng, prng.chance(1, 8) ? 15 : 4);
}

// Zones that change their offset on odd hours, weeks cut into a few spans.
std::vector<std::shared_ptr<const When>> random_whens(Prng& prng) {
    std::vector<std::shared_ptr<const When>> whens;
    for (int i = 0; i < 4; ++i) {
        auto when = std::make_shared<When>();
        for (uint64_t parts = 1 + prng.below(2); parts > 0; --parts) {
            auto zone = std::make_shared<Zone>();
            for (int64_t from = 0; from < 4 * week_seconds;
                 from += 1 + static_cast<int64_t>(prng.below(700'000))) {
                zone->offsets.push_back({from, static_cast<int32_t>(prng.below(90'000)) - 45'000});
            }
            When::Part part{zone, {}};
            for (uint64_t at = prng.below(90'000); at < week_seconds - 90'000;) {
                const uint64_t end = at + 1 + prng.below(80'000);
                part.spans.push_back({static_cast<int32_t>(at), static_cast<int32_t>(end)});
                at = end + 1 + prng.below(80'000);
            }
            when->parts.push_back(part);
        }
        whens.push_back(when);
    }
    return whens;
}

bool model_holds(const When& when, Nanos wall_ns) {
    const auto now = static_cast<int64_t>(wall_ns / second_ns);
    for (const When::Part& part : when.parts) {
        int32_t offset = part.zone->offsets.front().offset_s;
        for (const ZoneOffset& each : part.zone->offsets) {
            offset = each.from_s <= now ? each.offset_s : offset;
        }
        // Some Monday long before.
        const int64_t monday = -4'000 * week_seconds + 4 * day_seconds;
        const int64_t at = (now + offset - monday) % week_seconds;
        for (const WeekSpan& span : part.spans) {
            if (span.begin_s <= at && at < span.end_s) {
                return true;
            }
        }
    }
    return false;
}

MtRule random_rule(Prng& prng,
                   uint32_t line,
                   const Shape& shape,
                   const std::vector<std::shared_ptr<const When>>& whens) {
    MtRule rule;
    const bool with_expressions = shape.with_expressions;
    rule.line = line;
    rule.plan = prng.chance(1, shape.dense ? 300 : 30) ? "*"
                : shape.dense                          ? plans[0]
                                                       : model::pick(prng, plans);
    rule.prefix = random_prefix(prng, shape);
    if (prng.chance(1, 5)) {
        rule.when = model::pick(prng, whens);
    }
    if (prng.chance(1, shape.dense ? 20 : 5)) {
        rule.network = NetworkId{static_cast<uint16_t>(prng.below(4))};
    }
    if (prng.chance(1, 3)) {
        rule.customer = CustomerId{static_cast<uint16_t>(prng.below(3))};
    }
    const uint64_t expression_of = shape.dense ? 2 : 3;
    if (with_expressions && prng.chance(1, expression_of)) {
        rule.sender = model::pick(prng, expressions);
    }
    if (with_expressions && prng.chance(1, expression_of)) {
        rule.text = model::pick(prng, expressions);
    }
    if (prng.chance(1, 4)) {
        rule.sender_type = static_cast<SenderType>(prng.below(4));
    }
    if (prng.chance(1, 5)) {
        rule.data_coding = prng.chance(1, 2) ? 0 : 4;
    }
    if (shape.screened && prng.chance(1, 2)) {
        rule = MtRule();
        rule.line = line;
        rule.plan = "*";
        rule.prefix = random_prefix(prng, shape);
        rule.sender = prng.chance(1, 4) ? model::pick(prng, expressions) : "";
        rule.text = prng.chance(4, 5) ? model::pick(prng, screened_texts) : "";
        rule.data_coding = rule.sender.empty() && rule.text.empty() ? 4 : -1;
    }
    // So that not the first of hundreds always wins, most of the dense ones ask for something.
    if (shape.dense && rule.sender.empty() && rule.text.empty() && rule.when == nullptr) {
        rule.customer = CustomerId{static_cast<uint16_t>(3 + prng.below(200))};
    }
    rule.priority = static_cast<int32_t>(prng.below(shape.dense ? 100 : 4)) - 2;
    if (rule.plan == "*" || prng.chance(1, 4)) {
        rule.action = prng.chance(1, 2) ? Action::reject : Action::drop;
    }
    rule.reject_status = static_cast<smpp::CommandStatus>(prng.below(256));
    rule.select = prng.chance(1, 3) ? Select::order : Select::weight;
    rule.targets = model::random_targets<SupplierId>(prng);
    return rule;
}

SenderType type_of(std::string_view sender, uint8_t ton) {
    if (sender.empty()) {
        return SenderType::any;
    }
    if (ton == 5 || sender.find_first_not_of("0123456789") != std::string_view::npos) {
        return SenderType::alpha;
    }
    return sender.size() <= (ton == 1 ? 6 : 8) ? SenderType::short_code : SenderType::long_number;
}

// Networks by longest prefix and by whole number.
struct NetworkModel {
    std::map<std::string, uint16_t> prefixes;
    std::map<std::string, uint16_t> ported;

    explicit NetworkModel(Prng& prng) {
        for (uint64_t i = prng.below(10); i > 0; --i) {
            prefixes[model::random_digits(prng, 5)] = static_cast<uint16_t>(prng.below(4));
            ported["4" + model::random_digits(prng, 6)] = static_cast<uint16_t>(prng.below(4));
        }
    }
    [[nodiscard]] bool is_ported(std::string_view number) const {
        return ported.contains(std::string(number));
    }
    [[nodiscard]] NetworkId network_of(std::string_view number) const {
        if (is_ported(number)) {
            return NetworkId{ported.at(std::string(number))};
        }
        NetworkId longest;
        for (const auto& [prefix, network] : prefixes) {  // shorter before longer
            longest = number.starts_with(prefix) ? NetworkId{network} : longest;
        }
        return longest;
    }
    [[nodiscard]] NetworkTables tables() const {
        std::vector<PrefixRow> rows;
        for (const auto& [prefix, network] : prefixes) {
            rows.push_back(prefix_row(prefix, network, 0));
        }
        std::vector<PortedRow> numbers;
        for (const auto& [number, network] : ported) {
            numbers.push_back({ported_key(number), 0, network});
        }
        sort_rows(rows);
        sort_rows(numbers);
        const std::vector<Network> by_id = {
            {"00101", "", ""}, {"00102", "", ""}, {"00103", "", ""}, {"00104", "", ""}};
        return {std::make_shared<const Networks>(rows, by_id),
                std::make_shared<const PortedNumbers>(numbers)};
    }
};

class Model {
  public:
    Model(const std::vector<MtRule>& rules, const NetworkModel& networks)
        : rules_(rules), networks_(networks) {}

    const MtRule* winner(const MtQuery& query, model::Matcher& matcher) const {
        const MtRule* screening = best("*", query, matcher);
        return screening != nullptr || query.plan.value >= plans.size()
                   ? screening
                   : best(plans[query.plan.value], query, matcher);
    }

    bool holds(const MtRule& rule, const MtQuery& query, model::Matcher& matcher) const {
        const auto text = model::text_of(*query.sm, query.alphabet);
        // Latin-1 where it is no UTF-8: the one such sender of this test.
        const std::string sender = query.sender == "Caf\xE9" ? "Café" : std::string(query.sender);
        return query.destination.starts_with(rule.prefix) &&
               (!rule.network.valid() || rule.network == networks_.network_of(query.destination)) &&
               (!rule.customer.valid() || rule.customer == query.customer) &&
               (rule.sender_type == SenderType::any ||
                rule.sender_type == type_of(sender, query.sender_ton)) &&
               (rule.when == nullptr || model_holds(*rule.when, query.wall_ns)) &&
               (rule.data_coding < 0 || rule.data_coding == query.sm->data_coding) &&
               (rule.sender.empty() || matcher.matches(rule.sender, sender)) &&
               (rule.text.empty() || (text.present && matcher.matches(rule.text, text.utf8)));
    }

  private:
    const MtRule* best(const std::string& plan,
                       const MtQuery& query,
                       model::Matcher& matcher) const {
        const MtRule* best = nullptr;
        for (const MtRule& rule : rules_) {
            if (rule.plan != plan || !holds(rule, query, matcher)) {
                continue;
            }
            // Rows are looked at in file order, so of equal ones the earlier stays.
            if (best == nullptr || rank(rule, query) > rank(*best, query)) {
                best = &rule;
            }
        }
        return best;
    }

    // The larger wins: whole ported number, network, prefix; longer prefix; lower priority.
    std::tuple<int, size_t, int32_t> rank(const MtRule& rule, const MtQuery& query) const {
        const bool whole = !rule.network.valid() && rule.prefix == query.destination &&
                           networks_.is_ported(query.destination);
        return {whole ? 2 : rule.network.valid() ? 1 : 0, rule.prefix.size(), -rule.priority};
    }

    const std::vector<MtRule>& rules_;
    const NetworkModel& networks_;
};

void expect_as_rule(const MtRule* rule, const MtQuery& query, const MtDecision& decision) {
    using Kind = MtDecision::Kind;
    if (rule == nullptr) {
        ASSERT_EQ(decision.kind, Kind::no_route);
        ASSERT_EQ(decision.rule_line, 0U);
        return;
    }
    ASSERT_EQ(decision.rule_line, rule->line);
    std::vector<SupplierId> targets;
    switch (rule->action) {
        case Action::route:
            ASSERT_EQ(decision.kind, Kind::route);
            targets = model::ordered(rule->targets, rule->select, query.spread);
            break;
        case Action::reject:
            ASSERT_EQ(decision.kind, Kind::reject);
            ASSERT_EQ(decision.status, rule->reject_status);
            break;
        case Action::drop:
            ASSERT_EQ(decision.kind, Kind::drop);
            break;
    }
    ASSERT_EQ(decision.target_count, targets.size());
    ASSERT_TRUE(std::equal(targets.begin(), targets.end(), decision.targets.begin()));
}

// Each rule considered is the winner or does not hold; none twice; the decision is the same.
void expect_explained(const MtTable& table,
                      const MtQuery& query,
                      const MtDecision& decision,
                      RouteScratch& scratch,
                      const Model& model,
                      model::Matcher& matcher) {
    const auto explanation = table.explain(query, scratch);
    ASSERT_EQ(explanation.decision.kind, decision.kind);
    ASSERT_EQ(explanation.decision.rule_line, decision.rule_line);
    ASSERT_EQ(explanation.decision.targets, decision.targets);
    std::vector<uint32_t> lines;
    for (const auto& considered : explanation.considered) {
        const bool won = considered.verdict == "won";
        ASSERT_EQ(won, considered.rule->line == decision.rule_line);
        ASSERT_EQ(won, model.holds(*considered.rule, query, matcher)) << considered.verdict;
        lines.push_back(considered.rule->line);
    }
    std::sort(lines.begin(), lines.end());
    ASSERT_EQ(std::adjacent_find(lines.begin(), lines.end()), lines.end());
}

struct Question {
    std::string destination;
    std::string text;
    smpp::Sm sm;
};

void run_round(Prng& prng, const Shape& shape, model::Matcher& matcher, uint64_t& routed) {
    std::vector<MtRule> rules;
    const auto whens = random_whens(prng);
    for (uint64_t i = 0, count = prng.below(shape.rules_max); i < count; ++i) {
        rules.push_back(random_rule(prng, static_cast<uint32_t>(i + 2), shape, whens));
    }
    const NetworkModel networks(prng);
    std::vector<MtTable::BuildError> errors;
    const MtTable table = MtTable::build(rules, plans, errors, networks.tables());
    ASSERT_TRUE(errors.empty()) << errors.front().text;
    RouteScratch scratch;
    ASSERT_TRUE(scratch.prepare(table, MoTable()));

    const size_t count = 1 + prng.below(limits::burst);
    std::vector<Question> questions(count);
    std::vector<MtQuery> queries(count);
    for (size_t i = 0; i < count; ++i) {
        questions[i].destination = model::random_digits(prng, 18);
        if (!networks.ported.empty() && prng.chance(1, 4)) {
            questions[i].destination = networks.ported.begin()->first;
        }
        const uint8_t data_coding = prng.chance(1, 4)                     ? 4
                                    : shape.screened && prng.chance(1, 4) ? 8
                                                                          : 0;
        questions[i].text =
            shape.screened ? random_text(prng, data_coding == 8) : model::pick(prng, texts);
        questions[i].sm = model::message(questions[i].text, data_coding);
        queries[i].customer = CustomerId{static_cast<uint16_t>(prng.below(4))};
        queries[i].plan = PlanId{static_cast<uint16_t>(prng.below(shape.dense ? 2 : 4))};
        queries[i].destination = questions[i].destination;
        queries[i].sender = model::pick(prng, senders);
        queries[i].sender_ton = static_cast<uint8_t>(prng.below(7));
        queries[i].alphabet = prng.chance(1, 3) ? Alphabet::latin1 : Alphabet::gsm7;
        queries[i].sm = &questions[i].sm;
        queries[i].spread = prng();
        queries[i].wall_ns = prng.below(4 * week_seconds) * second_ns + prng.below(second_ns);
    }
    std::vector<MtDecision> decisions(count);
    table.decide(queries, decisions, scratch);
    std::vector<MtDecision> again(count);  // senders are known now
    table.decide(queries, again, scratch);
    const Model model(rules, networks);
    for (size_t i = 0; i < count; ++i) {
        SCOPED_TRACE("destination " + questions[i].destination);
        ASSERT_NO_FATAL_FAILURE(
            expect_as_rule(model.winner(queries[i], matcher), queries[i], decisions[i]));
        ASSERT_NO_FATAL_FAILURE(
            expect_as_rule(model.winner(queries[i], matcher), queries[i], again[i]));
        ASSERT_NO_FATAL_FAILURE(
            expect_explained(table, queries[i], decisions[i], scratch, model, matcher));
        routed += decisions[i].kind == MtDecision::Kind::route ? 1U : 0U;
    }
}

TEST(MtModel, TableAgreesWithTheModelWithoutExpressions) {
    Prng prng(1);
    model::Matcher matcher;
    uint64_t routed = 0;
    for (int round = 0; round < model::plain_rounds; ++round) {
        ASSERT_NO_FATAL_FAILURE(run_round(prng, {}, matcher, routed)) << "round " << round;
    }
    EXPECT_GT(routed, 2U * model::plain_rounds);  // the rounds did ask something
}

TEST(MtModel, TableAgreesWithTheModelWithExpressions) {
    Prng prng(2);
    model::Matcher matcher;
    uint64_t routed = 0;
    for (int round = 0; round < model::scanning_rounds; ++round) {
        ASSERT_NO_FATAL_FAILURE(run_round(prng, {60, true, false}, matcher, routed))
            << "round " << round;
    }
    EXPECT_GT(routed, 2U * model::scanning_rounds);
}

TEST(MtModel, TableAgreesWithTheModelWhereManyRulesShareAPrefix) {
    Prng prng(3);
    model::Matcher matcher;
    uint64_t routed = 0;
    for (int round = 0; round < model::scanning_rounds / 2; ++round) {
        ASSERT_NO_FATAL_FAILURE(run_round(prng, {600, round % 3 != 0, true}, matcher, routed))
            << "round " << round;
    }
    EXPECT_GT(routed, model::scanning_rounds);
}

TEST(MtModel, TableAgreesWithTheModelOnScreening) {
    Prng prng(4);
    model::Matcher matcher;
    uint64_t routed = 0;
    for (int round = 0; round < 2 * model::scanning_rounds; ++round) {
        const Shape shape{.rules_max = 20, .with_expressions = round % 4 == 0, .screened = true};
        ASSERT_NO_FATAL_FAILURE(run_round(prng, shape, matcher, routed)) << "round " << round;
    }
    EXPECT_GT(routed, model::scanning_rounds);
}

}  // namespace
}  // namespace sy::route
