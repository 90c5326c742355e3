#include "tests/packet/toy_transport.h"

#include <algorithm>

#include "tests/packet/neighbour.h"

namespace sy::test {
namespace {

namespace flag = sim::tcp_flag;

constexpr Nanos linger_for_ns = second_ns;
constexpr Nanos time_wait_ns = second_ns;

bool after(uint32_t a, uint32_t b) {
    return static_cast<int32_t>(a - b) > 0;
}

}  // namespace

ToyTransport::ToyTransport(tcpip::PacketPort& port, const ToyOptions& options)
    : port_(port), options_(options), connections_(options.connections_max) {
    for (uint32_t i = 0; i < connections_.size(); ++i) {
        connections_[i].slot = i;
    }
}

// Calls.

Result<void> ToyTransport::listen(const Endpoint& endpoint) {
    listeners_.push_back(endpoint);
    return {};
}

ToyTransport::Connection* ToyTransport::take_slot() {
    for (Connection& connection : connections_) {
        if (connection.state == State::free) {
            const Connection fresh{.slot = connection.slot,
                                   .generation = connection.generation + 1};
            connection = fresh;
            connection.una = connection.nxt = options_.initial_sequence;
            return &connection;
        }
    }
    return nullptr;
}

Result<ConnId> ToyTransport::connect(const Endpoint& endpoint) {
    Connection* connection = take_slot();
    if (connection == nullptr) {
        return fail("no connection is free");
    }
    connection->state = State::syn_sent;
    connection->active = true;
    connection->peer = {endpoint.address};
    connection->peer_port = endpoint.port;
    connection->local_port = next_port_++;
    connection->deadline_ns = now_ns_;
    dirty_ = true;
    return id(*connection);
}

ToyTransport::Connection* ToyTransport::find(ConnId conn) {
    if (conn.slot >= connections_.size()) {
        return nullptr;
    }
    Connection& connection = connections_[conn.slot];
    const bool known = connection.generation == conn.generation &&
                       connection.state != State::free && !connection.app_gone;
    dirty_ = true;
    return known ? &connection : nullptr;
}

size_t ToyTransport::send(ConnId conn, Octets octets) {
    Connection* connection = find(conn);
    if (connection == nullptr || connection->closing || connection->closed) {
        return 0;
    }
    const size_t room = buffer_bytes - std::min(buffer_bytes, connection->out.size());
    const size_t took = std::min(room, octets.size());
    connection->out += as_chars(octets.first(took));
    connection->want_write |= took < octets.size();
    return took;
}

void ToyTransport::pause(ConnId conn) {
    if (Connection* connection = find(conn)) {
        connection->paused = true;
    }
}

void ToyTransport::resume(ConnId conn) {
    if (Connection* connection = find(conn)) {
        connection->paused = false;
    }
}

void ToyTransport::close(ConnId conn) {
    Connection* connection = find(conn);
    if (connection == nullptr || connection->closed || connection->closing) {
        return;
    }
    if (connection->state != State::open) {
        end(*connection, CloseReason::local);
        return;
    }
    connection->closing = true;
    connection->fin_wanted = true;
    connection->in.clear();
}

void ToyTransport::abort(ConnId conn) {
    Connection* connection = find(conn);
    if (connection == nullptr || connection->closed) {
        return;
    }
    if (connection->state == State::open) {
        transmit(*connection, flag::rst | flag::ack, connection->nxt, {});
    }
    end(*connection, CloseReason::local);
}

uint32_t ToyTransport::connections_used() const {
    return static_cast<uint32_t>(
        std::count_if(connections_.begin(), connections_.end(),
                      [](const Connection& c) { return c.state != State::free; }));
}

Nanos ToyTransport::next_event_ns() const {
    Nanos next = dirty_ ? now_ns_ : no_deadline;
    for (const Connection& connection : connections_) {
        if (connection.state != State::free) {
            next = std::min({next, connection.deadline_ns, connection.linger_ns});
        }
    }
    return next;
}

void ToyTransport::check_invariants() const {
    for (const Connection& connection : connections_) {
        SY_ASSERT(!after(connection.una, connection.nxt));
        SY_ASSERT(connection.state != State::free || connection.deadline_ns == no_deadline);
    }
}

// What arrives.

void ToyTransport::receive() {
    tcpip::RxFrame frames[16];
    for (;;) {
        const uint32_t count = port_.receive(frames);
        for (uint32_t i = 0; i < count; ++i) {
            take_frame({frames[i].data, frames[i].bytes});
            if (options_.fault == ToyFault::leak && ++faults_ % 100 == 0) {
                continue;
            }
            port_.release({&frames[i], 1});
        }
        if (count == 0) {
            return;
        }
    }
}

void ToyTransport::take_frame(Octets frame) {
    const Neighbour neighbour = parse_neighbour(frame);
    const sim::Packet packet = sim::parse_packet(frame);
    if (neighbour.kind != Neighbour::Kind::none) {
        if (packet.ip && !sim::l4_checksum_good(frame, packet)) {
            return;
        }
        const bool ours = neighbour.target == options_.ipv4 || neighbour.target == options_.ipv6;
        if (neighbour.kind == Neighbour::Kind::who_has && ours) {
            put([&](std::span<uint8_t> out) {
                return write_neighbour(out,
                                       {.kind = Neighbour::Kind::is_at,
                                        .target = neighbour.target,
                                        .sender = neighbour.sender,
                                        .mac = port_.info().mac},
                                       neighbour.mac);
            });
        }
        for (Connection& connection : connections_) {
            if (neighbour.kind == Neighbour::Kind::is_at && connection.peer == neighbour.target &&
                !connection.mac_known && connection.state == State::syn_sent) {
                connection.mac = neighbour.mac;
                connection.mac_known = true;
                connection.deadline_ns = now_ns_;
            }
        }
        return;
    }
    if (packet.kind == sim::PacketKind::tcp && sim::ip_checksum_good(frame, packet) &&
        sim::l4_checksum_good(frame, packet)) {
        segment(frame, packet);
    }
}

ToyTransport::Connection* ToyTransport::find(const sim::Packet& packet) {
    for (Connection& connection : connections_) {
        if (connection.state != State::free && connection.state != State::dead &&
            connection.peer == packet.source && connection.peer_port == packet.source_port &&
            connection.local_port == packet.destination_port) {
            return &connection;
        }
    }
    return nullptr;
}

void ToyTransport::segment(Octets frame, const sim::Packet& packet) {
    Connection* connection = find(packet);
    if (connection == nullptr) {
        accept(frame, packet);
        return;
    }
    if (connection->state == State::syn_sent) {
        answer_syn_sent(*connection, packet);
        return;
    }
    if (packet.has(flag::rst)) {
        if (packet.seq == connection->rcv_nxt) {
            end(*connection, CloseReason::peer_reset);
        }
        return;
    }
    if (packet.has(flag::syn)) {
        if (connection->state == State::syn_received) {
            send_unit(*connection);
        } else {
            connection->ack_due = true;
        }
        return;
    }
    if (packet.has(flag::ack)) {
        take_ack(*connection, packet);
    }
    if (connection->state == State::open || connection->state == State::time_wait) {
        take_payload(*connection, frame, packet);
    }
}

void ToyTransport::accept(Octets frame, const sim::Packet& packet) {
    const bool listening =
        std::any_of(listeners_.begin(), listeners_.end(), [&](const Endpoint& listener) {
            return listener.port == packet.destination_port &&
                   listener.address == packet.destination.octets;
        });
    constexpr uint8_t others = flag::rst | flag::ack | flag::fin;
    Connection* connection =
        listening && packet.has(flag::syn) && (packet.flags & others) == 0 ? take_slot() : nullptr;
    if (connection == nullptr) {
        reset(frame, packet);
        return;
    }
    connection->state = State::syn_received;
    connection->peer = packet.source;
    connection->peer_port = packet.source_port;
    connection->local_port = packet.destination_port;
    std::copy_n(frame.begin() + 6, 6, connection->mac.begin());
    connection->mac_known = true;
    connection->rcv_nxt = packet.seq + 1;
    connection->peer_window = packet.window;
    send_unit(*connection);
}

void ToyTransport::answer_syn_sent(Connection& connection, const sim::Packet& packet) {
    const bool acked =
        packet.has(flag::ack) && packet.ack == connection.nxt && connection.nxt != connection.una;
    if (packet.has(flag::rst)) {
        if (acked) {
            end(connection, CloseReason::connect_refused);
        }
        return;
    }
    if (!acked || !packet.has(flag::syn)) {
        return;
    }
    connection.state = State::open;
    connection.una = connection.nxt;
    connection.rcv_nxt = packet.seq + 1;
    connection.peer_window = packet.window;
    connection.deadline_ns = no_deadline;
    connection.retries = 0;
    connection.announce = true;
    connection.ack_due = true;
}

void ToyTransport::take_ack(Connection& connection, const sim::Packet& packet) {
    if (after(packet.ack, connection.nxt) || after(connection.una, packet.ack)) {
        return;
    }
    connection.peer_window = packet.window;
    connection.retries = 0;
    uint32_t acked = packet.ack - connection.una;
    if (acked == 0) {
        return;
    }
    connection.una = packet.ack;
    if (connection.state == State::syn_received) {
        connection.state = State::open;
        connection.announce = true;
        --acked;
    }
    if (acked > connection.out.size()) {
        connection.fin_acked = true;
        acked = static_cast<uint32_t>(connection.out.size());
        if (connection.closing && !connection.peer_fin) {
            connection.linger_ns = now_ns_ + linger_for_ns;
        }
    }
    connection.out.erase(0, acked);
    if (connection.una == connection.nxt && connection.state == State::open) {
        connection.deadline_ns = no_deadline;
    }
}

void ToyTransport::take_payload(Connection& connection, Octets frame, const sim::Packet& packet) {
    uint32_t length = packet.payload_bytes();
    if (length == 0 && !packet.has(flag::fin)) {
        // A keepalive, or an answer that got lost: anything but the next number is answered.
        connection.ack_due |= packet.seq != connection.rcv_nxt;
        return;
    }
    connection.ack_due = true;
    const bool again = options_.fault == ToyFault::double_octet && length > 0;
    const uint32_t known = connection.rcv_nxt - packet.seq;
    if (again ? known != 0 && known != length : known > length || connection.peer_fin) {
        return;
    }
    Octets octets = frame.subspan(packet.payload, length);
    if (!again) {
        octets = octets.subspan(known);
    }
    length = static_cast<uint32_t>(octets.size());
    if (!connection.closing && !connection.app_gone) {
        const size_t room = buffer_bytes - std::min(buffer_bytes, connection.in.size());
        if (length > room) {
            return;
        }
        connection.in += as_chars(octets);
    }
    connection.rcv_nxt += again ? length - known : length;
    if (packet.has(flag::fin)) {
        ++connection.rcv_nxt;
        connection.peer_fin = true;
    }
}

void ToyTransport::end(Connection& connection, CloseReason reason) {
    const bool told = connection.closed.has_value() || connection.app_gone;
    connection.state = State::dead;
    connection.deadline_ns = connection.linger_ns = no_deadline;
    connection.announce = false;
    connection.out.clear();
    if (!told) {
        connection.closed = connection.closing ? CloseReason::local : reason;
    }
    dirty_ = true;
}

void ToyTransport::finish_if_done(Connection& connection) {
    if (connection.state == State::open && connection.fin_acked && connection.peer_fin &&
        (connection.app_gone || connection.closing)) {
        connection.state = State::time_wait;
        connection.deadline_ns = now_ns_ + time_wait_ns;
        connection.linger_ns = no_deadline;
        if (!connection.app_gone) {
            connection.closed = CloseReason::local;
            dirty_ = true;
        }
    }
    if (connection.state == State::dead && connection.app_gone) {
        connection.state = State::free;
    }
}

void ToyTransport::run_timers() {
    for (Connection& connection : connections_) {
        if (connection.linger_ns <= now_ns_) {
            transmit(connection, flag::rst | flag::ack, connection.nxt, {});
            end(connection, CloseReason::local);
        }
        if (connection.deadline_ns > now_ns_) {
            continue;
        }
        if (connection.state == State::time_wait) {
            connection.state = State::dead;
            connection.deadline_ns = no_deadline;
        } else if (++connection.retries > options_.retries_max) {
            end(connection, connection.state == State::syn_sent ? CloseReason::connect_failed
                                                                : CloseReason::peer_reset);
        } else if (options_.fault == ToyFault::stuck && ++faults_ % 50 == 0) {
            connection.deadline_ns = no_deadline;
        } else {
            send_unit(connection);
        }
    }
}

// What is sent.

void ToyTransport::output(Connection& connection) {
    const bool idle = connection.una == connection.nxt;
    const bool more = !connection.out.empty() || (connection.fin_wanted && !connection.fin_acked);
    if (connection.state == State::open && idle && more) {
        connection.ack_due = false;
        send_unit(connection);
    } else if (connection.ack_due &&
               (connection.state == State::open || connection.state == State::time_wait)) {
        connection.ack_due = false;
        transmit(connection, flag::ack, connection.nxt, {});
    }
}

/// The one segment that may be in flight, for the first time or again.
void ToyTransport::send_unit(Connection& connection) {
    connection.deadline_ns = now_ns_ + options_.retransmit_ns;
    if (!connection.mac_known) {
        put([&](std::span<uint8_t> out) {
            return write_neighbour(
                out,
                {.kind = Neighbour::Kind::who_has,
                 .target = connection.peer,
                 .sender = connection.peer.is_ipv4() ? options_.ipv4 : options_.ipv6,
                 .mac = port_.info().mac},
                tcpip::broadcast_mac);
        });
        return;
    }
    if (connection.state == State::syn_sent || connection.state == State::syn_received) {
        connection.nxt = connection.una + 1;
        const bool active = connection.state == State::syn_sent;
        transmit(connection, active ? flag::syn : flag::syn | flag::ack, connection.una, {});
        return;
    }
    const size_t allowed = std::max<uint32_t>(connection.peer_window, 1);
    const size_t bytes =
        std::min({connection.out.size(), size_t{options_.segment_bytes_max}, allowed});
    const bool fin = connection.fin_wanted && bytes == connection.out.size();
    const uint32_t end = connection.una + static_cast<uint32_t>(bytes) + (fin ? 1U : 0U);
    connection.nxt = after(end, connection.nxt) ? end : connection.nxt;
    transmit(connection, static_cast<uint8_t>(flag::ack | (fin ? flag::fin : 0)), connection.una,
             as_octets(connection.out).first(bytes));
}

template <class Write>
void ToyTransport::put(Write write) {
    tcpip::TxFrame frame;
    if (port_.allocate({&frame, 1}) != 1) {
        return;
    }
    frame.bytes = write(std::span<uint8_t>(frame.data, frame.capacity));
    if (port_.transmit({&frame, 1}) != 1) {
        port_.discard({&frame, 1});
    }
}

void ToyTransport::transmit(const Connection& connection,
                            uint8_t flags,
                            uint32_t seq,
                            Octets payload) {
    put([&](std::span<uint8_t> out) {
        const sim::IpHeader header{
            .source_mac = port_.info().mac,
            .destination_mac = connection.mac,
            .source = connection.peer.is_ipv4() ? options_.ipv4 : options_.ipv6,
            .destination = connection.peer};
        const auto bytes = static_cast<uint32_t>(sim::tcp_bytes + payload.size());
        sim::write_ip_header(out, header, bytes);
        const uint32_t at = sim::ip_header_bytes(header);
        ByteWriter writer(out.subspan(at));
        writer.integer(connection.local_port);
        writer.integer(connection.peer_port);
        writer.integer(seq);
        writer.integer((flags & flag::ack) != 0 ? connection.rcv_nxt : 0U);
        writer.integer(uint8_t{0x50});
        writer.integer(flags);
        const size_t room = buffer_bytes - std::min(buffer_bytes, connection.in.size());
        writer.integer(static_cast<uint16_t>(room));
        writer.integer(uint32_t{0});
        writer.octets(payload);
        const auto frame = out.first(at + bytes);
        sim::write_l4_checksum(frame, sim::parse_packet(frame));
        if (options_.fault == ToyFault::wrong_checksum && ++faults_ % 50 == 0) {
            frame[at + 16] = static_cast<uint8_t>(frame[at + 16] ^ 1);
        }
        return at + bytes;
    });
}

/// RFC 9293 section 3.10.7.1.
void ToyTransport::reset(Octets frame, const sim::Packet& packet) {
    if (packet.has(flag::rst)) {
        return;
    }
    Connection nobody;
    nobody.peer = packet.source;
    nobody.peer_port = packet.source_port;
    nobody.local_port = packet.destination_port;
    std::copy_n(frame.begin() + 6, 6, nobody.mac.begin());
    nobody.rcv_nxt = packet.seq + packet.payload_bytes() + (packet.has(flag::syn) ? 1 : 0) +
                     (packet.has(flag::fin) ? 1 : 0);
    nobody.in.resize(buffer_bytes);  // window 0
    if (packet.has(flag::ack)) {
        transmit(nobody, flag::rst, packet.ack, {});
    } else {
        transmit(nobody, flag::rst | flag::ack, 0, {});
    }
}

}  // namespace sy::test
