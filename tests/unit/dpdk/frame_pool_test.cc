#include "io/dpdk/frame_pool.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "io/dpdk/sizing.h"

namespace sy::dpdk {
namespace {

const FramePoolOptions rx_options{.name = {}, .frames = 4096, .room_bytes = 2048};

FramePool make(const char* name, bool packed) {
    FramePoolOptions options = rx_options;
    options.name = name;
    options.packed = packed;
    return make_frame_pool(options);
}

// What net_af_xdp 22.11 takes for the memory of a pool: so much from its first piece on.
struct Registered {
    explicit Registered(const rte_mempool& pool)
        : begin(reinterpret_cast<uintptr_t>(STAILQ_FIRST(&pool.mem_list)->addr)),
          end(begin + size_t{pool.populated_size} *
                          rte_mempool_calc_obj_size(pool.elt_size, pool.flags, nullptr)) {}
    uintptr_t begin;
    uintptr_t end;
};

void collect(rte_mempool* /*pool*/, void* frames, void* frame, unsigned /*index*/) {
    static_cast<std::vector<uintptr_t>*>(frames)->push_back(reinterpret_cast<uintptr_t>(frame));
}

TEST(FramePool, PackedFramesLieInWhatTheDriverRegisters) {
    const FramePool pool = make("packed", true);
    ASSERT_NE(pool, nullptr);
    const Registered registered(*pool);
    std::vector<uintptr_t> frames;
    EXPECT_EQ(rte_mempool_obj_iter(pool.get(), collect, &frames), rx_options.frames);
    const auto outside = std::ranges::count_if(frames, [&](uintptr_t frame) {
        return frame - pool->header_size < registered.begin ||
               frame + pool->elt_size + pool->trailer_size > registered.end;
    });
    EXPECT_EQ(outside, 0);
}

TEST(FramePool, PackedFramesAreAsOthers) {
    const FramePool packed = make("packed", true);
    const FramePool plain = make("plain", false);
    ASSERT_NE(packed, nullptr);
    ASSERT_NE(plain, nullptr);
    for (rte_mempool* pool : {packed.get(), plain.get()}) {
        EXPECT_EQ(rte_mempool_avail_count(pool), rx_options.frames);
        EXPECT_EQ(rte_pktmbuf_data_room_size(pool), RTE_PKTMBUF_HEADROOM + rx_options.room_bytes);
        std::vector<rte_mbuf*> frames(rx_options.frames);
        ASSERT_EQ(rte_pktmbuf_alloc_bulk(pool, frames.data(), rx_options.frames), 0);
        for (rte_mbuf* frame : frames) {
            ASSERT_EQ(frame->pool, pool);
            ASSERT_EQ(frame->buf_len, RTE_PKTMBUF_HEADROOM + rx_options.room_bytes);
            ASSERT_EQ(frame->data_off, RTE_PKTMBUF_HEADROOM);
        }
        EXPECT_EQ(rte_pktmbuf_alloc(pool), nullptr);
        rte_pktmbuf_free_bulk(frames.data(), rx_options.frames);
    }
}

TEST(FramePool, TooLargeIsNullWithAReason) {
    for (const bool packed : {false, true}) {
        FramePoolOptions options = rx_options;
        options.name = "huge";
        options.frames = 4'000'000;
        options.packed = packed;
        rte_errno = 0;
        EXPECT_EQ(make_frame_pool(options), nullptr);
        EXPECT_EQ(rte_errno, ENOMEM);
    }
}

TEST(Sizing, ADriverThatSharesThePoolWithTheKernelGetsItsFrames) {
    const PoolNeeds needs{.rx_descriptors = 1024, .tx_descriptors = 1024};
    PoolNeeds shared = needs;
    shared.driver_frames = driver_frames("net_af_xdp0");
    EXPECT_EQ(pool_sizes(shared).rx_frames, pool_sizes(needs).rx_frames + 4096);
    EXPECT_EQ(pool_sizes(shared).tx_frames, pool_sizes(needs).tx_frames);
    EXPECT_EQ(driver_frames("net_af_packet0"), 0U);
    EXPECT_EQ(driver_frames("0000:01:00.0"), 0U);
}

}  // namespace
}  // namespace sy::dpdk
