#include "io/kernel/socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

namespace sy::kernel {
namespace {

constexpr size_t v4_offset = 12;  // the IPv4 address inside ::ffff:a.b.c.d

template <class T>
void set_option(int fd, int level, int name, T value) {
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

std::unexpected<Error> listen_error(const Endpoint& endpoint, int error) {
    const std::string what = "cannot listen on " + to_string(endpoint) + ": ";
    switch (error) {
        case EADDRINUSE:
            return fail(what + "the port is in use by another program; stop it (ss -ltnp shows " +
                        "which) or listen on another port");
        case EACCES:
        case EPERM:
            return fail(what + "no privilege for this port; use a port from 1024 up, or grant " +
                        "CAP_NET_BIND_SERVICE");
        case EADDRNOTAVAIL:
            return fail(what + "this machine has no such address (ip address shows those it " +
                        "has); listen on one of them, or on 0.0.0.0 or [::] for all");
        case EMFILE:
        case ENFILE:
            return fail(what + "the limit on open files is reached; raise it (ulimit -n, or " +
                        "LimitNOFILE= in the unit)");
        case EAFNOSUPPORT:
            return fail(what + "this kernel has no such address family; use an IPv4 address");
        default:
            return fail(with_errno(what.substr(0, what.size() - 2), error));
    }
}

}  // namespace

void Fd::reset() {
    if (fd_ >= 0) {
        ::close(fd_);
        fd_ = -1;
    }
}

std::string with_errno(std::string what, int error) {
    return std::move(what) + ": " + std::generic_category().message(error);
}

SocketAddress to_socket_address(const Endpoint& endpoint) {
    SocketAddress out;
    if (is_ipv4(endpoint)) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(endpoint.port);
        std::memcpy(&v4.sin_addr, endpoint.address.data() + v4_offset, sizeof v4.sin_addr);
        std::memcpy(&out.storage, &v4, sizeof v4);
        out.length = sizeof v4;
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(endpoint.port);
        std::memcpy(&v6.sin6_addr, endpoint.address.data(), sizeof v6.sin6_addr);
        std::memcpy(&out.storage, &v6, sizeof v6);
        out.length = sizeof v6;
    }
    return out;
}

Endpoint to_endpoint(const sockaddr_storage& address) {
    Endpoint out;
    if (address.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        out.port = ntohs(v4.sin_port);
        out.address[10] = out.address[11] = 0xFF;
        std::memcpy(out.address.data() + v4_offset, &v4.sin_addr, sizeof v4.sin_addr);
    } else if (address.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address, sizeof v6);
        out.port = ntohs(v6.sin6_port);
        std::memcpy(out.address.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    }
    return out;
}

Endpoint local_endpoint(int fd) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
        return {};
    }
    return to_endpoint(address);
}

void apply_options(int fd, const SocketOptions& options) {
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
               static_cast<unsigned>(options.user_timeout_ns / millisecond_ns));
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(options.keepalive_idle_s));
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(options.keepalive_interval_s));
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, static_cast<int>(options.keepalive_probes));
    if (options.send_buffer_bytes != 0) {
        set_option(fd, SOL_SOCKET, SO_SNDBUF, static_cast<int>(options.send_buffer_bytes));
    }
    if (options.receive_buffer_bytes != 0) {
        set_option(fd, SOL_SOCKET, SO_RCVBUF, static_cast<int>(options.receive_buffer_bytes));
    }
}

Result<Fd> open_listener(const Endpoint& endpoint, const SocketOptions& options, bool shared) {
    SocketAddress address = to_socket_address(endpoint);
    Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) {
        return listen_error(endpoint, errno);
    }
    set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (shared) {
        set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (address.storage.ss_family == AF_INET6) {
        // An IPv4 listener on the same port is its own line of the configuration.
        set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    }
    apply_options(fd.get(), options);
    if (::bind(fd.get(), address.get(), address.length) != 0) {
        return listen_error(endpoint, errno);
    }
    // Customers reconnect all at once after a restart; the kernel caps this at net.core.somaxconn.
    constexpr int backlog = 4096;
    if (::listen(fd.get(), backlog) != 0) {
        return listen_error(endpoint, errno);
    }
    return fd;
}

Result<void> check_can_listen(const Endpoint& endpoint) {
    if (endpoint.port == 0) {
        return {};  // any free port
    }
    if (auto fd = open_listener(endpoint, SocketOptions{}, false); !fd) {
        return std::unexpected(std::move(fd).error());
    }
    return {};
}

uint64_t raise_open_files_limit(uint64_t wanted) {
    rlimit now{};
    if (getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur >= wanted) {
        return now.rlim_cur;
    }
    const rlimit both{.rlim_cur = wanted, .rlim_max = std::max<rlim_t>(wanted, now.rlim_max)};
    if (setrlimit(RLIMIT_NOFILE, &both) == 0) {
        return wanted;
    }
    const rlimit soft{.rlim_cur = std::min<rlim_t>(wanted, now.rlim_max), .rlim_max = now.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &soft) == 0 ? soft.rlim_cur : now.rlim_cur;
}

}  // namespace sy::kernel
