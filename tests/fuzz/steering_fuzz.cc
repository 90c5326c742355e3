// Any octets as a received frame. Checked: nothing is read outside it, only a flow has an owner,
// and the short way for TCP never keeps a frame that every worker needs.
#include <cstdint>
#include <vector>

#include "core/base/assert.h"
#include "io/dpdk/rss.h"
#include "io/dpdk/steering.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const sy::dpdk::QueueMap map = sy::dpdk::QueueMap::make_own(5);
    const std::vector<uint8_t> frame(data, data + size);  // of the exact size
    const sy::dpdk::Steering steering = sy::dpdk::steer(frame);
    const bool has_flow = steering.flow != sy::tcpip::FlowKey{};
    SY_ASSERT(steering.to == sy::dpdk::Destination::owner || !has_flow);
    SY_ASSERT(map.queue_of(steering.flow) < 5);
    if (sy::dpdk::is_plain_tcp(frame)) {
        SY_ASSERT(steering.to != sy::dpdk::Destination::every);
    }
    return 0;
}
