// What an expression is for the compiler: a list of words, or a regular expression with or without
// UTF-8 mode; and how large it becomes. Pure functions; control plane only.
//
// A list of words is any expression that stands for a finite list of texts with conditions at their
// ends: "word", "\bword\b", "^word$", "\b(word|list)\b", "colou?r". It is compiled as literals and
// the ends are checked in the match: 20 to 100 times quicker to compile, and the same hits.
//
// Letter case: (?i) folds ASCII letters among themselves. Two characters beyond ASCII fold to
// ASCII letters in Unicode (U+017F to s, U+212A to k): they match only in UTF-8 mode.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sy::match {

/// What must stand beside a word. Word characters are [A-Za-z0-9_], as Hyperscan's \b has them.
enum class Edge : uint8_t {
    anything,
    word_character,
    no_word_character,  // or the end of the text
    end,                // of the text: its beginning on the left side
    end_or_newline,     // right side: the end, or a newline that is the text's last octet
};

struct Word {
    std::string octets;
    bool caseless = false;
    Edge left = Edge::anything;
    Edge right = Edge::anything;

    friend bool operator==(const Word&, const Word&) = default;
    friend auto operator<=>(const Word&, const Word&) = default;
};

struct ExpressionForm {
    std::vector<Word> words;  // empty: a regular expression
    // True where the expression means something else over octets than over characters: it names
    // characters beyond ASCII, or counts "any character". Only such an expression pays for
    // Hyperscan's UTF-8 mode, two to seven times the time to compile and to scan.
    bool utf8_mode = false;
    // Characters with every repeat written out: what the time to compile grows with, at times with
    // its square.
    uint64_t positions = 0;
};

[[nodiscard]] ExpressionForm form_of(std::string_view expression);

// For those who read expressions too.
[[nodiscard]] bool is_ascii_letter(char32_t c);
void append_utf8(char32_t c, std::string& out);
/// An octet so that it means itself in an expression, whatever it is.
void append_literal(char octet, std::string& out);

}  // namespace sy::match
