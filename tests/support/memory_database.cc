#include "tests/support/memory_database.h"

#include <algorithm>

#include "core/base/assert.h"

namespace sy::test {

using store::Family;

void MemoryDatabase::put(Family family, std::string_view key, std::string_view value) {
    open_.push_back({family, std::string(key), std::string(value), false});
}

bool MemoryDatabase::is_there(Family family, std::string_view key) const {
    const auto last = std::find_if(open_.rbegin(), open_.rend(), [&](const Change& change) {
        return change.family == family && change.key == key;
    });
    return last != open_.rend() ? !last->is_erase : now_[static_cast<size_t>(family)].contains(key);
}

void MemoryDatabase::put_new(Family family, std::string_view key, std::string_view value) {
    SY_ASSERT(!is_there(family, key));
    put(family, key, value);
}

void MemoryDatabase::erase(Family family, std::string_view key) {
    open_.push_back({family, std::string(key), {}, true});
}

void MemoryDatabase::apply(Tables& tables, const Batch& batch) {
    for (const Change& change : batch) {
        Table& table = of(tables, change.family);
        if (change.is_erase) {
            table.erase(change.key);
        } else {
            table[change.key] = change.value;
        }
    }
}

Result<void> MemoryDatabase::commit(bool durable) {
    ++commits;
    if (fails_writes || commits == fails_at) {
        open_.clear();
        return fail("the disk is full");
    }
    apply(now_, open_);
    since_.push_back(std::move(open_));
    open_.clear();
    if (durable) {
        for (const Batch& batch : since_) {
            apply(durable_, batch);
        }
        since_.clear();
    }
    return {};
}

Result<bool> MemoryDatabase::seek(Family family,
                                  std::string_view from,
                                  std::string_view prefix,
                                  Entry& out) {
    if (fails_reads) {
        return fail("the disk cannot be read");
    }
    const Table& table = of(now_, family);
    const auto at = table.lower_bound(from);
    if (at == table.end() || !at->first.starts_with(prefix)) {
        return false;
    }
    out = {at->first, at->second};
    return true;
}

Result<void> MemoryDatabase::each(
    Family family, const std::function<void(std::string_view key, std::string_view value)>& see) {
    for (const auto& [key, value] : of(now_, family)) {
        see(key, value);
    }
    return {};
}

void MemoryDatabase::crash(Prng& prng) {
    const uint64_t kept = prng.below(since_.size() + 1);
    for (uint64_t i = 0; i < kept; ++i) {
        apply(durable_, since_[i]);
    }
    since_.clear();
    open_.clear();
    now_ = durable_;
}

}  // namespace sy::test
