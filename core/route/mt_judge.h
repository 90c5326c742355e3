// Data plane: whether one MT rule holds for a message, and which one of a prefix wins. Lives on the
// worker's stack for one message.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "core/route/expressions.h"
#include "core/route/message_scan.h"
#include "core/route/mt_impl.h"

namespace sy::route {

// What a rule says of a message: that it holds, or the first condition that does not.
enum class Verdict : uint8_t {
    won,
    customer,
    sender_type,
    data_coding,
    when,
    sender,
    text,
    no_text,
};

// One message as rules see it. What kind of sender it has is found out when a rule first asks.
class Case {
  public:
    Case(const MtQuery& query, const ExactValues& exact, bool is_ported)
        : query_(query), exact_(exact), is_ported_(is_ported) {}

    [[nodiscard]] const MtQuery& query() const { return query_; }
    [[nodiscard]] bool is_ported() const { return is_ported_; }
    /// Its sender_type only where a rule has asked, else `any`.
    [[nodiscard]] const ExactValues& exact() const { return exact_; }
    [[nodiscard]] const ExactValues& exact_for(uint32_t lane) {
        if (RuleIndex::asks_for_sender_type(lane)) {
            know_sender_type();
        }
        return exact_;
    }
    [[nodiscard]] SenderType sender_type() {
        know_sender_type();
        return exact_.sender_type;
    }

  private:
    void know_sender_type() {
        if (exact_.sender_type == SenderType::any) {
            exact_.sender_type = sender_type_of(query_.sender, query_.sender_ton);
        }
    }

    const MtQuery& query_;
    ExactValues exact_;
    bool is_ported_;
};

// Whether one row holds. Cheap conditions first: the scans run only for rules that everything else
// lets through.
class Judge {
  public:
    Judge(const MtTable::Impl& table,
          RouteScratch::Impl& scratch,
          Case& the_case,
          MessageScan& scan)
        : table_(table), scratch_(scratch), case_(the_case), scan_(scan) {}

    [[nodiscard]] Verdict operator()(const MtRow& row) {
        if (row.customer.valid() && row.customer != case_.exact().customer) {
            return Verdict::customer;
        }
        if (row.sender_type != SenderType::any && row.sender_type != case_.sender_type()) {
            return Verdict::sender_type;
        }
        if (row.data_coding >= 0 && row.data_coding != case_.exact().data_coding) {
            return Verdict::data_coding;
        }
        if (row.when.valid() && !holds_at(*table_.whens[row.when.value], case_.query().wall_ns,
                                          scratch_.whens[row.when.value])) {
            return Verdict::when;
        }
        if (row.sender_expression != Expressions::none &&
            !scan_.sender_matches(case_.query().sender, row.sender_expression)) {
            return Verdict::sender;
        }
        if (row.text_expression != Expressions::none &&
            !scan_.text_matches(row.text_expression, row.text_group)) {
            return scan_.has_text() ? Verdict::text : Verdict::no_text;
        }
        return Verdict::won;
    }

    [[nodiscard]] Case& the_case() { return case_; }
    [[nodiscard]] MessageScan& scan() { return scan_; }
    /// `first`: of a lane of this kind.
    [[nodiscard]] std::span<const uint32_t> hits(RuleIndex::LaneKind kind, const MtRow& first) {
        return kind == RuleIndex::LaneKind::text ? scan_.text_hits(first.text_group)
                                                 : scan_.sender_hits(case_.query().sender);
    }

  private:
    const MtTable::Impl& table_;
    RouteScratch::Impl& scratch_;
    Case& case_;
    MessageScan& scan_;
};

// Which row of one prefix wins.
class PrefixSearch {
  public:
    PrefixSearch(const RuleIndex& conditions, Judge& judge)
        : conditions_(conditions), rows_(conditions.rows()), judge_(judge) {}

    /// Null: none holds. `found`: its lanes, in the order of their bits; null: not looked for yet.
    [[nodiscard]] const MtRow* winner(const PrefixIndex::Node& prefix,
                                      const RuleIndex::Range* found) {
        RuleIndex::Tag lanes = prefix.tag & RuleIndex::all_lanes;
        if (lanes == 0) {
            walk({prefix.rows_begin, prefix.rows_end});
            return best_;
        }
        for (; lanes != 0; lanes &= lanes - 1) {
            const auto lane = static_cast<uint32_t>(std::countr_zero(lanes));
            const RuleIndex::Range range =
                found != nullptr
                    ? *found++
                    : conditions_.lane(prefix.rows_begin, lane, judge_.the_case().exact_for(lane));
            const RuleIndex::LaneKind kind = RuleIndex::kind_of(lane);
            // Whose sender it is costs next to nothing (SenderCache), what is in the text a scan:
            // short lanes of texts are walked, their rows may fail by something else.
            if (kind == RuleIndex::LaneKind::plain ||
                (kind == RuleIndex::LaneKind::text && range.size() < RuleIndex::long_lane_min)) {
                walk(range);
            } else if (!range.empty() && rows_[range.begin].rank < best_rank_) {
                enter_by_hits(range, kind);
            }
        }
        return best_;
    }

  private:
    // Rows that come after the best so far are not looked at.
    void walk(RuleIndex::Range range) {
        for (uint32_t i = range.begin; i < range.end && rows_[i].rank < best_rank_; ++i) {
            consider(i);
        }
    }

    void enter_by_hits(RuleIndex::Range range, RuleIndex::LaneKind kind) {
        const std::span<const uint32_t> hits = judge_.hits(kind, rows_[range.begin]);
        if (hits.empty()) {
            return;
        }
        if (hits.size() >= range.size() || range.size() < RuleIndex::long_lane_min) {
            walk(range);
            return;
        }
        for (const uint32_t expression : hits) {
            for (const uint32_t i : conditions_.rows_with(range, expression)) {
                if (rows_[i].rank >= best_rank_) {
                    break;
                }
                consider(i);
            }
        }
    }

    void consider(uint32_t row) {
        if (judge_(rows_[row]) == Verdict::won) {
            best_ = &rows_[row];
            best_rank_ = best_->rank;
        }
    }

    const RuleIndex& conditions_;
    std::span<const MtRow> rows_;
    Judge& judge_;
    const MtRow* best_ = nullptr;
    uint32_t best_rank_ = ~uint32_t{0};
};

}  // namespace sy::route
