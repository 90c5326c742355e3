// The first word of a text, in one letter case: what MO rules call the keyword. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace sy::route {

// The longest keyword, in octets of UTF-8: beyond any word that somebody types on a phone. A longer
// first word is no keyword.
inline constexpr size_t keyword_bytes_max = 64;

/// One code point in lower case: simple folding (one to one) of ASCII, Latin-1, Latin Extended-A,
/// Greek and Cyrillic; all others stay as they are.
[[nodiscard]] char32_t fold(char32_t code_point);

// A folded word in its own storage.
struct FoldedWord {
    std::array<char, keyword_bytes_max> octets;
    size_t size = 0;

    [[nodiscard]] std::string_view view() const { return {octets.data(), size}; }
};

/// Folds the whole of `word`; empty if it has no room. REQUIRES: valid UTF-8.
[[nodiscard]] FoldedWord fold_word(std::string_view word);

/// From the first character that is no space to the next that is: ASCII white space, U+00A0.
[[nodiscard]] std::string_view first_word(std::string_view text);

/// The word without punctuation at its end: people send "STOP." and "stop!".
[[nodiscard]] std::string_view without_punctuation(std::string_view word);

}  // namespace sy::route
