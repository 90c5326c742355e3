// Nothing on the packet path allocates: two stacks with 1,000 live connections between them, octets
// both ways over a wire that loses, doubles and reorders frames, connections that end and begin
// anew. Whatever allocates in the whole program meanwhile is seen.
#include <array>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "io/sim/packet_link.h"
#include "io/tcpip/transport.h"
#include "tests/support/allocation_counter.h"

namespace sy::tcpip {
namespace {

constexpr uint32_t connections = 1'000;
constexpr uint32_t message_bytes = 200;

/// One side. Octets of a stream are numbered from 0 on; each says its place.
class Party {
  public:
    Party(PacketPort& port, const StackOptions& options)
        : transport(port, options), streams_(options.connections_max) {}

    void on_accepted(ConnId conn, const Endpoint&) { begin(conn); }
    void on_connected(ConnId conn) { begin(conn); }
    size_t on_bytes(ConnId conn, Octets octets) {
        Stream& stream = streams_[conn.slot];
        for (const uint8_t octet : octets) {
            wrong += octet == static_cast<uint8_t>(stream.received * 7 + 3) ? 0U : 1U;
            ++stream.received;
        }
        received += octets.size();
        return octets.size();
    }
    void on_writable(ConnId) {}
    void on_closed(ConnId conn, CloseReason reason) {
        streams_[conn.slot].up = false;
        --up;
        reset += reason == CloseReason::peer_reset ? 1U : 0U;
    }

    /// A message on every connection that is up.
    void send_all() {
        std::array<uint8_t, message_bytes> message{};
        for (Stream& stream : streams_) {
            if (!stream.up) {
                continue;
            }
            for (uint32_t i = 0; i < message_bytes; ++i) {
                message[i] = static_cast<uint8_t>((stream.sent + i) * 7 + 3);
            }
            const size_t taken = transport.send(stream.conn, message);
            stream.sent += taken;
            sent += taken;
        }
    }
    void close_some(uint32_t count) {
        for (Stream& stream : streams_) {
            if (stream.up && count > 0) {
                transport.close(stream.conn);
                --count;
            }
        }
    }

    TcpTransport transport;
    uint32_t up = 0;
    uint64_t sent = 0;
    uint64_t received = 0;
    uint64_t wrong = 0;
    uint64_t reset = 0;

  private:
    struct Stream {
        ConnId conn;
        bool up = false;
        uint64_t sent = 0;
        uint64_t received = 0;
    };
    void begin(ConnId conn) {
        streams_[conn.slot] = {.conn = conn, .up = true};
        ++up;
    }
    std::vector<Stream> streams_;  // by slot
};

class StackAllocationTest : public testing::Test {
  protected:
    StackAllocationTest() {
        SY_ASSERT(right_.transport.listen(listening()).has_value());
        connect(connections);
        SY_ASSERT(run_until([this] { return both_up(connections); }));
    }

    static StackOptions options_of(uint8_t last_octet) {
        const uint8_t four[4] = {10, 0, 0, last_octet};
        StackOptions options;
        options.interface.addresses = {{IpAddress::from_ipv4(four), 24}};
        options.connections_max = connections + 100;
        options.half_open_max = 256;
        options.time_wait_max = 512;
        options.recoveries_max = 256;
        options.time_wait_ns = second_ns;
        return options;
    }
    static Endpoint listening() { return *parse_endpoint("10.0.0.2:2775"); }

    void connect(uint32_t count) {
        for (uint32_t i = 0; i < count; ++i) {
            const auto conn = left_.transport.connect(listening());
            refused_ += conn ? 0U : 1U;
        }
    }
    bool both_up(uint32_t count) const { return left_.up == count && right_.up == count; }
    bool all_received() const {
        return left_.received == right_.sent && right_.received == left_.sent;
    }
    void set_faults(const sim::LinkFaults& faults) {
        link_.set_faults(0, faults);
        link_.set_faults(1, faults);
    }
    void run_turns(uint32_t turns) {
        for (; turns > 0; --turns) {
            (void)left_.transport.poll(link_.now_ns(), left_);
            (void)right_.transport.poll(link_.now_ns(), right_);
            link_.advance_to(link_.now_ns() + 100 * microsecond_ns);
        }
    }
    template <class Done>
    bool run_until(Done done) {
        for (uint32_t turn = 0; turn < 200'000; ++turn) {
            if (done()) {
                return true;
            }
            run_turns(1);
        }
        return false;
    }

    sim::PacketLink link_{7, {.buffers = 16'384, .inbox_max = 8'192}};
    Party left_{link_.port(0), options_of(1)};
    Party right_{link_.port(1), options_of(2)};
    uint32_t refused_ = 0;
};

TEST(AllocationCounter, SeesEveryKindOfAllocation) {
    struct alignas(64) Line {
        int value = 1;
    };
    test::AllocationCounter::start();
    const auto plain = std::make_unique<int>(1);
    const auto aligned = std::make_unique<Line>();
    const std::vector<Line> lines(3);
    EXPECT_EQ(test::AllocationCounter::stop(), 3u);
    EXPECT_EQ(*plain + aligned->value + lines.front().value, 3);
}

TEST_F(StackAllocationTest, OctetsBothWaysOnAThousandConnections) {
    test::AllocationCounter::start();
    bool all = true;
    for (uint32_t round = 0; round < 20; ++round) {
        left_.send_all();
        right_.send_all();
        all = all && run_until([this] { return all_received(); });
    }
    EXPECT_EQ(test::AllocationCounter::stop(), 0u);
    EXPECT_TRUE(all);
    EXPECT_EQ(left_.wrong + right_.wrong, 0u);
    EXPECT_EQ(left_.received, 20u * connections * message_bytes);
    EXPECT_GT(right_.transport.stack().counters().fast_path.value(), 0u);
}

TEST_F(StackAllocationTest, LossAndItsRepair) {
    set_faults({.loss = 30,
                .duplicate = 20,
                .reorder = 50,
                .delay_ns = millisecond_ns,
                .corrupt = 5,
                .truncate = 5});
    test::AllocationCounter::start();
    bool all = true;
    for (uint32_t round = 0; round < 20; ++round) {
        for (uint32_t segment = 0; segment < 3; ++segment) {  // one behind the other is lost
            left_.send_all();
            right_.send_all();
            run_turns(20);
        }
        all = all && run_until([this] { return all_received(); });
    }
    EXPECT_EQ(test::AllocationCounter::stop(), 0u);
    EXPECT_TRUE(all);
    EXPECT_EQ(left_.wrong + right_.wrong, 0u);
    EXPECT_TRUE(both_up(connections));
    const TcpCounters& counters = left_.transport.stack().counters();
    EXPECT_GT(counters.retransmitted.value(), 0u);
    EXPECT_GT(counters.timeouts.value() + counters.tail_probes.value(), 0u);
    EXPECT_GT(counters.out_of_order.value(), 0u);
    EXPECT_GT(counters.fast_recoveries.value(), 0u);
}

TEST_F(StackAllocationTest, ConnectionsThatEndAndBegin) {
    set_faults({.loss = 10, .delay_ns = millisecond_ns});
    test::AllocationCounter::start();
    bool all = true;
    for (uint32_t round = 0; round < 5; ++round) {
        left_.close_some(100);
        all = all && run_until([this] { return both_up(connections - 100); });
        connect(100);
        all = all && run_until([this] { return both_up(connections); });
    }
    EXPECT_EQ(test::AllocationCounter::stop(), 0u);
    EXPECT_TRUE(all);
    EXPECT_EQ(refused_, 0u);
    EXPECT_EQ(left_.reset + right_.reset, 0u);
    EXPECT_EQ(right_.transport.stack().counters().accepted.value(), connections + 500u);
}

}  // namespace
}  // namespace sy::tcpip
