// MO routing: from the inbound number, the supplier, the phone's number and the first word of the
// text to customers. Same rules of the road as mt_table.h: immutable, no allocation in decide().
//
// Which rule wins: exact number before longer prefix before shorter; a row with a keyword before
// one without; then the lower priority, then the earlier row.
//
// Of a long message the first part alone has the keyword (and the beginning of the text): the place
// of the row that it won by, remembered by the caller, makes the other parts win by that row too.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/route/found.h"
#include "core/route/mt_table.h"
#include "core/route/rules.h"

namespace sy::route {

/// Where a row stands among those that are looked at for a number.
inline constexpr uint16_t no_place = 0xFFFF;

struct MoQuery {
    SupplierId supplier;
    std::string_view number;  // inbound number: the deliver_sm's destination, E.164 digits
    std::string_view source;  // the phone, E.164 digits
    Alphabet alphabet = Alphabet::gsm7;  // of the supplier
    const smpp::Sm* sm = nullptr;
    uint64_t spread = 0;
    Nanos wall_ns = 0;                // for `when`
    bool is_later_part = false;       // of a long message: its first word is no keyword
    uint16_t first_place = no_place;  // of a later part: where its first part won, if that is known
};

struct MoDecision {
    bool routed = false;
    uint32_t rule_line = 0;     // of mo.csv, 0 when a customer's `numbers` matched
    uint16_t place = no_place;  // of the winner; none: it stands too far behind to be remembered
    uint8_t target_count = 0;
    std::array<CustomerId, limits::targets_max> targets{};
    uint8_t copy_count = 0;
    std::array<CustomerId, limits::copies_max> copies{};
    const ReplyTemplate* reply = nullptr;  // null: none. Lives as long as the table.
    const Money* cost = nullptr;           // likewise
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

    /// Equal for tables of equal rules, so that places mean the same in both.
    [[nodiscard]] uint64_t content_hash() const;
    /// Whether it is an inbound number of ours: one that a row names whole, or an account's.
    [[nodiscard]] bool owns(std::string_view number) const;
    /// Distinct `when`s: how many states a scratch holds.
    [[nodiscard]] size_t when_count() const;

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
