#include "core/queue/shared_ring.h"

#include <bit>
#include <cstdlib>
#include <new>
#include <string>

#include <rte_ring.h>

#include "core/base/limits.h"

// rte_ring 22.11 hands over between several producers by a relaxed wait: right on x86, where every
// store is a release, but not by the letter of C11, so the thread sanitizer cannot see it. It is
// told object by object; tests/support/tsan.supp silences it inside rte_ring alone.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SY_TSAN 1
#endif
#endif
#if defined(SY_TSAN) || defined(__SANITIZE_THREAD__)
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#else
#define SY_NO_TSAN 1
#endif

namespace sy::queue {
namespace {

void tsan_acquire([[maybe_unused]] void* object) {
#ifndef SY_NO_TSAN
    __tsan_acquire(object);
#endif
}
void tsan_release([[maybe_unused]] void* object) {
#ifndef SY_NO_TSAN
    __tsan_release(object);
#endif
}

}  // namespace

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
    tsan_release(object);
    return rte_ring_enqueue(ring_, object) == 0;
}

uint32_t SharedRing::pop(std::span<void*> out) {
    const uint32_t count =
        rte_ring_dequeue_burst(ring_, out.data(), static_cast<unsigned>(out.size()), nullptr);
    for (uint32_t i = 0; i < count; ++i) {
        tsan_acquire(out[i]);
    }
    return count;
}

uint32_t SharedRing::count() const {
    // As rte_ring_count(), which reads without saying that others write. A momentary truth:
    // relaxed.
    const uint32_t tail = __atomic_load_n(&ring_->prod.tail, __ATOMIC_RELAXED);
    const uint32_t head = __atomic_load_n(&ring_->cons.tail, __ATOMIC_RELAXED);
    const uint32_t count = (tail - head) & ring_->mask;
    return count > ring_->capacity ? ring_->capacity : count;
}
uint32_t SharedRing::capacity() const {
    return rte_ring_get_capacity(ring_);
}

}  // namespace sy::queue
