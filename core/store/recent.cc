#include "core/store/recent.h"

#include <utility>

#include "core/base/assert.h"
#include "core/base/bytes.h"

namespace sy::store {

void Recent::apply(const Change& change) {
    const auto family = static_cast<size_t>(change.family);
    Rows& young = young_[family].rows_of(change.key);
    Rows& old = old_[family].rows_of(change.key);
    if (change.kind == Change::Kind::erase) {
        erase(young, old, change.key);
    } else {
        put(young, old, change);
    }
}

void Recent::put(Rows& young, Rows& old, const Change& change) {
    const auto at = young.lower_bound(change.key);
    if (at != young.end() && at->first == change.key) {
        Entry& entry = at->second;
        young_octets_ += change.value.size() - entry.value.size();
        entry.value = change.value;
        entry.is_erased = false;
        return;
    }
    const bool is_new = change.kind == Change::Kind::put_new;
    const bool below = take_from_old(old, change.key, !is_new);
    const auto made = young.emplace_hint(at, change.key, entry_of(change.value, false, below));
    young_octets_ += octets_of(made->first, made->second);
}

void Recent::erase(Rows& young, Rows& old, std::string_view key) {
    const auto at = young.lower_bound(key);
    if (at == young.end() || at->first != key) {
        if (take_from_old(old, key, true)) {
            const auto made = young.emplace_hint(at, key, entry_of({}, true, true));
            young_octets_ += octets_of(made->first, made->second);
        }
        return;
    }
    Entry& entry = at->second;
    if (entry.below) {
        young_octets_ -= entry.value.size();
        entry.value.clear();
        entry.is_erased = true;
    } else {
        young_octets_ -= octets_of(at->first, entry);
        young.erase(at);
    }
}

bool Recent::take_from_old(Rows& old, std::string_view key, bool otherwise) {
    const auto at = old.find(key);
    if (at == old.end()) {
        return otherwise;
    }
    const bool below = at->second.below;
    old_octets_ -= octets_of(at->first, at->second);
    old.erase(at);
    return below;
}

bool Recent::first(Family family, std::string_view from, std::string_view prefix, Row& out) const {
    bool found = false;
    for (const Tables* tables : {&young_, &old_}) {
        const auto* at = (*tables)[static_cast<size_t>(family)].first(from, prefix);
        if (at != nullptr && at->first.starts_with(prefix) && (!found || at->first < out.key)) {
            out = {at->first, at->second.value, at->second.is_erased};
            found = true;
        }
    }
    return found;
}

void Recent::turn_over() {
    SY_ASSERT(old_empty());
    std::swap(young_, old_);
    std::swap(young_octets_, old_octets_);
    for (Table& table : old_) {
        table.begin_sweep();
    }
}

size_t Recent::each_old(size_t octets_max,
                        const std::function<void(Family family, const Row& row)>& see) {
    size_t count = 0;
    size_t octets = 0;
    for (size_t family = 0; family < families; ++family) {
        const bool all = old_[family].sweep([&](std::string_view key, const Entry& entry) {
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
    for (Table& table : old_) {
        for (Rows* rows = nullptr; count > 0 && (rows = table.next_to_sweep()); --count) {
            const auto at = rows->begin();
            old_octets_ -= octets_of(at->first, at->second);
            rows->erase(at);
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

size_t Recent::Table::octets_seen() const {
    return by_ == Spread::none ? 0 : by_ == Spread::hash ? 2 : sizeof(uint64_t);
}

size_t Recent::Table::index_of(std::string_view key) const {
    if (by_ == Spread::none || key.empty()) {
        return 0;
    }
    if (by_ == Spread::id && key.size() >= sizeof(uint64_t)) {
        return load_be<uint64_t>(as_octets(key).data()) % spread;
    }
    const size_t second = key.size() > 1 ? static_cast<uint8_t>(key[1]) : 0;
    return size_t{static_cast<uint8_t>(key[0])} << 8 | second;
}

const Recent::Rows::value_type* Recent::Table::first(std::string_view from,
                                                     std::string_view prefix) const {
    const bool is_one = prefix.size() >= octets_seen();
    const size_t begin = is_one ? index_of(prefix) : by_ == Spread::hash ? index_of(from) : 0;
    const size_t end = is_one ? begin + 1 : rows_.size();
    const Rows::value_type* out = nullptr;
    for (size_t i = begin; i < end; ++i) {
        const auto at = rows_[i].lower_bound(from);
        if (at != rows_[i].end() && (out == nullptr || at->first < out->first)) {
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
