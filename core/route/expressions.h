// Collects the expressions of one column of a table while it is built, each distinct one once, and
// turns what Hyperscan refuses into one error for every row that has it. Control plane only.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/match/pattern_set.h"
#include "core/route/mt_table.h"

namespace sy::route {

class Expressions {
  public:
    static constexpr uint32_t none = ~uint32_t{0};

    /// The id of the expression in the compiled set; none for an empty one.
    uint32_t add(const std::string& expression, uint32_t line, const char* column);
    /// `running` (the same set of the running snapshot) and `cache` may be null.
    [[nodiscard]] match::PatternSet compile(const char* set_name,
                                            const match::PatternSet* running,
                                            match::DatabaseCache* cache,
                                            std::vector<MtTable::BuildError>& errors) const;

  private:
    struct Use {
        uint32_t id;
        uint32_t line;
        const char* column;
    };

    std::vector<std::string> expressions_;
    std::unordered_map<std::string, uint32_t> ids_;
    std::vector<Use> uses_;
};

}  // namespace sy::route
