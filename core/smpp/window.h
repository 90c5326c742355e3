// The unanswered requests of one direction of one session (SMPP 3.4 section 2.9; PROTOCOL 8). Hands
// out the sequence numbers, finds a response's request in constant time, and gives up requests in
// the order of their issue. One owner, one thread; no heap after construction.
//
// A slot is addressed by the low bits of the sequence number. A number whose slot is still in use
// is passed over (numbers need not be consecutive), so one request that is never answered does not
// hold up the others. That also makes the wrap from 0x7FFFFFFF to 1 an ordinary step.
//
// A request that was given up stays in its slot as "late", so that its response is still
// recognised; the oldest of these make room when the slots run short.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/time.h"

namespace sy::smpp {

inline constexpr uint32_t sequence_number_min = 1;
inline constexpr uint32_t sequence_number_max = 0x7FFFFFFF;

template <class Payload>
class Window {
    static_assert(std::is_trivially_copyable_v<Payload>);

  public:
    /// REQUIRES: 1 <= outstanding_max <= limits::window_max.
    explicit Window(uint32_t outstanding_max, uint32_t first_sequence_number = sequence_number_min)
        : outstanding_max_(outstanding_max),
          mask_(std::bit_ceil(std::max(outstanding_max, uint32_t{2})) * 2 - 1),
          next_sequence_(first_sequence_number),
          slots_(std::make_unique<Slot[]>(size_t{mask_} + 1)) {
        SY_ASSERT(outstanding_max >= 1);
        SY_ASSERT(outstanding_max <= limits::window_max);
        SY_ASSERT(first_sequence_number >= sequence_number_min);
        SY_ASSERT(first_sequence_number <= sequence_number_max);
    }

    [[nodiscard]] uint32_t outstanding() const { return outstanding_.count; }
    [[nodiscard]] uint32_t outstanding_max() const { return outstanding_max_; }
    [[nodiscard]] bool full() const { return outstanding_.count >= outstanding_max_; }

    /// Issues a request and returns its sequence number. REQUIRES: !full(), and `now_ns` not before
    /// that of an earlier push.
    uint32_t push(Nanos now_ns, const Payload& payload) {
        SY_ASSERT(!full());
        const uint32_t sequence = next_sequence();
        const uint32_t index = sequence & mask_;
        slots_[index].payload = payload;
        slots_[index].issued_ns = now_ns;
        slots_[index].sequence = sequence;
        slots_[index].state = State::outstanding;
        append(outstanding_, index);
        return sequence;
    }

    /// A number for a request that takes no place in the window (enquire_link, unbind).
    uint32_t next_sequence() {
        make_room();
        while (slots_[next_sequence_ & mask_].state != State::free) {
            advance();
        }
        const uint32_t sequence = next_sequence_;
        advance();
        return sequence;
    }

    /// The payload of the request that this response answers; its place is free then. Nothing when
    /// no such request is outstanding (also when it was given up: see take_late).
    [[nodiscard]] std::optional<Payload> take(uint32_t sequence) {
        return take_in_state(sequence, State::outstanding, outstanding_);
    }

    /// The same without taking it; null when there is nothing to take. Valid until the next change.
    [[nodiscard]] const Payload* find(uint32_t sequence) const {
        const Slot& slot = slots_[sequence & mask_];
        return slot.state == State::outstanding && slot.sequence == sequence ? &slot.payload
                                                                             : nullptr;
    }

    /// The payload of a request that was given up and is answered now, once.
    [[nodiscard]] std::optional<Payload> take_late(uint32_t sequence) {
        return take_in_state(sequence, State::late, late_);
    }

    /// When the oldest outstanding request was issued: the next timeout counts from here.
    [[nodiscard]] std::optional<Nanos> oldest_issued_ns() const {
        if (outstanding_.count == 0) {
            return std::nullopt;
        }
        return slots_[outstanding_.head].issued_ns;
    }

    /// Gives up every request that has waited for `timeout_ns`, oldest first: calls
    /// `given_up(sequence, payload&)`, and remembers the payload as it is after the call. The
    /// callback must not touch this window.
    template <class GivenUp>
    void expire_oldest(Nanos now_ns, Nanos timeout_ns, GivenUp&& given_up) {
        while (outstanding_.count != 0) {
            const uint32_t index = outstanding_.head;
            Slot& slot = slots_[index];
            if (now_ns < slot.issued_ns || now_ns - slot.issued_ns < timeout_ns) {
                return;
            }
            unlink(outstanding_, index);
            slot.state = State::late;
            append(late_, index);
            given_up(slot.sequence, slot.payload);
        }
    }

    /// The session is lost: calls `lost(sequence, payload)` for every outstanding request in the
    /// order of issue and starts over with number 1, as a new session has to. The callback must not
    /// touch this window.
    template <class Lost>
    void drain(Lost&& lost) {
        while (outstanding_.count != 0) {
            const uint32_t index = outstanding_.head;
            unlink(outstanding_, index);
            slots_[index].state = State::free;
            lost(slots_[index].sequence, slots_[index].payload);
        }
        while (late_.count != 0) {
            free_oldest_late();
        }
        next_sequence_ = sequence_number_min;
    }

  private:
    enum class State : uint8_t { free, outstanding, late };

    struct Slot {
        Payload payload{};
        Nanos issued_ns = 0;
        uint32_t sequence = 0;
        uint32_t previous = 0;
        uint32_t next = 0;
        State state = State::free;
    };
    // Slots in order, linked by index; head and tail mean nothing when count is 0.
    struct List {
        uint32_t head = 0;
        uint32_t tail = 0;
        uint32_t count = 0;
    };

    void advance() {
        next_sequence_ =
            next_sequence_ == sequence_number_max ? sequence_number_min : next_sequence_ + 1;
    }

    /// At most 3/4 of the slots are in use, so a free one is never far: at most half of them are
    /// outstanding, and the oldest late ones give way.
    void make_room() {
        const uint32_t used_max = (mask_ + 1) / 4 * 3;
        while (late_.count != 0 && outstanding_.count + late_.count >= used_max) {
            free_oldest_late();
        }
    }

    void free_oldest_late() {
        const uint32_t index = late_.head;
        unlink(late_, index);
        slots_[index].state = State::free;
    }

    std::optional<Payload> take_in_state(uint32_t sequence, State state, List& list) {
        const uint32_t index = sequence & mask_;
        Slot& slot = slots_[index];
        if (slot.state != state || slot.sequence != sequence) {
            return std::nullopt;
        }
        unlink(list, index);
        slot.state = State::free;
        return slot.payload;
    }

    void append(List& list, uint32_t index) {
        slots_[index].previous = list.tail;
        if (list.count == 0) {
            list.head = index;
        } else {
            slots_[list.tail].next = index;
        }
        list.tail = index;
        ++list.count;
    }

    void unlink(List& list, uint32_t index) {
        SY_DCHECK(list.count != 0);
        const Slot& slot = slots_[index];
        if (list.head == index) {
            list.head = slot.next;
        } else {
            slots_[slot.previous].next = slot.next;
        }
        if (list.tail == index) {
            list.tail = slot.previous;
        } else {
            slots_[slot.next].previous = slot.previous;
        }
        --list.count;
    }

    uint32_t outstanding_max_;
    uint32_t mask_;
    uint32_t next_sequence_;
    List outstanding_;
    List late_;
    std::unique_ptr<Slot[]> slots_;
};

}  // namespace sy::smpp
