// Echo over any transport (core/engine/transport.h): a server that gives back what it gets, and a
// client of many connections that knows every octet that must come back. Both ends of the tests
// against Linux are this code, one end over kernel sockets, the other over our stack. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/endpoint.h"
#include "core/base/prng.h"
#include "core/engine/transport.h"

namespace sy::interop {

template <class T>
class EchoServer {
  public:
    explicit EchoServer(T& transport) : transport_(transport) {}

    void on_accepted(ConnId, const Endpoint&) {
        ++accepted;
        ++open;
        open_max = std::max(open_max, open);
    }
    void on_connected(ConnId) { SY_ASSERT(false); }
    size_t on_bytes(ConnId conn, Octets octets) {
        const size_t taken = transport_.send(conn, octets);
        if (taken < octets.size()) {
            transport_.pause(conn);
        }
        echoed += taken;
        return taken;
    }
    void on_writable(ConnId conn) { transport_.resume(conn); }
    void on_closed(ConnId, CloseReason reason) {
        --open;
        ++closed[static_cast<size_t>(reason)];
    }

    uint64_t accepted = 0;
    uint64_t open = 0;
    uint64_t open_max = 0;
    uint64_t echoed = 0;
    std::array<uint64_t, 5> closed{};  // by CloseReason

  private:
    T& transport_;
};

/// What connection `index` sends: a block of noise again and again, begun at another place by each.
class Pattern {
  public:
    static constexpr uint32_t period = 65'521;  // prime: no segment size divides it
    static constexpr uint32_t piece_max = 64 * 1024;

    Pattern() : block_(period + piece_max) {
        Prng prng(0x5eed);
        for (uint32_t i = 0; i < period; ++i) {
            block_[i] = static_cast<uint8_t>(prng());
        }
        std::copy_n(block_.begin(), piece_max, block_.begin() + period);
    }
    /// At most piece_max octets from `offset` on.
    [[nodiscard]] Octets at(uint32_t index, uint64_t offset, size_t count) const {
        const uint64_t begin = (index * uint64_t{7919} + offset) % period;
        return {block_.data() + begin, std::min<size_t>(count, piece_max)};
    }

  private:
    std::vector<uint8_t> block_;
};

struct ClientPlan {
    std::vector<Endpoint> servers;  // connection i goes to server i mod their number
    uint32_t connections = 1;
    uint32_t connecting_max = 200;  // at a time
    // Every second connection (`mixed`), or all: sends all it has at once (bulk), else waits for
    // the echo of each message before it sends the next (ping-pong).
    bool bulk = true;
    bool ping_pong = true;
    uint64_t bulk_octets = 16'384;
    // Bulk flows that send at a time: the queues of veth and of the DPDK driver hold few frames.
    uint32_t bulk_max = 16;
    uint64_t message_octets = 200;
    uint64_t messages = 10;
    bool endless = false;  // ping-pong goes on until stop()
};

template <class T>
class EchoClient {
  public:
    EchoClient(T& transport, const ClientPlan& plan)
        : transport_(transport),
          plan_(plan),
          flows_(plan.connections),
          flow_of_(transport.connections_max(), none) {
        waiting_.reserve(plan.connections);
    }

    /// Opens what is still to be opened. Once a turn.
    void step() {
        while (begun_ < plan_.connections && connecting_ < plan_.connecting_max) {
            const auto conn = transport_.connect(plan_.servers[begun_ % plan_.servers.size()]);
            if (!conn) {
                return;  // no slot now: the ones that end make room
            }
            SY_ASSERT(conn->slot < flow_of_.size());
            flow_of_[conn->slot] = begun_;
            flows_[begun_] = {.conn = *conn, .total = total_of(begun_)};
            ++begun_;
            ++connecting_;
        }
    }
    /// Endless flows end with what they have sent.
    void stop() { stopping_ = true; }
    [[nodiscard]] bool is_done() const { return ended_ == plan_.connections; }
    [[nodiscard]] uint32_t established() const { return established_; }

    void on_accepted(ConnId, const Endpoint&) { SY_ASSERT(false); }
    void on_connected(ConnId conn) {
        --connecting_;
        ++established_;
        Flow& flow = flow_of(conn);
        flow.is_connected = true;
        const uint32_t index = flow_of_[conn.slot];
        if (!is_bulk(index)) {
            push(index, flow);
        } else {
            waiting_.push_back(index);
            begin_bulk();
        }
    }
    size_t on_bytes(ConnId conn, Octets octets) {
        Flow& flow = flow_of(conn);
        check(flow_of_[conn.slot], flow, octets);
        flow.received += octets.size();
        verified += octets.size();
        if (flow.received == flow.sent && (flow.received >= flow.total || stopping_)) {
            flow.is_complete = flow.received >= flow.total || plan_.endless;
            transport_.close(conn);
        } else {
            push(flow_of_[conn.slot], flow);
        }
        return octets.size();
    }
    void on_writable(ConnId conn) { push(flow_of_[conn.slot], flow_of(conn)); }
    void on_closed(ConnId conn, CloseReason reason) {
        Flow& flow = flow_of(conn);
        connecting_ -= flow.is_connected ? 0U : 1U;
        complete += flow.is_complete ? 1U : 0U;
        if (!flow.is_complete) {
            ++failed[static_cast<size_t>(reason)];
        }
        flow_of_[conn.slot] = none;
        ++ended_;
        if (flow.is_begun) {
            --bulk_active_;
            begin_bulk();
        }
    }

    uint64_t verified = 0;             // octets that came back, compared
    uint64_t wrong = 0;                // of them: not the octet that was sent
    uint64_t complete = 0;             // connections that got everything back
    std::array<uint64_t, 5> failed{};  // the others, by CloseReason

  private:
    static constexpr uint32_t none = 0xFFFFFFFF;

    struct Flow {
        ConnId conn;
        uint64_t total = 0;
        uint64_t sent = 0;
        uint64_t received = 0;
        bool is_connected = false;
        bool is_begun = false;  // bulk
        bool is_complete = false;
    };

    Flow& flow_of(ConnId conn) {
        const uint32_t index = flow_of_[conn.slot];
        SY_ASSERT(index != none && flows_[index].conn == conn);
        return flows_[index];
    }
    [[nodiscard]] bool is_bulk(uint32_t index) const {
        // By pairs, so that both kinds go to each of two servers.
        return plan_.bulk && (!plan_.ping_pong || (index / 2) % 2 == 0);
    }
    [[nodiscard]] uint64_t total_of(uint32_t index) const {
        if (is_bulk(index)) {
            return plan_.bulk_octets;
        }
        return plan_.endless ? ~uint64_t{0} : plan_.message_octets * plan_.messages;
    }
    void begin_bulk() {
        while (next_bulk_ < waiting_.size() && bulk_active_ < plan_.bulk_max) {
            const uint32_t index = waiting_[next_bulk_++];
            if (flow_of_[flows_[index].conn.slot] != index) {
                continue;  // it has ended meanwhile
            }
            ++bulk_active_;
            flows_[index].is_begun = true;
            push(index, flows_[index]);
        }
    }
    void push(uint32_t index, Flow& flow) {
        // A ping-pong flow has at most one message under way.
        uint64_t limit = flow.total;
        if (!is_bulk(index)) {
            const bool answered = flow.received == flow.sent && !(stopping_ && plan_.endless);
            const uint64_t begun = flow.sent - flow.sent % plan_.message_octets;
            const bool cut = flow.sent % plan_.message_octets != 0;
            limit = answered || cut ? begun + plan_.message_octets : flow.sent;
        }
        while (flow.sent < limit) {
            const Octets piece = pattern_.at(index, flow.sent, limit - flow.sent);
            const size_t taken = transport_.send(flow.conn, piece);
            flow.sent += taken;
            if (taken < piece.size()) {
                return;  // on_writable follows
            }
        }
    }
    void check(uint32_t index, const Flow& flow, Octets octets) {
        if (flow.received + octets.size() > flow.sent) {
            wrong += octets.size();  // more than was sent
            return;
        }
        uint64_t at = flow.received;
        while (!octets.empty()) {
            const Octets expected = pattern_.at(index, at, octets.size());
            for (size_t i = 0; i < expected.size(); ++i) {
                wrong += expected[i] == octets[i] ? 0U : 1U;
            }
            at += expected.size();
            octets = octets.subspan(expected.size());
        }
    }

    T& transport_;
    ClientPlan plan_;
    Pattern pattern_;
    std::vector<Flow> flows_;
    std::vector<uint32_t> flow_of_;  // by slot
    std::vector<uint32_t> waiting_;  // bulk flows that are connected, from next_bulk_ on not begun
    size_t next_bulk_ = 0;
    uint32_t bulk_active_ = 0;
    uint32_t begun_ = 0;
    uint32_t connecting_ = 0;
    uint32_t established_ = 0;
    uint32_t ended_ = 0;
    bool stopping_ = false;
};

}  // namespace sy::interop
