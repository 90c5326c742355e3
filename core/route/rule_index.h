// The rules of one prefix by what they ask for exactly, so that a decision does not walk those of
// other customers, sender types and data codings. Built by the control thread (rule_index.cc), then
// immutable; read by every worker.
//
// A prefix with few rules is walked as it is. The rules of any other stand in lanes: those that ask
// for the same fields with the same values, apart by whether a text expression, a sender expression
// or neither stands among their conditions. A message has one lane for each set of fields that
// rules of the prefix ask for (at most 24), found by hashing its own values. Inside a lane rules
// are walked by rank; a long lane of expressions is entered by the expressions that matched.
//
// What stays linear: rules of one prefix that differ in nothing but `when`, by the number of
// different `when`; those with one expression and the same exact conditions.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/huge_array.h"
#include "core/base/ids.h"
#include "core/base/limits.h"
#include "core/route/range_table.h"
#include "core/route/rules.h"
#include "core/route/when.h"

namespace sy::route {

// The conditions of one rule and what becomes of a message when it wins, two to a cache line.
struct alignas(32) MtRow {
    static constexpr uint8_t all_texts = 0xFF;

    uint32_t rule = 0;               // among the rules that the table was built of
    uint32_t line = 0;               // its line, for people
    uint32_t outcome = 0;            // among the table's
    uint32_t sender_expression = 0;  // Expressions::none: any
    uint32_t text_expression = 0;
    uint32_t rank = 0;    // among the rows of its prefix: the lower wins
    CustomerId customer;  // none: any
    WhenId when;          // none: always
    int16_t data_coding = -1;
    SenderType sender_type = SenderType::any;
    uint8_t text_group = all_texts;  // what its text is scanned for: text_groups.h
};
static_assert(sizeof(MtRow) == 32);

/// What a message offers to the exact conditions.
struct ExactValues {
    CustomerId customer;
    uint8_t data_coding = 0;
    SenderType sender_type = SenderType::any;
};

class RuleIndex {
  public:
    // Up to here a walk over all rows is faster than the lanes: bench/rule_bench.
    static constexpr uint32_t walk_max = 8;
    // From here on the rows of a lane are looked up by their expressions.
    static constexpr uint32_t long_lane_min = 16;

    using Range = RowRange;
    // In the order in which they are looked at: texts last, they are scanned only if need be.
    enum class LaneKind : uint8_t { plain, sender, text };
    // Sets of customer, sender_type, data_coding.
    static constexpr uint32_t asks_customer = 1;
    static constexpr uint32_t asks_sender_type = 2;
    static constexpr uint32_t asks_data_coding = 4;
    static constexpr uint32_t shape_count = 8;
    static constexpr uint32_t lane_count = 3 * shape_count;
    static_assert(lane_count + 3 <= 32);

    static constexpr LaneKind kind_of(uint32_t lane) {
        return static_cast<LaneKind>(lane / shape_count);
    }
    static constexpr bool asks_for_sender_type(uint32_t lane) {
        return (lane & asks_sender_type) != 0;
    }

    // What is to be known of a prefix before its rows are looked at: a bit for each lane that it
    // has (none: its rows are walked), whether some row has an expression, and whether its rows are
    // walked and the first of them asks for nothing.
    using Tag = uint32_t;
    static constexpr Tag all_lanes = (Tag{1} << lane_count) - 1;
    static constexpr Tag asks_senders = Tag{1} << lane_count;
    static constexpr Tag asks_texts = Tag{2} << lane_count;
    static constexpr Tag first_holds = Tag{4} << lane_count;

    /// Control plane. Adds the rows of the next prefix, whose ranks are their places in `rows`.
    /// Reorders them.
    [[nodiscard]] Tag add_prefix(std::span<MtRow> rows);
    /// Control plane, before finish(): each(std::span<MtRow>) for the rows of every lane of texts,
    /// and of every prefix that is walked and has some.
    template <class Each>
    void each_text_range(const Each& each) {
        for (const Range& range : draft_.text_ranges) {
            each(std::span(draft_.rows).subspan(range.begin, range.size()));
        }
    }
    /// Control plane: the last prefix was added.
    void finish();

    [[nodiscard]] std::span<const MtRow> rows() const { return rows_.span(); }

    /// The rows of one lane whose exact conditions all hold, by rank. `rows_begin`: of the prefix.
    [[nodiscard]] Range lane(uint32_t rows_begin, uint32_t lane, const ExactValues& values) const {
        return lanes_.find(place_of(rows_begin, lane, values));
    }
    /// The same in two steps; the first fetches what the second looks at.
    using LanePlace = RangeTable::Place;
    [[nodiscard]] LanePlace place_of(uint32_t rows_begin,
                                     uint32_t lane,
                                     const ExactValues& values) const {
        return lanes_.place_of(lane_key(rows_begin, lane, values));
    }
    [[nodiscard]] Range lane(LanePlace place) const { return lanes_.find(place); }
    /// The rows of a long lane with this expression, by rank. REQUIRES: a lane of expressions of
    /// at least long_lane_min rows.
    [[nodiscard]] std::span<const uint32_t> rows_with(Range lane, uint32_t expression) const {
        const Range range = anchors_.find(anchor_key(lane.begin, expression));
        return std::span(anchored_rows_).subspan(range.begin, range.size());
    }

    [[nodiscard]] size_t bytes() const {
        return rows_.bytes() + lanes_.bytes() + anchors_.bytes() +
               anchored_rows_.size() * sizeof(uint32_t);
    }

  private:
    // A key holds all that it stands for, so equal keys are equal lanes.
    static uint64_t lane_key(uint32_t rows_begin, uint32_t lane, const ExactValues& values) {
        uint64_t key = uint64_t{rows_begin} << 32 | uint64_t{lane} << 2;
        if ((lane & asks_customer) != 0) {
            key |= uint64_t{values.customer.value} << 16;
        }
        if ((lane & asks_sender_type) != 0) {
            key |= static_cast<uint64_t>(values.sender_type);
        }
        if ((lane & asks_data_coding) != 0) {
            key |= uint64_t{values.data_coding} << 8;
        }
        return key;
    }
    static uint64_t anchor_key(uint32_t lane_begin, uint32_t expression) {
        return uint64_t{lane_begin} << 32 | expression;
    }
    static_assert(lane_count <= 1u << 5, "lane_key keeps five bits for the lane");

    static uint32_t lane_of(const MtRow& row);
    Tag add_lane(uint32_t rows_begin, Range range);
    void add_anchors(Range lane, LaneKind kind);
    void drop_hopeless(Range& lane);

    HugeArray<MtRow> rows_;
    RangeTable lanes_;    // to rows
    RangeTable anchors_;  // to anchored_rows_
    std::vector<uint32_t> anchored_rows_;

    // Until finish().
    struct Draft {
        std::vector<MtRow> rows;
        std::vector<RangeTable::Entry> lanes;
        std::vector<RangeTable::Entry> anchors;
        std::vector<Range> text_ranges;
    };
    Draft draft_;
};

}  // namespace sy::route
