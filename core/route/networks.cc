// Control plane: ported numbers into their index, a network in words. Data plane: resolve().
#include "core/route/networks.h"

#include <algorithm>
#include <array>
#include <tuple>

#include <tbb/parallel_sort.h>

#include "core/base/assert.h"
#include "core/route/flatten.h"

namespace sy::route {

namespace {

bool before(const PortedRow& a, const PortedRow& b) {
    return std::tie(a.key, a.line) < std::tie(b.key, b.line);
}

// The key of the number after this one: a carry leaves out the nibbles that are no digits.
uint64_t next_key(uint64_t key) {
    uint64_t one = 1;
    while ((key & (0xF * one)) == 9 * one) {
        key -= 9 * one;
        one <<= 4;
    }
    return key + one;
}

using Boundary = IntervalIndex<uint16_t>::Boundary;

std::vector<Boundary> boundaries_of(std::span<const PortedRow> rows) {
    std::vector<Boundary> boundaries;
    boundaries.reserve(rows.size() + rows.size() / 2 + 1);
    add_boundary(boundaries, 0, Boundary{0, ClassIndex::none});
    for (const PortedRow& row : rows) {
        SY_ASSERT(row.key != 0 && row.network != ClassIndex::none);
        add_boundary(boundaries, 0, Boundary{row.key, row.network});
        add_boundary(boundaries, 0, Boundary{next_key(row.key), ClassIndex::none});
    }
    return boundaries;
}

}  // namespace

void sort_rows(std::vector<PortedRow>& rows) {
    if (!std::is_sorted(rows.begin(), rows.end(), before)) {
        tbb::parallel_sort(rows.begin(), rows.end(), before);
    }
}

PortedNumbers::PortedNumbers(std::span<const PortedRow> rows)
    : index_(boundaries_of(rows)), number_count_(rows.size()) {}

void NetworkTables::resolve(std::span<const uint64_t> keys, std::span<Resolved> resolved) const {
    const size_t count = keys.size();
    SY_ASSERT(resolved.size() == count && count <= ClassIndex::keys_max);
    static_assert(ClassIndex::none == NetworkId::none_value);
    std::array<uint16_t, ClassIndex::keys_max> found;
    std::fill_n(found.begin(), count, ClassIndex::none);
    if (networks != nullptr) {
        networks->index().find(keys, {found.data(), count});
    }
    for (size_t i = 0; i < count; ++i) {
        resolved[i] = {NetworkId{found[i]}, false};
    }
    if (ported == nullptr) {
        return;
    }
    std::array<uint64_t, ClassIndex::keys_max> ported_keys;
    std::ranges::transform(keys, ported_keys.begin(), [](uint64_t key) { return ported_key(key); });
    ported->find({ported_keys.data(), count}, {found.data(), count});
    for (size_t i = 0; i < count; ++i) {
        const bool is_ported = found[i] != ClassIndex::none;
        resolved[i] = {is_ported ? NetworkId{found[i]} : resolved[i].network, is_ported};
    }
}

std::string NetworkTables::in_words(const Resolved& resolved) const {
    const Network* network = networks == nullptr ? nullptr : networks->network(resolved.network);
    if (network == nullptr) {
        return "unknown: no ported number, no prefix";
    }
    std::string text = network->mccmnc;
    text += network->name.empty() ? "" : " " + network->name;
    text += network->country.empty() ? "" : " (" + network->country + ")";
    return text + (resolved.is_ported ? ", by ported number" : ", by longest prefix");
}

}  // namespace sy::route
