// The inside of RouteScratch, for the data plane of this folder only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/limits.h"
#include "core/match/pattern_set.h"
#include "core/route/patterns.h"
#include "core/route/scratch.h"
#include "core/route/sender_cache.h"
#include "core/route/when.h"

namespace sy::route {

// A sender has at most 64 octets (data_sm); Latin-1 doubles in UTF-8.
inline constexpr size_t sender_utf8_bytes_max = 2 * 65;

struct RouteScratch::Impl {
    match::PatternScratch patterns;
    match::MatchSet sender_matches;  // expressions that match the current message's sender
    match::MatchSet text_matches;    // ... and its text
    // What is known of senders, and whose expressions that is about (kept alive: the address alone
    // could come again).
    SenderCache senders;
    std::shared_ptr<const Patterns> cached_patterns;
    const QualityBoard* quality = nullptr;
    std::vector<WhenState> whens;     // by WhenId of the MT table
    std::vector<WhenState> mo_whens;  // ... and of the MO table
    std::array<char, sender_utf8_bytes_max> sender;
    std::array<char, limits::scan_text_bytes_max> text;
};

}  // namespace sy::route
