// One blocking SMPP connection for the friendly helpers: whole PDUs in and out, with a deadline.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/smppload/net.h"
#include "core/smpp/framer.h"
#include "core/smpp/status.h"

namespace sy::load {

class Wire {
  public:
    Wire() = default;
    explicit Wire(int fd) : fd_(fd) {}
    ~Wire();
    Wire(Wire&& other) noexcept;
    Wire& operator=(Wire&&) = delete;

    [[nodiscard]] Result<void> connect(const Endpoint& to);
    void send(Octets octets);
    void send_empty(smpp::CommandId id, smpp::CommandStatus status, uint32_t sequence_number);
    void send_sm_resp(smpp::CommandId id, uint32_t sequence_number, std::string_view message_id);
    /// The next PDU, valid until the next call; false at the deadline or when the peer has closed.
    [[nodiscard]] bool receive(smpp::Frame& out, Nanos deadline_ns);
    [[nodiscard]] bool closed() const { return closed_; }
    [[nodiscard]] std::string why() const {
        return closed_ ? "the peer closed the connection" : "nothing came";
    }
    [[nodiscard]] int fd() const { return fd_; }

  private:
    int fd_ = -1;
    bool closed_ = false;
    std::vector<uint8_t> buffer_;
    size_t used_ = 0;
};

/// A listening socket, or why not.
[[nodiscard]] Result<int> listen_on(const Endpoint& at);

}  // namespace sy::load
