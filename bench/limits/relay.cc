// The limit of a router over kernel sockets: octets there and back between two sockets, and nobody
// looks at them. Each accepted connection gets one to the target; what comes by one leaves by the
// other. One thread, epoll, a buffer a direction; a side that takes no more stops the other's
// reads.
//
// Usage: relay LISTEN_PORT TARGET_PORT [CPU]     both on 127.0.0.1; ends with SIGTERM or SIGINT
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace sy {
namespace {

constexpr size_t buffer_bytes = 256 * 1024;  // as much as one read of the router's own transport
constexpr int events_a_turn = 256;
constexpr int backlog = 4096;

volatile sig_atomic_t stop_asked = 0;

struct Pair;

/// One socket of a pair. What it read and the other one did not take yet is in `held`.
struct Side {
    Pair* pair = nullptr;
    Side* other = nullptr;
    int fd = -1;
    uint32_t watched = 0;
    std::vector<uint8_t> held;
    size_t sent = 0;  // of `held`
};

struct Pair {
    std::array<Side, 2> sides;
    bool closed = false;
};

class Relay {
  public:
    Relay(int epoll, int listener, sockaddr_in target)
        : epoll_(epoll), listener_(listener), target_(target), buffer_(buffer_bytes) {}

    void run();

  private:
    void accept_all();
    bool join(int accepted);
    void move(Side& from);
    bool flush(Side& from);
    void watch(Side& side);
    void close_pair(Pair& pair);

    int epoll_;
    int listener_;
    sockaddr_in target_;
    std::vector<uint8_t> buffer_;
    std::vector<std::unique_ptr<Pair>> closed_;  // until no event of this turn can name them
};

void Relay::run() {
    std::array<epoll_event, events_a_turn> events{};
    while (stop_asked == 0) {
        const int count = epoll_wait(epoll_, events.data(), events_a_turn, 1000);
        for (int i = 0; i < count; ++i) {
            auto* side = static_cast<Side*>(events[static_cast<size_t>(i)].data.ptr);
            if (side == nullptr) {
                accept_all();
                continue;
            }
            if (side->pair->closed) {
                continue;
            }
            if ((events[static_cast<size_t>(i)].events & EPOLLOUT) != 0) {
                move(*side->other);
            }
            if (!side->pair->closed && side->held.empty()) {
                move(*side);
            }
        }
        closed_.clear();
    }
}

void Relay::accept_all() {
    for (;;) {
        const int accepted = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0) {
            if (errno != EAGAIN && errno != EINTR) {
                std::fprintf(stderr, "relay: accept: %s\n", std::strerror(errno));
            }
            return;
        }
        if (!join(accepted)) {
            std::fprintf(stderr, "relay: the target does not answer: %s\n", std::strerror(errno));
            close(accepted);
        }
    }
}

bool Relay::join(int accepted) {
    const int out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto* address = reinterpret_cast<const sockaddr*>(&target_);
    if (out < 0 || connect(out, address, sizeof target_) != 0) {
        if (out >= 0) {
            close(out);
        }
        return false;
    }
    auto pair = std::make_unique<Pair>();
    const std::array<int, 2> fds = {accepted, out};
    for (size_t i = 0; i < 2; ++i) {
        Side& side = pair->sides[i];
        const int on = 1;
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        side.pair = pair.get();
        side.other = &pair->sides[1 - i];
        side.fd = fds[i];
        side.watched = EPOLLIN;
        epoll_event event{.events = EPOLLIN, .data = {.ptr = &side}};
        if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fds[i], &event) != 0) {
            std::perror("relay: epoll_ctl");
            std::exit(1);
        }
    }
    static_cast<void>(pair.release());  // its events name it; close_pair() takes it back
    return true;
}

/// Sends what is held; true when nothing is left.
bool Relay::flush(Side& from) {
    while (from.sent < from.held.size()) {
        const ssize_t count = send(from.other->fd, from.held.data() + from.sent,
                                   from.held.size() - from.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0) {
            if (errno != EAGAIN) {
                close_pair(*from.pair);
            }
            return false;
        }
        from.sent += static_cast<size_t>(count);
    }
    from.held.clear();
    from.sent = 0;
    return true;
}

/// From one socket into the other, once: a turn is fair to all.
void Relay::move(Side& from) {
    if (!from.held.empty() && !flush(from)) {
        if (!from.pair->closed) {
            watch(from);
            watch(*from.other);
        }
        return;
    }
    const ssize_t count = recv(from.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        watch(from);
        watch(*from.other);
        return;
    }
    if (count <= 0) {
        close_pair(*from.pair);
        return;
    }
    const auto got = static_cast<size_t>(count);
    const ssize_t sent = send(from.other->fd, buffer_.data(), got, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) {
        close_pair(*from.pair);
        return;
    }
    const size_t taken = sent < 0 ? 0 : static_cast<size_t>(sent);
    if (taken < got) {
        from.held.assign(buffer_.begin() + static_cast<ptrdiff_t>(taken),
                         buffer_.begin() + static_cast<ptrdiff_t>(got));
    }
    watch(from);
    watch(*from.other);
}

/// Reads only while the other side takes; writes only while something is held for it.
void Relay::watch(Side& side) {
    const uint32_t wanted = (side.held.empty() ? uint32_t{EPOLLIN} : 0u) |
                            (side.other->held.empty() ? 0u : uint32_t{EPOLLOUT});
    if (wanted == side.watched) {
        return;
    }
    epoll_event event{.events = wanted, .data = {.ptr = &side}};
    if (epoll_ctl(epoll_, EPOLL_CTL_MOD, side.fd, &event) != 0) {
        std::perror("relay: epoll_ctl");
        std::exit(1);
    }
    side.watched = wanted;
}

void Relay::close_pair(Pair& pair) {
    pair.closed = true;
    for (const Side& side : pair.sides) {
        close(side.fd);
    }
    closed_.emplace_back(&pair);
}

std::optional<int> number(const char* text) {
    int out = 0;
    const char* end = text + std::strlen(text);
    const auto [stop, error] = std::from_chars(text, end, out);
    if (error != std::errc{} || stop != end || out < 0 || out > 65535) {
        return std::nullopt;
    }
    return out;
}

sockaddr_in loopback(int port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(static_cast<uint16_t>(port));
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
}

int listen_on(int port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    const sockaddr_in address = loopback(port);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(fd, backlog) != 0) {
        return -1;
    }
    return fd;
}

int relay(int listen_port, int target_port) {
    const int listener = listen_on(listen_port);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    if (listener < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) {
        std::perror("relay: listen");
        return 1;
    }
    std::puts("relay: ready");
    std::fflush(stdout);
    Relay(epoll, listener, loopback(target_port)).run();
    return 0;
}

}  // namespace
}  // namespace sy

int main(int argc, char** argv) {
    std::array<std::optional<int>, 3> given;
    for (int i = 1; i < argc && i <= 3; ++i) {
        given[static_cast<size_t>(i - 1)] = sy::number(argv[i]);
    }
    if (argc < 3 || argc > 4 || !given[0] || !given[1] || (argc == 4 && !given[2])) {
        std::fputs("usage: relay LISTEN_PORT TARGET_PORT [CPU]     both on 127.0.0.1\n", stderr);
        return 2;
    }
    if (argc == 4) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(static_cast<size_t>(*given[2]), &set);
        if (sched_setaffinity(0, sizeof set, &set) != 0) {
            std::fprintf(stderr, "relay: CPU %d is none of ours\n", *given[2]);
            return 2;
        }
    }
    struct sigaction action{};
    action.sa_handler = [](int) { sy::stop_asked = 1; };
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
    return sy::relay(*given[0], *given[1]);
}
