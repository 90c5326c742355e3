#include "io/daemon/merger.h"

#include "io/daemon/cache_folder.h"
#include "io/daemon/clock.h"

namespace sy::daemon {

MergeDone run_merges(const std::vector<config::MergeTask>& tasks, const std::string& cache_path) {
    const Nanos started_ns = read_clock(CLOCK_MONOTONIC);
    MergeDone done;
    CacheFolder cache(cache_path, CacheFolder::Access::read_write);
    for (const config::MergeTask& task : tasks) {
        done.sets.push_back(config::run_merge(task, cache_path.empty() ? nullptr : &cache));
    }
    done.complaints = cache.take_complaints();
    done.took_ns = read_clock(CLOCK_MONOTONIC) - started_ns;
    return done;
}

}  // namespace sy::daemon
