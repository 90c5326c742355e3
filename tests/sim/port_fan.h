// One end of a PacketLink as several packet ports: the queues of a NIC, or the hosts behind a
// switch. Who gets a frame is for the caller's function to say; frames that are everybody's are
// copied. Flows and ports can be made to go silent, as behind a firewall that lost its state or on
// a cable that was pulled. One thread; virtual time; it allocates.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "io/sim/packet_link.h"
#include "io/tcpip/port.h"

namespace sy::sim {

class PortFan;

/// Of one stack. wait() does not sleep: it leaves the deadline for whoever moves the clock.
class FanPort final : public tcpip::PacketPort {
  public:
    using Owns = std::function<bool(const tcpip::FlowKey&)>;

    FanPort(PortFan& fan, Owns owns) : fan_(fan), owns_(std::move(owns)) {}

    uint32_t receive(std::span<tcpip::RxFrame> out) override;
    void release(std::span<const tcpip::RxFrame> frames) override;
    uint32_t allocate(std::span<tcpip::TxFrame> out) override;
    uint32_t transmit(std::span<const tcpip::TxFrame> frames) override;
    void discard(std::span<const tcpip::TxFrame> frames) override;
    [[nodiscard]] const tcpip::PortInfo& info() const override;
    void wait(Nanos deadline_ns) override {
        wait_until_ns_ = deadline_ns;
        woken_ = false;
    }
    void wake() override { woken_ = true; }
    [[nodiscard]] bool owns(const tcpip::FlowKey& flow) const override { return owns_(flow); }

    /// A frame is here, or wake() was called.
    [[nodiscard]] bool has_work() const { return !queue_.empty() || woken_; }
    /// When the last wait() would have ended by itself.
    [[nodiscard]] Nanos wait_until_ns() const { return wait_until_ns_; }
    void set_silent_until(Nanos until_ns) { silent_until_ns_ = until_ns; }

  private:
    friend class PortFan;

    static constexpr size_t queue_max = 512;  // frames, as a device's ring

    PortFan& fan_;
    Owns owns_;
    std::deque<tcpip::RxFrame> queue_;
    bool woken_ = false;
    Nanos wait_until_ns_ = no_event_ns;
    Nanos silent_until_ns_ = 0;
};

class PortFan {
  public:
    static constexpr uint32_t everybody = 0xFFFFFFFF;
    using Choose = std::function<uint32_t(Octets frame)>;  // index of a port, or everybody

    PortFan(PacketLink& link, uint32_t end, Choose choose)
        : link_(link), port_(link.port(end)), choose_(std::move(choose)) {}
    ~PortFan();
    PortFan(const PortFan&) = delete;
    PortFan& operator=(const PortFan&) = delete;

    FanPort& add(FanPort::Owns owns);
    [[nodiscard]] FanPort& port(uint32_t index) { return *ports_.at(index); }
    [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(ports_.size()); }
    /// Frames that have arrived go to their ports' queues.
    void spread();
    /// Nothing of this flow passes any more, either way. "Local" is the side of these ports.
    void mute(const tcpip::FlowKey& flow) { muted_.push_back(flow); }
    /// Frames of the link that stand in the queues.
    [[nodiscard]] uint32_t queued() const;
    [[nodiscard]] uint64_t dropped() const { return dropped_; }

  private:
    friend class FanPort;

    void give(FanPort& to, const tcpip::RxFrame& frame);
    void copy_to(FanPort& to, const tcpip::RxFrame& frame);
    void give_back(const tcpip::RxFrame& frame);
    [[nodiscard]] bool is_muted(Octets frame, bool outgoing) const;
    [[nodiscard]] bool is_silent(const FanPort& port) const {
        return link_.now_ns() < port.silent_until_ns_;
    }

    PacketLink& link_;
    tcpip::PacketPort& port_;
    Choose choose_;
    std::vector<std::unique_ptr<FanPort>> ports_;
    std::vector<tcpip::FlowKey> muted_;
    // Copies that stand in a queue or with a stack, by what RxFrame::buffer says.
    std::unordered_map<const void*, std::unique_ptr<std::vector<uint8_t>>> copies_;
    uint64_t dropped_ = 0;
};

}  // namespace sy::sim
