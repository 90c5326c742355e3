#include "bench/smppload/kernel_net.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bench/smppload/socket_address.h"
#include "core/base/assert.h"

namespace sy::load {
namespace {

uint16_t bound_port(int fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
    in_port_t port = 0;
    // sin_port and sin6_port stand at the same place.
    std::memcpy(&port, reinterpret_cast<const char*>(&storage) + offsetof(sockaddr_in, sin_port),
                sizeof port);
    return ntohs(port);
}

int new_socket(const Endpoint& endpoint) {
    return socket(is_ipv4(endpoint) ? AF_INET : AF_INET6,
                  SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

}  // namespace

KernelNet::KernelNet() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    SY_ASSERT(epoll_ >= 0);
    work_since_ns_ = now_ns();
}

KernelNet::~KernelNet() {
    for (const auto& link : links_) {
        if (link->open()) {
            ::close(link->fd);
        }
    }
    close_listeners();
    ::close(epoll_);
}

Result<void> KernelNet::listen(Endpoint& at, LinkHandler& handler, uint32_t listener) {
    const int fd = new_socket(at);
    const int on = 1;
    const SocketAddress address(at);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, address.get(), address.size()) != 0 || ::listen(fd, 512) != 0) {
        const int error = errno;
        if (fd >= 0) {
            ::close(fd);
        }
        return fail(fmt::format("cannot listen on {}: {}", to_string(at), std::strerror(error)));
    }
    at.port = bound_port(fd);
    listeners_.push_back(std::make_unique<Listener>(Listener{fd, &handler, listener}));
    epoll_event event{};
    event.events = EPOLLIN;
    // The lowest bit tells listeners from links.
    event.data.u64 = reinterpret_cast<uint64_t>(listeners_.back().get()) | 1;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    return {};
}

void KernelNet::close_listeners() {
    for (const auto& listener : listeners_) {
        if (listener->fd >= 0) {
            ::close(listener->fd);
            listener->fd = -1;
        }
    }
}

Link& KernelNet::add_socket(int fd, LinkHandler& handler, uint32_t user) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Link& link = add(handler, user);
    link.fd = fd;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &link;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    return link;
}

Result<Link*> KernelNet::connect(const Endpoint& to, LinkHandler& handler, uint32_t user) {
    const int fd = new_socket(to);
    const SocketAddress address(to);
    if (fd < 0 || (::connect(fd, address.get(), address.size()) != 0 && errno != EINPROGRESS)) {
        const int error = errno;
        if (fd >= 0) {
            ::close(fd);
        }
        return fail(fmt::format("cannot connect to {}: {}", to_string(to), std::strerror(error)));
    }
    Link& link = add_socket(fd, handler, user);
    link.connecting = true;
    link.wants_write = true;
    update(link);
    return &link;
}

void KernelNet::update(Link& link) {
    epoll_event event{};
    event.events = (link.reads_paused ? 0u : static_cast<uint32_t>(EPOLLIN)) |
                   (link.wants_write ? static_cast<uint32_t>(EPOLLOUT) : 0u);
    event.data.ptr = &link;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, link.fd, &event);
}

void KernelNet::accept_all(Listener& listener) {
    for (;;) {
        const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        Link& link = add_socket(fd, *listener.handler, 0);
        listener.handler->on_accepted(listener.number, link);
    }
}

void KernelNet::poll(Nanos until) {
    std::array<epoll_event, 256> events;
    const Nanos before = now_ns();
    busy_ns_ += before - work_since_ns_;
    timespec wait{};
    if (until > before) {
        const Nanos left = until - before;
        wait.tv_sec = static_cast<time_t>(left / second_ns);
        wait.tv_nsec = static_cast<long>(left % second_ns);
    }
    const int count =
        epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
    work_since_ns_ = now_ns();
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<size_t>(i)];
        if ((event.data.u64 & 1) != 0) {
            accept_all(*reinterpret_cast<Listener*>(event.data.u64 & ~uint64_t{1}));
            continue;
        }
        Link& link = *static_cast<Link*>(event.data.ptr);
        if (!link.open()) {
            continue;
        }
        if ((event.events & EPOLLOUT) != 0) {
            if (link.connecting) {
                int error = 0;
                socklen_t size = sizeof error;
                getsockopt(link.fd, SOL_SOCKET, SO_ERROR, &error, &size);
                if (error != 0) {
                    close_now(link, std::strerror(error));
                    continue;
                }
                link.connecting = false;
                link.handler->on_connected(link);
            }
            send(link);
        }
        if (link.open() && (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
            read(link);
        }
    }
}

void KernelNet::read(Link& link) {
    if (!has_room(link)) {
        link.reads_paused = true;
        update(link);
        return;
    }
    const size_t kept = link.carry.size();
    std::memcpy(buffer_.get(), link.carry.data(), kept);
    const ssize_t got = recv(link.fd, buffer_.get() + kept, read_bytes - kept, 0);
    if (got <= 0) {
        if (got == 0) {
            close_now(link, "closed by the peer");
        } else if (errno != EAGAIN && errno != EINTR) {
            close_now(link, std::strerror(errno));
        }
        return;
    }
    hand_out(link, kept + static_cast<size_t>(got), now_ns());
}

void KernelNet::send(Link& link) {
    const Octets waiting = link.out.waiting();
    ssize_t taken = 0;
    if (!waiting.empty()) {
        taken = ::send(link.fd, waiting.data(), waiting.size(), MSG_NOSIGNAL);
        if (taken < 0 && errno != EAGAIN && errno != EINTR) {
            close_now(link, std::strerror(errno));
            return;
        }
        link.out.sent(taken < 0 ? 0 : static_cast<size_t>(taken));
    }
    if (link.closing && link.out.empty()) {
        close_now(link, "");
        return;
    }
    const bool full = !link.out.empty();
    const bool resume = link.reads_paused && has_room(link);
    if (full != link.wants_write || resume) {
        link.wants_write = full;
        link.reads_paused = link.reads_paused && !resume;
        update(link);
    }
}

void KernelNet::flush() {
    for (size_t i = 0; i < dirty_.size(); ++i) {
        Link& link = *dirty_[i];
        link.dirty = false;
        // A socket that was full calls for its data itself.
        if (link.open() && !link.wants_write) {
            send(link);
        }
    }
    dirty_.clear();
}

void KernelNet::close_now(Link& link, const std::string& reason) {
    if (!link.open()) {
        return;
    }
    ::close(link.fd);
    link.fd = -1;
    link.live = false;
    link.handler->on_closed(link, reason);
}

}  // namespace sy::load
