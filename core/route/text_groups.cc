#include "core/route/text_groups.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include <tbb/parallel_for.h>

#include "core/route/expressions.h"

namespace sy::route {

namespace {

using Ids = std::vector<uint32_t>;  // ascending, each once

Ids ids_of(std::span<const MtRow> rows) {
    Ids ids;
    for (const MtRow& row : rows) {
        if (row.text_expression != Expressions::none) {
            ids.push_back(row.text_expression);
        }
    }
    std::ranges::sort(ids);
    ids.erase(std::ranges::unique(ids).begin(), ids.end());
    return ids;
}

bool worth_a_group(const Ids& ids, KnownWords& words) {
    size_t word_count = 0;
    for (const uint32_t id : ids) {
        word_count += words.of(id).words.size();
        if (words.of(id).words.empty() || word_count > match::QuickSet::words_max) {
            return false;
        }
    }
    return true;
}

// How often each set of expressions is asked for: only those that may become groups.
std::map<Ids, size_t> candidates_of(RuleIndex& conditions, size_t expression_count) {
    std::map<Ids, size_t> uses;
    conditions.each_text_range([&](std::span<const MtRow> rows) {
        Ids ids = ids_of(rows);
        if (ids.size() <= match::QuickSet::words_max &&
            ids.size() * TextGroups::smaller_by <= expression_count) {
            ++uses[std::move(ids)];
        }
    });
    return uses;
}

}  // namespace

TextGroups::TextGroups(RuleIndex& conditions, KnownWords& words, const TextGroups* running) {
    match::QuickSet::Databases known;
    for (size_t i = 0; running != nullptr && i < running->sets_.size(); ++i) {
        const auto& database = running->sets_[i].database();
        known.emplace(database->expressions(), database);
    }
    std::vector<std::pair<Ids, size_t>> wanted;
    for (const auto& [ids, uses] : candidates_of(conditions, words.expression_count())) {
        if (worth_a_group(ids, words)) {
            wanted.emplace_back(ids, uses);
        }
    }
    std::ranges::stable_sort(wanted, std::ranges::greater(), &std::pair<Ids, size_t>::second);
    wanted.resize(std::min(wanted.size(), groups_max));
    std::vector<std::optional<match::QuickSet>> compiled(wanted.size());
    tbb::parallel_for(size_t{0}, wanted.size(), [&](size_t i) {
        std::vector<match::QuickSet::Part> parts;
        for (const uint32_t id : wanted[i].first) {
            parts.push_back({id, &words.of(id)});
        }
        compiled[i] = match::QuickSet::compile(parts, words.expression_count(), known);
    });
    std::map<Ids, uint8_t> groups;
    for (size_t i = 0; i < wanted.size(); ++i) {
        if (compiled[i]) {
            groups.emplace(std::move(wanted[i].first), static_cast<uint8_t>(sets_.size()));
            sets_.push_back(*std::move(compiled[i]));
        }
    }
    conditions.each_text_range([&](std::span<MtRow> rows) {
        const auto it = groups.find(ids_of(rows));
        for (MtRow& row : rows) {
            row.text_group = it == groups.end() ? all : it->second;
        }
    });
}

size_t TextGroups::bytes() const {
    size_t sum = 0;
    for (const match::QuickSet& set : sets_) {
        sum += set.bytes();
    }
    return sum;
}

}  // namespace sy::route
