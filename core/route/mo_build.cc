// Control plane: checked MO rules into their compiled form, and the parts of MoTable that never run
// per message.
#include <algorithm>
#include <functional>
#include <tuple>

#include "core/base/prng.h"
#include "core/route/expressions.h"
#include "core/route/keyword.h"
#include "core/route/mo_impl.h"
#include "core/route/rule_checks.h"
#include "core/route/when_ids.h"

namespace sy::route {

namespace {

void check_rule(const MoRule& rule, std::vector<MtTable::BuildError>& errors) {
    check_digits(rule.number, rule.line, "number", errors);
    check_digits(rule.source, rule.line, "source", errors);
    check_targets(rule.targets, rule.line, errors);
    size_t customers = rule.copies.size();
    for (const auto& tier : rule.targets) {
        customers += tier.size();
    }
    if (rule.copies.size() > limits::copies_max || customers > limits::targets_max) {
        errors.push_back({rule.line, "copy_to",
                          "too many customers: expected at most " +
                              std::to_string(limits::copies_max) + ", and with the targets " +
                              std::to_string(limits::targets_max)});
    }
    if (rule.keyword.empty()) {
        return;
    }
    if (first_word(rule.keyword) != rule.keyword) {
        errors.push_back(
            {rule.line, "keyword", "\"" + rule.keyword + "\" is not one word: expected no space"});
    } else if (fold_word(rule.keyword).size == 0) {
        errors.push_back({rule.line, "keyword",
                          "\"" + rule.keyword + "\" is too long: expected at most " +
                              std::to_string(keyword_bytes_max - 4) + " octets"});
    }
}

// A number of a customer's account as the rule that it stands for.
MoRule account_rule(const std::pair<std::string, CustomerId>& number) {
    MoRule rule;
    rule.number = number.first;
    rule.targets = {{{number.second, 1}}};
    rule.select = Select::order;
    rule.note = "a number of the customer's account";
    return rule;
}

// What decides which row stands where, and which one wins.
uint64_t hash_of(const MoRule& rule) {
    uint64_t hash = uint64_t{rule.line} << 32 | uint64_t{rule.supplier.value} << 1 |
                    (rule.number_is_prefix ? 1U : 0U);
    for (const std::string* text : {&rule.number, &rule.source, &rule.keyword, &rule.text}) {
        hash = mix64(hash ^ std::hash<std::string>{}(*text));
    }
    for (const auto& tier : rule.targets) {
        for (const auto& target : tier) {
            hash = mix64(hash ^ (uint64_t{target.id.value} << 32 | target.weight));
        }
    }
    return hash;
}

// Where a rule stands among those of its number.
struct Place {
    KeyRange range;
    bool of_account;
    bool any_word;
    int32_t priority;
    uint32_t rule;

    friend bool operator<(const Place& a, const Place& b) {
        return std::tie(a.range.first, b.range.last, a.of_account, a.any_word, a.priority, a.rule) <
               std::tie(b.range.first, a.range.last, b.of_account, b.any_word, b.priority, b.rule);
    }
};

Place place_of(const MoRule& rule, uint32_t index, bool of_account) {
    const bool is_prefix = rule.number_is_prefix || rule.number.empty();
    return {is_prefix ? prefix_range(rule.number) : exact_range(rule.number), of_account,
            rule.keyword.empty(), rule.priority, index};
}

// One number belongs to one customer; mo.csv is where several can share it.
void check_numbers(std::vector<std::pair<std::string, CustomerId>> numbers,
                   std::vector<MtTable::BuildError>& errors) {
    for (const auto& [digits, customer] : numbers) {
        check_digits(digits, 0, "numbers", errors);
        if (digits.empty()) {
            errors.push_back({0, "numbers", "an empty number"});
        }
    }
    std::sort(numbers.begin(), numbers.end());
    for (size_t i = 1; i < numbers.size(); ++i) {
        if (numbers[i].first == numbers[i - 1].first) {
            errors.push_back(
                {0, "numbers", "number \"" + numbers[i].first + "\" is claimed twice"});
        }
    }
}

}  // namespace

MoTable::MoTable() : impl_(std::make_shared<Impl>()), patterns_(std::make_shared<Patterns>()) {}
MoTable::MoTable(const MoTable&) = default;
MoTable& MoTable::operator=(const MoTable&) = default;
MoTable::MoTable(MoTable&&) noexcept = default;
MoTable& MoTable::operator=(MoTable&&) noexcept = default;
MoTable::~MoTable() = default;

MoTable MoTable::build(std::vector<MoRule> rules,
                       std::vector<std::pair<std::string, CustomerId>> numbers,
                       std::vector<MtTable::BuildError>& errors,
                       const PatternSource& source) {
    const size_t errors_before = errors.size();
    const size_t rule_count = rules.size();
    Expressions texts;
    auto impl = std::make_shared<Impl>();
    Patterns patterns;
    WhenIds whens(impl->whens);
    for (const MoRule& rule : rules) {
        check_rule(rule, errors);
        texts.add(rule.text, rule.line, "text");
        (void)whens.of(rule, errors);
    }
    check_numbers(numbers, errors);
    patterns.text =
        texts.compile(mo_text_set, source.running == nullptr ? nullptr : &source.running->text,
                      source.cache, errors);
    MoTable table;
    if (errors.size() != errors_before) {
        return table;
    }
    for (const auto& number : numbers) {
        rules.push_back(account_rule(number));
    }
    std::vector<Place> places;
    for (uint32_t i = 0; i < rules.size(); ++i) {
        places.push_back(place_of(rules[i], i, i >= rule_count));
    }
    std::sort(places.begin(), places.end());
    std::vector<PrefixIndex::Entry> entries;
    impl->rules = std::move(rules);
    for (const Place& place : places) {
        const auto row = static_cast<uint32_t>(impl->rows.size());
        const MoRule& rule = impl->rules[place.rule];
        if (row == 0 || place.range != places[row - 1].range) {
            entries.push_back({0, place.range, row, row});
        }
        ++entries.back().rows_end;
        impl->outcomes.push_back({rule.line, impl->targets.add(rule.targets, rule.select), &rule});
        impl->content_hash = mix64(impl->content_hash ^ hash_of(rule));
        if (!rule.number_is_prefix && !rule.number.empty()) {
            impl->own_numbers.insert(rule.number);
        }
        uint32_t keyword = Impl::no_keyword;
        if (!rule.keyword.empty()) {
            const auto next = static_cast<uint32_t>(impl->keywords.size());
            const FoldedWord folded = fold_word(rule.keyword);
            keyword = impl->keywords.try_emplace(std::string(folded.view()), next).first->second;
        }
        impl->rows.push_back({prefix_range(rule.source), place.rule, keyword,
                              texts.add(rule.text, rule.line, "text"), rule.supplier,
                              whens.of(rule, errors)});
    }
    impl->index = PrefixIndex(entries, 1);
    table.impl_ = std::move(impl);
    table.patterns_ = std::make_shared<const Patterns>(std::move(patterns));
    return table;
}

bool MoTable::owns(std::string_view number) const {
    return impl_->own_numbers.contains(number);
}

uint64_t MoTable::content_hash() const {
    return impl_->content_hash;
}

size_t MoTable::when_count() const {
    return impl_->whens.size();
}

MoTable MoTable::with_patterns(Patterns patterns) const {
    SY_ASSERT(patterns.sender.size() == patterns_->sender.size());
    SY_ASSERT(patterns.text.size() == patterns_->text.size());
    MoTable table(*this);
    table.patterns_ = std::make_shared<const Patterns>(std::move(patterns));
    return table;
}

}  // namespace sy::route
