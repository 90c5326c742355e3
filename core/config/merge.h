// Expressions of a published snapshot that stand on two databases (core/match), merged into one
// beside the traffic: what there is to do, doing it, and the snapshot that has it done.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/match/database_cache.h"
#include "core/match/pattern_set.h"
#include "core/route/snapshot.h"

namespace sy::config {

struct MergeTask {
    std::string set;  // route::mt_sender_set ...
    std::vector<std::string> expressions;
};
struct MergedSet {
    std::string set;
    std::shared_ptr<const match::Database> database;  // null: they do not compile together
};

/// One task for each set that asks for it; empty as a rule. Control thread.
[[nodiscard]] std::vector<MergeTask> pending_merges(const route::Snapshot& snapshot);

/// Takes as long as compiling everything does: not for the control thread. `cache` may be null.
[[nodiscard]] MergedSet run_merge(const MergeTask& task, match::DatabaseCache* cache);

/// `running` with these sets in place of its own, as far as they are an improvement: a reload may
/// have come between. The next generation; null if none is. Control thread.
[[nodiscard]] Result<std::unique_ptr<route::Snapshot>> with_merged(
    const route::Snapshot& running, const std::vector<MergedSet>& merged);

}  // namespace sy::config
