// Runs a program of operations, given as octets, over one userspace stack: segments thrown at its
// connections, relative to what they said last, calls of its user, time that passes, a port that
// refuses. After every turn it checks what must hold; a broken rule aborts. The same octets do the
// same again, so that a fuzzer can search for programs and two stacks can be compared.
//
// What is checked: the stack's invariants; octets delivered are in order, without a gap, and were
// injected for their place; what leaves is well-formed, fits the link and carries what the user
// gave; every connection is closed once, and silent then; no reset answers a reset, no segment is
// answered by more than one acknowledgement; in the end everything was given back.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/tcpip/transport.h"
#include "tests/support/fake_port.h"
#include "tests/support/frames.h"
#include "tests/support/stack_flow.h"

namespace sy::tcpip {

class StackProgram {
  public:
    /// `tracing`: trace() tells everything that left and every event.
    StackProgram(Octets program, bool fast_path, bool tracing);
    ~StackProgram();
    StackProgram(const StackProgram&) = delete;
    StackProgram& operator=(const StackProgram&) = delete;

    void run();
    [[nodiscard]] const std::vector<std::string>& trace() const { return trace_; }
    [[nodiscard]] const TcpCounters& counters() const { return transport_->stack().counters(); }
    /// Whether the program asks to be compared over two stacks.
    [[nodiscard]] static bool wants_comparison(Octets program) {
        return !program.empty() && (program[0] & 1) != 0;
    }

    // TransportHandler.
    void on_accepted(ConnId conn, const Endpoint& peer);
    void on_connected(ConnId conn);
    size_t on_bytes(ConnId conn, Octets octets);
    void on_writable(ConnId conn);
    void on_closed(ConnId conn, CloseReason reason);

  private:
    using Bytes = frames::Bytes;
    struct User {  // a connection as its user knows it
        ConnId id;
        FlowKey key;
        uint32_t iss = 0;
        uint32_t irs = 0;
        uint32_t delivered = 0;
        uint32_t sent = 0;
        bool up = false;
        bool closed = false;
        Bytes left;  // offered and not taken: comes first the next time
    };
    struct Segment {
        uint8_t flags = 0x10;
        uint32_t seq = 0;
        uint32_t ack = 0;
        uint16_t window = 0xFFFF;
        uint32_t payload_bytes = 0;
        uint32_t version = 0;
        int32_t timestamp_delta = 0;
        bool timestamps = true;
        bool bad_checksum = false;
        std::vector<uint32_t> sack;  // begin and end of each block
    };
    // What the user does with octets that are offered.
    enum class Appetite : uint8_t { all, none, half, one, echo, pause, abort, close, count };

    [[nodiscard]] uint8_t take();
    [[nodiscard]] int32_t take_signed() { return static_cast<int8_t>(take()); }

    // stack_program.cc: operations.
    void start(bool fast_path);
    void step();
    void do_segment();
    void do_polite();
    void do_syn();
    void do_handshake(uint8_t how);
    void do_user();
    void do_connect();
    void do_port();
    void do_again();
    void do_raw();
    void do_icmp();
    void do_neighbour();
    void pass(Nanos ns);
    void pass_to_next();
    void turn();
    void finish();

    // stack_program_peer.cc: frames in and out.
    [[nodiscard]] Flow* pick(uint8_t which);
    [[nodiscard]] User* user_of(ConnId conn);
    [[nodiscard]] User& begin_user(ConnId conn);
    [[nodiscard]] FlowKey passive_key(uint8_t which) const;
    void send_from_peer(Flow& flow, const Segment& segment);
    void send_in_order(Flow& flow, uint8_t flags, uint32_t payload_bytes);
    [[nodiscard]] Bytes options_of(const Flow& flow, const Segment& segment) const;
    [[nodiscard]] Bytes to_stack(const FlowKey& key, uint8_t protocol, const Bytes& l4) const;
    void inject(const Bytes& frame, bool wild, bool trusted = false);
    void look_at_sent();
    void check_segment(const SeenSegment& segment);
    void answer_neighbour(const Bytes& frame);
    void answer_arp(const IpAddress& address, uint16_t operation, bool other_mac);
    void answer_solicitation(const IpAddress& address, uint8_t flags, bool other_mac);
    void note(const std::string& line);
    void user_sends(User& user, uint32_t octets);

    Octets program_;
    size_t at_ = 0;
    bool tracing_;
    std::vector<std::string> trace_;
    FakePort port_;
    std::unique_ptr<TcpTransport> transport_;
    Nanos now_ns_ = second_ns;
    FlowTableSeen flows_;
    std::map<uint64_t, User> users_;
    std::vector<uint64_t> user_order_;
    Appetite appetite_ = Appetite::all;
    bool neighbours_answer_ = true;
    Bytes last_;             // injected
    uint32_t injected_ = 0;  // since the last turn

    // For what may leave at most.
    uint64_t segments_injected_ = 0;
    uint64_t not_resets_injected_ = 0;
    uint64_t aborts_ = 0;
    uint64_t reads_ = 0;
    uint64_t acks_seen_ = 0;
    uint64_t resets_seen_ = 0;
};

/// Runs it, over two stacks if it wants that; aborts when they differ.
void run_stack_program(Octets program);

}  // namespace sy::tcpip
