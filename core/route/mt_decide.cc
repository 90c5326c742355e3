// Data plane: which MT rule wins. decide() and explain() run the same code; explain() only listens.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/route/choice_words.h"
#include "core/route/expressions.h"
#include "core/route/message_scan.h"
#include "core/route/mt_decider.h"

namespace sy::route {

namespace {

// What decide() passes for a listener: nothing is left of it after compilation.
struct Silent {
    static constexpr bool listens = false;
    static constexpr bool wants_facts = false;
    void sold(const PriceTable::Step*) {}
    void limit(Money) {}
    void target(const TargetFacts&) {}
};

const char* name_of(SenderType type) {
    switch (type) {
        case SenderType::any:
            return "empty";
        case SenderType::alpha:
            return "alpha";
        case SenderType::short_code:
            return "short";
        case SenderType::long_number:
            return "long";
    }
    return "";
}

std::string in_words(Verdict verdict, const MtRule& rule, const MtQuery& query) {
    switch (verdict) {
        case Verdict::won:
            return "won";
        case Verdict::customer:
            return "is for another customer";
        case Verdict::sender_type:
            return std::string("sender is ") +
                   name_of(sender_type_of(query.sender, query.sender_ton)) + ", not " +
                   name_of(rule.sender_type);
        case Verdict::data_coding:
            return "data_coding is " +
                   std::to_string(query.sm == nullptr ? 0 : query.sm->data_coding) + ", not " +
                   std::to_string(rule.data_coding);
        case Verdict::when:
            return "holds only at \"" + rule.when->text + "\"";
        case Verdict::sender:
            return "sender \"" + std::string(query.sender) + "\" does not match \"" + rule.sender +
                   "\"";
        case Verdict::text:
            return "text does not match \"" + rule.text + "\"";
        case Verdict::no_text:
            return "the message has no text to match \"" + rule.text + "\"";
    }
    return {};
}

// What the decider says, kept for explain(): the rows of each prefix up to its winner, in the order
// in which they count, and what decided over the winner's targets.
class Explainer {
  public:
    static constexpr bool listens = true;
    static constexpr bool wants_facts = true;

    Explainer(const std::vector<MtRule>& rules, MtTable::Explanation& explanation)
        : rules_(rules), explanation_(explanation) {}

    void prefix_decided(std::span<const MtRow> rows, const MtRow* winner, Judge& judge) {
        std::vector<const MtRow*> by_rank;
        for (const MtRow& row : rows) {
            if (winner == nullptr || row.rank <= winner->rank) {
                by_rank.push_back(&row);
            }
        }
        std::ranges::sort(by_rank, {}, &MtRow::rank);
        for (const MtRow* row : by_rank) {
            if (row != winner && explanation_.considered.size() >= MtTable::considered_max) {
                ++explanation_.not_listed;
                continue;
            }
            const MtRule& rule = rules_[row->rule];
            const Verdict verdict = judge(*row);
            explanation_.considered.push_back({&rule,
                                               in_words(verdict, rule, judge.the_case().query()),
                                               row == winner, found(rule, verdict, judge)});
        }
    }
    void sold(const PriceTable::Step* price) {
        is_sold_ = true;
        sell_price_ = price;
    }
    void limit(Money money) { cost_limit_ = money; }
    void target(const TargetFacts& facts) { targets_.push_back(facts); }

    // Conditions are looked at in this order, so the verdict tells which expressions matched.
    std::vector<Found> found(const MtRule& rule, Verdict verdict, Judge& judge) {
        std::vector<Found> all;
        const bool after_sender =
            verdict == Verdict::won || verdict == Verdict::text || verdict == Verdict::no_text;
        const bool sender = !rule.sender.empty() && after_sender;
        const bool text = !rule.text.empty() && verdict == Verdict::won;
        if ((!sender && !text) || found_count_ == MtTable::found_max) {
            return all;
        }
        ++found_count_;
        if (sender) {
            std::array<char, sender_utf8_bytes_max> buffer;
            all.push_back(found_in("sender", rule.sender,
                                   sender_utf8(judge.the_case().query().sender, buffer)));
        }
        if (text) {
            all.push_back(found_in("text", rule.text, judge.scan().text()));
        }
        return all;
    }

    [[nodiscard]] bool is_sold() const { return is_sold_; }
    [[nodiscard]] const PriceTable::Step* sell_price() const { return sell_price_; }
    [[nodiscard]] Money cost_limit() const { return cost_limit_; }
    [[nodiscard]] std::span<const TargetFacts> targets() const { return targets_; }

  private:
    const std::vector<MtRule>& rules_;
    MtTable::Explanation& explanation_;
    size_t found_count_ = 0;
    bool is_sold_ = false;
    const PriceTable::Step* sell_price_ = nullptr;
    Money cost_limit_ = Money::highest();
    std::vector<TargetFacts> targets_;
};

}  // namespace

namespace {

template <class Word>
bool word_of_digits(const char* octets) {
    // Less '0', a digit is 0 to 9; 0x76 more makes anything above set its top bit.
    constexpr Word ones = static_cast<Word>(~Word{0}) / 0xFF;
    Word word;
    std::memcpy(&word, octets, sizeof word);
    word ^= ones * '0';
    return ((word | (word + ones * 0x76)) & ones * 0x80) == 0;
}

// Loads that overlap in place of a loop whose end the CPU cannot guess.
bool all_digits(std::string_view text) {
    const size_t size = text.size();
    if (size >= 8 && size <= 16) {
        const bool head = word_of_digits<uint64_t>(text.data());
        const bool tail = word_of_digits<uint64_t>(text.data() + size - 8);
        return head && tail;
    }
    if (size >= 4 && size < 8) {
        const bool head = word_of_digits<uint32_t>(text.data());
        const bool tail = word_of_digits<uint32_t>(text.data() + size - 4);
        return head && tail;
    }
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

SenderType sender_type_of(std::string_view sender, uint8_t sender_ton) {
    constexpr uint8_t ton_international = 1;
    constexpr uint8_t ton_alphanumeric = 5;
    // PROTOCOL facts: short codes have 3 to 8 digits; international numbers at least 7.
    constexpr size_t short_code_digits_max = 8;
    constexpr size_t international_digits_min = 7;
    if (sender.empty()) {
        return SenderType::any;
    }
    if (sender_ton == ton_alphanumeric) {
        return SenderType::alpha;
    }
    if (!all_digits(sender)) {
        return SenderType::alpha;
    }
    if (sender.size() > short_code_digits_max ||
        (sender_ton == ton_international && sender.size() >= international_digits_min)) {
        return SenderType::long_number;
    }
    return SenderType::short_code;
}

void MtTable::decide(std::span<const MtQuery> queries,
                     std::span<MtDecision> decisions,
                     RouteScratch& scratch) const {
    Silent silent;
    Decider<Silent>(*impl_, *this, scratch.impl(), silent).decide(queries, decisions);
}

MtTable::Explanation MtTable::explain(const MtQuery& query, RouteScratch& scratch) const {
    Explanation explanation;
    MtDecision& decision = explanation.decision;
    Explainer recorder(rules(), explanation);
    Decider<Explainer>(*impl_, *this, scratch.impl(), recorder).decide({&query, 1}, {&decision, 1});
    const auto winner = std::ranges::find(rules(), decision.rule_line, &MtRule::line);
    ChoiceCase the_case;
    the_case.network = decision.network;
    the_case.buy = prices_->buy.get();
    the_case.quality = scratch.impl().quality;
    for (const TargetFacts& facts : recorder.targets()) {
        explanation.targets.push_back(
            {facts.supplier, target_in_words(facts, the_case, winner->select, prices_->currency)});
    }
    explanation.limit = limit_in_words(recorder.cost_limit(), recorder.is_sold(),
                                       recorder.sell_price(), prices_->currency);
    if (networks_.networks != nullptr) {
        const uint64_t key = number_key(query.destination);
        NetworkTables::Resolved resolved;
        networks_.resolve({&key, 1}, {&resolved, 1});
        explanation.network = networks_.in_words(resolved);
    }
    return explanation;
}

}  // namespace sy::route
