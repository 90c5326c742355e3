// Where a rule's expression matched, for explain. Control plane only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/match/match_place.h"

namespace sy::route {

struct Found {
    const char* column = "";  // of the table: "sender", "text"
    std::string expression;
    std::optional<match::MatchPlace> place;  // octets of the UTF-8; none: Hyperscan cannot say
    std::string matched;                     // what stands there
};

/// REQUIRES: the expression matches the text, which is UTF-8.
[[nodiscard]] inline Found found_in(const char* column,
                                    const std::string& expression,
                                    std::string_view text) {
    Found found{column, expression, match::first_match(expression, text), {}};
    if (found.place) {
        found.matched = text.substr(found.place->first, found.place->last - found.place->first);
    }
    return found;
}

}  // namespace sy::route
