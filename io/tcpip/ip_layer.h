// Everything below TCP on one port: ARP and neighbour discovery, ICMP, path MTUs, and the headers
// in front of every segment. One instance a worker and port; one thread; nothing allocates after
// construction.
//
// Not here: fragments (refused), router advertisements and redirects (counted and ignored: the
// gateways are configured), router solicitations, UDP, IGMP.
//
//   RxFrame -> parse() -> tcp: the TCP layer        -> write_headers() -> FrameOut
//                         arp, icmp4, icmp6: input() -> answers, or an IcmpError for TCP
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/time.h"
#include "io/tcpip/checksum.h"
#include "io/tcpip/counters.h"
#include "io/tcpip/frame_out.h"
#include "io/tcpip/interface.h"
#include "io/tcpip/neighbours.h"
#include "io/tcpip/parse.h"
#include "io/tcpip/path_mtu.h"
#include "io/tcpip/plain_headers.h"
#include "io/tcpip/port.h"

namespace sy::tcpip {

/// What an ICMP message says about a segment that we sent. The sequence number is what the quoted
/// header has: the TCP layer believes it only if it is in flight (RFC 5927 section 4.1).
struct IcmpError {
    /// soft: may pass; hard: would end a connection that is being opened (RFC 1122 section
    /// 4.2.3.9; RFC 5927 section 5.2 for established ones); too_big: see mtu.
    enum class Kind : uint8_t { soft, hard, too_big };

    FlowKey flow;
    Seq seq;
    Kind kind = Kind::soft;
    uint8_t type = 0;  // as in the message; the family is the flow's
    uint8_t code = 0;
    uint32_t mtu = 0;  // too_big: octets of an IP packet that fit; never 0
};

/// How packets reach a remote address.
struct Path {
    Neighbours::Handle next_hop;
    IpAddress source;  // ours
};

class IpLayer final : private NeighbourLink {
  public:
    using Counters = IpCounters;

    IpLayer(PacketPort& port, FrameOut& out, const InterfaceOptions& options, uint64_t seed);

    /// Announces our IPv4 addresses, begins duplicate detection of the IPv6 ones, asks for the
    /// gateways. Again after the link came back: announcements only.
    void start(Nanos now);

    /// So many segments did not pass parse(): the short road took them.
    void count_tcp(uint32_t segments) { counters_.tcp_in += segments; }
    /// parse_frame() and its counters.
    void parse(const RxFrame& frame, Packet& out) {
        parse_frame(frame, interface_, out);
        if (out.kind == PacketKind::tcp) [[likely]] {
            ++counters_.tcp_in;
            return;
        }
        count_other(out);
    }
    /// REQUIRES: packet.kind is arp, icmp4 or icmp6.
    [[nodiscard]] std::optional<IcmpError> input(const Packet& packet, Nanos now);

    /// Retries, announcements, ageing. Cheap when nothing is due.
    void tick(Nanos now) {
        if (now >= next_ns()) {
            run_timers(now);
        }
    }
    /// When tick() has something to do; may be in the past.
    [[nodiscard]] Nanos next_ns() const {
        const Nanos inner = neighbours_.next_ns() < path_mtu_.next_ns() ? neighbours_.next_ns()
                                                                        : path_mtu_.next_ns();
        return next_ns_ < inner ? next_ns_ : inner;
    }

    /// Source address and neighbour for a connection; nothing: no route, no usable address of the
    /// family, or the neighbour cache refuses. Control path of a connection, not of a segment. Not
    /// retained: who keeps the handle calls neighbours().retain() and release().
    [[nodiscard]] std::optional<Path> path_to(const IpAddress& remote, Nanos now);

    // Sending a segment:
    //
    //   const Mac* next_hop = ip.next_hop(handle, now);     // null: not resolved now; may send
    //   TxFrame* frame = out.begin();
    //   uint8_t* at = ip.write_headers(*frame, flow, l4_bytes, next_hop);
    //   ... TCP header with checksum 0, options, payload: l4_bytes from `at` ...
    //   ip.finish_tcp(*frame, flow, part);                   // the TCP checksum
    //   next_hop != nullptr ? out.commit() : ip.hold(handle, out.take(), now);
    //
    // None of these begins a frame of its own: requests for a MAC leave with the next tick(). So
    // tick() is called every turn.
    //
    // Frames without connection (RST, SYN-ACK of a SYN cache) go back to &packet.source_mac: no
    // neighbour entry, so a flood of them costs none.

    [[nodiscard]] const Mac* next_hop(Neighbours::Handle handle, Nanos now) {
        return neighbours_.usable(handle, now);
    }
    /// Writes Ethernet, VLAN and IP header from flow.local to flow.remote (DF, IP id 0: RFC 6864
    /// section 4.1) and sets every field of the frame but data, capacity and buffer; where TCP
    /// begins. With next_hop null the MAC is left for hold(). The IPv4 header checksum is right
    /// unless the port does it. REQUIRES: headers_bytes() + l4_bytes <= frame.capacity.
    [[nodiscard]] uint8_t* write_headers(TxFrame& frame,
                                         const FlowKey& flow,
                                         uint32_t l4_bytes,
                                         const Mac* next_hop) const;
    /// What stands behind the IP header. The payload was summed while it was copied.
    struct L4Part {
        uint32_t header_bytes = 0;  // with options
        uint64_t header_sum = 0;    // of these octets; not looked at if port_sums_tcp()
        uint32_t payload_bytes = 0;
        uint64_t payload_sum = 0;    // copy_checksum.h; not looked at if port_sums_tcp()
        uint16_t segment_bytes = 0;  // TSO: payload octets of each segment
    };
    [[nodiscard]] const PortInfo& port() const { return port_; }
    /// For write_plain_headers().
    [[nodiscard]] const Ipv4Template& ipv4_template() const { return ipv4_template_; }
    /// The port sums TCP itself.
    [[nodiscard]] bool port_sums_tcp() const { return port_.tx_tcp_checksum; }
    /// The TCP checksum; or, where the port does it, its seed and the frame's fields. REQUIRES: the
    /// checksum field is 0.
    void finish_tcp(TxFrame& frame, const FlowKey& flow, const L4Part& part) const;
    /// The same over `l4_bytes` that stand in the frame, summed now.
    void finish_tcp(TxFrame& frame,
                    const FlowKey& flow,
                    uint32_t l4_bytes,
                    uint16_t segment_bytes = 0) const;
    /// Keeps the frame until its neighbour is resolved, within bounds; sends it then.
    void hold(Neighbours::Handle handle, const TxFrame& frame, Nanos now) {
        neighbours_.hold(handle, frame, now);
    }

    /// Ethernet, VLAN and IP header.
    [[nodiscard]] uint32_t headers_bytes(bool ipv6) const {
        return interface_.l2_bytes() + (ipv6 ? ipv6::header_bytes : ipv4::header_bytes);
    }
    /// Octets of the largest IP packet to `remote` that is not known to be too big.
    [[nodiscard]] uint32_t path_mtu(const IpAddress& remote) const;
    /// After an IcmpError too_big that TCP found to be true, or a black hole. Whether path_mtu()
    /// fell.
    bool learn_mtu(const IpAddress& remote, uint32_t mtu, Nanos now) {
        return mtu < path_mtu(remote) && path_mtu_.learn(remote, mtu, now);
    }

    [[nodiscard]] const Interface& interface() const { return interface_; }
    [[nodiscard]] Neighbours& neighbours() { return neighbours_; }
    [[nodiscard]] const Counters& counters() const { return counters_; }
    [[nodiscard]] uint64_t dropped(Drop reason) const {
        return counters_.dropped[static_cast<size_t>(reason)].value();
    }

  private:
    // NeighbourLink
    void solicit(const IpAddress& target, const Mac* known) override;
    void transmit(const TxFrame& frame) override { out_.send(frame); }
    void discard(const TxFrame& frame) override { out_.discard(frame); }

    void count_other(const Packet& packet);
    void run_timers(Nanos now);
    void build_templates();
    void wake_at(Nanos deadline_ns) { next_ns_ = deadline_ns < next_ns_ ? deadline_ns : next_ns_; }
    void write_ipv4(uint8_t* l3, const FlowKey& flow, uint32_t l4_bytes) const;
    void write_ipv6(uint8_t* l3, const FlowKey& flow, uint32_t l4_bytes) const;
    /// Headers of an ICMP packet of either family, TTL 64; where the message begins, or null: no
    /// frame, or too long for the port. The caller writes the message and commits.
    [[nodiscard]] uint8_t* begin_icmp(const FlowKey& flow,
                                      uint32_t message_bytes,
                                      const Mac& destination);
    [[nodiscard]] bool may_create(const IpAddress& sender, Nanos now);
    [[nodiscard]] bool may_answer(Nanos now);

    // arp.cc
    struct ArpPacket {
        uint16_t operation = 0;
        Mac sender_mac{};
        uint32_t sender_ip = 0;  // memory order
        Mac target_mac{};
        uint32_t target_ip = 0;
    };
    void input_arp(const Packet& packet, Nanos now);
    void answer_arp(const ArpPacket& request, Nanos now);
    void arp_conflict(uint32_t ours, Nanos now);
    void announce_ipv4();
    void announce_address(uint32_t raw);
    void solicit_ipv4(const IpAddress& target, const Mac* known);
    bool send_arp(const Mac& destination, const ArpPacket& packet);

    // nd.cc
    struct Advert {
        IpAddress target;
        IpAddress to;
        Mac mac{};
        bool solicited = false;
    };
    void input_nd(const Packet& packet, Nanos now);
    void input_solicitation(const Packet& packet, Nanos now);
    void input_advertisement(const Packet& packet, Nanos now);
    void begin_detection(Nanos now);
    void send_detection(const IpAddress& target);
    void give_up(const Interface::Ipv6& address);
    void finish_detection();
    void announce_ipv6();
    void solicit_ipv6(const IpAddress& target, const Mac* known);
    void send_solicitation(const IpAddress& target, const FlowKey& flow, const Mac& mac);
    void send_advertisement(const Advert& advert);
    void finish_nd(uint8_t* message, const FlowKey& flow, uint32_t bytes);

    // mld.cc
    void input_listener_query(const Packet& packet, Nanos now);
    void report_joined(Nanos now);
    void run_listener(Nanos now);
    void report_groups(Nanos now, uint8_t record_type);
    void report_group_v1(const FlowKey& flow);
    [[nodiscard]] uint8_t* begin_report(const FlowKey& flow, uint32_t message_bytes);
    void finish_report(uint8_t* message, const FlowKey& flow, uint32_t message_bytes);
    [[nodiscard]] Nanos listener_ns() const {
        return listener_.answer_ns < listener_.join_ns ? listener_.answer_ns : listener_.join_ns;
    }

    // icmp.cc
    [[nodiscard]] std::optional<IcmpError> input_icmp4(const Packet& packet, Nanos now);
    [[nodiscard]] std::optional<IcmpError> input_icmp6(const Packet& packet, Nanos now);
    [[nodiscard]] std::optional<IcmpError> error_icmp4(const Packet& packet);
    [[nodiscard]] std::optional<IcmpError> error_icmp6(const Packet& packet);
    void answer_echo(const Packet& packet, Nanos now);

    const PortInfo& port_;
    FrameOut& out_;
    Interface interface_;
    bool announcing_;
    bool started_ = false;
    Neighbours neighbours_;
    PathMtu path_mtu_;
    Counters counters_;
    uint64_t flow_label_seed_;
    Ipv4Template ipv4_template_;
    alignas(64) std::array<uint8_t, 64> ipv6_template_{};  // Ethernet, tag, IPv6

    // What switches are told of the groups that we listen to.
    struct Listener {
        uint8_t joins = 0;  // reports that nobody asked for, still to be sent
        Nanos join_ns = ~Nanos{0};
        Nanos answer_ns = ~Nanos{0};  // to a query
        Nanos v1_until_ns = 0;        // a querier of RFC 2710 was heard
        uint64_t random = 0;
    };

    Listener listener_;
    Nanos next_ns_ = ~Nanos{0};
    Nanos announce_ns_ = ~Nanos{0};  // the second announcement
    Nanos detected_ns_ = ~Nanos{0};  // end of duplicate detection
    Nanos defend_again_ns_ = 0;      // not before
    RateLimit answers_{2000, 256};   // ARP replies, advertisements
    RateLimit creates_{256, 256};    // entries that peers make us have
    RateLimit echoes_{1000, 100};
    RateLimit queries_{10, 20};  // of listeners; a querier asks some times a minute
};

}  // namespace sy::tcpip
