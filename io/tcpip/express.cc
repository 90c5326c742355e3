// The turn's two loops, and the short road of a segment in either direction: header prediction.
// What it decides is what the long one (input.cc, acknowledge.cc, output.cc) would decide, from
// fewer fields: tests run whole conversations both ways and compare every octet and every event.
//
// In: an established connection, the next segment in order, nothing lost in either direction, no
// options but timestamps. TCP over IPv4 comes here from the frame itself, without a Packet.
// Out: over IPv4, with timestamps, all that waits in one segment, nothing else to report.
#include <algorithm>
#include <cstring>

#include "io/tcpip/plain_headers.h"
#include "io/tcpip/stack_inline.h"

namespace sy::tcpip {
namespace {

// State, owner, recovery and duplicate ACKs of a connection as one word.
constexpr size_t mode_at = offsetof(Connection, state);
static_assert(offsetof(Connection, owner) == mode_at + 1 &&
              offsetof(Connection, recovery) == mode_at + 2 &&
              offsetof(Connection, duplicate_acks) == mode_at + 3);
uint32_t mode_of(const Connection& c) {
    uint32_t word = 0;
    std::memcpy(&word, reinterpret_cast<const uint8_t*>(&c) + mode_at, sizeof word);
    return word;
}
constexpr uint32_t ordinary_mode = static_cast<uint32_t>(TcpState::established) |
                                   static_cast<uint32_t>(Owner::open) << 8 |
                                   static_cast<uint32_t>(Recovery::none) << 16;

bool is_of(const PlainSegment& segment, const Connection& c) {
    return c.ipv4 && raw_ipv4(segment.l3 + ipv4::source_at) == raw_ipv4(c.key.remote.ipv4()) &&
           raw_ipv4(segment.l3 + ipv4::destination_at) == raw_ipv4(c.key.local.ipv4()) &&
           segment.ports() == (uint32_t{c.key.remote_port} << 16 | c.key.local_port);
}

}  // namespace

uint32_t Stack::receive() {
    events_.clear();
    frame_count_ = port_.receive(frames_);
    for (uint32_t i = 0; i < frame_count_; ++i) {
        look_at(i);
    }
    for (uint32_t i = 0; i < frame_count_; ++i) {
        Flight& flight = flights_[i];
        if (flight.plain || packets_[i].kind == PacketKind::tcp) {
            // Whichever has this hash; the key is compared when its line has arrived.
            flight.candidate = flows_.find(flight.hash, [](uint32_t) { return true; });
            if (flight.candidate < options_.connections_max) {
                prefetch_connection(flight.candidate);
            }
        }
    }
    uint32_t expressed = 0;
    for (uint32_t i = 0; i < frame_count_; ++i) {
        const Flight& flight = flights_[i];
        if (!flight.plain) {
            take_packet(i);
        } else if (flight.candidate < options_.connections_max &&
                   express(flight.candidate, flight.segment)) [[likely]] {
            ++expressed;
        } else {
            RxFrame frame = frames_[i];
            frame.ip_checksum = ChecksumState::good;  // look_at() has looked
            frame.l4_checksum = ChecksumState::good;
            ip_.parse(frame, packets_[i]);
            take_packet(i);
        }
    }
    ip_.count_tcp(expressed);
    counters_.segments_in += expressed;
    counters_.fast_path += expressed;
    return frame_count_;
}

/// First look at a frame: what it is, and where its connection may be found.
[[gnu::always_inline]] inline void Stack::look_at(uint32_t index) {
    Flight& flight = flights_[index];
    const RxFrame& frame = frames_[index];
    flight.plain = options_.fast_path && find_plain(frame, ip_.interface(), flight.segment);
    // Before its checksum: in a flood it is not worth that.
    if (flight.plain && shed(index, flight.segment.l4()[tcp::flags_at])) [[unlikely]] {
        ip_.count_tcp(1);
        return;
    }
    flight.plain = flight.plain && is_intact(frame, flight.segment);
    if (flight.plain) [[likely]] {
        flight.hash =
            flow_hash_ipv4(flight.segment.addresses(), flight.segment.ports(), flow_seed_);
        flows_.prefetch(flight.hash);
        return;
    }
    ip_.parse(frame, packets_[index]);
    if (packets_[index].kind == PacketKind::tcp) {
        if (shed(index, packets_[index].flags)) [[unlikely]] {
            return;
        }
        flight.hash = flow_hash(packets_[index].flow, flow_seed_);
        flows_.prefetch(flight.hash);
    }
}

[[gnu::always_inline]] inline bool Stack::cookie_for(uint32_t index) {
    const Flight& flight = flights_[index];
    return syn_policy_.take(flight.plain
                                ? SynPolicy::network_of_ipv4(flight.segment.l3 + ipv4::source_at)
                                : SynPolicy::network_of(packets_[index].flow.remote));
}

/// A SYN that finds neither an entry nor a cookie: nothing more is done about it, whomever it is
/// for. Established connections keep their share of the core, and who means it asks again.
[[gnu::always_inline]] inline bool Stack::shed(uint32_t index, uint8_t flags) {
    if ((flags & (tcp::syn | tcp::ack | tcp::rst)) != tcp::syn) [[likely]] {
        return false;
    }
    if (!half_open_.full() || cookie_for(index)) {
        return false;
    }
    ++counters_.segments_in;
    ++counters_.syns_shed;
    flights_[index].plain = false;
    packets_[index].kind = PacketKind::dropped;
    return true;
}

/// False: nothing was changed, it goes the long way.
[[gnu::always_inline]] inline bool Stack::express(uint32_t slot, const PlainSegment& segment) {
    Connection& c = connections_[slot];
    const bool timestamps = segment.only_timestamps();
    if ((!timestamps && segment.header_bytes != tcp::header_bytes) || !is_of(segment, c)) {
        return false;
    }
    const uint8_t* l4 = segment.l4();
    return predicted(slot, c,
                     {.seq = {load_be<uint32_t>(l4 + tcp::seq_at)},
                      .ack = {load_be<uint32_t>(l4 + tcp::ack_at)},
                      .window = load_be<uint16_t>(l4 + tcp::window_at),
                      .flags = l4[tcp::flags_at],
                      .timestamps = timestamps,
                      .options = l4 + tcp::header_bytes,
                      .payload = segment.payload(),
                      .payload_bytes = segment.payload_bytes()});
}

/// The same of a packet that was taken apart; counted.
bool Stack::express(uint32_t slot, const Packet& packet) {
    uint32_t timestamp = 0;
    uint32_t echo = 0;
    const bool timestamps = only_timestamps(packet.options, packet.options_bytes, timestamp, echo);
    const bool taken = (timestamps || packet.options_bytes == 0) &&
                       predicted(slot, connections_[slot],
                                 {.seq = packet.seq,
                                  .ack = packet.ack,
                                  .window = packet.window,
                                  .flags = packet.flags,
                                  .timestamps = timestamps,
                                  .options = packet.options,
                                  .payload = packet.payload,
                                  .payload_bytes = packet.payload_bytes});
    counters_.fast_path += taken ? 1 : 0;
    return taken;
}

[[gnu::always_inline]] inline bool Stack::predicted(uint32_t slot,
                                                    Connection& c,
                                                    const Header& header) {
    constexpr uint8_t odd_flags = tcp::syn | tcp::fin | tcp::rst | tcp::urg;
    const uint32_t acked = header.ack - c.snd_una;
    const bool plain =
        mode_of(c) == ordinary_mode && (header.flags & (odd_flags | tcp::ack)) == tcp::ack &&
        header.seq == c.rcv_nxt && (c.reassembly & c.scoreboard) == no_index && !c.tail_probed &&
        c.timestamps == header.timestamps && c.timer != RetransmitTimer::persist &&
        c.rtt.backoffs() == 0 && acked <= c.snd_max - c.snd_una &&
        header.payload_bytes <= c.rcv_edge - c.rcv_nxt && (header.payload_bytes | acked) != 0 &&
        chunks_.available() >= reserve_chunks_;
    if (!plain) {
        return false;
    }
    if (header.timestamps) {
        const auto timestamp = load_be<uint32_t>(header.options + 4);
        if (static_cast<int32_t>(timestamp - c.ts_recent) < 0) {  // PAWS
            return false;
        }
        if (c.ack_sent == header.seq) {  // RFC 7323 4.3 (2)
            c.ts_recent = timestamp;
            c.ts_recent_ns = now_ns_;
        }
    }
    c.received_ns = now_ns_;
    c.probes = 0;
    if (acked > 0) {
        plain_ack(slot, c, header.ack);
    }
    // Behind plain_ack(): the window counts from SND.UNA.
    update_window(slot, c, header.seq, header.ack, header.window);
    if (header.payload_bytes > 0) {
        take_in_order(slot, c, {header.payload, header.payload_bytes});
    }
    return true;
}

/// new_ack() where nothing is being repaired and no FIN is out.
[[gnu::always_inline]] inline void Stack::plain_ack(uint32_t slot, Connection& c, Seq ack) {
    const uint32_t flight_before = c.flight();
    const uint32_t bytes = ack - c.snd_una;
    c.send.drop_front(chunks_, bytes);
    c.snd_una = ack;
    c.snd_wnd -= std::min(bytes, c.snd_wnd);  // the right edge stays
    if (c.snd_nxt < ack) [[unlikely]] {
        c.snd_nxt = ack;
        c.cursor_valid = false;
    }
    if (c.rtt_running && ack >= c.rtt_seq) {
        c.rtt.sample(now_ns_ - c.rtt_sent_ns);
        c.rtt_running = false;
    }
    c.backoffs = 0;
    c.progress_ns = now_ns_;
    ip_.neighbours().confirm(c.next_hop, now_ns_);
    c.congestion.on_ack(bytes, flight_before, c.cwnd_limited, c.mss);
    c.cwnd_limited = false;
    restart_after_ack(slot, c);
    if (c.want_write) [[unlikely]] {
        tell_writable(slot);
    }
    if (c.snd_nxt < c.send_end() || c.fin_wanted) [[unlikely]] {
        queue_output(slot, c);
    }
}

void Stack::send_pending() {
    constexpr uint32_t ahead = 4;
    // A full port, or one without memory: the rest of the list would only be told so one by one.
    for (uint32_t left = dirty_.size(); left > 0 && !out_.blocked(); --left) {
        if (left > ahead) {
            prefetch_connection(dirty_.peek(ahead));
        }
        const uint32_t slot = dirty_.pop();
        connections_[slot].output_queued = false;
        if (!express_out(slot)) {
            output(slot);
        }
    }
    out_.flush();
}

/// All that waits, if anything does, fits into one segment and into both windows, and nothing is
/// being repaired. False: nothing was changed, output() decides.
[[gnu::always_inline]] inline bool Stack::express_out(uint32_t slot) {
    Connection& c = connections_[slot];
    const uint32_t in_flight = c.snd_nxt - c.snd_una;
    const uint32_t waiting = c.send.size() - in_flight;
    const bool plain = waiting <= c.mss && c.send.size() <= c.snd_wnd &&
                       c.send.size() <= c.congestion.cwnd && c.state >= TcpState::established &&
                       c.recovery == Recovery::none && c.snd_nxt == c.snd_max &&
                       (c.reassembly & c.scoreboard) == no_index && !c.fin_wanted &&
                       !c.retransmit_first && c.timer != RetransmitTimer::persist && c.ipv4 &&
                       c.timestamps && options_.fast_path;
    if (!plain) {
        return false;
    }
    if (waiting == 0) {
        if (c.ack_now || c.unacked_segments >= 2) {
            return false;
        }
        if (c.unacked_segments == 1 && c.ack_ns == no_deadline) {
            c.ack_ns = now_ns_ + options_.delayed_ack_ns;
            wake_by(slot, c, c.ack_ns);
        }
        return true;
    }
    const Mac* next_hop = ip_.next_hop(c.next_hop, now_ns_);
    TxFrame* frame = next_hop != nullptr ? out_.begin() : nullptr;
    if (frame == nullptr) [[unlikely]] {
        return false;
    }
    const Nanos rto = c.rtt.rto();
    const bool idle = in_flight == 0;
    if (idle) {
        if (now_ns_ - c.progress_ns > rto) {
            c.congestion.on_idle(c.mss);
        }
        c.progress_ns = now_ns_;
    }
    emit_plain(c, waiting, *next_hop, *frame);
    out_.commit();
    note_sent(c);
    counters_.bytes_out += waiting;
    c.snd_nxt += waiting;
    c.snd_max = c.snd_nxt;
    if (!c.rtt_running) {
        c.rtt_running = true;
        c.rtt_seq = c.snd_max;
        c.rtt_sent_ns = now_ns_;
    }
    if (idle || c.timer != RetransmitTimer::retransmit) {
        arm_retransmit(slot, c, rto);
    }
    return true;
}

/// The next `bytes` octets of the queue as one segment.
[[gnu::always_inline]] inline void Stack::emit_plain(Connection& c,
                                                     uint32_t bytes,
                                                     const Mac& next_hop,
                                                     TxFrame& frame) {
    const PortInfo& port = ip_.port();
    const Ipv4Template& common = ip_.ipv4_template();
    const PlainSums sums = write_plain_headers(frame.data, common, c.key, next_hop,
                                               {.seq = c.snd_nxt,
                                                .ack = c.rcv_nxt,
                                                .timestamp = timestamp(c),
                                                .echo = c.ts_recent,
                                                .payload_bytes = bytes,
                                                .window = offer_window(c),
                                                .flags = tcp::ack | tcp::psh},
                                               port.tx_ip_checksum);
    const uint32_t headers_bytes = common.l2_bytes + ipv4::header_bytes + PlainHeader::tcp_bytes;
    uint8_t* payload = frame.data + headers_bytes;
    uint8_t* checksum = payload - PlainHeader::tcp_bytes + tcp::checksum_at;
    frame.bytes = headers_bytes + bytes;
    SY_DCHECK(frame.bytes <= frame.capacity);
    frame.ip_checksum = port.tx_ip_checksum;
    frame.tcp_checksum = port.tx_tcp_checksum;
    frame.ipv6 = false;
    frame.l2_bytes = static_cast<uint8_t>(common.l2_bytes);
    frame.l3_bytes = ipv4::header_bytes;
    frame.l4_bytes = port.tx_tcp_checksum ? PlainHeader::tcp_bytes : 0;
    frame.segment_bytes = 0;
    if (!c.cursor_valid) [[unlikely]] {
        c.at = c.send.at(chunks_, c.snd_nxt - c.snd_una);
        c.cursor_valid = true;
    }
    if (port.tx_tcp_checksum) {
        c.send.copy_out(chunks_, c.at, {payload, bytes});
        store_sum(checksum, sums.pseudo);
    } else {
        store_checksum(checksum, sums.pseudo + sums.tcp +
                                     c.send.copy_out_and_sum(chunks_, c.at, {payload, bytes}));
    }
}

}  // namespace sy::tcpip
