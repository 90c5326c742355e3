// What happens when time passes: retransmission (RFC 6298), tail loss probe (RFC 8985 7), zero
// window probe (RFC 9293 3.8.6.1), delayed ACK, keepalive (RFC 9293 3.8.4), user timeout (RFC
// 5482), the bounds of connect(), close() and FIN-WAIT-2.
#include <algorithm>

#include "io/tcpip/stack_inline.h"

namespace sy::tcpip {
void Stack::expired(uint32_t index) {
    if (index < half_open_base()) {
        connection_expired(index);
    } else if (index < time_wait_base()) {
        half_open_expired(index - half_open_base());
    } else {
        drop_time_wait(index - time_wait_base());
    }
}

void Stack::connection_expired(uint32_t slot) {
    Connection& c = connections_[slot];
    if (c.state == TcpState::free) {
        return;
    }
    if (c.ack_ns <= now_ns_) {
        c.ack_ns = no_deadline;
        c.ack_now = true;
        queue_output(slot);
    }
    if (c.linger_ns <= now_ns_) {
        c.linger_ns = no_deadline;
        linger_expired(slot);
    }
    if (c.state != TcpState::free && c.retransmit_ns <= now_ns_) {
        retransmit_expired(slot);
    }
    if (c.state != TcpState::free && keepalive_ns(c) <= now_ns_) {
        keepalive_expired(slot);
    }
    if (c.state != TcpState::free) {
        restart_wheel(slot);
    }
}

void Stack::linger_expired(uint32_t slot) {
    Connection& c = connections_[slot];
    switch (c.owner) {
        case Owner::opening:
            ++counters_.attempts_failed;
            end(slot, CloseReason::connect_failed);
            release_tcp(slot);
            break;
        case Owner::closing:
            // The user has waited long enough; TCP goes on for what is still to be sent.
            end(slot, CloseReason::local);
            break;
        case Owner::none:
            orphan_expired(slot);
            break;
        case Owner::open:
            break;
    }
}

void Stack::retransmit_expired(uint32_t slot) {
    switch (connections_[slot].timer) {
        case RetransmitTimer::off:
            SY_COUNT_BUG("retransmission deadline without a timer");
            connections_[slot].retransmit_ns = no_deadline;
            break;
        case RetransmitTimer::retransmit:
            retransmission_timeout(slot);
            break;
        case RetransmitTimer::probe_tail:
            probe_tail(slot);
            break;
        case RetransmitTimer::persist:
            persist_expired(slot);
            break;
    }
}

/// FIN-WAIT-2 has lasted long enough. Or what the user left is not taken: a peer that only confirms
/// its shut window, again and again, holds nothing for a user who has gone.
void Stack::orphan_expired(uint32_t slot) {
    Connection& c = connections_[slot];
    if (c.state == TcpState::fin_wait_2) {
        release_tcp(slot);
    } else if (c.snd_wnd == 0 && now_ns_ - c.progress_ns >= options_.user_timeout_ns) {
        give_up(slot);
    } else {
        // It moves on, or its retransmissions will give it up.
        c.linger_ns = now_ns_ + options_.user_timeout_ns;
    }
}

/// RFC 6298 section 5; RFC 5681 3.1 for the window.
void Stack::retransmission_timeout(uint32_t slot) {
    Connection& c = connections_[slot];
    ++counters_.timeouts;
    c.timed_out_ns = now_ns_;
    if (c.state < TcpState::established) {
        c.rtt.back_off();
        c.rtt_running = false;
        ++c.backoffs;
        if (c.state == TcpState::syn_sent) {
            send_owed_syn(slot);
        } else {
            (void)send_syn(slot);
        }
        ++counters_.retransmitted;
        c.retransmit_ns = now_ns_ + c.rtt.rto();
        return;
    }
    if (c.snd_wnd == 0 ? silent(c) : now_ns_ - c.progress_ns >= options_.user_timeout_ns) {
        give_up(slot);
        return;
    }
    count_probe(c);
    suspect_black_hole(c);
    update_mss(c);
    c.congestion.on_rto(c.flight(), c.mss, c.backoffs > 0);
    c.rtt.back_off();
    if (c.backoffs < 255) {
        ++c.backoffs;
    }
    restart_from_una(c);
    c.timer = RetransmitTimer::retransmit;
    c.retransmit_ns = now_ns_ + c.rtt.rto();
    queue_output(slot);
}

/// Everything in flight counts as lost and is sent again in order.
void Stack::restart_from_una(Connection& c) {
    c.recovery = Recovery::timeout;
    c.recovery_point = c.snd_max;
    c.snd_nxt = c.snd_una;
    c.cursor_valid = false;
    c.rtt_running = false;
    c.retransmit_first = false;
    c.tail_probed = false;
    c.duplicate_acks = 0;
    drop_scoreboard(c);
}

/// The peer has not answered for too long.
void Stack::give_up(uint32_t slot) {
    Connection& c = connections_[slot];
    ++counters_.timed_out;
    send_reset(c, c.snd_max);
    if (c.owner == Owner::open) {
        end(slot, CloseReason::peer_reset);
    } else if (c.owner == Owner::closing) {
        end(slot, CloseReason::local);
    }
    release_tcp(slot);
}

/// RFC 8985 7.3: the last segment again, or a new one, so that the peer tells what it is missing.
void Stack::probe_tail(uint32_t slot) {
    Connection& c = connections_[slot];
    ++counters_.tail_probes;
    const uint32_t fresh = new_segment_bytes(c);
    bool left = false;
    if (fresh > 0) {
        left = send_segment(slot, fresh, c.fin_wanted && c.snd_nxt + fresh == c.send_end());
        c.tail_retransmitted = false;
    } else {
        const uint32_t bytes = std::min(c.flight(), payload_max(c));
        left = retransmit(slot, c.snd_max - bytes, bytes);
        c.tail_retransmitted = true;
    }
    c.tail_probed = left;
    c.tail_end = c.snd_max;
    c.timer = RetransmitTimer::retransmit;
    c.retransmit_ns = now_ns_ + c.rtt.rto();
}

/// Whether what was sent last into a shut window is still unanswered after the user timeout. For as
/// long as the peer answers the connection lives (RFC 9293 3.8.6.1), also when the back-off is
/// longer than the timeout.
bool Stack::silent(const Connection& c) const {
    return c.probes > 0 && now_ns_ - c.received_ns >= options_.user_timeout_ns;
}

/// Every acceptable segment of the peer sets it back.
void Stack::count_probe(Connection& c) {
    if (c.probes < 255) {
        ++c.probes;
    }
}

/// One octet beyond the shut window: the peer answers with the window as it is. Or the window is
/// open, but so little that nothing was sent: the override time of RFC 9293 3.8.6.2.1 has passed.
void Stack::persist_expired(uint32_t slot) {
    Connection& c = connections_[slot];
    if (silent(c)) {
        give_up(slot);
        return;
    }
    const uint32_t room = std::min({c.send.size(), c.snd_wnd, payload_max(c)});
    if (room > 0) {
        if (!send_segment(slot, room, c.fin_wanted && room == c.send.size())) {
            c.retransmit_ns = now_ns_ + c.rtt.rto();
        }
        return;
    }
    ++counters_.window_probes;
    c.timed_out_ns = now_ns_;
    count_probe(c);
    const bool has_octets = !c.send.empty();
    const bool fin = !has_octets && c.fin_wanted;
    ChunkQueue::Cursor cursor;
    if (has_octets) {
        cursor = c.send.at(chunks_, 0);
    }
    const uint8_t flags = fin ? tcp::ack | tcp::fin : tcp::ack;
    if (emit(c, c.snd_una, has_octets ? 1 : 0, flags, &cursor)) {
        if (fin && !c.fin_sent) {
            c.fin_sent = true;
            c.fin_seq = c.snd_una;
            c.state = c.state == TcpState::close_wait ? TcpState::last_ack : TcpState::fin_wait_1;
        }
        c.snd_max = later(c.snd_max, c.snd_una + 1);
    }
    c.rtt.back_off();
    if (c.backoffs < 255) {
        ++c.backoffs;
    }
    c.retransmit_ns = now_ns_ + c.rtt.rto();
}

void Stack::keepalive_expired(uint32_t slot) {
    Connection& c = connections_[slot];
    if (c.probes >= options_.keepalive_probes) {
        give_up(slot);
        return;
    }
    ++c.probes;
    ++counters_.keepalive_probes;
    // An octet that the peer has: it must answer.
    (void)emit(c, c.snd_una - 1, 0, tcp::ack, nullptr);
}

}  // namespace sy::tcpip
