// Bounded ring of pointers that many workers fill and many drain: one a supplier. rte_ring
// underneath, on memory of its own (no EAL): the multi-producer form when there are several
// workers, the single-producer single-consumer form when there is one (0.5 ns an object at bulk 32
// on one core).
//
// Threads: any worker may push and pop; creation and destruction are the control thread's, while no
// worker can reach the ring.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/result.h"

struct rte_ring;

namespace sy::queue {

class SharedRing {
  public:
    /// Capacity is rounded up to a power of two.
    [[nodiscard]] static Result<std::unique_ptr<SharedRing>> create(uint32_t capacity,
                                                                    bool single_worker);
    ~SharedRing();
    SharedRing(const SharedRing&) = delete;
    SharedRing& operator=(const SharedRing&) = delete;

    [[nodiscard]] bool push(void* object);
    /// Takes up to out.size() objects, returns how many.
    [[nodiscard]] uint32_t pop(std::span<void*> out);
    [[nodiscard]] uint32_t count() const;
    [[nodiscard]] uint32_t capacity() const;

  private:
    explicit SharedRing(rte_ring* ring) : ring_(ring) {}
    rte_ring* ring_;
};

}  // namespace sy::queue
