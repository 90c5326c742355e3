// Cost, limits and quality by example; tests/model/choice_model_test.cc has the random half.
#include <functional>
#include <memory>

#include "core/route/quality.h"
#include "tests/unit/route/route_fixture.h"

namespace sy::route {
namespace {

using testing::customer;
using testing::MtBench;
using testing::supplier;
using testing::to_suppliers;
using Kind = MtDecision::Kind;

constexpr Minute noon = 1000;

PriceRow price(uint16_t column, std::string_view prefix, int64_t nanos) {
    PriceRow row;
    row.line = column + 2U;
    row.column = column;
    row.first = prefix_range(prefix).first;
    row.digits = static_cast<uint8_t>(prefix.size());
    row.price = {nanos};
    return row;
}

// Column i is supplier i; of customers' prices customer i.
std::shared_ptr<Prices> prices_of(std::vector<PriceRow> buy, std::vector<PriceRow> sell = {}) {
    auto out = std::make_shared<Prices>();
    out->currency = "EUR";
    sort_rows(buy);
    sort_rows(sell);
    auto bought = std::make_shared<BuyPrices>();
    uint16_t next = 0;
    for (uint16_t i = 0; i < 16; ++i) {
        bought->suppliers.claim(supplier(i), next);
    }
    bought->table = PriceTable(buy, 16);
    out->buy = bought;
    if (!sell.empty()) {
        auto sold = std::make_shared<SellPrices>();
        sold->customers.claim(customer(0), next = 0);
        sold->table = PriceTable(sell, 1);
        out->sell = sold;
    }
    return out;
}

MtRule rule(Select select, std::vector<std::vector<uint16_t>> tiers) {
    MtRule result;
    result.line = 2;
    result.plan = "default";
    result.select = select;
    result.targets = to_suppliers(std::move(tiers));
    return result;
}

MtQuery query(std::string_view destination, uint64_t spread = 1) {
    MtQuery result;
    result.customer = customer(0);
    result.plan = PlanId{0};
    result.destination = destination;
    result.spread = spread;
    result.wall_ns = noon * minute_ns;
    return result;
}

std::vector<uint16_t> targets(const MtDecision& decision) {
    std::vector<uint16_t> ids;
    for (size_t i = 0; i < decision.target_count; ++i) {
        ids.push_back(decision.targets[i].value);
    }
    return ids;
}

using Ids = std::vector<uint16_t>;

TEST(Choice, CheapestFirstInsideItsTierAndWithoutAPriceLast) {
    MtBench bench({rule(Select::cost, {{0, 1, 2}, {3, 4}})});
    bench.table.set_prices(
        prices_of({price(0, "44", 30), price(2, "44", 10), price(3, "", 5), price(4, "", 2)}));
    EXPECT_EQ(targets(bench.decide(query("447700900123"))), (Ids{2, 0, 1, 4, 3}));
    const auto without = bench.decide(query("4930"));  // only the second tier has prices there
    EXPECT_EQ((Ids{without.targets[3].value, without.targets[4].value}), (Ids{4, 3}));
}

TEST(Choice, EqualPricesAreSpreadByWeight) {
    auto spread = rule(Select::cost, {{0, 1, 2}});
    spread.targets[0][0].weight = 3;
    MtBench bench({spread});
    bench.table.set_prices(prices_of({price(0, "", 10), price(1, "", 10), price(2, "", 11)}));
    int first = 0;
    for (uint64_t i = 0; i < 10'000; ++i) {
        const Ids ids = targets(bench.decide(query("44", i)));
        first += ids[0] == 0 ? 1 : 0;
        ASSERT_EQ(ids[2], 2);
    }
    EXPECT_NEAR(first, 7'500, 200);
}

// The same table, asked minute by minute: nothing is loaded in between.
TEST(Choice, PriceCountsFromTheMinuteItBegins) {
    auto dearer = price(0, "44", 50);
    dearer.from = noon;
    auto away = price(1, "44", 20);
    away.until = noon + 2;
    MtBench bench({rule(Select::cost, {{0, 1}})});
    bench.table.set_prices(prices_of({price(0, "44", 10), dearer, away}));
    auto question = query("44");
    const auto first_at = [&](Minute now) {
        question.wall_ns = now * minute_ns;
        return bench.decide(question).targets[0].value;
    };
    EXPECT_EQ(first_at(noon - 1), 0);
    EXPECT_EQ(first_at(noon), 1);
    EXPECT_EQ(first_at(noon + 1), 1);
    EXPECT_EQ(first_at(noon + 2), 0);  // supplier 1 has no price any more
}

TEST(Choice, LimitTakesOffTheDearAndTheUnpricedInEveryMode) {
    for (const Select select : {Select::weight, Select::order, Select::cost, Select::quality}) {
        auto limited = rule(select, {{0, 1, 2}, {3}});
        limited.max_cost = {30};
        MtBench bench({limited});
        bench.table.set_prices(prices_of({price(0, "", 31), price(1, "", 30), price(3, "", 1)}));
        EXPECT_EQ(targets(bench.decide(query("44"))), (Ids{1, 3}));
    }
}

TEST(Choice, NeverSentAtALoss) {
    MtBench bench({rule(Select::order, {{0}, {1}})});
    auto prices = prices_of({price(0, "", 100), price(1, "", 80)}, {price(0, "44", 100)});
    bench.table.set_prices(prices);
    EXPECT_EQ(targets(bench.decide(query("44"))), (Ids{0, 1}));
    prices->margins = {Margin{1'000, {}}};
    EXPECT_EQ(targets(bench.decide(query("44"))), (Ids{1}));
    prices->margins = {Margin{0, {21}}};
    EXPECT_EQ(bench.decide(query("44")).kind, Kind::too_dear);
    EXPECT_EQ(bench.decide(query("44")).rule_line, 2U);
    EXPECT_EQ(bench.decide(query("49")).kind, Kind::too_dear);  // not for sale there
    auto other = query("49");
    other.customer = customer(1);  // sell.csv does not speak of this one
    EXPECT_EQ(targets(bench.decide(other)), (Ids{0, 1}));
}

TEST(Choice, ExplainNamesPricesLimitsAndWhatIsOff) {
    MtBench bench({rule(Select::cost, {{0, 1, 2}})});
    auto per_delivery = price(1, "", 40'000'000);
    per_delivery.per_delivery = true;
    bench.table.set_prices(
        prices_of({price(0, "", 60'000'000), per_delivery}, {price(0, "", 50'000'000)}));
    const auto explanation = bench.table.explain(query("44"), bench.scratch);
    EXPECT_EQ(explanation.limit, "at most 0.05 EUR (the customer pays 0.05 EUR, sell.csv line 2)");
    ASSERT_EQ(explanation.targets.size(), 3U);
    EXPECT_EQ(explanation.targets[0].facts,
              "price 0.06 EUR a submit (prices.csv line 2); off: above the limit");
    EXPECT_EQ(explanation.targets[1].facts, "price 0.04 EUR a delivery (prices.csv line 3)");
    EXPECT_EQ(explanation.targets[2].facts, "no price now; off: a limit needs a price");
    EXPECT_EQ(targets(explanation.decision), (Ids{1}));
    EXPECT_EQ(bench.table.explain(query("44"), bench.scratch).decision.kind, Kind::route);
}

TEST(Choice, BetterSupplierFirstAndABadOneIsStillLookedAt) {
    QualityBoard board(1, 16);
    std::vector<std::unique_ptr<QualityCounts>> counts;
    counts.push_back(std::make_unique<QualityCounts>(16));
    board.configure({.window_ns = 60 * second_ns, .samples_min = 10, .explore_every = 50});
    board.merge(second_ns, counts);
    for (int i = 0; i < 100; ++i) {
        counts[0]->answered(supplier(0), NetworkId::none(), i < 20);
        counts[0]->answered(supplier(1), NetworkId::none(), i < 95);
    }
    board.merge(2 * second_ns, counts);
    MtBench bench({rule(Select::quality, {{0, 1, 2}})});
    bench.scratch.use(&board);
    std::array<int, 3> first{};
    for (uint64_t i = 0; i < 30'000; ++i) {
        ++first[bench.decide(query("44", i)).targets[0].value];
    }
    // One in 50 is spread over all three.
    EXPECT_NEAR(first[0], 200, 60);
    EXPECT_NEAR(first[2], 200, 60);
    EXPECT_GT(first[1], 29'400);
    const Ids usual = {1, 2, 0};  // 95 %, 90 % assumed, 20 %
    uint64_t spread = 0;
    while (board.explores(spread)) {
        ++spread;
    }
    EXPECT_EQ(targets(bench.decide(query("44", spread))), usual);
    const auto explanation = bench.table.explain(query("44", spread), bench.scratch);
    EXPECT_EQ(explanation.targets[0].facts,
              "quality 20 %: 20 % of 100 accepted, over all networks");
    EXPECT_EQ(explanation.targets[2].facts,
              "quality 90 % (assumed: 0 answers are too few), over all networks");
}

}  // namespace
}  // namespace sy::route
