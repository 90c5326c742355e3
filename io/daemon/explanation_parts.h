// What explaining MT and MO messages has in common: the question as a message, names, tiers. For
// explain_mt.cc and explain_mo.cc only.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/text/coding.h"
#include "io/daemon/explanation.h"
#include "io/daemon/load.h"

namespace sy::daemon {

// The message of a question as a submit_sm or deliver_sm, as a peer of that alphabet would send it.
struct Sent {
    std::array<uint8_t, limits::scan_text_bytes_max> text{};
    smpp::Sm sm;
    std::string coding;
};

[[nodiscard]] Result<void> encode_text(const Question& question,
                                       text::Alphabet alphabet,
                                       Sent& sent);

/// What normalising made of a number; why it is none.
[[nodiscard]] std::string_view outcome_text(number::Outcome outcome);

/// Alphanumeric senders go as TON 5, digits as international (SMPP 3.4 section 5.2.5).
[[nodiscard]] smpp::Address sender_address(std::string_view sender);

/// "2026-12-24 18:00".
[[nodiscard]] std::string minute_text(route::Minute minute);
[[nodiscard]] Result<route::Minute> minute_of(const Question& question);

/// Equal for the same two numbers, as the engine's is for the parts of a long message.
[[nodiscard]] uint64_t spread_of(const Question& question);

/// For one question, on whatever thread asks.
[[nodiscard]] Result<void> prepare(const ExplainTables& tables, route::RouteScratch& scratch);

/// By its name among the accounts of this configuration; others keep their ids.
template <class Id, class Account>
[[nodiscard]] Result<Id> find_account(const char* what,
                                      const std::string& name,
                                      const std::vector<std::shared_ptr<const Account>>& accounts) {
    std::vector<std::string> names;
    for (size_t i = 0; i < accounts.size(); ++i) {
        if (accounts[i] != nullptr && accounts[i]->name == name) {
            return Id{static_cast<uint16_t>(i)};
        }
        if (accounts[i] != nullptr) {
            names.push_back(accounts[i]->name);
        }
    }
    return fail(fmt::format("no {} named '{}' in this configuration (there are: {})", what, name,
                            join_names(names)));
}

template <class Id, class Name>
std::string tiers_text(const route::Tiers<Id>& tiers, const Name& name_of) {
    std::string text;
    for (const auto& tier : tiers) {
        text += text.empty() ? "" : " > ";
        bool first = true;
        for (const auto& target : tier) {
            text += first ? "" : " | ";
            text += name_of(target.id);
            if (tier.size() > 1) {
                text += fmt::format(":{}", target.weight);
            }
            first = false;
        }
    }
    return text;
}

/// Adds a condition that a rule has.
struct Conditions {
    Report::Rule& rule;

    void add(const char* column, std::string value) const {
        if (!value.empty()) {
            rule.conditions.emplace_back(column, std::move(value));
        }
    }
};

/// Whether the winner chooses by weight among several targets.
template <class Considered>
bool spreads(const std::vector<Considered>& considered) {
    const auto winner = std::ranges::find(considered, true, &Considered::won);
    return winner != considered.end() && winner->rule->select == route::Select::weight &&
           std::ranges::any_of(winner->rule->targets,
                               [](const auto& tier) { return tier.size() > 1; });
}

}  // namespace sy::daemon
