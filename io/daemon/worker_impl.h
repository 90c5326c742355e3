// One worker thread over whatever transport: what the control thread does with it (OneWorker), and
// the thread itself, which knows its transport by type (WorkerOver). Nothing virtual is called
// while it runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/prng.h"
#include "core/config/config.h"
#include "core/engine/driver.h"
#include "core/engine/hub.h"
#include "core/engine/worker.h"
#include "io/admin/metrics.h"
#include "io/daemon/clock.h"

namespace sy::daemon {

class OneWorker {
  public:
    OneWorker(const config::Config& config, uint32_t index);
    virtual ~OneWorker() = default;  // REQUIRES: join() before
    OneWorker(const OneWorker&) = delete;
    OneWorker& operator=(const OneWorker&) = delete;

    void start();
    /// Until the thread runs pinned, or failed to.
    [[nodiscard]] Result<void> wait_until_running();
    void ask_to_stop();
    void join();

    [[nodiscard]] uint32_t index() const { return index_; }
    /// What the operator should know about the transport; empty as a rule.
    [[nodiscard]] virtual std::string warning() const { return ""; }
    /// The transport's counters; any thread.
    virtual void add_samples(std::vector<admin::WorkerSample>& out) const = 0;

  protected:
    enum class State : uint8_t { starting, running, failed };

    void set_running() { state_.store(State::running, std::memory_order_release); }
    [[nodiscard]] bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool adaptive() const { return adaptive_; }
    void add_sample(std::vector<admin::WorkerSample>& out,
                    std::string_view name,
                    std::string_view help,
                    const std::atomic<uint64_t>& value) const {
        // Relaxed: a statistic.
        out.push_back({name, help, index_, value.load(std::memory_order_relaxed)});
    }

  private:
    /// On the worker's thread, once it is pinned: the turns, until stopping().
    virtual Result<void> run() = 0;
    virtual void wake() = 0;
    void body();

    uint32_t index_;
    uint32_t cpu_;
    std::string name_;
    bool adaptive_;
    std::atomic<State> state_{State::starting};  // release by the thread, acquire by the waiter
    std::atomic<bool> stopping_{false};          // relaxed: says nothing but "end"
    Error error_;                                // written before state_ becomes failed
    std::thread thread_;
};

/// `T` meets core/engine/transport.h.
template <class T>
class WorkerOver : public OneWorker {
  public:
    WorkerOver(engine::Hub& hub,
               const config::Config& config,
               uint32_t index,
               std::unique_ptr<T> transport)
        : OneWorker(config, index),
          transport_(std::move(transport)),
          // Seeds differ between workers and between starts: back-off jitter must not march in
          // step.
          worker_(hub,
                  WorkerId{static_cast<uint8_t>(index)},
                  mix64(read_clock(CLOCK_REALTIME) + index)),
          driver_(worker_, *transport_) {
        hub.set_waker(
            WorkerId{static_cast<uint8_t>(index)},
            [](void* transport_of) { static_cast<T*>(transport_of)->wake(); }, transport_.get());
    }

    [[nodiscard]] const T& transport() const { return *transport_; }

  protected:
    Result<void> run() override {
        set_running();
        turns();
        return {};
    }
    void turns() {
        // Adaptive idling: how long turns may find nothing before the worker sleeps. A turn without
        // work costs an epoll_wait of about a microsecond; a sleep and its wake-up cost some five.
        constexpr Nanos spin_ns = 20 * microsecond_ns;
        TurnClock clock;
        Now now = clock.read();
        Nanos last_work_ns = now.mono_ns;
        while (!stopping()) {
            if (driver_.turn(now)) {
                last_work_ns = now.mono_ns;
            } else if (adaptive() && now.mono_ns - last_work_ns >= spin_ns) {
                driver_.sleep();
            }
            now = clock.read();
        }
    }

  private:
    void wake() override { transport_->wake(); }

    std::unique_ptr<T> transport_;
    engine::Worker worker_;
    engine::Driver<T> driver_;
};

}  // namespace sy::daemon
