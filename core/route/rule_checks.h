// Checks that MT and MO rules have in common when a table is built. Control plane only.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/route/mt_table.h"
#include "core/route/number_key.h"

namespace sy::route {

inline void check_digits(const std::string& digits,
                         uint32_t line,
                         const char* column,
                         std::vector<MtTable::BuildError>& errors) {
    if (!is_key_digits(digits)) {
        errors.push_back({line, column,
                          "\"" + digits + "\" is no number: expected at most " +
                              std::to_string(limits::number_digits_max) + " digits"});
    }
}

/// Each target once, at least one, no more than a decision can carry.
template <class TargetId>
void check_targets(const Tiers<TargetId>& tiers,
                   uint32_t line,
                   std::vector<MtTable::BuildError>& errors) {
    std::vector<TargetId> ids;
    for (const auto& tier : tiers) {
        for (const auto& target : tier) {
            ids.push_back(target.id);
        }
    }
    if (ids.empty()) {
        errors.push_back({line, "targets", "no target: expected at least one"});
    }
    if (ids.size() > limits::targets_max) {
        errors.push_back({line, "targets",
                          std::to_string(ids.size()) + " targets: expected at most " +
                              std::to_string(limits::targets_max) + " in all tiers together"});
    }
    std::sort(ids.begin(), ids.end());
    if (std::adjacent_find(ids.begin(), ids.end()) != ids.end()) {
        errors.push_back({line, "targets", "a target stands there twice: expected each once"});
    }
    if (!ids.empty() && !ids.back().valid()) {
        errors.push_back({line, "targets", "a target without an account"});
    }
}

}  // namespace sy::route
