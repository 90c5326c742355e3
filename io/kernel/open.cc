// How connections come about: listeners and what they accept, connect() and its outcome.
#include <cerrno>
#include <fcntl.h>

#include <fmt/format.h>

#include "io/kernel/epoll.h"
#include "io/kernel/transport.h"

namespace sy::kernel {
namespace {

// Accepting stops this long after an error that is not the peer's, so that it cannot spin.
constexpr Nanos accept_pause_ns = 100 * millisecond_ns;

// Connecting to a free local port of the ephemeral range can meet itself (simultaneous open).
bool met_itself(int fd) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    return getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) == 0 &&
           to_endpoint(peer) == local_endpoint(fd);
}

}  // namespace

Result<void> KernelTransport::listen(const Endpoint& endpoint) {
    auto fd = open_listener(endpoint, options_.socket, true);
    if (!fd) {
        return std::unexpected(std::move(fd).error());
    }
    const auto index = static_cast<uint32_t>(listeners_.size());
    if (!watch(epoll_.get(), EPOLL_CTL_ADD, fd->get(), EPOLLIN,
               token(detail::listener_base + index, 0))) {
        return fail(with_errno("cannot watch the listener " + to_string(endpoint), errno));
    }
    const Endpoint local = local_endpoint(fd->get());
    listeners_.push_back({std::move(*fd), local});
    return {};
}

Endpoint KernelTransport::listener_endpoint(size_t index) const {
    return listeners_.at(index).endpoint;
}

void KernelTransport::close_listeners() {
    for (Listener& listener : listeners_) {
        listener.fd.reset();  // entries stay: a poll() up the stack may hold a reference
    }
}

ConnId KernelTransport::accept_one(Listener& listener, Endpoint& peer) {
    constexpr uint32_t tries_max = 64;
    for (uint32_t i = 0; i < tries_max; ++i) {
        sockaddr_storage address{};
        socklen_t length = sizeof address;
        const int fd = accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&address), &length,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (accept_failed(listener, errno)) {
                continue;
            }
            break;
        }
        if (free_slots_.empty()) {
            count(counters_.refused_slots);
            close_with_reset(fd);
            continue;
        }
        apply_options(fd, options_.socket);
        const uint32_t slot = take_slot(fd, State::open);
        if (!watch(epoll_.get(), EPOLL_CTL_ADD, fd, connection_events,
                   token(slot, connections_[slot].generation))) {
            count(counters_.accept_errors);
            close_with_reset(fd);
            connections_[slot].fd = -1;
            connections_[slot].state = State::free;
            free_slots_.push_back(slot);
            continue;
        }
        count(counters_.accepted);
        peer = to_endpoint(address);
        return id_of(slot);
    }
    return {};
}

/// True: try again at once.
bool KernelTransport::accept_failed(Listener& listener, int error) {
    switch (error) {
        case EAGAIN:
            return false;
        case ECONNABORTED:
        case EINTR:
            return true;
        case EMFILE:
        case ENFILE:
            // A connection that cannot be accepted would be reported for ever. One descriptor is
            // kept back to take it and tell its peer.
            if (reserve_.valid()) {
                reserve_.reset();
                const int fd = accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC);
                // The kernel looks for a descriptor first: EMFILE comes also with nothing to take.
                const bool none_left = fd < 0 && errno == EAGAIN;
                if (fd >= 0) {
                    close_with_reset(fd);
                    count(counters_.refused_files);
                }
                reserve_ = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
                if ((fd >= 0 || none_left) && reserve_.valid()) {
                    return fd >= 0;
                }
            }
            [[fallthrough]];
        default:
            count(counters_.accept_errors);
            pause_accepting();
            return false;
    }
}

void KernelTransport::pause_accepting() {
    accept_again_ns_ = monotonic_now() + accept_pause_ns;
    for (uint32_t i = 0; i < listeners_.size(); ++i) {
        if (listeners_[i].fd.valid()) {
            watch(epoll_.get(), EPOLL_CTL_MOD, listeners_[i].fd.get(), 0,
                  token(detail::listener_base + i, 0));
        }
    }
}

void KernelTransport::resume_accepting() {
    accept_again_ns_ = 0;
    if (!reserve_.valid()) {
        reserve_ = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    for (uint32_t i = 0; i < listeners_.size(); ++i) {
        if (listeners_[i].fd.valid()) {
            watch(epoll_.get(), EPOLL_CTL_MOD, listeners_[i].fd.get(), EPOLLIN,
                  token(detail::listener_base + i, 0));
        }
    }
}

Result<ConnId> KernelTransport::connect(const Endpoint& endpoint) {
    if (free_slots_.empty()) {
        return fail(fmt::format("cannot connect to {}: connections_max {} is reached",
                                to_string(endpoint), connections_.size()));
    }
    SocketAddress address = to_socket_address(endpoint);
    Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) {
        return fail(with_errno("cannot connect to " + to_string(endpoint), errno));
    }
    apply_options(fd.get(), options_.socket);
    int error = 0;
    if (::connect(fd.get(), address.get(), address.length) != 0 && errno != EINPROGRESS) {
        error = errno;
        if (error == EADDRNOTAVAIL || error == EAGAIN) {
            return fail("cannot connect to " + to_string(endpoint) + ": no free local port");
        }
    }
    const uint32_t slot = take_slot(fd.get(), State::connecting);
    const ConnId conn = id_of(slot);
    const int raw = fd.release();
    if (error == 0 &&
        !watch(epoll_.get(), EPOLL_CTL_ADD, raw, connection_events, token(slot, conn.generation))) {
        error = errno;
    }
    start_timer(slot, monotonic_now() + options_.connect_timeout_ns);
    if (error != 0) {
        kill(slot,
             error == ECONNREFUSED ? CloseReason::connect_refused : CloseReason::connect_failed);
    }
    return conn;
}

/// True: connected. False: nothing known yet, or failed and on_closed is due.
bool KernelTransport::finish_connect(uint32_t slot) {
    const int fd = connections_[slot].fd;
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
        error = errno;
    }
    if (error == 0 && met_itself(fd)) {
        error = ECONNREFUSED;
    }
    if (error != 0) {
        kill(slot,
             error == ECONNREFUSED ? CloseReason::connect_refused : CloseReason::connect_failed);
        return false;
    }
    stop_timer(slot);
    connections_[slot].state = State::open;
    return true;
}

}  // namespace sy::kernel
