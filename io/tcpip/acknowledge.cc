// What an acknowledgement means: the send queue, round-trip time, congestion window, and loss: fast
// recovery with SACK (RFC 6675) and without (RFC 5681, 6582), limited transmit (RFC 3042), the tail
// loss probe's end (RFC 8985 7.4).
#include <algorithm>

#include "io/tcpip/stack_inline.h"

namespace sy::tcpip {

/// REQUIRES: the ACK field was found acceptable.
void Stack::acknowledge(uint32_t slot, const Packet& packet, const TcpOptions& options) {
    Connection& c = connections_[slot];
    const bool same_ack = packet.ack == c.snd_una;
    const uint32_t window = uint32_t{packet.window} << c.snd_scale;
    // RFC 5681 2: nothing in it, the window as it was, something in flight.
    const bool bare = same_ack && packet.payload_bytes == 0 && (packet.flags & tcp::fin) == 0 &&
                      window == c.snd_wnd && c.flight() > 0;
    if (packet.ack > c.snd_una) {
        if (c.rtt.backoffs() > 0) {
            sample_echo(c, options);
        }
        new_ack(slot, packet.ack);
        if (c.state == TcpState::free) {
            return;
        }
    }
    const SackUpdate sacked = take_sack(slot, options);
    update_window(slot, c, packet.seq, packet.ack, packet.window);
    if (c.tail_probed) {
        const bool plain =
            same_ack && packet.payload_bytes == 0 && options.sack_count == 0 && !sacked.duplicate;
        tail_probe_acked(slot, packet.ack, sacked.duplicate || plain);
    }
    // RFC 6675 2: with SACK, a duplicate is what reports octets that were not known to be there.
    if (c.flight() > 0 && (sacked.newly_sacked > 0 || (bare && options.sack_count == 0))) {
        ++counters_.duplicate_acks_in;
        duplicate_ack(slot);
    }
}

/// In the handshake, and while the time-out is backed off, what is acknowledged may have been sent
/// twice and gives no sample (Karn); an echoed timestamp says which of the two it was (RFC 7323
/// 4.1). An echo from before the last time-out says nothing: either that copy took so long, or it
/// was there at once and its acknowledgment, lost, is only repeated now.
void Stack::sample_echo(Connection& c, const TcpOptions& options) {
    if (!c.timestamps || !options.has_timestamps) {
        return;
    }
    const uint32_t elapsed_ms = timestamp(c) - options.echo;
    const Nanos since_ms = now_ns_ / millisecond_ns - c.timed_out_ns / millisecond_ns;
    if (elapsed_ms <= since_ms) {
        c.rtt.sample(std::max<Nanos>(elapsed_ms, 1) * millisecond_ns);
    }
}

/// What was sent with the octets that are being timed, or after them, has arrived ahead of others:
/// a round trip took at most this long. While the time-out is backed off it is the way back, for
/// what is missing will need the timer again.
void Stack::sample_sacked(uint32_t slot) {
    Connection& c = connections_[slot];
    const auto arrived = scoreboards_[c.scoreboard].ranges();
    if (c.rtt.backoffs() == 0 || !c.rtt_running || arrived.empty() ||
        arrived.back().end < c.rtt_seq) {
        return;
    }
    c.rtt.sample(now_ns_ - c.rtt_sent_ns);
    c.rtt_running = false;
    if (c.timer == RetransmitTimer::retransmit) {
        start_retransmit_timer(slot);
    }
}

/// Octets (or our FIN) are acknowledged for the first time.
void Stack::new_ack(uint32_t slot, Seq ack) {
    Connection& c = connections_[slot];
    const uint32_t flight_before = c.flight();
    const uint32_t bytes = ack - c.snd_una;
    const bool fin_now = c.fin_sent && ack > c.fin_seq && c.snd_una <= c.fin_seq;
    c.send.drop_front(chunks_, bytes - (fin_now ? 1 : 0));
    c.snd_una = ack;
    c.snd_wnd -= std::min(bytes, c.snd_wnd);  // the right edge stays
    if (c.snd_nxt < ack) {
        c.snd_nxt = ack;
        c.cursor_valid = false;
    }
    if (c.scoreboard != no_index) {
        scoreboards_[c.scoreboard].advance(ack);
    }
    if (c.rtt_running && ack >= c.rtt_seq) {
        c.rtt.sample(now_ns_ - c.rtt_sent_ns);
        c.rtt_running = false;
    }
    if (c.timer == RetransmitTimer::persist) {
        c.rtt.reset_back_off();  // the probes' own; a time-out's stays until there is a sample
    }
    c.backoffs = 0;
    c.progress_ns = now_ns_;
    ip_.neighbours().confirm(c.next_hop, now_ns_);
    react_to_ack(slot, bytes, flight_before);
    c.cwnd_limited = false;
    restart_after_ack(slot, c);
    if (c.want_write) {
        tell_writable(slot);
    }
    if (c.recovery != Recovery::none || c.snd_nxt < c.send_end() || (c.fin_wanted && !c.fin_sent)) {
        queue_output(slot);
    }
    if (fin_now) {
        our_fin_acked(slot);
    }
}

void Stack::tell_writable(uint32_t slot) {
    const Connection& c = connections_[slot];
    if (c.owner == Owner::open && c.send.size() <= options_.send_buffer_bytes / 2) {
        push_event(StackEvent::Kind::writable, slot);
    }
}

/// The congestion window's part of a new acknowledgement.
void Stack::react_to_ack(uint32_t slot, uint32_t bytes, uint32_t flight_before) {
    Connection& c = connections_[slot];
    switch (c.recovery) {
        case Recovery::none:
            c.duplicate_acks = 0;
            c.congestion.on_ack(bytes, flight_before, c.cwnd_limited, c.mss);
            if (c.scoreboard != no_index && scoreboards_[c.scoreboard].empty()) {
                drop_scoreboard(c);
            }
            break;
        case Recovery::fast:
            if (c.snd_una >= c.recovery_point) {
                leave_recovery(c);
                break;
            }
            c.high_retransmitted = later(c.high_retransmitted, c.snd_una);
            if (c.scoreboard == no_index) {
                // RFC 6582 3.2 step 3: the next hole begins where this one ended.
                c.congestion.on_partial_ack(bytes, c.mss);
                c.retransmit_first = true;
            } else if (scoreboards_[c.scoreboard].empty()) {
                // Nothing above is known to have arrived, yet the recovery point is not reached.
                c.retransmit_first = c.high_retransmitted == c.snd_una;
            }
            break;
        case Recovery::timeout:
            c.congestion.on_ack(bytes, flight_before, true, c.mss);
            if (c.snd_una >= c.recovery_point) {
                c.recovery = Recovery::none;
                c.duplicate_acks = 0;
            }
            break;
    }
}

void Stack::leave_recovery(Connection& c) {
    c.congestion.on_recovery_exit(c.flight(), c.mss);
    c.recovery = Recovery::none;
    c.retransmit_first = false;
    c.duplicate_acks = 0;
    if (c.scoreboard != no_index && scoreboards_[c.scoreboard].empty()) {
        drop_scoreboard(c);
    }
}

SackUpdate Stack::take_sack(uint32_t slot, const TcpOptions& options) {
    Connection& c = connections_[slot];
    if (!c.sack_permitted || options.sack_count == 0) {
        return {};
    }
    if (c.scoreboard == no_index) {
        c.scoreboard = scoreboards_.acquire();
        if (c.scoreboard == no_index) {
            return {};  // as many recoveries as the worker may have: on without SACK
        }
    }
    Scoreboard& scoreboard = scoreboards_[c.scoreboard];
    const SackUpdate update =
        scoreboard.update(c.snd_una, c.snd_max, {options.sack, options.sack_count});
    sample_sacked(slot);
    // After a time-out everything is sent again in order: what was reported may have been
    // discarded since (RFC 2018 8).
    if (scoreboard.empty() || c.recovery == Recovery::timeout) {
        drop_scoreboard(c);
    }
    return update;
}

void Stack::drop_scoreboard(Connection& c) {
    if (c.scoreboard != no_index) {
        scoreboards_[c.scoreboard].clear();
        scoreboards_.release(c.scoreboard);
        c.scoreboard = no_index;
    }
}

void Stack::duplicate_ack(uint32_t slot) {
    Connection& c = connections_[slot];
    if (c.timer == RetransmitTimer::persist) {
        return;  // answers to our probes
    }
    switch (c.recovery) {
        case Recovery::timeout:
            return;  // RFC 6582 3.2: no second reduction for the same window
        case Recovery::fast:
            if (c.scoreboard == no_index) {
                c.congestion.on_duplicate_ack(c.mss);
            }
            break;
        case Recovery::none:
            if (c.duplicate_acks < 255) {
                ++c.duplicate_acks;
            }
            if (c.duplicate_acks >= dup_threshold ||
                (c.scoreboard != no_index &&
                 scoreboards_[c.scoreboard].is_lost(c.snd_una, c.mss))) {
                enter_fast_recovery(slot);
            }
            break;
    }
    queue_output(slot);
}

void Stack::enter_fast_recovery(uint32_t slot) {
    Connection& c = connections_[slot];
    ++counters_.fast_recoveries;
    c.recovery = Recovery::fast;
    c.recovery_point = c.snd_max;
    c.high_retransmitted = c.snd_una;
    c.retransmit_first = true;
    c.rtt_running = false;
    c.tail_probed = false;
    // RFC 5681 3.2 (2): what limited transmit let out beyond cwnd does not count.
    const uint32_t flight = std::min(c.flight(), c.congestion.cwnd);
    if (c.scoreboard != no_index) {
        c.congestion.on_sack_recovery(flight, c.mss);
    } else {
        c.congestion.on_fast_retransmit(flight, c.mss);
    }
    start_retransmit_timer(slot);
    queue_output(slot);
}

/// RFC 8985 7.4: did the probe repair a loss that nobody else would have noticed? `repeated`: the
/// peer says that something arrived twice (D-SACK), or says the same again.
void Stack::tail_probe_acked(uint32_t slot, Seq ack, bool repeated) {
    Connection& c = connections_[slot];
    if (c.scoreboard != no_index && c.recovery == Recovery::none &&
        scoreboards_[c.scoreboard].is_sacked(c.tail_end - 1)) {
        // The tail is there, what is before it is not: no need to count to three.
        enter_fast_recovery(slot);
        return;
    }
    // An acknowledgment of just the tail may be the first copy's: what follows it tells.
    if (ack < c.tail_end || (ack == c.tail_end && c.tail_retransmitted && !repeated)) {
        return;
    }
    c.tail_probed = false;
    if (c.tail_retransmitted && !repeated && c.recovery == Recovery::none) {
        c.congestion.on_sack_recovery(c.flight(), c.mss);
        c.congestion.on_recovery_exit(c.flight(), c.mss);
    }
}

}  // namespace sy::tcpip
