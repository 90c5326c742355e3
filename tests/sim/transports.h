// The transports of the simulated parties. A Carrier is either of the two that there are: the byte
// streams of io/sim, or the userspace stack on a port of the simulated wire. RouterTransport is
// what a worker of the router drives, and writes its StreamLogs; PeerTransport is a peer's, whose
// connections end by the faults that were drawn. Single thread, with the network.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/sim/transport.h"
#include "io/tcpip/transport.h"
#include "tests/sim/port_fan.h"
#include "tests/sim/stream_log.h"
#include "tests/sim/wire.h"

namespace sy::sim {

class Network;

class Carrier {
  public:
    Carrier(SimNet& net, const SimOptions& options)
        : streams_(std::make_unique<SimTransport>(net, options)) {}
    Carrier(FanPort& port, const tcpip::StackOptions& options, const Wire& wire)
        : port_(&port),
          stack_(std::make_unique<tcpip::TcpTransport>(port, options)),
          wire_(&wire) {}

    template <TransportHandler H>
    uint32_t poll(Nanos now_ns, H& handler) {
        return streams_ ? streams_->poll(now_ns, handler) : stack_->poll(now_ns, handler);
    }
    void wait(Nanos deadline_ns) {
        streams_ ? streams_->wait(deadline_ns) : stack_->wait(deadline_ns);
    }
    void wake() { streams_ ? streams_->wake() : stack_->wake(); }
    Result<void> listen(const Endpoint& endpoint) {
        return streams_ ? streams_->listen(endpoint) : stack_->listen(on_wire(endpoint));
    }
    void close_listeners() { streams_ ? streams_->close_listeners() : stack_->close_listeners(); }
    Result<ConnId> connect(const Endpoint& endpoint) {
        return streams_ ? streams_->connect(endpoint) : stack_->connect(on_wire(endpoint));
    }
    size_t send(ConnId conn, Octets octets) {
        return streams_ ? streams_->send(conn, octets) : stack_->send(conn, octets);
    }
    void pause(ConnId conn) { streams_ ? streams_->pause(conn) : stack_->pause(conn); }
    void resume(ConnId conn) { streams_ ? streams_->resume(conn) : stack_->resume(conn); }
    void close(ConnId conn) { streams_ ? streams_->close(conn) : stack_->close(conn); }
    void abort(ConnId conn) { streams_ ? streams_->abort(conn) : stack_->abort(conn); }
    [[nodiscard]] uint32_t connections_max() const {
        return streams_ ? streams_->connections_max() : stack_->connections_max();
    }

    /// poll() has something to do without the clock moving.
    [[nodiscard]] bool has_work() const {
        return streams_ ? streams_->has_work() : port_->has_work();
    }
    /// When the last wait() would have ended by itself.
    [[nodiscard]] Nanos wait_until_ns() const {
        return streams_ ? streams_->wait_until_ns() : port_->wait_until_ns();
    }
    /// When poll() has something to do of its own accord; 0: at once.
    [[nodiscard]] Nanos next_event_ns() const {
        return streams_ ? never_ns : stack_->next_event_ns();
    }
    /// Names a connection alike at both of its ends.
    [[nodiscard]] std::string name_of(ConnId conn, bool router_end) const;
    [[nodiscard]] SimTransport* streams() { return streams_.get(); }
    [[nodiscard]] tcpip::TcpTransport* stack() { return stack_.get(); }
    [[nodiscard]] const tcpip::TcpTransport* stack() const { return stack_.get(); }

  private:
    [[nodiscard]] Endpoint on_wire(const Endpoint& endpoint) const {
        return {wire_->address_of(endpoint).address.octets, endpoint.port};
    }

    std::unique_ptr<SimTransport> streams_;
    FanPort* port_ = nullptr;
    std::unique_ptr<tcpip::TcpTransport> stack_;
    const Wire* wire_ = nullptr;
};

class RouterTransport {
  public:
    RouterTransport(Network& network, Carrier carrier)
        : network_(network), carrier_(std::move(carrier)), logs_(carrier_.connections_max()) {}

    template <TransportHandler H>
    uint32_t poll(Nanos now_ns, H& handler) {
        Tap<H> tap{*this, handler, now_ns};
        return carrier_.poll(now_ns, tap);
    }
    void wait(Nanos deadline_ns) { carrier_.wait(deadline_ns); }
    void wake() { carrier_.wake(); }
    Result<void> listen(const Endpoint& endpoint) { return carrier_.listen(endpoint); }
    void close_listeners() { carrier_.close_listeners(); }
    Result<ConnId> connect(const Endpoint& endpoint) { return carrier_.connect(endpoint); }
    size_t send(ConnId conn, Octets octets);
    void pause(ConnId conn) { carrier_.pause(conn); }
    void resume(ConnId conn) { carrier_.resume(conn); }
    void close(ConnId conn);
    void abort(ConnId conn);
    [[nodiscard]] uint32_t connections_max() const { return carrier_.connections_max(); }
    [[nodiscard]] Carrier& carrier() { return carrier_; }
    [[nodiscard]] const Carrier& carrier() const { return carrier_; }

  private:
    template <TransportHandler H>
    struct Tap {
        RouterTransport& transport;
        H& handler;
        Nanos now_ns;

        void on_accepted(ConnId conn, const Endpoint& peer) {
            transport.open_log(conn);
            handler.on_accepted(conn, peer);
        }
        void on_connected(ConnId conn) {
            transport.open_log(conn);
            handler.on_connected(conn);
        }
        size_t on_bytes(ConnId conn, Octets octets) {
            const size_t consumed = handler.on_bytes(conn, octets);
            transport.note_read(conn, now_ns, consumed);
            return consumed;
        }
        void on_writable(ConnId conn) { handler.on_writable(conn); }
        void on_closed(ConnId conn, CloseReason reason) {
            transport.note_end(conn);
            transport.logs_[conn.slot] = {};
            handler.on_closed(conn, reason);
        }
    };
    struct Open {
        uint32_t generation = 0;
        StreamLog* log = nullptr;
    };

    void open_log(ConnId conn);
    void note_read(ConnId conn, Nanos now_ns, size_t octets);
    void note_end(ConnId conn);
    [[nodiscard]] StreamLog* log_of(ConnId conn) {
        const Open& open = logs_[conn.slot];
        return open.generation == conn.generation ? open.log : nullptr;
    }

    Network& network_;
    Carrier carrier_;
    std::vector<Open> logs_;  // by slot
};

class PeerTransport {
  public:
    PeerTransport(Network& network, Carrier carrier)
        : network_(network), carrier_(std::move(carrier)), faults_(carrier_.connections_max()) {}

    template <TransportHandler H>
    uint32_t poll(Nanos now_ns, H& handler) {
        return carrier_.poll(now_ns, handler);
    }
    /// At the end of a turn: what was taken goes out.
    void settle() {
        if (carrier_.stack() != nullptr) {
            carrier_.wait(never_ns);
        }
    }
    Result<void> listen(const Endpoint& endpoint) { return carrier_.listen(endpoint); }
    void close_listeners() { carrier_.close_listeners(); }
    Result<ConnId> connect(const Endpoint& endpoint) { return carrier_.connect(endpoint); }
    /// The connection is up: the faults that will end it are drawn.
    void up(ConnId conn);
    size_t send(ConnId conn, Octets octets);
    void pause(ConnId conn) { carrier_.pause(conn); }
    void resume(ConnId conn) { carrier_.resume(conn); }
    void close(ConnId conn) { carrier_.close(conn); }
    void abort(ConnId conn) { carrier_.abort(conn); }
    [[nodiscard]] bool has_work() const { return carrier_.has_work(); }
    [[nodiscard]] Nanos next_event_ns() const { return carrier_.next_event_ns(); }
    /// When a fault or the router ended the connection; never_ns while neither has.
    [[nodiscard]] Nanos cut_ns(ConnId conn);
    [[nodiscard]] std::string name_of(ConnId conn) const { return carrier_.name_of(conn, false); }
    [[nodiscard]] Carrier& carrier() { return carrier_; }

  private:
    // Byte streams are cut by their network; here the same is done to connections of a stack.
    struct Fault {
        uint32_t generation = 0;
        Cut cut = Cut::rst;
        uint64_t after = never_ns;  // octets that still leave
        uint64_t sent = 0;
        Nanos cut_ns = never_ns;
    };
    [[nodiscard]] Fault* fault_of(ConnId conn) {
        Fault& fault = faults_[conn.slot];
        return fault.generation == conn.generation ? &fault : nullptr;
    }

    Network& network_;
    Carrier carrier_;
    std::vector<Fault> faults_;  // by slot
};

}  // namespace sy::sim
