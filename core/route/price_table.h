// What a message costs: prices by destination, by account (a column) and by time. Built once by the
// control thread from checked rows, then immutable; any worker looks up bursts. Nothing is parsed,
// locked or allocated at a lookup, and nothing has to happen when a price begins: its minute is in
// the table.
//
// A row prices a network, or a prefix (which may be empty: every destination). Which row counts for
// a message: of those in effect at its minute the one for its network, else the longest prefix; of
// several for the same the one that began last.
//
// How: the timelines of nested prefixes are laid over each other when the table is built, so that a
// message needs one interval search, for all accounts together, and an account's price is then a
// cell and a step in a short timeline.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/route/interval_index.h"
#include "core/route/money.h"
#include "core/route/number_key.h"

namespace sy::route {

inline constexpr uint64_t minute_ns = 60'000'000'000;

/// Minutes since 1970, UTC.
using Minute = uint32_t;
inline constexpr Minute minute_forever = ~Minute{0};

struct PriceRow {
    uint64_t first = 0;  // prefix_range(prefix).first; 0 with a network
    Money price;
    uint32_t line = 0;              // of the file, for people
    Minute from = 0;                // in effect from this minute on
    Minute until = minute_forever;  // and up to this one, which is not
    uint16_t column = 0;            // the account, as the caller numbers them
    NetworkId network;              // valid: the row prices a network
    uint8_t digits = 0;             // of the prefix
    bool per_delivery = false;      // owed when delivered; else when submitted

    [[nodiscard]] bool same_destination(const PriceRow& other) const {
        return network == other.network && first == other.first && digits == other.digits;
    }
    [[nodiscard]] bool same_key(const PriceRow& other) const {
        return same_destination(other) && column == other.column && from == other.from;
    }
    [[nodiscard]] KeyRange range() const {
        const unsigned bits = 4 * (key_digits - digits);
        return {first, bits == 64 ? ~uint64_t{0} : first | ((uint64_t{1} << bits) - 1)};
    }
};

/// Into the order that PriceTable takes: equal keys by line. In parallel.
void sort_rows(std::vector<PriceRow>& rows);

class PriceTable {
  public:
    static constexpr size_t keys_max = IntervalIndex<uint32_t>::keys_max;

    /// From a minute on, up to that of the next step. The first step of a timeline begins at minute
    /// 0; in the table its `from` is the number of steps instead.
    struct Step {
        Minute from = 0;
        uint32_t line_and_per = 0;  // line * 2 + per_delivery; 0: no price from here on
        Money price;

        [[nodiscard]] bool priced() const { return line_and_per != 0; }
        [[nodiscard]] uint32_t line() const { return line_and_per >> 1; }
        [[nodiscard]] bool per_delivery() const { return (line_and_per & 1) != 0; }
    };
    static_assert(sizeof(Step) == 16);

    PriceTable() = default;
    /// REQUIRES: sort_rows() order, no two rows same_key(), from < until, columns below
    /// `column_count`, lines from 1 to 2^31 - 1.
    PriceTable(std::span<const PriceRow> rows, uint16_t column_count);

    [[nodiscard]] bool empty() const { return steps_.empty(); }
    /// Some row prices a network, so destinations have to be resolved.
    [[nodiscard]] bool by_network() const { return !row_of_network_.empty(); }

    /// Where the prices of a destination stand.
    struct Place {
        uint32_t by_prefix = 0;
        uint32_t by_network = 0;
    };
    /// REQUIRES: as many of each, at most keys_max.
    void locate(std::span<const uint64_t> keys,
                std::span<const NetworkId> networks,
                std::span<Place> places) const;
    /// The price of an account at that minute; null: none is in effect.
    [[nodiscard]] const Step* find(Place place, uint16_t column, Minute now) const {
        const Step* step = step_at(place.by_network, column, now);
        return step != nullptr ? step : step_at(place.by_prefix, column, now);
    }

    /// Two steps on the way of find(), for many accounts and messages before the first one is
    /// asked for: a price list does not fit into the caches.
    void prefetch_cells(Place place, uint16_t column) const {
        for (const uint32_t row : {place.by_network, place.by_prefix}) {
            __builtin_prefetch(&block(row, column));
        }
    }
    void prefetch_steps(Place place, uint16_t column) const {
        for (const uint32_t row : {place.by_network, place.by_prefix}) {
            __builtin_prefetch(&steps_[cell(row, column)]);
        }
    }

    [[nodiscard]] size_t bytes() const;

  private:
    friend class PriceTableBuilder;

    // Columns stand in blocks of a cache line, which destinations share until a row tells them
    // apart. A cell is the first step of its timeline; 0: none.
    static constexpr uint32_t block_columns = 16;
    struct alignas(64) Block {
        std::array<uint32_t, block_columns> cells{};
    };

    // Row 0 has a block without prices.
    [[nodiscard]] const Block& block(uint32_t row, uint16_t column) const {
        return blocks_[blocks_of_rows_[size_t{row} * row_blocks_ + column / block_columns]];
    }
    [[nodiscard]] uint32_t cell(uint32_t row, uint16_t column) const {
        return block(row, column).cells[column % block_columns];
    }
    [[nodiscard]] const Step* step_at(uint32_t row, uint16_t column, Minute now) const {
        const uint32_t begin = row == 0 ? 0 : cell(row, column);
        if (begin == 0) {
            return nullptr;
        }
        // The last step that has begun; the first one always has.
        const Step* first = &steps_[begin];
        for (uint32_t count = first->from; count > 1;) {
            const uint32_t half = count / 2;
            first = first[half].from <= now ? first + half : first;
            count -= half;
        }
        return first->priced() ? first : nullptr;
    }

    IntervalIndex<uint32_t> index_;         // keys to rows of cells; row 0: no prefix
    std::vector<uint32_t> row_of_network_;  // by NetworkId; empty: no row prices a network
    std::vector<uint32_t> blocks_of_rows_;
    std::vector<Block> blocks_;
    std::vector<Step> steps_;  // the first one is nobody's
    uint32_t row_blocks_ = 0;  // a row of cells
};

}  // namespace sy::route
