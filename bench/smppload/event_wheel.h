// Things to do later (a delayed response, a receipt): a hashed timing wheel over pooled nodes.
// schedule() and firing are O(1) and take no heap once the pool has grown to its working size.
// One thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "core/base/time.h"

namespace sy::load {

template <class Event>
class EventWheel {
  public:
    EventWheel() { heads_.fill(none); }

    void schedule(Nanos at_ns, const Event& event) {
        uint32_t node = free_;
        if (node == none) {
            node = static_cast<uint32_t>(nodes_.size());
            nodes_.push_back({});
        } else {
            free_ = nodes_[node].next;
        }
        // An instant that has passed goes into the slot that advance() looks at next.
        const uint64_t slot = std::max(at_ns >> tick_bits, next_tick_) & slot_mask;
        nodes_[node] = {at_ns, heads_[slot], event};
        heads_[slot] = node;
        occupied_[slot >> 6] |= uint64_t{1} << (slot & 63);
        ++size_;
    }

    /// Calls fire(event) for everything due by now_ns. fire() may schedule more; what it schedules
    /// for now may wait for the next call.
    template <class Fire>
    void advance(Nanos now_ns, Fire&& fire) {
        const uint64_t now_tick = now_ns >> tick_bits;
        if (size_ == 0) {
            next_tick_ = now_tick;
            return;
        }
        // After a long pause one round over all slots is enough.
        uint64_t tick = next_tick_;
        if (now_tick - tick >= slot_count) {
            tick = now_tick - slot_count + 1;
        }
        next_tick_ = now_tick;  // events of the current tick may still be to come
        for (; tick <= now_tick; ++tick) {
            fire_slot(tick & slot_mask, now_ns, fire);
        }
    }

    [[nodiscard]] size_t size() const { return size_; }

    /// When to call advance() next at the latest; far away when nothing is scheduled.
    [[nodiscard]] Nanos next_ns() const {
        if (size_ == 0) {
            return ~Nanos{0};
        }
        Nanos later = ~Nanos{0};
        for (uint64_t tick = next_tick_; tick < next_tick_ + slot_count;) {
            const uint64_t slot = tick & slot_mask;
            const uint64_t word = occupied_[slot >> 6] >> (slot & 63);
            if (word == 0) {
                tick += 64 - (slot & 63);
                continue;
            }
            tick += static_cast<uint64_t>(std::countr_zero(word));
            const Nanos earliest = earliest_in(tick & slot_mask);
            if (earliest >> tick_bits <= tick) {
                return earliest;
            }
            later = std::min(later, earliest);  // of a later round
            ++tick;
        }
        return later;
    }

  private:
    static constexpr uint32_t none = 0xFFFFFFFF;
    static constexpr uint32_t tick_bits = 16;        // 65.5 microseconds
    static constexpr uint64_t slot_count = 1 << 14;  // 1.07 seconds a round
    static constexpr uint64_t slot_mask = slot_count - 1;

    struct Node {
        Nanos at_ns = 0;
        uint32_t next = none;
        Event event{};
    };

    template <class Fire>
    void fire_slot(uint64_t slot, Nanos now_ns, Fire& fire) {
        uint32_t node = heads_[slot];
        if (node == none) {
            return;
        }
        heads_[slot] = none;
        occupied_[slot >> 6] &= ~(uint64_t{1} << (slot & 63));
        // The list is last in, first out: turn it round, so that equal instants keep their order.
        uint32_t in_order = none;
        while (node != none) {
            const uint32_t next = nodes_[node].next;
            nodes_[node].next = in_order;
            in_order = node;
            node = next;
        }
        while (in_order != none) {
            const uint32_t next = nodes_[in_order].next;
            if (nodes_[in_order].at_ns <= now_ns) {
                const Event event = nodes_[in_order].event;
                nodes_[in_order].next = free_;
                free_ = in_order;
                --size_;
                fire(event);
            } else {
                nodes_[in_order].next = heads_[slot];
                heads_[slot] = in_order;
                occupied_[slot >> 6] |= uint64_t{1} << (slot & 63);
            }
            in_order = next;
        }
    }

    [[nodiscard]] Nanos earliest_in(uint64_t slot) const {
        Nanos earliest = ~Nanos{0};
        for (uint32_t node = heads_[slot]; node != none; node = nodes_[node].next) {
            earliest = std::min(earliest, nodes_[node].at_ns);
        }
        return earliest;
    }

    std::vector<Node> nodes_;
    std::array<uint32_t, slot_count> heads_;
    std::array<uint64_t, slot_count / 64> occupied_{};
    uint32_t free_ = none;
    uint64_t next_tick_ = 0;
    size_t size_ = 0;
};

}  // namespace sy::load
