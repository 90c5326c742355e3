// Giving memory back. `container = {}` does not: it assigns an empty list of elements, and a vector
// keeps its memory for the next ones.
#pragma once

#include <cstddef>
#include <malloc.h>

namespace sy {

template <class Container>
void release(Container& container) {
    Container().swap(container);
}

/// Gives back to the system now what nobody will read again before its container goes: its whole
/// pages, which read as zero octets from here on. Linux. Control plane.
void return_pages(void* begin, size_t bytes);

/// Gives back to the system what the allocator has kept of what was freed: glibc keeps blocks of up
/// to 32 MiB once such a one was freed. Behind work that needed much memory for a moment: all free
/// lists are gone through, and other threads' malloc() may wait meanwhile. Control plane.
inline void return_free_memory() {
    (void)malloc_trim(0);  // 0: there was nothing to return
}

}  // namespace sy
