// The expressions of one kind (senders, or texts) of one snapshot, found in one pass over a text.
// The control thread compiles; the set is immutable afterwards, and any number of threads scan it
// at a time, each with its own PatternScratch.
//
// An expression is PCRE syntax as far as Hyperscan supports it, searched anywhere in the text
// unless anchored, case-sensitive unless it says "(?i)". The text is UTF-8.
//
// Where compiling takes long, a set stands on an older database that holds most of its expressions
// (of the running snapshot, or from the disk cache), with a small database beside it for what is
// new; what is no longer wanted is masked out. merge() makes one database of both, in its own time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/match/database.h"
#include "core/match/database_cache.h"
#include "core/match/match_set.h"

namespace sy::match {

/// Working memory of hs_scan(), one a thread. Holds what the largest set that it was prepared for
/// needs.
class PatternScratch;

struct CompileOptions {
    std::shared_ptr<const Database> base = nullptr;  // to stand on; null: none
    DatabaseCache* cache = nullptr;                  // null: none
    std::string name = "set";  // of the kind: what its entries in the cache begin with
    // What compiles quicker than this is compiled whole, and is not worth an entry in the cache.
    uint64_t at_once_us = 100'000;
};

class PatternSet {
  public:
    /// No expression: scans match nothing.
    PatternSet() = default;

    /// Expression i gets id i. Every expression that cannot be used is appended to `errors`; if
    /// there is any, the set that is returned is empty. REQUIRES: no expression twice.
    [[nodiscard]] static PatternSet compile(std::span<const std::string> expressions,
                                            const CompileOptions& options,
                                            std::vector<PatternError>& errors);
    [[nodiscard]] static PatternSet compile(std::span<const std::string> expressions,
                                            std::vector<PatternError>& errors) {
        return compile(expressions, {}, errors);
    }

    [[nodiscard]] uint32_t size() const { return count_; }
    /// By id.
    [[nodiscard]] std::vector<std::string> expressions() const;
    /// The large database; null for an empty set. CompileOptions::base of the next set.
    [[nodiscard]] std::shared_ptr<const Database> base() const;
    /// Databases that a scan goes through: 1, or 2 until they are merged.
    [[nodiscard]] size_t databases() const { return layers_.size(); }
    /// Expressions in the second of them.
    [[nodiscard]] size_t expressions_beside() const;
    [[nodiscard]] size_t database_bytes() const;
    /// True where merge() would make scans quicker: two databases, or much that is masked out.
    [[nodiscard]] bool merge_pending() const;

    /// Adds every expression that matches to `out`, which is cleared first. Does not allocate.
    /// REQUIRES: valid UTF-8; out.capacity() >= size(); the scratch was prepared for this set.
    void scan(std::string_view text, PatternScratch& scratch, MatchSet& out) const;

  private:
    friend class PatternScratch;
    struct Layer {
        std::shared_ptr<const Database> database;
        std::vector<uint32_t> bit_of;  // id of each of its expressions, Database::none: masked
    };
    class Builder;

    std::vector<Layer> layers_;
    uint32_t count_ = 0;
};

/// Compiles all expressions into one database and keeps it in the cache (may be null). Takes as
/// long as it takes; any thread. Null if they do not compile together.
[[nodiscard]] std::shared_ptr<const Database> merge(std::vector<std::string> expressions,
                                                    const std::string& name,
                                                    DatabaseCache* cache);

class PatternScratch {
  public:
    /// Grows to what `set` needs. Control thread: it allocates.
    [[nodiscard]] Result<void> prepare(const PatternSet& set);
    [[nodiscard]] Result<void> prepare(const Database& database);

    [[nodiscard]] hs_scratch* hyperscan() const { return scratch_.get(); }

  private:
    struct FreeScratch {
        void operator()(hs_scratch* scratch) const;
    };

    std::unique_ptr<hs_scratch, FreeScratch> scratch_;
};

}  // namespace sy::match
