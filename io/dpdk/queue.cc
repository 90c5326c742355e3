#include "io/dpdk/queue.h"

#include <algorithm>
#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "io/dpdk/steering.h"

namespace sy::dpdk {
namespace {

using tcpip::ChecksumState;
using tcpip::RxFrame;
using tcpip::TxFrame;

std::span<const uint8_t> octets_of(const rte_mbuf* frame) {
    return {rte_pktmbuf_mtod(frame, const uint8_t*), frame->data_len};
}

// "none": the checksum in the frame is not final, but the octets are known to be right (virtio).
ChecksumState ip_state(uint64_t flags) {
    switch (flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) {
        case RTE_MBUF_F_RX_IP_CKSUM_BAD:
            return ChecksumState::bad;
        case RTE_MBUF_F_RX_IP_CKSUM_GOOD:
        case RTE_MBUF_F_RX_IP_CKSUM_NONE:
            return ChecksumState::good;
        default:
            return ChecksumState::unknown;
    }
}
ChecksumState l4_state(uint64_t flags) {
    switch (flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) {
        case RTE_MBUF_F_RX_L4_CKSUM_BAD:
            return ChecksumState::bad;
        case RTE_MBUF_F_RX_L4_CKSUM_GOOD:
        case RTE_MBUF_F_RX_L4_CKSUM_NONE:
            return ChecksumState::good;
        default:
            return ChecksumState::unknown;
    }
}

constexpr uint64_t checksum_flags = RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK;
static_assert(RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN == 0 && RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN == 0);

uint64_t tx_flags(const TxFrame& frame) {
    const bool segmented = frame.segment_bytes != 0;
    if (!frame.ip_checksum && !frame.tcp_checksum && !segmented) {
        return 0;
    }
    uint64_t flags = frame.ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
    if (!frame.ipv6 && (frame.ip_checksum || segmented)) {
        flags |= RTE_MBUF_F_TX_IP_CKSUM;
    }
    if (frame.tcp_checksum || segmented) {
        flags |= RTE_MBUF_F_TX_TCP_CKSUM;
    }
    return segmented ? flags | RTE_MBUF_F_TX_TCP_SEG : flags;
}

rte_mbuf* to_mbuf(const TxFrame& frame) {
    auto* mbuf = static_cast<rte_mbuf*>(frame.buffer);
    mbuf->data_len = static_cast<uint16_t>(frame.bytes);
    mbuf->pkt_len = frame.bytes;
    mbuf->ol_flags = tx_flags(frame);
    // Read by drivers only where the flags ask for it.
    mbuf->tx_offload = rte_mbuf_tx_offload(frame.l2_bytes, frame.l3_bytes, frame.l4_bytes,
                                           frame.segment_bytes, 0, 0, 0);
    return mbuf;
}

// rte_pktmbuf_free_bulk() of frames in one piece each, which is what all are here; nearly always of
// one pool.
template <class Frame>
void free_frames(std::span<const Frame> frames) {
    std::array<void*, burst_max> burst;
    rte_mempool* pool = nullptr;
    uint32_t count = 0;
    const auto put = [&] {
        if (count > 0) {
            rte_mempool_put_bulk(pool, burst.data(), count);
            count = 0;
        }
    };
    for (const Frame& frame : frames) {
        rte_mbuf* mbuf = rte_pktmbuf_prefree_seg(static_cast<rte_mbuf*>(frame.buffer));
        if (mbuf == nullptr) [[unlikely]] {
            continue;  // others have it too
        }
        if (mbuf->pool != pool || count == burst_max) [[unlikely]] {
            put();
            pool = mbuf->pool;
        }
        burst[count++] = mbuf;
    }
    put();
}

// Marks the time inside the driver of a device that takes its memory away from under its caller
// (driver_guard.h). Compiler barriers are enough: the other side makes every thread pass a memory
// barrier before it looks.
class InsideDriver {
  public:
    InsideDriver(bool guarded, DriverGuard& guard) : guard_(guarded ? &guard : nullptr) { step(); }
    ~InsideDriver() { step(); }
    InsideDriver(const InsideDriver&) = delete;
    InsideDriver& operator=(const InsideDriver&) = delete;

  private:
    void step() {
        if (guard_ != nullptr) {
            std::atomic_signal_fence(std::memory_order_seq_cst);
            guard_->store(guard_->load(std::memory_order_relaxed) + 1, std::memory_order_release);
            std::atomic_signal_fence(std::memory_order_seq_cst);
        }
    }
    DriverGuard* guard_;
};

}  // namespace

DpdkQueue::DpdkQueue(PortShared& shared,
                     uint32_t worker,
                     rte_mempool* tx_pool,
                     const tcpip::PortInfo& info)
    : shared_(shared),
      worker_(worker),
      queue_id_(static_cast<uint16_t>(worker % shared.queues)),
      tx_pool_(tx_pool),
      info_(info) {
    for (uint32_t other = 0; other < shared.workers; ++other) {
        if (other == worker) {
            continue;
        }
        from_others_.push_back(&shared.received->ring(other, worker));
        if (has_queue() && other >= shared.queues && other % shared.queues == worker) {
            clients_.push_back({&shared.to_send->ring(other, worker), {}, 0});
        }
    }
    if (!has_queue()) {
        to_server_ = &shared.to_send->ring(worker, queue_id_);
    }
}

DpdkQueue::~DpdkQueue() {
    drain();
}

void DpdkQueue::drain() {
    Burst burst;
    for (FrameRing* ring : from_others_) {
        while (const uint32_t count = ring->pop(burst)) {
            rte_pktmbuf_free_bulk(burst.data(), count);
        }
    }
    for (Client& client : clients_) {
        rte_pktmbuf_free_bulk(client.rest.data(), client.rest_count);
        client.rest_count = 0;
        while (const uint32_t count = client.ring->pop(burst)) {
            rte_pktmbuf_free_bulk(burst.data(), count);
        }
    }
}

bool DpdkQueue::owns(const tcpip::FlowKey& flow) const {
    return shared_.map == nullptr || shared_.map->queue_of(flow) == worker_;
}

bool DpdkQueue::is_down() const {
    return shared_.removed.load(std::memory_order_relaxed) ||
           !shared_.link_up.load(std::memory_order_relaxed);
}

void DpdkQueue::wait(Nanos /*deadline_ns*/) {
    // A system call and its wake-up cost some 5 us; ten times that keeps an idle worker at a tenth
    // of its CPU, and a frame that comes meanwhile waits in the device's ring.
    constexpr timespec moment{0, 50'000};
    if (woken_.exchange(0, std::memory_order_acquire) == 0) {
        syscall(SYS_futex, &woken_, FUTEX_WAIT_PRIVATE, 0, &moment, nullptr, 0);
        woken_.store(0, std::memory_order_release);
    }
}

// Costs a system call only when the last wake() was waited for since: a spinning worker's is free.
void DpdkQueue::wake() {
    if (woken_.exchange(1, std::memory_order_release) == 0) {
        syscall(SYS_futex, &woken_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }
}

// The pool's buffers hold a whole frame: pieces are the exception of devices that make them
// smaller. False: too long even so, and gone.
inline bool DpdkQueue::make_whole(rte_mbuf* frame) {
    if (frame->nb_segs == 1) [[likely]] {
        return true;
    }
    if (rte_pktmbuf_linearize(frame) != 0) {
        counters_.rx_too_long.add(1);
        rte_pktmbuf_free(frame);
        return false;
    }
    counters_.rx_linearised.add(1);
    return true;
}

uint32_t DpdkQueue::receive(std::span<RxFrame> out) {
    info_.link_up = !is_down();
    Burst burst;
    const std::span<rte_mbuf*> room(burst.data(), std::min<size_t>(out.size(), burst_max));
    uint32_t count = 0;
    if (!from_others_.empty()) {
        serve_clients();
        count = take_handed_over(room);
    }
    if (has_queue() && count < room.size()) {
        count += receive_burst(room.subspan(count));
    }
    uint32_t whole = 0;
    for (uint32_t i = 0; i < count; ++i) {
        rte_mbuf* frame = burst[i];
        if (!make_whole(frame)) [[unlikely]] {
            continue;
        }
        const std::span<const uint8_t> octets = octets_of(frame);
        rte_prefetch0(octets.data());
        RxFrame& to = out[whole++];
        to.data = octets.data();
        to.bytes = static_cast<uint32_t>(octets.size());
        to.ip_checksum = ChecksumState::unknown;
        to.l4_checksum = ChecksumState::unknown;
        if ((frame->ol_flags & checksum_flags) != 0) {
            to.ip_checksum = ip_state(frame->ol_flags);
            to.l4_checksum = l4_state(frame->ol_flags);
        }
        to.buffer = frame;
    }
    counters_.rx_frames.add(whole);
    return whole;
}

// Begins with another ring each time, so that a busy one does not starve the rest.
uint32_t DpdkQueue::take_handed_over(std::span<rte_mbuf*> out) {
    uint32_t count = 0;
    const auto rings = static_cast<uint32_t>(from_others_.size());
    for (uint32_t i = 0; i < rings && count < out.size(); ++i) {
        const uint32_t index = next_other_ + i;
        count += from_others_[index < rings ? index : index - rings]->pop(out.subspan(count));
    }
    next_other_ = next_other_ + 1 < rings ? next_other_ + 1 : 0;
    return count;
}

uint32_t DpdkQueue::receive_burst(std::span<rte_mbuf*> out) {
    if (shared_.removed.load(std::memory_order_relaxed)) {
        return 0;
    }
    uint32_t count = 0;
    {
        const InsideDriver inside(shared_.guarded, guard_);
        count = rte_eth_rx_burst(shared_.port_id, queue_id_, out.data(),
                                 static_cast<uint16_t>(out.size()));
    }
    return from_others_.empty() ? count : keep_own(out.first(count));
}

// Hands over what others need and closes the gaps.
uint32_t DpdkQueue::keep_own(std::span<rte_mbuf*> frames) {
    const auto end =
        std::ranges::remove_if(frames, [this](rte_mbuf* frame) { return !make_whole(frame); });
    frames = {frames.begin(), end.begin()};
    for (const rte_mbuf* frame : frames) {
        rte_prefetch0(rte_pktmbuf_mtod(frame, const void*));
    }
    bool trusted = shared_.hardware_rss && !shared_.rss_distrusted.load(std::memory_order_relaxed);
    if (trusted && !frames.empty() && is_misplaced(frames.front())) [[unlikely]] {
        shared_.rss_distrusted.store(true, std::memory_order_relaxed);
        counters_.rx_rss_wrong.add(1);
        trusted = false;
    }
    uint32_t kept = 0;
    for (rte_mbuf* frame : frames) {
        if (keep(frame, trusted)) {
            frames[kept++] = frame;
        }
    }
    return kept;
}

// A sample: plain TCP that the device put on another queue than the port's key and table say.
bool DpdkQueue::is_misplaced(const rte_mbuf* frame) {
    if (!is_plain_tcp(octets_of(frame))) {
        return false;
    }
    const Steering steering = steer(octets_of(frame));
    return steering.to == Destination::owner && shared_.map->queue_of(steering.flow) != worker_;
}

bool DpdkQueue::keep(rte_mbuf* frame, bool trusted) {
    const std::span<const uint8_t> octets = octets_of(frame);
    if (trusted && is_plain_tcp(octets)) {
        return true;
    }
    const Steering steering = steer(octets);
    if (steering.to == Destination::owner) {
        const uint32_t owner = shared_.map->queue_of(steering.flow);
        if (owner == worker_) {
            return true;
        }
        hand_over(frame, owner);
        return false;
    }
    if (steering.to == Destination::every) {
        share(frame);
    }
    return true;
}

void DpdkQueue::hand_over(rte_mbuf* frame, uint32_t to) {
    if (shared_.received->ring(worker_, to).push(frame)) {
        counters_.rx_handed_over.add(1);
        return;
    }
    counters_.rx_handover_full.add(1);
    rte_pktmbuf_free(frame);
}

// Not a copy: received frames are read only, so all workers may read the same buffer, and the last
// one that releases it frees it.
void DpdkQueue::share(rte_mbuf* frame) {
    counters_.rx_shared.add(1);
    rte_mbuf_refcnt_update(frame, static_cast<int16_t>(shared_.workers - 1));
    for (uint32_t to = 0; to < shared_.workers; ++to) {
        if (to != worker_) {
            hand_over(frame, to);
        }
    }
}

void DpdkQueue::release(std::span<const RxFrame> frames) {
    free_frames(frames);
}

void DpdkQueue::discard(std::span<const TxFrame> frames) {
    free_frames(frames);
}

uint32_t DpdkQueue::allocate(std::span<TxFrame> out) {
    std::array<void*, burst_max> burst;
    uint32_t done = 0;
    while (done < out.size()) {
        auto count = static_cast<uint32_t>(std::min<size_t>(out.size() - done, burst_max));
        // All or nothing; near the end of the pool, what there is.
        while (count > 0 && rte_mempool_get_bulk(tx_pool_, burst.data(), count) != 0) {
            counters_.tx_no_memory.add(1);
            count /= 2;
        }
        if (count == 0) {
            break;
        }
        for (uint32_t i = 0; i < count; ++i) {
            // A free one is in one piece and nobody else's; to_mbuf() sets what drivers read
            // besides.
            auto* mbuf = static_cast<rte_mbuf*>(burst[i]);
            rte_pktmbuf_reset_headroom(mbuf);
            TxFrame& frame = out[done + i];
            frame = {};
            frame.data = rte_pktmbuf_mtod(mbuf, uint8_t*);
            frame.capacity = uint32_t{mbuf->buf_len} - mbuf->data_off;
            frame.buffer = mbuf;
        }
        done += count;
    }
    return done;
}

uint32_t DpdkQueue::transmit(std::span<const TxFrame> frames) {
    if (is_down()) [[unlikely]] {
        counters_.tx_link_down.add(frames.size());
        free_frames(frames);
        return static_cast<uint32_t>(frames.size());
    }
    Burst burst;
    uint32_t done = 0;
    while (done < frames.size()) {
        const auto count = static_cast<uint32_t>(std::min<size_t>(frames.size() - done, burst_max));
        uint64_t flags = 0;
        for (uint32_t i = 0; i < count; ++i) {
            burst[i] = to_mbuf(frames[done + i]);
            flags |= burst[i]->ol_flags;
        }
        const uint32_t taken = to_server_ == nullptr ? send(burst.data(), count, flags != 0)
                                                     : push_to_server(burst.data(), count);
        done += taken;
        if (taken < count) {
            counters_.tx_full.add(frames.size() - done);
            break;
        }
    }
    return done;
}

uint32_t DpdkQueue::push_to_server(rte_mbuf** frames, uint32_t count) {
    uint32_t taken = 0;
    while (taken < count && to_server_->push(frames[taken])) {
        ++taken;
    }
    counters_.tx_handed_over.add(taken);
    return taken;
}

// How many are off the caller's hands: taken, or refused for good.
uint32_t DpdkQueue::send(rte_mbuf** frames, uint32_t count, bool offloads) {
    if (!offloads) {
        return send_burst(frames, count);
    }
    // Some drivers want the pseudo-header sum in their own form: prepare puts it in place.
    uint32_t done = 0;
    while (done < count) {
        const uint32_t good = rte_eth_tx_prepare(shared_.port_id, queue_id_, frames + done,
                                                 static_cast<uint16_t>(count - done));
        const uint32_t sent = send_burst(frames + done, good);
        done += sent;
        if (sent < good) {
            break;
        }
        if (done < count) {
            counters_.tx_refused.add(1);
            rte_pktmbuf_free(frames[done++]);
        }
    }
    return done;
}

uint32_t DpdkQueue::send_burst(rte_mbuf** frames, uint32_t count) {
    if (count == 0) {
        return 0;
    }
    const InsideDriver inside(shared_.guarded, guard_);
    const uint32_t sent =
        rte_eth_tx_burst(shared_.port_id, queue_id_, frames, static_cast<uint16_t>(count));
    counters_.tx_frames.add(sent);
    return sent;
}

void DpdkQueue::serve_clients() {
    for (Client& client : clients_) {
        send_for(client);
    }
}

void DpdkQueue::send_for(Client& client) {
    if (client.rest_count == 0) {
        client.rest_count = client.ring->pop(client.rest);
        if (client.rest_count == 0) {
            return;
        }
    }
    if (is_down()) [[unlikely]] {
        counters_.tx_link_down.add(client.rest_count);
        rte_pktmbuf_free_bulk(client.rest.data(), client.rest_count);
        client.rest_count = 0;
        return;
    }
    const bool offloads = std::any_of(client.rest.begin(), client.rest.begin() + client.rest_count,
                                      [](const rte_mbuf* frame) { return frame->ol_flags != 0; });
    const uint32_t done = send(client.rest.data(), client.rest_count, offloads);
    std::copy(client.rest.begin() + done, client.rest.begin() + client.rest_count,
              client.rest.begin());
    client.rest_count -= done;
}

}  // namespace sy::dpdk
