#include "bench/smppload/wire.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "bench/smppload/socket_address.h"
#include "core/smpp/encode.h"

namespace sy::load {

Wire::~Wire() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

Wire::Wire(Wire&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      closed_(other.closed_),
      buffer_(std::move(other.buffer_)),
      used_(other.used_) {}

Result<void> Wire::connect(const Endpoint& to) {
    SocketAddress address(to);
    fd_ = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0 || ::connect(fd_, address.get(), address.size()) != 0) {
        return fail(fmt::format("cannot connect to {}: {}", to_string(to), std::strerror(errno)));
    }
    return {};
}

void Wire::send(Octets octets) {
    while (!octets.empty() && !closed_) {
        const ssize_t sent = ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            closed_ = true;
        } else if (sent > 0) {
            octets = octets.subspan(static_cast<size_t>(sent));
        }
    }
}

void Wire::send_empty(smpp::CommandId id, smpp::CommandStatus status, uint32_t sequence_number) {
    std::array<uint8_t, 16> out;
    send({out.data(), smpp::encode_empty(out, id, status, sequence_number)});
}

void Wire::send_sm_resp(smpp::CommandId id, uint32_t sequence_number, std::string_view message_id) {
    std::array<uint8_t, 128> out;
    smpp::SmResp resp;
    resp.message_id = message_id;
    send({out.data(), smpp::encode_sm_resp(out, id, sequence_number, resp)});
}

bool Wire::receive(smpp::Frame& out, Nanos deadline_ns) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ = 0;
    for (;;) {
        Octets stream = buffer_;
        const auto outcome = smpp::next_frame(stream, limits::pdu_bytes_max, out);
        if (outcome == smpp::FrameOutcome::complete) {
            used_ = out.header.command_length;
            return true;
        }
        if (outcome != smpp::FrameOutcome::need_more) {
            closed_ = true;
        }
        const Nanos now = now_ns();
        if (closed_) {
            return false;
        }
        pollfd wanted{fd_, POLLIN, 0};
        const Nanos left = deadline_ns > now ? deadline_ns - now : 0;
        const int ready = poll(&wanted, 1, static_cast<int>((left + 999'999) / 1'000'000));
        if (ready <= 0) {
            return false;  // the deadline, or a signal
        }
        std::array<uint8_t, 16384> chunk;
        const ssize_t got = recv(fd_, chunk.data(), chunk.size(), 0);
        if (got <= 0) {
            closed_ = true;
        } else {
            buffer_.insert(buffer_.end(), chunk.data(), chunk.data() + got);
        }
    }
}

Result<int> listen_on(const Endpoint& at) {
    SocketAddress address(at);
    const int fd = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, address.get(), address.size()) != 0 || listen(fd, 16) != 0) {
        const int error = errno;
        if (fd >= 0) {
            close(fd);
        }
        return fail(fmt::format("cannot listen on {}: {}", to_string(at), std::strerror(error)));
    }
    return fd;
}

}  // namespace sy::load
