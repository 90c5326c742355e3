#include "core/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace sy {

void assertion_failed(const char* file, int line, const char* condition) {
    std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
    std::abort();
}

std::atomic<uint64_t>& bug_count() {
    static std::atomic<uint64_t> count{0};
    return count;
}

}  // namespace sy
