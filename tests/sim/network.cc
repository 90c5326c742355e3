#include "tests/sim/network.h"

#include "core/base/assert.h"
#include "io/dpdk/steering.h"

namespace sy::sim {
namespace {

constexpr uint32_t router_end = 0;
constexpr uint32_t peers_end = 1;

}  // namespace

Network::Network(uint64_t seed, uint32_t workers, const LinkMix& mix, std::unique_ptr<Wire> wire)
    : net_(mix64(seed)),
      mix_(mix),
      wire_(std::move(wire)),
      queues_(dpdk::QueueMap::make_own(workers)) {
    if (wire_ == nullptr) {
        net_.set_mix(mix);
        return;
    }
    link_ = std::make_unique<PacketLink>(mix64(seed + 2), wire_->link, net_.now_ns());
    for (uint32_t end = 0; end < 2; ++end) {
        link_->set_faults(end, wire_->faults[end]);
    }
    nic_ = std::make_unique<PortFan>(*link_, router_end, [this](Octets frame) -> uint32_t {
        const dpdk::Steering steering = dpdk::steer(frame);
        switch (steering.to) {
            case dpdk::Destination::owner:
                return queues_.queue_of(steering.flow);
            case dpdk::Destination::every:
                return PortFan::everybody;
            case dpdk::Destination::here:
                break;
        }
        return 0;
    });
    hosts_ = std::make_unique<PortFan>(*link_, peers_end,
                                       [this](Octets frame) { return host_of(frame); });
}

/// As a switch that knows its hosts by their addresses: the MAC of the wire's end is everybody's.
uint32_t Network::host_of(Octets frame) const {
    constexpr size_t arp_target = ethernet_bytes + 24;  // RFC 826
    std::array<uint8_t, 16> address{};
    const dpdk::Steering steering = dpdk::steer(frame);
    if (steering.to == dpdk::Destination::owner) {
        address = steering.flow.local.octets;
    } else if (frame.size() >= arp_target + 4 &&
               load_be<uint16_t>(frame.data() + 12) == ethertype_arp) {
        address = IpAddress::from_ipv4(frame.data() + arp_target).octets;
    }
    const auto found = host_index_.find(address);
    return found == host_index_.end() ? PortFan::everybody : found->second;
}

// ---------------------------------------------------------------- the clock

Nanos Network::next_event_ns() const {
    return link_ ? std::min(net_.next_event_ns(), link_->next_event_ns()) : net_.next_event_ns();
}

void Network::advance_to(Nanos to_ns) {
    net_.advance_to(to_ns);
    if (link_) {
        link_->advance_to(to_ns);
        nic_->spread();
        hosts_->spread();
    }
}

uint64_t Network::hash() const {
    return link_ ? mix64(net_.hash() ^ mix64(link_->hash())) : net_.hash();
}

void Network::set_trace(std::FILE* trace) {
    net_.set_trace(trace);
    if (link_) {
        link_->set_trace(trace);
    }
}

void Network::set_pcap(PcapWriter* pcap) {
    if (link_) {
        link_->set_pcap(router_end, pcap);
    }
}

// ---------------------------------------------------------------- who is on it

std::unique_ptr<RouterTransport> Network::make_worker(uint8_t worker, uint32_t connections_max) {
    const Endpoint address = *parse_endpoint("10.0.1.1:0");
    if (link_ == nullptr) {
        return std::make_unique<RouterTransport>(
            *this, Carrier(net_, {.connections_max = connections_max, .address = address}));
    }
    FanPort& port = nic_->add(
        [this, worker](const tcpip::FlowKey& flow) { return queues_.queue_of(flow) == worker; });
    tcpip::StackOptions options = wire_->router;
    options.connections_max = connections_max;
    options.interface.addresses = {wire_->address_of(address)};
    options.interface.announces = worker == 0;
    return std::make_unique<RouterTransport>(*this, Carrier(port, options, *wire_));
}

std::unique_ptr<PeerTransport> Network::make_peer(const Endpoint& address) {
    constexpr uint32_t connections_max = 64;
    if (link_ == nullptr) {
        return std::make_unique<PeerTransport>(
            *this, Carrier(net_, {.connections_max = connections_max, .address = address}));
    }
    const uint32_t index = hosts_->size();
    host_index_[wire_->address_of(address).address.octets] = index;
    FanPort& port = hosts_->add([](const tcpip::FlowKey&) { return true; });
    tcpip::StackOptions options = wire_->peer(index);
    options.connections_max = connections_max;
    options.interface.addresses = {wire_->address_of(address)};
    return std::make_unique<PeerTransport>(*this, Carrier(port, options, *wire_));
}

// ---------------------------------------------------------------- faults

void Network::be_fair() {
    fair_ = true;
    net_.set_mix(LinkMix{});
    if (link_) {
        LinkFaults fair;
        fair.delay_ns = millisecond_ns;
        link_->set_faults(router_end, fair);
        link_->set_faults(peers_end, fair);
    }
}

void Network::pull_cable(size_t peer) {
    hosts_->port(static_cast<uint32_t>(peer))
        .set_silent_until(net_.now_ns() + net_.prng().below(wire_->pulled_ns_max));
}

void Network::draw_cut(Cut& cut, uint64_t& after) {
    if (fair_) {
        return;
    }
    Prng& prng = net_.prng();
    const uint64_t drawn = prng.below(1000);
    if (drawn >= uint64_t{mix_.cut_fin} + mix_.cut_rst + mix_.cut_silence) {
        return;
    }
    cut = drawn < mix_.cut_fin                  ? Cut::fin
          : drawn < mix_.cut_fin + mix_.cut_rst ? Cut::rst
                                                : Cut::silence;
    after = 1 + prng.below(mix_.cut_bytes_max);
}

// ---------------------------------------------------------------- what the router did

StreamLog& Network::open_log(const std::string& name) {
    const auto [found, fresh] = logs_.try_emplace(name);
    if (!fresh) {
        found->second.spoil();
    }
    return found->second;
}

const StreamLog* Network::find_log(const std::string& name) const {
    const auto found = logs_.find(name);
    return found == logs_.end() ? nullptr : &found->second;
}

uint32_t Network::router_frames_held() const {
    return link_ ? link_->buffers_held(router_end) - nic_->queued() : 0;
}

uint64_t Network::frames() const {
    return link_ ? link_->counters(router_end).sent + link_->counters(peers_end).sent : 0;
}

uint64_t Network::frames_lost() const {
    return link_ ? link_->counters(router_end).lost + link_->counters(peers_end).lost : 0;
}

}  // namespace sy::sim
