// Goal: the targets of a rule come in the order that prices, limits, quality and weights give, and
// explain() says the same. Method: random rules, prices, customers' prices and figures; the model
// sorts with plain comparisons.
#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "core/route/mo_table.h"
#include "core/route/mt_table.h"
#include "core/route/quality.h"
#include "core/route/rendezvous.h"
#include "core/route/scratch.h"
#include "tests/model/route_model.h"

namespace sy::route {
namespace {

constexpr uint16_t suppliers = 12;
constexpr uint16_t customers = 4;
constexpr Minute minutes = 20;
const std::vector<std::string> plans = {"default", "gold"};
const std::vector<std::string> prefixes = {"", "4", "44", "49"};
const std::vector<std::string> numbers = {"447700900123", "4930123456", "420", "33"};

struct Priced {
    std::string prefix;
    uint16_t column;
    Minute from;
    int64_t nanos;
};

// Prices that begin and never end: the latest of the longest prefix counts. What PriceTable does
// with all else has a test of its own.
class PriceModel {
  public:
    PriceModel(Prng& prng, uint16_t columns, uint64_t count) {
        for (; count > 0; --count) {
            const Priced row{
                model::pick(prng, prefixes), static_cast<uint16_t>(prng.below(columns)),
                static_cast<Minute>(prng.below(minutes)), static_cast<int64_t>(prng.below(6))};
            const bool repeated = std::ranges::any_of(rows_, [&](const Priced& other) {
                return std::tie(other.prefix, other.column, other.from) ==
                       std::tie(row.prefix, row.column, row.from);
            });
            if (!repeated) {
                rows_.push_back(row);
            }
        }
    }
    [[nodiscard]] const Priced* find(const std::string& number, uint16_t column, Minute now) const {
        const Priced* best = nullptr;
        for (const Priced& row : rows_) {
            if (row.column == column && number.starts_with(row.prefix) && row.from <= now &&
                (best == nullptr || std::tuple(row.prefix.size(), row.from) >
                                        std::tuple(best->prefix.size(), best->from))) {
                best = &row;
            }
        }
        return best;
    }
    [[nodiscard]] bool names(uint16_t column) const {
        return std::ranges::any_of(rows_, [&](const Priced& row) { return row.column == column; });
    }
    /// `claim(column)` gives the column in the table.
    template <class Claim>
    [[nodiscard]] PriceTable table(uint16_t columns, const Claim& claim) const {
        std::vector<PriceRow> out;
        for (const Priced& row : rows_) {
            PriceRow next;
            next.line = 2 + static_cast<uint32_t>(&row - rows_.data());
            next.first = prefix_range(row.prefix).first;
            next.digits = static_cast<uint8_t>(row.prefix.size());
            next.column = claim(row.column);
            next.from = row.from;
            next.price = {row.nanos};
            out.push_back(next);
        }
        sort_rows(out);
        return PriceTable(out, columns);
    }

  private:
    std::vector<Priced> rows_;
};

// Columns of customers' prices: customers, then plans.
struct World {
    PriceModel buy;
    PriceModel sell;
    std::vector<Margin> margins;
    bool with_buy;
    bool with_sell;

    explicit World(Prng& prng)
        : buy(prng, suppliers, prng.below(60)),
          sell(prng, customers + 2, prng.below(12)),
          with_buy(prng.chance(4, 5)),
          with_sell(prng.chance(1, 2)) {
        for (uint16_t i = 0; i < customers; ++i) {
            margins.push_back({static_cast<uint32_t>(prng.below(3) * 5000),
                               {static_cast<int64_t>(prng.below(3))}});
        }
    }

    [[nodiscard]] std::shared_ptr<const Prices> prices() const {
        auto out = std::make_shared<Prices>();
        out->margins = margins;
        out->currency = "EUR";
        if (with_buy) {
            auto tables = std::make_shared<BuyPrices>();
            uint16_t next = 0;
            tables->table = buy.table(suppliers, [&](uint16_t column) {
                return tables->suppliers.claim(SupplierId{column}, next);
            });
            out->buy = std::move(tables);
        }
        if (with_sell) {
            auto tables = std::make_shared<SellPrices>();
            uint16_t next = 0;
            tables->table = sell.table(customers + 2, [&](uint16_t column) {
                return column < customers
                           ? tables->customers.claim(CustomerId{column}, next)
                           : tables->plans.claim(PlanId{static_cast<uint16_t>(column - customers)},
                                                 next);
            });
            out->sell = std::move(tables);
        }
        return out;
    }

    // Largest cost; nothing: no limit.
    [[nodiscard]] std::optional<int64_t> limit(const MtRule& rule, const MtQuery& query) const {
        std::optional<int64_t> out;
        if (rule.max_cost != Money::highest()) {
            out = rule.max_cost.nanos;
        }
        const auto plan_column = static_cast<uint16_t>(customers + query.plan.value);
        if (with_sell && (sell.names(query.customer.value) || sell.names(plan_column))) {
            const std::string number(query.destination);
            const Priced* price = sell.find(number, query.customer.value, query.minute());
            price = price != nullptr ? price : sell.find(number, plan_column, query.minute());
            int64_t most = -1;  // no price: nothing is cheap enough
            if (price != nullptr) {
                const Margin margin = margins[query.customer.value];
                const double share = 1.0 - margin.basis_points / 10'000.0;
                most = std::min(
                    static_cast<int64_t>(std::floor(static_cast<double>(price->nanos) * share)),
                    price->nanos - margin.amount.nanos);
            }
            out = out ? std::min(*out, most) : most;
        }
        return out;
    }

    [[nodiscard]] std::vector<SupplierId> targets(const MtRule& rule,
                                                  const MtQuery& query,
                                                  const QualityBoard& board) const {
        std::vector<SupplierId> out;
        const auto most = limit(rule, query);
        for (const auto& tier : rule.targets) {
            std::vector<std::tuple<int64_t, uint32_t, size_t, SupplierId>> drawn;
            for (const auto& target : tier) {
                const Priced* price = with_buy ? buy.find(std::string(query.destination),
                                                          target.id.value, query.minute())
                                               : nullptr;
                if (most && (price == nullptr || price->nanos > *most)) {
                    continue;
                }
                int64_t rank = 0;
                if (rule.select == Select::cost) {
                    rank = price == nullptr ? std::numeric_limits<int64_t>::max() : price->nanos;
                } else if (rule.select == Select::order) {
                    rank = static_cast<int64_t>(drawn.size());
                } else if (rule.select == Select::quality && !board.explores(query.spread)) {
                    rank = -int64_t{board.score(target.id, NetworkId::none()).value()};
                }
                drawn.emplace_back(rank,
                                   rendezvous_score(query.spread, target.id.value, target.weight),
                                   drawn.size(), target.id);
            }
            std::sort(drawn.begin(), drawn.end());
            for (const auto& each : drawn) {
                out.push_back(std::get<SupplierId>(each));
            }
        }
        return out;
    }
};

void count_quality(Prng& prng,
                   QualityBoard& board,
                   std::vector<std::unique_ptr<QualityCounts>>& of) {
    of.push_back(std::make_unique<QualityCounts>(16));
    board.configure({.window_ns = 60 * second_ns, .samples_min = 10, .explore_every = 4});
    board.merge(second_ns, of);
    for (uint16_t s = 0; s < suppliers; ++s) {
        const uint64_t good = prng.below(4) * 25;
        for (uint64_t i = prng.below(30); i > 0; --i) {
            of[0]->answered(SupplierId{s}, NetworkId::none(), prng.chance(good, 100));
        }
        for (uint64_t i = prng.below(30); i > 0; --i) {
            of[0]->receipt(SupplierId{s}, NetworkId::none(), prng.chance(good, 100),
                           prng.below(100) * second_ns);
        }
    }
    board.merge(2 * second_ns, of);
}

void run_round(Prng& prng, std::map<MtDecision::Kind, uint64_t>& seen) {
    const World world(prng);
    std::vector<MtRule> rules;
    for (uint32_t i = 0; i < 4; ++i) {
        MtRule rule;
        rule.line = i + 2;
        rule.plan = plans[i % 2];
        rule.prefix = i < 2 ? "" : "44";
        rule.select = static_cast<Select>(prng.below(4));
        rule.targets = model::random_targets<SupplierId>(prng);
        if (prng.chance(1, 3)) {
            rule.max_cost = {static_cast<int64_t>(prng.below(6))};
        }
        rules.push_back(rule);
    }
    std::vector<MtTable::BuildError> errors;
    MtTable table = MtTable::build(rules, plans, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text;
    table.set_prices(world.prices());
    RouteScratch scratch;
    ASSERT_TRUE(scratch.prepare(table, MoTable()));
    QualityBoard board(1, 16);
    std::vector<std::unique_ptr<QualityCounts>> counts;
    count_quality(prng, board, counts);
    scratch.use(&board);

    std::vector<MtQuery> queries(1 + prng.below(limits::burst));
    for (MtQuery& query : queries) {
        query.customer = CustomerId{static_cast<uint16_t>(prng.below(customers))};
        query.plan = PlanId{static_cast<uint16_t>(prng.below(2))};
        query.destination = model::pick(prng, numbers);
        query.sender = "ACME";
        query.spread = prng();
        query.wall_ns = prng.below(minutes) * minute_ns + prng.below(minute_ns);
    }
    std::vector<MtDecision> decisions(queries.size());
    table.decide(queries, decisions, scratch);
    for (size_t i = 0; i < queries.size(); ++i) {
        const MtDecision& decision = decisions[i];
        ++seen[decision.kind];
        const auto rule = std::ranges::find(rules, decision.rule_line, &MtRule::line);
        ASSERT_NE(rule, rules.end());
        const auto expected = world.targets(*rule, queries[i], board);
        ASSERT_EQ(decision.kind,
                  expected.empty() ? MtDecision::Kind::too_dear : MtDecision::Kind::route);
        ASSERT_EQ(decision.target_count, expected.size());
        ASSERT_TRUE(std::equal(expected.begin(), expected.end(), decision.targets.begin()));
        const auto explanation = table.explain(queries[i], scratch);
        ASSERT_EQ(explanation.decision.kind, decision.kind);
        ASSERT_EQ(explanation.decision.targets, decision.targets);
        ASSERT_EQ(explanation.limit.empty(), !world.limit(*rule, queries[i]));
        const auto off = std::ranges::count_if(explanation.targets, [](const auto& target) {
            return target.facts.find("off:") != std::string::npos;
        });
        ASSERT_EQ(static_cast<size_t>(off), explanation.targets.size() - expected.size());
    }
}

TEST(ChoiceModel, TargetsAgreeWithTheModel) {
    Prng prng(11);
    std::map<MtDecision::Kind, uint64_t> seen;
    for (int round = 0; round < model::plain_rounds; ++round) {
        ASSERT_NO_FATAL_FAILURE(run_round(prng, seen)) << "round " << round;
    }
    EXPECT_GT(seen[MtDecision::Kind::route], 2U * model::plain_rounds);
    EXPECT_GT(seen[MtDecision::Kind::too_dear], 1U * model::plain_rounds);
}

}  // namespace
}  // namespace sy::route
