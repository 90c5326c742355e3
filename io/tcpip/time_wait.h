// Connections in TIME-WAIT, in small entries: what RFC 9293 section 3.10.7.4, RFC 6191 (reuse by a
// newer SYN) and RFC 1337 (resets ignored) need to know. Bounded: the oldest goes first. Part of
// Stack; one thread; nothing allocates after construction.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/fixed_vector.h"
#include "core/base/time.h"
#include "io/tcpip/address.h"
#include "io/tcpip/seq.h"

namespace sy::tcpip {

struct TimeWait {
    FlowKey key;
    uint32_t hash = 0;
    Seq rcv_nxt;
    Seq snd_nxt;
    uint32_t ts_recent = 0;
    uint32_t ts_offset = 0;
    uint16_t window = 0;  // as it was offered last, scaled
    bool timestamps = false;
    bool used = false;
    uint32_t newer = 0xFFFFFFFF;  // entries in order of age
    uint32_t older = 0xFFFFFFFF;
    Nanos answered_ns = 0;  // last acknowledgement sent from here
};

class TimeWaitTable {
  public:
    static constexpr uint32_t none = 0xFFFFFFFF;

    explicit TimeWaitTable(uint32_t entries) : entries_(entries), free_(entries) {
        for (uint32_t i = entries; i > 0; --i) {
            free_.push_back(i - 1);
        }
    }

    [[nodiscard]] bool full() const { return free_.empty(); }
    [[nodiscard]] uint32_t size() const {
        return static_cast<uint32_t>(entries_.size() - free_.size());
    }
    [[nodiscard]] uint32_t oldest() const { return oldest_; }

    /// REQUIRES: not full().
    uint32_t add(const TimeWait& entry) {
        const uint32_t index = free_.back();
        free_.pop_back();
        entries_[index] = entry;
        entries_[index].used = true;
        link(index);
        return index;
    }
    void remove(uint32_t index) {
        SY_DCHECK(entries_[index].used);
        unlink(index);
        entries_[index].used = false;
        free_.push_back(index);
    }
    /// Its time begins again.
    void renew(uint32_t index) {
        unlink(index);
        link(index);
    }
    [[nodiscard]] TimeWait& operator[](uint32_t index) { return entries_[index]; }
    [[nodiscard]] const TimeWait& operator[](uint32_t index) const { return entries_[index]; }

  private:
    void link(uint32_t index) {
        TimeWait& entry = entries_[index];
        entry.older = newest_;
        entry.newer = none;
        (newest_ == none ? oldest_ : entries_[newest_].newer) = index;
        newest_ = index;
    }
    void unlink(uint32_t index) {
        const TimeWait& entry = entries_[index];
        (entry.older == none ? oldest_ : entries_[entry.older].newer) = entry.newer;
        (entry.newer == none ? newest_ : entries_[entry.newer].older) = entry.older;
    }

    std::vector<TimeWait> entries_;
    FixedVector<uint32_t> free_;
    uint32_t oldest_ = none;
    uint32_t newest_ = none;
};

}  // namespace sy::tcpip
