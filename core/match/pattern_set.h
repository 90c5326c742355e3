// Many regular expressions compiled into one Hyperscan database (block mode) and scanned in one
// pass. The control thread compiles; the set is immutable afterwards, and any number of threads
// scan it at a time, each with its own PatternScratch.
//
// An expression is PCRE syntax as far as Hyperscan supports it, searched anywhere in the text
// unless anchored, case-sensitive unless it says "(?i)". The text is UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

struct hs_database;
struct hs_scratch;

namespace sy::match {

/// Working memory of hs_scan(), one a thread. Holds what the largest set that it was prepared for
/// needs.
class PatternScratch;

/// What Hyperscan said about one expression.
struct PatternError {
    size_t index = 0;  // into the expressions given to compile()
    std::string text;
};

/// True where the expression means something else over octets than over characters: it names
/// characters beyond ASCII, or counts "any character". Only such an expression pays for Hyperscan's
/// UTF-8 mode.
[[nodiscard]] bool needs_utf8_mode(std::string_view expression);

class PatternSet {
  public:
    /// No expression: scans match nothing.
    PatternSet() = default;

    /// Expression i gets id i. Every expression that Hyperscan refuses is appended to `errors`; if
    /// there is any, the set that is returned is empty.
    [[nodiscard]] static PatternSet compile(std::span<const std::string> expressions,
                                            std::vector<PatternError>& errors);

    /// The compiled set as octets, for a cache on disk of this machine: loading is far quicker than
    /// compiling. Hyperscan refuses octets of another version or for another kind of CPU, and
    /// damaged ones by their checksum; it does not defend against ones made to deceive.
    [[nodiscard]] Result<std::string> serialise() const;
    [[nodiscard]] static Result<PatternSet> deserialise(std::string_view octets);

    [[nodiscard]] uint32_t size() const { return count_; }
    /// Words that scan() writes: one bit an expression.
    [[nodiscard]] size_t words() const { return (size_t{count_} + 63) / 64; }

    /// Sets bit i of `bits` where expression i matches and clears all others. Does not allocate.
    /// REQUIRES: valid UTF-8; bits.size() >= words(); the scratch was prepared for this set.
    void scan(std::string_view text, PatternScratch& scratch, std::span<uint64_t> bits) const;

  private:
    friend class PatternScratch;
    struct FreeDatabase {
        void operator()(hs_database* database) const;
    };

    std::unique_ptr<hs_database, FreeDatabase> database_;
    uint32_t count_ = 0;
};

class PatternScratch {
  public:
    /// Grows to what `set` needs. Control thread: it allocates.
    [[nodiscard]] Result<void> prepare(const PatternSet& set);

  private:
    friend class PatternSet;
    struct FreeScratch {
        void operator()(hs_scratch* scratch) const;
    };

    std::unique_ptr<hs_scratch, FreeScratch> scratch_;
};

[[nodiscard]] inline bool test_bit(std::span<const uint64_t> bits, uint32_t index) {
    return ((bits[index / 64] >> (index % 64)) & 1) != 0;
}

}  // namespace sy::match
