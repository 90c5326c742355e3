// Messages of many customers that wait for one supplier: who leaves next. Deficit round robin over
// a fixed number of flows: each flow in turn lets one object go, and what a flow lets go beyond its
// turn (objects that belong together) it pays for with its next turns. Within a flow higher levels
// go first, and objects of one level in the order in which they came.
//
// An object costs the same as any other, so the one that comes to an empty flow waits for at most
// one object of every other flow, or turn_max of them where a flow lets a group go.
//
// Objects stand in lists through their own `next`; nothing allocates after construction (27 KiB).
// One owner, one thread. `Traits` says of a T, as static functions:
//   uint32_t flow_of(const T&)               any number: flows share a place modulo flows_max
//   uint32_t level_of(const T&)              0 to levels - 1
//   bool continues(const T& a, const T& b)   b, next in the flow of a, is to leave right after a
#pragma once

#include <bit>
#include <cstdint>
#include <memory>

#include "core/base/assert.h"
#include "core/queue/intrusive_list.h"

namespace sy::queue {

template <class T, class Traits>
class FairQueue {
  public:
    static constexpr uint32_t flows_max = 256;
    static constexpr uint32_t levels = 4;
    /// Objects that one flow lets go in one turn because they belong together. Of the long messages
    /// that people write hardly one has more parts.
    static constexpr uint32_t turn_max = 16;

    FairQueue() : flows_(std::make_unique<Flow[]>(flows_max)) {}

    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] uint32_t count() const { return count_; }

    void push(T* object) {
        const auto index = static_cast<uint16_t>(Traits::flow_of(*object) % flows_max);
        const uint32_t level = Traits::level_of(*object);
        SY_DCHECK(level < levels);
        Flow& flow = flows_[index];
        flow.lists[level].push_back(object);
        flow.occupied |= static_cast<uint8_t>(1u << level);
        ++count_;
        if (!flow.listed) {
            flow.listed = true;
            append(index);
        }
    }

    /// Who leaves next, null: nobody waits. The same until the next push(), pop() or sweep().
    [[nodiscard]] T* front() {
        if (count_ == 0) {
            return nullptr;
        }
        Flow* flow = &flows_[head_];
        while (flow->occupied == 0 || flow->debt > 0) {
            if (flow->occupied == 0) {
                unlist_head();
            } else {
                --flow->debt;
                rotate();
            }
            flow = &flows_[head_];
        }
        return flow->lists[top_level(*flow)].front();
    }

    /// Takes out what front() says.
    T* pop() {
        T* object = front();
        if (object == nullptr) {
            return nullptr;
        }
        Flow& flow = flows_[head_];
        const uint32_t level = top_level(flow);
        flow.lists[level].pop_front();
        --count_;
        if (object == swept_.previous) {
            swept_.previous = nullptr;  // all before it have left: go on at the list's front
        }
        note_if_empty(flow, level);
        if (flow.occupied == 0) {
            unlist_head();
        } else if (flow.turn + 1u < turn_max &&
                   Traits::continues(*object, *flow.lists[top_level(flow)].front())) {
            ++flow.turn;
        } else {
            flow.debt = flow.turn;
            flow.turn = 0;
            rotate();
        }
        return object;
    }

    /// Takes out what is `unwanted(const T&)` and hands it to `taken(T*)`, in at most `steps`
    /// steps: an object or an empty list each. Goes on where the last call ended, so that calls
    /// come past all that waits. The callbacks must not touch this queue.
    template <class Unwanted, class Taken>
    void sweep(uint32_t steps, Unwanted&& unwanted, Taken&& taken) {
        for (; steps > 0 && count_ > 0; --steps) {
            Flow& flow = flows_[swept_.flow];
            auto& list = flow.lists[swept_.level];
            T* object = swept_.previous != nullptr ? swept_.previous->next : list.front();
            if (object == nullptr) {
                sweep_next_list(flow);
            } else if (unwanted(static_cast<const T&>(*object))) {
                list.remove_after(swept_.previous);
                --count_;
                note_if_empty(flow, swept_.level);
                taken(object);
            } else {
                swept_.previous = object;
            }
        }
    }

  private:
    struct Flow {
        IntrusiveFifo<T> lists[levels];
        uint16_t next = 0;     // behind it in the round; means nothing for the last
        uint8_t occupied = 0;  // bit l: lists[l] is not empty
        uint8_t turn = 0;      // let go in this turn so far, beyond the first
        uint8_t debt = 0;      // turns to be passed over
        bool listed = false;   // in the round; one that sweep() has emptied stays until its turn
    };
    static_assert(levels <= 8 && turn_max <= 255);

    static uint32_t top_level(const Flow& flow) {
        return static_cast<uint32_t>(std::bit_width(flow.occupied)) - 1;
    }
    static void note_if_empty(Flow& flow, uint32_t level) {
        if (flow.lists[level].empty()) {
            flow.occupied &= static_cast<uint8_t>(~(1u << level));
        }
    }

    void append(uint16_t index) {
        (listed_ == 0 ? head_ : flows_[tail_].next) = index;
        tail_ = index;
        ++listed_;
    }
    void rotate() {
        if (listed_ > 1) {
            const uint16_t index = head_;
            head_ = flows_[index].next;
            flows_[tail_].next = index;
            tail_ = index;
        }
    }
    /// An empty flow leaves the round, and what it owes is forgotten: nobody waited for it.
    void unlist_head() {
        Flow& flow = flows_[head_];
        flow.listed = false;
        flow.turn = 0;
        flow.debt = 0;
        head_ = flow.next;
        --listed_;
    }
    void sweep_next_list(const Flow& flow) {
        swept_.previous = nullptr;
        ++swept_.level;
        if (swept_.level == levels || flow.occupied == 0) {
            swept_.level = 0;
            swept_.flow = static_cast<uint16_t>((swept_.flow + 1u) % flows_max);
        }
    }

    // Where sweep() is: behind `previous` in that list, null: at its front.
    struct Swept {
        T* previous = nullptr;
        uint16_t flow = 0;
        uint8_t level = 0;
    };

    std::unique_ptr<Flow[]> flows_;
    uint32_t count_ = 0;
    uint32_t listed_ = 0;  // flows in the round
    uint16_t head_ = 0;
    uint16_t tail_ = 0;
    Swept swept_;
};

}  // namespace sy::queue
