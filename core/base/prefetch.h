// Asks for the cache line at an address. g++ takes a function that does nothing else for one
// without effects and drops its calls (seen with 12.2); the empty statement below keeps them.
#pragma once

#include <cstdint>

#include "core/base/limits.h"

namespace sy {

inline void prefetch(const void* address) {
    __builtin_prefetch(address);
    asm volatile("" : : "r"(address));
}

/// To be changed soon: no other core keeps it.
inline void prefetch_to_write(const void* address) {
    __builtin_prefetch(address, 1);
    asm volatile("" : : "r"(address));
}

/// The lines from `begin` on, up to `end`; all of them where `begin` stands at a line's beginning.
inline void prefetch_lines(const void* begin, const void* end) {
    for (const auto* at = static_cast<const uint8_t*>(begin); at < end;
         at += limits::cache_line_bytes) {
        prefetch(at);
    }
}
inline void prefetch_lines_to_write(const void* begin, const void* end) {
    for (const auto* at = static_cast<const uint8_t*>(begin); at < end;
         at += limits::cache_line_bytes) {
        prefetch_to_write(at);
    }
}

}  // namespace sy
