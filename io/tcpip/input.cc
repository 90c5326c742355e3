// Segments in: RFC 9293 section 3.10.7 in its order, with RFC 5961 (blind attacks), RFC 7323 (PAWS)
// and RFC 5927 (ICMP). Most segments take the short road of express.cc to the same result.
#include <algorithm>

#include "io/tcpip/stack_inline.h"

namespace sy::tcpip {
namespace {

// RFC 7323 5.5: a timestamp older than this may have wrapped.
constexpr Nanos ts_recent_valid_ns = 24ULL * 24 * 3600 * second_ns;
// Answers to empty segments outside the window: an acknowledgement loop between two confused ends
// must die down, probes of live ones are answered.
constexpr Nanos out_of_window_pause_ns = 100 * millisecond_ns;
// RFC 5961 7: 10 challenge ACKs in 5 seconds, counted by connection: a counter that connections
// share tells an attacker about the others (CVE-2016-5696).
constexpr Nanos challenge_period_ns = 5 * second_ns;
constexpr uint8_t challenges_max = 10;

bool before(uint32_t timestamp, uint32_t recent) {
    return static_cast<int32_t>(timestamp - recent) < 0;
}

uint32_t segment_length(const Packet& packet) {
    return packet.payload_bytes + ((packet.flags & tcp::syn) != 0 ? 1 : 0) +
           ((packet.flags & tcp::fin) != 0 ? 1 : 0);
}

}  // namespace

void Stack::process(const Packet& packet, const Flight& flight) {
    ++counters_.segments_in;
    uint32_t index = flight.candidate;
    if (index == no_index || !is_flow(index, packet.flow)) {
        index = find_flow(packet.flow, flight.hash);
    }
    if (index < half_open_base()) [[likely]] {
        if (!options_.fast_path || !express(index, packet)) {
            segment_arrives(index, packet);
        }
    } else if (index < time_wait_base()) {
        half_open_arrives(index - half_open_base(), packet);
    } else if (index != no_index) {
        time_wait_arrives(index - time_wait_base(), packet);
    } else {
        no_connection(packet);
    }
}

void Stack::segment_arrives(uint32_t slot, const Packet& packet) {
    Connection& c = connections_[slot];
    TcpOptions options;
    parse_tcp_options({packet.options, packet.options_bytes}, options);
    if (c.state == TcpState::syn_sent) {
        syn_sent_arrives(slot, packet, options);
        return;
    }
    if (c.state == TcpState::syn_received && syn_again(slot, packet, options)) {
        return;
    }
    if (!acceptable(slot, packet, options)) {
        return;
    }
    if ((packet.flags & tcp::rst) != 0) {
        reset_arrives(slot, packet);
        return;
    }
    if ((packet.flags & tcp::syn) != 0) {
        ++counters_.challenges_syn;  // RFC 5961 4.2
        challenge(slot);
        return;
    }
    if ((packet.flags & tcp::ack) == 0) {
        ++counters_.ack_missing;
        return;
    }
    if (c.peer_fin && packet.seq > c.rcv_nxt) {
        // Behind the peer's FIN is nothing. What claims to be there must not become SND.WL1: the
        // peer's own window updates would count as old for ever.
        ++counters_.outside_window;
        answer_outside(slot, segment_length(packet));
        return;
    }
    c.received_ns = now_ns_;
    c.probes = 0;
    if (c.state == TcpState::syn_received && !leave_syn_received(slot, packet, options)) {
        return;
    }
    if (!ack_acceptable(slot, packet)) {
        return;
    }
    note_timestamp(c, packet, options);
    const uint32_t generation = c.generation;
    acknowledge(slot, packet, options);
    // LAST-ACK and CLOSING may just have ended.
    if (c.state == TcpState::free || c.generation != generation) {
        return;
    }
    if (segment_length(packet) > 0) {
        take_payload(slot, packet);
    }
}

/// Sequence number and timestamp (RFC 9293 3.10.7.4 first, RFC 7323 5.3). False: it was answered as
/// it must be.
bool Stack::acceptable(uint32_t slot, const Packet& packet, const TcpOptions& options) {
    Connection& c = connections_[slot];
    const bool reset = (packet.flags & tcp::rst) != 0;
    const uint32_t length = segment_length(packet);
    if (c.timestamps && options.has_timestamps && !reset &&
        before(options.timestamp, c.ts_recent) && now_ns_ - c.ts_recent_ns < ts_recent_valid_ns) {
        ++counters_.paws;
        answer_outside(slot, length);
        return false;
    }
    const uint32_t window = c.rcv_edge - c.rcv_nxt;
    const Seq last = packet.seq + (length > 0 ? length - 1 : 0);
    const bool first_inside = packet.seq >= c.rcv_nxt && packet.seq < c.rcv_edge;
    const bool last_inside = length > 0 && last >= c.rcv_nxt && last < c.rcv_edge;
    // With the window shut, the ACK of a segment at its edge counts all the same (RFC 9293
    // 3.10.7.4); its octets do not.
    const bool at_edge = packet.seq == c.rcv_nxt && window == 0;
    // Octets around the whole window.
    const bool around = length > 0 && packet.seq < c.rcv_nxt && last >= c.rcv_edge && window > 0;
    if (first_inside || last_inside || at_edge || around) {
        return true;
    }
    if (reset) {
        ++counters_.outside_window;
        return false;
    }
    if (length > 0 && last < c.rcv_nxt) {
        ++counters_.duplicates_in;
        if (packet.payload_bytes > 0) {
            has_duplicate_ = true;  // RFC 2883
            duplicate_ = {packet.seq, packet.seq + packet.payload_bytes};
        }
    } else {
        ++counters_.outside_window;
    }
    answer_outside(slot, length);
    return false;
}

/// A segment with octets is answered always: our ACK may have been lost.
void Stack::answer_outside(uint32_t slot, uint32_t length) {
    Connection& c = connections_[slot];
    if (length > 0 || now_ns_ - c.out_of_window_ns >= out_of_window_pause_ns ||
        c.out_of_window_ns == 0) {
        c.out_of_window_ns = length > 0 ? c.out_of_window_ns : now_ns_;
        send_ack(slot);
    }
    has_duplicate_ = false;
}

/// RFC 5961 3.2: only the exact next number resets; anything else in the window is asked about.
void Stack::reset_arrives(uint32_t slot, const Packet& packet) {
    Connection& c = connections_[slot];
    if (packet.seq != c.rcv_nxt) {
        ++counters_.challenges_reset;
        challenge(slot);
        return;
    }
    ++counters_.established_resets;
    end_reset(slot);
}

/// TCP is over at once; the user hears of a reset unless he closed before.
void Stack::end_reset(uint32_t slot) {
    Connection& c = connections_[slot];
    if (c.owner == Owner::opening) {
        ++counters_.attempts_failed;
        end(slot, CloseReason::connect_refused);
    } else if (c.owner != Owner::none) {
        end(slot, c.owner == Owner::closing ? CloseReason::local : CloseReason::peer_reset);
    }
    release_tcp(slot);
}

void Stack::challenge(uint32_t slot) {
    Connection& c = connections_[slot];
    if (now_ns_ - c.challenge_ns >= challenge_period_ns || c.challenge_ns == 0) {
        // Jitter: when the period of a connection begins is not to be told from outside.
        c.challenge_ns = now_ns_ - mix64(now_ns_ ^ flow_seed_ ^ slot) % second_ns;
        c.challenges = 0;
    }
    if (c.challenges >= challenges_max) {
        ++counters_.challenges_limited;
        return;
    }
    ++c.challenges;
    send_ack(slot);
}

/// RFC 5961 5.2: an ACK below what could be under way, or of octets never sent, is not believed.
bool Stack::ack_acceptable(uint32_t slot, const Packet& packet) {
    Connection& c = connections_[slot];
    if (packet.ack > c.snd_max || packet.ack < c.snd_una - c.snd_wnd_max) {
        ++counters_.ack_unacceptable;
        challenge(slot);
        return false;
    }
    return true;
}

/// RFC 7323 4.3 (2): of segments at or before the last ACK we sent, so that a delayed ACK counts.
/// REQUIRES: acceptable(), so an older one means that the clock has wrapped; and ack_acceptable(),
/// else a blind segment could set it far ahead and the peer's own would be dropped.
void Stack::note_timestamp(Connection& c, const Packet& packet, const TcpOptions& options) {
    if (c.timestamps && options.has_timestamps && packet.seq <= c.ack_sent) {
        c.ts_recent = options.timestamp;
        c.ts_recent_ns = now_ns_;
    }
}

// SYN-SENT: RFC 9293 3.10.7.3.
void Stack::syn_sent_arrives(uint32_t slot, const Packet& packet, const TcpOptions& options) {
    Connection& c = connections_[slot];
    const bool has_ack = (packet.flags & tcp::ack) != 0;
    if (has_ack && packet.ack != c.snd_max) {
        if ((packet.flags & tcp::rst) == 0) {
            ++counters_.ack_unacceptable;
            send_stateless({.key = c.key, .seq = packet.ack, .flags = tcp::rst}, packet.source_mac);
        }
        return;
    }
    if ((packet.flags & tcp::rst) != 0) {
        if (has_ack) {
            end_reset(slot);
        }
        return;
    }
    if ((packet.flags & tcp::syn) == 0) {
        return;
    }
    c.irs = packet.seq;
    c.rcv_nxt = packet.seq + 1;
    c.ack_sent = c.rcv_nxt;
    c.rcv_edge = c.rcv_nxt + std::min<uint32_t>(options_.receive_buffer_bytes, 0xFFFF);
    c.peer_mss = options.mss != 0 ? options.mss : default_mss(c.key.remote);
    c.timestamps = options_.timestamps && options.has_timestamps;
    c.ts_recent = options.timestamp;
    c.ts_recent_ns = now_ns_;
    c.sack_permitted = options_.sack && options.sack_permitted;
    c.window_scale = options_.window_scale && options.has_window_scale;
    c.snd_scale = c.window_scale ? options.window_scale : uint8_t{0};
    c.rcv_scale = c.window_scale ? our_scale() : uint8_t{0};
    c.received_ns = now_ns_;
    c.snd_wnd = packet.window;  // never scaled in a SYN (RFC 7323 2.2)
    c.snd_wnd_max = c.snd_wnd;
    c.snd_wl1 = packet.seq;
    c.snd_wl2 = packet.ack;
    if (!has_ack) {
        c.state = TcpState::syn_received;  // simultaneous open
        send_syn(slot);
        start_retransmit_timer(slot);
        return;
    }
    synchronized(slot, packet.ack, options);
    if (packet.payload_bytes > 0 || (packet.flags & tcp::fin) != 0) {
        Packet rest = packet;
        rest.seq = packet.seq + 1;
        rest.flags = static_cast<uint8_t>(packet.flags & ~tcp::syn);
        take_payload(slot, rest);
    }
}

/// Simultaneous open, the SYN that we have once more: our SYN-ACK was lost; or in the peer's
/// SYN-ACK, which opens the connection (RFC 9293 3.5 figure 7) although it lies before the window.
bool Stack::syn_again(uint32_t slot, const Packet& packet, const TcpOptions& options) {
    const Connection& c = connections_[slot];
    if ((packet.flags & (tcp::syn | tcp::rst)) != tcp::syn || packet.seq != c.irs) {
        return false;
    }
    if ((packet.flags & tcp::ack) == 0) {
        send_syn(slot);
        return true;
    }
    if (packet.ack != c.snd_max) {
        return false;
    }
    synchronized(slot, packet.ack, options);
    return true;
}

/// SYN-RECEIVED after a simultaneous open. False: the segment was answered.
bool Stack::leave_syn_received(uint32_t slot, const Packet& packet, const TcpOptions& options) {
    Connection& c = connections_[slot];
    if (packet.ack != c.snd_max) {
        ++counters_.ack_unacceptable;
        send_stateless({.key = c.key, .seq = packet.ack, .flags = tcp::rst}, packet.source_mac);
        return false;
    }
    synchronized(slot, packet.ack, options);
    c.ack_now = false;  // the peer knows
    update_window(slot, c, packet.seq, packet.ack, packet.window);
    return true;
}

/// Our SYN is acknowledged and we have theirs.
void Stack::synchronized(uint32_t slot, Seq ack, const TcpOptions& options) {
    Connection& c = connections_[slot];
    c.state = TcpState::established;
    c.snd_una = ack;
    c.snd_nxt = ack;
    c.snd_max = ack;
    c.send.restart(ack.value);
    c.linger_ns = no_deadline;
    c.timer = RetransmitTimer::off;
    c.retransmit_ns = no_deadline;
    const bool syn_lost = c.backoffs > 0;
    if (c.rtt_running && !syn_lost) {
        c.rtt.sample(now_ns_ - c.rtt_sent_ns);
    } else {
        sample_echo(c, options);
    }
    c.rtt_running = false;
    if (syn_lost) {
        c.rtt.syn_lost();
        c.backoffs = 0;
    }
    update_mss(c);
    c.congestion.start(c.mss, syn_lost);
    c.progress_ns = now_ns_;
    c.ack_now = true;
    ip_.neighbours().confirm(c.next_hop, now_ns_);
    queue_output(slot);
    if (c.owner == Owner::opening) {
        c.owner = Owner::open;
        push_event(StackEvent::Kind::connected, slot);
    }
    wake_by(slot, keepalive_ns(c));
}

void Stack::no_connection(const Packet& packet) {
    const uint8_t kind = packet.flags & (tcp::syn | tcp::ack | tcp::rst | tcp::fin);
    const Listener* listener = listener_for(packet.flow);
    if (listener != nullptr && kind == tcp::syn) {
        syn_arrives(packet, flow_hash(packet.flow, flow_seed_));
        return;
    }
    if ((packet.flags & tcp::rst) != 0) {
        ++counters_.reset_no_connection;
        return;
    }
    if (listener != nullptr && kind == tcp::ack &&
        cookie_arrives(packet, flow_hash(packet.flow, flow_seed_))) {
        return;
    }
    ++counters_.no_connection;
    if (listener != nullptr && (packet.flags & tcp::ack) == 0) {
        return;  // RFC 9293 3.10.7.2: LISTEN drops what is neither SYN nor ACK; SYN with FIN too
    }
    // RFC 9293 3.10.7.1.
    Stateless reset{.key = packet.flow, .flags = tcp::rst};
    if ((packet.flags & tcp::ack) != 0) {
        reset.seq = packet.ack;
    } else {
        reset.ack = packet.seq + segment_length(packet);
        reset.flags = tcp::rst | tcp::ack;
    }
    send_stateless(reset, packet.source_mac);
}

/// RFC 5927: believed only of a segment in flight; in a synchronised state nothing but the path MTU
/// changes for it.
void Stack::icmp_error(const IcmpError& error) {
    const uint32_t slot = find_flow(error.flow, flow_hash(error.flow, flow_seed_));
    if (slot >= half_open_base()) {
        ++counters_.icmp_errors_ignored;
        return;
    }
    Connection& c = connections_[slot];
    if (error.seq < c.snd_una || error.seq >= c.snd_max) {
        ++counters_.icmp_errors_ignored;
        return;
    }
    ++counters_.icmp_errors;
    if (error.kind == IcmpError::Kind::too_big) {
        if (ip_.learn_mtu(c.key.remote, error.mtu, now_ns_) && c.state >= TcpState::established) {
            path_mtu_fell(slot);
        }
        return;
    }
    if (error.kind == IcmpError::Kind::hard && c.state == TcpState::syn_sent) {
        ++counters_.attempts_failed;
        end(slot, CloseReason::connect_refused);
        release_tcp(slot);
    }
}

}  // namespace sy::tcpip
