#include "io/daemon/workers.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "io/daemon/dpdk_devices.h"
#include "io/daemon/host.h"
#include "io/daemon/worker_impl.h"
#include "io/kernel/transport.h"

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

// TODO(io/daemon): goes away when io/tcpip has its transport: then a class beside KernelWorker,
// over a stack on dpdk_->queue(0, i), whose run() begins with dpdk::EalThread::enter().
Result<void> Workers::create_dpdk(engine::Hub& /*hub*/, const config::Config& config) {
    auto devices = DpdkDevices::start(config);
    if (!devices) {
        return std::unexpected(std::move(devices).error());
    }
    dpdk_ = *std::move(devices);
    return fail(
        fmt::format("[runtime] transport 'dpdk': {} is ready, but this build has no TCP/IP "
                    "stack yet",
                    dpdk_->summary().front()));
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
