// The userspace stack behind the transport concept (core/engine/transport.h): one instance a worker
// and packet port, everything from that worker's thread but wake().
//
// The handler gets octets where they lie in the received frame; what it does not take is copied
// aside and offered again. What it sends is copied once into the stack's chunks; segments are cut
// from there at the beginning of the next turn, so that all answers of a turn to one peer share
// segments, and acknowledgements ride on them.
#pragma once

#include "core/engine/transport.h"
#include "io/tcpip/stack.h"

namespace sy::tcpip {

class TcpTransport {
  public:
    TcpTransport(PacketPort& port, const StackOptions& options)
        : port_(port), stack_(port, options) {}

    template <TransportHandler H>
    uint32_t poll(Nanos now_ns, H& handler);
    /// Sends what is pending, then waits as the port can: a device that has to be polled is asked
    /// again after a moment, whatever the deadline.
    void wait(Nanos deadline_ns) {
        stack_.send_pending();
        const Nanos own = stack_.next_event_ns();
        port_.wait(own < deadline_ns ? own : deadline_ns);
    }
    void wake() { port_.wake(); }

    Result<void> listen(const Endpoint& endpoint) { return stack_.listen(endpoint); }
    void close_listeners() { stack_.close_listeners(); }
    Result<ConnId> connect(const Endpoint& endpoint) { return stack_.connect(endpoint); }
    size_t send(ConnId conn, Octets octets) { return stack_.send(conn, octets); }
    void expect(ConnId conn) const { stack_.prefetch_connection(conn.slot); }
    void pause(ConnId conn) { stack_.pause(conn); }
    void resume(ConnId conn) { stack_.resume(conn); }
    void close(ConnId conn) { stack_.close(conn); }
    void abort(ConnId conn) { stack_.abort(conn); }
    [[nodiscard]] uint32_t connections_max() const { return stack_.connections_max(); }

    /// When poll() has something to do if no frame comes; 0: at once.
    [[nodiscard]] Nanos next_event_ns() const { return stack_.next_event_ns(); }
    [[nodiscard]] uint32_t connections_used() const { return stack_.connections_used(); }
    [[nodiscard]] const Stack& stack() const { return stack_; }
    void check_invariants() const { stack_.check_invariants(); }

  private:
    template <TransportHandler H>
    uint32_t deliver(H& handler);
    template <TransportHandler H>
    uint32_t deliver_bytes(const StackEvent& event, H& handler);
    template <TransportHandler H>
    uint32_t serve_ready(H& handler);
    template <TransportHandler H>
    uint32_t deliver_dead(H& handler);

    PacketPort& port_;
    Stack stack_;
};

template <TransportHandler H>
uint32_t TcpTransport::poll(Nanos now_ns, H& handler) {
    stack_.start_turn(now_ns);
    stack_.send_pending();
    // One burst a turn: what it brings is answered before more is taken. With four, two ends took
    // turns instead of working at the same time (memif, two cores: 27 to 57 % fewer messages).
    uint32_t handled = stack_.receive();
    handled += deliver(handler);
    stack_.release();
    stack_.run_timers();
    handled += deliver(handler);
    handled += serve_ready(handler);
    handled += deliver_dead(handler);
    stack_.flush();  // what was answered at once: handshakes, resets, duplicates
    return handled;
}

template <TransportHandler H>
uint32_t TcpTransport::deliver(H& handler) {
    // By index: handlers may not add events, but they may end connections.
    for (size_t i = 0; i < stack_.events().size(); ++i) {
        const StackEvent& event = stack_.events()[i];
        if constexpr (Expects<H>) {
            constexpr size_t ahead = 4;
            if (i + ahead < stack_.events().size()) {
                const StackEvent& later = stack_.events()[i + ahead];
                handler.expect({later.slot, later.generation});
            }
        }
        if (!stack_.deliverable(event)) {
            continue;
        }
        switch (event.kind) {
            case StackEvent::Kind::accepted:
                handler.on_accepted(stack_.id_of(event.slot), stack_.peer_of(event.slot));
                break;
            case StackEvent::Kind::connected:
                handler.on_connected(stack_.id_of(event.slot));
                if (stack_.deliverable(event) && stack_.take_writable(event.slot)) {
                    handler.on_writable(stack_.id_of(event.slot));
                }
                break;
            [[likely]] case StackEvent::Kind::bytes:
                deliver_bytes(event, handler);
                break;
            case StackEvent::Kind::writable:
                if (stack_.take_writable(event.slot)) {
                    handler.on_writable(stack_.id_of(event.slot));
                }
                break;
            case StackEvent::Kind::finished:
                stack_.set_ready(event.slot);  // behind what is kept
                break;
        }
    }
    return static_cast<uint32_t>(stack_.events().size());
}

template <TransportHandler H>
uint32_t TcpTransport::deliver_bytes(const StackEvent& event, H& handler) {
    Connection& connection = stack_.at(event.slot);
    if (event.data.empty() || connection.cut) {
        return 0;  // joined what is kept; or went with it
    }
    if (connection.paused || connection.keeps) {
        stack_.keep(event.slot, event.data);
        return 0;
    }
    const size_t consumed = handler.on_bytes(stack_.id_of(event.slot), event.data);
    SY_ASSERT(consumed <= event.data.size());
    if (consumed < event.data.size() && stack_.deliverable(event)) {
        stack_.keep(event.slot, event.data.subspan(consumed));
        stack_.set_ready(event.slot);
    }
    return 1;
}

/// Offers what is kept, one piece a connection and turn; then the end of the stream.
template <TransportHandler H>
uint32_t TcpTransport::serve_ready(H& handler) {
    uint32_t handled = 0;
    for (uint32_t left = stack_.ready().size(); left > 0; --left) {
        const uint32_t slot = stack_.ready().pop();
        Connection& connection = stack_.at(slot);
        connection.ready_queued = false;
        if (connection.owner != Owner::open) {
            continue;
        }
        const ConnId conn = stack_.id_of(slot);
        if (stack_.take_writable(slot)) {
            handler.on_writable(conn);
            ++handled;
        }
        if (connection.owner != Owner::open || connection.paused) {
            continue;
        }
        if (connection.keeps) {
            const Octets octets = stack_.kept(slot);
            const size_t consumed = handler.on_bytes(conn, octets);
            SY_ASSERT(consumed <= octets.size());
            ++handled;
            if (connection.owner != Owner::open || connection.generation != conn.generation ||
                connection.state == TcpState::free) {
                continue;  // the handler ended it
            }
            stack_.drop_kept(slot, consumed);
        }
        if (connection.paused) {
            continue;
        }
        if (connection.keeps) {
            stack_.set_ready(slot);
        } else if (connection.peer_fin) {
            stack_.finish(slot);
        }
    }
    return handled;
}

template <TransportHandler H>
uint32_t TcpTransport::deliver_dead(H& handler) {
    uint32_t handled = 0;
    for (uint32_t left = stack_.dead().size(); left > 0; --left) {
        const uint32_t slot = stack_.dead().pop();
        const ConnId conn = stack_.id_of(slot);
        handler.on_closed(conn, stack_.take_dead(slot));
        stack_.forget(slot);
        ++handled;
    }
    return handled;
}

}  // namespace sy::tcpip
