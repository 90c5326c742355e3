// One worker's share of a port, as the stack sees it (io/tcpip/port.h): frames are mbufs, nothing
// is copied on the way but what the device delivers in pieces.
//
// Three ways in for a received frame: the worker's own hardware queue; the ring from another worker
// whose hardware queue got it; and, for what every worker needs, both. Who needs it says the device
// where it spreads by RSS (then only what is not plain TCP is looked at, and one frame a burst is
// checked against the port's key and table), else steering.h. Two ways out: the worker's own
// hardware queue, or the ring to the worker that has one (`server`), which sends it in its next
// receive(); no queue is ever used by two threads. With one worker none of this runs.
//
// Every call comes from the worker's thread; counters() and wake() from any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "io/dpdk/counters.h"
#include "io/dpdk/driver_guard.h"
#include "io/dpdk/handover.h"
#include "io/dpdk/rss.h"
#include "io/dpdk/sizing.h"
#include "io/tcpip/port.h"

struct rte_mbuf;
struct rte_mempool;

namespace sy::dpdk {

/// What the workers of a port share. Written by the control thread before they run, but for the
/// atomics.
struct PortShared {
    uint16_t port_id = 0;
    uint32_t workers = 1;
    uint32_t queues = 1;            // hardware queue pairs: workers 0 to queues - 1 have one
    bool hardware_rss = false;      // the device spreads TCP by `map`
    bool guarded = false;           // the device must not be polled while it lets go of its memory
    std::unique_ptr<QueueMap> map;  // several workers
    std::unique_ptr<Handover> received;  // several workers
    std::unique_ptr<Handover> to_send;   // fewer queues than workers
    // Link and removal: written by EAL's interrupt thread and the control thread; relaxed, each is
    // a fact by itself.
    alignas(limits::cache_line_bytes) std::atomic<bool> link_up{false};
    std::atomic<bool> removed{false};
    // Set once the device was seen to spread otherwise than it says: from there on by steering.h.
    std::atomic<bool> rss_distrusted{false};
};

class DpdkQueue final : public tcpip::PacketPort {
  public:
    /// All outlive it. `info`: what the port can do.
    DpdkQueue(PortShared& shared,
              uint32_t worker,
              rte_mempool* tx_pool,
              const tcpip::PortInfo& info);
    ~DpdkQueue() override;
    DpdkQueue(const DpdkQueue&) = delete;
    DpdkQueue& operator=(const DpdkQueue&) = delete;

    uint32_t receive(std::span<tcpip::RxFrame> out) override;
    void release(std::span<const tcpip::RxFrame> frames) override;
    uint32_t allocate(std::span<tcpip::TxFrame> out) override;
    uint32_t transmit(std::span<const tcpip::TxFrame> frames) override;
    void discard(std::span<const tcpip::TxFrame> frames) override;
    /// A poll-mode driver wakes nobody, and neither do the rings: sleeps a moment.
    void wait(Nanos deadline_ns) override;
    void wake() override;
    [[nodiscard]] const tcpip::PortInfo& info() const override { return info_; }
    [[nodiscard]] bool owns(const tcpip::FlowKey& flow) const override;

    [[nodiscard]] const QueueCounters& counters() const { return counters_; }
    [[nodiscard]] uint32_t worker() const { return worker_; }
    /// Frees what lies in the rings to this worker. REQUIRES: no worker runs.
    void drain();

    /// For guard_driver(): steps where PortShared::guarded is set.
    [[nodiscard]] const DriverGuard& guard() const { return guard_; }

  private:
    using Burst = std::array<rte_mbuf*, burst_max>;

    // Frames of a worker without a queue that the device did not take at once.
    struct Client {
        FrameRing* ring = nullptr;
        Burst rest{};
        uint32_t rest_count = 0;
    };

    [[nodiscard]] bool has_queue() const { return worker_ < shared_.queues; }
    [[nodiscard]] bool is_down() const;
    uint32_t take_handed_over(std::span<rte_mbuf*> out);
    uint32_t receive_burst(std::span<rte_mbuf*> out);
    uint32_t keep_own(std::span<rte_mbuf*> frames);
    bool keep(rte_mbuf* frame, bool trusted);
    bool is_misplaced(const rte_mbuf* frame);
    void hand_over(rte_mbuf* frame, uint32_t to);
    void share(rte_mbuf* frame);
    bool make_whole(rte_mbuf* frame);
    void serve_clients();
    void send_for(Client& client);
    uint32_t send(rte_mbuf** frames, uint32_t count, bool offloads);
    uint32_t send_burst(rte_mbuf** frames, uint32_t count);
    uint32_t push_to_server(rte_mbuf** frames, uint32_t count);

    PortShared& shared_;
    uint32_t worker_;
    uint16_t queue_id_;
    rte_mempool* tx_pool_;
    tcpip::PortInfo info_;
    std::vector<FrameRing*> from_others_;  // by worker, without the own
    uint32_t next_other_ = 0;              // whose ring is looked at first
    FrameRing* to_server_ = nullptr;       // this worker has no hardware queue
    std::vector<Client> clients_;
    QueueCounters counters_;
    alignas(limits::cache_line_bytes) DriverGuard guard_{0};
    // A futex: 1 from wake() to the wait() that it ends. Acquire and release, so that what the
    // waker did before is seen.
    alignas(limits::cache_line_bytes) std::atomic<uint32_t> woken_{0};
};

}  // namespace sy::dpdk
