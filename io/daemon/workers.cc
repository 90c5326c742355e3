#include "io/daemon/workers.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "core/base/prng.h"
#include "core/engine/driver.h"
#include "core/engine/worker.h"
#include "io/daemon/clock.h"
#include "io/daemon/host.h"
#include "io/kernel/transport.h"

namespace sy::daemon {
namespace {

// Adaptive idling: how long turns may find nothing before the worker sleeps. A turn without work
// costs an epoll_wait of about a microsecond; a sleep and its wake-up cost some five.
constexpr Nanos spin_ns = 20 * microsecond_ns;

}  // namespace

struct Workers::One {
    enum class State : uint8_t { starting, running, failed };

    One(engine::Hub& hub, uint8_t index, std::unique_ptr<kernel::KernelTransport> its_transport)
        : transport(std::move(its_transport)),
          // Seeds differ between workers and between starts: back-off jitter must not march in
          // step.
          worker(hub, WorkerId{index}, mix64(read_clock(CLOCK_REALTIME) + index)),
          driver(worker, *transport) {}

    void loop();

    std::unique_ptr<kernel::KernelTransport> transport;
    engine::Worker worker;
    engine::Driver<kernel::KernelTransport> driver;
    uint32_t cpu = 0;
    std::string name;
    bool adaptive = true;
    std::atomic<State> state{State::starting};  // release by the thread, acquire by start()
    std::atomic<bool> stopping{false};          // relaxed: says nothing but "end"
    Error pin_error;                            // written before state becomes failed
    std::thread thread;
};

void Workers::One::loop() {
    if (auto pinned = pin_this_thread(cpu, name); !pinned) {
        pin_error = std::move(pinned).error();
        state.store(State::failed, std::memory_order_release);
        return;
    }
    state.store(State::running, std::memory_order_release);
    Now now = read_clocks();
    Nanos last_work_ns = now.mono_ns;
    while (!stopping.load(std::memory_order_relaxed)) {
        if (driver.turn(now)) {
            last_work_ns = now.mono_ns;
        } else if (adaptive && now.mono_ns - last_work_ns >= spin_ns) {
            driver.sleep();
        }
        now = read_clocks();
    }
}

Workers::~Workers() {
    stop();
}

Result<std::unique_ptr<Workers>> Workers::create(engine::Hub& hub, const config::Config& config) {
    if (config.runtime.transport == config::TransportKind::dpdk) {
        return fail("[runtime] transport 'dpdk': this build has no TCP/IP stack yet");
    }
    std::unique_ptr<Workers> workers(new Workers());
    const auto count = static_cast<uint32_t>(config.runtime.workers.size());
    std::vector<Endpoint>& listen = workers->listening_;
    listen = config.listen;
    for (uint32_t i = 0; i < count; ++i) {
        kernel::KernelOptions options;
        options.connections_max = config.runtime.connections_max;
        options.instances = count;
        auto transport = kernel::KernelTransport::create(options);
        if (!transport) {
            return std::unexpected(std::move(transport).error());
        }
        for (size_t l = 0; l < listen.size(); ++l) {
            if (auto listening = (*transport)->listen(listen[l]); !listening) {
                return fail("[smpp] listen: " + listening.error().text);
            }
            // Port 0 is any: what the first worker got, the others share.
            listen[l] = (*transport)->listener_endpoint(l);
        }
        auto one = std::make_unique<One>(hub, static_cast<uint8_t>(i), *std::move(transport));
        one->cpu = config.runtime.workers[i];
        one->name = fmt::format("sy-worker-{}", i);
        one->adaptive = config.runtime.idle == config::Idle::adaptive;
        hub.set_waker(
            WorkerId{static_cast<uint8_t>(i)},
            [](void* transport_of) { static_cast<kernel::KernelTransport*>(transport_of)->wake(); },
            one->transport.get());
        workers->all_.push_back(std::move(one));
    }
    return workers;
}

Result<void> Workers::start() {
    for (auto& one : all_) {
        one->thread = std::thread([worker = one.get()] { worker->loop(); });
    }
    for (auto& one : all_) {
        One::State state = One::State::starting;
        // Acquire pairs with the release in loop(): pin_error is complete.
        while ((state = one->state.load(std::memory_order_acquire)) == One::State::starting) {
            std::this_thread::yield();
        }
        if (state == One::State::failed) {
            stop();
            return std::unexpected(one->pin_error);
        }
    }
    return {};
}

void Workers::stop() {
    for (auto& one : all_) {
        one->stopping.store(true, std::memory_order_relaxed);
        one->transport->wake();
    }
    for (auto& one : all_) {
        if (one->thread.joinable()) {
            one->thread.join();
        }
    }
}

std::vector<std::string> Workers::warnings() const {
    std::vector<std::string> texts;
    for (const auto& one : all_) {
        const std::string& text = one->transport->warning();
        if (!text.empty() && std::ranges::find(texts, text) == texts.end()) {
            texts.push_back(text);
        }
    }
    return texts;
}

std::vector<admin::WorkerSample> Workers::samples() const {
    std::vector<admin::WorkerSample> samples;
    for (uint32_t i = 0; i < all_.size(); ++i) {
        const kernel::KernelCounters& counters = all_[i]->transport->counters();
        const auto add = [&](std::string_view name, std::string_view help,
                             const std::atomic<uint64_t>& value) {
            // Relaxed: a statistic.
            samples.push_back({name, help, i, value.load(std::memory_order_relaxed)});
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
    return samples;
}

}  // namespace sy::daemon
