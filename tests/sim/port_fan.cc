#include "tests/sim/port_fan.h"

#include <algorithm>
#include <array>

#include "io/dpdk/steering.h"

namespace sy::sim {

uint32_t FanPort::receive(std::span<tcpip::RxFrame> out) {
    uint32_t count = 0;
    for (; count < out.size() && !queue_.empty(); ++count) {
        out[count] = queue_.front();
        queue_.pop_front();
    }
    return count;
}

void FanPort::release(std::span<const tcpip::RxFrame> frames) {
    for (const tcpip::RxFrame& frame : frames) {
        fan_.give_back(frame);
    }
}

uint32_t FanPort::allocate(std::span<tcpip::TxFrame> out) {
    return fan_.port_.allocate(out);
}

/// One by one, so that those of a muted flow can go astray between the others.
uint32_t FanPort::transmit(std::span<const tcpip::TxFrame> frames) {
    uint32_t count = 0;
    for (const tcpip::TxFrame& frame : frames) {
        if (fan_.is_silent(*this) || fan_.is_muted({frame.data, frame.bytes}, true)) {
            fan_.port_.discard({&frame, 1});
        } else if (fan_.port_.transmit({&frame, 1}) == 0) {
            break;
        }
        ++count;
    }
    return count;
}

void FanPort::discard(std::span<const tcpip::TxFrame> frames) {
    fan_.port_.discard(frames);
}

const tcpip::PortInfo& FanPort::info() const {
    return fan_.port_.info();
}

PortFan::~PortFan() {
    for (const auto& port : ports_) {
        for (const tcpip::RxFrame& frame : port->queue_) {
            give_back(frame);
        }
    }
}

FanPort& PortFan::add(FanPort::Owns owns) {
    ports_.push_back(std::make_unique<FanPort>(*this, std::move(owns)));
    return *ports_.back();
}

void PortFan::spread() {
    std::array<tcpip::RxFrame, 64> frames;
    for (uint32_t count = port_.receive(frames); count > 0; count = port_.receive(frames)) {
        for (const tcpip::RxFrame& frame : std::span(frames).first(count)) {
            const Octets octets{frame.data, frame.bytes};
            const uint32_t index = choose_(octets);
            if (index != everybody) {
                give(*ports_.at(index), frame);
                continue;
            }
            for (const auto& port : ports_) {
                copy_to(*port, frame);
            }
            port_.release({&frame, 1});
        }
    }
}

void PortFan::give(FanPort& to, const tcpip::RxFrame& frame) {
    if (to.queue_.size() == FanPort::queue_max || is_silent(to) ||
        is_muted({frame.data, frame.bytes}, false)) {
        ++dropped_;
        give_back(frame);
        return;
    }
    to.queue_.push_back(frame);
}

void PortFan::copy_to(FanPort& to, const tcpip::RxFrame& frame) {
    auto copy = std::make_unique<std::vector<uint8_t>>(frame.data, frame.data + frame.bytes);
    tcpip::RxFrame out = frame;
    out.data = copy->data();
    out.buffer = copy.get();
    copies_.emplace(copy.get(), std::move(copy));
    give(to, out);
}

void PortFan::give_back(const tcpip::RxFrame& frame) {
    if (copies_.erase(frame.buffer) == 0) {
        port_.release({&frame, 1});
    }
}

bool PortFan::is_muted(Octets frame, bool outgoing) const {
    if (muted_.empty()) {
        return false;
    }
    const dpdk::Steering steering = dpdk::steer(frame);
    if (steering.to != dpdk::Destination::owner) {
        return false;
    }
    tcpip::FlowKey flow = steering.flow;
    if (outgoing) {
        std::swap(flow.remote, flow.local);
        std::swap(flow.remote_port, flow.local_port);
    }
    return std::ranges::find(muted_, flow) != muted_.end();
}

uint32_t PortFan::queued() const {
    size_t sum = 0;
    for (const auto& port : ports_) {
        sum += static_cast<size_t>(std::ranges::count_if(
            port->queue_,
            [this](const tcpip::RxFrame& frame) { return !copies_.contains(frame.buffer); }));
    }
    return static_cast<uint32_t>(sum);
}

}  // namespace sy::sim
