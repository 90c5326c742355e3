// Small parts of Stack that the short road (express.cc) and the long one share and that an ordinary
// segment passes: inline, for the sources of Stack only.
#pragma once

#include <algorithm>

#include "io/tcpip/stack.h"

namespace sy::tcpip {

// RFC 8985 7.2: not earlier than the peer's timers can be trusted to answer; and when a single
// segment is out, its ACK may be delayed.
inline constexpr Nanos probe_tail_min_ns = 10 * millisecond_ns;
inline constexpr Nanos peer_delayed_ack_ns = 50 * millisecond_ns;

/// `rto`: the connection's, as it is now.
[[gnu::always_inline]] inline void Stack::arm_retransmit(uint32_t slot, Connection& c, Nanos rto) {
    Nanos after = rto;
    c.timer = RetransmitTimer::retransmit;
    if (c.recovery == Recovery::none && c.sack_permitted && !c.tail_probed && c.backoffs == 0 &&
        c.rtt.has_sample() && c.state >= TcpState::established) {
        const Nanos probe = std::max(2 * c.rtt.srtt(), probe_tail_min_ns) +
                            (c.flight() <= c.mss ? peer_delayed_ack_ns : 0);
        if (probe < after) {
            after = probe;
            c.timer = RetransmitTimer::probe_tail;
        }
    }
    c.retransmit_ns = now_ns_ + after;
    wake_by(slot, c, c.retransmit_ns);
}

inline void Stack::start_retransmit_timer(uint32_t slot) {
    Connection& c = connections_[slot];
    arm_retransmit(slot, c, c.rtt.rto());
}

/// Something new was acknowledged.
[[gnu::always_inline]] inline void Stack::restart_after_ack(uint32_t slot, Connection& c) {
    if (c.flight() > 0) {
        arm_retransmit(slot, c, c.rtt.rto());
        return;
    }
    c.timer = RetransmitTimer::off;
    c.retransmit_ns = no_deadline;  // the wheel finds out when its slot comes
    if (c.wheel_ns > now_ns_ + options_.keepalive_idle_ns) [[unlikely]] {
        wake_by(slot, c, keepalive_ns(c));  // it was set to a timeout far away
    }
}

/// RFC 9293 3.10.7.4: an older segment does not change the window.
[[gnu::always_inline]] inline void Stack::update_window(
    uint32_t slot, Connection& c, Seq seq, Seq ack, uint16_t unscaled) {
    if (!(c.snd_wl1 < seq || (c.snd_wl1 == seq && c.snd_wl2 <= ack))) {
        return;
    }
    const Seq edge = ack + (uint32_t{unscaled} << c.snd_scale);
    const uint32_t window = edge > c.snd_una ? edge - c.snd_una : 0;
    if (window > c.snd_wnd && (c.snd_nxt < c.send_end() || (c.fin_wanted && !c.fin_sent))) {
        queue_output(slot, c);
    }
    if (c.snd_wnd == 0 && window > 0 && c.flight() > 0) [[unlikely]] {
        // What was repeated in vain was not the network's fault: the timers begin anew.
        c.progress_ns = now_ns_;
        if (c.timer != RetransmitTimer::persist) {
            c.backoffs = 0;
            c.rtt.reset_back_off();
            start_retransmit_timer(slot);
        }
    }
    c.snd_wnd = window;
    c.snd_wnd_max = std::max(c.snd_wnd_max, window);
    c.snd_wl1 = seq;
    c.snd_wl2 = ack;
}

[[gnu::always_inline]] inline void Stack::take_in_order(uint32_t slot,
                                                        Connection& c,
                                                        Octets payload) {
    c.rcv_nxt += static_cast<uint32_t>(payload.size());
    counters_.bytes_in += payload.size();
    if (c.unacked_segments < 255) {
        ++c.unacked_segments;
    }
    if (c.owner == Owner::open) {
        push_event(StackEvent::Kind::bytes, slot, c, payload);
    }
    queue_output(slot, c);
}

/// Octets that could be taken now from the peer.
[[gnu::always_inline]] inline uint32_t Stack::receive_room(const Connection& c) const {
    uint32_t room =
        std::min<uint32_t>(options_.receive_buffer_bytes, uint32_t{0xFFFF} << c.rcv_scale);
    if (c.keeps) [[unlikely]] {
        room -= std::min(room, c.kept.size());
    }
    if (chunks_.available() < options_.chunks / 8) [[unlikely]] {
        // Memory is short: who reads gets a little, who does not gets nothing more.
        room = c.keeps ? 0 : std::min(room, 4 * uint32_t{c.mss});
    }
    return room;
}

/// The window field; the one place that moves the right edge, and only forward (RFC 9293 3.8.6).
[[gnu::always_inline]] inline uint16_t Stack::offer_window(Connection& c) {
    const Seq edge = c.rcv_nxt + receive_room(c);
    // RFC 9293 3.8.6.2.2: in steps worth a segment.
    const uint32_t step = std::min(options_.receive_buffer_bytes / 2, uint32_t{c.mss});
    if (edge >= c.rcv_edge + step) {
        c.rcv_edge = edge;
    }
    // Rounded up: the edge that the peer computes is never behind the one it was told before.
    const uint32_t unit = uint32_t{1} << c.rcv_scale;
    const uint32_t window =
        std::min<uint32_t>((c.rcv_edge - c.rcv_nxt + unit - 1) >> c.rcv_scale, 0xFFFF);
    c.rcv_edge = later(c.rcv_edge, c.rcv_nxt + (window << c.rcv_scale));
    return static_cast<uint16_t>(window);
}

/// Every segment acknowledges.
[[gnu::always_inline]] inline void Stack::note_sent(Connection& c) {
    ++counters_.segments_out;
    c.ack_now = false;
    c.unacked_segments = 0;
    c.ack_ns = no_deadline;
    c.ack_sent = c.rcv_nxt;
}

}  // namespace sy::tcpip
