// MO routing: from the inbound number, the supplier, the phone's number and the first word of the
// text to customers. Same rules of the road as mt_table.h: immutable, no allocation in decide().
//
// Which rule wins: exact number before longer prefix before shorter; a row with a keyword before
// one without; then the lower priority, then the earlier row.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/limits.h"
#include "core/route/found.h"
#include "core/route/mt_table.h"
#include "core/route/rules.h"

namespace sy::route {

struct MoQuery {
    SupplierId supplier;
    std::string_view number;  // inbound number: the deliver_sm's destination, E.164 digits
    std::string_view source;  // the phone, E.164 digits
    Alphabet alphabet = Alphabet::gsm7;  // of the supplier
    const smpp::Sm* sm = nullptr;
    uint64_t spread = 0;
};

struct MoDecision {
    bool routed = false;
    uint32_t rule_line = 0;  // of mo.csv, 0 when a customer's `numbers` matched
    uint8_t target_count = 0;
    std::array<CustomerId, limits::targets_max> targets{};
};

class MoTable {
  public:
    MoTable();
    // A copy shares what is compiled.
    MoTable(const MoTable&);
    MoTable& operator=(const MoTable&);
    MoTable(MoTable&&) noexcept;
    MoTable& operator=(MoTable&&) noexcept;
    ~MoTable();

    /// `numbers`: inbound numbers that belong to one customer by its account; they act as exact
    /// rows behind every row of mo.csv for the same number, and are explained as rules of line 0.
    static MoTable build(std::vector<MoRule> rules,
                         std::vector<std::pair<std::string, CustomerId>> numbers,
                         std::vector<MtTable::BuildError>& errors,
                         const PatternSource& source = {});

    /// REQUIRES: queries.size() == decisions.size() <= limits::burst; the scratch was prepared for
    /// this table.
    void decide(std::span<const MoQuery> queries,
                std::span<MoDecision> decisions,
                RouteScratch& scratch) const;

    struct Considered {
        const MoRule* rule;
        std::string verdict;
        bool won = false;
        std::vector<Found> found;
    };
    struct Explanation {
        MoDecision decision;
        std::vector<Considered> considered;
    };
    [[nodiscard]] Explanation explain(const MoQuery& query, RouteScratch& scratch) const;

    [[nodiscard]] const Patterns& patterns() const { return *patterns_; }
    [[nodiscard]] std::shared_ptr<const Patterns> shared_patterns() const { return patterns_; }
    /// The same table with the same expressions compiled differently. REQUIRES: equal ids.
    [[nodiscard]] MoTable with_patterns(Patterns patterns) const;

    struct Impl;  // mo_impl.h

  private:
    std::shared_ptr<const Impl> impl_;
    std::shared_ptr<const Patterns> patterns_;
};

}  // namespace sy::route
