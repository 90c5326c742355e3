// The words of a table's text expressions (match/wider_words.h), found out when they are first
// wanted. Control plane only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/match/wider_words.h"

namespace sy::route {

class KnownWords {
  public:
    /// By id.
    explicit KnownWords(std::vector<std::string> expressions)
        : expressions_(std::move(expressions)), words_(expressions_.size()) {}

    [[nodiscard]] uint32_t expression_count() const {
        return static_cast<uint32_t>(expressions_.size());
    }
    const match::WiderWords& of(uint32_t expression) {
        std::optional<match::WiderWords>& words = words_[expression];
        if (!words) {
            words = match::wider_words(expressions_[expression]);
        }
        return *words;
    }

  private:
    std::vector<std::string> expressions_;
    std::vector<std::optional<match::WiderWords>> words_;
};

}  // namespace sy::route
