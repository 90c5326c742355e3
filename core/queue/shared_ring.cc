#include "core/queue/shared_ring.h"

#include <bit>
#include <cstdlib>
#include <new>
#include <string>

#include <rte_ring.h>

#include "core/base/limits.h"

namespace sy::queue {

Result<std::unique_ptr<SharedRing>> SharedRing::create(uint32_t capacity, bool single_worker) {
    const uint32_t count = std::bit_ceil(capacity < 2 ? 2u : capacity);
    // EXACT_SZ makes all `count` entries usable; it takes the memory of the next power of two.
    const unsigned flags = RING_F_EXACT_SZ | (single_worker ? RING_F_SP_ENQ | RING_F_SC_DEQ : 0u);
    const ssize_t bytes = rte_ring_get_memsize(std::bit_ceil(count + 1));
    if (bytes <= 0) {
        return fail("a ring of " + std::to_string(capacity) + " entries is not possible");
    }
    const size_t line = limits::cache_line_bytes;
    const size_t rounded = (static_cast<size_t>(bytes) + line - 1) / line * line;
    auto* ring = static_cast<rte_ring*>(std::aligned_alloc(line, rounded));
    if (ring == nullptr) {
        return fail("no memory for a ring of " + std::to_string(count) + " entries");
    }
    if (rte_ring_init(ring, "sy", count, flags) != 0) {
        std::free(ring);
        return fail("a ring of " + std::to_string(count) + " entries cannot be set up");
    }
    return std::unique_ptr<SharedRing>(new SharedRing(ring));
}

SharedRing::~SharedRing() {
    std::free(ring_);
}

bool SharedRing::push(void* object) {
    return rte_ring_enqueue(ring_, object) == 0;
}

uint32_t SharedRing::pop(std::span<void*> out) {
    return rte_ring_dequeue_burst(ring_, out.data(), static_cast<unsigned>(out.size()), nullptr);
}

uint32_t SharedRing::count() const {
    return rte_ring_count(ring_);
}
uint32_t SharedRing::capacity() const {
    return rte_ring_get_capacity(ring_);
}

}  // namespace sy::queue
