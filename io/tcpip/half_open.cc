// Connections that peers begin: SYN cache, SYN cookies when it is full (RFC 4987 3.6), initial
// sequence numbers (RFC 6528).
#include <algorithm>
#include <span>

#include "io/tcpip/siphash.h"
#include "io/tcpip/stack.h"

namespace sy::tcpip {
namespace {

constexpr Nanos syn_ack_first_ns = second_ns;  // RFC 6298 2.1
// A cookie is good in the period of its making and the next; 5 bits of the period are in it.
constexpr Nanos cookie_period_ns = 64 * second_ns;
constexpr uint32_t cookie_period_bits = 5;
// What 3 bits can say of the peer's MSS: rounded down to the next.
constexpr uint16_t cookie_mss[8] = {64, 536, 900, 1220, 1340, 1400, 1440, 1460};
constexpr uint32_t cookie_hash_mask = 0x00FFFFFF;
// Low bits of a cookie's timestamp: window scale (15: none) and SACK.
constexpr uint32_t cookie_options_mask = 0x1F;
constexpr uint32_t cookie_sack = 0x10;
constexpr uint32_t cookie_no_scale = 0x0F;
constexpr uint8_t half_open_challenges_max = 10;  // RFC 5961 7

uint32_t mss_index(uint16_t mss) {
    uint32_t index = 7;
    while (index > 0 && cookie_mss[index] > mss) {
        --index;
    }
    return index;
}

}  // namespace

const Stack::Listener* Stack::listener_for(const FlowKey& key) const {
    for (const Listener& listener : listeners_) {
        if (listener.endpoint.port == key.local_port &&
            (listener.any_address ? is_ipv4(listener.endpoint) == key.local.is_ipv4()
                                  : listener.endpoint.address == key.local.octets)) {
            return &listener;
        }
    }
    return nullptr;
}

/// RFC 6528 section 3: a clock of about 4 microseconds, and a secret for each four-tuple.
Seq Stack::initial_seq(const FlowKey& key) const {
    const uint64_t secret = siphash({options_.secret[0], options_.secret[1]}, key, 1);
    return {static_cast<uint32_t>(secret + now_ns_ / 4096)};
}

/// RFC 7323 5.4: clocks of different tuples tell nothing of each other.
uint32_t Stack::timestamp_offset(const FlowKey& key) const {
    return static_cast<uint32_t>(siphash({options_.secret[0], options_.secret[1]}, key, 2));
}

uint32_t Stack::cookie_hash(const FlowKey& key, Seq irs, uint32_t period) const {
    const uint64_t extra = uint64_t{irs.value} << 32 | period;
    return static_cast<uint32_t>(siphash({options_.secret[1], options_.secret[0]}, key, extra)) &
           cookie_hash_mask;
}

/// What both sides can do; the initial sequence number is the caller's, who may want a cookie.
HalfOpen Stack::negotiate(const Packet& packet, const TcpOptions& options) const {
    HalfOpen entry;
    entry.key = packet.flow;
    entry.irs = packet.seq;
    entry.mss = options.mss != 0 ? options.mss : default_mss(packet.flow.remote);
    entry.window = packet.window;
    entry.timestamps = options_.timestamps && options.has_timestamps;
    entry.ts_recent = options.timestamp;
    entry.ts_offset = entry.timestamps ? timestamp_offset(packet.flow) : 0;
    entry.sack_permitted = options_.sack && options.sack_permitted;
    entry.window_scale = options_.window_scale && options.has_window_scale;
    entry.scale = entry.window_scale ? options.window_scale : uint8_t{0};
    entry.peer_mac = packet.source_mac;
    return entry;
}

/// `above`: our numbers of the last incarnation end there; null: there is none that matters.
void Stack::syn_arrives(const Packet& packet, uint32_t hash, const Seq* above) {
    TcpOptions options;
    parse_tcp_options({packet.options, packet.options_bytes}, options);
    ++counters_.passive_opens;
    if (half_open_.full()) {
        send_cookie(packet, options);
        return;
    }
    HalfOpen entry = negotiate(packet, options);
    entry.iss = initial_seq(packet.flow);
    if (above != nullptr && entry.iss < *above + 1) {
        entry.iss = *above + 1;  // more was sent than the clock went on
    }
    entry.hash = hash;
    const uint32_t index = half_open_.add(entry);
    flows_.insert(hash, half_open_base() + index);
    wheel_.arm(half_open_base() + index, now_ns_ + syn_ack_first_ns);
    send_syn_ack(half_open_[index]);
}

void Stack::send_syn_ack(HalfOpen& entry) {
    entry.sent_ns = now_ns_;
    write_syn_ack(entry, clock_ms_ + entry.ts_offset);
}

void Stack::write_syn_ack(const HalfOpen& entry, uint32_t timestamp) {
    TcpOptions offer;
    offer.mss = our_mss(entry.key.remote);
    offer.has_timestamps = entry.timestamps;
    offer.timestamp = timestamp;
    offer.echo = entry.ts_recent;
    offer.sack_permitted = entry.sack_permitted;
    offer.has_window_scale = entry.window_scale;
    offer.window_scale = our_scale();
    uint8_t octets[tcp::header_bytes_max - tcp::header_bytes];
    const uint32_t bytes = build_syn_options(octets, offer);
    send_stateless({.key = entry.key,
                    .seq = entry.iss,
                    .ack = entry.irs + 1,
                    .flags = tcp::syn | tcp::ack,
                    .window = static_cast<uint16_t>(
                        std::min<uint32_t>(options_.receive_buffer_bytes, 0xFFFF))},
                   entry.peer_mac, {octets, bytes});
}

void Stack::half_open_expired(uint32_t index) {
    HalfOpen& entry = half_open_[index];
    if (entry.retries >= options_.syn_ack_retries) {
        ++counters_.half_open_expired;
        drop_half_open(index);
        return;
    }
    ++entry.retries;
    ++counters_.syn_ack_retransmits;
    send_syn_ack(entry);
    wheel_.arm(half_open_base() + index, now_ns_ + (syn_ack_first_ns << entry.retries));
}

void Stack::drop_half_open(uint32_t index) {
    HalfOpen& entry = half_open_[index];
    flows_.erase(entry.hash, half_open_base() + index);
    wheel_.disarm(half_open_base() + index);
    entry.key = {};
    half_open_.remove(index);
}

/// SYN-RECEIVED: RFC 9293 3.10.7.4, RFC 5961.
void Stack::half_open_arrives(uint32_t index, const Packet& packet) {
    HalfOpen& entry = half_open_[index];
    const Seq expected = entry.irs + 1;
    const uint32_t window = std::min<uint32_t>(options_.receive_buffer_bytes, 0xFFFF);
    if ((packet.flags & tcp::rst) != 0) {
        if (packet.seq == expected) {
            ++counters_.attempts_failed;
            drop_half_open(index);
        } else if (packet.seq > expected && packet.seq < expected + window) {
            ++counters_.challenges_reset;
            acknowledge_half_open(entry);
        } else {
            ++counters_.outside_window;
        }
        return;
    }
    if ((packet.flags & tcp::syn) != 0) {
        if (packet.seq == entry.irs && (packet.flags & tcp::ack) == 0) {
            ++counters_.syn_ack_retransmits;
            entry.peer_mac = packet.source_mac;
            send_syn_ack(entry);
        } else {
            ++counters_.challenges_syn;
            acknowledge_half_open(entry);
        }
        return;
    }
    if ((packet.flags & tcp::ack) == 0) {
        ++counters_.ack_missing;
        return;
    }
    if (packet.seq < expected || packet.seq >= expected + window) {
        ++counters_.outside_window;
        acknowledge_half_open(entry);
        return;
    }
    if (packet.ack != entry.iss + 1) {
        ++counters_.ack_unacceptable;
        send_stateless({.key = entry.key, .seq = packet.ack, .flags = tcp::rst}, packet.source_mac);
        return;
    }
    const HalfOpen confirmed = entry;
    drop_half_open(index);
    accept(confirmed, packet);
}

/// Challenge ACK, or the answer to what lies outside the window; few in the entry's short life.
void Stack::acknowledge_half_open(HalfOpen& entry) {
    if (entry.challenges >= half_open_challenges_max) {
        ++counters_.challenges_limited;
        return;
    }
    ++entry.challenges;
    uint8_t octets[timestamps_bytes];
    TcpOptions answer;
    answer.has_timestamps = entry.timestamps;  // RFC 7323 3.2: in every segment but RST
    answer.timestamp = clock_ms_ + entry.ts_offset;
    answer.echo = entry.ts_recent;
    const uint32_t bytes = build_options(octets, answer);
    send_stateless({.key = entry.key,
                    .seq = entry.iss + 1,
                    .ack = entry.irs + 1,
                    .flags = tcp::ack,
                    .window = static_cast<uint16_t>(
                        std::min<uint32_t>(options_.receive_buffer_bytes, 0xFFFF))},
                   entry.peer_mac, {octets, bytes});
}

/// The third segment of the handshake: the connection begins, and the segment may carry octets.
void Stack::accept(const HalfOpen& entry, const Packet& packet) {
    const auto path = ip_.path_to(entry.key.remote, now_ns_);
    if (free_slots_.empty() || !path) {
        ++counters_.refused_slots;
        send_stateless({.key = entry.key, .seq = packet.ack, .flags = tcp::rst}, packet.source_mac);
        return;
    }
    const uint32_t slot = take_slot();
    Connection& c = connections_[slot];
    add_flow(slot, entry.key, entry.hash);
    c.owner = Owner::open;
    c.next_hop = path->next_hop;
    ip_.neighbours().retain(c.next_hop);
    c.rtt = RttEstimator(options_.rto_min_ns);
    c.iss = entry.iss;
    c.irs = entry.irs;
    c.snd_max = entry.iss + 1;
    c.rcv_nxt = entry.irs + 1;
    c.ack_sent = c.rcv_nxt;
    c.rcv_edge = c.rcv_nxt + std::min<uint32_t>(options_.receive_buffer_bytes, 0xFFFF);
    c.peer_mss = entry.mss;
    c.timestamps = entry.timestamps;
    c.ts_recent = entry.ts_recent;
    c.ts_recent_ns = now_ns_;
    c.ts_offset = entry.ts_offset;
    c.sack_permitted = entry.sack_permitted;
    c.window_scale = entry.window_scale;
    c.snd_scale = entry.scale;
    c.rcv_scale = entry.window_scale ? our_scale() : uint8_t{0};
    c.snd_wl1 = entry.irs;
    c.snd_wl2 = entry.iss;
    c.snd_wnd = entry.window;
    c.snd_wnd_max = entry.window;
    c.backoffs = entry.retries;
    c.timed_out_ns = entry.sent_ns;
    c.received_ns = now_ns_;
    c.state = TcpState::syn_received;
    ++counters_.accepted;
    syn_policy_.know(SynPolicy::network_of(entry.key.remote));
    push_event(StackEvent::Kind::accepted, slot);
    TcpOptions options;
    parse_tcp_options({packet.options, packet.options_bytes}, options);
    synchronized(slot, entry.iss + 1, options);
    c.ack_now = false;  // the peer knows; what it sends with it is answered by its own rules
    segment_arrives(slot, packet);
}

/// No room for an entry: everything that it would hold goes into the sequence number and, with
/// timestamps, into the echo that the peer returns.
void Stack::send_cookie(const Packet& packet, const TcpOptions& options) {
    ++counters_.cookies_sent;
    cookies_until_ns_ = now_ns_ + 2 * cookie_period_ns;
    HalfOpen entry = negotiate(packet, options);
    const auto period = static_cast<uint32_t>(now_ns_ / cookie_period_ns);
    entry.iss.value = (period & ((1U << cookie_period_bits) - 1)) << 27 |
                      mss_index(entry.mss) << 24 | cookie_hash(entry.key, entry.irs, period);
    uint32_t timestamp = clock_ms_ + entry.ts_offset;
    if (entry.timestamps) {
        const uint32_t bits = (entry.window_scale ? entry.scale : cookie_no_scale) |
                              (entry.sack_permitted ? cookie_sack : 0);
        uint32_t marked = (timestamp & ~cookie_options_mask) | bits;
        if (static_cast<int32_t>(marked - timestamp) > 0) {
            marked -= cookie_options_mask + 1;  // never ahead of the clock: PAWS of the peer
        }
        timestamp = marked;
    } else {
        entry.window_scale = false;  // no place to remember it
        entry.sack_permitted = false;
    }
    write_syn_ack(entry, timestamp);
}

/// An ACK that no entry expects, soon after cookies were given out. False: not one of them.
bool Stack::cookie_arrives(const Packet& packet, uint32_t hash) {
    if (now_ns_ >= cookies_until_ns_) {
        return false;
    }
    const Seq cookie = packet.ack - 1;
    const Seq irs = packet.seq - 1;
    const auto now_period = static_cast<uint32_t>(now_ns_ / cookie_period_ns);
    const uint32_t low = (1U << cookie_period_bits) - 1;
    const uint32_t age = (now_period - (cookie.value >> 27)) & low;
    if (age > 1 ||
        cookie_hash(packet.flow, irs, now_period - age) != (cookie.value & cookie_hash_mask)) {
        ++counters_.cookies_bad;
        return false;
    }
    ++counters_.cookies_good;
    TcpOptions options;
    parse_tcp_options({packet.options, packet.options_bytes}, options);
    HalfOpen entry;
    entry.key = packet.flow;
    entry.hash = hash;
    entry.iss = cookie;
    entry.irs = irs;
    entry.mss = cookie_mss[cookie.value >> 24 & 7];
    entry.window = packet.window;
    entry.ts_offset = timestamp_offset(packet.flow);
    entry.peer_mac = packet.source_mac;
    entry.sent_ns = now_ns_;  // nobody knows: no older echo gives a round trip
    if (options_.timestamps && options.has_timestamps) {
        entry.timestamps = true;
        entry.ts_recent = options.timestamp;
        const uint32_t bits = options.echo & cookie_options_mask;
        entry.sack_permitted = (bits & cookie_sack) != 0;
        entry.window_scale = (bits & cookie_no_scale) != cookie_no_scale;
        entry.scale = entry.window_scale ? static_cast<uint8_t>(bits & cookie_no_scale) : 0;
    }
    accept(entry, packet);
    return true;
}

}  // namespace sy::tcpip
