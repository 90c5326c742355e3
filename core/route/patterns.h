// The compiled expressions of one table, and what compiling them can start from. Immutable once
// built; shared by the snapshots that did not change them.
#pragma once

#include "core/match/database_cache.h"
#include "core/match/pattern_set.h"

namespace sy::route {

class TextGroups;  // text_groups.h

// A sender and a text are each scanned at most once a message, for all rules together.
struct Patterns {
    match::PatternSet sender;  // empty in an MO table
    match::PatternSet text;
};

/// All may be null: then everything is compiled anew.
struct PatternSource {
    const Patterns* running = nullptr;  // of the same table in the snapshot that runs
    match::DatabaseCache* cache = nullptr;
    const TextGroups* groups = nullptr;  // of the MT table in the snapshot that runs
};

// What the sets are called in the cache and in logs.
inline constexpr const char* mt_sender_set = "mt-sender";
inline constexpr const char* mt_text_set = "mt-text";
inline constexpr const char* mo_text_set = "mo-text";

}  // namespace sy::route
