// A transport over a packet port that is as simple as TCP can be: one segment in flight, nothing
// kept out of order, a constant timeout. It exists to test the test machinery (the script runner
// and the two-stack simulation), which must pass with it and must fail with its planted faults.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/engine/transport.h"
#include "io/sim/packet.h"
#include "io/tcpip/port.h"

namespace sy::test {

enum class ToyFault : uint8_t {
    none,
    wrong_octet,    // delivers one octet of 5,000 wrong
    double_octet,   // takes a segment that it had already
    leak,           // forgets a received frame now and then
    never_closes,   // does not report the end of every 8th connection
    stuck,          // stops retransmitting for good now and then
    wrong_checksum  // sends one segment of 50 with a checksum that is wrong
};

struct ToyOptions {
    tcpip::IpAddress ipv4;
    tcpip::IpAddress ipv6;
    uint32_t connections_max = 64;
    Nanos retransmit_ns = 200 * millisecond_ns;
    uint32_t retries_max = 30;
    uint32_t segment_bytes_max = 536;
    uint32_t initial_sequence = 5000;
    ToyFault fault = ToyFault::none;
};

class ToyTransport {
  public:
    ToyTransport(tcpip::PacketPort& port, const ToyOptions& options);

    template <TransportHandler H>
    uint32_t poll(Nanos now_ns, H& handler) {
        now_ns_ = now_ns;
        dirty_ = false;
        receive();
        run_timers();
        uint32_t handled = 0;
        for (uint32_t slot = 0; slot < connections_.size(); ++slot) {
            handled += deliver(slot, handler);
        }
        for (Connection& connection : connections_) {
            output(connection);
        }
        return handled;
    }
    void wait(Nanos) {}
    void wake() {}
    Result<void> listen(const Endpoint& endpoint);
    void close_listeners() { listeners_.clear(); }
    Result<ConnId> connect(const Endpoint& endpoint);
    size_t send(ConnId conn, Octets octets);
    void pause(ConnId conn);
    void resume(ConnId conn);
    void close(ConnId conn);
    void abort(ConnId conn);
    [[nodiscard]] uint32_t connections_max() const { return options_.connections_max; }
    [[nodiscard]] uint32_t connections_used() const;
    [[nodiscard]] Nanos next_event_ns() const;
    void check_invariants() const;

  private:
    enum class State : uint8_t { free, syn_sent, syn_received, open, time_wait, dead };

    struct Connection {
        uint32_t slot = 0;
        uint32_t generation = 0;
        State state = State::free;
        tcpip::IpAddress peer{};
        tcpip::Mac mac{};
        uint16_t peer_port = 0;
        uint16_t local_port = 0;
        uint32_t una = 0;  // oldest octet that is not acknowledged
        uint32_t nxt = 0;  // behind the newest that was sent
        uint32_t rcv_nxt = 0;
        uint32_t peer_window = 0;
        std::string out{};  // from una (behind the SYN)
        std::string in{};   // not consumed yet
        bool mac_known = false;
        bool active = false;  // ours by connect()
        bool up = false;      // announced
        bool announce = false;
        bool app_gone = false;
        bool closing = false;
        bool fin_wanted = false;
        bool fin_acked = false;
        bool peer_fin = false;
        bool paused = false;
        bool want_write = false;
        bool ack_due = false;
        uint32_t retries = 0;
        Nanos deadline_ns = no_deadline;
        Nanos linger_ns = no_deadline;
        std::optional<CloseReason> closed{};  // on_closed is due
    };
    static constexpr Nanos no_deadline = ~Nanos{0};
    static constexpr size_t buffer_bytes = 32 * 1024;

    template <TransportHandler H>
    uint32_t deliver(uint32_t slot, H& handler);
    template <TransportHandler H>
    uint32_t offer(Connection& connection, H& handler);

    Connection* find(ConnId conn);
    Connection* find(const sim::Packet& packet);
    Connection* take_slot();
    [[nodiscard]] static ConnId id(const Connection& connection) {
        return {connection.slot, connection.generation};
    }
    void receive();
    void take_frame(Octets frame);
    void segment(Octets frame, const sim::Packet& packet);
    void accept(Octets frame, const sim::Packet& packet);
    void answer_syn_sent(Connection& connection, const sim::Packet& packet);
    void take_ack(Connection& connection, const sim::Packet& packet);
    void take_payload(Connection& connection, Octets frame, const sim::Packet& packet);
    void finish_if_done(Connection& connection);
    void end(Connection& connection, CloseReason reason);
    void run_timers();
    void output(Connection& connection);
    void send_unit(Connection& connection);
    void transmit(const Connection& connection, uint8_t flags, uint32_t seq, Octets payload);
    void reset(Octets frame, const sim::Packet& packet);
    template <class Write>
    void put(Write write);

    tcpip::PacketPort& port_;
    ToyOptions options_;
    Nanos now_ns_ = 0;
    bool dirty_ = false;  // something was called since the last poll
    std::vector<Connection> connections_;
    std::vector<Endpoint> listeners_;
    uint16_t next_port_ = 50'000;
    uint64_t faults_ = 0;  // counts towards the next planted one
};

template <TransportHandler H>
uint32_t ToyTransport::deliver(uint32_t slot, H& handler) {
    Connection& connection = connections_[slot];
    uint32_t handled = 0;
    if (connection.announce) {
        connection.announce = false;
        connection.up = true;
        ++handled;
        if (connection.active) {
            handler.on_connected(id(connection));
        } else {
            Endpoint peer{.address = connection.peer.octets, .port = connection.peer_port};
            handler.on_accepted(id(connection), peer);
        }
    }
    if (connection.up && !connection.app_gone && !connection.closing) {
        handled += offer(connection, handler);
    }
    if (connection.want_write && connection.state == State::open && !connection.app_gone &&
        !connection.closing && connection.out.size() < buffer_bytes) {
        connection.want_write = false;
        ++handled;
        handler.on_writable(id(connection));
    }
    if (connection.closed && !connection.app_gone) {
        connection.app_gone = true;
        const bool told = options_.fault != ToyFault::never_closes || ++faults_ % 8 != 0;
        if (told && (connection.up || connection.active)) {
            ++handled;
            handler.on_closed(id(connection), *connection.closed);
        }
    }
    finish_if_done(connection);
    return handled;
}

template <TransportHandler H>
uint32_t ToyTransport::offer(Connection& connection, H& handler) {
    uint32_t handled = 0;
    if (!connection.in.empty() && !connection.paused) {
        if (options_.fault == ToyFault::wrong_octet && ++faults_ % 100 == 0) {
            connection.in[0] = static_cast<char>(~connection.in[0]);
        }
        ++handled;
        const uint32_t generation = connection.generation;
        const bool was_full = connection.in.size() + options_.segment_bytes_max > buffer_bytes;
        const size_t consumed = handler.on_bytes(id(connection), as_octets(connection.in));
        if (generation != connection.generation || connection.app_gone) {
            return handled;
        }
        connection.in.erase(0, consumed);
        connection.ack_due |= was_full && consumed > 0;
    }
    if (connection.peer_fin && connection.in.empty() && !connection.closing &&
        connection.state == State::open && !connection.closed) {
        connection.closed = CloseReason::peer_closed;
        connection.fin_wanted = true;
    }
    return handled;
}

}  // namespace sy::test
