#include "io/dpdk/frame_pool.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>

#include "io/dpdk/sizing.h"

namespace sy::dpdk {
namespace {

FramePool make_packed_pool(const FramePoolOptions& options, uint16_t room) {
    const uint32_t element = sizeof(rte_mbuf) + room;
    // Without contiguous I/O addresses the pool does not ask where pages end.
    FramePool pool(rte_mempool_create_empty(options.name.c_str(), options.frames, element,
                                            cache_frames, sizeof(rte_pktmbuf_pool_private),
                                            options.socket, RTE_MEMPOOL_F_NO_IOVA_CONTIG));
    if (!pool) {
        return nullptr;
    }
    if (const int error =
            rte_mempool_set_ops_byname(pool.get(), rte_mbuf_best_mempool_ops(), nullptr);
        error != 0) {
        rte_errno = -error;
        return nullptr;
    }
    rte_pktmbuf_pool_private about{};
    about.mbuf_data_room_size = room;
    rte_pktmbuf_pool_init(pool.get(), &about);
    if (const int count = rte_mempool_populate_default(pool.get()); count < 0) {
        rte_errno = -count;
        return nullptr;
    }
    if (pool->nb_mem_chunks != 1) {
        rte_errno = ENOMEM;
        return nullptr;
    }
    rte_mempool_obj_iter(pool.get(), rte_pktmbuf_init, nullptr);
    return pool;
}

}  // namespace

void FreePool::operator()(rte_mempool* pool) const {
    rte_mempool_free(pool);
}

FramePool make_frame_pool(const FramePoolOptions& options) {
    const auto room = static_cast<uint16_t>(RTE_PKTMBUF_HEADROOM + options.room_bytes);
    if (options.packed) {
        return make_packed_pool(options, room);
    }
    return FramePool(rte_pktmbuf_pool_create(options.name.c_str(), options.frames, cache_frames, 0,
                                             room, options.socket));
}

}  // namespace sy::dpdk
