// The transport concept: what the engine's driver needs of a network, met alike by kernel sockets
// (io/kernel), the userspace stack (io/tcpip) and the simulator (io/sim). One instance a worker;
// every call comes from that worker's thread, but wake(), which any thread may call.
//
// Data flow of one turn: poll() calls the handler for what arrived; the handler borrows the octets
// for the duration of the call; what it does not consume stays with the transport and is offered
// again after resume(). The driver then sends each connection's output once, so that many PDUs
// share a system call or a segment.
#pragma once

#include <concepts>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/endpoint.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace sy {

/// A connection of one transport. `slot` is dense (0 .. connections_max - 1) and may index arrays;
/// `generation` tells a reused slot from the connection that had it before.
struct ConnId {
    uint32_t slot = 0xFFFFFFFF;
    uint32_t generation = 0;

    [[nodiscard]] bool valid() const { return slot != 0xFFFFFFFF; }
    friend bool operator==(const ConnId&, const ConnId&) = default;
};

enum class CloseReason : uint8_t {
    peer_closed,      // orderly end of the peer's stream
    peer_reset,       // RST, or an error on an established connection
    connect_refused,  // our connect() met a RST
    connect_failed,   // our connect() timed out or had no route
    local,            // our close() or abort() is complete
};

// clang-format off
template <class H>
concept TransportHandler =
    requires(H& handler, ConnId conn, const Endpoint& peer, Octets octets, CloseReason reason) {
        /// A peer connected to `local` listener port. Octets may follow in the same poll().
        { handler.on_accepted(conn, peer) };
        /// Our connect() succeeded.
        { handler.on_connected(conn) };
        /// In-order octets; returns how many were consumed. Fewer than offered: the rest is kept and
        /// the handler must call pause() meanwhile or be offered them again at the next poll().
        { handler.on_bytes(conn, octets) } -> std::same_as<size_t>;
        /// send() took less than offered before and can take more now.
        { handler.on_writable(conn) };
        /// The connection is gone; the ConnId is invalid from here on. Called exactly once for every
        /// accepted connection and every successful connect() call, also after close() and abort().
        { handler.on_closed(conn, reason) };
    };

/// A handler with expect(conn) is told of the connections that have octets in this poll() some
/// events before it gets them, and asks for what it will touch. A transport with expect(conn) likes
/// to be told of a send() that follows soon.
template <class X>
concept Expects = requires(X& x, ConnId conn) {
    { x.expect(conn) } -> std::same_as<void>;
};

template <class T, class H>
concept Transport = TransportHandler<H> &&
    requires(T& transport, H& handler, ConnId conn, const Endpoint& endpoint, Octets octets, Nanos t) {
        /// Hands what has arrived to the handler, bounded work, never blocks; number of events.
        { transport.poll(t, handler) } -> std::same_as<uint32_t>;
        /// Sleeps until something arrives, wake() is called or `t` (monotonic) is reached.
        { transport.wait(t) } -> std::same_as<void>;
        /// Ends a wait() of another thread, or makes the next one return at once.
        { transport.wake() } -> std::same_as<void>;
        { transport.listen(endpoint) } -> std::same_as<Result<void>>;
        { transport.close_listeners() } -> std::same_as<void>;
        /// Starts a connect; the outcome comes by on_connected or on_closed. Errors: no slot, no port.
        { transport.connect(endpoint) } -> std::same_as<Result<ConnId>>;
        /// Takes octets for sending, in order; fewer than offered means "full": on_writable follows.
        { transport.send(conn, octets) } -> std::same_as<size_t>;
        /// Stops and restarts reading, which lets the peer's TCP window close.
        { transport.pause(conn) } -> std::same_as<void>;
        { transport.resume(conn) } -> std::same_as<void>;
        /// Sends what was taken, then FIN; keeps reading until the peer closes or a short bound ends.
        { transport.close(conn) } -> std::same_as<void>;
        /// RST; nothing taken is promised to arrive.
        { transport.abort(conn) } -> std::same_as<void>;
        { transport.connections_max() } -> std::same_as<uint32_t>;
    };
// clang-format on

}  // namespace sy
