#include "io/daemon/explain_page.h"

#include <fmt/format.h>

#include "core/config/parse.h"

namespace sy::daemon {
namespace {

constexpr const char* plain_text = "text/plain; charset=utf-8";

const char* account_parameter(Report::Kind kind) {
    return kind == Report::Kind::mt ? "customer" : "supplier";
}

// A question of what was asked; what is not known is an error, so that nobody trusts an answer to
// something else.
Result<Question> question_of(Report::Kind kind, const admin::Parameters& parameters, bool& json) {
    Question question;
    for (const auto& [name, value] : parameters) {
        if (name == account_parameter(kind)) {
            question.account = value;
        } else if (name == "to") {
            question.to = value;
        } else if (name == "from") {
            question.from = value;
        } else if (name == "text") {
            question.text = value;
        } else if (name == "at") {
            question.at = value;
        } else if (name == "data_coding") {
            const auto number = config::parse_integer<uint8_t>(value, 10);
            if (!number) {
                return fail(fmt::format("data_coding is '{}', expected 0 to 255", value));
            }
            question.data_coding = *number;
        } else if (name == "format") {
            if (value != "json" && value != "text") {
                return fail(fmt::format("format is '{}', expected json or text", value));
            }
            json = value == "json";
        } else {
            return fail(
                fmt::format("unknown parameter '{}', expected {}, to, from, text, at, "
                            "data_coding or format",
                            name, account_parameter(kind)));
        }
    }
    return question;
}

}  // namespace

std::string explain_page(Report::Kind kind) {
    return kind == Report::Kind::mt ? "/explain/mt" : "/explain/mo";
}

admin::Parameters parameters_of(Report::Kind kind, const Question& question, bool json) {
    admin::Parameters parameters{{account_parameter(kind), question.account},
                                 {"to", question.to},
                                 {"from", question.from},
                                 {"text", question.text},
                                 {"format", json ? "json" : "text"}};
    if (!question.at.empty()) {
        parameters.emplace("at", question.at);
    }
    if (question.data_coding) {
        parameters.emplace("data_coding", fmt::format("{}", *question.data_coding));
    }
    return parameters;
}

admin::Page explain_answer(Report::Kind kind,
                           const ExplainDesk& desk,
                           const admin::Parameters& parameters) {
    const std::shared_ptr<const ExplainTables> tables = desk.tables();
    if (tables == nullptr) {
        return {503, plain_text, "the router has no configuration yet\n"};
    }
    bool json = false;
    const auto question = question_of(kind, parameters, json);
    if (!question) {
        return {400, plain_text, question.error().text + "\n"};
    }
    auto report =
        kind == Report::Kind::mt ? explain_mt(*tables, *question) : explain_mo(*tables, *question);
    if (!report) {
        return {400, plain_text, report.error().text + "\n"};
    }
    report->generation = tables->snapshot.generation;
    return json ? admin::Page{200, "application/json", to_json(*report)}
                : admin::Page{200, plain_text, to_text(*report)};
}

}  // namespace sy::daemon
