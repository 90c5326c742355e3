// Cells that the route tables have in common, each checked and complained about. Control plane
// only.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/config/csv.h"
#include "core/config/parse.h"
#include "core/route/rules.h"

namespace sy::config {

struct StringHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

/// Priority of a row: a whole number, lower wins, 0 when empty.
[[nodiscard]] int32_t read_priority(CsvTable& table, size_t column);
/// `by_price_too`: cost and quality besides weight and order.
[[nodiscard]] route::Select read_select(CsvTable& table, size_t column, bool by_price_too);
inline constexpr std::string_view money_expected =
    "an amount like 0.0345 with at most 9 decimals, from 0 to 100000";
/// No limit when empty.
[[nodiscard]] route::Money read_max_cost(CsvTable& table, size_t column);
/// Digits of a number's beginning; a leading '+' is dropped. Empty: any.
[[nodiscard]] std::string read_prefix(CsvTable& table, size_t column);
/// A status by name or number; none (and a complaint) if it is not one.
[[nodiscard]] std::optional<smpp::CommandStatus> read_status(CsvTable& table,
                                                             size_t column,
                                                             std::string_view text);

/// One account by name; `what` is "supplier" or "customer".
template <class IdType>
[[nodiscard]] IdType read_account(CsvTable& table,
                                  size_t column,
                                  std::string_view name,
                                  const std::unordered_map<std::string_view, IdType>& ids,
                                  std::span<const std::string_view> names,
                                  std::string_view what) {
    const auto found = ids.find(name);
    if (found == ids.end()) {
        table.complaints().error_with_hint(table.at(column, name),
                                           fmt::format("unknown {} {}", what, in_quotes(name)),
                                           name, names);
        return IdType::none();
    }
    return found->second;
}

/// "alpha:70 | beta:30 > gamma": tiers by '>', targets by '|', weights by ':'.
template <class IdType>
class TargetReader {
  public:
    TargetReader(CsvTable& table,
                 size_t column,
                 const std::unordered_map<std::string_view, IdType>& ids,
                 std::span<const std::string_view> names,
                 std::string_view what)
        : table_(table), column_(column), ids_(ids), names_(names), what_(what) {}

    [[nodiscard]] route::Tiers<IdType> read() {
        const std::string_view cell = table_.cell(column_);
        if (const auto found = cache_.find(cell); found != cache_.end()) {
            return found->second;
        }
        good_ = true;
        count_ = 0;
        route::Tiers<IdType> tiers;
        for_each_part(cell, '>', [&](std::string_view tier) { read_tier(tier, tiers); });
        if (count_ > limits::targets_max) {
            complain(cell, fmt::format("the row has {} targets, expected at most {}", count_,
                                       limits::targets_max));
        }
        // Large tables repeat few different lists.
        constexpr size_t cached_max = 4096;
        if (good_ && cache_.size() < cached_max) {
            cache_.emplace(cell, tiers);
        }
        return tiers;
    }

  private:
    static constexpr uint32_t weight_max = 1'000'000;

    template <class Each>
    static void for_each_part(std::string_view text, char separator, const Each& each) {
        while (true) {
            const size_t end = text.find(separator);
            each(trimmed(text.substr(0, end)));
            if (end == std::string_view::npos) {
                return;
            }
            text.remove_prefix(end + 1);
        }
    }

    void complain(std::string_view part, std::string text) {
        good_ = false;
        table_.complaints().error(table_.at(column_, part), std::move(text));
    }

    void read_tier(std::string_view text, route::Tiers<IdType>& tiers) {
        auto& tier = tiers.emplace_back();
        uint64_t sum = 0;
        for_each_part(text, '|', [&](std::string_view part) {
            const route::Target<IdType> target = read_target(part);
            sum += target.weight;
            if (target.id.valid() && holds(tiers, target.id)) {
                complain(part, fmt::format("target {} is listed twice, expected each {} once in a "
                                           "row",
                                           in_quotes(part), what_));
            }
            if (++count_ <= limits::targets_max) {
                tier.push_back(target);
            }
        });
        if (sum == 0) {
            complain(text, fmt::format("all weights of {} are 0, expected at least one above 0",
                                       in_quotes(text)));
        }
    }

    static bool holds(const route::Tiers<IdType>& tiers, IdType id) {
        for (const auto& tier : tiers) {
            for (const auto& target : tier) {
                if (target.id == id) {
                    return true;
                }
            }
        }
        return false;
    }

    route::Target<IdType> read_target(std::string_view part) {
        const size_t colon = part.find(':');
        const std::string_view name = trimmed(part.substr(0, colon));
        route::Target<IdType> target;
        if (name.empty()) {
            complain(part, fmt::format("a target is missing in {}, expected {} names as in "
                                       "alpha:70 | beta:30 > gamma",
                                       in_quotes(table_.cell(column_)), what_));
            return target;
        }
        target.id = read_account(table_, column_, name, ids_, names_, what_);
        good_ = good_ && target.id.valid();
        if (colon != std::string_view::npos) {
            const std::string_view weight = trimmed(part.substr(colon + 1));
            const auto value = parse_integer<uint32_t>(weight);
            if (!value || *value > weight_max) {
                complain(weight, fmt::format("weight is {}, expected a whole number from 0 to {}",
                                             in_quotes(weight), weight_max));
            } else {
                target.weight = *value;
            }
        }
        return target;
    }

    CsvTable& table_;
    size_t column_;
    const std::unordered_map<std::string_view, IdType>& ids_;
    std::span<const std::string_view> names_;
    std::string_view what_;
    std::unordered_map<std::string, route::Tiers<IdType>, StringHash, std::equal_to<>> cache_;
    bool good_ = true;
    size_t count_ = 0;
};

}  // namespace sy::config
