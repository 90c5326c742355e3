// What the tests of core/match have in common: sets from lists, scans as sets of ids, one
// expression straight from Hyperscan or PCRE2 as the reference.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <hs.h>

#include "core/match/pattern_set.h"

namespace sy::match {

using Ids = std::set<uint32_t>;

inline PatternSet compiled(const std::vector<std::string>& expressions,
                           const CompileOptions& options = {}) {
    std::vector<PatternError> errors;
    PatternSet set = PatternSet::compile(expressions, options, errors);
    for (const auto& error : errors) {
        ADD_FAILURE() << expressions[error.index] << ": " << error.text;
    }
    return set;
}

inline Ids ids_of(const MatchSet& matches) {
    const Ids ids(matches.hits().begin(), matches.hits().end());
    EXPECT_EQ(ids.size(), matches.hits().size());
    for (const uint32_t id : ids) {
        EXPECT_TRUE(matches.contains(id));
    }
    return ids;
}

/// One set and its scratch, for many texts.
class Scanner {
  public:
    explicit Scanner(const PatternSet& set) : set_(set) {
        EXPECT_TRUE(scratch_.prepare(set));
        matches_.reserve(set.size());
    }
    Ids operator()(std::string_view text) {
        set_.scan(text, scratch_, matches_);
        return ids_of(matches_);
    }

  private:
    const PatternSet& set_;
    PatternScratch scratch_;
    MatchSet matches_;
};

inline Ids scanned(const PatternSet& set, std::string_view text) {
    return Scanner(set)(text);
}

/// One expression as Hyperscan takes it, with these flags.
class HyperscanAlone {
  public:
    HyperscanAlone(const std::string& expression, unsigned flags) {
        hs_compile_error_t* error = nullptr;
        valid_ = hs_compile(expression.c_str(), flags | HS_FLAG_ALLOWEMPTY, HS_MODE_BLOCK, nullptr,
                            &database_, &error) == HS_SUCCESS;
        hs_free_compile_error(error);
        EXPECT_TRUE(!valid_ || hs_alloc_scratch(database_, &scratch_) == HS_SUCCESS);
    }
    HyperscanAlone(const HyperscanAlone&) = delete;
    HyperscanAlone& operator=(const HyperscanAlone&) = delete;
    ~HyperscanAlone() {
        hs_free_scratch(scratch_);
        hs_free_database(database_);
    }
    [[nodiscard]] bool valid() const { return valid_; }
    [[nodiscard]] bool matches(const std::string& text) const {
        bool matched = false;
        const auto on_match = [](unsigned, unsigned long long, unsigned long long, unsigned,
                                 void* context) -> int {
            *static_cast<bool*>(context) = true;
            return 0;
        };
        EXPECT_EQ(hs_scan(database_, text.c_str(), static_cast<unsigned>(text.size()), 0, scratch_,
                          on_match, &matched),
                  HS_SUCCESS);
        return matched;
    }

  private:
    bool valid_ = false;
    hs_database_t* database_ = nullptr;
    hs_scratch_t* scratch_ = nullptr;
};

}  // namespace sy::match
