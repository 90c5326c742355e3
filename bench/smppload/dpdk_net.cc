#include "bench/smppload/dpdk_net.h"

#include <cstring>
#include <sys/random.h>

#include <fmt/format.h>

#include "bench/smppload/dpdk_device.h"
#include "core/base/prefetch.h"
#include "io/dpdk/eal.h"
#include "io/dpdk/port.h"
#include "io/tcpip/transport.h"

namespace sy::load {
namespace {

const char* describe(CloseReason reason) {
    switch (reason) {
        case CloseReason::peer_closed:
            return "closed by the peer";
        case CloseReason::peer_reset:
            return "reset by the peer";
        case CloseReason::connect_refused:
            return "connection refused";
        case CloseReason::connect_failed:
            return "no answer to the connect";
        case CloseReason::local:
            break;
    }
    return "closed here";
}

class DpdkNet final : public Net {
  public:
    DpdkNet(std::unique_ptr<dpdk::Eal> eal,
            std::unique_ptr<dpdk::Port> port,
            const tcpip::StackOptions& options)
        : eal_(std::move(eal)),
          port_(std::move(port)),
          transport_(port_->queue(0), options),
          by_slot_(options.connections_max),
          turn_began_ns_(now_ns()) {}
    ~DpdkNet() override;

    [[nodiscard]] Result<void> wait_for_link(Nanos deadline) override;
    [[nodiscard]] Result<void> listen(Endpoint& at,
                                      LinkHandler& handler,
                                      uint32_t listener) override;
    void close_listeners() override { transport_.close_listeners(); }
    [[nodiscard]] Result<Link*> connect(const Endpoint& to,
                                        LinkHandler& handler,
                                        uint32_t user) override;
    void poll(Nanos until) override;
    void flush() override;
    void close_now(Link& link, const std::string& reason) override;

    // What the transport calls.
    void on_accepted(ConnId conn, const Endpoint&);
    void on_connected(ConnId conn);
    void expect(ConnId conn);
    size_t on_bytes(ConnId conn, Octets octets);
    void on_writable(ConnId conn);
    void on_closed(ConnId conn, CloseReason reason);

  private:
    static constexpr Nanos watch_ns = 100 * millisecond_ns;
    static constexpr Nanos last_words_ns = second_ns;
    static constexpr uint32_t connecting_max = 1024;

    struct Listener {
        uint16_t port;
        LinkHandler* handler;
        uint32_t number;
    };

    /// Null for one that we closed.
    [[nodiscard]] Link* find(ConnId conn) const {
        Link* link = by_slot_[conn.slot];
        return link != nullptr && link->conn == conn ? link : nullptr;
    }
    Link& add_connection(ConnId conn, LinkHandler& handler, uint32_t user);
    void send(Link& link);
    void watch(Nanos now);

    // In this order: the transport has frames of the port, the port memory of EAL.
    std::unique_ptr<dpdk::Eal> eal_;
    std::unique_ptr<dpdk::Port> port_;
    tcpip::TcpTransport transport_;
    std::vector<Link*> by_slot_;
    const Link* expected_ = nullptr;
    std::vector<Listener> listeners_;
    Nanos turn_began_ns_;
    Nanos watched_ns_ = 0;
    bool turn_worked_ = false;
    uint32_t connecting_ = 0;  // connects that have no answer yet
};

// A kernel sends what its sockets hold behind the process's back; here nobody would.
DpdkNet::~DpdkNet() {
    for (const auto& link : links_) {
        if (link->open()) {
            link->live = false;
            transport_.close(link->conn);
        }
    }
    const Nanos deadline = now_ns() + last_words_ns;
    while (transport_.connections_used() > 0 && now_ns() < deadline) {
        transport_.poll(now_ns(), *this);
    }
}

Result<void> DpdkNet::wait_for_link(Nanos deadline) {
    while (!port_->link_up()) {
        if (now_ns() >= deadline) {
            return fail(fmt::format("no link on {}: is the router running, on the other end of it?",
                                    port_->device()));
        }
        port_->poll();
        transport_.poll(now_ns(), *this);
    }
    return {};
}

Result<void> DpdkNet::listen(Endpoint& at, LinkHandler& handler, uint32_t listener) {
    SY_TRY(transport_.listen(at));
    listeners_.push_back({at.port, &handler, listener});
    return {};
}

Link& DpdkNet::add_connection(ConnId conn, LinkHandler& handler, uint32_t user) {
    Link& link = add(handler, user);
    link.conn = conn;
    by_slot_[conn.slot] = &link;
    return link;
}

Result<Link*> DpdkNet::connect(const Endpoint& to, LinkHandler& handler, uint32_t user) {
    // No more at a time than the router's SYN cache surely holds: beyond it SYNs are lost.
    while (connecting_ >= connecting_max) {
        transport_.poll(now_ns(), *this);
    }
    auto conn = transport_.connect(to);
    if (!conn) {
        return std::unexpected(std::move(conn).error());
    }
    Link& link = add_connection(*conn, handler, user);
    link.connecting = true;
    ++connecting_;
    return &link;
}

void DpdkNet::watch(Nanos now) {
    if (now - watched_ns_ >= watch_ns) {
        watched_ns_ = now;
        port_->poll();
    }
}

// A turn that neither got nor sent anything was waiting.
void DpdkNet::poll(Nanos) {
    const Nanos now = now_ns();
    busy_ns_ += turn_worked_ ? now - turn_began_ns_ : 0;
    turn_began_ns_ = now;
    watch(now);
    turn_worked_ = transport_.poll(now, *this) > 0;
}

void DpdkNet::on_accepted(ConnId conn, const Endpoint&) {
    const uint16_t port = transport_.stack().connection(conn.slot).key.local_port;
    for (const Listener& listener : listeners_) {
        if (listener.port == port) {
            Link& link = add_connection(conn, *listener.handler, 0);
            listener.handler->on_accepted(listener.number, link);
            return;
        }
    }
    SY_ASSERT(false);  // the stack accepts on ports that we listen on
}

void DpdkNet::on_connected(ConnId conn) {
    if (Link* link = find(conn); link != nullptr) {
        link->connecting = false;
        --connecting_;
        link->handler->on_connected(*link);
    }
}

// The link's own lines now, those of its user one event later, when the link is here.
void DpdkNet::expect(ConnId conn) {
    if (expected_ != nullptr && expected_->open()) {
        expected_->handler->expect(*expected_);
    }
    expected_ = by_slot_[conn.slot];
    if (expected_ != nullptr) {
        prefetch_lines(expected_, expected_ + 1);
    }
}

size_t DpdkNet::on_bytes(ConnId conn, Octets octets) {
    Link* link = find(conn);
    if (link == nullptr) {
        return octets.size();
    }
    if (!has_room(*link)) {
        link->reads_paused = true;
        transport_.pause(conn);
        return 0;
    }
    const Nanos now = turn_began_ns_;
    if (!link->carry.empty()) {
        std::memcpy(buffer_.get(), link->carry.data(), link->carry.size());
        std::memcpy(buffer_.get() + link->carry.size(), octets.data(), octets.size());
        hand_out(*link, link->carry.size() + octets.size(), now);
        return octets.size();
    }
    // Where they lie in the frame.
    const size_t used = link->handler->on_bytes(*link, octets, now);
    if (link->open()) {
        link->carry.assign(octets.begin() + static_cast<ptrdiff_t>(used), octets.end());
    }
    return octets.size();
}

void DpdkNet::on_writable(ConnId conn) {
    if (Link* link = find(conn); link != nullptr) {
        send(*link);
    }
}

void DpdkNet::on_closed(ConnId conn, CloseReason reason) {
    Link* link = find(conn);
    if (link == nullptr) {
        return;
    }
    by_slot_[conn.slot] = nullptr;
    connecting_ -= link->connecting ? 1 : 0;
    link->connecting = false;
    if (link->open()) {
        link->live = false;
        link->handler->on_closed(*link, describe(reason));
    }
}

void DpdkNet::send(Link& link) {
    const Octets waiting = link.out.waiting();
    if (!waiting.empty()) {
        link.out.sent(transport_.send(link.conn, waiting));
        turn_worked_ = true;
    }
    if (link.closing && link.out.empty()) {
        close_now(link, "");
        return;
    }
    link.wants_write = !link.out.empty();
    if (link.reads_paused && has_room(link)) {
        link.reads_paused = false;
        transport_.resume(link.conn);
    }
}

void DpdkNet::flush() {
    for (size_t i = 0; i < dirty_.size(); ++i) {
        Link& link = *dirty_[i];
        link.dirty = false;
        // One that was full calls for its data itself; one that connects will do so later.
        if (link.open() && !link.wants_write) {
            send(link);
        }
    }
    dirty_.clear();
}

void DpdkNet::close_now(Link& link, const std::string& reason) {
    if (!link.open()) {
        return;
    }
    link.live = false;
    by_slot_[link.conn.slot] = nullptr;
    connecting_ -= link.connecting ? 1 : 0;
    link.connecting = false;
    transport_.close(link.conn);
    link.handler->on_closed(link, reason);
}

Result<tcpip::StackOptions> stack_options(const Options& options, const Cidr& ours) {
    tcpip::StackOptions out;
    const tcpip::IpAddress address{ours.address};
    const int bits = ours.prefix_bits - (address.is_ipv4() ? 96 : 0);
    out.interface.addresses.push_back(
        {.address = address, .prefix_bits = static_cast<uint8_t>(bits)});
    if (auto usable = tcpip::check_interface(out.interface); !usable) {
        return fail("--dpdk-address: " + usable.error().text);
    }
    const uint32_t sessions = options.customers * options.binds * 2 + options.suppliers * 64;
    out.connections_max = sessions + 256;
    out.chunks = 32 * 1024 + out.connections_max;
    if (getrandom(out.secret.data(), sizeof out.secret, 0) !=
        static_cast<ssize_t>(sizeof out.secret)) {
        return fail("getrandom() gave no random octets");
    }
    return out;
}

}  // namespace

Result<std::unique_ptr<Net>> make_dpdk_net(const Options& options) {
    const DpdkEnd end = our_end(options);
    auto stack = stack_options(options, end.address);
    if (!stack) {
        return std::unexpected(std::move(stack).error());
    }
    config::DpdkPort settings;
    settings.device = end.device;
    settings.addresses = {end.address};
    settings.mtu = options.dpdk.mtu;
    auto eal = dpdk::Eal::start(
        {.arguments = end.eal,
         .devices = {end.device},
         .memory_bytes = dpdk::pool_bytes({.workers = 1,
                                           .rx_descriptors = settings.rx_descriptors,
                                           .tx_descriptors = settings.tx_descriptors,
                                           .mtu = settings.mtu,
                                           .tso = true,
                                           .driver_frames = dpdk::driver_frames(end.device)})});
    if (!eal) {
        return std::unexpected(std::move(eal).error());
    }
    auto port =
        dpdk::Port::open(settings, {static_cast<uint32_t>(options.cpu < 0 ? 0 : options.cpu)});
    if (!port) {
        return std::unexpected(std::move(port).error());
    }
    return std::make_unique<DpdkNet>(*std::move(eal), *std::move(port), *stack);
}

}  // namespace sy::load
