// What waits at a worker for one of its suppliers: in turn over customers, of a customer the higher
// priority_flag first, the parts of a long message together. See core/queue/fair_queue.h.
#pragma once

#include "core/engine/message.h"
#include "core/queue/fair_queue.h"

namespace sy::engine {

struct SupplierQueueTraits {
    // Ids are given from 0 on: the first 256 customers have a flow each.
    static uint32_t flow_of(const Message& message) { return message.customer.value; }
    static uint32_t level_of(const Message& message) { return message.priority; }
    static bool continues(const Message& earlier, const Message& later) {
        return earlier.parts_key != 0 && earlier.parts_key == later.parts_key;
    }
};

using SupplierQueue = queue::FairQueue<Message, SupplierQueueTraits>;

}  // namespace sy::engine
