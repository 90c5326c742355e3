// Faults in front of a real packet port, drawn from a seed and in real time: what a stack that
// talks to a kernel over a perfect link needs to be tried (no netem: only this end is touched, and
// any device will do). The same idea on a wire in virtual time, with more faults: packet_link.h.
//
// Frames that are late or doubled are copied into memory of its own, so the port's buffers are
// never held longer than the stack would. As a PacketPort: one worker, its thread. The owner tells
// the time once a turn by set_now(); a late frame leaves in the next receive() after it is due.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/fixed_vector.h"
#include "core/base/prng.h"
#include "core/base/time.h"
#include "io/tcpip/port.h"

namespace sy::sim {

/// Of each direction. Chances are parts in 1,000, each drawn for each frame.
struct PortFaults {
    uint32_t loss = 0;
    uint32_t duplicate = 0;
    uint32_t reorder = 0;  // late by up to reorder_ns_max: what follows overtakes
    Nanos reorder_ns_max = 5 * millisecond_ns;
    Nanos delay_ns = 0;   // of every frame
    Nanos jitter_ns = 0;  // 0 .. this, drawn for each frame; frames overtake
};

class FaultPort final : public tcpip::PacketPort {
  public:
    /// What waits at a time, both directions; more than that is dropped (`full`).
    static constexpr uint32_t slots_max = 4096;

    /// `port` outlives it.
    FaultPort(tcpip::PacketPort& port, const PortFaults& faults, uint64_t seed);

    void set_now(Nanos now_ns) { now_ns_ = now_ns; }

    uint32_t receive(std::span<tcpip::RxFrame> out) override;
    void release(std::span<const tcpip::RxFrame> frames) override;
    uint32_t allocate(std::span<tcpip::TxFrame> out) override { return port_.allocate(out); }
    uint32_t transmit(std::span<const tcpip::TxFrame> frames) override;
    void discard(std::span<const tcpip::TxFrame> frames) override { port_.discard(frames); }
    [[nodiscard]] const tcpip::PortInfo& info() const override { return port_.info(); }
    void wait(Nanos deadline_ns) override;
    void wake() override { port_.wake(); }
    [[nodiscard]] bool owns(const tcpip::FlowKey& flow) const override { return port_.owns(flow); }

    struct Counters {
        uint64_t frames = 0;  // that entered: from the stack, or from the port
        uint64_t lost = 0;
        uint64_t duplicated = 0;
        uint64_t late = 0;
        uint64_t full = 0;  // dropped: no slot, or the port had no room for a late frame
    };
    [[nodiscard]] const Counters& received() const { return received_.counters; }
    [[nodiscard]] const Counters& sent() const { return sent_.counters; }
    [[nodiscard]] uint32_t slots_used() const {
        return slots_max - static_cast<uint32_t>(free_.size());
    }

  private:
    // One late or doubled frame; `frame.data` of the transmit direction is set when it leaves.
    struct Slot {
        tcpip::RxFrame in;
        tcpip::TxFrame out;
        uint32_t bytes = 0;
    };
    struct Due {
        Nanos at_ns = 0;
        uint64_t order = 0;
        uint32_t slot = 0;
        bool later_than(const Due& other) const {
            return at_ns != other.at_ns ? at_ns > other.at_ns : order > other.order;
        }
    };
    struct Direction {
        Counters counters;
        FixedVector<Due> waiting;  // a heap, the next one in front
    };
    struct Fate {
        bool lost = false;
        bool twice = false;
        Nanos late_ns = 0;
    };

    Fate draw(Direction& direction);
    [[nodiscard]] bool keep(Direction& direction,
                            const Slot& frame,
                            const uint8_t* data,
                            Nanos late_ns);
    [[nodiscard]] uint32_t pop_due(Direction& direction);
    void send_due();
    bool send_slot(uint32_t slot);
    [[nodiscard]] uint8_t* memory_of(uint32_t slot) { return memory_.get() + slot * slot_bytes_; }
    [[nodiscard]] bool is_slot(const tcpip::RxFrame& frame) const;

    tcpip::PacketPort& port_;
    PortFaults faults_;
    Prng prng_;
    Nanos now_ns_ = 0;
    uint64_t order_ = 0;
    uint64_t slot_bytes_;
    std::unique_ptr<uint8_t[]> memory_;
    std::vector<Slot> slots_;
    FixedVector<uint32_t> free_;
    Direction received_;
    Direction sent_;
};

}  // namespace sy::sim
