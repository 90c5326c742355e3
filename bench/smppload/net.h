// Connections for the generator, over kernel sockets (kernel_net.h) or over the userspace stack on
// a DPDK device (dpdk_net.h). One virtual call a turn and one a connection's octets, none a
// message; one send a turn and link. Knows nothing of SMPP. One thread; no heap a message.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/endpoint.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/engine/transport.h"

namespace sy::load {

[[nodiscard]] Nanos now_ns();

/// Octets waiting to be sent. Grows never: who wants to write asks for space first.
class SendBuffer {
  public:
    static constexpr size_t capacity = 1 << 20;

    SendBuffer() : octets_(new uint8_t[capacity]) {}

    [[nodiscard]] size_t space() const { return capacity - (end_ - begin_); }
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    /// Room for `bytes` to write into; commit() says how many it were. REQUIRES: bytes <= space().
    [[nodiscard]] uint8_t* claim(size_t bytes);
    void commit(size_t bytes) { end_ += bytes; }
    [[nodiscard]] Octets waiting() const { return {octets_.get() + begin_, end_ - begin_}; }
    void sent(size_t bytes);

  private:
    std::unique_ptr<uint8_t[]> octets_;  // not initialised: pages come as they are used
    size_t begin_ = 0;
    size_t end_ = 0;
};

class LinkHandler;

struct Link {
    bool live = false;
    int fd = -1;  // kernel_net
    ConnId conn;  // dpdk_net
    LinkHandler* handler = nullptr;
    uint32_t user = 0;  // the handler's index
    bool connecting = false;
    bool closing = false;       // close as soon as everything is sent
    bool dirty = false;         // has something to send this turn
    bool wants_write = false;   // it was full: send again when it calls
    bool reads_paused = false;  // no space for answers: reading waits until some was sent
    SendBuffer out;
    std::vector<uint8_t> carry;  // the start of a PDU whose rest has not arrived

    [[nodiscard]] bool open() const { return live; }
};

class LinkHandler {
  public:
    virtual ~LinkHandler() = default;
    virtual void on_accepted(uint32_t listener, Link& link) = 0;
    virtual void on_connected(Link& link) = 0;
    /// Octets of this link follow soon: a hint, of links that some nets know beforehand.
    virtual void expect(const Link& link) const { (void)link; }
    /// Whole PDUs and the start of one; returns how many octets were consumed.
    virtual size_t on_bytes(Link& link, Octets octets, Nanos now) = 0;
    virtual void on_closed(Link& link, const std::string& reason) = 0;
};

class Net {
  public:
    virtual ~Net() = default;
    Net(const Net&) = delete;
    Net& operator=(const Net&) = delete;

    /// Before the first listen() or connect(): a device may need its peer. Until `deadline`.
    [[nodiscard]] virtual Result<void> wait_for_link(Nanos deadline) = 0;
    /// `at` gets the port that was taken when it asks for port 0.
    [[nodiscard]] virtual Result<void> listen(Endpoint& at,
                                              LinkHandler& handler,
                                              uint32_t listener) = 0;
    virtual void close_listeners() = 0;
    [[nodiscard]] virtual Result<Link*> connect(const Endpoint& to,
                                                LinkHandler& handler,
                                                uint32_t user) = 0;

    /// Waits until something happens, at most until `until` (monotonic), then hands it out. A
    /// device that can only be polled does not wait.
    virtual void poll(Nanos until) = 0;
    /// Queues the link for flush(). Call after writing into link.out.
    void written(Link& link) {
        if (!link.dirty) {
            link.dirty = true;
            dirty_.push_back(&link);
        }
    }
    virtual void flush() = 0;
    void close_when_sent(Link& link) {
        link.closing = true;
        written(link);
    }
    virtual void close_now(Link& link, const std::string& reason) = 0;

    /// Nanoseconds spent working, not waiting, since start.
    [[nodiscard]] Nanos busy_ns() const { return busy_ns_; }

  protected:
    // Answers are never longer than what they answer, receipts are sent apart: a link with so much
    // space takes whatever one read brings.
    static constexpr size_t read_bytes = 256 * 1024;
    static constexpr size_t carry_bytes_max = 72 * 1024;

    Net() : buffer_(new uint8_t[read_bytes]) {}

    /// A new link, open.
    Link& add(LinkHandler& handler, uint32_t user);
    /// The link takes what one read can bring.
    [[nodiscard]] static bool has_room(const Link& link) { return link.out.space() >= read_bytes; }
    /// Hands out the first `size` octets of buffer_, what was carried over in front; keeps the
    /// rest.
    void hand_out(Link& link, size_t size, Nanos now);

    std::vector<std::unique_ptr<Link>> links_;
    std::vector<Link*> dirty_;
    std::unique_ptr<uint8_t[]> buffer_;
    Nanos busy_ns_ = 0;
};

}  // namespace sy::load
