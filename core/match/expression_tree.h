// An expression as a tree, for those questions about it that Hyperscan does not answer: is it a
// list of words, does it need UTF-8 mode, how large does it become. Control plane only.
//
// The parser knows the common part of PCRE's syntax exactly. Anything else (comments, \Q, (?x),
// control characters, quantifiers on quantifiers ...) gives no tree: the caller then takes the slow
// and safe way.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sy::match {

enum class NodeKind : uint8_t {
    character,    // one character
    set,          // one character of some
    assertion,    // nothing, at a place
    sequence,     // all children, one behind the other
    alternation,  // one of the children
    repeat,       // the only child, min to max times
};

enum class Assertion : uint8_t {
    text_begin,
    text_end,
    text_end_or_newline,  // "$": also before a newline that ends the text
    word_boundary,
    no_word_boundary,
    line,  // "^" and "$" under (?m)
};

// Which characters beyond ASCII a set holds.
enum class Wide : uint8_t { none, all, some };

struct Node {
    static constexpr uint32_t unbounded = ~uint32_t{0};

    NodeKind kind = NodeKind::sequence;
    bool caseless = false;      // character, set: under (?i)
    bool as_written = true;     // character: stands in the expression itself, not as \x...
    bool listed = false;        // set: `ascii` is exact (no \s, no [:alpha:])
    Wide wide = Wide::none;     // set
    Assertion assertion{};      // assertion
    char32_t character = 0;     // character
    std::bitset<128> ascii{};   // set
    uint32_t min = 0, max = 0;  // repeat
    std::vector<uint32_t> children{};
};

struct ExpressionTree {
    std::vector<Node> nodes;
    uint32_t root = 0;
};

/// Nothing for what is not understood, be it wrong or only unusual.
[[nodiscard]] std::optional<ExpressionTree> parse_expression(std::string_view expression);

}  // namespace sy::match
