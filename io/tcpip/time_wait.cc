// TIME-WAIT: RFC 9293 3.10.7.4, RFC 1337 (resets ignored), RFC 6191 (reuse by a newer SYN).
#include "io/tcpip/stack.h"

namespace sy::tcpip {
namespace {

// Acknowledgements of one entry: two ends in TIME-WAIT must not keep each other busy.
constexpr Nanos answer_pause_ns = 100 * millisecond_ns;

}  // namespace

/// The connection becomes an entry; its user is told.
void Stack::enter_time_wait(uint32_t slot) {
    Connection& c = connections_[slot];
    if (time_wait_.full() && options_.time_wait_max > 0) {
        ++counters_.time_wait_evicted;
        drop_time_wait(time_wait_.oldest());
    }
    TimeWait entry;
    entry.key = c.key;
    entry.hash = c.hash;
    entry.rcv_nxt = c.rcv_nxt;
    entry.snd_nxt = c.snd_max;
    entry.ts_recent = c.ts_recent;
    entry.ts_offset = c.ts_offset;
    entry.timestamps = c.timestamps;
    entry.window = static_cast<uint16_t>((c.rcv_edge - c.rcv_nxt) >> c.rcv_scale);
    if (c.owner == Owner::closing) {
        end(slot, CloseReason::local);
    }
    release_tcp(slot);
    if (options_.time_wait_max == 0) {
        return;
    }
    const uint32_t index = time_wait_.add(entry);
    flows_.insert(entry.hash, time_wait_base() + index);
    wheel_.arm(time_wait_base() + index, now_ns_ + options_.time_wait_ns);
}

void Stack::drop_time_wait(uint32_t index) {
    TimeWait& entry = time_wait_[index];
    flows_.erase(entry.hash, time_wait_base() + index);
    wheel_.disarm(time_wait_base() + index);
    entry.key = {};
    time_wait_.remove(index);
}

void Stack::time_wait_arrives(uint32_t index, const Packet& packet) {
    TimeWait& entry = time_wait_[index];
    ++counters_.time_wait_segments;
    if ((packet.flags & tcp::rst) != 0) {
        return;  // RFC 1337 section 3, fix (F1)
    }
    TcpOptions options;
    parse_tcp_options({packet.options, packet.options_bytes}, options);
    const bool newer_timestamp = entry.timestamps && options.has_timestamps &&
                                 static_cast<int32_t>(options.timestamp - entry.ts_recent) > 0;
    // RFC 9293 3.6.1: our own number is to be larger than all of the old ones, which a cookie
    // cannot promise; timestamps tell old segments apart all the same.
    const bool newer = newer_timestamp || (packet.seq > entry.rcv_nxt && !half_open_.full());
    if ((packet.flags & (tcp::syn | tcp::ack)) == tcp::syn &&
        listener_for(packet.flow) != nullptr && newer) {
        ++counters_.time_wait_reused;
        const uint32_t hash = entry.hash;
        const Seq last = entry.snd_nxt;
        drop_time_wait(index);
        syn_arrives(packet, hash, &last);
        return;
    }
    // A FIN again: ours was not heard of. Its time begins anew.
    if ((packet.flags & tcp::fin) != 0 && packet.seq + packet.payload_bytes + 1 == entry.rcv_nxt) {
        time_wait_.renew(index);
        wheel_.arm(time_wait_base() + index, now_ns_ + options_.time_wait_ns);
    } else if (packet.payload_bytes == 0 && (packet.flags & tcp::syn) == 0 &&
               packet.seq == entry.rcv_nxt) {
        return;  // a bare ACK, as it should be
    }
    if (entry.answered_ns != 0 && now_ns_ - entry.answered_ns < answer_pause_ns) {
        return;
    }
    entry.answered_ns = now_ns_;
    uint8_t octets[timestamps_bytes];
    TcpOptions answer;
    answer.has_timestamps = entry.timestamps;
    answer.timestamp = clock_ms_ + entry.ts_offset;
    answer.echo = entry.ts_recent;
    const uint32_t bytes = build_options(octets, answer);
    send_stateless({.key = entry.key,
                    .seq = entry.snd_nxt,
                    .ack = entry.rcv_nxt,
                    .flags = tcp::ack,
                    .window = entry.window},
                   packet.source_mac, {octets, bytes});
}

}  // namespace sy::tcpip
