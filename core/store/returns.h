// Messages that an end of the store has done with, on their way back to their workers. One thread.
#pragma once

#include <cstdint>

#include "core/engine/hub.h"
#include "core/queue/intrusive_list.h"

namespace sy::store {

class Returns {
  public:
    Returns(engine::Hub& hub, engine::StoreEnd end) : hub_(hub), end_(end) {}

    void add(engine::Message* message) { waiting_.push_back(message); }

    /// Gives back what there is room for and wakes whom it belongs to; false while a worker is
    /// behind, whose ring is full.
    bool flush() {
        uint64_t workers = 0;
        while (engine::Message* message = waiting_.front()) {
            // Before it is another thread's.
            const uint8_t worker = message->store_back;
            (void)waiting_.pop_front();
            if (!hub_.store()->give_back(end_, message)) {
                waiting_.push_front(message);
                break;
            }
            workers |= uint64_t{1} << worker;
        }
        if (workers != 0) {
            hub_.ring(workers);
        }
        return waiting_.empty();
    }

  private:
    engine::Hub& hub_;
    engine::StoreEnd end_;
    queue::IntrusiveFifo<engine::Message> waiting_;
};

}  // namespace sy::store
