// The system calls around sockets that are not on the message path: addresses, options, listening
// and connecting sockets, the limit on open files. Errors are ready to be shown to an operator.
#pragma once

#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <utility>

#include "core/base/endpoint.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace sy::kernel {

/// Owns a file descriptor.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool valid() const { return fd_ >= 0; }
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    void reset();

  private:
    int fd_ = -1;
};

struct SocketOptions {
    Nanos user_timeout_ns = 60 * second_ns;  // unacknowledged this long: the link is dead
    uint32_t keepalive_idle_s = 60;          // then probes; SMPP's enquire_link is the main check
    uint32_t keepalive_interval_s = 10;
    uint32_t keepalive_probes = 3;
    uint32_t send_buffer_bytes = 0;     // 0: the kernel tunes it
    uint32_t receive_buffer_bytes = 0;  // 0: the kernel tunes it
};

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};
[[nodiscard]] SocketAddress to_socket_address(const Endpoint& endpoint);
[[nodiscard]] Endpoint to_endpoint(const sockaddr_storage& address);
[[nodiscard]] Endpoint local_endpoint(int fd);

/// TCP_NODELAY, TCP_USER_TIMEOUT, keepalive, buffers. Failures are ignored: none of these is needed
/// for a right answer.
void apply_options(int fd, const SocketOptions& options);

/// A listening socket; `shared`: SO_REUSEPORT, so that each worker has its own.
[[nodiscard]] Result<Fd> open_listener(const Endpoint& endpoint,
                                       const SocketOptions& options,
                                       bool shared);

/// Fails with the text of listen() when anybody has the port. SO_REUSEPORT lets a second process
/// of the same user share a port without a word, so call this once before the workers listen.
[[nodiscard]] Result<void> check_can_listen(const Endpoint& endpoint);

/// Raises the soft limit on open files to `wanted` (and the hard one where privilege allows).
/// Returns the limit that is in force afterwards.
uint64_t raise_open_files_limit(uint64_t wanted);

/// "what: reason" with the system's words for the error number.
[[nodiscard]] std::string with_errno(std::string what, int error);

}  // namespace sy::kernel
