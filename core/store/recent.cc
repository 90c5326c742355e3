#include "core/store/recent.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/prefetch.h"

namespace sy::store {

void Recent::apply(std::span<const Change> changes) {
    // So many changes pass while a cache line comes.
    constexpr size_t ahead = 8;
    const size_t count = changes.size();
    for (size_t i = 0; i < std::min(2 * ahead, count); ++i) {
        prefetch_places(changes[i]);
    }
    for (size_t i = 0; i < count; ++i) {
        if (i + 2 * ahead < count) {
            prefetch_places(changes[i + 2 * ahead]);
        }
        if (i + ahead < count) {
            prefetch_rows(changes[i + ahead]);
        }
        apply(changes[i]);
    }
}

void Recent::prefetch_places(const Change& change) {
    const auto family = static_cast<size_t>(change.family);
    for (Layer* layer : {&young_, &old_}) {
        const Rows* rows = &layer->tables[family].rows_of(change.key);
        prefetch_lines(rows, rows + 1);
    }
}

// Of a place that has some, the first one: there is seldom another.
void Recent::prefetch_rows(const Change& change) {
    const auto family = static_cast<size_t>(change.family);
    for (Layer* layer : {&young_, &old_}) {
        const Rows& rows = layer->tables[family].rows_of(change.key);
        if (!rows.empty()) {
            const auto* row = &*rows.begin();
            prefetch_lines(row, row + 1);
        }
    }
}

void Recent::apply(const Change& change) {
    if (change.kind == Change::Kind::erase) {
        erase(change);
    } else {
        put(change);
    }
}

Recent::Rows::iterator Recent::place_of(Rows& rows, std::string_view key) {
    // Sequences grow, and the oldest go first; of a hash there is seldom another.
    if (rows.empty() || rows.rbegin()->first.view() < key) {
        return rows.end();
    }
    return rows.begin()->first.view() >= key ? rows.begin() : rows.lower_bound(key);
}

void Recent::add(Rows& rows, Rows::iterator before, const Change& change, bool below) {
    const auto made = rows.emplace_hint(before, std::piecewise_construct,
                                        std::forward_as_tuple(change.key, memory_),
                                        std::forward_as_tuple(change.value, memory_));
    Entry& entry = made->second;
    entry.is_erased = change.kind == Change::Kind::erase;
    entry.below = below;
    const auto family = static_cast<size_t>(change.family);
    young_.octets += octets_of(*made);
    ++young_.rows[family];
    young_.erased[family] += entry.is_erased ? 1u : 0u;
}

void Recent::put(const Change& change) {
    const auto family = static_cast<size_t>(change.family);
    Rows& rows = young_.tables[family].rows_of(change.key);
    const auto at = place_of(rows, change.key);
    if (at != rows.end() && at->first.view() == change.key) {
        Entry& entry = at->second;
        young_.octets += change.value.size() - entry.value.size();
        entry.value = change.value;
        young_.erased[family] -= entry.is_erased ? 1u : 0u;
        entry.is_erased = false;
        return;
    }
    // A new one can only stand there erased.
    const bool is_new = change.kind == Change::Kind::put_new;
    const bool below = is_new && old_.erased[family] == 0 ? false : take_from_old(change, !is_new);
    add(rows, at, change, below);
}

void Recent::erase(const Change& change) {
    const auto family = static_cast<size_t>(change.family);
    Rows& rows = young_.tables[family].rows_of(change.key);
    const auto at = place_of(rows, change.key);
    if (at == rows.end() || at->first.view() != change.key) {
        if (take_from_old(change, true)) {
            add(rows, at, change, true);
        }
        return;
    }
    Entry& entry = at->second;
    if (entry.below) {
        young_.octets -= entry.value.size();
        entry.value.clear();
        young_.erased[family] += entry.is_erased ? 0u : 1u;
        entry.is_erased = true;
    } else {
        young_.remove(change.family, rows, at);
    }
}

bool Recent::take_from_old(const Change& change, bool otherwise) {
    Rows& rows = old_.tables[static_cast<size_t>(change.family)].rows_of(change.key);
    const auto at = place_of(rows, change.key);
    if (at == rows.end() || at->first.view() != change.key) {
        return otherwise;
    }
    const bool below = at->second.below;
    old_.remove(change.family, rows, at);
    return below;
}

void Recent::Layer::remove(Family family, Rows& from, Rows::iterator row) {
    octets -= octets_of(*row);
    --rows[static_cast<size_t>(family)];
    erased[static_cast<size_t>(family)] -= row->second.is_erased ? 1u : 0u;
    from.erase(row);
}

bool Recent::first(Family family, std::string_view from, std::string_view prefix, Row& out) const {
    bool found = false;
    for (const Layer* layer : {&young_, &old_}) {
        const auto* at = layer->tables[static_cast<size_t>(family)].first(from, prefix);
        if (at == nullptr) {
            continue;
        }
        const std::string_view key = at->first.view();
        if (key.starts_with(prefix) && (!found || key < out.key)) {
            out = {key, at->second.value, at->second.is_erased};
            found = true;
        }
    }
    return found;
}

void Recent::turn_over() {
    SY_ASSERT(old_empty());
    swap(young_, old_);
    for (size_t family = 0; family < families; ++family) {
        old_.tables[family].begin_sweep();
        young_.tables[family].spread_for(old_.rows[family], memory_);
    }
}

size_t Recent::each_old(size_t octets_max,
                        const std::function<void(Family family, const Row& row)>& see) {
    size_t count = 0;
    size_t octets = 0;
    for (size_t family = 0; family < families; ++family) {
        const bool all = old_.tables[family].sweep([&](std::string_view key, const Entry& entry) {
            if (count > 0 && octets >= octets_max) {
                return false;
            }
            see(static_cast<Family>(family), {key, entry.value, entry.is_erased});
            octets += octets_of(key, entry);
            ++count;
            return true;
        });
        if (!all) {
            break;
        }
    }
    return count;
}

void Recent::drop_old(size_t count) {
    for (size_t family = 0; family < families; ++family) {
        Table& table = old_.tables[family];
        for (Rows* rows = nullptr; count > 0 && (rows = table.next_to_sweep()); --count) {
            old_.remove(static_cast<Family>(family), *rows, rows->begin());
        }
    }
    SY_ASSERT(count == 0);
}

// ---------------------------------------------------------------- tables

Recent::Tables Recent::make_tables(std::pmr::memory_resource& memory) {
    using enum Table::Spread;
    // By Family: way keys and order keys begin with a hash, message keys are ids, the others begin
    // with a name or a time.
    return {Table(none, memory), Table(hash, memory), Table(none, memory), Table(id, memory),
            Table(none, memory), Table(hash, memory), Table(none, memory)};
}

// Not at every turn: making a million places takes milliseconds.
void Recent::Table::spread_for(size_t rows, std::pmr::memory_resource& memory) {
    const int bits = std::clamp(static_cast<int>(std::bit_width(rows)), bits_min, bits_max);
    if (by_ != Spread::none && (bits > bits_ || bits + 3 < bits_)) {
        bits_ = bits;
        std::pmr::vector<Rows> places(size_t{1} << bits, &memory);
        rows_.swap(places);
    }
}

size_t Recent::Table::octets_seen() const {
    return by_ == Spread::none ? 0 : by_ == Spread::hash ? sizeof(uint32_t) : sizeof(uint64_t);
}

size_t Recent::Table::index_of(std::string_view key) const {
    if (by_ == Spread::none || key.empty()) {
        return 0;
    }
    if (by_ == Spread::id && key.size() >= sizeof(uint64_t)) {
        return load_be<uint64_t>(as_octets(key).data()) & (rows_.size() - 1);
    }
    std::array<uint8_t, sizeof(uint32_t)> head{};
    std::copy_n(key.begin(), std::min(key.size(), head.size()), head.begin());
    return load_be<uint32_t>(head.data()) >> (32 - bits_);
}

const Recent::Rows::value_type* Recent::Table::first(std::string_view from,
                                                     std::string_view prefix) const {
    const bool is_one = prefix.size() >= octets_seen();
    const size_t begin = is_one ? index_of(prefix) : by_ == Spread::hash ? index_of(from) : 0;
    const size_t end = is_one ? begin + 1 : rows_.size();
    const Rows::value_type* out = nullptr;
    for (size_t i = begin; i < end; ++i) {
        const auto at = rows_[i].lower_bound(from);
        if (at != rows_[i].end() && (out == nullptr || at->first.view() < out->first.view())) {
            out = &*at;
            if (by_ != Spread::id) {
                break;  // what comes after it begins with more
            }
        }
    }
    return out;
}

Recent::Rows* Recent::Table::next_to_sweep() {
    while (swept_ < rows_.size() && rows_[swept_].empty()) {
        ++swept_;
    }
    return swept_ < rows_.size() ? &rows_[swept_] : nullptr;
}

}  // namespace sy::store
