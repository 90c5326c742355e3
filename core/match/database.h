// Expressions compiled into one Hyperscan database, words as literals with their ends checked in
// the match. Immutable and shared: a later pattern set can stand on it, whatever ids it gives.
// Compiled by the control thread or one that works for it; any thread scans, each with a scratch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/match/database_plan.h"
#include "core/match/match_set.h"

struct hs_database;
struct hs_scratch;

namespace sy::match {

/// What was wrong with one expression.
struct PatternError {
    size_t index = 0;  // into the expressions that were given
    std::string text;
};

/// The largest ExpressionForm::positions that is compiled: the slowest expressions that were found
/// below it take seconds each (core/match/README.md), above it minutes. Does not bind word lists.
inline constexpr uint64_t positions_max = 1'000;

/// Whether Hyperscan takes this expression: parsed, not compiled, so it costs microseconds and
/// finds nearly everything that compiling would refuse. Nothing: it does.
[[nodiscard]] std::optional<std::string> why_refused(const std::string& expression);

/// About how long compiling takes, in microseconds on the machine of bench/results.md.
[[nodiscard]] uint64_t compile_cost_us(const std::string& expression);

class Database {
  public:
    static constexpr uint32_t none = ~uint32_t{0};

    /// Null if there is any error; those are appended, in the order of the expressions.
    /// REQUIRES: sorted, each once; why_refused() has nothing against any of them.
    [[nodiscard]] static std::shared_ptr<const Database> compile(
        std::vector<std::string> expressions, std::vector<PatternError>& errors);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// As octets, for a cache of this machine. deserialise() takes them on the same version of
    /// Hyperscan and of this code, and on the same kind of CPU; it finds damage by checksums, but
    /// does not defend against octets made to deceive.
    [[nodiscard]] Result<std::string> serialise() const;
    [[nodiscard]] static Result<std::shared_ptr<const Database>> deserialise(
        std::string_view octets);

    /// A name for what these expressions compile to, here: the same only where the compiler's whole
    /// input is. 32 hexadecimal digits. REQUIRES: sorted, each once.
    [[nodiscard]] static std::string content_name(std::span<const std::string> expressions);

    [[nodiscard]] const std::vector<std::string>& expressions() const { return expressions_; }
    /// Index into expressions(), or none.
    [[nodiscard]] uint32_t find(std::string_view expression) const;
    [[nodiscard]] uint64_t cost_us() const { return cost_us_; }
    [[nodiscard]] size_t bytes() const;
    /// Null where there is no expression. For hs_alloc_scratch().
    [[nodiscard]] const hs_database* hyperscan() const { return database_; }

    /// Adds bit_of[i] for every expression i that matches, unless that is none. Does not allocate.
    /// REQUIRES: valid UTF-8; a scratch for this database; room in `out` for every bit_of.
    void scan(std::string_view text,
              hs_scratch* scratch,
              const uint32_t* bit_of,
              MatchSet& out) const;

  private:
    friend struct Scanning;

    Database() = default;
    void adopt(const DatabasePlan& plan);

    std::vector<std::string> expressions_;
    std::vector<uint32_t> checks_begin_;  // of each Hyperscan id, and one more
    std::vector<DatabasePlan::Check> checks_;
    hs_database* database_ = nullptr;
    uint64_t cost_us_ = 0;
};

}  // namespace sy::match
