// What must stand in a text for an expression to match it: a list of words, which is found much
// quicker than most expressions are. Pure; control plane only.
#pragma once

#include <cstdint>
#include <string>

namespace sy::match {

struct WiderWords {
    // A list of words (expression_form.h) that matches every text that the expression does. Empty:
    // none is known, or only words too short to be rare.
    std::string expression;
    uint32_t word_count = 0;  // literals that it is compiled to
    bool exact = false;       // the expression itself
    // Another such list, of which a text needs a word as well. Empty: none is known.
    std::string also{};
};

[[nodiscard]] WiderWords wider_words(const std::string& expression);

}  // namespace sy::match
