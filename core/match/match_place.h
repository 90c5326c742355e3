// Where one expression matches: for people who ask why. Compiles it anew, with Hyperscan's tracking
// of where matches start, which is too slow and too large for scanning. Control plane only, any
// thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sy::match {

/// Octets [first, last) of the text.
struct MatchPlace {
    size_t first = 0;
    size_t last = 0;

    friend bool operator==(const MatchPlace&, const MatchPlace&) = default;
};

/// The leftmost match, and of those that begin there the longest. Nothing where none is, or where
/// Hyperscan cannot say where this expression's matches start. REQUIRES: valid UTF-8; why_refused()
/// has nothing against the expression.
[[nodiscard]] std::optional<MatchPlace> first_match(const std::string& expression,
                                                    std::string_view text);

}  // namespace sy::match
