// From a number to the network that it belongs to: the ported number if it is listed, else the
// longest prefix. Compiled from networks.csv and ported.csv by the control thread, each immutable
// and shared by snapshots for as long as its file does not change; any worker asks.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/route/class_index.h"

namespace sy::route {

struct Network {
    std::string mccmnc;   // E.212: 3 digits of country, 2 or 3 of network
    std::string name;     // for people
    std::string country;  // for people
};

class Networks {
  public:
    Networks() = default;
    /// Rows are answered by NetworkId values. REQUIRES: sort_rows() order, no prefix twice; an
    /// entry of `by_id` for every id that a row names.
    Networks(std::vector<PrefixRow> rows, std::vector<Network> by_id)
        : by_id_(std::move(by_id)), prefix_count_(rows.size()), index_(std::move(rows)) {}

    [[nodiscard]] const ClassIndex& index() const { return index_; }
    /// Null for an id that networks.csv does not name.
    [[nodiscard]] const Network* network(NetworkId id) const {
        const bool known = id.value < by_id_.size() && !by_id_[id.value].mccmnc.empty();
        return known ? &by_id_[id.value] : nullptr;
    }
    [[nodiscard]] size_t prefix_count() const { return prefix_count_; }

  private:
    std::vector<Network> by_id_;  // without mccmnc: not in networks.csv
    size_t prefix_count_ = 0;
    ClassIndex index_;
};

/// One ported number: `key` is ported_key() of it, `line` the caller's.
struct PortedRow {
    uint64_t key = 0;
    uint32_t line = 0;
    uint16_t network = 0;
};

/// Numbers of one length stand together, as integers: consecutive numbers are consecutive keys, so
/// that ranges of them cost little. Of number_key(); 0 for what no row can be: no digits, or more
/// than 15.
[[nodiscard]] inline uint64_t ported_key(uint64_t key) {
    // End marks fill the key up, and no digit ends in four ones.
    static_assert(end_nibble == 0xF);
    const auto length = key_digits - static_cast<uint32_t>(std::countr_one(key)) / 4;
    const bool is_number = length - 1 < limits::number_digits_max;
    return is_number ? uint64_t{length} << 60 | key >> (4 * (key_digits - length)) : 0;
}
[[nodiscard]] inline uint64_t ported_key(std::string_view digits) {
    return ported_key(number_key(digits));
}

void sort_rows(std::vector<PortedRow>& rows);

class PortedNumbers {
  public:
    PortedNumbers() : PortedNumbers(std::span<const PortedRow>{}) {}
    /// REQUIRES: sort_rows() order, no number twice, no key 0.
    explicit PortedNumbers(std::span<const PortedRow> rows);

    /// Networks by ported_key(), ClassIndex::none where the number is not listed.
    void find(std::span<const uint64_t> keys, std::span<uint16_t> networks) const {
        index_.find(keys, networks);
    }
    [[nodiscard]] size_t bytes() const { return index_.bytes(); }
    [[nodiscard]] size_t number_count() const { return number_count_; }

  private:
    IntervalIndex<uint16_t> index_;
    size_t number_count_ = 0;
};

/// Both tables; either may be missing.
struct NetworkTables {
    std::shared_ptr<const Networks> networks;
    std::shared_ptr<const PortedNumbers> ported;

    struct Resolved {
        NetworkId network;       // none: unknown
        bool is_ported = false;  // listed in ported.csv
    };
    /// By number_key() of the numbers. REQUIRES: as many of each, at most ClassIndex::keys_max.
    void resolve(std::span<const uint64_t> keys, std::span<Resolved> resolved) const;
    /// "23410 O2 (United Kingdom), by ported number": for explain.
    [[nodiscard]] std::string in_words(const Resolved& resolved) const;
};

}  // namespace sy::route
