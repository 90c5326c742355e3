// The transport concept's conformance tests over the userspace stack: two stacks and a simulated
// wire between them, from perfect to bad.
#include "io/tcpip/transport.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "io/sim/packet_link.h"
#include "tests/support/transport_conformance.h"

namespace sy::tcpip {
namespace {

using test::RecordingHandler;

enum class Wire : uint8_t { perfect, ipv6, slow_path, late, lossy, offload, plain_tcp };

StackOptions options_for(const char* address, Wire wire) {
    StackOptions options;
    const Endpoint endpoint = *parse_endpoint(address);
    options.interface.addresses.push_back(
        {.address = {endpoint.address},
         .prefix_bits = static_cast<uint8_t>(wire == Wire::ipv6 ? 64 : 24)});
    options.interface.duplicate_address_detection = false;
    options.connections_max = 16;
    options.half_open_max = 16;
    options.time_wait_max = 16;
    options.chunks = 1024;
    options.recoveries_max = 16;
    options.fast_path = wire != Wire::slow_path;
    if (wire == Wire::plain_tcp) {
        options.timestamps = false;
        options.sack = false;
        options.window_scale = false;
    }
    return options;
}

template <Wire wire>
struct World {
    using Transport = TcpTransport;
    static constexpr int turns_max = 100'000;

    World() {
        sim::LinkFaults faults;
        if constexpr (wire == Wire::late) {
            faults.delay_ns = 30 * millisecond_ns;
            faults.jitter_ns = 5 * millisecond_ns;
        } else if constexpr (wire == Wire::lossy || wire == Wire::plain_tcp) {
            faults.loss = 100;
            faults.duplicate = 30;
            faults.reorder = 50;
            faults.corrupt = 20;
            faults.delay_ns = 100 * microsecond_ns;
        }
        link.set_faults(0, faults);
        link.set_faults(1, faults);
        EXPECT_TRUE(server_.listen(listening()).has_value());
    }
    ~World() { EXPECT_LE(link.buffers_held(0) + link.buffers_held(1), 2 * 64U); }

    static sim::PacketLinkOptions link_options() {
        sim::PacketLinkOptions options;
        if constexpr (wire == Wire::offload) {
            options.tx_ip_checksum = true;
            options.tx_tcp_checksum = true;
            options.tso_bytes_max = 16 * 1024;
            options.rx_checksum = true;
        }
        return options;
    }
    TcpTransport& server() { return server_; }
    TcpTransport& client() { return client_; }
    Endpoint listening() const {
        return *parse_endpoint(wire == Wire::ipv6 ? "[fd00::1]:2775" : "10.0.0.1:2775");
    }
    Endpoint nobody() const {
        return *parse_endpoint(wire == Wire::ipv6 ? "[fd00::1]:9" : "10.0.0.1:9");
    }
    template <class H>
    void turn(H& at_server, H& at_client) {
        server_.poll(link.now_ns(), at_server);
        server_.check_invariants();
        client_.poll(link.now_ns(), at_client);
        client_.check_invariants();
        const Nanos next = std::min({link.next_event_ns(), server_.next_event_ns(),
                                     client_.next_event_ns(), link.now_ns() + 10 * millisecond_ns});
        link.advance_to(std::max(next, link.now_ns() + microsecond_ns));
    }

    sim::PacketLink link{1, link_options()};
    TcpTransport server_{link.port(0),
                         options_for(wire == Wire::ipv6 ? "[fd00::1]:1" : "10.0.0.1:1", wire)};
    TcpTransport client_{link.port(1),
                         options_for(wire == Wire::ipv6 ? "[fd00::2]:1" : "10.0.0.2:1", wire)};
};

// A program listens before it takes its first turn, and detection of duplicates takes a second.
TEST(TcpTransport, ListensOnAnAddressThatIsStillTentative) {
    sim::PacketLink link{1, {}};
    StackOptions options = options_for("[fd00::1]:1", Wire::ipv6);
    options.interface.duplicate_address_detection = true;
    TcpTransport transport(link.port(0), options);
    EXPECT_TRUE(transport.listen(*parse_endpoint("[fd00::1]:2775")).has_value());
    EXPECT_FALSE(transport.listen(*parse_endpoint("[fd00::9]:2775")).has_value());
}

}  // namespace
}  // namespace sy::tcpip

namespace sy::test {
using tcpip::Wire;
using tcpip::World;
INSTANTIATE_TYPED_TEST_SUITE_P(Perfect, TransportConformance, World<Wire::perfect>);
INSTANTIATE_TYPED_TEST_SUITE_P(Ipv6, TransportConformance, World<Wire::ipv6>);
INSTANTIATE_TYPED_TEST_SUITE_P(WithoutPrediction, TransportConformance, World<Wire::slow_path>);
INSTANTIATE_TYPED_TEST_SUITE_P(Late, TransportConformance, World<Wire::late>);
INSTANTIATE_TYPED_TEST_SUITE_P(Lossy, TransportConformance, World<Wire::lossy>);
INSTANTIATE_TYPED_TEST_SUITE_P(Offloads, TransportConformance, World<Wire::offload>);
INSTANTIATE_TYPED_TEST_SUITE_P(WithoutOptions, TransportConformance, World<Wire::plain_tcp>);
}  // namespace sy::test
