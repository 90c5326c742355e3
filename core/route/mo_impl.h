// The compiled form of MO rules, shared by mo_build.cc (control plane) and mo_decide.cc (data
// plane). Immutable once built.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/route/mo_table.h"
#include "core/route/prefix_index.h"
#include "core/route/target_order.h"

namespace sy::route {

// The conditions of one rule; rows of one number stand together in the order of their looks.
struct MoRow {
    KeyRange source;  // keys of the phone's number
    uint32_t rule = 0;
    uint32_t keyword = 0;          // MoTable::Impl::no_keyword: any
    uint32_t text_expression = 0;  // Expressions::none: any
    SupplierId supplier;           // none: any
    WhenId when;                   // none: always
};

struct MoOutcome {
    uint32_t line = 0;
    TargetPool<CustomerId>::Range targets{};
    const MoRule* rule = nullptr;  // copies, reply, cost
};

// Lets a map of strings be asked with a view, so that asking does not allocate.
struct StringHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

struct MoTable::Impl {
    static constexpr uint32_t no_keyword = ~uint32_t{0};

    std::vector<MoRule> rules;  // those of mo.csv, then one a number of a customer
    std::vector<MoRow> rows;
    std::vector<MoOutcome> outcomes;  // of the row with the same index
    TargetPool<CustomerId> targets;
    std::vector<std::shared_ptr<const When>> whens;  // by WhenId
    uint64_t content_hash = 0;
    std::unordered_map<std::string, uint32_t, StringHash, std::equal_to<>> keywords;  // folded
    std::unordered_set<std::string, StringHash, std::equal_to<>> own_numbers;
    PrefixIndex index;

    Impl() : index({}, 1) {}
};

}  // namespace sy::route
