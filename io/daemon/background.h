// Work beside the traffic that takes seconds: a reload, a merge of expressions. One thread with the
// lowest priority, on the CPUs that the control thread has. It only computes; what it made is
// published by the control thread, which owns this and asks take() now and then.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "io/daemon/host.h"

namespace sy::daemon {

/// Whether any work was going on when its Background was destroyed. Hyperscan's compiler cannot be
/// interrupted and may take a minute: its thread is left behind, with nothing that would be lost,
/// and main() then ends the process without waiting for it.
class Abandoned {
  public:
    // Relaxed: read by the same thread, in main().
    static void set() { any_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] static bool any() { return any_.load(std::memory_order_relaxed); }

  private:
    static inline std::atomic<bool> any_{false};
};

template <class Done>
class Background {
  public:
    Background() = default;
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;
    /// Does not wait for the work: see Abandoned.
    ~Background() {
        if (state_ == nullptr) {
            return;
        }
        if (state_->finished.load(std::memory_order_acquire)) {
            thread_.join();
            return;
        }
        Abandoned::set();
        thread_.detach();
    }

    [[nodiscard]] bool busy() const { return state_ != nullptr; }

    /// `work` may outlive everything but what it holds itself. `name`: of the thread, at most 15
    /// octets. REQUIRES: !busy().
    void start(const char* name, std::function<Done()> work) {
        state_ = std::make_shared<State>();
        thread_ = std::thread([state = state_, name, work = std::move(work)] {
            make_this_thread_quiet(name);
            state->done.emplace(work());
            // Release pairs with the acquire in take() and ~Background(): `done` is complete.
            state->finished.store(true, std::memory_order_release);
        });
    }

    /// What start() wanted, once it is there; then not busy any more.
    [[nodiscard]] std::optional<Done> take() {
        if (state_ == nullptr || !state_->finished.load(std::memory_order_acquire)) {
            return std::nullopt;
        }
        thread_.join();
        std::optional<Done> done = std::move(state_->done);
        state_.reset();
        return done;
    }

  private:
    // The thread holds it too: it may outlive this.
    struct State {
        std::optional<Done> done;
        std::atomic<bool> finished{false};
    };

    std::shared_ptr<State> state_;
    std::thread thread_;
};

}  // namespace sy::daemon
