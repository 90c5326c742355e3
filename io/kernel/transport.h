// Kernel TCP sockets behind the transport concept (core/engine/transport.h): one epoll set, one
// instance a worker, everything from that worker's thread but wake().
//
// System calls of a busy turn: one epoll_wait, one recv a readable connection, one send a
// connection with output. Sockets are registered once, edge-triggered for both directions; what is
// readable is remembered here, so pause(), resume() and a full socket cost no system call.
//
// Not here: sessions, framing, timers of SMPP, names (Endpoint is numeric).
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <sys/epoll.h>
#include <vector>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/base/slot_queue.h"
#include "core/base/time.h"
#include "core/engine/transport.h"
#include "io/kernel/socket.h"

namespace sy::kernel {

struct KernelOptions {
    uint32_t connections_max = 16'384;
    uint32_t instances = 1;           // in this process: the open files limit is shared
    uint32_t read_bytes = 64 * 1024;  // most that one connection is read in one poll (fairness)
    uint32_t kept_blocks = 64;  // connections whose unconsumed octets are held here; more of them
                                // stay in the kernel's buffer and cost a second recv
    Nanos close_linger_ns = second_ns;          // close(): how long the peer may take to close
    Nanos connect_timeout_ns = 10 * second_ns;  // the kernel's own takes two minutes
    SocketOptions socket;
};

/// Counters for the metrics; written by the worker, read by anyone (a stale value is fine).
struct KernelCounters {
    std::atomic<uint64_t> accepted{0};
    std::atomic<uint64_t> refused_slots{0};  // reset at once: connections_max reached
    std::atomic<uint64_t> refused_files{0};  // reset at once: open files limit reached
    std::atomic<uint64_t> accept_errors{0};  // anything else; accepting pauses a moment
    std::atomic<uint64_t> reads{0};          // recv calls that brought octets
    std::atomic<uint64_t> reads_empty{0};    // recv calls that brought none
    std::atomic<uint64_t> sends{0};
    std::atomic<uint64_t> sends_short{0};
};

class KernelTransport {
  public:
    /// Allocates everything that the message path uses.
    static Result<std::unique_ptr<KernelTransport>> create(const KernelOptions& options);
    ~KernelTransport();
    KernelTransport(const KernelTransport&) = delete;
    KernelTransport& operator=(const KernelTransport&) = delete;

    template <TransportHandler H>
    uint32_t poll(Nanos now_ns, H& handler);
    void wait(Nanos deadline_ns);
    void wake();

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

    /// Where listener `index` (in order of listen()) really listens: port 0 is replaced.
    [[nodiscard]] Endpoint listener_endpoint(size_t index) const;
    /// Empty, or what the operator should know: connections_max that cannot be met.
    [[nodiscard]] const std::string& warning() const { return warning_; }
    [[nodiscard]] const KernelCounters& counters() const { return counters_; }

  private:
    static constexpr uint32_t none = 0xFFFFFFFF;
    static constexpr uint32_t events_max = 256;

    enum class State : uint8_t {
        free,
        connecting,  // waits for the outcome of connect(2)
        open,
        closing,  // FIN sent, reading and discarding until the peer's
        dead,     // socket is gone, on_closed is due
    };

    struct Connection {
        int fd = -1;
        uint32_t generation = 0;
        State state = State::free;
        CloseReason reason{};  // State::dead
        bool paused = false;
        bool readable = false;       // the socket may hold octets (edge seen, not yet drained)
        bool hangup = false;         // FIN or error seen: read until recv says so
        bool failed = false;         // an error was seen: the end is a reset, not a FIN
        bool want_write = false;     // send() fell short
        bool queued = false;         // stands in ready_
        uint32_t kept_block = none;  // unconsumed octets: [kept_begin, kept_end) of the block
        uint32_t kept_begin = 0;
        uint32_t kept_end = 0;
        uint32_t timer_prev = none;
        uint32_t timer_next = none;
        Nanos deadline_ns = 0;
    };

    // Connections with the same time-out, in order of deadline.
    struct TimerList {
        uint32_t head = none;
        uint32_t tail = none;
    };

    enum class Read : uint8_t { octets, nothing, end };
    struct ReadResult {
        Read kind = Read::nothing;
        Octets octets;
        bool peeked = false;  // octets still stand in the socket
    };

    struct Listener {
        Fd fd;
        Endpoint endpoint;
    };

    explicit KernelTransport(const KernelOptions& options);
    Result<void> open();

    // Non-template parts of poll().
    void fetch_events();
    void drain_wake();
    void note_event(Connection& connection, uint32_t slot, uint32_t events);
    bool finish_connect(uint32_t slot);
    ConnId accept_one(Listener& listener, Endpoint& peer);
    bool accept_failed(Listener& listener, int error);
    void pause_accepting();
    void resume_accepting();
    ReadResult read(Connection& connection);
    void discard(uint32_t slot);
    void keep(Connection& connection, const ReadResult& from, size_t consumed);
    void expire(Nanos now_ns);

    template <TransportHandler H>
    uint32_t dispatch_event(const epoll_event& event, H& handler);
    template <TransportHandler H>
    uint32_t accept_burst(Listener& listener, H& handler);
    template <TransportHandler H>
    uint32_t serve(uint32_t slot, H& handler);
    template <TransportHandler H>
    uint32_t offer_kept(uint32_t slot, H& handler);
    template <TransportHandler H>
    uint32_t deliver_closed(H& handler);

    [[nodiscard]] Connection* find(ConnId conn);
    [[nodiscard]] ConnId id_of(uint32_t slot) const {
        return {slot, connections_[slot].generation};
    }
    [[nodiscard]] uint32_t take_slot(int fd, State state);
    void set_ready(uint32_t slot);
    void kill(uint32_t slot, CloseReason reason);
    void release_kept(Connection& connection);
    [[nodiscard]] TimerList& timers_of(State state);
    void start_timer(uint32_t slot, Nanos deadline_ns);
    void stop_timer(uint32_t slot);
    [[nodiscard]] Nanos next_deadline() const;

    KernelOptions options_;
    KernelCounters counters_;
    std::string warning_;
    Fd epoll_;
    Fd wake_event_;
    Fd reserve_;  // given up for a moment to refuse a connection when files run out
    std::vector<Listener> listeners_;
    std::vector<Connection> connections_;
    std::vector<uint32_t> free_slots_;
    std::vector<uint32_t> free_blocks_;
    std::unique_ptr<uint8_t[]> blocks_;
    std::unique_ptr<uint8_t[]> scratch_;
    SlotQueue ready_;  // to be read
    SlotQueue dead_;   // on_closed is due
    TimerList connecting_timers_;
    TimerList closing_timers_;
    std::array<epoll_event, events_max> events_{};
    uint32_t event_count_ = 0;  // fetched by wait(), not yet dispatched
    Nanos now_ns_ = 0;
    Nanos accept_again_ns_ = 0;  // not 0: accepting is paused until then

    // wake() to sleep handshake. Waker: wake_requested_ = true, then reads sleeping_. Sleeper:
    // sleeping_ = true, then reads wake_requested_. Both sides sequentially consistent, so at least
    // one sees the other's store. Own line: other workers write it.
    alignas(limits::cache_line_bytes) std::atomic<bool> wake_requested_{false};
    std::atomic<bool> sleeping_{false};
};

namespace detail {
// epoll_event.data: generation and slot, or one of these in the slot's place.
inline constexpr uint32_t listener_base = 0xF0000000;
inline constexpr uint32_t wake_token = 0xFFFFFFFE;
}  // namespace detail

template <TransportHandler H>
uint32_t KernelTransport::poll(Nanos now_ns, H& handler) {
    now_ns_ = now_ns;
    if (event_count_ == 0) {
        fetch_events();
    }
    uint32_t handled = 0;
    const uint32_t events = std::exchange(event_count_, 0);
    for (uint32_t i = 0; i < events; ++i) {
        handled += dispatch_event(events_[i], handler);
    }
    for (uint32_t left = ready_.size(); left > 0; --left) {
        handled += serve(ready_.pop(), handler);
    }
    expire(now_ns);
    return handled + deliver_closed(handler);
}

template <TransportHandler H>
uint32_t KernelTransport::dispatch_event(const epoll_event& event, H& handler) {
    const auto slot = static_cast<uint32_t>(event.data.u64);
    if (slot == detail::wake_token) {
        drain_wake();
        return 0;
    }
    if (slot >= detail::listener_base) {
        const uint32_t index = slot - detail::listener_base;
        return index < listeners_.size() ? accept_burst(listeners_[index], handler) : 0;
    }
    Connection& connection = connections_[slot];
    if (connection.generation != static_cast<uint32_t>(event.data.u64 >> 32)) {
        return 0;  // of a connection that is gone
    }
    uint32_t handled = 0;
    if (connection.state == State::connecting) {
        if (!finish_connect(slot)) {
            return 0;
        }
        handler.on_connected(id_of(slot));
        ++handled;
    }
    note_event(connection, slot, event.events);
    if ((event.events & EPOLLOUT) != 0 && connection.want_write &&
        connection.state == State::open) {
        connection.want_write = false;
        handler.on_writable(id_of(slot));
        ++handled;
    }
    return handled;
}

template <TransportHandler H>
uint32_t KernelTransport::accept_burst(Listener& listener, H& handler) {
    // Level-triggered: what is left waits for the next poll, behind the traffic of this one.
    constexpr uint32_t accepts_max = 64;
    uint32_t handled = 0;
    for (uint32_t i = 0; i < accepts_max && listener.fd.valid(); ++i) {
        Endpoint peer;
        const ConnId conn = accept_one(listener, peer);
        if (!conn.valid()) {
            break;
        }
        handler.on_accepted(conn, peer);
        ++handled;
    }
    return handled;
}

template <TransportHandler H>
uint32_t KernelTransport::serve(uint32_t slot, H& handler) {
    Connection& connection = connections_[slot];
    connection.queued = false;
    if (connection.state == State::closing) {
        discard(slot);
        return 0;
    }
    if (connection.state != State::open || connection.paused) {
        return 0;
    }
    uint32_t handled = 0;
    if (connection.kept_block != none) {
        handled = offer_kept(slot, handler);
        if (connection.state != State::open || connection.kept_block != none) {
            return handled;
        }
    }
    if (!connection.readable || connection.paused) {
        return handled;
    }
    const ReadResult got = read(connection);
    if (got.kind == Read::end) {
        kill(slot, connection.failed ? CloseReason::peer_reset : CloseReason::peer_closed);
        return handled;
    }
    if (got.kind == Read::octets) {
        const size_t consumed = handler.on_bytes(id_of(slot), got.octets);
        SY_ASSERT(consumed <= got.octets.size());
        ++handled;
        if (connection.state == State::open) {
            keep(connection, got, consumed);
        }
    }
    if (connection.state == State::open && (connection.readable || connection.kept_block != none)) {
        set_ready(slot);
    }
    return handled;
}

template <TransportHandler H>
uint32_t KernelTransport::offer_kept(uint32_t slot, H& handler) {
    Connection& connection = connections_[slot];
    const uint8_t* block = blocks_.get() + size_t{connection.kept_block} * options_.read_bytes;
    const Octets octets(block + connection.kept_begin, connection.kept_end - connection.kept_begin);
    const size_t consumed = handler.on_bytes(id_of(slot), octets);
    SY_ASSERT(consumed <= octets.size());
    if (connection.state != State::open) {
        return 1;  // the handler closed it, which gave the block back
    }
    connection.kept_begin += static_cast<uint32_t>(consumed);
    if (connection.kept_begin == connection.kept_end) {
        release_kept(connection);
    } else {
        set_ready(slot);
    }
    return 1;
}

template <TransportHandler H>
uint32_t KernelTransport::deliver_closed(H& handler) {
    uint32_t handled = 0;
    for (uint32_t left = dead_.size(); left > 0; --left) {
        const uint32_t slot = dead_.pop();
        Connection& connection = connections_[slot];
        SY_DCHECK(connection.state == State::dead);
        handler.on_closed(id_of(slot), connection.reason);
        connection.state = State::free;
        free_slots_.push_back(slot);
        ++handled;
    }
    return handled;
}

}  // namespace sy::kernel
