#include "tests/sim/peer.h"

#include <algorithm>
#include <utility>

namespace sy::sim {

using smpp::CommandId;

namespace {

constexpr Nanos keep_alive_ns = 3 * second_ns;

}  // namespace

Peer::Peer(Network& network, Ledger& ledger, uint64_t seed, const Endpoint& address)
    : network_(network), ledger_(ledger), prng_(seed), transport_(network.make_peer(address)) {}

void Peer::turn() {
    transport_->poll(now_ns(), *this);
    while (!actions_.empty() && actions_.begin()->first <= now_ns()) {
        const auto action = std::move(actions_.begin()->second);
        actions_.erase(actions_.begin());
        action();
    }
    for (auto& [serial, link] : links_) {
        flush(link);
        note_cut(link);
    }
    transport_->settle();
}

/// The books know of a cut before the peer does: nothing that it sends from then on is heard.
void Peer::note_cut(const PeerLink& link) {
    if (const Nanos cut_ns = transport_->cut_ns(link.conn); cut_ns != never_ns) {
        ledger_.link_died(link.serial, cut_ns);
    }
}

/// A link that is silent for too long is given up, as real peers do.
void Peer::keep_alive(PeerLink& link) {
    const Nanos quiet_ns = now_ns() - link.last_in_ns;
    if (quiet_ns > 2 * keep_alive_ns) {
        hang_up(link, true);
        return;
    }
    if (quiet_ns > keep_alive_ns && link.bound) {
        send_empty(link, CommandId::enquire_link, link.next_sequence++);
    }
    later(link, keep_alive_ns, [this](PeerLink& again) { keep_alive(again); });
}

Nanos Peer::next_ns() const {
    return std::min(actions_.empty() ? never_ns : actions_.begin()->first,
                    transport_->next_event_ns());
}

size_t Peer::links_up() const {
    return static_cast<size_t>(
        std::ranges::count_if(links_, [](const auto& entry) { return entry.second.up; }));
}

PeerLink* Peer::find(ConnId conn) {
    const auto found = by_slot_.find(conn.slot);
    PeerLink* link = found == by_slot_.end() ? nullptr : find(found->second);
    return link != nullptr && link->conn == conn ? link : nullptr;
}

PeerLink* Peer::find(uint64_t serial) {
    const auto found = links_.find(serial);
    return found == links_.end() ? nullptr : &found->second;
}

void Peer::on_accepted(ConnId conn, const Endpoint&) {
    PeerLink link;
    link.serial = ledger_.new_link(transport_->name_of(conn));
    link.conn = conn;
    by_slot_[conn.slot] = link.serial;
    came_up(links_.emplace(link.serial, std::move(link)).first->second);
}

PeerLink* Peer::connect(const Endpoint& to) {
    const auto conn = transport_->connect(to);
    if (!conn) {
        return nullptr;
    }
    PeerLink link;
    link.serial = ledger_.new_link(transport_->name_of(*conn));
    link.conn = *conn;
    by_slot_[conn->slot] = link.serial;
    return &links_.emplace(link.serial, std::move(link)).first->second;
}

void Peer::on_connected(ConnId conn) {
    if (PeerLink* link = find(conn)) {
        came_up(*link);
    }
}

void Peer::came_up(PeerLink& link) {
    link.up = true;
    link.last_in_ns = now_ns();
    transport_->up(link.conn);
    keep_alive(link);
    link_up(link);
}

size_t Peer::on_bytes(ConnId conn, Octets octets) {
    PeerLink* link = find(conn);
    if (link == nullptr) {
        return octets.size();
    }
    if (prng_.chance(slow_reader, 1000)) {
        // Reads a part and nothing for a while, so that the router's socket fills up.
        transport_->pause(conn);
        later(*link, between(millisecond_ns, 200 * millisecond_ns),
              [this](PeerLink& paused) { transport_->resume(paused.conn); });
        octets = octets.first(prng_.below(octets.size() + 1));
    }
    link->in.append(as_chars(octets));
    link->octets_in += octets.size();
    link->last_in_ns = now_ns();
    const uint64_t serial = link->serial;
    Octets rest = as_octets(link->in);
    smpp::Frame frame;
    smpp::FrameOutcome outcome = smpp::FrameOutcome::need_more;
    while ((outcome = smpp::next_frame(rest, limits::pdu_bytes_max, frame)) ==
           smpp::FrameOutcome::complete) {
        link->pdu_end = link->octets_in - rest.size();
        pdu(*link, frame);
        link = find(serial);
        if (link == nullptr) {
            return octets.size();
        }
    }
    if (outcome != smpp::FrameOutcome::need_more) {
        ledger_.violation("link {}: the router sent an impossible command_length", serial);
    }
    link->in.erase(0, link->in.size() - rest.size());
    return octets.size();
}

void Peer::on_writable(ConnId) {
    // turn() offers every link's output after the poll.
}

void Peer::on_closed(ConnId conn, CloseReason reason) {
    PeerLink* link = find(conn);
    if (link == nullptr) {
        return;
    }
    by_slot_.erase(conn.slot);
    link->up = false;
    note_cut(*link);
    ledger_.link_died(link->serial, now_ns());
    link_down(*link, reason);
    links_.erase(link->serial);
}

void Peer::later(Nanos after_ns, std::function<void()> action) {
    actions_.emplace(now_ns() + after_ns, std::move(action));
}

void Peer::later(const PeerLink& link, Nanos after_ns, std::function<void(PeerLink&)> action) {
    later(after_ns, [this, serial = link.serial, action = std::move(action)] {
        if (PeerLink* found = find(serial); found != nullptr && found->up) {
            action(*found);
        }
    });
}

void Peer::send(PeerLink& link, std::span<const uint8_t> pdu) {
    SY_ASSERT(pdu.size() >= limits::pdu_header_bytes);
    link.out.append(as_chars(pdu));
    link.octets_out += pdu.size();
}

void Peer::flush(PeerLink& link) {
    if (link.up && !link.out.empty()) {
        link.out.erase(0, transport_->send(link.conn, as_octets(link.out)));
    }
}

void Peer::send_empty(PeerLink& link,
                      CommandId id,
                      uint32_t sequence_number,
                      smpp::CommandStatus status) {
    send(link, buffer().first(smpp::encode_empty(buffer(), id, status, sequence_number)));
}

void Peer::hang_up(PeerLink& link, bool with_reset) {
    flush(link);
    link.leaving = true;
    note_cut(link);
    ledger_.link_died(link.serial, now_ns());
    with_reset ? transport_->abort(link.conn) : transport_->close(link.conn);
}

bool Peer::common_pdu(PeerLink& link, const smpp::Frame& frame) {
    switch (frame.header.command_id) {
        case CommandId::enquire_link:
            send_empty(link, CommandId::enquire_link_resp, frame.header.sequence_number);
            return true;
        case CommandId::enquire_link_resp:
            return true;
        case CommandId::unbind:
            link.leaving = true;
            link.bound = false;
            send_empty(link, CommandId::unbind_resp, frame.header.sequence_number);
            return true;
        case CommandId::unbind_resp:
            flush(link);
            transport_->close(link.conn);
            return true;
        default:
            return false;
    }
}

Nanos Peer::between(Nanos from_ns, Nanos to_ns) {
    return from_ns + prng_.below(to_ns - from_ns + 1);
}

}  // namespace sy::sim
