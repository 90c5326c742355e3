// The obvious way to decide: all rules in one list in the order in which they count, walked from
// its top until one holds, as gateways do today; the network by hashing ever shorter prefixes, an
// expression by PCRE2-JIT when everything before it holds. The model that decisions are compared
// with, and a peer.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "bench/text_engines.h"
#include "core/route/mt_impl.h"
#include "core/route/mt_table.h"

namespace sy::bench {

class LinearRules {
  public:
    /// The texts of queries are ASCII, so octets are characters. REQUIRES: no ported numbers.
    LinearRules(const std::vector<route::MtRule>& rules,
                const std::vector<std::string>& plans,
                const std::unordered_map<std::string, NetworkId>& networks)
        : rules_(rules), plans_(plans), networks_(networks), whens_(rules.size()) {
        std::vector<std::string> expressions;
        const auto add = [&](const std::string& expression) {
            expressions.push_back(expression);
            return expressions.size() - 1;
        };
        for (const route::MtRule& rule : rules_) {
            Entry entry{&rule, 0, 0};
            entry.sender = rule.sender.empty() ? no_expression : add(rule.sender);
            entry.text = rule.text.empty() ? no_expression : add(rule.text);
            order_.push_back(entry);
        }
        std::ranges::stable_sort(order_, {}, [](const Entry& entry) {
            const route::MtRule& rule = *entry.rule;
            return std::tuple(rule.plan != "*", !rule.network.valid(),
                              -static_cast<int>(rule.prefix.size()), rule.priority, rule.line);
        });
        expressions_ = std::make_unique<match::PcreJit>(expressions);
        for (const auto& [prefix, network] : networks_) {
            longest_ = std::max(longest_, prefix.size());
        }
    }

    /// Null: none holds. `asked_text`: a rule asked for the text on the way.
    const route::MtRule* decide(const route::MtQuery& query, std::string_view text) {
        const NetworkId network = network_of(query.destination);
        const route::SenderType type = route::sender_type_of(query.sender, query.sender_ton);
        asked_text_ = false;
        for (const Entry& entry : order_) {
            if (holds(entry, query, network, type, text)) {
                return entry.rule;
            }
        }
        return nullptr;
    }
    [[nodiscard]] bool asked_text() const { return asked_text_; }

    [[nodiscard]] NetworkId network_of(std::string_view number) const {
        for (size_t digits = std::min(longest_, number.size()); digits > 0; --digits) {
            if (const auto it = networks_.find(std::string(number.substr(0, digits)));
                it != networks_.end()) {
                return it->second;
            }
        }
        return {};
    }

  private:
    static constexpr size_t no_expression = ~size_t{0};
    struct Entry {
        const route::MtRule* rule;
        size_t sender, text;  // expressions
    };

    bool holds(const Entry& entry,
               const route::MtQuery& query,
               NetworkId network,
               route::SenderType type,
               std::string_view text) {
        const route::MtRule& rule = *entry.rule;
        if (rule.plan != "*" && rule.plan != plans_[query.plan.value]) {
            return false;
        }
        if ((rule.network.valid() && rule.network != network) ||
            !query.destination.starts_with(rule.prefix) ||
            (rule.customer.valid() && rule.customer != query.customer) ||
            (rule.sender_type != route::SenderType::any && rule.sender_type != type) ||
            (rule.data_coding >= 0 && rule.data_coding != query.sm->data_coding)) {
            return false;
        }
        if (rule.when != nullptr &&
            !route::holds_at(*rule.when, query.wall_ns,
                             whens_[static_cast<size_t>(&rule - rules_.data())])) {
            return false;
        }
        if (entry.sender != no_expression &&
            !expressions_->matches_one(entry.sender, query.sender)) {
            return false;
        }
        if (entry.text == no_expression) {
            return true;
        }
        asked_text_ = true;
        return expressions_->matches_one(entry.text, text);
    }

    const std::vector<route::MtRule>& rules_;
    const std::vector<std::string>& plans_;
    const std::unordered_map<std::string, NetworkId>& networks_;
    std::vector<Entry> order_;
    std::vector<route::WhenState> whens_;
    std::unique_ptr<match::PcreJit> expressions_;
    size_t longest_ = 0;
    bool asked_text_ = false;
};

}  // namespace sy::bench
