#include "io/daemon/merger.h"

#include <atomic>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

#include "io/daemon/cache_folder.h"
#include "io/daemon/clock.h"

namespace sy::daemon {
namespace {

std::atomic<bool> any_abandoned{false};

void be_quiet() {
    constexpr int lowest = 19;
    pthread_setname_np(pthread_self(), "sy-merge");
    // Of this thread alone (Linux). Where it is refused, the merge competes with the control
    // thread.
    (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), lowest);
}

}  // namespace

struct Merger::State {
    std::vector<config::MergeTask> tasks;
    std::string cache_path;
    Done done;
    std::atomic<bool> finished{false};

    void run() {
        be_quiet();
        const Nanos started_ns = read_clock(CLOCK_MONOTONIC);
        CacheFolder cache(cache_path, CacheFolder::Access::read_write);
        for (const config::MergeTask& task : tasks) {
            done.sets.push_back(config::run_merge(task, cache_path.empty() ? nullptr : &cache));
        }
        done.complaints = cache.take_complaints();
        done.took_ns = read_clock(CLOCK_MONOTONIC) - started_ns;
        // Release pairs with the acquire in take() and ~Merger(): `done` is complete.
        finished.store(true, std::memory_order_release);
    }
};

void Merger::start(std::vector<config::MergeTask> tasks, std::string cache_path) {
    state_ = std::make_shared<State>();
    state_->tasks = std::move(tasks);
    state_->cache_path = std::move(cache_path);
    // The thread holds the state too: it may outlive this.
    thread_ = std::thread([state = state_] { state->run(); });
}

std::optional<Merger::Done> Merger::take() {
    if (state_ == nullptr || !state_->finished.load(std::memory_order_acquire)) {
        return std::nullopt;
    }
    thread_.join();
    Done done = std::move(state_->done);
    state_.reset();
    return done;
}

Merger::~Merger() {
    if (state_ == nullptr) {
        return;
    }
    if (state_->finished.load(std::memory_order_acquire)) {
        thread_.join();
        return;
    }
    // Relaxed: read by the same thread, in main().
    any_abandoned.store(true, std::memory_order_relaxed);
    thread_.detach();
}

bool Merger::abandoned() {
    return any_abandoned.load(std::memory_order_relaxed);
}

}  // namespace sy::daemon
