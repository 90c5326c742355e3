#include <nlohmann/json.hpp>

#include "io/daemon/explanation.h"

namespace sy::daemon {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Report::Rule& rule) {
    Json conditions = Json::object();
    for (const auto& [name, value] : rule.conditions) {
        conditions[name] = value;
    }
    Json found = Json::array();
    for (const route::Found& one : rule.found) {
        Json place{{"column", one.column}, {"expression", one.expression}};
        if (one.place) {
            place["first"] = one.place->first;
            place["last"] = one.place->last;
            place["matched"] = one.matched;
        }
        found.push_back(std::move(place));
    }
    Json json{{"line", rule.line},       {"conditions", std::move(conditions)},
              {"outcome", rule.outcome}, {"verdict", rule.verdict},
              {"won", rule.won},         {"found", std::move(found)}};
    if (!rule.note.empty()) {
        json["note"] = rule.note;
    }
    return json;
}

Json json_of(const Report::Address& address) {
    return {{"digits", address.digits}, {"ton", address.ton}, {"npi", address.npi}};
}

Json json_of(const Report::Target& target, Report::Kind kind) {
    Json json{{"name", target.name}};
    if (!target.fault.empty()) {
        json["fault"] = target.fault;
    } else if (kind == Report::Kind::mt) {
        json["to"] = json_of(target.to);
        json["from"] = json_of(target.from);
    }
    return json;
}

Json decision_of(const Report& report) {
    Json json{{"kind", report.decision}, {"in_words", report.in_words}};
    if (report.rule_line != 0) {
        json["line"] = report.rule_line;
    }
    if (!report.status.empty()) {
        json["status"] = report.status;
    }
    if (!report.limit.empty()) {
        json["target_may_cost"] = report.limit;
    }
    Json choice = Json::array();
    for (const Report::Choice& one : report.choice) {
        choice.push_back({{"name", one.name}, {"facts", one.facts}});
    }
    json["choice"] = std::move(choice);
    Json targets = Json::array();
    for (const Report::Target& target : report.targets) {
        targets.push_back(json_of(target, report.kind));
    }
    json["spread_by_weight"] = report.spread;
    json["targets"] = std::move(targets);
    if (!report.copies.empty()) {
        json["copies"] = report.copies;
    }
    if (!report.reply.empty()) {
        json["reply"] = report.reply;
    }
    if (!report.cost.empty()) {
        json["cost"] = report.cost;
    }
    return json;
}

}  // namespace

std::string to_json(const Report& report) {
    const bool is_mt = report.kind == Report::Kind::mt;
    Json json{{"direction", is_mt ? "mt" : "mo"}};
    if (report.generation != 0) {
        json["generation"] = report.generation;
    }
    json[is_mt ? "customer" : "supplier"] = report.account;
    if (is_mt) {
        json["plan"] = report.plan;
    }
    json["at"] = report.at;
    json["to"] = {{"digits", report.to}, {"kind", report.to_kind}};
    json["from"] = report.from;
    json["text"] = report.text;
    json["coding"] = report.coding;
    if (!report.network.empty()) {
        json["network"] = report.network;
    }
    json["file"] = report.file;
    Json rules = Json::array();
    for (const Report::Rule& rule : report.rules) {
        rules.push_back(json_of(rule));
    }
    json["considered"] = std::move(rules);
    json["not_listed"] = report.not_listed;
    json["decision"] = decision_of(report);
    // Octets that are no UTF-8 (they came from a command line) are replaced, never thrown at.
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sy::daemon
