// Asks for the cache line at an address. g++ takes a function that does nothing else for one
// without effects and drops its calls (seen with 12.2); the empty statement below keeps them.
#pragma once

namespace sy {

inline void prefetch(const void* address) {
    __builtin_prefetch(address);
    asm volatile("" : : "r"(address));
}

}  // namespace sy
