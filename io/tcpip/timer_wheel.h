// One timer for each id 0..timers_max-1: a hierarchical wheel of 1024 x 1 ms, 1024 x 1.02 s and
// 64 x 17.5 min; what is farther away waits in the last slot and is put in again. Never early; at
// most one tick (1 ms) late when advance() is called often and its budget lasts.
//
// Re-arming is lazy: a timer whose slot comes no later than its new deadline stays where it is,
// only the stored deadline changes (one load and one store on the packet path). When the slot
// comes, the deadline decides. disarm() is lazy in the same way: deadline = never. So a slot may
// come for nothing, and next_ns() is a lower bound.
//
// Invariants: (I1) a linked node's slot comes no later than the tick that its deadline falls into,
// whatever arm() did since; (I2) the slot of a bit that is set holds at least one node; (I3) slots
// are opened in the order of their time, and `current_` never passes a slot that holds nodes. An
// opened slot's nodes move to the list of what is due, which is worked off within the budget.
//
// All memory is taken by the constructor: 24 octets a timer. One thread.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "core/base/assert.h"
#include "core/base/time.h"
#include "io/tcpip/page_array.h"

namespace sy::tcpip {

class TimerWheel {
  public:
    static constexpr Nanos never_ns = ~Nanos{0};
    static constexpr Nanos tick_ns = millisecond_ns;

    TimerWheel(uint32_t timers_max, Nanos start_ns)
        : timers_max_(timers_max), start_ns_(start_ns), nodes_(size_t{timers_max} + heads) {
        SY_ASSERT(timers_max < 0xFFFFFFFF - heads);
        for (uint32_t id = 0; id < timers_max; ++id) {
            nodes_[id] = {never_ns, never_ns, id, id};
        }
        for (uint32_t head = timers_max; head < timers_max + heads; ++head) {
            nodes_[head] = {never_ns, never_ns, head, head};
        }
    }

    /// never_ns disarms. A deadline that has passed expires with the next tick.
    void arm(uint32_t id, Nanos deadline_ns) {
        SY_DCHECK(id < timers_max_);
        Node& node = nodes_[id];
        armed_ += uint32_t{deadline_ns != never_ns} - uint32_t{node.deadline_ns != never_ns};
        node.deadline_ns = deadline_ns;
        if (node.before_slot_ns >= deadline_ns && deadline_ns != never_ns) [[unlikely]] {
            unlink(id);
            link(id);
        }
    }
    void disarm(uint32_t id) { arm(id, never_ns); }

    /// never_ns: not armed.
    [[nodiscard]] Nanos deadline(uint32_t id) const {
        SY_DCHECK(id < timers_max_);
        return nodes_[id].deadline_ns;
    }

    /// Calls expired(id) for timers whose deadline is not later than `now_ns`; each is disarmed
    /// first and may be armed again in the call, as may all others. At most `budget` timers are
    /// looked at (those moved to a nearer slot count); the next call goes on with the rest, and
    /// next_ns() is 0 until none is left. Returns how many expired.
    template <class F>
    uint32_t advance(Nanos now_ns, uint32_t budget, F&& expired) {
        const uint32_t due = due_head();
        if (now_ns < next_slot_ns_ && nodes_[due].next == due) [[likely]] {
            return 0;
        }
        const uint64_t now_tick = now_ns < start_ns_ ? 0 : (now_ns - start_ns_) / tick_ns;
        uint32_t called = 0;
        do {
            while (nodes_[due].next != due) {
                if (budget == 0) {
                    return called;
                }
                --budget;
                const uint32_t id = nodes_[due].next;
                unlink(id);
                Node& node = nodes_[id];
                if (node.deadline_ns == never_ns) {
                    continue;
                }
                if (node.deadline_ns > now_ns) {
                    link(id);
                    continue;
                }
                node.deadline_ns = never_ns;
                --armed_;
                ++called;
                expired(id);
            }
        } while (open_next_slot(now_tick));
        return called;
    }

    /// When advance() may have something to do: not later than one tick after the next deadline,
    /// perhaps earlier. 0: at once; never_ns: no timer is armed.
    [[nodiscard]] Nanos next_ns() const {
        if (armed_ == 0) {
            return never_ns;
        }
        return nodes_[due_head()].next != due_head() ? 0 : next_slot_ns_;
    }

    [[nodiscard]] uint32_t armed() const { return armed_; }
    [[nodiscard]] uint32_t timers_max() const { return timers_max_; }
    [[nodiscard]] size_t memory_bytes() const { return nodes_.memory_bytes() + sizeof *this; }

  private:
    // Slots of 2^0, 2^10 and 2^20 ticks. Numbered through: level 0 first.
    static constexpr uint32_t slot_bits = 10;
    static constexpr uint32_t slots = 1U << slot_bits;
    static constexpr uint32_t top_slots = 64;
    static constexpr uint32_t all_slots = 2 * slots + top_slots;
    static constexpr uint32_t heads = all_slots + 1;  // and the list of what is due
    static constexpr uint64_t no_tick = ~uint64_t{0};

    struct Node {
        Nanos deadline_ns;
        // Deadlines later than this fall into the node's slot or a later one; never_ns: not linked.
        Nanos before_slot_ns;
        uint32_t next;  // circular through the slot's head, which is a node too
        uint32_t previous;
    };
    static_assert(sizeof(Node) == 24);

    struct NextSlot {
        uint64_t tick = no_tick;
        uint32_t slot = 0;
    };

    [[nodiscard]] uint32_t due_head() const { return timers_max_ + all_slots; }
    // Saturates below never_ns, so that a linked node never looks unlinked.
    [[nodiscard]] Nanos at_ns(uint64_t tick) const {
        return tick >= (never_ns - 1 - start_ns_) / tick_ns ? never_ns - 1
                                                            : start_ns_ + tick * tick_ns;
    }

    void unlink(uint32_t id) {
        Node& node = nodes_[id];
        nodes_[node.previous].next = node.next;
        nodes_[node.next].previous = node.previous;
        // The last one of a slot: both neighbours are its head.
        if (node.next == node.previous && node.next >= timers_max_) {
            set_bit(node.next - timers_max_, false);
        }
        node.next = id;
        node.previous = id;
        node.before_slot_ns = never_ns;
    }

    // REQUIRES: not linked, armed.
    void link(uint32_t id) {
        Node& node = nodes_[id];
        const Nanos delta = node.deadline_ns < start_ns_ ? 0 : node.deadline_ns - start_ns_;
        uint64_t tick = delta / tick_ns + (delta % tick_ns != 0 ? 1 : 0);
        tick = tick < current_ ? current_ : tick;
        uint32_t slot = 0;
        // Levels are told apart by slots, not by ticks: of the higher ones, the slot that
        // `current_` is in has been opened, and distances below the number of slots are
        // unambiguous.
        if (tick - current_ < slots) {
            slot = static_cast<uint32_t>(tick) % slots;
        } else if ((tick >> slot_bits) - (current_ >> slot_bits) < slots) {
            tick >>= slot_bits;
            slot = slots + static_cast<uint32_t>(tick) % slots;
            tick <<= slot_bits;
        } else {
            const uint64_t last = (current_ >> (2 * slot_bits)) + top_slots - 1;
            tick >>= 2 * slot_bits;
            tick = tick < last ? tick : last;
            slot = 2 * slots + static_cast<uint32_t>(tick) % top_slots;
            tick <<= 2 * slot_bits;
        }
        node.before_slot_ns = tick == 0 ? 0 : at_ns(tick - 1);
        const Nanos slot_ns = at_ns(tick);
        next_slot_ns_ = slot_ns < next_slot_ns_ ? slot_ns : next_slot_ns_;
        const uint32_t head = timers_max_ + slot;
        node.next = head;
        node.previous = nodes_[head].previous;
        nodes_[node.previous].next = id;
        nodes_[head].previous = id;
        set_bit(slot, true);
    }

    // Moves the nodes of the next slot that is not later than `now_tick` to the list of what is
    // due, which is empty. False: there is none, and `current_` is behind `now_tick`.
    bool open_next_slot(uint64_t now_tick) {
        const NextSlot next = next_slot();
        if (next.tick > now_tick) {
            current_ = current_ > now_tick ? current_ : now_tick + 1;
            next_slot_ns_ = next.tick == no_tick ? never_ns : at_ns(next.tick);
            return false;
        }
        SY_DCHECK(next.tick >= current_);
        // What is linked from a higher level's slot may fall into this very tick.
        current_ = next.slot < slots ? next.tick + 1 : next.tick;
        const uint32_t head = timers_max_ + next.slot;
        Node& from = nodes_[head];
        Node& due = nodes_[due_head()];
        due.next = from.next;
        due.previous = from.previous;
        nodes_[due.next].previous = due_head();
        nodes_[due.previous].next = due_head();
        from.next = head;
        from.previous = head;
        set_bit(next.slot, false);
        return true;
    }

    // The earliest slot that holds nodes; of those of the same tick the highest level's.
    [[nodiscard]] NextSlot next_slot() const {
        NextSlot out;
        const auto consider = [&](uint32_t first_slot, uint32_t count, uint32_t shift) {
            const uint64_t at = current_ >> shift;
            const auto begin = static_cast<uint32_t>(at) % count;
            const uint32_t found = next_bit(first_slot / 64, count / 64, begin);
            if (found != count) {
                const uint64_t tick = (at + ((found - begin) & (count - 1))) << shift;
                if (tick < out.tick) {
                    out = {tick, first_slot + found};
                }
            }
        };
        consider(2 * slots, top_slots, 2 * slot_bits);
        consider(slots, slots, slot_bits);
        consider(0, slots, 0);
        return out;
    }

    // The first set bit of words_[first, first + count), from bit `begin` on and round; 64 * count
    // if there is none.
    [[nodiscard]] uint32_t next_bit(uint32_t first, uint32_t count, uint32_t begin) const {
        const uint32_t words = count;
        uint64_t word = words_[first + begin / 64] & (~uint64_t{0} << (begin % 64));
        for (uint32_t i = 0; i <= words; ++i) {
            if (word != 0) {
                const uint32_t at = (begin / 64 + i) % words;
                return at * 64 + static_cast<uint32_t>(std::countr_zero(word));
            }
            word = words_[first + (begin / 64 + i + 1) % words];
        }
        return 64 * count;
    }

    void set_bit(uint32_t slot, bool to) {
        if (slot < all_slots) {
            const uint64_t bit = uint64_t{1} << (slot % 64);
            words_[slot / 64] = to ? words_[slot / 64] | bit : words_[slot / 64] & ~bit;
        }
    }

    uint32_t timers_max_;
    uint32_t armed_ = 0;
    Nanos start_ns_;
    // The next tick of level 0 to be opened. Falls behind the clock while no slot comes; what is
    // linked then is moved once more when its slot, too near a one, is opened.
    uint64_t current_ = 0;
    // No slot that holds nodes comes before this: most turns end with this comparison.
    Nanos next_slot_ns_ = never_ns;
    std::array<uint64_t, all_slots / 64> words_{};
    PageArray<Node> nodes_;
};

}  // namespace sy::tcpip
