// A userspace TCP/IP stack as its tests see it: any transport over a packet port, behind one
// virtual interface, so that the script runner and the two-stack simulation are compiled once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/engine/transport.h"
#include "io/sim/packet_link.h"
#include "io/tcpip/counters.h"
#include "io/tcpip/port.h"

namespace sy::test {

/// A TransportHandler by virtual calls.
class StackEvents {
  public:
    virtual ~StackEvents() = default;
    virtual void on_accepted(ConnId conn, const Endpoint& peer) = 0;
    virtual void on_connected(ConnId conn) = 0;
    virtual size_t on_bytes(ConnId conn, Octets octets) = 0;
    virtual void on_writable(ConnId conn) = 0;
    virtual void on_closed(ConnId conn, CloseReason reason) = 0;
};

class Stack {
  public:
    virtual ~Stack() = default;
    /// Also checks the transport's invariants, where it has check_invariants().
    virtual uint32_t poll(Nanos now_ns, StackEvents& events) = 0;
    [[nodiscard]] virtual Nanos next_event_ns() const = 0;
    virtual Result<void> listen(const Endpoint& endpoint) = 0;
    virtual void close_listeners() = 0;
    virtual Result<ConnId> connect(const Endpoint& endpoint) = 0;
    virtual size_t send(ConnId conn, Octets octets) = 0;
    virtual void pause(ConnId conn) = 0;
    virtual void resume(ConnId conn) = 0;
    virtual void close(ConnId conn) = 0;
    virtual void abort(ConnId conn) = 0;
    /// Connections in any state but none; 0 where the transport does not tell.
    [[nodiscard]] virtual uint32_t connections_used() const = 0;
    /// Of the stack's counters the one of that name; none where the transport does not count it.
    [[nodiscard]] virtual std::optional<uint64_t> counter(std::string_view name) const = 0;
};

/// What a test wants a stack to be like.
struct StackSetup {
    tcpip::IpAddress ipv4;
    tcpip::IpAddress ipv6;
    uint64_t seed = 1;
    std::map<std::string, std::string> tunables{};  // key and value, as scripts write them
};
using StackFactory =
    std::function<Result<std::unique_ptr<Stack>>(tcpip::PacketPort&, const StackSetup&)>;

template <class T>
class StackOf final : public Stack {
  public:
    template <class... Arguments>
    explicit StackOf(Arguments&&... arguments)
        : transport_(std::forward<Arguments>(arguments)...) {}

    uint32_t poll(Nanos now_ns, StackEvents& events) override {
        const uint32_t handled = transport_.poll(now_ns, events);
        if constexpr (requires { transport_.check_invariants(); }) {
            transport_.check_invariants();
        }
        return handled;
    }
    [[nodiscard]] Nanos next_event_ns() const override { return transport_.next_event_ns(); }
    Result<void> listen(const Endpoint& endpoint) override { return transport_.listen(endpoint); }
    void close_listeners() override { transport_.close_listeners(); }
    Result<ConnId> connect(const Endpoint& endpoint) override {
        return transport_.connect(endpoint);
    }
    size_t send(ConnId conn, Octets octets) override { return transport_.send(conn, octets); }
    void pause(ConnId conn) override { transport_.pause(conn); }
    void resume(ConnId conn) override { transport_.resume(conn); }
    void close(ConnId conn) override { transport_.close(conn); }
    void abort(ConnId conn) override { transport_.abort(conn); }
    [[nodiscard]] uint32_t connections_used() const override {
        if constexpr (requires { transport_.connections_used(); }) {
            return transport_.connections_used();
        }
        return 0;
    }
    [[nodiscard]] std::optional<uint64_t> counter(std::string_view name) const override {
        if constexpr (requires { transport_.stack().counters(); }) {
            for (const tcpip::NamedCount& each : tcpip::named(transport_.stack().counters())) {
                if (name == each.name) {
                    return each.count->value();
                }
            }
        }
        return std::nullopt;
    }
    [[nodiscard]] T& transport() { return transport_; }

  private:
    static_assert(Transport<T, StackEvents>);
    T transport_;
};

/// Octet `position` of the stream `salt`: what every test stream consists of, so that both ends
/// know what must stand where.
[[nodiscard]] inline uint8_t stream_octet(uint64_t salt, uint64_t position) {
    return static_cast<uint8_t>(mix64(salt ^ (position >> 3)) >> (8 * (position & 7)));
}

}  // namespace sy::test
