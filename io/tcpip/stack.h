// One TCP/IP stack: everything of one worker on one packet port, nothing shared, no lock, no heap
// after construction. TcpTransport (transport.h) is its face towards the engine; this class is the
// protocol: RFC 9293 with what README.md lists. Time is an argument of every turn.
//
// A turn: send_pending() turns what the user gave since the last turn into segments; receive()
// takes a burst of frames through parse -> look up -> process and leaves events; the transport
// hands the events to its handler while the frames are still there, then calls release();
// run_timers() does what is due. Acknowledgements are decided in send_pending(), that is after the
// user has had the chance to answer, so most of them ride on data.
//
// Files: stack.cc turn and table of connections, express.cc the short road, input.cc segments,
// payload.cc their octets, acknowledge.cc what an acknowledgement means, output.cc segments out,
// segment_size.cc, timers.cc, half_open.cc SYN cache and cookies, open_close.cc the user's calls,
// time_wait.cc.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/endpoint.h"
#include "core/base/fixed_vector.h"
#include "core/base/result.h"
#include "core/base/slot_queue.h"
#include "core/engine/transport.h"
#include "io/tcpip/connection.h"
#include "io/tcpip/counters.h"
#include "io/tcpip/flow_table.h"
#include "io/tcpip/frame_out.h"
#include "io/tcpip/half_open.h"
#include "io/tcpip/ip_layer.h"
#include "io/tcpip/parse.h"
#include "io/tcpip/plain_segment.h"
#include "io/tcpip/port.h"
#include "io/tcpip/reassembly.h"
#include "io/tcpip/sack.h"
#include "io/tcpip/stack_options.h"
#include "io/tcpip/syn_policy.h"
#include "io/tcpip/tcp_options.h"
#include "io/tcpip/time_wait.h"
#include "io/tcpip/timer_wheel.h"

namespace sy::tcpip {

/// What a segment or a timer means for the user, in order of arrival. `data` is borrowed from the
/// frame until release().
struct StackEvent {
    enum class Kind : uint8_t { accepted, connected, bytes, writable, finished };
    Kind kind{};
    uint32_t slot = 0;
    uint32_t generation = 0;
    Octets data;
};

class Stack {
  public:
    Stack(PacketPort& port, const StackOptions& options);
    ~Stack();
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;

    static constexpr uint32_t burst_max = 64;

    // The turn.
    void start_turn(Nanos now_ns);
    void send_pending();
    uint32_t receive();  // frames taken, at most burst_max; events() tells what they meant
    void release();      // the frames of the last receive()
    void run_timers();
    void flush() { out_.flush(); }
    [[nodiscard]] FixedVector<StackEvent>& events() { return events_; }
    [[nodiscard]] SlotQueue& ready() { return ready_; }
    [[nodiscard]] SlotQueue& dead() { return dead_; }
    /// When the next turn is due if no frame comes; 0: at once.
    [[nodiscard]] Nanos next_event_ns() const;

    // The user's calls; see the transport concept.
    Result<void> listen(const Endpoint& endpoint);
    void close_listeners() { listeners_.clear(); }
    Result<ConnId> connect(const Endpoint& endpoint);
    size_t send(ConnId conn, Octets octets);
    void pause(ConnId conn);
    void resume(ConnId conn);
    void close(ConnId conn);
    void abort(ConnId conn);

    // For the transport's delivery of events.
    [[nodiscard]] Connection& at(uint32_t slot) { return connections_[slot]; }
    /// Something is done with it soon.
    void prefetch_connection(uint32_t slot) const {
        const auto* at = reinterpret_cast<const uint8_t*>(&connections_[slot]);
        for (uint32_t line = 0; line < Connection::hot_lines; ++line) {
            __builtin_prefetch(at + size_t{line} * limits::cache_line_bytes);
        }
    }
    [[nodiscard]] ConnId id_of(uint32_t slot) const {
        return {slot, connections_[slot].generation};
    }
    [[nodiscard]] bool deliverable(const StackEvent& event) const {
        const Connection& connection = connections_[event.slot];
        return connection.generation == event.generation && connection.owner == Owner::open;
    }
    /// The user may go on sending: true once for a send() that fell short.
    [[nodiscard]] bool take_writable(uint32_t slot);
    /// Keeps octets that the user did not take.
    void keep(uint32_t slot, Octets octets);
    [[nodiscard]] Octets kept(uint32_t slot) const {
        return connections_[slot].kept.front(chunks_);
    }
    void drop_kept(uint32_t slot, size_t octets);
    /// The peer's stream has ended and everything of it was taken: the user's part is over.
    void finish(uint32_t slot);
    /// Before on_closed: why. After it: forget(), and the slot may be used again once TCP is
    /// through with it.
    CloseReason take_dead(uint32_t slot);
    void forget(uint32_t slot);
    void set_ready(uint32_t slot) {
        Connection& connection = connections_[slot];
        if (!connection.ready_queued) {
            connection.ready_queued = true;
            ready_.push(slot);
        }
    }
    [[nodiscard]] Endpoint peer_of(uint32_t slot) const;

    [[nodiscard]] uint32_t connections_max() const { return options_.connections_max; }
    /// Slots in use: by users, by orphans that wind up, by on_closed calls that are due.
    [[nodiscard]] uint32_t connections_used() const {
        return options_.connections_max - static_cast<uint32_t>(free_slots_.size());
    }
    [[nodiscard]] uint32_t half_open_used() const { return half_open_.size(); }
    [[nodiscard]] uint32_t time_wait_used() const { return time_wait_.size(); }
    [[nodiscard]] uint32_t chunks_used() const { return options_.chunks - chunks_.available(); }
    [[nodiscard]] const TcpCounters& counters() const { return counters_; }
    [[nodiscard]] const IpLayer& ip() const { return ip_; }
    [[nodiscard]] const FrameOut& out() const { return out_; }
    [[nodiscard]] const Connection& connection(uint32_t slot) const { return connections_[slot]; }
    /// Every rule that must hold between turns (TCPIP invariants); aborts on the first broken one.
    void check_invariants() const;

  private:
    static constexpr uint32_t burst = burst_max;
    static constexpr uint32_t tso_headers_max = 18 + 40 + 60;
    static constexpr uint32_t dup_threshold = 3;  // RFC 5681 3.2

    struct Listener {
        Endpoint endpoint;
        bool any_address = false;
    };
    // One packet under way through receive().
    struct Flight {
        bool plain = false;  // intact, and for the short road: `segment`; else packets_
        uint32_t hash = 0;
        uint32_t candidate = no_index;  // index whose tag matched; the key is compared later
        PlainSegment segment;
    };
    // What the short road looks at.
    struct Header {
        Seq seq;
        Seq ack;
        uint16_t window = 0;
        uint8_t flags = 0;
        bool timestamps = false;  // `options` are these and nothing else; else there are none
        const uint8_t* options = nullptr;
        const uint8_t* payload = nullptr;
        uint32_t payload_bytes = 0;
    };

    // Indices of the flow table and of the timer wheel: connections, then half-open ones, then
    // those in TIME-WAIT.
    [[nodiscard]] uint32_t half_open_base() const { return options_.connections_max; }
    [[nodiscard]] uint32_t time_wait_base() const {
        return options_.connections_max + options_.half_open_max;
    }
    /// REQUIRES: index is not no_index. False also for what has left the table since it was found.
    [[nodiscard]] bool is_flow(uint32_t index, const FlowKey& key) const {
        if (index < half_open_base()) [[likely]] {
            return connections_[index].key == key && connections_[index].state != TcpState::free;
        }
        return (index < time_wait_base() ? half_open_[index - half_open_base()].key
                                         : time_wait_[index - time_wait_base()].key) == key;
    }
    [[nodiscard]] uint32_t find_flow(const FlowKey& key, uint32_t hash) const;
    [[nodiscard]] Connection* find(ConnId conn) {
        if (conn.slot >= options_.connections_max) {
            return nullptr;
        }
        Connection& connection = connections_[conn.slot];
        const bool alive = connection.generation == conn.generation &&
                           connection.owner != Owner::none && connection.state != TcpState::free;
        return alive ? &connection : nullptr;
    }

    // stack.cc
    uint32_t take_slot();
    void add_flow(uint32_t slot, const FlowKey& key, uint32_t hash);
    // `connection` is connections_[slot], here and below: on the short road it is not looked up
    // again for each of them.
    void queue_output(uint32_t slot) { queue_output(slot, connections_[slot]); }
    [[gnu::always_inline]] void queue_output(uint32_t slot, Connection& connection) {
        if (!connection.output_queued) {
            connection.output_queued = true;
            dirty_.push(slot);
        }
    }
    void push_event(StackEvent::Kind kind, uint32_t slot) {
        push_event(kind, slot, connections_[slot], {});
    }
    [[gnu::always_inline]] void push_event(StackEvent::Kind kind,
                                           uint32_t slot,
                                           const Connection& connection,
                                           Octets data) {
        StackEvent& event = events_.append();
        event.kind = kind;
        event.slot = slot;
        event.generation = connection.generation;
        event.data = data;
    }
    void append_kept(Connection& connection, Octets octets);
    void drop_all_kept(Connection& connection);
    void release_tcp(uint32_t slot);
    void start_deadlines();
    void end(uint32_t slot, CloseReason reason);
    void restart_wheel(uint32_t slot);
    /// The wheel fires no later than `deadline_ns`. It may fire earlier, for a deadline that has
    /// moved since: then it is set again. So a deadline that moves on costs nothing.
    void wake_by(uint32_t slot, Nanos deadline_ns) {
        wake_by(slot, connections_[slot], deadline_ns);
    }
    [[gnu::always_inline]] void wake_by(uint32_t slot, Connection& connection, Nanos deadline_ns) {
        if (deadline_ns < connection.wheel_ns) [[unlikely]] {
            connection.wheel_ns = deadline_ns;
            wheel_.arm(slot, deadline_ns);
        }
    }
    [[nodiscard]] Nanos keepalive_ns(const Connection& connection) const;
    [[nodiscard]] uint32_t timestamp(const Connection& connection) const {
        return clock_ms_ + connection.ts_offset;
    }

    void look_at(uint32_t index);
    bool shed(uint32_t index, uint8_t flags);
    [[nodiscard]] bool cookie_for(uint32_t index);
    void take_packet(uint32_t index);

    // express.cc
    bool express(uint32_t slot, const PlainSegment& segment);
    bool express(uint32_t slot, const Packet& packet);
    bool predicted(uint32_t slot, Connection& connection, const Header& header);
    void plain_ack(uint32_t slot, Connection& connection, Seq ack);
    bool express_out(uint32_t slot);
    void emit_plain(Connection& connection, uint32_t bytes, const Mac& next_hop, TxFrame& frame);

    // input.cc, payload.cc
    void process(const Packet& packet, const Flight& flight);
    void segment_arrives(uint32_t slot, const Packet& packet);
    void syn_sent_arrives(uint32_t slot, const Packet& packet, const TcpOptions& options);
    bool acceptable(uint32_t slot, const Packet& packet, const TcpOptions& options);
    bool ack_acceptable(uint32_t slot, const Packet& packet);
    void answer_outside(uint32_t slot, uint32_t length);
    void reset_arrives(uint32_t slot, const Packet& packet);
    void end_reset(uint32_t slot);
    bool syn_again(uint32_t slot, const Packet& packet, const TcpOptions& options);
    bool leave_syn_received(uint32_t slot, const Packet& packet, const TcpOptions& options);
    void synchronized(uint32_t slot, Seq ack, const TcpOptions& options);
    void keep_pending_events(uint32_t slot);
    void note_timestamp(Connection& connection, const Packet& packet, const TcpOptions& options);
    void take_payload(uint32_t slot, const Packet& packet);
    void take_in_order(uint32_t slot, Connection& connection, Octets payload);
    void take_out_of_order(uint32_t slot, Seq seq, Octets payload, bool fin);
    void drain_reassembly(uint32_t slot);
    void drop_reassembly(Connection& connection);
    void take_fin(uint32_t slot);
    void our_fin_acked(uint32_t slot);
    void challenge(uint32_t slot);
    void no_connection(const Packet& packet);
    void icmp_error(const IcmpError& error);

    // acknowledge.cc
    void acknowledge(uint32_t slot, const Packet& packet, const TcpOptions& options);
    void new_ack(uint32_t slot, Seq ack);
    void update_window(uint32_t slot, Connection& connection, Seq seq, Seq ack, uint16_t unscaled);
    void tell_writable(uint32_t slot);
    void restart_after_ack(uint32_t slot, Connection& connection);
    void duplicate_ack(uint32_t slot);
    void enter_fast_recovery(uint32_t slot);
    void leave_recovery(Connection& connection);
    void react_to_ack(uint32_t slot, uint32_t bytes, uint32_t flight_before);
    SackUpdate take_sack(uint32_t slot, const TcpOptions& options);
    void sample_echo(Connection& connection, const TcpOptions& options);
    void sample_sacked(uint32_t slot);
    void tail_probe_acked(uint32_t slot, Seq ack, bool repeated);
    void drop_scoreboard(Connection& connection);

    // output.cc
    struct Room {  // octets that may leave in one segment now
        uint32_t window = 0;
        uint32_t congestion = 0;
        uint32_t segment = 0;
    };
    struct Stateless {
        FlowKey key;
        Seq seq{};
        Seq ack{};
        uint8_t flags = 0;
        uint16_t window = 0;
    };
    void output(uint32_t slot);
    void arm_after_output(uint32_t slot);
    bool send_new(uint32_t slot);
    bool send_segment(uint32_t slot, uint32_t bytes, bool fin);
    bool send_recovery(uint32_t slot);
    bool retransmit(uint32_t slot, Seq seq, uint32_t bytes);
    bool emit(
        Connection& connection, Seq seq, uint32_t bytes, uint8_t flags, ChunkQueue::Cursor* cursor);
    void note_sent(Connection& connection);
    void hold(Connection& connection);
    bool send_ack(uint32_t slot);
    bool send_syn(uint32_t slot);
    void send_reset(const Connection& connection, Seq seq);
    void send_stateless(const Stateless& segment, const Mac& to, Octets options = {});
    bool write_stateless(const Stateless& segment, const Mac* to, Octets options);
    uint32_t put_options(Connection& connection, uint8_t* to);
    [[nodiscard]] Room room_at(const Connection& connection) const;
    [[nodiscard]] uint32_t payload_max(const Connection& connection) const;
    [[nodiscard]] uint32_t new_segment_bytes(const Connection& connection) const;
    [[nodiscard]] uint16_t offer_window(Connection& connection);
    [[nodiscard]] uint32_t receive_room(const Connection& connection) const;

    // timers.cc
    void expired(uint32_t index);
    void connection_expired(uint32_t slot);
    void retransmit_expired(uint32_t slot);
    void retransmission_timeout(uint32_t slot);
    void probe_tail(uint32_t slot);
    void persist_expired(uint32_t slot);
    [[nodiscard]] bool silent(const Connection& connection) const;
    static void count_probe(Connection& connection);
    void linger_expired(uint32_t slot);
    void orphan_expired(uint32_t slot);
    void keepalive_expired(uint32_t slot);
    void start_retransmit_timer(uint32_t slot);
    void arm_retransmit(uint32_t slot, Connection& connection, Nanos rto);
    void restart_from_una(Connection& connection);
    void give_up(uint32_t slot);

    // segment_size.cc
    void update_mss(Connection& connection);
    void retry_mss(Connection& connection);
    void path_mtu_fell(uint32_t slot);
    void suspect_black_hole(Connection& connection);
    [[nodiscard]] static uint16_t default_mss(const IpAddress& remote);
    [[nodiscard]] uint16_t our_mss(const IpAddress& remote) const;

    // half_open.cc
    void syn_arrives(const Packet& packet, uint32_t hash, const Seq* above = nullptr);
    void half_open_arrives(uint32_t index, const Packet& packet);
    void send_syn_ack(HalfOpen& entry);
    void write_syn_ack(const HalfOpen& entry, uint32_t timestamp);
    void acknowledge_half_open(HalfOpen& entry);
    void half_open_expired(uint32_t index);
    void drop_half_open(uint32_t index);
    void send_cookie(const Packet& packet, const TcpOptions& options);
    bool cookie_arrives(const Packet& packet, uint32_t hash);
    void accept(const HalfOpen& entry, const Packet& packet);
    [[nodiscard]] HalfOpen negotiate(const Packet& packet, const TcpOptions& options) const;
    [[nodiscard]] const Listener* listener_for(const FlowKey& key) const;
    [[nodiscard]] Seq initial_seq(const FlowKey& key) const;
    [[nodiscard]] uint32_t timestamp_offset(const FlowKey& key) const;
    [[nodiscard]] uint32_t cookie_hash(const FlowKey& key, Seq irs, uint32_t period) const;
    [[nodiscard]] uint8_t our_scale() const;

    // time_wait.cc
    void enter_time_wait(uint32_t slot);
    void time_wait_arrives(uint32_t index, const Packet& packet);
    void drop_time_wait(uint32_t index);

    // open_close.cc
    Result<FlowKey> choose_port(const Endpoint& remote, const IpAddress& source);
    void send_owed_syn(uint32_t slot);

    PacketPort& port_;
    StackOptions options_;
    FrameOut out_;
    IpLayer ip_;
    Nanos now_ns_ = 0;
    uint32_t clock_ms_ = 0;  // RFC 7323 4.1: the timestamp clock
    bool started_ = false;
    uint64_t flow_seed_;
    TcpCounters counters_;

    FlowTable flows_;
    TimerWheel wheel_;
    ChunkPool chunks_;
    ReassemblyPool reassemblies_;
    ScoreboardPool scoreboards_;
    std::vector<Connection> connections_;
    std::vector<CloseReason> reasons_;  // of slots in dead_
    FixedVector<uint32_t> free_slots_;
    HalfOpenTable half_open_;
    TimeWaitTable time_wait_;
    std::vector<Listener> listeners_;
    SlotQueue dirty_;  // has something to send
    SlotQueue ready_;  // kept octets are to be offered
    SlotQueue dead_;   // on_closed is due
    SynPolicy syn_policy_;
    Nanos cookies_until_ns_ = 0;  // cookies were given out so recently that they may come back
    uint32_t port_counter_ = 0;
    SackBlock duplicate_{};  // D-SACK of the segment in hand (RFC 2883)
    bool has_duplicate_ = false;
    // Kept free of what users send: octets of one burst must find room when they are not taken.
    uint32_t reserve_chunks_ = 0;

    uint32_t frame_count_ = 0;
    std::array<RxFrame, burst> frames_;
    std::array<Packet, burst> packets_;
    std::array<Flight, burst> flights_;
    FixedVector<StackEvent> events_;
};

}  // namespace sy::tcpip
