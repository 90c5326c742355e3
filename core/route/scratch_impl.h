// The inside of RouteScratch, for the data plane of this folder only.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/limits.h"
#include "core/match/pattern_set.h"
#include "core/route/scratch.h"

namespace sy::route {

// A sender has at most 64 octets (data_sm); Latin-1 doubles in UTF-8.
inline constexpr size_t sender_utf8_bytes_max = 2 * 65;

struct RouteScratch::Impl {
    match::PatternScratch patterns;
    std::vector<uint64_t> sender_bits;  // expressions that match the current message's sender
    std::vector<uint64_t> text_bits;    // ... and its text
    std::array<char, sender_utf8_bytes_max> sender;
    std::array<char, limits::scan_text_bytes_max> text;
};

}  // namespace sy::route
