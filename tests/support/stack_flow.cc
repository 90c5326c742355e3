#include "tests/support/stack_flow.h"

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"

namespace sy::tcpip {
namespace {

using frames::get;

constexpr uint8_t syn = 0x02;
constexpr uint8_t rst = 0x04;
constexpr uint8_t ack = 0x10;

int32_t distance(uint32_t from, uint32_t to) {
    return static_cast<int32_t>(to - from);
}

void read_option(std::span<const uint8_t> option, SeenSegment& out) {
    const auto word = [&](size_t at) { return static_cast<uint32_t>(get(option, at, 4)); };
    if (option[0] == 3 && option.size() == 3) {
        out.has_scale = true;
        out.scale = option[2];
    } else if (option[0] == 8 && option.size() == 10) {
        out.has_timestamps = true;
        out.timestamp = word(2);
    } else if (option[0] == 5) {
        for (size_t at = 2; at + 8 <= option.size(); at += 8) {
            out.sack.emplace_back(word(at), word(at + 4));
        }
    }
}

// True when the options are well-formed to their end.
bool read_options(std::span<const uint8_t> options, SeenSegment& out) {
    for (size_t at = 0; at < options.size();) {
        if (options[at] == 0) {
            return true;
        }
        if (options[at] == 1) {
            ++at;
            continue;
        }
        if (at + 1 >= options.size() || options[at + 1] < 2 ||
            at + options[at + 1] > options.size()) {
            return false;
        }
        read_option(options.subspan(at, options[at + 1]), out);
        at += options[at + 1];
    }
    return true;
}

// The TCP part of an IP packet whose addresses are known. False: it is not whole.
bool read_tcp(std::span<const uint8_t> l4, SeenSegment& out, bool from_stack) {
    if (l4.size() < 20) {
        return false;
    }
    const size_t header = (l4[12] >> 4) * size_t{4};
    if (header < 20 || header > l4.size()) {
        return false;
    }
    const auto source = static_cast<uint16_t>(get(l4, 0, 2));
    const auto destination = static_cast<uint16_t>(get(l4, 2, 2));
    out.key.local_port = from_stack ? source : destination;
    out.key.remote_port = from_stack ? destination : source;
    out.seq = static_cast<uint32_t>(get(l4, 4, 4));
    out.ack = static_cast<uint32_t>(get(l4, 8, 4));
    out.flags = l4[13];
    out.window = static_cast<uint16_t>(get(l4, 14, 2));
    out.payload = l4.subspan(header);
    return read_options(l4.subspan(20, header - 20), out) || !from_stack;
}

// IP addresses and the payload behind the header; empty: not TCP as it is sent here.
std::span<const uint8_t> read_ip(std::span<const uint8_t> frame,
                                 IpAddress& source,
                                 IpAddress& destination) {
    if (frame.size() < 14 + 20) {
        return {};
    }
    const auto l3 = frame.subspan(14);
    if (get(frame, 12, 2) == 0x0800 && l3[0] >> 4 == 4) {
        const size_t header = (l3[0] & 15U) * size_t{4};
        const size_t total = get(l3, 2, 2);
        if (l3[9] != 6 || header < 20 || total < header || total > l3.size()) {
            return {};
        }
        source = IpAddress::from_ipv4(l3.data() + 12);
        destination = IpAddress::from_ipv4(l3.data() + 16);
        return l3.subspan(header, total - header);
    }
    if (get(frame, 12, 2) == 0x86dd && l3.size() >= 40 && l3[6] == 6) {
        const size_t payload = get(l3, 4, 2);
        if (payload > l3.size() - 40) {
            return {};
        }
        source = IpAddress::from_ipv6(l3.data() + 8);
        destination = IpAddress::from_ipv6(l3.data() + 24);
        return l3.subspan(40, payload);
    }
    return {};
}

void check_sack(const SeenSegment& segment, const Flow& flow) {
    for (size_t i = 0; i < segment.sack.size(); ++i) {
        const auto& [begin, end] = segment.sack[i];
        SY_ASSERT(distance(begin, end) > 0);
        // The first may be a duplicate below the acknowledgement (RFC 2883).
        SY_ASSERT(i == 0 || distance(segment.ack, begin) > 0);
        SY_ASSERT(distance(end, flow.edge + 1) >= 0 || (i == 0 && distance(end, segment.ack) >= 0));
        for (size_t j = 1; j < i; ++j) {
            const auto& [other_begin, other_end] = segment.sack[j];
            SY_ASSERT(distance(end, other_begin) > 0 || distance(other_end, begin) > 0);
        }
    }
}

}  // namespace

void InjectedOctets::note(uint32_t seq, uint32_t octets, uint8_t versions) {
    for (uint32_t i = 0; i < octets; ++i) {
        auto& page = pages_[(seq + i) / page_octets];
        if (page == nullptr) {
            page = std::make_unique<Page>();
            page->fill(0);
        }
        (*page)[(seq + i) % page_octets] |= versions;
    }
}

bool InjectedOctets::may_be(uint32_t seq, uint8_t octet) const {
    const auto page = pages_.find(seq / page_octets);
    if (page == pages_.end()) {
        return false;
    }
    const uint8_t versions = (*page->second)[seq % page_octets];
    for (uint32_t version = 0; version < 4; ++version) {
        if ((versions >> version & 1U) != 0 && octet == stream_octet(seq, version)) {
            return true;
        }
    }
    return (versions & wild) != 0;
}

bool see_segment(std::span<const uint8_t> frame, SeenSegment& out) {
    IpAddress source;
    IpAddress destination;
    const auto l4 = read_ip(frame, source, destination);
    if (l4.empty()) {
        return false;
    }
    SY_ASSERT(read_tcp(l4, out, true));
    out.key.local = source;
    out.key.remote = destination;
    const auto l3 = frame.subspan(14);
    SY_ASSERT(!source.is_ipv4() || frames::checksum(l3.first((l3[0] & 15U) * size_t{4})) == 0);
    SY_ASSERT(frames::l4_checksum(source, destination, 6, l4) == 0);
    SY_ASSERT(l4.data() + l4.size() == frame.data() + frame.size());
    return true;
}

bool claimed_segment(std::span<const uint8_t> frame, SeenSegment& out) {
    IpAddress source;
    IpAddress destination;
    const auto l4 = read_ip(frame, source, destination);
    if (l4.empty() || !read_tcp(l4, out, false)) {
        return false;
    }
    out.key.remote = source;
    out.key.local = destination;
    return true;
}

bool FlowTableSeen::Order::operator()(const FlowKey& a, const FlowKey& b) const {
    return std::memcmp(&a, &b, sizeof a) < 0;
}

Flow& FlowTableSeen::of(const FlowKey& key) {
    auto& flow = flows_[key];
    if (flow == nullptr) {
        flow = std::make_unique<Flow>();
        flow->key = key;
        order_.push_back(flow.get());
    }
    return *flow;
}

Flow* FlowTableSeen::find(const FlowKey& key) {
    const auto found = flows_.find(key);
    return found == flows_.end() ? nullptr : found->second.get();
}

void FlowTableSeen::saw(const SeenSegment& segment) {
    Flow& flow = of(segment.key);
    if (segment.has(rst)) {
        return;  // says nothing of the state
    }
    if (segment.has(syn)) {
        flow.next = segment.behind();
        flow.una = segment.has(ack) ? flow.una : segment.seq;
        flow.acked = segment.ack;
        flow.edge = segment.ack + segment.window;
        flow.offered = segment.has(ack);  // else the window has no place yet
        // A repeated SYN may leave out what the first one offered.
        const bool again = flow.seen && flow.first == segment.seq;
        flow.first = segment.seq;
        flow.scale_offered = segment.has_scale || (again && flow.scale_offered);
        flow.scale = segment.has_scale ? segment.scale : flow.scale;
        flow.timestamps = segment.has_timestamps || (again && flow.timestamps);
        flow.timestamp = segment.has_timestamps ? segment.timestamp : flow.timestamp;
        flow.seen = true;
        return;
    }
    if (!flow.seen) {
        return;
    }
    const uint8_t scale = flow.scale_offered && offers_scale(flow.key) ? flow.scale : uint8_t{0};
    const uint32_t edge = segment.ack + (uint32_t{segment.window} << scale);
    // TIMEWAIT and the SYN cache answer with the figures of their time; only forward counts.
    const bool forward = distance(flow.edge, edge) > 0 || distance(flow.acked, segment.ack) < 0;
    flow.edge = forward || !flow.offered ? edge : flow.edge;
    flow.offered = true;
    flow.acked = segment.ack;
    flow.next = distance(flow.next, segment.behind()) > 0 ? segment.behind() : flow.next;
    if (segment.has_timestamps) {
        flow.timestamp = segment.timestamp;
    }
    if (!flow.wild) {
        check_sack(segment, flow);
    }
}

}  // namespace sy::tcpip
