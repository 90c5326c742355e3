// The names behind the ids of this run, for the store alone, which writes names. Immutable: a
// reload that brings new ones makes a new table. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/ids.h"

namespace sy::store {

class Names {
  public:
    /// By id, as config::Registry has them; networks are MCCMNCs.
    Names(std::vector<std::string> customers,
          std::vector<std::string> networks,
          std::vector<std::string> suppliers);
    Names(const Names&) = delete;
    Names& operator=(const Names&) = delete;

    [[nodiscard]] std::string_view name_of(CustomerId customer) const;
    /// Empty for none.
    [[nodiscard]] std::string_view name_of(NetworkId network) const;
    [[nodiscard]] std::string_view name_of(SupplierId supplier) const;
    /// None for a name that this run has not met.
    [[nodiscard]] CustomerId find_customer(std::string_view name) const;
    [[nodiscard]] NetworkId find_network(std::string_view mccmnc) const;
    [[nodiscard]] SupplierId find_supplier(std::string_view name) const;

  private:
    std::vector<std::string> customers_;
    std::vector<std::string> networks_;
    std::vector<std::string> suppliers_;
    // Views into the vectors.
    std::unordered_map<std::string_view, uint16_t> customer_index_;
    std::unordered_map<std::string_view, uint16_t> network_index_;
    std::unordered_map<std::string_view, uint16_t> supplier_index_;
};

}  // namespace sy::store
