// A port of io/dpdk over rte_rings (net_ring): the test puts frames into its receive rings and
// takes what it sends out of its transmit rings. EAL runs without huge pages, devices and root.
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "io/dpdk/eal.h"
#include "io/dpdk/port.h"
#include "tests/unit/dpdk/packets.h"

namespace sy::dpdk::test {

class RingDevice {
  public:
    static constexpr unsigned ring_frames = 1024;

    RingDevice(const std::string& name, uint32_t queues) {
        for (uint32_t i = 0; i < queues; ++i) {
            rx_.push_back(make_ring(name + "_rx" + std::to_string(i)));
            tx_.push_back(make_ring(name + "_tx" + std::to_string(i)));
        }
        attach(name);
    }
    /// What this one sends, `other` receives, and the other way round.
    RingDevice(const std::string& name, const RingDevice& other)
        : rx_(other.tx_), tx_(other.rx_), owns_rings_(false) {
        attach(name);
    }
    ~RingDevice() {
        if (owns_rings_) {
            for (auto* rings : {&rx_, &tx_}) {
                for (rte_ring* ring : *rings) {
                    rte_ring_free(ring);
                }
            }
        }
    }
    RingDevice(const RingDevice&) = delete;
    RingDevice& operator=(const RingDevice&) = delete;

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] rte_ring* rx(uint32_t queue) const { return rx_[queue]; }
    [[nodiscard]] rte_ring* tx(uint32_t queue) const { return tx_[queue]; }

    [[nodiscard]] config::DpdkPort settings() const {
        config::DpdkPort out;
        out.device = name_;
        return out;
    }

  private:
    static rte_ring* make_ring(const std::string& name) {
        rte_ring* ring = rte_ring_create(name.c_str(), ring_frames, SOCKET_ID_ANY,
                                         RING_F_SP_ENQ | RING_F_SC_DEQ);
        EXPECT_NE(ring, nullptr);
        return ring;
    }
    void attach(const std::string& base) {
        // A closed port leaves its device behind: each gets a name of its own.
        static uint32_t devices = 0;
        const std::string name = base + std::to_string(devices++);
        const auto queues = static_cast<unsigned>(rx_.size());
        const int port =
            rte_eth_from_rings(name.c_str(), rx_.data(), queues, tx_.data(), queues, 0);
        EXPECT_GE(port, 0);
        char full[RTE_ETH_NAME_MAX_LEN] = "";
        EXPECT_EQ(rte_eth_dev_get_name_by_port(static_cast<uint16_t>(port), full), 0);
        name_ = full;
    }

    std::vector<rte_ring*> rx_;
    std::vector<rte_ring*> tx_;
    bool owns_rings_ = true;
    std::string name_;
};

/// The peer's own frames, and what it gets.
class Wire {
  public:
    explicit Wire(const std::string& name)
        : pool_(rte_pktmbuf_pool_create(
              name.c_str(), 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY)) {
        EXPECT_NE(pool_, nullptr);
    }
    ~Wire() { rte_mempool_free(pool_); }
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    [[nodiscard]] rte_mbuf* frame(std::span<const uint8_t> octets) {
        rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
        EXPECT_NE(mbuf, nullptr);
        std::memcpy(rte_pktmbuf_append(mbuf, static_cast<uint16_t>(octets.size())), octets.data(),
                    octets.size());
        return mbuf;
    }
    void put(rte_ring* ring, rte_mbuf* mbuf) { EXPECT_EQ(rte_ring_enqueue(ring, mbuf), 0); }
    void put(rte_ring* ring, const Octets8& octets) { put(ring, frame(octets)); }
    [[nodiscard]] static std::vector<Octets8> take(rte_ring* ring) {
        std::vector<Octets8> out;
        void* object = nullptr;
        while (rte_ring_dequeue(ring, &object) == 0) {
            auto* mbuf = static_cast<rte_mbuf*>(object);
            const auto* data = rte_pktmbuf_mtod(mbuf, const uint8_t*);
            out.emplace_back(data, data + mbuf->data_len);
            rte_pktmbuf_free(mbuf);
        }
        return out;
    }
    [[nodiscard]] uint32_t in_use() const { return rte_mempool_in_use_count(pool_); }

  private:
    rte_mempool* pool_;
};

/// Frames of the port's pools that somebody holds.
inline uint32_t frames_in_use() {
    uint32_t count = 0;
    rte_mempool_walk(
        [](rte_mempool* pool, void* sum) {
            if (std::strncmp(pool->name, "sy", 2) == 0) {
                *static_cast<uint32_t*>(sum) += rte_mempool_in_use_count(pool);
            }
        },
        &count);
    return count;
}

inline std::unique_ptr<Port> open_port(const config::DpdkPort& settings, uint32_t workers) {
    auto port = Port::open(settings, std::vector<uint32_t>(workers, 0));
    EXPECT_TRUE(port) << (port ? "" : port.error().text);
    return port ? *std::move(port) : nullptr;
}

/// One receive() of a worker: the frames' octets, and all given back.
inline std::vector<Octets8> receive(DpdkQueue& queue, uint32_t frames_max = burst_max) {
    std::vector<tcpip::RxFrame> frames(frames_max);
    const uint32_t count = queue.receive(frames);
    std::vector<Octets8> out;
    for (uint32_t i = 0; i < count; ++i) {
        out.emplace_back(frames[i].data, frames[i].data + frames[i].bytes);
    }
    queue.release(std::span(frames).first(count));
    return out;
}

/// Allocates, fills and sends; how many the port took. The rest is discarded.
inline uint32_t send(DpdkQueue& queue, const std::vector<Octets8>& all) {
    std::vector<tcpip::TxFrame> frames(all.size());
    const uint32_t count = queue.allocate(frames);
    EXPECT_EQ(count, all.size());
    for (uint32_t i = 0; i < count; ++i) {
        EXPECT_GE(frames[i].capacity, all[i].size());
        std::memcpy(frames[i].data, all[i].data(), all[i].size());
        frames[i].bytes = static_cast<uint32_t>(all[i].size());
    }
    const uint32_t taken = queue.transmit(std::span(frames).first(count));
    queue.discard(std::span(frames).first(count).subspan(taken));
    return taken;
}

}  // namespace sy::dpdk::test
