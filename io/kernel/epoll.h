// What the sources of KernelTransport share: epoll by slot and generation, small things of sockets.
// No state; the owning worker's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/time.h"

namespace sy::kernel {

inline constexpr uint32_t connection_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

inline Nanos monotonic_now() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<Nanos>(now.tv_sec) * second_ns + static_cast<Nanos>(now.tv_nsec);
}

/// What epoll gives back with an event: whose it is.
inline uint64_t token(uint32_t slot, uint32_t generation) {
    return (uint64_t{generation} << 32) | slot;
}

/// epoll_ctl(); false: see errno.
inline bool watch(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = data;
    return epoll_ctl(epoll, operation, fd, &event) == 0;
}

inline void close_with_reset(int fd) {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    ::close(fd);
}

/// One writer; relaxed: a statistic, it orders nothing.
inline void count(std::atomic<uint64_t>& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace sy::kernel
