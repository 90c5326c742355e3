// The SYN cache: connections that a peer began and has not confirmed, in small entries, so that a
// flood costs no connection (RFC 4987 section 3.4). Bounded; beyond it the stack gives out cookies.
// Part of Stack; one thread; nothing allocates after construction.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/fixed_vector.h"
#include "core/base/time.h"
#include "io/tcpip/address.h"
#include "io/tcpip/seq.h"

namespace sy::tcpip {

struct HalfOpen {
    FlowKey key;
    Nanos sent_ns = 0;  // our last SYN-ACK
    uint32_t hash = 0;
    Seq iss;
    Seq irs;
    uint32_t ts_recent = 0;
    uint32_t ts_offset = 0;
    uint16_t mss = 536;   // the peer's; 536 and 1220 are the defaults of RFC 9293 3.7.1
    uint16_t window = 0;  // of the SYN, unscaled
    uint8_t scale = 0;
    bool window_scale = false;
    bool timestamps = false;
    bool sack_permitted = false;
    uint8_t retries = 0;     // SYN-ACKs sent again
    uint8_t challenges = 0;  // ACKs that something wrong was answered by
    bool used = false;
    Mac peer_mac{};  // answers go back the way the SYN came: no neighbour entry for a flood
};

class HalfOpenTable {
  public:
    explicit HalfOpenTable(uint32_t entries) : entries_(entries), free_(entries) {
        for (uint32_t i = entries; i > 0; --i) {
            free_.push_back(i - 1);
        }
    }

    [[nodiscard]] bool full() const { return free_.empty(); }
    [[nodiscard]] uint32_t size() const {
        return static_cast<uint32_t>(entries_.size() - free_.size());
    }
    /// REQUIRES: not full().
    uint32_t add(const HalfOpen& entry) {
        const uint32_t index = free_.back();
        free_.pop_back();
        entries_[index] = entry;
        entries_[index].used = true;
        return index;
    }
    void remove(uint32_t index) {
        SY_DCHECK(entries_[index].used);
        entries_[index].used = false;
        free_.push_back(index);
    }
    [[nodiscard]] HalfOpen& operator[](uint32_t index) { return entries_[index]; }
    [[nodiscard]] const HalfOpen& operator[](uint32_t index) const { return entries_[index]; }

  private:
    std::vector<HalfOpen> entries_;
    FixedVector<uint32_t> free_;
};

}  // namespace sy::tcpip
