// The far end of connections of a userspace stack, for programs of operations: makes segments from
// what the stack was seen to send, and checks what the stack sends. It knows nothing of the code
// under test but the wire; what it finds wrong aborts. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "io/tcpip/address.h"
#include "tests/support/frames.h"

namespace sy::tcpip {

/// The octet that stands at a sequence number. What a user gives the stack has version 0; what is
/// injected may have any, so that copies of an octet can differ.
[[nodiscard]] constexpr uint8_t stream_octet(uint32_t seq, uint32_t version) {
    return static_cast<uint8_t>((seq * 2654435761U >> 24) ^ (version & 3) * 0x55);
}

/// Which octets were injected for which sequence numbers, by version.
class InjectedOctets {
  public:
    static constexpr uint8_t wild = 0x80;  // something else stood there: any octet may come out

    void note(uint32_t seq, uint32_t octets, uint8_t versions);
    [[nodiscard]] bool may_be(uint32_t seq, uint8_t octet) const;

  private:
    static constexpr uint32_t page_octets = 4096;
    using Page = std::array<uint8_t, page_octets>;
    std::unordered_map<uint32_t, std::unique_ptr<Page>> pages_;
};

/// A segment of the stack, taken apart.
struct SeenSegment {
    FlowKey key;  // "local" is the stack's
    uint32_t seq = 0;
    uint32_t ack = 0;
    uint8_t flags = 0;
    uint16_t window = 0;
    bool has_timestamps = false;
    uint32_t timestamp = 0;
    bool has_scale = false;
    uint8_t scale = 0;
    std::vector<std::pair<uint32_t, uint32_t>> sack;
    std::span<const uint8_t> payload;

    [[nodiscard]] bool has(uint8_t flag) const { return (flags & flag) != 0; }
    [[nodiscard]] uint32_t behind() const {
        return seq + static_cast<uint32_t>(payload.size()) + (has(0x02) ? 1 : 0) +
               (has(0x01) ? 1 : 0);
    }
};

/// One four-tuple as its far end sees it, over all connections that it ever was.
struct Flow {
    FlowKey key;
    // What the stack said last.
    uint32_t first = 0;  // its initial sequence number
    uint32_t next = 0;   // behind the highest it sent
    uint32_t acked = 0;  // its ACK field: what it has of ours
    uint32_t edge = 0;   // and how far we may send
    bool offered = false;
    uint8_t scale = 0;  // of its window field, once negotiated
    bool scale_offered = false;
    bool timestamps = false;  // both sides offered them
    uint32_t timestamp = 0;
    bool seen = false;
    // What this end does.
    uint32_t isn = 0;
    uint32_t seq = 0;   // next to be sent
    uint32_t una = 0;   // highest ACK field sent
    bool wild = false;  // frames went there that this end knows nothing of: it is not judged
    InjectedOctets injected;
};

// What the far end of a flow offers in its SYN: the port number says it, so that it never changes.
[[nodiscard]] inline bool offers_scale(const FlowKey& key) {
    return (key.remote_port & 1) != 0;
}
[[nodiscard]] inline bool offers_timestamps(const FlowKey& key) {
    return (key.remote_port & 2) != 0;
}
[[nodiscard]] inline bool offers_sack(const FlowKey& key) {
    return (key.remote_port & 4) != 0;
}

/// Parses a frame of the stack to the last octet; aborts on a wrong length or checksum. False: not
/// TCP.
[[nodiscard]] bool see_segment(std::span<const uint8_t> frame, SeenSegment& out);
/// What a frame that is thrown at the stack claims to be: no checks. False: no TCP segment.
[[nodiscard]] bool claimed_segment(std::span<const uint8_t> frame, SeenSegment& out);

class FlowTableSeen {
  public:
    [[nodiscard]] Flow& of(const FlowKey& key);
    [[nodiscard]] Flow* find(const FlowKey& key);
    [[nodiscard]] size_t size() const { return order_.size(); }
    [[nodiscard]] Flow& at(size_t index) { return *order_[index]; }
    /// Takes in what the stack sent, and checks it against what it said before.
    void saw(const SeenSegment& segment);

  private:
    struct Order {
        bool operator()(const FlowKey& a, const FlowKey& b) const;
    };
    std::map<FlowKey, std::unique_ptr<Flow>, Order> flows_;
    std::vector<Flow*> order_;
};

}  // namespace sy::tcpip
