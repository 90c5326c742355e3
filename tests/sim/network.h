// What joins the router and its peers: the byte streams of io/sim, or a wire of packets between the
// router's port, whose queues its workers' stacks have, and a switch with one stack for each peer.
// The clock, the hash of everything that happened, and what the router did on each connection
// (StreamLog), for both alike. Single thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "io/dpdk/rss.h"
#include "io/sim/net.h"
#include "io/sim/packet_link.h"
#include "tests/sim/port_fan.h"
#include "tests/sim/stream_log.h"
#include "tests/sim/transports.h"
#include "tests/sim/wire.h"

namespace sy::sim {

class Network {
  public:
    /// `wire`: null for byte streams.
    Network(uint64_t seed, uint32_t workers, const LinkMix& mix, std::unique_ptr<Wire> wire);

    [[nodiscard]] SimNet& net() { return net_; }
    [[nodiscard]] Nanos now_ns() const { return net_.now_ns(); }
    [[nodiscard]] Nanos next_event_ns() const;
    void advance_to(Nanos to_ns);
    [[nodiscard]] uint64_t hash() const;
    [[nodiscard]] bool over_stack() const { return link_ != nullptr; }
    void set_trace(std::FILE* trace);
    /// What the router's end of the wire sees.
    void set_pcap(PcapWriter* pcap);

    [[nodiscard]] std::unique_ptr<RouterTransport> make_worker(uint8_t worker,
                                                               uint32_t connections_max);
    [[nodiscard]] std::unique_ptr<PeerTransport> make_peer(const Endpoint& address);

    /// From here on nothing goes wrong with what is sent.
    void be_fair();
    /// How many cables of peers are to be pulled.
    [[nodiscard]] uint32_t cables_pulled() const { return wire_ ? wire_->cables_pulled : 0; }
    /// One peer's is, for a while.
    void pull_cable(size_t peer);

    // For the transports.
    StreamLog& open_log(const std::string& name);
    [[nodiscard]] const StreamLog* find_log(const std::string& name) const;
    void draw_cut(Cut& cut, uint64_t& after);
    void mute(const tcpip::FlowKey& flow) { hosts_->mute(flow); }

    /// Frames that the router's stacks hold beside those that wait for them: 0 when they rest.
    [[nodiscard]] uint32_t router_frames_held() const;
    [[nodiscard]] uint64_t frames() const;
    [[nodiscard]] uint64_t frames_lost() const;

  private:
    [[nodiscard]] uint32_t host_of(Octets frame) const;

    SimNet net_;
    LinkMix mix_;
    bool fair_ = false;
    std::map<std::string, StreamLog> logs_;

    std::unique_ptr<Wire> wire_;
    std::unique_ptr<PacketLink> link_;
    dpdk::QueueMap queues_;
    std::map<std::array<uint8_t, 16>, uint32_t> host_index_;
    std::unique_ptr<PortFan> nic_;    // the router's end: a port a worker
    std::unique_ptr<PortFan> hosts_;  // the other: a port a peer
};

}  // namespace sy::sim
