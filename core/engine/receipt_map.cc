#include "core/engine/receipt_map.h"

#include <algorithm>
#include <bit>

#include "core/base/assert.h"

namespace sy::engine {

bool is_same_destination(const ReceiptWay& way, std::string_view destination) {
    const std::string_view ours(way.destination.data(), way.destination_length);
    const size_t tail = std::min<size_t>({ours.size(), destination.size(), 8});
    return tail > 0 &&
           ours.substr(ours.size() - tail) == destination.substr(destination.size() - tail);
}

ReceiptMap::ReceiptMap(uint32_t capacity, Nanos age_max_ns)
    : capacity_(capacity),
      bucket_mask_(std::bit_ceil(capacity) - 1),
      age_max_ns_(age_max_ns),
      entries_(std::make_unique_for_overwrite<Entry[]>(capacity)),
      buckets_(std::make_unique_for_overwrite<uint32_t[]>(bucket_mask_ + 1)) {
    SY_ASSERT(capacity > 0);
    std::fill_n(buckets_.get(), bucket_mask_ + 1, none);
    for (uint32_t i = capacity; i-- > 0;) {
        entries_[i].chain = free_;
        free_ = i;
    }
}

void ReceiptMap::append(List& list, uint32_t entry) {
    Entry& e = entries_[entry];
    e.older = list.newest;
    e.newer = none;
    (list.newest == none ? list.oldest : entries_[list.newest].newer) = entry;
    list.newest = entry;
    ++list.count;
}

void ReceiptMap::unlink(List& list, uint32_t entry) {
    const Entry& e = entries_[entry];
    (e.older == none ? list.oldest : entries_[e.older].newer) = e.newer;
    (e.newer == none ? list.newest : entries_[e.newer].older) = e.older;
    --list.count;
}

void ReceiptMap::release(uint32_t entry) {
    Entry& e = entries_[entry];
    unlink(e.finished ? finished_ : pending_, entry);
    uint32_t* link = &buckets_[e.key.low & bucket_mask_];
    while (*link != entry) {
        link = &entries_[*link].chain;
    }
    *link = e.chain;
    e.chain = free_;
    free_ = entry;
}

bool ReceiptMap::insert(const ReceiptKey& key, const ReceiptWay& way, Nanos since_ns) {
    bool lost = false;
    if (free_ == none) {
        lost = finished_.oldest == none;
        release(lost ? pending_.oldest : finished_.oldest);
    }
    const uint32_t entry = free_;
    Entry& e = entries_[entry];
    free_ = e.chain;
    e.key = key;
    e.finished = false;
    e.since_ns = since_ns;
    e.way = way;
    uint32_t& bucket = buckets_[key.low & bucket_mask_];
    e.chain = bucket;
    bucket = entry;
    append(pending_, entry);
    return lost;
}

ReceiptMap::Found ReceiptMap::find(const ReceiptKey& key, std::string_view destination) const {
    Found newest;
    for (uint32_t i = buckets_[key.low & bucket_mask_]; i != none; i = entries_[i].chain) {
        const Entry& e = entries_[i];
        if (e.key != key) {
            continue;
        }
        const Found found{&e.way, i, e.finished, e.since_ns};
        if (is_same_destination(e.way, destination)) {
            return found;
        }
        // What has ended and went elsewhere is of an id that is used again, whose submit_sm_resp
        // may not have come yet: taken for a repeated receipt, the new one would be lost.
        const bool is_past = e.finished && !destination.empty();
        if (newest.way == nullptr && !is_past) {
            newest = found;
        }
    }
    return newest;
}

ReceiptMap::Found ReceiptMap::find_lost(const ReceiptKey& key) const {
    Found only;
    for (uint32_t i = buckets_[key.low & bucket_mask_]; i != none; i = entries_[i].chain) {
        const Entry& e = entries_[i];
        if (e.key == key && !e.finished) {
            if (only.way != nullptr) {
                return {};
            }
            only = {&e.way, i, false, e.since_ns};
        }
    }
    return only;
}

void ReceiptMap::finish(const ReceiptKey& key, uint64_t id) {
    for (uint32_t i = buckets_[key.low & bucket_mask_]; i != none; i = entries_[i].chain) {
        if (entries_[i].key == key && entries_[i].way.id == id) {
            finish(i);
            return;
        }
    }
}

void ReceiptMap::finish(uint32_t entry) {
    SY_DCHECK(entry < capacity_);
    Entry& e = entries_[entry];
    if (!e.finished) {
        unlink(pending_, entry);
        e.finished = true;
        append(finished_, entry);
    }
}

void ReceiptMap::reopen(const ReceiptKey& key, uint64_t id) {
    for (uint32_t i = buckets_[key.low & bucket_mask_]; i != none; i = entries_[i].chain) {
        Entry& e = entries_[i];
        if (e.key == key && e.way.id == id && e.finished) {
            unlink(finished_, i);
            e.finished = false;
            append(pending_, i);
            return;
        }
    }
}

uint32_t ReceiptMap::expire(Nanos now_ns, uint32_t work_max) {
    // Finished entries only guard against repeats: a tenth of the age is enough.
    const auto old = [&](uint32_t entry, Nanos age) {
        return entry != none && now_ns - entries_[entry].since_ns > age;
    };
    uint32_t lost = 0;
    for (uint32_t work = 0; work < work_max; ++work) {
        if (old(finished_.oldest, age_max_ns_ / 10)) {
            release(finished_.oldest);
        } else if (old(pending_.oldest, age_max_ns_)) {
            release(pending_.oldest);
            ++lost;
        } else {
            break;
        }
    }
    return lost;
}

}  // namespace sy::engine
