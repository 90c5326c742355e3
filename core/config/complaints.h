// Collects the complaints about one file, places them, and bounds their number. Control plane only.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"

namespace sy::config {

/// 1-based; 0 is unknown and not printed. Columns count characters, not octets.
struct Position {
    uint32_t line = 0;
    uint32_t column = 0;
};

class Complaints {
  public:
    /// Of each severity this many are kept; the rest is counted (a table with one wrong column
    /// would otherwise print a million lines).
    static constexpr uint32_t shown_max = 100;

    explicit Complaints(std::string file) : file_(std::move(file)) {}

    void error(Position at, std::string text);
    void warning(Position at, std::string text);
    /// error() with hint() behind the text; the hint is not worked out when it is not shown.
    void error_with_hint(Position at,
                         std::string text,
                         std::string_view word,
                         std::span<const std::string_view> candidates);

    /// Adds those of a later part of the file.
    void take(const Complaints& later);

    /// Warnings of an earlier load of the same content, counts included.
    void repeat(const std::vector<Diagnostic>& warnings);

    /// In order of their places, then the counts of what is not shown.
    void append_to(std::vector<Diagnostic>& out) const;

    [[nodiscard]] bool any_error() const { return error_count_ != 0; }
    [[nodiscard]] const std::string& file() const { return file_; }

  private:
    std::string file_;
    std::vector<Diagnostic> kept_;
    uint32_t error_count_ = 0;
    uint32_t warning_count_ = 0;
};

/// The candidate that a person most likely meant by `word`; empty if none is near.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> candidates);

/// ", did you mean 'x'?" or ", expected one of a, b, c" (the first few).
[[nodiscard]] std::string hint(std::string_view word, std::span<const std::string_view> candidates);

/// "a, b, c".
[[nodiscard]] std::string joined(std::span<const std::string_view> words,
                                 std::string_view separator = ", ");

/// `text` in quotes for a message: cut when long, control characters replaced.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace sy::config
