// One instance of the transport concept (core/engine/transport.h) over a SimNet: of a simulated
// worker of the router, or of a simulated peer. Single thread, with the network.
//
// poll() must be called with the network's own time. wait() does not sleep: it leaves the deadline
// for whoever moves the clock (wait_until_ns()).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/engine/transport.h"
#include "io/sim/net.h"

namespace sy::sim {

struct SimOptions {
    uint32_t connections_max = 1024;
    Endpoint address;  // where its connections come from; ports are chosen
    Nanos close_linger_ns = second_ns;
};

class SimTransport {
  public:
    SimTransport(SimNet& net, const SimOptions& options);
    ~SimTransport();
    SimTransport(const SimTransport&) = delete;
    SimTransport& operator=(const SimTransport&) = delete;

    template <TransportHandler H>
    uint32_t poll(Nanos now_ns, H& handler);
    void wait(Nanos deadline_ns);
    void wake() { woken_ = true; }

    Result<void> listen(const Endpoint& endpoint);
    void close_listeners();
    Result<ConnId> connect(const Endpoint& endpoint);
    size_t send(ConnId conn, Octets octets);
    void pause(ConnId conn);
    void resume(ConnId conn);
    void close(ConnId conn);
    void abort(ConnId conn);
    [[nodiscard]] uint32_t connections_max() const {
        return static_cast<uint32_t>(connections_.size());
    }

    /// poll() has something to do without the clock moving.
    [[nodiscard]] bool has_work() const { return !ready_.empty() || !dead_.empty() || woken_; }
    /// When the last wait() would have ended by itself.
    [[nodiscard]] Nanos wait_until_ns() const { return wait_until_ns_; }
    /// A fault by hand: nothing that is sent here from now on arrives.
    void sever(ConnId conn, Cut cut);
    /// When a fault ended the link; never_ns while none has. Peers do not know; checkers do.
    [[nodiscard]] Nanos cut_ns(ConnId conn);
    /// Of the network, the same at both ends; 0 for a connection that is gone.
    [[nodiscard]] uint64_t link_id(ConnId conn);
    /// Connections that are not free: 0 when everybody has gone.
    [[nodiscard]] uint32_t connections_used() const {
        return connections_max() - static_cast<uint32_t>(free_slots_.size());
    }

    static constexpr uint32_t none = 0xFFFFFFFF;

  private:
    friend class SimNet;

    enum class State : uint8_t { free, connecting, open, closing, dead };
    enum class Announce : uint8_t { nothing, accepted, connected };

    struct Connection {
        uint32_t generation = 0;
        State state = State::free;
        CloseReason reason{};
        Announce announce = Announce::nothing;
        uint64_t link = 0;
        uint8_t end = 0;
        bool paused = false;
        bool want_write = false;
        bool writable = false;  // on_writable is due
        bool queued = false;
    };

    // Called by the network.
    uint32_t on_syn(SimNet::Link& link);
    void on_connect_done(uint32_t slot);
    void on_connect_failed(uint32_t slot, CloseReason reason);
    void on_credit(uint32_t slot);
    void on_linger(uint32_t slot);
    void on_reset(uint32_t slot);
    void set_ready(uint32_t slot);

    template <TransportHandler H>
    uint32_t serve(uint32_t slot, H& handler);
    template <TransportHandler H>
    uint32_t announce(uint32_t slot, H& handler);
    template <TransportHandler H>
    uint32_t deliver_closed(H& handler);

    [[nodiscard]] Octets offer(const Connection& connection);
    void take(uint32_t slot, size_t consumed);
    void discard(uint32_t slot);
    [[nodiscard]] bool ended(uint32_t slot);
    [[nodiscard]] Connection* find(ConnId conn);
    [[nodiscard]] SimNet::Link& link_of(const Connection& connection);
    [[nodiscard]] ConnId id_of(uint32_t slot) const {
        return {slot, connections_[slot].generation};
    }
    uint32_t take_slot(State state);
    void kill(uint32_t slot, CloseReason reason);

    SimNet& net_;
    SimOptions options_;
    std::vector<Connection> connections_;
    std::vector<uint32_t> free_slots_;
    std::vector<uint32_t> ready_;
    std::vector<uint32_t> dead_;
    std::vector<Endpoint> listeners_;
    uint16_t next_port_ = 30'000;
    bool woken_ = false;
    Nanos wait_until_ns_ = never_ns;
};

template <TransportHandler H>
uint32_t SimTransport::poll(Nanos now_ns, H& handler) {
    SY_ASSERT(now_ns == net_.now_ns());
    uint32_t handled = 0;
    const std::vector<uint32_t> turn = std::exchange(ready_, {});
    for (const uint32_t slot : turn) {
        connections_[slot].queued = false;
    }
    for (const uint32_t slot : turn) {
        handled += announce(slot, handler);
        handled += serve(slot, handler);
    }
    return handled + deliver_closed(handler);
}

template <TransportHandler H>
uint32_t SimTransport::announce(uint32_t slot, H& handler) {
    Connection& connection = connections_[slot];
    if (connection.state != State::open) {
        return 0;
    }
    uint32_t handled = 0;
    switch (std::exchange(connection.announce, Announce::nothing)) {
        case Announce::nothing:
            break;
        case Announce::accepted:
            ++handled;
            handler.on_accepted(id_of(slot), link_of(connection).from);
            break;
        case Announce::connected:
            ++handled;
            handler.on_connected(id_of(slot));
            break;
    }
    if (connection.state == State::open && std::exchange(connection.writable, false)) {
        connection.want_write = false;
        ++handled;
        handler.on_writable(id_of(slot));
    }
    return handled;
}

template <TransportHandler H>
uint32_t SimTransport::serve(uint32_t slot, H& handler) {
    Connection& connection = connections_[slot];
    if (connection.state == State::closing) {
        discard(slot);
        return 0;
    }
    if (connection.state != State::open || connection.paused) {
        return 0;
    }
    uint32_t handled = 0;
    if (const Octets octets = offer(connection); !octets.empty()) {
        const size_t consumed = handler.on_bytes(id_of(slot), octets);
        SY_ASSERT(consumed <= octets.size());
        ++handled;
        if (connection.state != State::open) {
            return handled;  // the handler ended it
        }
        take(slot, consumed);
    }
    if (!connection.paused && ended(slot)) {
        const bool reset = link_of(connection).ends[connection.end].reset;
        kill(slot, reset ? CloseReason::peer_reset : CloseReason::peer_closed);
    }
    return handled;
}

template <TransportHandler H>
uint32_t SimTransport::deliver_closed(H& handler) {
    const std::vector<uint32_t> turn = std::exchange(dead_, {});
    for (const uint32_t slot : turn) {
        handler.on_closed(id_of(slot), connections_[slot].reason);
        connections_[slot].state = State::free;
        free_slots_.push_back(slot);
    }
    return static_cast<uint32_t>(turn.size());
}

}  // namespace sy::sim
