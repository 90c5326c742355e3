// How many frames the pools of a port hold, as sums of who may hold them at the same time, and how
// large their buffers are. Plain arithmetic, control plane only.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/limits.h"

namespace sy::dpdk {

// Frames that one call moves. TCPIP: bursts of 16 to 64 are what every fast stack uses.
inline constexpr uint32_t burst_max = 64;
// A ring of frames between a pair of workers: 8 bursts, then frames are dropped and counted.
inline constexpr uint32_t handover_frames = 512;
// Received frames that a stack may keep beyond its turn (out-of-order segments).
inline constexpr uint32_t held_frames_max = 2048;
// Frames that a stack may have allocated and not yet got rid of.
inline constexpr uint32_t unsent_frames_max = 512;
// Of each lcore in each pool; the pool lets a cache grow to 1.5 times as much.
inline constexpr uint32_t cache_frames = 256;
inline constexpr uint32_t cache_frames_max = cache_frames * 3 / 2;

inline constexpr uint32_t ethernet_bytes = 18;  // header and one VLAN tag
inline constexpr uint32_t tso_bytes_max = 16 * 1024;

struct PoolSizes {
    uint32_t rx_frames = 0;
    uint32_t rx_room_bytes = 0;  // without headroom
    uint32_t tx_frames = 0;
    uint32_t tx_room_bytes = 0;
};

struct PoolNeeds {
    uint32_t workers = 1;
    uint32_t rx_descriptors = 0;
    uint32_t tx_descriptors = 0;
    uint32_t mtu = 1500;
    bool tso = false;
    uint32_t driver_frames = 0;  // driver_frames() of its device
};

/// The kernel reads and writes the frames of the receive pool itself, those to be sent (which the
/// driver copies there) and received ones. `device`: a driver's name, or that of a virtual device,
/// which begins with its driver's.
[[nodiscard]] constexpr bool shares_pool_with_kernel(std::string_view device) {
    return device.starts_with("net_af_xdp");
}

/// Frames of a receive pool that the driver holds besides those of its descriptors: net_af_xdp
/// keeps 2,048 with the kernel, received and not yet, and as many sent ones until it looks at which
/// are done.
[[nodiscard]] constexpr uint32_t driver_frames(std::string_view device) {
    return shares_pool_with_kernel(device) ? 2 * 2048 : 0;
}

[[nodiscard]] constexpr uint32_t round_up(uint32_t value, uint32_t step) {
    return (value + step - 1) / step * step;
}

/// Of one worker.
[[nodiscard]] constexpr PoolSizes pool_sizes(const PoolNeeds& needs) {
    PoolSizes out;
    // A received frame is with the device, in the turn's burst, kept by a stack, on its way to
    // another worker (rings both ways carry frames of both pools, the own pool's go out), or in the
    // cache of a worker that has freed it.
    out.rx_frames = needs.rx_descriptors + needs.driver_frames + burst_max + held_frames_max +
                    (needs.workers - 1) * handover_frames + needs.workers * cache_frames_max;
    // A frame to be sent is with the stack, in the ring of the worker that has the queue (and in
    // that worker's rest), with the device, or in the cache of the own or that worker.
    out.tx_frames = unsent_frames_max + handover_frames + burst_max + needs.tx_descriptors +
                    2 * cache_frames_max;
    // Another tag and the checksum may come with it; NICs count buffers in KiB and want 2.
    const uint32_t frame = round_up(needs.mtu + ethernet_bytes + 8, 1024);
    out.rx_room_bytes = frame < 2048 ? 2048 : frame;
    out.tx_room_bytes = round_up(needs.mtu + ethernet_bytes, 64);
    if (needs.tso && out.tx_room_bytes < tso_bytes_max + ethernet_bytes) {
        out.tx_room_bytes = round_up(tso_bytes_max + ethernet_bytes, 64);
    }
    return out;
}

/// Of all workers, with the pools' own books; what --no-huge needs to know before EAL starts. TSO
/// is counted only where it may come to be (`needs.tso`).
[[nodiscard]] constexpr uint64_t pool_bytes(const PoolNeeds& needs) {
    constexpr uint64_t a_frame = 128 + 128 + 64 + 16;  // mbuf, headroom, object header, ring slot
    const PoolSizes sizes = pool_sizes(needs);
    return needs.workers * (sizes.rx_frames * (a_frame + sizes.rx_room_bytes) +
                            sizes.tx_frames * (a_frame + sizes.tx_room_bytes));
}

static_assert(pool_sizes({.workers = 1, .rx_descriptors = 1024, .tx_descriptors = 1024})
                  .rx_frames == 1024 + 64 + 2048 + 384);

}  // namespace sy::dpdk
