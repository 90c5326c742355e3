#include "core/config/merge.h"

#include <algorithm>

namespace sy::config {
namespace {

void add_task(const char* name, const match::PatternSet& set, std::vector<MergeTask>& tasks) {
    if (set.merge_pending()) {
        tasks.push_back({name, set.expressions()});
    }
}

// True if `set` now stands on the database called `name` among `merged`.
bool replace(const char* name, const std::vector<MergedSet>& merged, match::PatternSet& set) {
    const auto found = std::ranges::find(merged, name, &MergedSet::set);
    if (found == merged.end() || found->database == nullptr || !set.merge_pending()) {
        return false;
    }
    const std::vector<std::string> expressions = set.expressions();
    const auto missing = std::ranges::count_if(expressions, [&](const std::string& expression) {
        return found->database->find(expression) == match::Database::none;
    });
    // With more left to compile than now stands beside the old database, the old one is better.
    if (static_cast<size_t>(missing) > set.expressions_beside()) {
        return false;
    }
    std::vector<match::PatternError> errors;
    match::CompileOptions options;
    options.base = found->database;
    match::PatternSet next = match::PatternSet::compile(expressions, options, errors);
    if (!errors.empty()) {
        return false;  // all of them are in use: they cannot be wrong
    }
    set = std::move(next);
    return true;
}

}  // namespace

std::vector<MergeTask> pending_merges(const route::Snapshot& snapshot) {
    std::vector<MergeTask> tasks;
    add_task(route::mt_sender_set, snapshot.mt.patterns().sender, tasks);
    add_task(route::mt_text_set, snapshot.mt.patterns().text, tasks);
    add_task(route::mo_text_set, snapshot.mo.patterns().text, tasks);
    return tasks;
}

MergedSet run_merge(const MergeTask& task, match::DatabaseCache* cache) {
    return {task.set, match::merge(task.expressions, task.set, cache)};
}

Result<std::unique_ptr<route::Snapshot>> with_merged(const route::Snapshot& running,
                                                     const std::vector<MergedSet>& merged) {
    route::Patterns mt = running.mt.patterns();
    route::Patterns mo = running.mo.patterns();
    const bool sender = replace(route::mt_sender_set, merged, mt.sender);
    const bool text = replace(route::mt_text_set, merged, mt.text);
    const bool mo_text = replace(route::mo_text_set, merged, mo.text);
    if (!sender && !text && !mo_text) {
        return nullptr;
    }
    auto next = std::make_unique<route::Snapshot>(running);
    next->generation = running.generation + 1;
    next->mt = running.mt.with_patterns(std::move(mt));
    next->mo = running.mo.with_patterns(std::move(mo));
    SY_TRY(route::prepare_scratches(running.scratches.size(), *next));
    return next;
}

}  // namespace sy::config
