// Control plane: the rules of each prefix into lanes.
#include "core/route/rule_index.h"

#include <algorithm>
#include <tuple>

#include "core/base/assert.h"
#include "core/route/expressions.h"

namespace sy::route {
namespace {

uint32_t anchor_of(const MtRow& row, RuleIndex::LaneKind kind) {
    return kind == RuleIndex::LaneKind::text ? row.text_expression : row.sender_expression;
}

ExactValues values_of(const MtRow& row) {
    return {row.customer, static_cast<uint8_t>(row.data_coding), row.sender_type};
}

bool asks_for_nothing(const MtRow& row) {
    return !row.customer.valid() && row.sender_type == SenderType::any && row.data_coding < 0 &&
           !row.when.valid() && row.sender_expression == Expressions::none &&
           row.text_expression == Expressions::none;
}

}  // namespace

uint32_t RuleIndex::lane_of(const MtRow& row) {
    const LaneKind kind = row.text_expression != Expressions::none     ? LaneKind::text
                          : row.sender_expression != Expressions::none ? LaneKind::sender
                                                                       : LaneKind::plain;
    return static_cast<uint32_t>(kind) * shape_count + (row.customer.valid() ? asks_customer : 0) +
           (row.sender_type != SenderType::any ? asks_sender_type : 0) +
           (row.data_coding >= 0 ? asks_data_coding : 0);
}

RuleIndex::Tag RuleIndex::add_prefix(std::span<MtRow> rows) {
    const auto begin = static_cast<uint32_t>(draft_.rows.size());
    Tag tag = 0;
    for (uint32_t i = 0; i < rows.size(); ++i) {
        rows[i].rank = i;
        tag |= rows[i].sender_expression != Expressions::none ? asks_senders : 0;
        tag |= rows[i].text_expression != Expressions::none ? asks_texts : 0;
    }
    if (rows.size() <= walk_max) {
        tag |= !rows.empty() && asks_for_nothing(rows.front()) ? first_holds : 0;
        draft_.rows.insert(draft_.rows.end(), rows.begin(), rows.end());
        if ((tag & asks_texts) != 0) {
            draft_.text_ranges.push_back({begin, static_cast<uint32_t>(draft_.rows.size())});
        }
        return tag;
    }
    const auto key = [&](const MtRow& row) {
        return lane_key(begin, lane_of(row), values_of(row));
    };
    std::sort(rows.begin(), rows.end(), [&](const MtRow& a, const MtRow& b) {
        return std::tuple(key(a), a.rank) < std::tuple(key(b), b.rank);
    });
    draft_.rows.insert(draft_.rows.end(), rows.begin(), rows.end());
    const auto end = static_cast<uint32_t>(draft_.rows.size());
    for (Range lane{begin, begin}; lane.begin < end; lane.begin = lane.end) {
        const uint64_t lanes_key = key(draft_.rows[lane.begin]);
        while (lane.end < end && key(draft_.rows[lane.end]) == lanes_key) {
            ++lane.end;
        }
        tag |= add_lane(begin, lane);
    }
    return tag;
}

RuleIndex::Tag RuleIndex::add_lane(uint32_t rows_begin, Range range) {
    const MtRow& first = draft_.rows[range.begin];
    const uint32_t lane = lane_of(first);
    const uint64_t key = lane_key(rows_begin, lane, values_of(first));
    if (kind_of(lane) == LaneKind::plain) {
        drop_hopeless(range);
    } else if (range.size() >= long_lane_min) {
        add_anchors(range, kind_of(lane));
    }
    if (kind_of(lane) == LaneKind::text) {
        draft_.text_ranges.push_back(range);
    }
    draft_.lanes.push_back({key, range});
    return Tag{1} << lane;
}

// Of plain rows only the first with each `when` can win, and none behind one that always holds. The
// others go to the end, outside of the lane: explain() alone still looks at them.
void RuleIndex::drop_hopeless(Range& lane) {
    std::vector<WhenId> seen;
    std::vector<MtRow> kept;
    std::vector<MtRow> dropped;
    for (uint32_t i = lane.begin; i < lane.end; ++i) {
        const MtRow& row = draft_.rows[i];
        const bool hopeless = std::ranges::binary_search(seen, row.when) ||
                              (!kept.empty() && !kept.back().when.valid());
        (hopeless ? dropped : kept).push_back(row);
        if (!hopeless) {
            seen.insert(std::ranges::upper_bound(seen, row.when), row.when);
        }
    }
    std::ranges::copy(dropped, std::ranges::copy(kept, draft_.rows.begin() + lane.begin).out);
    lane.end = lane.begin + static_cast<uint32_t>(kept.size());
}

void RuleIndex::add_anchors(Range lane, LaneKind kind) {
    const auto anchor = [&](uint32_t row) { return anchor_of(draft_.rows[row], kind); };
    const auto begin = static_cast<uint32_t>(anchored_rows_.size());
    for (uint32_t i = lane.begin; i < lane.end; ++i) {
        anchored_rows_.push_back(i);
    }
    std::sort(anchored_rows_.begin() + begin, anchored_rows_.end(), [&](uint32_t a, uint32_t b) {
        return std::tuple(anchor(a), a) < std::tuple(anchor(b), b);
    });
    const auto end = static_cast<uint32_t>(anchored_rows_.size());
    for (Range range{begin, begin}; range.begin < end; range.begin = range.end) {
        const uint32_t expression = anchor(anchored_rows_[range.begin]);
        while (range.end < end && anchor(anchored_rows_[range.end]) == expression) {
            ++range.end;
        }
        draft_.anchors.push_back({anchor_key(lane.begin, expression), range});
    }
}

void RuleIndex::finish() {
    rows_ = HugeArray<MtRow>(draft_.rows);
    lanes_ = RangeTable(draft_.lanes);
    anchors_ = RangeTable(draft_.anchors);
    draft_ = Draft{};
    anchored_rows_.shrink_to_fit();
}

}  // namespace sy::route
