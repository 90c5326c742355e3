#include "core/base/release.h"

#include <cstdint>
#include <sys/mman.h>

namespace sy {

void return_pages(void* begin, size_t bytes) {
    constexpr uintptr_t page = 4096;
    const auto at = reinterpret_cast<uintptr_t>(begin);
    const uintptr_t first = (at + page - 1) / page * page;
    const uintptr_t last = (at + bytes) / page * page;
    if (first < last) {
        // Advice only: without it the memory goes with its container.
        (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
    }
}

}  // namespace sy
