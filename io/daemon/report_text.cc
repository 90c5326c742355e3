#include <fmt/format.h>

#include "io/daemon/explanation.h"

namespace sy::daemon {
namespace {

void add_head(const Report& report, std::string& out) {
    const bool is_mt = report.kind == Report::Kind::mt;
    out += is_mt ? fmt::format("MT from customer {} (plan {})", report.account, report.plan)
                 : fmt::format("MO from supplier {}", report.account);
    out += fmt::format(" at {} UTC", report.at);
    if (report.generation != 0) {
        out += fmt::format(", by the running configuration (generation {})", report.generation);
    }
    out += fmt::format("\n  to    {} ({})\n  from  {}\n  text  \"{}\", {}\n", report.to,
                       report.to_kind, report.from.empty() ? "(none)" : report.from, report.text,
                       report.coding);
    if (!report.network.empty()) {
        out += fmt::format("  network {}\n", report.network);
    }
}

// Expressions and times have blanks of their own.
std::string quoted(const std::string& column, const std::string& value) {
    if (column == "sender" || column == "text") {
        return fmt::format("/{}/", value);
    }
    return column == "when" ? fmt::format("\"{}\"", value) : value;
}

std::string in_one_line(const Report::Rule& rule) {
    std::string text;
    for (const auto& [column, value] : rule.conditions) {
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", column, quoted(column, value));
    }
    return text + " -> " + rule.outcome;
}

void add_rules(const Report& report, std::string& out) {
    constexpr const char* indent = "             ";
    out += fmt::format("\nrules considered, in this order ({}):\n", report.file);
    if (report.rules.empty()) {
        out += "  none: no rule has this plan and a prefix of this number\n";
    }
    for (const Report::Rule& rule : report.rules) {
        out += fmt::format("  line {:<5} {}\n{}{}\n", rule.line, in_one_line(rule), indent,
                           rule.verdict);
        for (const route::Found& found : rule.found) {
            out += found.place
                       ? fmt::format("{}{} /{}/ matches \"{}\" at octets {} to {}\n", indent,
                                     found.column, found.expression, found.matched,
                                     found.place->first, found.place->last)
                       : fmt::format("{}{} /{}/ matches\n", indent, found.column, found.expression);
        }
        if (!rule.note.empty()) {
            out += fmt::format("{}note: {}\n", indent, rule.note);
        }
    }
    if (report.not_listed > 0) {
        out += fmt::format("  ... and {} more that do not hold\n", report.not_listed);
    }
}

std::string in_words(const Report::Address& address) {
    return fmt::format("{} (TON {}, NPI {})", address.digits.empty() ? "(none)" : address.digits,
                       address.ton, address.npi);
}

void add_targets(const Report& report, std::string& out) {
    out += fmt::format(
        "would be tried, in this order{}:\n",
        report.spread ? " (weights spread messages: another message may begin elsewhere)" : "");
    for (size_t i = 0; i < report.targets.size(); ++i) {
        const Report::Target& target = report.targets[i];
        out += fmt::format("  {}. {}", i + 1, target.name);
        if (!target.fault.empty()) {
            out += ": " + target.fault;
        } else if (report.kind == Report::Kind::mt) {
            out += fmt::format(": to {}, from {}", in_words(target.to), in_words(target.from));
        }
        out += '\n';
    }
}

}  // namespace

std::string to_text(const Report& report) {
    std::string out;
    add_head(report, out);
    add_rules(report, out);
    out += fmt::format("\ndecision: {}\n", report.in_words);
    if (!report.limit.empty()) {
        out += fmt::format("  a target may cost: {}\n", report.limit);
    }
    for (const Report::Choice& one : report.choice) {
        out += fmt::format("  {}: {}\n", one.name, one.facts);
    }
    if (!report.targets.empty()) {
        add_targets(report, out);
    }
    for (const std::string& copy : report.copies) {
        out += fmt::format("then a copy to {}\n", copy);
    }
    if (!report.reply.empty()) {
        out += fmt::format("then an answer to {}: \"{}\"\n", report.from, report.reply);
    }
    if (!report.cost.empty()) {
        out += fmt::format("cost: {}\n", report.cost);
    }
    return out;
}

}  // namespace sy::daemon
