// Frames on their way between workers: one ring for each ordered pair, so that each has one
// producer and one consumer. Made and freed by the control thread, while no worker runs.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/queue/spsc_ring.h"
#include "io/dpdk/sizing.h"

struct rte_mbuf;

namespace sy::dpdk {

using FrameRing = queue::SpscRing<rte_mbuf*>;

class Handover {
  public:
    explicit Handover(uint32_t workers) : workers_(workers) {
        for (uint32_t i = 0; i < workers * workers; ++i) {
            const bool to_itself = i / workers == i % workers;
            rings_.push_back(to_itself ? nullptr : std::make_unique<FrameRing>(handover_frames));
        }
    }

    [[nodiscard]] uint32_t workers() const { return workers_; }
    /// REQUIRES: from != to.
    [[nodiscard]] FrameRing& ring(uint32_t from, uint32_t to) {
        return *rings_[from * workers_ + to];
    }

  private:
    uint32_t workers_;
    std::vector<std::unique_ptr<FrameRing>> rings_;
};

}  // namespace sy::dpdk
