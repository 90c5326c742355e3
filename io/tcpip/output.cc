// Segments out. A connection comes here once a turn when it has something to send or to
// acknowledge; what leaves is decided by the peer's window, the congestion window and recovery.
#include <algorithm>

#include "io/tcpip/stack_inline.h"

namespace sy::tcpip {
namespace {

// Kind, length, two NOPs; then 8 octets a block.
constexpr uint32_t sack_option_bytes(uint32_t blocks) {
    return blocks == 0 ? 0 : 4 + 8 * blocks;
}

}  // namespace

void Stack::output(uint32_t slot) {
    Connection& c = connections_[slot];
    if (c.state < TcpState::established) {
        if (c.state == TcpState::syn_sent && c.ack_now) {
            send_owed_syn(slot);
        }
        return;  // nothing else: SYN-ACKs have their own ways
    }
    const bool by_scoreboard = c.recovery == Recovery::fast && c.scoreboard != no_index;
    bool sent = false;
    if (c.recovery == Recovery::fast || c.retransmit_first) {
        sent = send_recovery(slot);
    }
    if (!by_scoreboard && send_new(slot)) {
        sent = true;
    }
    if (!sent) {
        if (c.ack_now || c.unacked_segments >= 2) {
            if (!send_ack(slot)) {
                queue_output(slot);
            }
        } else if (c.unacked_segments == 1 && c.ack_ns == no_deadline) {
            c.ack_ns = now_ns_ + options_.delayed_ack_ns;
            wake_by(slot, c.ack_ns);
        }
    }
    arm_after_output(slot);
}

/// Data or FIN waits: for an acknowledgement, or for the window to open.
void Stack::arm_after_output(uint32_t slot) {
    Connection& c = connections_[slot];
    const bool waiting = c.snd_nxt < c.send_end() || (c.fin_wanted && !c.fin_sent);
    if (c.flight() > 0) {
        if (c.timer == RetransmitTimer::off) {
            start_retransmit_timer(slot);
        }
    } else if (waiting && !c.output_queued && c.timer == RetransmitTimer::off) {
        // RFC 9293 3.8.6.1.
        c.timer = RetransmitTimer::persist;
        c.retransmit_ns = now_ns_ + c.rtt.rto();
        wake_by(slot, c.retransmit_ns);
    }
}

/// Most payload that a segment can have now: SACK blocks take from it.
uint32_t Stack::payload_max(const Connection& c) const {
    if (c.reassembly == no_index || !c.sack_permitted) [[likely]] {
        return c.mss;
    }
    const uint32_t blocks =
        std::min<uint32_t>(reassemblies_[c.reassembly].range_count(), c.timestamps ? 3 : 4);
    return c.mss - std::min<uint32_t>(sack_option_bytes(blocks), c.mss / 2U);
}

/// Octets from snd_nxt on: new ones, and old ones again after a time-out. True when a segment left.
bool Stack::send_new(uint32_t slot) {
    Connection& c = connections_[slot];
    if (c.fin_acked()) {
        return false;
    }
    const Seq end = c.send_end();
    bool sent = false;
    if (now_ns_ >= c.mss_retry_ns && c.recovery == Recovery::none) [[unlikely]] {
        retry_mss(c);
    }
    while (true) {
        if (c.snd_nxt > end || (c.snd_nxt == end && !c.fin_wanted)) {
            break;
        }
        const Room room = room_at(c);
        uint32_t bytes = std::min({end - c.snd_nxt, room.window, room.segment});
        const bool fin = c.fin_wanted && c.snd_nxt + bytes == end;
        if (bytes == 0 && !fin) {
            break;
        }
        if (bytes > room.congestion && c.snd_nxt != c.snd_una) {
            c.cwnd_limited = true;
            break;
        }
        // RFC 9293 3.8.6.2.1: no small pieces because the window is small. What the user wrote
        // last goes at once (no Nagle).
        if (bytes < room.segment && bytes < end - c.snd_nxt && bytes < c.snd_wnd_max / 2) {
            break;
        }
        if (!send_segment(slot, bytes, fin)) {
            queue_output(slot);
            break;
        }
        sent = true;
    }
    return sent;
}

Stack::Room Stack::room_at(const Connection& c) const {
    Room room;
    room.segment = payload_max(c);
    const uint32_t used = c.snd_nxt - c.snd_una;
    room.window = c.snd_wnd > used ? c.snd_wnd - used : 0;
    if (c.snd_nxt == c.snd_una && c.snd_max > c.snd_nxt && c.timer != RetransmitTimer::persist) {
        // A window that shrank does not stop the retransmission of the first segment (RFC 9293
        // 3.8.6: be prepared).
        room.window = std::max(room.window, std::min(c.flight(), room.segment));
    }
    uint32_t congestion = c.congestion.cwnd;
    if (c.recovery == Recovery::none && c.scoreboard == no_index) {
        // RFC 3042: the first two duplicates each let a new segment out. With SACK what arrived is
        // off the pipe instead (RFC 6675 5, 3.3).
        congestion += std::min<uint32_t>(c.duplicate_acks, 2) * c.mss;
    }
    const uint32_t sacked =
        c.scoreboard == no_index ? 0 : scoreboards_[c.scoreboard].sacked_bytes();
    const uint32_t pipe = used - std::min(used, sacked);
    room.congestion = congestion > pipe ? congestion - pipe : 0;
    if (port_.info().tso_bytes_max > 0 && c.snd_nxt == c.snd_max) {
        // The port cuts: as many whole segments as the windows and its buffers allow.
        const uint32_t most =
            std::min({room.window, room.congestion, port_.info().tso_bytes_max - tso_headers_max});
        if (most > room.segment) {
            room.segment = most / room.segment * room.segment;
        }
    }
    return room;
}

/// One segment at snd_nxt.
bool Stack::send_segment(uint32_t slot, uint32_t bytes, bool fin) {
    Connection& c = connections_[slot];
    const Seq seq = c.snd_nxt;
    const Seq behind = seq + bytes + (fin ? 1 : 0);
    uint8_t flags = tcp::ack;
    if (fin) {
        flags |= tcp::fin;
    }
    if (seq + bytes == c.send_end() && bytes > 0) {
        flags |= tcp::psh;
    }
    const bool idle = c.flight() == 0;
    if (idle && now_ns_ - c.progress_ns > c.rtt.rto()) {
        c.congestion.on_idle(c.mss);
    }
    if (!c.cursor_valid && bytes > 0) {
        c.at = c.send.at(chunks_, seq - c.snd_una);
        c.cursor_valid = true;
    }
    if (!emit(c, seq, bytes, flags, &c.at)) {
        return false;
    }
    if (fin && !c.fin_sent) {
        c.fin_sent = true;
        c.fin_seq = seq + bytes;
        c.state = c.state == TcpState::close_wait ? TcpState::last_ack : TcpState::fin_wait_1;
    }
    if (behind > c.snd_max) {
        counters_.bytes_out += behind - c.snd_max;
        if (!c.rtt_running) {
            c.rtt_running = true;
            c.rtt_seq = behind;
            c.rtt_sent_ns = now_ns_;
        }
        c.snd_max = behind;
    } else {
        ++counters_.retransmitted;
    }
    c.snd_nxt = behind;
    if (idle || c.timer == RetransmitTimer::persist) {
        // The window has opened: what was probed, and for how long, says nothing of this segment.
        if (c.timer == RetransmitTimer::persist) {
            c.backoffs = 0;
            c.rtt.reset_back_off();
        }
        c.progress_ns = now_ns_;
        c.timer = RetransmitTimer::off;
        c.retransmit_ns = no_deadline;
    }
    if (c.timer == RetransmitTimer::off || c.timer == RetransmitTimer::probe_tail) {
        start_retransmit_timer(slot);
    }
    return true;
}

/// Fast recovery: the first hole, then with SACK what RFC 6675 5 (C) allows.
bool Stack::send_recovery(uint32_t slot) {
    Connection& c = connections_[slot];
    bool sent = false;
    if (c.retransmit_first) {
        uint32_t bytes = std::min(payload_max(c), c.flight());
        if (c.scoreboard != no_index && !scoreboards_[c.scoreboard].empty()) {
            bytes = std::min(bytes, scoreboards_[c.scoreboard].ranges()[0].begin - c.snd_una);
        }
        if (!retransmit(slot, c.snd_una, bytes)) {
            queue_output(slot);
            return false;
        }
        c.retransmit_first = false;
        c.high_retransmitted = later(c.high_retransmitted, c.snd_una + bytes);
        sent = true;
    }
    if (c.scoreboard == no_index) {
        return sent;
    }
    const Scoreboard& scoreboard = scoreboards_[c.scoreboard];
    uint32_t pipe = scoreboard.pipe(c.snd_una, c.snd_max, c.high_retransmitted, c.mss);
    while (c.congestion.cwnd >= pipe + c.mss) {
        const NextSegment next =
            scoreboard.next_segment(c.snd_una, c.snd_max, c.high_retransmitted, payload_max(c));
        uint32_t bytes = 0;
        if (next.rule != 1) {  // rule 2: new data
            bytes = new_segment_bytes(c);
        }
        const bool is_new = bytes > 0;
        if (!is_new && next.rule == 0) {
            break;
        }
        bytes = is_new ? bytes : next.octets.size();
        const bool left =
            is_new ? send_segment(slot, bytes, c.fin_wanted && c.snd_nxt + bytes == c.send_end())
                   : retransmit(slot, next.octets.begin, bytes);
        if (!left) {
            queue_output(slot);
            break;
        }
        if (!is_new) {
            c.high_retransmitted = later(c.high_retransmitted, next.octets.end);
        }
        pipe += bytes;
        sent = true;
    }
    return sent;
}

/// Payload of one new segment that the peer's window allows; 0: none.
uint32_t Stack::new_segment_bytes(const Connection& c) const {
    const Seq end = c.send_end();
    const uint32_t used = c.snd_nxt - c.snd_una;
    if (c.snd_nxt >= end || c.snd_wnd <= used) {
        return 0;
    }
    const uint32_t bytes = std::min({end - c.snd_nxt, c.snd_wnd - used, payload_max(c)});
    return bytes == end - c.snd_nxt || bytes == payload_max(c) ? bytes : 0;
}

/// Sends [seq, seq + bytes) again, our FIN with it if it stands there.
bool Stack::retransmit(uint32_t slot, Seq seq, uint32_t bytes) {
    Connection& c = connections_[slot];
    const Seq end = c.send_end();
    const uint32_t octets = seq < end ? std::min(bytes, end - seq) : 0;
    const bool fin = c.fin_sent && seq + octets == c.fin_seq && bytes > octets;
    uint8_t flags = tcp::ack;
    if (fin) {
        flags |= tcp::fin;
    }
    ChunkQueue::Cursor cursor;
    if (octets > 0) {
        cursor = c.send.at(chunks_, seq - c.snd_una);
    }
    if (!emit(c, seq, octets, flags, &cursor)) {
        return false;
    }
    if (c.rtt_running && seq < c.rtt_seq) {
        c.rtt_running = false;  // Karn
    }
    ++counters_.retransmitted;
    return true;
}

/// Timestamps and, while octets are missing, SACK blocks (a duplicate first: RFC 2883).
uint32_t Stack::put_options(Connection& c, uint8_t* to) {
    TcpOptions options;
    options.has_timestamps = c.timestamps;
    options.timestamp = timestamp(c);
    options.echo = c.ts_recent;
    if (c.sack_permitted && (c.reassembly != no_index || has_duplicate_)) {
        uint32_t blocks = 0;
        if (has_duplicate_) {
            options.sack[blocks++] = duplicate_;
        }
        if (c.reassembly != no_index) {
            const uint32_t most = c.timestamps ? 3 : 4;
            blocks +=
                reassemblies_[c.reassembly].sack_blocks({options.sack + blocks, most - blocks});
        }
        options.sack_count = static_cast<uint8_t>(blocks);
    }
    return build_options(to, options);
}

/// One segment, whatever state the connection is in. False: no frame; the caller comes again.
bool Stack::emit(
    Connection& c, Seq seq, uint32_t bytes, uint8_t flags, ChunkQueue::Cursor* cursor) {
    // First: it may send a question of its own, in the frame that begin() gives.
    const Mac* next_hop = ip_.next_hop(c.next_hop, now_ns_);
    TxFrame* frame = out_.begin();
    if (frame == nullptr) [[unlikely]] {
        ++counters_.no_frame;
        return false;
    }
    const bool plain = c.timestamps && c.reassembly == no_index && !has_duplicate_;
    uint8_t options[tcp::header_bytes_max - tcp::header_bytes];
    const uint32_t options_bytes = plain ? timestamps_bytes : put_options(c, options);
    const uint32_t header_bytes = tcp::header_bytes + options_bytes;
    uint8_t* at = ip_.write_headers(*frame, c.key, header_bytes + bytes, next_hop);
    uint64_t header_sum = store_tcp_header(at, {.source_port = c.key.local_port,
                                                .destination_port = c.key.remote_port,
                                                .seq = seq,
                                                .ack = c.rcv_nxt,
                                                .header_bytes = static_cast<uint8_t>(header_bytes),
                                                .flags = flags,
                                                .window = offer_window(c)});
    if (plain) [[likely]] {
        header_sum += put_timestamps(at + tcp::header_bytes, timestamp(c), c.ts_recent);
    } else {
        std::memcpy(at + tcp::header_bytes, options, options_bytes);
        header_sum += sum_octets(options, options_bytes);
    }
    const uint32_t most = payload_max(c);  // SACK blocks take from it
    IpLayer::L4Part part{.header_bytes = header_bytes,
                         .header_sum = header_sum,
                         .payload_bytes = bytes,
                         .payload_sum = 0,
                         .segment_bytes = static_cast<uint16_t>(bytes > most ? most : 0)};
    if (bytes > 0) {
        if (ip_.port_sums_tcp()) {
            c.send.copy_out(chunks_, *cursor, {at + header_bytes, bytes});
        } else {
            part.payload_sum =
                c.send.copy_out_and_sum(chunks_, *cursor, {at + header_bytes, bytes});
        }
    }
    ip_.finish_tcp(*frame, c.key, part);
    if (next_hop != nullptr) [[likely]] {
        out_.commit();
    } else {
        hold(c);
    }
    note_sent(c);
    return true;
}

/// The frame in hand waits until the neighbour answers.
void Stack::hold(Connection& c) {
    if (!ip_.neighbours().exists(c.next_hop)) {
        // Its entry was given up for others: a new one.
        ip_.neighbours().release(c.next_hop);
        const auto path = ip_.path_to(c.key.remote, now_ns_);
        c.next_hop = path ? path->next_hop : Neighbours::Handle{};
        ip_.neighbours().retain(c.next_hop);
    }
    ip_.hold(c.next_hop, out_.take(), now_ns_);
}

bool Stack::send_ack(uint32_t slot) {
    Connection& c = connections_[slot];
    // Behind everything sent, as the peer expects it; not behind its window, where it would not
    // look at it.
    return emit(c, earlier(c.snd_max, c.snd_una + c.snd_wnd), 0, tcp::ack, nullptr);
}

/// RFC 9293 3.10.7.4 and RFC 5961 3: the peer takes it only at the exact place.
void Stack::send_reset(const Connection& c, Seq seq) {
    const Mac* next_hop = ip_.next_hop(c.next_hop, now_ns_);
    if (!write_stateless({.key = c.key, .seq = seq, .ack = c.rcv_nxt, .flags = tcp::rst | tcp::ack},
                         next_hop, {})) {
        return;
    }
    if (next_hop != nullptr) {
        out_.commit();
    } else {
        ip_.hold(c.next_hop, out_.take(), now_ns_);
    }
}

/// SYN, or SYN-ACK when the peer's SYN has come (simultaneous open).
bool Stack::send_syn(uint32_t slot) {
    Connection& c = connections_[slot];
    // First: it may send a question of its own, in the frame that begin() gives.
    const Mac* next_hop = ip_.next_hop(c.next_hop, now_ns_);
    TxFrame* frame = out_.begin();
    if (frame == nullptr) {
        ++counters_.no_frame;
        return false;
    }
    const bool answer = c.state == TcpState::syn_received;
    TcpOptions offer;
    offer.mss = our_mss(c.key.remote);
    // From the third repetition on nothing but the MSS: some path may not like the rest.
    const bool plain = !answer && c.backoffs >= 3;
    offer.has_timestamps = !plain && (answer ? c.timestamps : options_.timestamps);
    offer.timestamp = timestamp(c);
    offer.echo = answer ? c.ts_recent : 0;
    offer.sack_permitted = !plain && (answer ? c.sack_permitted : options_.sack);
    offer.has_window_scale = !plain && (answer ? c.window_scale : options_.window_scale);
    offer.window_scale = our_scale();
    uint8_t options[tcp::header_bytes_max - tcp::header_bytes];
    const uint32_t options_bytes = build_syn_options(options, offer);
    const uint32_t header_bytes = tcp::header_bytes + options_bytes;
    uint8_t* at = ip_.write_headers(*frame, c.key, header_bytes, next_hop);
    const uint32_t window = std::min<uint32_t>(options_.receive_buffer_bytes, 0xFFFF);
    (void)store_tcp_header(at,
                           {.source_port = c.key.local_port,
                            .destination_port = c.key.remote_port,
                            .seq = c.iss,
                            .ack = answer ? c.rcv_nxt : Seq{},
                            .header_bytes = static_cast<uint8_t>(header_bytes),
                            .flags = static_cast<uint8_t>(answer ? tcp::syn | tcp::ack : tcp::syn),
                            .window = static_cast<uint16_t>(window)});
    std::memcpy(at + tcp::header_bytes, options, options_bytes);
    ip_.finish_tcp(*frame, c.key, header_bytes);
    if (next_hop != nullptr) {
        out_.commit();
    } else {
        hold(c);
    }
    ++counters_.segments_out;
    return true;
}

/// A segment of no connection: resets, SYN-ACKs, answers from TIME-WAIT. Goes back where the
/// segment that it answers came from.
void Stack::send_stateless(const Stateless& segment, const Mac& to, Octets options) {
    if (write_stateless(segment, &to, options)) {
        out_.commit();
    }
}

/// Into the frame of out_.begin(); false: there is none. `to` null: for hold().
bool Stack::write_stateless(const Stateless& segment, const Mac* to, Octets options) {
    TxFrame* frame = out_.begin();
    if (frame == nullptr) {
        ++counters_.no_frame;
        return false;
    }
    const auto header_bytes = static_cast<uint32_t>(tcp::header_bytes + options.size());
    uint8_t* at = ip_.write_headers(*frame, segment.key, header_bytes, to);
    (void)store_tcp_header(at, {.source_port = segment.key.local_port,
                                .destination_port = segment.key.remote_port,
                                .seq = segment.seq,
                                .ack = segment.ack,
                                .header_bytes = static_cast<uint8_t>(header_bytes),
                                .flags = segment.flags,
                                .window = segment.window});
    if (!options.empty()) {
        std::memcpy(at + tcp::header_bytes, options.data(), options.size());
    }
    ip_.finish_tcp(*frame, segment.key, header_bytes);
    ++counters_.segments_out;
    if ((segment.flags & tcp::rst) != 0) {
        ++counters_.resets_out;
    }
    return true;
}

uint8_t Stack::our_scale() const {
    uint8_t scale = 0;
    while (scale < 14 && (uint32_t{0xFFFF} << scale) < options_.receive_buffer_bytes) {
        ++scale;
    }
    return scale;
}

}  // namespace sy::tcpip
