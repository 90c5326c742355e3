// Three kinds of checks (bugs only: never on what a peer, an operator or a file controls).
//
//   SY_ASSERT(c)     always on: guards memory, or would otherwise route a message wrongly
//   SY_DCHECK(c)     debug, sanitizer, fuzz and simulation builds (SY_CHECKS); may stand per
//   message SY_COUNT_BUG(n)  counts "should not happen" that a peer might still cause, then the
//   caller takes
//                    the safe branch; fatal in SY_CHECKS builds
//
// Any thread may use them. A failed check prints file, line and condition and aborts.
#pragma once

#include <atomic>
#include <cstdint>

namespace sy {

/// Prints the failed condition to standard error and aborts.
[[noreturn]] void assertion_failed(const char* file, int line, const char* condition);

/// How often SY_COUNT_BUG fired since start; read by the metrics, 0 in a healthy router.
std::atomic<uint64_t>& bug_count();

}  // namespace sy

#define SY_ASSERT(condition)                                        \
    do {                                                            \
        if (!(condition)) [[unlikely]] {                            \
            ::sy::assertion_failed(__FILE__, __LINE__, #condition); \
        }                                                           \
    } while (false)

#ifdef SY_CHECKS
#define SY_DCHECK(condition) SY_ASSERT(condition)
#define SY_COUNT_BUG(name) ::sy::assertion_failed(__FILE__, __LINE__, name)
#else
#define SY_DCHECK(condition)   \
    do {                       \
        if (false) {           \
            (void)(condition); \
        }                      \
    } while (false)
// Relaxed: a statistic, it orders nothing.
#define SY_COUNT_BUG(name) \
    ((void)(name), (void)::sy::bug_count().fetch_add(1, std::memory_order_relaxed))
#endif
