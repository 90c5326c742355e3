#include "io/daemon/explanation_parts.h"

namespace sy::daemon {
namespace {

Report::Rule in_report(const route::MoTable::Considered& considered, const ExplainTables& tables) {
    const route::MoRule& rule = *considered.rule;
    Report::Rule out;
    out.line = rule.line;
    const Conditions conditions{out};
    conditions.add(
        "number", (rule.number.empty() ? "any" : rule.number) + (rule.number_is_prefix ? "*" : ""));
    conditions.add("supplier", rule.supplier.valid() ? tables.suppliers[rule.supplier.value] : "");
    conditions.add("source", rule.source);
    conditions.add("keyword", rule.keyword);
    conditions.add("text", rule.text);
    conditions.add("when", rule.when == nullptr ? "" : rule.when->text);
    conditions.add("priority", rule.priority == 0 ? "" : fmt::format("{}", rule.priority));
    out.outcome =
        tiers_text(rule.targets, [&](CustomerId id) { return tables.customers[id.value]; });
    for (const CustomerId copy : rule.copies) {
        out.outcome += fmt::format(" copy_to={}", tables.customers[copy.value]);
    }
    if (rule.cost) {
        out.outcome += fmt::format(" cost={}", to_string(*rule.cost));
    }
    if (rule.reply != nullptr) {
        out.outcome += fmt::format(" reply=\"{}\"", rule.reply->source);
    }
    out.verdict = considered.verdict;
    out.won = considered.won;
    out.found = considered.found;
    out.note = rule.note;
    return out;
}

void add_decision(const route::MoDecision& decision, Report& report) {
    report.rule_line = decision.rule_line;
    report.decision = decision.routed ? "route" : "no_route";
    if (!decision.routed) {
        report.status = smpp::status_name(smpp::CommandStatus::esme_rx_r_appn);
        report.in_words =
            "no rule holds and no customer has the number, the supplier is answered with an error";
    } else if (decision.rule_line == 0) {
        report.in_words = "the number belongs to a customer (numbers of its account)";
    } else {
        report.in_words = fmt::format("{}:{} routes it", report.file, decision.rule_line);
    }
}

// As the phone would get it, but for what does not fit into one message.
std::string rendered(const route::ReplyTemplate& reply,
                     const Question& question,
                     const Report& report) {
    std::string text(route::reply_octets_max, '\0');
    const route::Rendered done = route::render(
        reply, {.text = question.text, .sender = report.from, .number = report.to}, text);
    text.resize(done.octets);
    return text;
}

}  // namespace

Result<Report> explain_mo(const ExplainTables& tables, const Question& question) {
    const auto id =
        find_account<SupplierId>("supplier", question.account, tables.snapshot.suppliers);
    if (!id) {
        return std::unexpected(id.error());
    }
    const route::Supplier& supplier = *tables.snapshot.supplier(*id);
    Sent sent;
    SY_TRY(encode_text(question, supplier.alphabet, sent));
    const auto now = minute_of(question);
    if (!now) {
        return std::unexpected(now.error());
    }
    number::Number to;
    const number::Outcome outcome =
        number::normalise({1, 1, question.to}, supplier.number_plan, to);
    if (!number::usable(outcome)) {
        return fail(fmt::format("to '{}' is no number: {}", question.to, outcome_text(outcome)));
    }
    // A source that is no number (an alphanumeric sender) matches rules without a source only.
    number::Number from;
    (void)number::normalise(sender_address(question.from), supplier.number_plan, from);
    route::RouteScratch scratch;
    SY_TRY(prepare(tables, scratch));
    const auto explanation = tables.snapshot.mo.explain({.supplier = *id,
                                                         .number = to.view(),
                                                         .source = from.view(),
                                                         .alphabet = supplier.alphabet,
                                                         .sm = &sent.sm,
                                                         .spread = spread_of(question),
                                                         .wall_ns = *now * route::minute_ns},
                                                        scratch);
    Report report;
    report.kind = Report::Kind::mo;
    report.account = supplier.name;
    report.at = minute_text(*now);
    report.to = to.view();
    report.to_kind = outcome_text(outcome);
    report.from = from.length > 0 ? from.view() : std::string_view(question.from);
    report.text = question.text;
    report.coding = sent.coding;
    report.file = tables.mo_file;
    for (const auto& considered : explanation.considered) {
        report.rules.push_back(in_report(considered, tables));
    }
    add_decision(explanation.decision, report);
    report.spread = spreads(explanation.considered);
    for (size_t i = 0; i < explanation.decision.target_count; ++i) {
        report.targets.push_back(
            {tables.customers[explanation.decision.targets[i].value], {}, {}, {}});
    }
    for (size_t i = 0; i < explanation.decision.copy_count; ++i) {
        report.copies.push_back(tables.customers[explanation.decision.copies[i].value]);
    }
    if (explanation.decision.cost != nullptr) {
        report.cost = to_string(*explanation.decision.cost);
    }
    if (explanation.decision.reply != nullptr) {
        report.reply = rendered(*explanation.decision.reply, question, report);
    }
    return report;
}

}  // namespace sy::daemon
