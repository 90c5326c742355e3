// Routing decisions for whatever a peer sends, over fixed tables that ask for every condition.
// Input: data_coding, esm_class, alphabet and TON, the lengths of destination and sender,
// destination, sender, and the rest as text. decide() must say what explain() says, and what stands
// in front of Hyperscan must be UTF-8 that it can read.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/route/keyword.h"
#include "core/route/message_scan.h"
#include "core/route/mo_table.h"
#include "core/route/mt_table.h"
#include "core/route/scratch.h"

namespace {

using namespace sy;
using namespace sy::route;

MtTable mt_table() {
    std::vector<MtRule> rules;
    const auto add = [&](std::string prefix) -> MtRule& {
        MtRule& rule = rules.emplace_back();
        rule.line = static_cast<uint32_t>(rules.size() + 1);
        rule.plan = "default";
        rule.prefix = std::move(prefix);
        rule.targets = {{{SupplierId{0}, 7}, {SupplierId{1}, 3}}, {{SupplierId{2}, 1}}};
        return rule;
    };
    add("").text = "(?i)^.é";
    add("").sender_type = SenderType::short_code;
    add("4").sender = "^[^a]{2}$";
    add("44").text = "code|\\d{4}";
    add("447").data_coding = 8;
    MtRule& screening = add("");
    screening.plan = "*";
    screening.action = Action::drop;
    screening.sender = "(?i)caf\xC3\xA9";
    std::vector<MtTable::BuildError> errors;
    MtTable table = MtTable::build(rules, {"default"}, errors);
    SY_ASSERT(errors.empty());
    return table;
}

MoTable mo_table() {
    std::vector<MoRule> rules;
    const auto add = [&](std::string number) -> MoRule& {
        MoRule& rule = rules.emplace_back();
        rule.line = static_cast<uint32_t>(rules.size() + 1);
        rule.number = std::move(number);
        rule.targets = {{{CustomerId{0}, 1}, {CustomerId{1}, 1}}};
        return rule;
    };
    add("").text = "^.€";
    add("447").keyword = "Stop";
    add("44").number_is_prefix = true;
    rules.back().keyword = "СТОП";
    add("4").source = "44";
    std::vector<MtTable::BuildError> errors;
    MoTable table = MoTable::build(rules, {{"4477", CustomerId{2}}}, errors);
    SY_ASSERT(errors.empty());
    return table;
}

struct Tables {
    MtTable mt = mt_table();
    MoTable mo = mo_table();
    RouteScratch scratch;

    Tables() { SY_ASSERT(scratch.prepare(mt, mo).has_value()); }
};

struct Input {
    std::string destination;
    std::string sender;
    std::vector<uint8_t> text;
    smpp::Sm sm;
    Alphabet alphabet = Alphabet::gsm7;
    uint8_t ton = 0;
};

void check_mt(Tables& tables, const Input& input) {
    MtQuery query;
    query.plan = PlanId{0};
    query.destination = input.destination;
    query.sender = input.sender;
    query.sender_ton = input.ton;
    query.alphabet = input.alphabet;
    query.sm = &input.sm;
    MtDecision decision;
    tables.mt.decide({&query, 1}, {&decision, 1}, tables.scratch);
    const auto explanation = tables.mt.explain(query, tables.scratch);
    SY_ASSERT(explanation.decision.kind == decision.kind);
    SY_ASSERT(explanation.decision.rule_line == decision.rule_line);
    const bool won =
        !explanation.considered.empty() && explanation.considered.back().verdict == "won";
    SY_ASSERT(won == (decision.kind != MtDecision::Kind::no_route));
}

void check_mo(Tables& tables, const Input& input) {
    MoQuery query;
    query.supplier = SupplierId{0};
    query.number = input.destination;
    query.source = input.sender;
    query.alphabet = input.alphabet;
    query.sm = &input.sm;
    MoDecision decision;
    tables.mo.decide({&query, 1}, {&decision, 1}, tables.scratch);
    const auto explanation = tables.mo.explain(query, tables.scratch);
    SY_ASSERT(explanation.decision.routed == decision.routed);
    SY_ASSERT(explanation.decision.rule_line == decision.rule_line);
    SY_ASSERT(explanation.considered.size() <= 5);
}

void check_words(Tables& tables, const Input& input) {
    std::array<char, sender_utf8_bytes_max> buffer;
    const std::string sender(sender_utf8(input.sender, buffer));
    SY_ASSERT(sender_utf8(sender, buffer) == sender);  // what is UTF-8 once stays as it is
    MessageScan scan(tables.mt.patterns(), tables.scratch.impl(), &input.sm, input.alphabet);
    const std::string_view word = first_word(scan.text());
    const FoldedWord folded = fold_word(word);
    SY_ASSERT(fold_word(folded.view()).view() == folded.view());
    SY_ASSERT(first_word(folded.view()) == folded.view());
    SY_ASSERT(without_punctuation(word).size() <= word.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static Tables tables;
    constexpr size_t head = 4;
    if (size < head) {
        return 0;
    }
    std::string_view rest = as_chars({data + head, size - head});
    const auto take = [&rest](size_t count) {
        const std::string_view front = rest.substr(0, count);
        rest.remove_prefix(front.size());
        return std::string(front);
    };
    Input input;
    input.alphabet = static_cast<Alphabet>(data[2] % 3);
    input.ton = data[2] / 3 % 8;
    input.destination = take(data[3] % 21);
    input.sender = take(data[3] / 21 * 5);
    // A copy of the exact size: an address sanitizer then sees every octet read behind it.
    const Octets text = as_octets(rest.substr(0, 255));
    input.text.assign(text.begin(), text.end());
    input.sm.data_coding = data[0];
    input.sm.esm_class = data[1];
    input.sm.short_message = input.text;
    check_mt(tables, input);
    check_mo(tables, input);
    check_words(tables, input);
    return 0;
}
