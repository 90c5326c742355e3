// One message through the tables, in words: which rules were looked at and why each lost, the
// winner, what would be tried. The tables explain with the code that decides, so what is said is
// what a worker would do. Text for people, JSON for programs, both of the same report.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/number/outgoing.h"
#include "core/route/quality.h"
#include "core/route/snapshot.h"

namespace sy::daemon {

/// What an explanation looks at. Immutable, and it shares what is large: any thread may have one,
/// also of a router that runs.
struct ExplainTables {
    std::vector<std::string> customers;  // names by id
    std::vector<std::string> suppliers;
    std::vector<std::string> networks;  // MCCMNCs by id
    std::string mt_file, mo_file;
    route::Snapshot snapshot;                      // without scratches
    const route::QualityBoard* quality = nullptr;  // of the router; null: nothing is measured

    ExplainTables() = default;
    ExplainTables(const config::Registry& registry,
                  const config::Config& config,
                  const route::Snapshot& compiled,
                  const route::QualityBoard* measured);
};

struct Question {
    std::string account;  // MT: the customer, MO: the supplier
    std::string to;
    std::string from;
    std::string text;
    std::string at;                  // when, "2026-01-31 18:30"; empty: now
    std::optional<int> data_coding;  // unset: 0 where GSM 03.38 can say the text, else 8
};

struct Report {
    enum class Kind : uint8_t { mt, mo };
    Kind kind = Kind::mt;
    uint64_t generation = 0;  // of the running snapshot; 0: from files
    std::string account;
    std::string plan;  // MT
    std::string at;    // UTC
    std::string to;
    std::string to_kind;
    std::string from;
    std::string text;
    std::string coding;   // how the text is sent
    std::string network;  // of the destination, and how it was found; empty without tables
    std::string file;     // of the rules

    struct Rule {
        uint32_t line = 0;                                            // 0: an account's `numbers`
        std::vector<std::pair<std::string, std::string>> conditions;  // those it has, by column
        std::string outcome;                                          // "alpha:70 | beta:30"
        std::string verdict;
        bool won = false;
        std::vector<route::Found> found;
        std::string note;
    };
    std::vector<Rule> rules;  // in the order in which they were looked at
    size_t not_listed = 0;

    std::string decision;    // "route", "reject", "drop", "no_route", "too_dear"
    std::string in_words;    // the same as a sentence
    uint32_t rule_line = 0;  // of the winner
    std::string status;      // of the answer where no target is tried
    std::string limit;       // what a target may cost

    struct Choice {
        std::string name;
        std::string facts;  // price, quality, why it is off the list
    };
    std::vector<Choice> choice;

    bool spread = false;  // weights spread messages: another may begin elsewhere
    struct Address {
        std::string digits;
        uint8_t ton = 0, npi = 0;
    };
    struct Target {
        std::string name;
        std::string fault;  // empty, or why it cannot get the message
        Address to, from;   // MT: as it gets them
    };
    std::vector<Target> targets;  // in the order to try

    // MO, once a target has accepted it.
    std::vector<std::string> copies;
    std::string reply;  // text of the answer to the phone
    std::string cost;
};

/// Errors: no such account, no number, no time, a text that is too long. Any thread but workers.
[[nodiscard]] Result<Report> explain_mt(const ExplainTables& tables, const Question& question);
[[nodiscard]] Result<Report> explain_mo(const ExplainTables& tables, const Question& question);

[[nodiscard]] std::string to_text(const Report& report);
[[nodiscard]] std::string to_json(const Report& report);

}  // namespace sy::daemon
