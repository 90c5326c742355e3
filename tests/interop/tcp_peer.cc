// One end of the tests against Linux: echo server or client (echo.h), over kernel sockets or over
// our stack on a DPDK port with faults in front of it. Prints "ready" when it listens,
// "established" when all of a client's connections are, and its figures as one line of JSON when it
// ends: a client when all its connections have ended, a server by SIGTERM; both after --seconds at
// the latest (status 1). SIGUSR1 prints the figures so far.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/config/config.h"
#include "io/dpdk/eal.h"
#include "io/dpdk/port.h"
#include "io/kernel/transport.h"
#include "io/sim/fault_port.h"
#include "io/tcpip/transport.h"
#include "tests/interop/echo.h"

namespace sy::interop {
namespace {

volatile std::sig_atomic_t terminated = 0;
volatile std::sig_atomic_t asked = 0;

struct Options {
    bool kernel = false;
    std::string device = "net_af_packet0";
    std::vector<std::string> eal;
    std::vector<std::string> addresses;
    std::string gateway;
    std::vector<std::string> listen;
    std::vector<std::string> connect;
    std::string traffic = "mixed";
    ClientPlan plan;
    sim::PortFaults faults;
    uint64_t delay_us = 0;
    uint64_t jitter_us = 0;
    uint64_t seed = 1;
    uint32_t half_open_max = 4096;
    uint64_t user_timeout_s = 60;
    uint32_t seconds = 60;
};

Nanos clock_of(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<Nanos>(t.tv_sec) * second_ns + static_cast<Nanos>(t.tv_nsec);
}

template <class V>
V value_or_exit(Result<V> result) {
    if (!result) {
        fmt::print(stderr, "tcp_peer: {}\n", result.error().text);
        std::exit(1);
    }
    return *std::move(result);
}

uint64_t memory_kib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<uint64_t>(usage.ru_maxrss);
}

/// `name` and numbers as a member of a JSON object.
class Figures {
  public:
    void add(std::string_view name, uint64_t value) {
        text_ += fmt::format("{}\"{}\": {}", text_.empty() ? "" : ", ", name, value);
    }
    void print() const {
        fmt::print("{{{}}}\n", text_);
        std::fflush(stdout);
    }

  private:
    std::string text_;
};

// What differs between the two transports.

struct OverKernel {
    std::unique_ptr<kernel::KernelTransport> transport;

    explicit OverKernel(const Options&)
        : transport(value_or_exit(kernel::KernelTransport::create({}))) {}
    void begin_turn(Nanos) {}
    [[nodiscard]] static bool is_ready() { return true; }
    void report(Figures&) const {}
    [[nodiscard]] bool is_quiet() const { return true; }
};

struct OverDpdk {
    std::unique_ptr<dpdk::Eal> eal;
    std::unique_ptr<dpdk::Port> port;
    std::unique_ptr<sim::FaultPort> faulty;
    std::unique_ptr<tcpip::TcpTransport> transport;
    Nanos checked_ns = 0;

    explicit OverDpdk(const Options& options) {
        config::DpdkPort settings;
        settings.device = options.device;
        tcpip::StackOptions stack;
        stack.half_open_max = options.half_open_max;
        stack.user_timeout_ns = options.user_timeout_s * second_ns;
        stack.connect_timeout_ns = options.seconds * second_ns;
        stack.secret = {options.seed, ~options.seed};
        for (const std::string& text : options.addresses) {
            const Cidr cidr = value_or_exit(parse_cidr(text));
            const tcpip::IpAddress address{cidr.address};
            const int bits = cidr.prefix_bits - (address.is_ipv4() ? 96 : 0);
            stack.interface.addresses.push_back(
                {.address = address, .prefix_bits = static_cast<uint8_t>(bits)});
        }
        if (!options.gateway.empty()) {
            stack.interface.gateway_v4 =
                tcpip::IpAddress{value_or_exit(parse_cidr(options.gateway)).address};
        }
        const dpdk::EalOptions start{.arguments = options.eal,
                                     .devices = {options.device},
                                     .memory_bytes = dpdk::pool_bytes(
                                         {.workers = 1,
                                          .rx_descriptors = settings.rx_descriptors,
                                          .tx_descriptors = settings.tx_descriptors,
                                          .mtu = settings.mtu,
                                          .tso = true,
                                          .driver_frames = dpdk::driver_frames(options.device)})};
        eal = value_or_exit(dpdk::Eal::start(start));
        port = value_or_exit(dpdk::Port::open(settings, {0}));
        faulty = std::make_unique<sim::FaultPort>(port->queue(0), options.faults, options.seed);
        transport = std::make_unique<tcpip::TcpTransport>(*faulty, stack);
    }
    void begin_turn(Nanos now_ns) {
        faulty->set_now(now_ns);
        if (now_ns - checked_ns > 100 * millisecond_ns) {
            checked_ns = now_ns;
            transport->check_invariants();
            if (port->poll()) {
                fmt::print("link {}\n", port->removed() ? "gone" : port->link_up() ? "up" : "down");
                std::fflush(stdout);
            }
        }
    }
    /// Every address of ours may be used (IPv6: no duplicate was found).
    [[nodiscard]] bool is_ready() const {
        return std::ranges::all_of(transport->stack().ip().interface().ipv6(), [](const auto& one) {
            return one.state == tcpip::Interface::State::assigned;
        });
    }
    void report(Figures& figures) const {
        for (const tcpip::NamedCount& one : tcpip::named(transport->stack().counters())) {
            figures.add(one.name, one.count->value());
        }
        for (const dpdk::QueueSample& one : port->samples()) {
            figures.add(one.name, one.value);
        }
        for (const auto& [way, counters] :
             {std::pair{"in", &faulty->received()}, std::pair{"out", &faulty->sent()}}) {
            figures.add(fmt::format("fault_frames_{}", way), counters->frames);
            figures.add(fmt::format("fault_lost_{}", way), counters->lost);
            figures.add(fmt::format("fault_duplicated_{}", way), counters->duplicated);
            figures.add(fmt::format("fault_late_{}", way), counters->late);
            figures.add(fmt::format("fault_full_{}", way), counters->full);
        }
        figures.add("connections_used", transport->connections_used());
        figures.add("half_open_used", transport->stack().half_open_used());
        figures.add("chunks_used", transport->stack().chunks_used());
    }
    [[nodiscard]] bool is_quiet() const { return transport->connections_used() == 0; }
};

template <class Over, class H>
void report(const Over& over, const H& handler, Nanos began_ns) {
    Figures figures;
    figures.add("elapsed_us", (clock_of(CLOCK_MONOTONIC) - began_ns) / microsecond_ns);
    figures.add("cpu_us", clock_of(CLOCK_PROCESS_CPUTIME_ID) / microsecond_ns);
    figures.add("memory_kib", memory_kib());
    if constexpr (requires { handler.echoed; }) {
        figures.add("accepted", handler.accepted);
        figures.add("echoed", handler.echoed);
        figures.add("open", handler.open);
        figures.add("open_max", handler.open_max);
    } else {
        figures.add("verified", handler.verified);
        figures.add("wrong", handler.wrong);
        figures.add("complete", handler.complete);
    }
    const auto& ends = [&]() -> const std::array<uint64_t, 5>& {
        if constexpr (requires { handler.echoed; }) {
            return handler.closed;
        } else {
            return handler.failed;
        }
    }();
    constexpr std::array<std::string_view, 5> reasons{"peer_closed", "peer_reset",
                                                      "connect_refused", "connect_failed", "local"};
    for (size_t i = 0; i < reasons.size(); ++i) {
        figures.add(fmt::format("ended_{}", reasons[i]), ends[i]);
    }
    over.report(figures);
    figures.print();
}

/// Turns until `done`; false when the time is over.
template <class Over, class H, class Done>
bool turns(Over& over, H& handler, Nanos began_ns, Nanos end_ns, Done done) {
    for (;;) {
        const Nanos now_ns = clock_of(CLOCK_MONOTONIC);
        over.begin_turn(now_ns);
        if (asked != 0) {
            asked = 0;
            report(over, handler, began_ns);
        }
        const uint32_t handled = over.transport->poll(now_ns, handler);
        if (done()) {
            return true;
        }
        if (now_ns > end_ns) {
            return false;
        }
        if (handled == 0) {
            over.transport->wait(now_ns + millisecond_ns);
        }
    }
}

template <class Over>
int serve(Over& over, const Options& options) {
    EchoServer server(*over.transport);
    for (const std::string& text : options.listen) {
        const Endpoint endpoint = value_or_exit(parse_endpoint(text));
        if (const auto listening = over.transport->listen(endpoint); !listening) {
            fmt::print(stderr, "tcp_peer: {}\n", listening.error().text);
            return 1;
        }
    }
    const Nanos began_ns = clock_of(CLOCK_MONOTONIC);
    const Nanos end_ns = began_ns + options.seconds * second_ns;
    turns(over, server, began_ns, end_ns, [&] { return over.is_ready(); });
    fmt::print("ready\n");
    std::fflush(stdout);
    const bool told = turns(over, server, began_ns, end_ns, [] { return terminated != 0; });
    turns(over, server, began_ns, end_ns, [&] { return server.open == 0 && over.is_quiet(); });
    report(over, server, began_ns);
    return told ? 0 : 1;
}

template <class Over>
int call(Over& over, Options& options) {
    for (const std::string& text : options.connect) {
        options.plan.servers.push_back(value_or_exit(parse_endpoint(text)));
    }
    EchoClient client(*over.transport, options.plan);
    const Nanos started_ns = clock_of(CLOCK_MONOTONIC);
    const Nanos end_ns = started_ns + options.seconds * second_ns;
    turns(over, client, started_ns, end_ns, [&] { return over.is_ready(); });
    fmt::print("ready\n");
    std::fflush(stdout);
    const Nanos began_ns = clock_of(CLOCK_MONOTONIC);
    bool told = false;
    const bool done = turns(over, client, began_ns, end_ns, [&] {
        client.step();
        if (!told && client.established() == options.plan.connections) {
            told = true;
            fmt::print("established\n");
            std::fflush(stdout);
        }
        if (terminated != 0) {
            client.stop();
        }
        return client.is_done() && over.is_quiet();
    });
    report(over, client, began_ns);
    return done ? 0 : 1;
}

template <class Over>
int run(Options& options) {
    Over over(options);
    return options.connect.empty() ? serve(over, options) : call(over, options);
}

Options read_options(int argc, char** argv) {
    Options options;
    CLI::App app{"echo server or client over kernel sockets or our own stack"};
    app.add_flag("--kernel", options.kernel, "over kernel sockets");
    app.add_option("--device", options.device);
    app.add_option("--eal", options.eal, "an argument of EAL; again for each");
    app.add_option("--address", options.addresses, "ours with its network; again for each");
    app.add_option("--gateway", options.gateway, "IPv4");
    app.add_option("--listen", options.listen);
    app.add_option("--connect", options.connect);
    app.add_option("--connections", options.plan.connections);
    app.add_option("--connecting-max", options.plan.connecting_max, "at a time");
    app.add_option("--traffic", options.traffic)
        ->check(CLI::IsMember({"bulk", "ping-pong", "mixed", "endless"}));
    app.add_option("--bulk-octets", options.plan.bulk_octets);
    app.add_option("--message-octets", options.plan.message_octets);
    app.add_option("--messages", options.plan.messages);
    app.add_option("--loss", options.faults.loss, "parts in 1,000, each way");
    app.add_option("--duplicate", options.faults.duplicate);
    app.add_option("--reorder", options.faults.reorder);
    app.add_option("--delay-us", options.delay_us);
    app.add_option("--jitter-us", options.jitter_us);
    app.add_option("--seed", options.seed);
    app.add_option("--half-open-max", options.half_open_max);
    app.add_option("--user-timeout", options.user_timeout_s, "seconds");
    app.add_option("--seconds", options.seconds);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::exit(app.exit(error));
    }
    options.faults.delay_ns = options.delay_us * microsecond_ns;
    options.faults.jitter_ns = options.jitter_us * microsecond_ns;
    options.plan.endless = options.traffic == "endless";
    options.plan.bulk = options.traffic == "bulk" || options.traffic == "mixed";
    options.plan.ping_pong = options.traffic != "bulk";
    return options;
}

}  // namespace
}  // namespace sy::interop

int main(int argc, char** argv) {
    using namespace sy::interop;
    Options options = read_options(argc, argv);
    std::signal(SIGTERM, [](int) { terminated = 1; });
    std::signal(SIGUSR1, [](int) { asked = 1; });
    return options.kernel ? run<OverKernel>(options) : run<OverDpdk>(options);
}
