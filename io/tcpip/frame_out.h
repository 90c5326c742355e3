// Outgoing frames of one stack on one port: collected during a turn, handed to the port in bursts.
// Allocation is bulk too, so the port sees few calls. What a full device does not take waits here,
// bounded; what waits too long is given up and counted (TCP repairs it). One thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "io/tcpip/port.h"

namespace sy::tcpip {

class FrameOut {
  public:
    explicit FrameOut(PacketPort& port) : port_(port) {}
    ~FrameOut();
    FrameOut(const FrameOut&) = delete;
    FrameOut& operator=(const FrameOut&) = delete;

    /// An empty frame to write into, or null: the port has no memory, or its queue is full and so
    /// is what waits. Valid until commit() or the next begin(), which hands the same frame out.
    [[nodiscard]] TxFrame* begin() {
        if (free_count_ == 0 || waiting_count_ == waiting_max) [[unlikely]] {
            return make_room();
        }
        return &frames_[first_ + waiting_count_];
    }
    /// begin() has nothing to give before the next flush(): the port refused a part of the last
    /// one, or had no memory. Whoever has a list to work off stops here.
    [[nodiscard]] bool blocked() const {
        return (full_ && waiting_count_ == waiting_max) || (starved_ && free_count_ == 0);
    }
    /// The frame of the last begin() is complete: it leaves with the next flush() or earlier.
    void commit() {
        ++waiting_count_;
        --free_count_;
    }
    /// Instead of commit(): the frame leaves the queue's hands and comes back by send() or
    /// discard().
    [[nodiscard]] TxFrame take();
    /// Queues a frame of take(). If there is no room it is given up and counted.
    void send(const TxFrame& frame);
    /// Gives a frame of take() back to the port.
    void discard(const TxFrame& frame) { port_.discard({&frame, 1}); }
    /// Hands everything to the port; a few times a turn.
    void flush();

    struct Counters {
        uint64_t frames = 0;     // taken by the port
        uint64_t bytes = 0;      // octets of these
        uint64_t port_full = 0;  // flushes that the port took only a part of
        uint64_t no_memory = 0;  // begin() had nothing to give
        uint64_t given_up = 0;   // send() had no room
    };
    [[nodiscard]] const Counters& counters() const { return counters_; }
    /// Frames that the port has not taken yet.
    [[nodiscard]] uint32_t waiting() const { return waiting_count_; }

  private:
    static constexpr uint32_t waiting_max = 256;  // several bursts of 32 to 64
    static constexpr uint32_t free_max = 64;
    // Room to move on in before what waits is moved to the front.
    static constexpr uint32_t frames_max = 2 * (waiting_max + free_max);

    TxFrame* make_room();
    void hand_over();
    void move_to_front();

    PacketPort& port_;
    Counters counters_;
    // In frames_: those that wait, from first_ on, and the free ones right behind.
    uint32_t first_ = 0;
    uint32_t waiting_count_ = 0;
    uint32_t free_count_ = 0;
    // Since the last flush(): asking again in the same moment is in vain.
    bool full_ = false;     // the port took only a part
    bool starved_ = false;  // the port had no memory
    std::array<TxFrame, frames_max> frames_;
};

}  // namespace sy::tcpip
