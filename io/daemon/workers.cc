#include "io/daemon/workers.h"

#include <algorithm>
#include <sys/random.h>
#include <utility>

#include <fmt/format.h>

#include "io/daemon/dpdk_devices.h"
#include "io/daemon/host.h"
#include "io/daemon/worker_impl.h"
#include "io/dpdk/eal.h"
#include "io/kernel/transport.h"
#include "io/tcpip/transport.h"

namespace sy::daemon {
namespace {

class KernelWorker final : public WorkerOver<kernel::KernelTransport> {
  public:
    using WorkerOver::WorkerOver;

    [[nodiscard]] std::string warning() const override { return transport().warning(); }

    void add_samples(std::vector<admin::WorkerSample>& out) const override {
        const kernel::KernelCounters& counters = transport().counters();
        const auto add = [&](std::string_view name, std::string_view help,
                             const std::atomic<uint64_t>& value) {
            add_sample(out, name, help, value);
        };
        add("kernel_accepted", "connections that the transport took", counters.accepted);
        add("kernel_refused_slots", "connections reset: connections_max reached",
            counters.refused_slots);
        add("kernel_refused_files", "connections reset: open files limit reached",
            counters.refused_files);
        add("kernel_accept_errors", "other failures of accept", counters.accept_errors);
        add("kernel_reads", "recv calls that brought octets", counters.reads);
        add("kernel_reads_empty", "recv calls that brought none", counters.reads_empty);
        add("kernel_sends", "send calls", counters.sends);
        add("kernel_sends_short", "send calls that took less than offered", counters.sends_short);
    }
};

/// Over the userspace stack on one queue of a DPDK port.
class DpdkWorker final : public WorkerOver<tcpip::TcpTransport> {
  public:
    using WorkerOver::WorkerOver;

    void add_samples(std::vector<admin::WorkerSample>& out) const override {
        const auto add = [&](std::span<const tcpip::NamedCount> counts) {
            for (const tcpip::NamedCount& one : counts) {
                out.push_back({one.name, one.help, index(), one.count->value()});
            }
        };
        add(tcpip::named(transport().stack().counters()));
        add(tcpip::named(transport().stack().ip().counters()));
    }

  private:
    Result<void> run() override {
        // Before the first frame: the caches of the memory pools belong to the thread.
        auto entered = dpdk::EalThread::enter();
        if (!entered) {
            return std::unexpected(std::move(entered).error());
        }
        set_running();
        turns();
        return {};
    }
};

tcpip::IpAddress ip_address(const std::array<uint8_t, 16>& octets) {
    return {octets};
}

tcpip::StackOptions stack_options(const config::Config& config, uint32_t worker) {
    const config::DpdkPort& port = config.dpdk.ports.front();
    tcpip::StackOptions options;
    for (const Cidr& cidr : port.addresses) {
        const tcpip::IpAddress address = ip_address(cidr.address);
        const int bits = cidr.prefix_bits - (address.is_ipv4() ? 96 : 0);
        options.interface.addresses.push_back(
            {.address = address, .prefix_bits = static_cast<uint8_t>(bits)});
    }
    if (port.gateway_ipv4) {
        options.interface.gateway_v4 = ip_address(*port.gateway_ipv4);
    }
    if (port.gateway_ipv6) {
        options.interface.gateway_v6 = ip_address(*port.gateway_ipv6);
    }
    if (port.vlan != 0) {
        options.interface.vlan = port.vlan;
    }
    options.interface.announces = worker == 0;
    options.connections_max = config.runtime.connections_max;
    options.time_wait_max = config.runtime.connections_max;
    // What all connections together have under way: 64 MiB, and 2 KiB for each beyond.
    options.chunks = 32 * 1024 + config.runtime.connections_max;
    return options;
}

/// 128 bits that no peer can know (RFC 6528).
Result<std::array<uint64_t, 2>> draw_secret() {
    std::array<uint64_t, 2> secret{};
    if (getrandom(secret.data(), sizeof secret, 0) != static_cast<ssize_t>(sizeof secret)) {
        return fail("getrandom() gave no random octets");
    }
    return secret;
}

}  // namespace

OneWorker::OneWorker(const config::Config& config, uint32_t index)
    : index_(index),
      cpu_(config.runtime.workers[index]),
      name_(fmt::format("sy-worker-{}", index)),
      adaptive_(config.runtime.idle == config::Idle::adaptive) {}

void OneWorker::start() {
    thread_ = std::thread([this] { body(); });
}

void OneWorker::body() {
    auto done = pin_this_thread(cpu_, name_);
    if (done) {
        done = run();
    }
    if (!done) {
        error_ = std::move(done).error();
        state_.store(State::failed, std::memory_order_release);
    }
}

Result<void> OneWorker::wait_until_running() {
    State state = State::starting;
    // Acquire pairs with the release in body(): error_ is complete.
    while ((state = state_.load(std::memory_order_acquire)) == State::starting) {
        std::this_thread::yield();
    }
    if (state == State::failed) {
        return std::unexpected(error_);
    }
    return {};
}

void OneWorker::ask_to_stop() {
    stopping_.store(true, std::memory_order_relaxed);
    wake();
}

void OneWorker::join() {
    if (thread_.joinable()) {
        thread_.join();
    }
}

Workers::Workers() = default;

Workers::~Workers() {
    stop();
}

Result<std::unique_ptr<Workers>> Workers::create(engine::Hub& hub, const config::Config& config) {
    std::unique_ptr<Workers> workers(new Workers());
    workers->listening_ = config.listen;
    switch (config.runtime.transport) {
        case config::TransportKind::kernel:
            SY_TRY(workers->create_kernel(hub, config));
            break;
        case config::TransportKind::dpdk:
            SY_TRY(workers->create_dpdk(hub, config));
            break;
    }
    return workers;
}

Result<void> Workers::create_kernel(engine::Hub& hub, const config::Config& config) {
    const auto count = static_cast<uint32_t>(config.runtime.workers.size());
    for (uint32_t i = 0; i < count; ++i) {
        kernel::KernelOptions options;
        options.connections_max = config.runtime.connections_max;
        options.instances = count;
        auto transport = kernel::KernelTransport::create(options);
        if (!transport) {
            return std::unexpected(std::move(transport).error());
        }
        for (size_t l = 0; l < listening_.size(); ++l) {
            if (auto listening = (*transport)->listen(listening_[l]); !listening) {
                return fail("[smpp] listen: " + listening.error().text);
            }
            // Port 0 is any: what the first worker got, the others share.
            listening_[l] = (*transport)->listener_endpoint(l);
        }
        all_.push_back(std::make_unique<KernelWorker>(hub, config, i, *std::move(transport)));
    }
    return {};
}

Result<void> Workers::create_dpdk(engine::Hub& hub, const config::Config& config) {
    auto devices = DpdkDevices::start(config);
    if (!devices) {
        return std::unexpected(std::move(devices).error());
    }
    dpdk_ = *std::move(devices);
    auto secret = draw_secret();
    if (!secret) {
        return std::unexpected(std::move(secret).error());
    }
    const auto count = static_cast<uint32_t>(config.runtime.workers.size());
    for (uint32_t i = 0; i < count; ++i) {
        tcpip::StackOptions options = stack_options(config, i);
        options.secret = *secret;
        if (auto usable = tcpip::check_interface(options.interface); !usable) {
            return fail("[[dpdk.port]]: " + usable.error().text);
        }
        auto transport = std::make_unique<tcpip::TcpTransport>(dpdk_->queue(0, i), options);
        for (const Endpoint& endpoint : listening_) {
            if (auto listening = transport->listen(endpoint); !listening) {
                return fail("[smpp] listen: " + listening.error().text);
            }
        }
        all_.push_back(std::make_unique<DpdkWorker>(hub, config, i, std::move(transport)));
    }
    return {};
}

Result<void> Workers::start() {
    for (auto& one : all_) {
        one->start();
    }
    for (auto& one : all_) {
        if (auto running = one->wait_until_running(); !running) {
            stop();
            return running;
        }
    }
    return {};
}

void Workers::stop() {
    for (auto& one : all_) {
        one->ask_to_stop();
    }
    for (auto& one : all_) {
        one->join();
    }
}

std::vector<std::string> Workers::warnings() const {
    std::vector<std::string> texts;
    for (const auto& one : all_) {
        const std::string text = one->warning();
        if (!text.empty() && std::ranges::find(texts, text) == texts.end()) {
            texts.push_back(text);
        }
    }
    return texts;
}

std::vector<std::string> Workers::devices() const {
    return dpdk_ ? dpdk_->summary() : std::vector<std::string>{};
}

std::vector<std::string> Workers::poll_devices() {
    return dpdk_ ? dpdk_->poll() : std::vector<std::string>{};
}

std::vector<admin::WorkerSample> Workers::samples() const {
    std::vector<admin::WorkerSample> samples;
    for (const auto& one : all_) {
        one->add_samples(samples);
    }
    if (dpdk_) {
        dpdk_->add_samples(samples);
    }
    return samples;
}

}  // namespace sy::daemon
