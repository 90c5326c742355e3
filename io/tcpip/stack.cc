// The turn of a stack, its table of connections, and the events for the user.
#include <algorithm>

#include "core/base/assert.h"
#include "io/tcpip/siphash.h"
#include "io/tcpip/stack_inline.h"

namespace sy::tcpip {
namespace {

// Timers looked at in one turn: a storm of them must not delay the frames.
constexpr uint32_t timer_budget = 256;
// A segment leaves at most its own octets, those of the gap that it fills, its end, and a
// "writable".
constexpr uint32_t events_per_frame = 4;

}  // namespace

Stack::Stack(PacketPort& port, const StackOptions& options)
    : port_(port),
      options_(options),
      out_(port),
      ip_(port, out_, options.interface, mix64(options.secret[0] ^ options.secret[1])),
      flow_seed_(siphash({options.secret[0], options.secret[1]}, as_octets("flow table"))),
      flows_(options.connections_max + options.half_open_max + options.time_wait_max),
      wheel_(options.connections_max + options.half_open_max + options.time_wait_max, 0),
      chunks_(options.chunks),
      reassemblies_(options.recoveries_max),
      scoreboards_(options.recoveries_max),
      connections_(options.connections_max),
      reasons_(options.connections_max),
      free_slots_(options.connections_max),
      half_open_(options.half_open_max),
      time_wait_(options.time_wait_max),
      dirty_(options.connections_max),
      ready_(options.connections_max),
      dead_(options.connections_max),
      syn_policy_(options.cookies_per_ms, flow_seed_),
      events_(size_t{burst} * events_per_frame) {
    SY_ASSERT(options.connections_max > 0);
    // Each frame of a burst may be kept, in one chunk more than its octets fill.
    reserve_chunks_ = burst * (port.info().mtu / ChunkPool::chunk_bytes + 2);
    SY_ASSERT(options.chunks >= 4 * reserve_chunks_);
    for (uint32_t slot = options.connections_max; slot > 0; --slot) {
        free_slots_.push_back(slot - 1);  // lowest first, so that arrays by slot stay dense
    }
}

Stack::~Stack() {
    out_.flush();
}

void Stack::start_turn(Nanos now_ns) {
    SY_DCHECK(now_ns >= now_ns_);
    syn_policy_.pass(now_ns - now_ns_);
    now_ns_ = now_ns;
    clock_ms_ = static_cast<uint32_t>(now_ns / millisecond_ns);
    if (!started_) {
        started_ = true;
        start_deadlines();
        ip_.start(now_ns);
    }
}

/// What was begun before the first turn counted from time 0.
void Stack::start_deadlines() {
    for (uint32_t slot = 0; slot < options_.connections_max; ++slot) {
        Connection& connection = connections_[slot];
        if (connection.state == TcpState::syn_sent) {
            connection.linger_ns += now_ns_;
            connection.retransmit_ns += now_ns_;
            connection.rtt_sent_ns += now_ns_;
            restart_wheel(slot);
        }
    }
}

void Stack::take_packet(uint32_t index) {
    const Packet& packet = packets_[index];
    switch (packet.kind) {
        case PacketKind::tcp:
            process(packet, flights_[index]);
            break;
        case PacketKind::arp:
        case PacketKind::icmp4:
        case PacketKind::icmp6:
            if (const auto error = ip_.input(packet, now_ns_)) {
                icmp_error(*error);
            }
            break;
        case PacketKind::dropped:
            break;
    }
}

void Stack::release() {
    if (frame_count_ > 0) {
        port_.release({frames_.data(), frame_count_});
        frame_count_ = 0;
    }
}

void Stack::run_timers() {
    events_.clear();
    ip_.tick(now_ns_);
    wheel_.advance(now_ns_, timer_budget, [this](uint32_t index) { expired(index); });
}

Nanos Stack::next_event_ns() const {
    if (dirty_.size() != 0 || ready_.size() != 0 || dead_.size() != 0 || out_.waiting() != 0) {
        return 0;
    }
    return std::min(ip_.next_ns(), wheel_.next_ns());
}

uint32_t Stack::find_flow(const FlowKey& key, uint32_t hash) const {
    return flows_.find(hash, [&](uint32_t index) { return is_flow(index, key); });
}

/// REQUIRES: free_slots_ is not empty.
uint32_t Stack::take_slot() {
    const uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    Connection& connection = connections_[slot];
    SY_ASSERT(connection.state == TcpState::free);
    Connection fresh;
    fresh.generation = connection.generation + 1;
    // Stale entries of the queues are this slot's one entry.
    fresh.output_queued = connection.output_queued;
    fresh.ready_queued = connection.ready_queued;
    connection = fresh;
    return slot;
}

void Stack::add_flow(uint32_t slot, const FlowKey& key, uint32_t hash) {
    connections_[slot].key = key;
    connections_[slot].ipv4 = key.remote.is_ipv4();
    connections_[slot].hash = hash;
    flows_.insert(hash, slot);
}

/// TCP is through with it: out of the tables, memory back. The user may still have to be told.
void Stack::release_tcp(uint32_t slot) {
    Connection& connection = connections_[slot];
    SY_DCHECK(connection.state != TcpState::free);
    flows_.erase(connection.hash, slot);
    wheel_.disarm(slot);
    connection.send.clear(chunks_);
    connection.cut = connection.keeps;
    drop_all_kept(connection);
    drop_scoreboard(connection);
    drop_reassembly(connection);
    ip_.neighbours().release(connection.next_hop);
    connection.next_hop = {};
    connection.state = TcpState::free;
    if (connection.owner == Owner::none && !connection.dead_queued) {
        free_slots_.push_back(slot);
    }
}

/// The user is told `reason` at the end of this poll() or of the next; TCP goes on by itself unless
/// it was released. An open connection still gets the octets that came before.
void Stack::end(uint32_t slot, CloseReason reason) {
    Connection& connection = connections_[slot];
    SY_DCHECK(connection.owner != Owner::none);
    if (connection.dead_queued) {
        return;
    }
    connection.dead_queued = true;
    connection.linger_ns = no_deadline;  // close() waits no more; forget() sets an orphan's
    reasons_[slot] = reason;
    dead_.push(slot);
}

CloseReason Stack::take_dead(uint32_t slot) {
    Connection& connection = connections_[slot];
    SY_DCHECK(connection.dead_queued);
    connection.owner = Owner::none;
    return reasons_[slot];
}

void Stack::forget(uint32_t slot) {
    Connection& connection = connections_[slot];
    connection.dead_queued = false;
    if (connection.state == TcpState::free) {
        free_slots_.push_back(slot);
        return;
    }
    // What the user did not take is lost with him.
    drop_all_kept(connection);
    // An orphan's time is bounded, whatever its peer does: see linger_expired().
    connection.linger_ns =
        now_ns_ + (connection.state == TcpState::fin_wait_2 ? options_.fin_wait_ns
                                                            : options_.user_timeout_ns);
    wake_by(slot, connection.linger_ns);
}

void Stack::keep(uint32_t slot, Octets octets) {
    Connection& connection = connections_[slot];
    if (connection.state == TcpState::free) {
        connection.cut = true;
        return;  // reset in the same burst: nobody will resume it
    }
    append_kept(connection, octets);
}

/// take_in_order() refuses octets while there is less memory than a whole burst may need here
/// (reserve_chunks_).
void Stack::append_kept(Connection& connection, Octets octets) {
    const size_t taken = connection.kept.append(chunks_, octets);
    SY_ASSERT(taken == octets.size());
    connection.keeps = !connection.kept.empty();
}

void Stack::drop_all_kept(Connection& connection) {
    if (connection.keeps) {
        connection.kept.clear(chunks_);
        connection.keeps = false;
    }
}

void Stack::drop_kept(uint32_t slot, size_t octets) {
    Connection& connection = connections_[slot];
    const uint32_t room_before = connection.rcv_edge - connection.rcv_nxt;
    connection.kept.drop_front(chunks_, static_cast<uint32_t>(octets));
    connection.keeps = !connection.kept.empty();
    // RFC 9293 3.8.6.2.2: tell the peer when the window has opened by something worth a segment.
    const uint32_t room = receive_room(connection);
    if (room >= room_before && room - room_before >= std::min(options_.receive_buffer_bytes / 2,
                                                              2 * uint32_t{connection.mss})) {
        connection.ack_now = true;
        queue_output(slot);
    }
}

void Stack::finish(uint32_t slot) {
    Connection& connection = connections_[slot];
    if (connection.owner != Owner::open || connection.dead_queued) {
        return;
    }
    end(slot, CloseReason::peer_closed);
    // The user has no use for the half that is left: what he gave is sent, then FIN.
    connection.fin_wanted = true;
    if (connection.state != TcpState::free) {
        queue_output(slot);
    }
}

Endpoint Stack::peer_of(uint32_t slot) const {
    const Connection& connection = connections_[slot];
    return {.address = connection.key.remote.octets, .port = connection.key.remote_port};
}

Nanos Stack::keepalive_ns(const Connection& connection) const {
    if (connection.state < TcpState::established || connection.flight() > 0 ||
        options_.keepalive_idle_ns == 0) {
        return no_deadline;
    }
    return connection.received_ns + options_.keepalive_idle_ns +
           connection.probes * options_.keepalive_interval_ns;
}

/// After the wheel fired: to the earliest of what there is.
void Stack::restart_wheel(uint32_t slot) {
    Connection& connection = connections_[slot];
    connection.wheel_ns = std::min(std::min(connection.retransmit_ns, connection.ack_ns),
                                   std::min(connection.linger_ns, keepalive_ns(connection)));
    wheel_.arm(slot, connection.wheel_ns);
}

void Stack::check_invariants() const {
    uint32_t used = 0;
    for (const Connection& c : connections_) {
        if (c.state == TcpState::free) {
            SY_ASSERT(c.send.empty() && c.kept.empty() && !c.keeps);
            SY_ASSERT(c.scoreboard == no_index && c.reassembly == no_index);
            continue;
        }
        ++used;
        const auto slot = static_cast<uint32_t>(&c - connections_.data());
        SY_ASSERT(find_flow(c.key, c.hash) == slot);
        SY_ASSERT(c.ipv4 == c.key.remote.is_ipv4() && c.keeps == !c.kept.empty());
        SY_ASSERT(c.snd_una <= c.snd_nxt && c.snd_nxt <= c.snd_max);
        SY_ASSERT(c.rcv_nxt <= c.rcv_edge);
        SY_ASSERT(c.mss >= 8 && c.congestion.cwnd >= c.mss);
        if (c.state >= TcpState::established) {
            // Octets in the queue, and our FIN behind them, are all that may be in flight.
            const Seq end = c.send_end() + (c.fin_sent && !c.fin_acked() ? 1U : 0U);
            SY_ASSERT(c.snd_max <= end);
        }
        // Timers: armed exactly when something is in flight or the window is shut on data.
        if (c.flight() > 0) {
            SY_ASSERT(c.timer != RetransmitTimer::off || c.output_queued);
        }
        SY_ASSERT((c.timer == RetransmitTimer::off) == (c.retransmit_ns == no_deadline));
        const Nanos due = std::min({c.retransmit_ns, c.ack_ns, c.linger_ns});
        SY_ASSERT(due == no_deadline || wheel_.deadline(slot) <= due);
        if (c.scoreboard != no_index) {
            SY_ASSERT(!scoreboards_[c.scoreboard].empty() || c.recovery == Recovery::fast);
        }
    }
    SY_ASSERT(flows_.size() == used + half_open_.size() + time_wait_.size());
}

}  // namespace sy::tcpip
