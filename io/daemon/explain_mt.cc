#include "core/config/parse.h"
#include "io/daemon/explanation_parts.h"

namespace sy::daemon {
namespace {

Report::Rule in_report(const route::MtTable::Considered& considered, const ExplainTables& tables) {
    constexpr std::array<std::string_view, 4> sender_types = {"", "alpha", "short", "long"};
    constexpr std::array<std::string_view, 4> selects = {"", "order", "cost", "quality"};
    const route::MtRule& rule = *considered.rule;
    Report::Rule out;
    out.line = rule.line;
    const Conditions conditions{out};
    conditions.add("plan", rule.plan);
    conditions.add("customer", rule.customer.valid() ? tables.customers[rule.customer.value] : "");
    conditions.add("prefix", rule.prefix);
    conditions.add("network", rule.network.valid() ? tables.networks[rule.network.value] : "");
    conditions.add("sender", rule.sender);
    conditions.add("sender_type", std::string(sender_types[static_cast<size_t>(rule.sender_type)]));
    conditions.add("text", rule.text);
    conditions.add("data_coding", rule.data_coding < 0 ? "" : fmt::format("{}", rule.data_coding));
    conditions.add("when", rule.when == nullptr ? "" : rule.when->text);
    conditions.add("priority", rule.priority == 0 ? "" : fmt::format("{}", rule.priority));
    conditions.add("select", std::string(selects[static_cast<size_t>(rule.select)]));
    conditions.add("max_cost",
                   rule.max_cost == route::Money::highest() ? "" : to_string(rule.max_cost));
    switch (rule.action) {
        case route::Action::route:
            out.outcome =
                tiers_text(rule.targets, [&](SupplierId id) { return tables.suppliers[id.value]; });
            if (rule.sender_to != nullptr) {
                out.outcome += fmt::format(" sender_to={}", rule.sender_to->text.view());
            }
            if (rule.reroute_ns != 0) {
                out.outcome += fmt::format(" reroute={}", config::duration_text(rule.reroute_ns));
            }
            break;
        case route::Action::reject:
            out.outcome = fmt::format("reject:{}", smpp::status_name(rule.reject_status));
            break;
        case route::Action::drop:
            out.outcome = "drop";
            break;
    }
    out.verdict = considered.verdict;
    out.won = considered.won;
    out.found = considered.found;
    out.note = rule.note;
    return out;
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
Report::Target target_of(SupplierId id,
                         const route::MtDecision& decision,
                         const number::Parties& as_submitted,
                         const smpp::Address& as_written,
                         const ExplainTables& tables) {
    Report::Target target;
    target.name = tables.suppliers[id.value];
    const number::Parties parties = outgoing_parties(decision, as_submitted);
    number::AddressBuffers buffers;
    smpp::Address destination;
    smpp::Address source = as_written;
    switch (number::write_addresses(parties, tables.snapshot.supplier(id)->number_form, buffers,
                                    destination, source)) {
        case number::WriteFault::destination:
            target.fault = "the destination is too long in its form: answered RINVDSTADR";
            break;
        case number::WriteFault::source:
            target.fault = "the sender is too long in its form: answered RINVSRCADR";
            break;
        case number::WriteFault::none:
            target.to = {std::string(destination.digits), destination.ton, destination.npi};
            target.from = {std::string(source.digits), source.ton, source.npi};
            break;
    }
    return target;
}

void add_decision(const route::MtTable::Explanation& explanation,
                  const route::Customer& customer,
                  Report& report) {
    const route::MtDecision& decision = explanation.decision;
    const std::string place = fmt::format("{}:{}", report.file, decision.rule_line);
    report.rule_line = decision.rule_line;
    report.status = smpp::status_name(customer.no_route_status);
    switch (decision.kind) {
        case route::MtDecision::Kind::no_route:
            report.decision = "no_route";
            report.in_words = fmt::format(
                "no rule holds, the customer is answered {} (no_route_status)", report.status);
            break;
        case route::MtDecision::Kind::reject:
            report.decision = "reject";
            report.status = smpp::status_name(decision.status);
            report.in_words =
                fmt::format("{} rejects it, the customer is answered {}", place, report.status);
            break;
        case route::MtDecision::Kind::drop:
            report.decision = "drop";
            report.status = smpp::status_name(smpp::CommandStatus::esme_rok);
            report.in_words = fmt::format("{} drops it, the customer is answered OK", place);
            break;
        case route::MtDecision::Kind::too_dear:
            report.decision = "too_dear";
            report.in_words = fmt::format(
                "{} has no target that is cheap enough, the customer is answered {} "
                "(no_route_status)",
                place, report.status);
            break;
        case route::MtDecision::Kind::route:
            report.decision = "route";
            report.status.clear();
            report.in_words = fmt::format("{} routes it", place);
            break;
    }
}

}  // namespace

Result<Report> explain_mt(const ExplainTables& tables, const Question& question) {
    const auto id =
        find_account<CustomerId>("customer", question.account, tables.snapshot.customers);
    if (!id) {
        return std::unexpected(id.error());
    }
    const route::Customer& customer = *tables.snapshot.customer(*id);
    Sent sent;
    SY_TRY(encode_text(question, customer.alphabet, sent));
    const auto now = minute_of(question);
    if (!now) {
        return std::unexpected(now.error());
    }
    number::Number to;
    const number::Outcome outcome =
        number::normalise({1, 1, question.to}, customer.number_plan, to);
    if (!number::usable(outcome)) {
        return fail(
            fmt::format("to '{}' is no number: {}; the customer would be answered RINVDSTADR",
                        question.to, outcome_text(outcome)));
    }
    sent.sm.source = sender_address(question.from);
    const std::string_view sender = number::sender_text(question.from);
    route::RouteScratch scratch;
    SY_TRY(prepare(tables, scratch));
    const auto explanation = tables.snapshot.mt.explain({.customer = *id,
                                                         .plan = customer.plan_id,
                                                         .destination = to.view(),
                                                         .sender = sender,
                                                         .sender_ton = sent.sm.source.ton,
                                                         .alphabet = customer.alphabet,
                                                         .sm = &sent.sm,
                                                         .spread = spread_of(question),
                                                         .wall_ns = *now * route::minute_ns},
                                                        scratch);
    Report report;
    report.account = customer.name;
    report.plan = customer.plan;
    report.at = minute_text(*now);
    report.to = to.view();
    report.to_kind = outcome_text(outcome);
    report.from = sender;
    report.text = question.text;
    report.coding = sent.coding;
    report.network = explanation.network;
    report.file = tables.mt_file;
    for (const auto& considered : explanation.considered) {
        report.rules.push_back(in_report(considered, tables));
    }
    report.not_listed = explanation.not_listed;
    add_decision(explanation, customer, report);
    report.limit = explanation.limit;
    for (const auto& target : explanation.targets) {
        if (!target.facts.empty()) {
            report.choice.push_back({tables.suppliers[target.supplier.value], target.facts});
        }
    }
    number::Number from;
    const number::Outcome from_kind =
        sent.sm.source.ton == 5 ? number::Outcome::not_digits
                                : number::normalise(sent.sm.source, customer.number_plan, from);
    report.spread = spreads(explanation.considered);
    for (size_t i = 0; i < explanation.decision.target_count; ++i) {
        report.targets.push_back(target_of(explanation.decision.targets[i], explanation.decision,
                                           {to, outcome, from, from_kind}, sent.sm.source, tables));
    }
    return report;
}

}  // namespace sy::daemon
