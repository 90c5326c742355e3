// Merges expressions (core/config/merge.h) beside the traffic.
#pragma once

#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/config/merge.h"

namespace sy::daemon {

struct MergeDone {
    std::vector<config::MergedSet> sets;
    std::vector<std::string> complaints;  // of the cache
    Nanos took_ns = 0;
};

/// Takes as long as it takes; any thread. `cache_path` may be empty.
[[nodiscard]] MergeDone run_merges(const std::vector<config::MergeTask>& tasks,
                                   const std::string& cache_path);

}  // namespace sy::daemon
