// MT routing: a batch of messages in, a decision each out. Compiled by the control thread from
// checked rules, then immutable; decide() is called by every worker with its own RouteScratch,
// allocates nothing, throws nothing.
//
// Which rule wins: one for the whole number where that is ported, then one for the destination's
// network, then the others; among these the longer prefix, then the lower priority, then the
// earlier row. A row whose conditions do not hold is passed over. Rules of plan "*" (screening) are
// looked at first.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/limits.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/number/outgoing.h"
#include "core/route/account.h"
#include "core/route/found.h"
#include "core/route/networks.h"
#include "core/route/patterns.h"
#include "core/route/prices.h"
#include "core/route/rules.h"
#include "core/smpp/pdu.h"

namespace sy::route {

class TextGroups;    // text_groups.h
class RouteScratch;  // scratch.h: Hyperscan scratch and text buffers, one a worker

struct MtQuery {
    CustomerId customer;
    PlanId plan;
    std::string_view destination;  // E.164 digits (or a short code)
    std::string_view sender;       // as the customer wrote it, '+' and leading 00 removed
    uint8_t sender_ton = 0;
    Alphabet alphabet = Alphabet::gsm7;  // of the customer: what data_coding 0 means
    const smpp::Sm* sm = nullptr;        // text, data_coding
    uint64_t spread = 0;  // chooses among weights; equal for all parts of one message
    Nanos wall_ns = 0;    // for `when`, and whose prices are in effect

    [[nodiscard]] Minute minute() const { return static_cast<Minute>(wall_ns / minute_ns); }
};

struct MtDecision {
    // too_dear: a rule won, but its limit or the customer's price took every target off.
    enum class Kind : uint8_t { no_route, route, reject, drop, too_dear };
    Kind kind = Kind::no_route;
    smpp::CommandStatus status{};  // Kind::reject
    uint32_t rule_line = 0;        // of mt.csv, 0 when no rule won
    NetworkId network;             // of the destination; none: unknown, or nobody asked
    // Kind::route: what goes out as the sender; null: the customer's. Lives as long as the table.
    const number::Sender* sender_to = nullptr;
    Nanos reroute_ns = 0;      // Kind::route: see MtRule
    uint8_t target_count = 0;  // Kind::route: at least 1, in the order to try
    std::array<SupplierId, limits::targets_max> targets{};
};

class MtTable {
  public:
    MtTable();
    // A copy shares what is compiled.
    MtTable(const MtTable&);
    MtTable& operator=(const MtTable&);
    MtTable(MtTable&&) noexcept;
    MtTable& operator=(MtTable&&) noexcept;
    ~MtTable();

    struct BuildError {
        uint32_t line = 0;
        std::string column;  // of the CSV file: "prefix", "sender", "text", "targets" ...
        std::string text;
    };
    /// `plans` gives each plan name its id (its index); more may be added later, rules of a plan
    /// that is not among them are kept but reach nobody. All errors (every expression that is
    /// refused, prefixes that are no digits, too many targets ...) are appended; if there is any,
    /// the table is empty.
    static MtTable build(std::shared_ptr<const MtRules> rules,
                         const std::vector<std::string>& plans,
                         std::vector<BuildError>& errors,
                         NetworkTables networks = {},
                         const PatternSource& source = {});
    static MtTable build(MtRules rules,
                         const std::vector<std::string>& plans,
                         std::vector<BuildError>& errors,
                         NetworkTables networks = {},
                         const PatternSource& source = {}) {
        return build(std::make_shared<const MtRules>(std::move(rules)), plans, errors,
                     std::move(networks), source);
    }

    /// REQUIRES: queries.size() == decisions.size() <= limits::burst; the scratch was prepared for
    /// this table.
    void decide(std::span<const MtQuery> queries,
                std::span<MtDecision> decisions,
                RouteScratch& scratch) const;

    /// The rules of the prefixes that were looked at, up to the winner: why each lost, the winner,
    /// the targets in order. Same code path as decide(); control plane only.
    struct Considered {
        const MtRule* rule;
        std::string verdict;  // "won", or the first condition that did not hold
        bool won = false;
        std::vector<Found> found;  // of the first found_max rules: its expressions that match
    };
    struct ConsideredTarget {
        SupplierId supplier;
        std::string facts;  // price and where it stands, quality, why it is off the list
    };
    // Of a table with thousands of rules behind one prefix, that many losers and their number.
    static constexpr size_t considered_max = 1000;
    static constexpr size_t found_max = 50;
    struct Explanation {
        MtDecision decision;
        std::vector<Considered> considered;
        size_t not_listed = 0;
        std::string network;  // of the destination, and how it was found; empty without tables
        std::string limit;    // what a target may cost; empty without one
        std::vector<ConsideredTarget> targets;  // of the winner; empty where weights alone choose
    };
    [[nodiscard]] Explanation explain(const MtQuery& query, RouteScratch& scratch) const;

    /// In the order of their rows: the object that was given to build().
    [[nodiscard]] const MtRules& rules() const;

    /// What the compiled form takes beside rules(), expressions and networks.
    [[nodiscard]] size_t index_bytes() const;

    /// Distinct `when`s: how many states a scratch holds.
    [[nodiscard]] size_t when_count() const;

    /// The text expressions that are scanned for apart from all others.
    [[nodiscard]] const TextGroups& text_groups() const;

    [[nodiscard]] const Patterns& patterns() const { return *patterns_; }
    [[nodiscard]] std::shared_ptr<const Patterns> shared_patterns() const { return patterns_; }
    /// The same table with the same expressions compiled differently. REQUIRES: equal ids.
    [[nodiscard]] MtTable with_patterns(Patterns patterns) const;

    /// What conditions of networks look at. Control thread, before publication.
    void set_networks(NetworkTables networks) { networks_ = std::move(networks); }
    [[nodiscard]] const NetworkTables& networks() const { return networks_; }
    /// What cost, limits and customers' prices look at. Control thread, before publication.
    void set_prices(std::shared_ptr<const Prices> prices) { prices_ = std::move(prices); }
    [[nodiscard]] const Prices& prices() const { return *prices_; }

    struct Impl;  // mt_impl.h

  private:
    std::shared_ptr<const Impl> impl_;
    NetworkTables networks_;
    std::shared_ptr<const Patterns> patterns_;
    std::shared_ptr<const Prices> prices_;  // never null
};

}  // namespace sy::route
