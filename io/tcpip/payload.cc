// Octets and FIN in: RFC 9293 section 3.10.7.4, seventh and eighth; out-of-order octets wait in the
// reassembly, what the user has not taken in `kept`.
#include <algorithm>

#include "io/tcpip/stack_inline.h"

namespace sy::tcpip {
namespace {

bool takes_payload(TcpState state) {
    return state == TcpState::established || state == TcpState::fin_wait_1 ||
           state == TcpState::fin_wait_2;
}

}  // namespace

void Stack::take_payload(uint32_t slot, const Packet& packet) {
    Connection& c = connections_[slot];
    if (!takes_payload(c.state)) {
        return;  // behind the peer's FIN there is nothing
    }
    if (c.owner == Owner::none && packet.seq + packet.payload_bytes > c.rcv_nxt) {
        // RFC 1122 4.2.2.13: octets for a user who has gone are lost, and the peer is told.
        ++counters_.data_after_close;
        send_reset(c, c.snd_nxt);
        release_tcp(slot);
        return;
    }
    Seq seq = packet.seq;
    Octets payload{packet.payload, packet.payload_bytes};
    bool fin = (packet.flags & tcp::fin) != 0;
    if (seq < c.rcv_nxt) {
        const uint32_t known = std::min<uint32_t>(c.rcv_nxt - seq, packet.payload_bytes);
        payload = payload.subspan(known);
        seq += known;
        c.ack_now = true;
    }
    const uint32_t room = seq <= c.rcv_edge ? c.rcv_edge - seq : 0;
    if (payload.size() > room) {
        payload = payload.first(room);
        fin = false;
        c.ack_now = true;
    }
    if (c.ack_now) {
        queue_output(slot);
    }
    if (seq != c.rcv_nxt) {
        take_out_of_order(slot, seq, payload, fin);
        return;
    }
    if (chunks_.available() < reserve_chunks_ && !payload.empty()) {
        ++counters_.no_memory;  // not acknowledged: it comes again
        return;
    }
    if (!payload.empty()) {
        take_in_order(slot, c, payload);
    }
    if (fin) {
        drop_reassembly(c);  // what claims to be behind the end
        take_fin(slot);
    } else if (c.reassembly != no_index) {
        drain_reassembly(slot);
    }
}

void Stack::take_out_of_order(uint32_t slot, Seq seq, Octets payload, bool fin) {
    Connection& c = connections_[slot];
    if (c.reassembly == no_index) {
        c.reassembly = reassemblies_.acquire();
        if (c.reassembly != no_index) {
            reassemblies_[c.reassembly].open(options_.receive_buffer_bytes);
        }
    }
    if (c.reassembly == no_index || chunks_.available() < reserve_chunks_) {
        ++counters_.out_of_order_full;
    } else {
        Reassembly& reassembly = reassemblies_[c.reassembly];
        switch (reassembly.insert(chunks_, c.rcv_nxt, seq, payload, fin)) {
            case Reassembly::Outcome::stored:
                ++counters_.out_of_order;
                break;
            case Reassembly::Outcome::duplicate:
                ++counters_.duplicates_in;
                has_duplicate_ = c.sack_permitted && !payload.empty();
                duplicate_ = {seq, seq + static_cast<uint32_t>(payload.size())};
                break;
            case Reassembly::Outcome::partly:
            case Reassembly::Outcome::full:
            case Reassembly::Outcome::no_memory:
            case Reassembly::Outcome::beyond_fin:
                ++counters_.out_of_order_full;
                break;
        }
        if (reassembly.empty()) {
            drop_reassembly(c);
        }
    }
    send_ack(slot);  // at once, one for each (RFC 5681 4.2): the peer counts them
    has_duplicate_ = false;
}

/// Octets that waited for the one that just came.
void Stack::drain_reassembly(uint32_t slot) {
    Connection& c = connections_[slot];
    Reassembly& reassembly = reassemblies_[c.reassembly];
    c.ack_now = true;  // RFC 5681 4.2: a segment that fills a gap
    queue_output(slot);
    if (reassembly.ready(c.rcv_nxt) && c.owner == Owner::open) {
        keep_pending_events(slot);
    }
    while (reassembly.ready(c.rcv_nxt)) {
        const Octets octets = reassembly.front(chunks_, c.rcv_nxt);
        const auto bytes = static_cast<uint32_t>(octets.size());
        if (c.owner == Owner::open) {
            append_kept(c, octets);
            set_ready(slot);
        }
        reassembly.consume(chunks_, bytes);
        c.rcv_nxt += bytes;
        counters_.bytes_in += bytes;
    }
    if (reassembly.fin_ready(c.rcv_nxt)) {
        drop_reassembly(c);
        take_fin(slot);
        return;
    }
    (void)reassembly.front(chunks_, c.rcv_nxt);  // forgets what is behind us
    if (reassembly.empty()) {
        drop_reassembly(c);
    }
}

void Stack::drop_reassembly(Connection& c) {
    if (c.reassembly != no_index) {
        reassemblies_[c.reassembly].clear(chunks_);
        reassemblies_.release(c.reassembly);
        c.reassembly = no_index;
    }
}

/// Octets of this burst that the user has not been offered yet join those that wait: they come
/// before the ones out of the reassembly.
void Stack::keep_pending_events(uint32_t slot) {
    Connection& c = connections_[slot];
    for (StackEvent& event : events_) {
        if (event.slot == slot && event.kind == StackEvent::Kind::bytes && !event.data.empty()) {
            append_kept(c, event.data);
            event.data = {};
        }
    }
}

/// The peer's FIN, in order.
void Stack::take_fin(uint32_t slot) {
    Connection& c = connections_[slot];
    c.rcv_nxt += 1;
    c.rcv_edge = later(c.rcv_edge, c.rcv_nxt);
    c.peer_fin = true;
    c.ack_now = true;
    queue_output(slot);
    if (c.owner == Owner::open) {
        push_event(StackEvent::Kind::finished, slot);
    } else if (c.owner == Owner::closing) {
        end(slot, CloseReason::local);
    }
    switch (c.state) {
        case TcpState::established:
            c.state = TcpState::close_wait;
            break;
        case TcpState::fin_wait_1:
            c.state = TcpState::closing;
            break;
        case TcpState::fin_wait_2:
            send_ack(slot);
            enter_time_wait(slot);
            break;
        default:
            break;
    }
}

void Stack::our_fin_acked(uint32_t slot) {
    Connection& c = connections_[slot];
    switch (c.state) {
        case TcpState::fin_wait_1:
            c.state = TcpState::fin_wait_2;
            if (c.owner == Owner::none) {
                c.linger_ns = now_ns_ + options_.fin_wait_ns;
                wake_by(slot, c.linger_ns);
            }
            break;
        case TcpState::closing:
            enter_time_wait(slot);
            break;
        case TcpState::last_ack:
            release_tcp(slot);
            break;
        default:
            break;
    }
}

}  // namespace sy::tcpip
