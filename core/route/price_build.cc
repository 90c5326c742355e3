// Control plane: sorted rows of prices into a PriceTable.
#include <algorithm>
#include <tuple>

#include <tbb/parallel_sort.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/route/flatten.h"
#include "core/route/price_table.h"

namespace sy::route {

namespace {

using Step = PriceTable::Step;

bool before(const PriceRow& a, const PriceRow& b) {
    // Prefixes (no network) first, as flatten() takes them.
    const bool a_prefix = !a.network.valid();
    const bool b_prefix = !b.network.valid();
    return std::tie(b_prefix, a.network, a.first, a.digits, a.column, a.from, a.line) <
           std::tie(a_prefix, b.network, b.first, b.digits, b.column, b.from, b.line);
}

void add_step(std::vector<Step>& steps, Step step) {
    if (!steps.empty() && steps.back().from == step.from) {
        steps.pop_back();
    }
    const bool same = !steps.empty() && steps.back().line_and_per == step.line_and_per &&
                      steps.back().price == step.price;
    if (!same) {
        steps.push_back(step);
    }
}

Step step_of(const PriceRow& row, Minute from) {
    return {from, row.line * 2 + (row.per_delivery ? 1U : 0U), row.price};
}

// The rows of one account and destination, in the order of their beginnings, as steps: the one that
// began last counts, and where it ends the one before it, if that still lasts.
std::vector<Step> steps_of(std::span<const PriceRow> rows) {
    std::vector<Step> steps;
    add_step(steps, {});
    std::vector<const PriceRow*> open;
    const auto close_until = [&](Minute end) {
        while (!open.empty() && open.back()->until <= end) {
            const Minute at = open.back()->until;
            while (!open.empty() && open.back()->until <= at) {
                open.pop_back();
            }
            add_step(steps, open.empty() ? Step{at, 0, {}} : step_of(*open.back(), at));
        }
    };
    for (const PriceRow& row : rows) {
        close_until(row.from);
        open.push_back(&row);
        add_step(steps, step_of(row, row.from));
    }
    close_until(minute_forever - 1);
    return steps;
}

// `over` where it has a price, else `under`. Both begin at minute 0.
std::vector<Step> laid_over(std::span<const Step> over, std::span<const Step> under) {
    std::vector<Step> steps;
    size_t o = 0;
    size_t u = 0;
    Minute at = 0;
    while (true) {
        Step step = over[o].priced() ? over[o] : under[u];
        step.from = at;
        add_step(steps, step);
        const Minute next_over = o + 1 < over.size() ? over[o + 1].from : minute_forever;
        const Minute next_under = u + 1 < under.size() ? under[u + 1].from : minute_forever;
        at = std::min(next_over, next_under);
        if (at == minute_forever) {
            return steps;
        }
        o += next_over == at ? 1 : 0;
        u += next_under == at ? 1 : 0;
    }
}

}  // namespace

void sort_rows(std::vector<PriceRow>& rows) {
    if (!std::is_sorted(rows.begin(), rows.end(), before)) {
        tbb::parallel_sort(rows.begin(), rows.end(), before);
    }
}

class PriceTableBuilder {
  public:
    PriceTableBuilder(PriceTable& table, std::span<const PriceRow> rows, uint16_t column_count)
        : table_(table), rows_(rows) {
        table_.row_blocks_ =
            (column_count + PriceTable::block_columns - 1) / PriceTable::block_columns;
        table_.blocks_.push_back({});  // without a price
        table_.blocks_of_rows_.assign(table_.row_blocks_, 0);
        table_.steps_.push_back({});
    }

    void build() {
        size_t at = 0;
        while (at < rows_.size() && !rows_[at].network.valid()) {
            groups_.push_back(group_at(at));
            at = groups_.back().end;
        }
        build_prefixes();
        for (; at < rows_.size();) {
            const Group group = group_at(at);
            if (table_.row_of_network_.empty()) {
                table_.row_of_network_.assign(limits::networks_max, 0);
            }
            table_.row_of_network_[rows_[at].network.value] = add_row(group, 0);
            at = group.end;
        }
    }

  private:
    // Rows [begin, end) of one destination.
    struct Group {
        size_t begin = 0;
        size_t end = 0;
    };

    [[nodiscard]] Group group_at(size_t begin) const {
        size_t end = begin + 1;
        while (end < rows_.size() && rows_[begin].same_destination(rows_[end])) {
            ++end;
        }
        return {begin, end};
    }

    void build_prefixes() {
        std::vector<IntervalIndex<uint32_t>::Boundary> boundaries;
        std::vector<uint32_t> row_of_group(groups_.size());
        flatten(
            0, groups_.size(), uint32_t{0},
            [&](size_t i) { return rows_[groups_[i].begin].range(); },
            [&](size_t i, size_t parent) {
                row_of_group[i] =
                    add_row(groups_[i], parent == no_parent ? 0 : row_of_group[parent]);
                return row_of_group[i];
            },
            appended_to(boundaries));
        table_.index_ = IntervalIndex<uint32_t>(boundaries);
    }

    // A row of cells: those of `parent`, and the group's own timelines laid over them.
    uint32_t add_row(const Group& group, uint32_t parent) {
        const uint32_t width = table_.row_blocks_;
        auto& cells = table_.blocks_of_rows_;
        const auto row = static_cast<uint32_t>(cells.size() / width);
        cells.resize(cells.size() + width);
        const std::span all(cells);
        std::ranges::copy(all.subspan(size_t{parent} * width, width),
                          all.subspan(size_t{row} * width, width).begin());
        uint32_t own_block = 0;  // the last one that is this row's own
        for (size_t at = group.begin; at < group.end;) {
            const uint16_t column = rows_[at].column;
            size_t end = at;
            while (end < group.end && rows_[end].column == column) {
                ++end;
            }
            uint32_t& block = cells[size_t{row} * width + column / PriceTable::block_columns];
            if (block != own_block || own_block == 0) {
                const PriceTable::Block copy = table_.blocks_[block];
                own_block = block = static_cast<uint32_t>(table_.blocks_.size());
                table_.blocks_.push_back(copy);
            }
            uint32_t& cell = table_.blocks_[block].cells[column % PriceTable::block_columns];
            cell = add_timeline(rows_.subspan(at, end - at), cell);
            at = end;
        }
        return row;
    }

    uint32_t add_timeline(std::span<const PriceRow> rows, uint32_t under) {
        std::vector<Step> steps = steps_of(rows);
        if (under != 0) {
            std::vector<Step> below(table_.steps_.begin() + under,
                                    table_.steps_.begin() + under + table_.steps_[under].from);
            below.front().from = 0;
            steps = laid_over(steps, below);
        }
        const auto begin = static_cast<uint32_t>(table_.steps_.size());
        SY_ASSERT(table_.steps_.size() + steps.size() <= ~uint32_t{0});
        steps.front().from = static_cast<uint32_t>(steps.size());
        table_.steps_.insert(table_.steps_.end(), steps.begin(), steps.end());
        return begin;
    }

    PriceTable& table_;
    std::span<const PriceRow> rows_;
    std::vector<Group> groups_;  // of prefixes
};

PriceTable::PriceTable(std::span<const PriceRow> rows, uint16_t column_count) {
    for (const PriceRow& row : rows) {
        SY_ASSERT(row.from < row.until && row.column < column_count);
        SY_ASSERT(row.line > 0 && row.line < uint32_t{1} << 31);
    }
    SY_ASSERT(std::ranges::adjacent_find(rows, [](const PriceRow& a, const PriceRow& b) {
                  return !before(a, b) || a.same_key(b);
              }) == rows.end());
    if (!rows.empty()) {
        PriceTableBuilder(*this, rows, column_count).build();
    }
}

size_t PriceTable::bytes() const {
    return index_.bytes() + row_of_network_.size() * sizeof(uint32_t) +
           blocks_of_rows_.size() * sizeof(uint32_t) + blocks_.size() * sizeof(Block) +
           steps_.size() * sizeof(Step);
}

}  // namespace sy::route
