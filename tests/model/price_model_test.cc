// Goal: PriceTable gives the price that its rows say. Method: random rows and random questions; the
// model walks all rows and keeps the best.
#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/route/price_table.h"
#include "tests/model/route_model.h"

namespace sy::route {
namespace {

constexpr uint16_t columns = 37;  // three blocks, the last one not full
constexpr uint16_t networks = 5;
constexpr Minute minutes = 40;

struct TextRow {
    PriceRow row;
    std::string prefix;
};

TextRow random_row(Prng& prng, uint32_t line) {
    TextRow out;
    PriceRow& row = out.row;
    row.line = line;
    row.column = static_cast<uint16_t>(prng.below(prng.chance(1, 2) ? 4 : columns));
    if (prng.chance(1, 4)) {
        row.network = NetworkId{static_cast<uint16_t>(prng.below(networks))};
    } else {
        out.prefix = model::random_digits(prng, prng.chance(1, 10) ? 15 : 3);
        row.first = prefix_range(out.prefix).first;
        row.digits = static_cast<uint8_t>(out.prefix.size());
    }
    row.from = prng.chance(1, 3) ? 0 : static_cast<Minute>(prng.below(minutes));
    row.until = prng.chance(1, 3) ? minute_forever
                                  : row.from + 1 + static_cast<Minute>(prng.below(minutes));
    row.price = {static_cast<int64_t>(prng.below(1000))};
    row.per_delivery = prng.chance(1, 3);
    return out;
}

const PriceRow* by_the_rows(const std::vector<TextRow>& rows,
                            const std::string& number,
                            NetworkId network,
                            uint16_t column,
                            Minute now) {
    const PriceRow* best = nullptr;
    const auto rank = [](const PriceRow& row) {
        return std::tuple(row.network.valid(), row.digits, row.from);
    };
    for (const TextRow& each : rows) {
        const PriceRow& row = each.row;
        const bool here =
            row.network.valid() ? row.network == network : number.starts_with(each.prefix);
        if (here && row.column == column && row.from <= now && now < row.until &&
            (best == nullptr || rank(row) > rank(*best))) {
            best = &row;
        }
    }
    return best;
}

void run_round(Prng& prng, uint64_t& priced) {
    std::vector<TextRow> rows;
    for (uint64_t i = prng.below(prng.chance(1, 4) ? 400 : 30); i > 0; --i) {
        const TextRow row = random_row(prng, static_cast<uint32_t>(i + 1));
        const bool repeated = std::ranges::any_of(
            rows, [&](const TextRow& other) { return other.row.same_key(row.row); });
        if (!repeated) {
            rows.push_back(row);
        }
    }
    std::vector<PriceRow> sorted;
    for (const TextRow& row : rows) {
        sorted.push_back(row.row);
    }
    sort_rows(sorted);
    const PriceTable table(sorted, columns);
    ASSERT_EQ(table.empty(), rows.empty());

    std::vector<std::string> numbers;
    std::vector<uint64_t> keys;
    std::vector<NetworkId> of;
    for (uint64_t i = 1 + prng.below(PriceTable::keys_max); i > 0; --i) {
        numbers.push_back(model::random_digits(prng, 18));
        keys.push_back(number_key(numbers.back()));
        of.push_back(prng.chance(1, 3)
                         ? NetworkId::none()
                         : NetworkId{static_cast<uint16_t>(prng.below(networks + 1))});
    }
    std::vector<PriceTable::Place> places(numbers.size());
    table.locate(keys, of, places);
    for (size_t i = 0; i < numbers.size(); ++i) {
        const auto column = static_cast<uint16_t>(prng.below(prng.chance(1, 2) ? 4 : columns));
        const auto now = static_cast<Minute>(prng.below(2 * minutes + 2));
        const PriceRow* expected = by_the_rows(rows, numbers[i], of[i], column, now);
        const PriceTable::Step* found = table.find(places[i], column, now);
        ASSERT_EQ(found != nullptr, expected != nullptr)
            << numbers[i] << " column " << column << " minute " << now;
        if (expected != nullptr) {
            ++priced;
            ASSERT_EQ(found->line(), expected->line);
            ASSERT_EQ(found->price, expected->price);
            ASSERT_EQ(found->per_delivery(), expected->per_delivery);
        }
    }
}

TEST(PriceModel, TableAgreesWithTheRows) {
    Prng prng(7);
    uint64_t priced = 0;
    for (int round = 0; round < model::plain_rounds; ++round) {
        ASSERT_NO_FATAL_FAILURE(run_round(prng, priced)) << "round " << round;
    }
    EXPECT_GT(priced, 10U * model::plain_rounds);  // the rounds did find prices
}

}  // namespace
}  // namespace sy::route
