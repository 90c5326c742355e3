// One message through the tables, in words. The tables explain with the code that decides, so what
// is printed is what a worker would do.
#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/base/prng.h"
#include "core/config/parse.h"
#include "core/number/outgoing.h"
#include "core/smpp/time_format.h"
#include "core/text/coding.h"
#include "core/text/utf8.h"
#include "io/daemon/clock.h"
#include "io/daemon/commands.h"
#include "io/daemon/load.h"

namespace sy::daemon {
namespace {

// Everything that one explanation needs to stay alive.
struct Case {
    config::Registry registry;
    config::Config config;
    std::unique_ptr<route::Snapshot> snapshot;
    route::RouteScratch scratch;
    std::array<uint8_t, limits::scan_text_bytes_max> text{};
    smpp::Sm sm;
    std::string text_note;  // how the text is sent
};

int complain(const std::string& text) {
    fmt::print(stderr, "switchyard explain: error: {}\n", text);
    return 1;
}

// Loads the configuration; false when it said why not.
bool prepare(const std::string& config_path, Case& the_case) {
    std::vector<config::Diagnostic> diagnostics;
    std::optional<Loaded> loaded = load(config_path, the_case.registry, nullptr, nullptr,
                                        CacheFolder::Access::read, diagnostics);
    print(diagnostics);
    if (!loaded || count_errors(diagnostics) > 0) {
        return false;
    }
    the_case.config = std::move(loaded->config);
    the_case.snapshot = std::move(loaded->snapshot);
    if (auto ready = the_case.scratch.prepare(the_case.snapshot->mt, the_case.snapshot->mo);
        !ready) {
        (void)complain(ready.error().text);
        return false;
    }
    return true;
}

std::string_view set_name(text::CharacterSet set) {
    switch (set) {
        case text::CharacterSet::gsm7:
            return "GSM 03.38";
        case text::CharacterSet::ascii:
            return "ASCII";
        case text::CharacterSet::latin1:
            return "Latin-1";
        case text::CharacterSet::ucs2:
            return "UCS-2";
        default:
            return "no text";
    }
}

// Puts the text into the case's submit_sm or deliver_sm, as a peer of that alphabet would send it.
bool encode_text(const ExplainOptions& options, text::Alphabet alphabet, Case& the_case) {
    constexpr uint8_t data_coding_ucs2 = 8;
    const auto encode = [&](uint8_t data_coding) {
        const text::Coding coding = text::coding_of(data_coding, alphabet);
        the_case.sm.data_coding = data_coding;
        the_case.text_note =
            fmt::format("data_coding {} ({})", data_coding, set_name(coding.character_set));
        switch (coding.character_set) {
            case text::CharacterSet::gsm7:
            case text::CharacterSet::ascii:
            case text::CharacterSet::latin1:
            case text::CharacterSet::ucs2:
                return text::from_utf8(options.text, coding.character_set, {}, the_case.text);
            default:
                // Binary and the like: rules see no text.
                return text::Encoded{};
        }
    };
    text::Encoded encoded =
        encode(options.data_coding ? static_cast<uint8_t>(*options.data_coding) : uint8_t{0});
    if (!options.data_coding && encoded.replaced > 0) {
        encoded = encode(data_coding_ucs2);
    }
    if (encoded.truncated) {
        return false;
    }
    the_case.sm.short_message = Octets(the_case.text.data(), encoded.octets);
    return true;
}

std::string_view outcome_text(number::Outcome outcome) {
    switch (outcome) {
        case number::Outcome::e164:
            return "E.164";
        case number::Outcome::short_code:
            return "short code";
        case number::Outcome::empty:
            return "it is empty";
        case number::Outcome::not_digits:
            return "it has other characters than digits";
        case number::Outcome::too_short:
            return "it has too few digits";
        case number::Outcome::too_long:
            return "it has too many digits (15 at most)";
    }
    return "";
}

// Alphanumeric senders go as TON 5, digits as international (SMPP 3.4 section 5.2.5).
smpp::Address sender_address(std::string_view sender) {
    const bool digits =
        !sender.empty() && sender.find_first_not_of("+0123456789") == std::string_view::npos;
    return {static_cast<uint8_t>(digits ? 1 : 5), static_cast<uint8_t>(digits ? 1 : 0), sender};
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

void add(std::string& out, std::string_view name, const std::string& value) {
    if (!value.empty()) {
        out += fmt::format(" {}={}", name, value);
    }
}

std::string rule_text(const route::MtRule& rule, const Case& the_case) {
    std::string text = fmt::format("plan={}", rule.plan);
    if (rule.customer.valid()) {
        add(text, "customer", the_case.registry.customers()[rule.customer.value]);
    }
    add(text, "prefix", rule.prefix);
    if (rule.network.valid()) {
        add(text, "network", the_case.registry.networks()[rule.network.value]);
    }
    add(text, "sender", rule.sender.empty() ? "" : fmt::format("/{}/", rule.sender));
    constexpr std::array<std::string_view, 4> sender_types = {"", "alpha", "short", "long"};
    add(text, "sender_type", std::string(sender_types[static_cast<size_t>(rule.sender_type)]));
    add(text, "text", rule.text.empty() ? "" : fmt::format("/{}/", rule.text));
    constexpr std::array<std::string_view, 4> selects = {"", "order", "cost", "quality"};
    add(text, "data_coding", rule.data_coding < 0 ? "" : fmt::format("{}", rule.data_coding));
    add(text, "when", rule.when == nullptr ? "" : fmt::format("\"{}\"", rule.when->text));
    add(text, "priority", rule.priority == 0 ? "" : fmt::format("{}", rule.priority));
    add(text, "select", std::string(selects[static_cast<size_t>(rule.select)]));
    add(text, "max_cost", rule.max_cost == route::Money::highest() ? "" : to_string(rule.max_cost));
    switch (rule.action) {
        case route::Action::route:
            text += " -> " + tiers_text(rule.targets, [&](SupplierId id) {
                        return the_case.registry.suppliers()[id.value];
                    });
            add(text, "sender_to",
                rule.sender_to == nullptr ? "" : std::string(rule.sender_to->text.view()));
            break;
        case route::Action::reject:
            text += fmt::format(" -> reject:{}", smpp::status_name(rule.reject_status));
            break;
        case route::Action::drop:
            text += " -> drop";
            break;
    }
    return text;
}

std::string rule_text(const route::MoRule& rule, const Case& the_case) {
    std::string text = fmt::format("number={}{}", rule.number.empty() ? "any" : rule.number,
                                   rule.number_is_prefix ? "*" : "");
    if (rule.supplier.valid()) {
        add(text, "supplier", the_case.registry.suppliers()[rule.supplier.value]);
    }
    add(text, "source", rule.source);
    add(text, "keyword", rule.keyword);
    add(text, "text", rule.text.empty() ? "" : fmt::format("/{}/", rule.text));
    add(text, "priority", rule.priority == 0 ? "" : fmt::format("{}", rule.priority));
    text += " -> " + tiers_text(rule.targets, [&](CustomerId id) {
                return the_case.registry.customers()[id.value];
            });
    return text;
}

template <class Considered>
void print_considered(const std::vector<Considered>& considered,
                      const std::string& file,
                      const Case& the_case) {
    fmt::print("\nrules considered, in this order ({}):\n", file);
    if (considered.empty()) {
        fmt::print("  none: no rule has this plan and a prefix of this number\n");
    }
    for (const Considered& one : considered) {
        fmt::print("  line {:<5} {}\n             {}\n", one.rule->line,
                   rule_text(*one.rule, the_case), one.verdict);
        if (!one.rule->note.empty()) {
            fmt::print("             note: {}\n", one.rule->note);
        }
    }
}

// Whether the rule of that line chooses by weight among several targets.
template <class Rule>
bool spreads(const std::vector<Rule>& rules, uint32_t line) {
    const auto rule = std::ranges::find(rules, line, &Rule::line);
    return rule != rules.end() && rule->select == route::Select::weight &&
           std::ranges::any_of(rule->targets, [](const auto& tier) { return tier.size() > 1; });
}

// What a target may cost, and what each costs and is worth.
void print_choice(const route::MtTable::Explanation& explanation, const Case& the_case) {
    if (!explanation.limit.empty()) {
        fmt::print("  a target may cost: {}\n", explanation.limit);
    }
    for (const auto& target : explanation.targets) {
        if (!target.facts.empty()) {
            fmt::print("  {}: {}\n", the_case.registry.suppliers()[target.supplier.value],
                       target.facts);
        }
    }
}

std::string address_text(const smpp::Address& address) {
    return fmt::format("{} (TON {}, NPI {})", address.digits.empty() ? "(none)" : address.digits,
                       address.ton, address.npi);
}

// With the sender that the rule puts there.
number::Parties outgoing_parties(const route::MtDecision& decision,
                                 const number::Parties& as_submitted) {
    const number::Sender* const sender = decision.sender_to;
    return sender == nullptr
               ? as_submitted
               : number::Parties{as_submitted.destination, as_submitted.destination_kind,
                                 sender->text, sender->kind, true};
}

// A message's addresses as one supplier gets them.
std::string addresses_text(const number::Parties& parties,
                           smpp::Address source,
                           const number::NumberForm& form) {
    number::AddressBuffers buffers;
    smpp::Address destination;
    switch (number::write_addresses(parties, form, buffers, destination, source)) {
        case number::WriteFault::destination:
            return "the destination is too long in its form: answered RINVDSTADR";
        case number::WriteFault::source:
            return "the sender is too long in its form: answered RINVSRCADR";
        case number::WriteFault::none:
            break;
    }
    return fmt::format("to {}, from {}", address_text(destination), address_text(source));
}

template <class Decision, class Name>
void print_targets(const Decision& decision, bool weighted, const Name& name_of) {
    fmt::print("would be tried, in this order{}:\n",
               weighted ? " (weights spread messages: another message may begin elsewhere)" : "");
    for (size_t i = 0; i < decision.target_count; ++i) {
        fmt::print("  {}. {}\n", i + 1, name_of(decision.targets[i]));
    }
}

void print_decision(const route::MtTable::Explanation& explanation,
                    const route::Customer& customer,
                    const number::Parties& as_submitted,
                    const Case& the_case) {
    const route::MtDecision& decision = explanation.decision;
    const std::string& file = the_case.config.mt_file;
    switch (decision.kind) {
        case route::MtDecision::Kind::no_route:
            fmt::print("\ndecision: no rule holds, the customer is answered {} (no_route_status)\n",
                       smpp::status_name(customer.no_route_status));
            return;
        case route::MtDecision::Kind::reject:
            fmt::print("\ndecision: {}:{} rejects it, the customer is answered {}\n", file,
                       decision.rule_line, smpp::status_name(decision.status));
            return;
        case route::MtDecision::Kind::drop:
            fmt::print("\ndecision: {}:{} drops it, the customer is answered OK\n", file,
                       decision.rule_line);
            return;
        case route::MtDecision::Kind::too_dear:
            fmt::print(
                "\ndecision: {}:{} has no target that is cheap enough, the customer is "
                "answered {} (no_route_status)\n",
                file, decision.rule_line, smpp::status_name(customer.no_route_status));
            print_choice(explanation, the_case);
            return;
        case route::MtDecision::Kind::route:
            fmt::print("\ndecision: {}:{} routes it\n", file, decision.rule_line);
            print_choice(explanation, the_case);
            print_targets(
                decision, spreads(the_case.config.mt->rules, decision.rule_line),
                [&](SupplierId id) {
                    return fmt::format(
                        "{}: {}", the_case.registry.suppliers()[id.value],
                        addresses_text(outgoing_parties(decision, as_submitted), the_case.sm.source,
                                       the_case.snapshot->supplier(id)->number_form));
                });
            return;
    }
}

template <class Account, class Id>
const Account* find_account(const std::vector<std::pair<Id, Account>>& accounts,
                            const std::string& name,
                            Id& id) {
    for (const auto& [account_id, account] : accounts) {
        if (account.name == name) {
            id = account_id;
            return &account;
        }
    }
    return nullptr;
}

template <class Account, class Id>
std::string unknown_account(const char* what,
                            const std::string& name,
                            const std::vector<std::pair<Id, Account>>& accounts) {
    std::vector<std::string> names;
    names.reserve(accounts.size());
    for (const auto& [id, account] : accounts) {
        names.push_back(account.name);
    }
    return fmt::format("no {} named '{}' in this configuration (there are: {})", what, name,
                       join_names(names));
}

std::optional<route::Minute> minute_of(const ExplainOptions& options) {
    if (options.at.empty()) {
        return static_cast<route::Minute>(read_clock(CLOCK_REALTIME) / route::minute_ns);
    }
    return config::parse_minute(options.at, config::DayEnd::no);
}

// Equal for the same two numbers, as the engine's is for the parts of a long message.
uint64_t spread_of(const ExplainOptions& options) {
    const std::hash<std::string> hash;
    return mix64(hash(options.to) ^ mix64(hash(options.from)));
}

// "2026-12-24 18:00".
std::string minute_text(Nanos wall_ns) {
    const auto date = smpp::format_receipt_date(wall_ns);
    const std::string_view text(date.data(), date.size());
    return fmt::format("20{}-{}-{} {}:{}", text.substr(0, 2), text.substr(2, 2), text.substr(4, 2),
                       text.substr(6, 2), text.substr(8, 2));
}

}  // namespace

int explain_mt(const std::string& config_path, const ExplainOptions& options) {
    Case the_case;
    if (!prepare(config_path, the_case)) {
        return 1;
    }
    CustomerId id;
    const route::Customer* const customer =
        find_account(the_case.config.customers, options.customer, id);
    if (customer == nullptr) {
        return complain(unknown_account("customer", options.customer, the_case.config.customers));
    }
    if (!encode_text(options, customer->alphabet, the_case)) {
        return complain("the text is longer than what is matched");
    }
    const auto now = minute_of(options);
    if (!now) {
        return complain(
            fmt::format("--at '{}' is no time, expected one like 2026-01-31 or "
                        "\"2026-01-31 18:30\"",
                        options.at));
    }
    number::Number to;
    const number::Outcome outcome =
        number::normalise({1, 1, options.to}, customer->number_plan, to);
    if (!number::usable(outcome)) {
        return complain(
            fmt::format("--to '{}' is no number: {}; the customer would be answered "
                        "RINVDSTADR",
                        options.to, outcome_text(outcome)));
    }
    the_case.sm.source = sender_address(options.from);
    const std::string_view sender = number::sender_text(options.from);
    // The plan's id by name: a snapshot's own copy of the account carries it.
    const route::Customer* const compiled = the_case.snapshot->customer(id);
    const route::MtQuery query{.customer = id,
                               .plan = compiled->plan_id,
                               .destination = to.view(),
                               .sender = sender,
                               .sender_ton = the_case.sm.source.ton,
                               .alphabet = customer->alphabet,
                               .sm = &the_case.sm,
                               .spread = spread_of(options),
                               .wall_ns = *now * route::minute_ns};
    fmt::print(
        "MT from customer {} (plan {}) at {} UTC\n  to    {} ({})\n  from  {}\n  text  \"{}\", "
        "{}\n",
        customer->name, customer->plan, minute_text(*now * route::minute_ns), to.view(),
        outcome_text(outcome), sender.empty() ? "(none)" : sender, options.text,
        the_case.text_note);
    const auto explanation = the_case.snapshot->mt.explain(query, the_case.scratch);
    if (!explanation.network.empty()) {
        fmt::print("  network {}\n", explanation.network);
    }
    print_considered(explanation.considered, the_case.config.mt_file, the_case);
    if (explanation.not_listed > 0) {
        fmt::print("  ... and {} more that do not hold\n", explanation.not_listed);
    }
    number::Number from;
    const number::Outcome from_kind =
        the_case.sm.source.ton == 5
            ? number::Outcome::not_digits
            : number::normalise(the_case.sm.source, customer->number_plan, from);
    print_decision(explanation, *customer, {to, outcome, from, from_kind}, the_case);
    return 0;
}

int explain_mo(const std::string& config_path, const ExplainOptions& options) {
    Case the_case;
    if (!prepare(config_path, the_case)) {
        return 1;
    }
    SupplierId id;
    const route::Supplier* const supplier =
        find_account(the_case.config.suppliers, options.supplier, id);
    if (supplier == nullptr) {
        return complain(unknown_account("supplier", options.supplier, the_case.config.suppliers));
    }
    if (!encode_text(options, supplier->alphabet, the_case)) {
        return complain("the text is longer than what is matched");
    }
    number::Number to;
    const number::Outcome to_outcome =
        number::normalise({1, 1, options.to}, supplier->number_plan, to);
    if (!number::usable(to_outcome)) {
        return complain(
            fmt::format("--to '{}' is no number: {}", options.to, outcome_text(to_outcome)));
    }
    // A source that is no number (an alphanumeric sender) matches rules without a source only.
    number::Number from;
    (void)number::normalise(sender_address(options.from), supplier->number_plan, from);
    const route::MoQuery query{.supplier = id,
                               .number = to.view(),
                               .source = from.view(),
                               .alphabet = supplier->alphabet,
                               .sm = &the_case.sm,
                               .spread = spread_of(options)};
    fmt::print("MO from supplier {}\n  to    {} ({})\n  from  {}\n  text  \"{}\", {}\n",
               supplier->name, to.view(), outcome_text(to_outcome),
               from.length > 0 ? from.view() : std::string_view(options.from), options.text,
               the_case.text_note);
    const auto explanation = the_case.snapshot->mo.explain(query, the_case.scratch);
    print_considered(explanation.considered, the_case.config.mo_file, the_case);
    const route::MoDecision& decision = explanation.decision;
    if (!decision.routed) {
        fmt::print(
            "\ndecision: no rule holds and no customer has the number, the supplier is "
            "answered with an error\n");
        return 0;
    }
    if (decision.rule_line == 0) {
        fmt::print("\ndecision: the number belongs to a customer (numbers of its account)\n");
    } else {
        fmt::print("\ndecision: {}:{} routes it\n", the_case.config.mo_file, decision.rule_line);
    }
    print_targets(decision, spreads(the_case.config.mo_rules, decision.rule_line),
                  [&](CustomerId target) { return the_case.registry.customers()[target.value]; });
    return 0;
}

}  // namespace sy::daemon
