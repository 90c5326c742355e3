// Longest prefix by asking a map once a length: slow, obvious, used while the traffic is made.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>

#include "bench/smppload/traffic.h"

namespace sy::load {

class RouteLookup {
  public:
    /// The rows must outlive it.
    explicit RouteLookup(std::span<const PrefixRow> rows) {
        rows_.reserve(rows.size());
        for (uint32_t i = 0; i < rows.size(); ++i) {
            rows_.emplace(rows[i].prefix, i);
        }
    }

    [[nodiscard]] std::optional<uint32_t> longest(std::string_view digits) const {
        for (size_t size = digits.size() + 1; size-- > 0;) {
            const auto found = rows_.find(digits.substr(0, size));
            if (found != rows_.end()) {
                return found->second;
            }
        }
        return std::nullopt;
    }

  private:
    std::unordered_map<std::string_view, uint32_t> rows_;
};

}  // namespace sy::load
