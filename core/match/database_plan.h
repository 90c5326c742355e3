// Expressions to the patterns that Hyperscan compiles, and back from a pattern's id to the
// expressions. The inside of Database; control plane only.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sy::match {

struct ExpressionForm;

struct DatabasePlan {
    // What a match of one pattern means: this expression matches if its ends fit.
    struct Check {
        uint32_t expression;
        uint16_t word_octets;  // 0: no condition
        uint8_t left, right;   // Edge
    };

    // Index i: of pattern i.
    std::vector<std::string> texts;
    std::vector<unsigned> flags;
    std::vector<std::vector<Check>> checks;
    uint64_t cost_us = 0;

    explicit DatabasePlan(std::span<const std::string> expressions);

  private:
    void add(const std::string& expression, uint32_t index);
    void add_pattern(std::string text, unsigned flags_of_it);

    std::map<std::pair<std::string, bool>, uint32_t> literals_;  // each word and case once
};

/// Hyperscan's flags for an expression that is compiled as it is.
[[nodiscard]] unsigned flags_of(const ExpressionForm& form);
[[nodiscard]] uint64_t cost_us_of(const ExpressionForm& form);

}  // namespace sy::match
