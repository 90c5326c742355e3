// Pools of frames (mbufs) of a port. Control plane only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct rte_mempool;

namespace sy::dpdk {

struct FreePool {
    void operator()(rte_mempool* pool) const;
};
using FramePool = std::unique_ptr<rte_mempool, FreePool>;

struct FramePoolOptions {
    std::string name;  // unique in the process, at most 25 octets
    uint32_t frames = 0;
    uint32_t room_bytes = 0;  // of each, behind RTE_PKTMBUF_HEADROOM octets of headroom
    int socket = -1;          // NUMA node; -1: any
    // Each frame begins where the one before ends. DPDK leaves gaps instead of letting one lie
    // across two pages, with --no-huge two fifths of all memory. net_af_xdp of 22.11 does not
    // know of gaps: it gives the kernel the product of count and size, so frames that lie behind it
    // are lost whenever they are used. For a NIC's DMA gaps are right.
    bool packed = false;
};

/// Null and rte_errno set: no memory, or with `packed` not enough in one piece.
[[nodiscard]] FramePool make_frame_pool(const FramePoolOptions& options);

}  // namespace sy::dpdk
