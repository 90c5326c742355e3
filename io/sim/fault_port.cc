#include "io/sim/fault_port.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "core/base/assert.h"

namespace sy::sim {
namespace {

constexpr uint32_t no_slot = 0xFFFFFFFF;
constexpr uint32_t l2_bytes_max = 18;

constexpr auto later = [](const auto& a, const auto& b) { return a.later_than(b); };

}  // namespace

FaultPort::FaultPort(tcpip::PacketPort& port, const PortFaults& faults, uint64_t seed)
    : port_(port),
      faults_(faults),
      prng_(seed),
      slot_bytes_(std::max(port.info().mtu + l2_bytes_max, port.info().tso_bytes_max)),
      memory_(std::make_unique<uint8_t[]>(slots_max * slot_bytes_)),
      slots_(slots_max),
      free_(slots_max),
      received_{{}, FixedVector<Due>(slots_max)},
      sent_{{}, FixedVector<Due>(slots_max)} {
    for (uint32_t slot = slots_max; slot > 0; --slot) {
        free_.push_back(slot - 1);
    }
}

FaultPort::Fate FaultPort::draw(Direction& direction) {
    constexpr uint64_t whole = 1000;
    ++direction.counters.frames;
    Fate fate;
    fate.lost = prng_.chance(faults_.loss, whole);
    fate.twice = prng_.chance(faults_.duplicate, whole);
    fate.late_ns = faults_.delay_ns;
    if (faults_.jitter_ns != 0) {
        fate.late_ns += prng_.below(faults_.jitter_ns + 1);
    }
    if (prng_.chance(faults_.reorder, whole)) {
        fate.late_ns += 1 + prng_.below(std::max<Nanos>(faults_.reorder_ns_max, 1));
    }
    direction.counters.lost += fate.lost ? 1U : 0U;
    return fate;
}

/// A copy that leaves later; false: there is no room for it.
bool FaultPort::keep(Direction& direction, const Slot& frame, const uint8_t* data, Nanos late_ns) {
    if (free_.empty() || frame.bytes > slot_bytes_) {
        ++direction.counters.full;
        return false;
    }
    const uint32_t slot = free_.back();
    free_.pop_back();
    slots_[slot] = frame;
    std::memcpy(memory_of(slot), data, frame.bytes);
    direction.waiting.push_back({now_ns_ + late_ns, order_++, slot});
    std::push_heap(direction.waiting.begin(), direction.waiting.end(), later);
    return true;
}

uint32_t FaultPort::pop_due(Direction& direction) {
    if (direction.waiting.empty() || direction.waiting[0].at_ns > now_ns_) {
        return no_slot;
    }
    std::pop_heap(direction.waiting.begin(), direction.waiting.end(), later);
    const uint32_t slot = direction.waiting.back().slot;
    direction.waiting.pop_back();
    return slot;
}

uint32_t FaultPort::receive(std::span<tcpip::RxFrame> out) {
    send_due();
    uint32_t count = 0;
    const uint32_t taken = port_.receive(out);
    for (uint32_t i = 0; i < taken; ++i) {
        const tcpip::RxFrame frame = out[i];
        const Fate fate = draw(received_);
        const Slot copy{.in = frame, .out = {}, .bytes = frame.bytes};
        if (fate.twice && !fate.lost) {
            received_.counters.duplicated +=
                keep(received_, copy, frame.data, fate.late_ns) ? 1U : 0U;
        }
        if (fate.late_ns != 0 && !fate.lost) {
            received_.counters.late += keep(received_, copy, frame.data, fate.late_ns) ? 1U : 0U;
        }
        if (fate.lost || fate.late_ns != 0) {
            port_.release({&frame, 1});
        } else {
            out[count++] = frame;  // never in front of one that is not looked at: count <= i
        }
    }
    while (count < out.size()) {
        const uint32_t slot = pop_due(received_);
        if (slot == no_slot) {
            break;
        }
        out[count] = slots_[slot].in;
        out[count].data = memory_of(slot);
        out[count].buffer = &slots_[slot];
        ++count;
    }
    return count;
}

bool FaultPort::is_slot(const tcpip::RxFrame& frame) const {
    const auto* slot = static_cast<const Slot*>(frame.buffer);
    return std::greater_equal<>()(slot, slots_.data()) &&
           std::less<>()(slot, slots_.data() + slots_.size());
}

void FaultPort::release(std::span<const tcpip::RxFrame> frames) {
    for (const tcpip::RxFrame& frame : frames) {
        if (is_slot(frame)) {
            free_.push_back(
                static_cast<uint32_t>(static_cast<const Slot*>(frame.buffer) - slots_.data()));
        } else {
            port_.release({&frame, 1});
        }
    }
}

uint32_t FaultPort::transmit(std::span<const tcpip::TxFrame> frames) {
    uint32_t count = 0;
    for (const tcpip::TxFrame& frame : frames) {
        const Fate fate = draw(sent_);
        const Slot copy{.in = {}, .out = frame, .bytes = frame.bytes};
        if (fate.twice && !fate.lost) {
            sent_.counters.duplicated += keep(sent_, copy, frame.data, fate.late_ns) ? 1U : 0U;
        }
        if (fate.late_ns != 0 && !fate.lost) {
            sent_.counters.late += keep(sent_, copy, frame.data, fate.late_ns) ? 1U : 0U;
        }
        if (fate.lost || fate.late_ns != 0) {
            port_.discard({&frame, 1});
        } else if (port_.transmit({&frame, 1}) == 0) {
            return count;  // the stack offers it again, with a fate of its own
        }
        ++count;
    }
    return count;
}

/// False: the port has no room now.
bool FaultPort::send_slot(uint32_t slot) {
    tcpip::TxFrame frame;
    if (port_.allocate({&frame, 1}) == 0) {
        return false;
    }
    tcpip::TxFrame wanted = slots_[slot].out;
    SY_ASSERT(slots_[slot].bytes <= frame.capacity);
    std::memcpy(frame.data, memory_of(slot), slots_[slot].bytes);
    wanted.data = frame.data;
    wanted.capacity = frame.capacity;
    wanted.buffer = frame.buffer;
    if (port_.transmit({&wanted, 1}) == 1) {
        return true;
    }
    port_.discard({&wanted, 1});
    return false;
}

void FaultPort::send_due() {
    for (;;) {
        const uint32_t slot = pop_due(sent_);
        if (slot == no_slot) {
            return;
        }
        sent_.counters.full += send_slot(slot) ? 0U : 1U;
        free_.push_back(slot);
    }
}

void FaultPort::wait(Nanos deadline_ns) {
    for (const Direction* direction : {&received_, &sent_}) {
        if (!direction->waiting.empty()) {
            deadline_ns = std::min(deadline_ns, direction->waiting[0].at_ns);
        }
    }
    port_.wait(deadline_ns);
}

}  // namespace sy::sim
