// The thread that merges expressions (core/config/merge.h) beside the traffic: at most one, with
// the lowest priority, on the CPUs that the control thread has. It only computes; what it made is
// published by the control thread, which owns this and asks take() now and then.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/time.h"
#include "core/config/merge.h"

namespace sy::daemon {

class Merger {
  public:
    Merger() = default;
    Merger(const Merger&) = delete;
    Merger& operator=(const Merger&) = delete;
    /// Does not wait for a merge: see abandoned().
    ~Merger();

    [[nodiscard]] bool busy() const { return state_ != nullptr; }
    /// `cache_path` may be empty. REQUIRES: !busy().
    void start(std::vector<config::MergeTask> tasks, std::string cache_path);

    struct Done {
        std::vector<config::MergedSet> sets;
        std::vector<std::string> complaints;  // of the cache
        Nanos took_ns = 0;
    };
    /// What start() wanted, once it is there; then not busy any more.
    [[nodiscard]] std::optional<Done> take();

    /// Whether a merge was going on when its Merger was destroyed. Hyperscan's compiler cannot be
    /// interrupted and may take a minute: its thread is left behind, with nothing that would be
    /// lost, and main() then ends the process without waiting for it.
    [[nodiscard]] static bool abandoned();

  private:
    struct State;

    std::shared_ptr<State> state_;
    std::thread thread_;
};

}  // namespace sy::daemon
