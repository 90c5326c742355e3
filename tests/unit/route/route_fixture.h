// What the route tests share: short ways to write rules, messages and questions.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/route/mo_table.h"
#include "core/route/mt_table.h"
#include "core/route/scratch.h"

namespace sy::route::testing {

inline SupplierId supplier(uint16_t value) {
    return {value};
}
inline CustomerId customer(uint16_t value) {
    return {value};
}

/// One tier a list: {{0}} is supplier 0 alone, {{0, 1}, {2}} two and then one.
inline Tiers<SupplierId> to_suppliers(const std::vector<std::vector<uint16_t>>& ids) {
    Tiers<SupplierId> tiers;
    for (const auto& tier : ids) {
        tiers.emplace_back();
        for (const uint16_t id : tier) {
            tiers.back().push_back({supplier(id), 1});
        }
    }
    return tiers;
}
inline Tiers<CustomerId> to_customers(const std::vector<uint16_t>& ids) {
    Tiers<CustomerId> tiers(1);
    for (const uint16_t id : ids) {
        tiers[0].push_back({customer(id), 1});
    }
    return tiers;
}

/// A message with this GSM text (ASCII letters are the same there).
inline smpp::Sm message(std::string_view text, uint8_t data_coding = 0) {
    smpp::Sm sm;
    sm.short_message = as_octets(text);
    sm.data_coding = data_coding;
    return sm;
}

inline void expect_no_errors(const std::vector<MtTable::BuildError>& errors) {
    for (const auto& error : errors) {
        ADD_FAILURE() << "line " << error.line << ", " << error.column << ": " << error.text;
    }
}

// An MT table with its plans "default" (0) and "other" (1) and a scratch.
class MtBench {
  public:
    explicit MtBench(std::vector<MtRule> rules) {
        std::vector<MtTable::BuildError> errors;
        table = MtTable::build(std::move(rules), {"default", "other"}, errors);
        expect_no_errors(errors);
        EXPECT_TRUE(scratch.prepare(table, MoTable()));
    }
    MtDecision decide(const MtQuery& query) {
        MtDecision decision;
        table.decide({&query, 1}, {&decision, 1}, scratch);
        return decision;
    }

    MtTable table;
    RouteScratch scratch;
};

class MoBench {
  public:
    explicit MoBench(std::vector<MoRule> rules,
                     std::vector<std::pair<std::string, CustomerId>> numbers = {}) {
        std::vector<MtTable::BuildError> errors;
        table = MoTable::build(std::move(rules), std::move(numbers), errors);
        expect_no_errors(errors);
        EXPECT_TRUE(scratch.prepare(MtTable(), table));
    }
    MoDecision decide(const MoQuery& query) {
        MoDecision decision;
        table.decide({&query, 1}, {&decision, 1}, scratch);
        return decision;
    }

    MoTable table;
    RouteScratch scratch;
};

}  // namespace sy::route::testing
