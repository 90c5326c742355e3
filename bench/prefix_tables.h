// Synthetic prefix tables with the shape of real ones, for the benchmarks of the prefix index: 230
// country codes of 1 to 3 digits, sized by Zipf's law; in each, blocks of 3 to 7 digits for its 2
// to 6 networks, price-list prefixes inside them, and full numbers that were ported to another
// network of the same country. Two thirds of a large table are full numbers, spread over the
// blocks: one number in 20 to 500, by country. Same seed, same table.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/base/prng.h"
#include "core/route/class_index.h"

namespace sy::bench {

struct PrefixTable {
    std::vector<route::PrefixRow> rows;  // in no order
    uint32_t classes = 0;
};

inline std::string digits_of(const route::PrefixRow& row) {
    std::string digits;
    for (unsigned i = 0; i < row.digits; ++i) {
        digits += static_cast<char>('0' + ((row.first >> (60 - 4 * i)) & 0xF));
    }
    return digits;
}

class PrefixTableMaker {
  public:
    PrefixTableMaker(size_t row_count, uint64_t seed) : prng_(seed), wanted_(row_count) {
        seen_.reserve(2 * row_count);
    }

    [[nodiscard]] PrefixTable make() {
        constexpr uint32_t countries = 230;
        double weights = 0;
        for (uint32_t i = 0; i < countries; ++i) {
            weights += 1.0 / (i + 3.0);
        }
        std::unordered_set<std::string> codes;
        while (codes.size() < countries) {
            // "1" and "7" are whole; the others have two or three digits, none inside another.
            std::string code = random_digits(prng_.chance(1, 6) ? 2 : 3);
            code = codes.empty() ? "1" : codes.size() == 1 ? "7" : code;
            if (codes.contains(code.substr(0, 1)) || codes.contains(code.substr(0, 2)) ||
                codes.contains(code)) {
                continue;
            }
            const double share = 1.0 / (static_cast<double>(codes.size()) + 3.0) / weights;
            codes.insert(code);
            country(code, static_cast<size_t>(share * static_cast<double>(wanted_)));
        }
        while (table_.rows.size() > wanted_) {
            table_.rows.pop_back();
        }
        return std::move(table_);
    }

  private:
    std::string random_digits(size_t count) {
        std::string digits(1, static_cast<char>('1' + prng_.below(9)));
        while (digits.size() < count) {
            digits += static_cast<char>('0' + prng_.below(10));
        }
        return digits;
    }
    void add(const std::string& digits, uint32_t answer) {
        const auto row = route::prefix_row(digits, static_cast<uint16_t>(answer), 0);
        if (seen_.insert(mix64(row.first) ^ digits.size()).second) {
            table_.rows.push_back(row);
        }
    }

    void country(const std::string& code, size_t rows) {
        const auto networks = static_cast<uint32_t>(2 + prng_.below(5));
        const uint32_t first = table_.classes;
        table_.classes += networks;
        const auto network = [&] { return first + static_cast<uint32_t>(prng_.below(networks)); };
        const size_t length = code.size() + 8 + prng_.below(code.size() < 3 ? 3 : 2);
        add(code, first);
        // Blocks of 10^5 or 10^6 numbers, as many as give the country's density of ported numbers.
        const size_t block_digits = length - 5 - prng_.below(2);
        const size_t full = rows * 2 / 3;
        const size_t one_in = 20 + prng_.below(480);
        const auto block_numbers = std::pow(10.0, static_cast<double>(length - block_digits));
        const size_t blocks =
            1 + static_cast<size_t>(static_cast<double>(full * one_in) / block_numbers);
        std::vector<std::string> names;
        const std::string lead = code + random_digits(1);
        for (size_t i = 0; i < blocks; ++i) {
            std::string block = lead;
            while (block.size() < block_digits) {
                block += static_cast<char>('0' + prng_.below(10));
            }
            add(block, network());
            names.push_back(block);
        }
        for (size_t i = names.size(); i < rows; ++i) {
            std::string digits = names[prng_.below(names.size())];
            const size_t to = i < full + names.size() ? length : digits.size() + 1 + prng_.below(3);
            while (digits.size() < to) {
                digits += static_cast<char>('0' + prng_.below(10));
            }
            add(digits, network());
        }
    }

    Prng prng_;
    size_t wanted_;
    PrefixTable table_;
    std::unordered_set<uint64_t> seen_;
};

}  // namespace sy::bench
