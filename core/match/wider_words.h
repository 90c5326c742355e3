// What must stand in a text for an expression to match it: a list of words, which is found much
// quicker than most expressions are. Pure; control plane only.
#pragma once

#include <string>
#include <vector>

#include "core/match/expression_form.h"

namespace sy::match {

struct WiderWords {
    // A list of words (expression_form.h) that matches every text that the expression does. Empty:
    // none is known, or only words too short to be rare.
    std::string expression;
    std::vector<Word> words;  // of `expression`
    bool exact = false;       // the expression itself
    std::vector<Word> also;   // a text needs one of these as well; empty: none is known
};

[[nodiscard]] WiderWords wider_words(const std::string& expression);

}  // namespace sy::match
