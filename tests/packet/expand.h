// First pass over a packet script: includes, definitions, loops, conditions, macros, matrices and
// {expressions} are gone behind it; what is left is one step a line.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/packet/script.h"

namespace sy::test {

struct Expansion {
    std::vector<ScriptLine> lines;
    bool ipv4 = true;
    bool ipv6 = true;
    std::vector<size_t> matrix_sizes{};  // in order of their lines
    std::string combination{};
};

/// `choices` picks the row of each matrix line; missing ones are 0.
[[nodiscard]] Result<Expansion> expand_script(const std::string& file,
                                              const ScriptLoader& load,
                                              const std::vector<size_t>& choices,
                                              const std::map<std::string, std::string>& variables);

/// Value of an expression of integers, + - * / and parentheses.
[[nodiscard]] Result<int64_t> evaluate(std::string_view expression,
                                       const std::map<std::string, std::string>& variables);

}  // namespace sy::test
