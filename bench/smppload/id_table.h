// Which message got which message_id: open addressing, linear probing, deletion without tombstones.
// Keys are 64-bit hashes of the id as the customer was given it. Grows by doubling; no heap a
// message once it has grown to the receipts outstanding. One thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/prng.h"

namespace sy::load {

/// Never 0, which marks an empty place.
[[nodiscard]] inline uint64_t hash_id(std::string_view id) {
    uint64_t hash = id.size();
    while (!id.empty()) {
        uint64_t word = 0;
        const size_t count = id.size() < 8 ? id.size() : 8;
        __builtin_memcpy(&word, id.data(), count);
        hash = mix64(hash ^ word);
        id.remove_prefix(count);
    }
    return hash == 0 ? 1 : hash;
}

class IdTable {
  public:
    struct Entry {
        uint64_t hash = 0;
        uint32_t value = 0;
        uint16_t customer = 0;
        bool parked = false;  // the receipt came first: `value` is an index into the parked ones
    };

    IdTable() : places_(1024) {}

    /// Null when the id is unknown. Valid until the next insert() or erase().
    [[nodiscard]] Entry* find(uint64_t hash) {
        for (size_t at = hash & mask();; at = (at + 1) & mask()) {
            if (places_[at].hash == hash) {
                return &places_[at];
            }
            if (places_[at].hash == 0) {
                return nullptr;
            }
        }
    }

    /// REQUIRES: find(entry.hash) == nullptr.
    void insert(const Entry& entry) {
        if (size_ * 2 >= places_.size()) {
            grow();
        }
        place(entry);
        ++size_;
    }

    void erase(Entry* entry) {
        auto hole = static_cast<size_t>(entry - places_.data());
        for (size_t at = (hole + 1) & mask(); places_[at].hash != 0; at = (at + 1) & mask()) {
            // What stands behind the hole moves up unless its home lies between the hole and it.
            const size_t home = places_[at].hash & mask();
            if (((at - home) & mask()) >= ((at - hole) & mask())) {
                places_[hole] = places_[at];
                hole = at;
            }
        }
        places_[hole] = {};
        --size_;
    }

    [[nodiscard]] size_t size() const { return size_; }

  private:
    [[nodiscard]] size_t mask() const { return places_.size() - 1; }

    void place(const Entry& entry) {
        size_t at = entry.hash & mask();
        while (places_[at].hash != 0) {
            at = (at + 1) & mask();
        }
        places_[at] = entry;
    }

    void grow() {
        std::vector<Entry> old(places_.size() * 2);
        old.swap(places_);
        for (const Entry& entry : old) {
            if (entry.hash != 0) {
                place(entry);
            }
        }
    }

    std::vector<Entry> places_;
    size_t size_ = 0;
};

}  // namespace sy::load
