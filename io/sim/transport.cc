#include "io/sim/transport.h"

#include <algorithm>

namespace sy::sim {

SimTransport::SimTransport(SimNet& net, const SimOptions& options)
    : net_(net), options_(options), connections_(options.connections_max) {
    for (uint32_t slot = options.connections_max; slot > 0; --slot) {
        free_slots_.push_back(slot - 1);
    }
}

SimTransport::~SimTransport() {
    close_listeners();
    for (Connection& connection : connections_) {
        if (connection.state != State::free && connection.state != State::dead) {
            net_.detach(link_of(connection), connection.end);
        }
    }
}

void SimTransport::wait(Nanos deadline_ns) {
    wait_until_ns_ = has_work() ? net_.now_ns() : std::max(deadline_ns, net_.now_ns());
    woken_ = false;
}

Result<void> SimTransport::listen(const Endpoint& endpoint) {
    if (endpoint.port == 0) {
        return fail("cannot listen on " + to_string(endpoint) + ": the simulator chooses no port");
    }
    net_.listeners_[SimNet::key(endpoint)].push_back(this);
    listeners_.push_back(endpoint);
    return {};
}

void SimTransport::close_listeners() {
    for (const Endpoint& endpoint : listeners_) {
        std::erase(net_.listeners_[SimNet::key(endpoint)], this);
    }
    listeners_.clear();
}

Result<ConnId> SimTransport::connect(const Endpoint& endpoint) {
    if (free_slots_.empty()) {
        return fail("cannot connect to " + to_string(endpoint) + ": connections_max " +
                    std::to_string(connections_.size()) + " is reached");
    }
    const uint32_t slot = take_slot(State::connecting);
    Endpoint from = options_.address;
    from.port = next_port_;
    next_port_ = next_port_ == 65'535 ? uint16_t{30'000} : static_cast<uint16_t>(next_port_ + 1);
    connections_[slot].link = net_.open_link(*this, slot, from, endpoint).id;
    return id_of(slot);
}

size_t SimTransport::send(ConnId conn, Octets octets) {
    Connection* connection = find(conn);
    if (connection == nullptr || octets.empty() || connection->state == State::closing) {
        return 0;
    }
    if (connection->state == State::connecting) {
        connection->want_write = true;
        return 0;
    }
    const size_t took = net_.send(link_of(*connection), connection->end, octets);
    if (took < octets.size()) {
        connection->want_write = true;
    }
    return took;
}

void SimTransport::pause(ConnId conn) {
    if (Connection* connection = find(conn)) {
        connection->paused = true;
    }
}

void SimTransport::resume(ConnId conn) {
    Connection* connection = find(conn);
    if (connection != nullptr && std::exchange(connection->paused, false)) {
        set_ready(conn.slot);
    }
}

void SimTransport::close(ConnId conn) {
    Connection* connection = find(conn);
    if (connection == nullptr || connection->state == State::closing) {
        return;
    }
    SimNet::Link& link = link_of(*connection);
    if (connection->state == State::connecting) {
        kill(conn.slot, CloseReason::local);
        return;
    }
    connection->state = State::closing;
    connection->paused = false;
    net_.send_fin(link, connection->end);
    net_.linger(link, connection->end, options_.close_linger_ns);
    set_ready(conn.slot);
}

void SimTransport::abort(ConnId conn) {
    if (Connection* connection = find(conn)) {
        net_.send_reset(link_of(*connection), connection->end);
        kill(conn.slot, CloseReason::local);
    }
}

void SimTransport::sever(ConnId conn, Cut cut) {
    if (Connection* connection = find(conn)) {
        net_.sever(link_of(*connection), connection->end, cut);
    }
}

Nanos SimTransport::cut_ns(ConnId conn) {
    const Connection* connection = find(conn);
    return connection == nullptr ? never_ns : link_of(*connection).cut_ns;
}

uint64_t SimTransport::link_id(ConnId conn) {
    const Connection* connection = find(conn);
    return connection == nullptr ? 0 : connection->link;
}

uint32_t SimTransport::on_syn(SimNet::Link& link) {
    if (free_slots_.empty()) {
        return none;
    }
    const uint32_t slot = take_slot(State::open);
    Connection& connection = connections_[slot];
    connection.link = link.id;
    connection.end = 1;
    connection.announce = Announce::accepted;
    set_ready(slot);
    return slot;
}

void SimTransport::on_connect_done(uint32_t slot) {
    Connection& connection = connections_[slot];
    if (connection.state != State::connecting) {
        return;
    }
    connection.state = State::open;
    connection.announce = Announce::connected;
    connection.writable = connection.want_write;
    set_ready(slot);
}

void SimTransport::on_connect_failed(uint32_t slot, CloseReason reason) {
    if (connections_[slot].state == State::connecting) {
        kill(slot, reason);
    }
}

void SimTransport::on_credit(uint32_t slot) {
    Connection& connection = connections_[slot];
    if (connection.state == State::open && connection.want_write) {
        connection.writable = true;
        set_ready(slot);
    }
}

void SimTransport::on_linger(uint32_t slot) {
    if (connections_[slot].state == State::closing) {
        kill(slot, CloseReason::local);
    }
}

void SimTransport::on_reset(uint32_t slot) {
    Connection& connection = connections_[slot];
    if (connection.state == State::connecting) {
        kill(slot, CloseReason::connect_refused);
    } else if (connection.state == State::open && connection.paused &&
               connection.announce == Announce::nothing) {
        kill(slot, CloseReason::peer_reset);
    } else {
        set_ready(slot);
    }
}

void SimTransport::set_ready(uint32_t slot) {
    Connection& connection = connections_[slot];
    if (!std::exchange(connection.queued, true)) {
        ready_.push_back(slot);
    }
}

Octets SimTransport::offer(const Connection& connection) {
    const SimNet::End& end = link_of(connection).ends[connection.end];
    const Octets all = as_octets(std::string_view(end.inbox).substr(end.inbox_at));
    // Sometimes less than there is: the boundary may fall anywhere.
    const bool part = !all.empty() && net_.prng().chance(1, 4);
    return part ? all.first(1 + net_.prng().below(all.size())) : all;
}

void SimTransport::take(uint32_t slot, size_t consumed) {
    const Connection& connection = connections_[slot];
    SimNet::Link& link = link_of(connection);
    SimNet::End& end = link.ends[connection.end];
    end.inbox_at += consumed;
    if (consumed > 0) {
        net_.consumed(link, connection.end, consumed);
    }
    if (end.inbox_at == end.inbox.size()) {
        end.inbox.clear();
        end.inbox_at = 0;
    } else if (!connection.paused) {
        set_ready(slot);
    }
}

void SimTransport::discard(uint32_t slot) {
    const Connection& connection = connections_[slot];
    const SimNet::End& end = link_of(connection).ends[connection.end];
    if (const size_t size = end.inbox.size() - end.inbox_at; size > 0) {
        take(slot, size);
    }
    if (ended(slot)) {
        kill(slot, CloseReason::local);
    }
}

/// The peer's stream is at its end and everything of it is consumed.
bool SimTransport::ended(uint32_t slot) {
    const Connection& connection = connections_[slot];
    const SimNet::End& end = link_of(connection).ends[connection.end];
    return end.inbox.empty() && (end.fin || end.reset);
}

SimTransport::Connection* SimTransport::find(ConnId conn) {
    if (conn.slot >= connections_.size()) {
        return nullptr;
    }
    Connection& connection = connections_[conn.slot];
    const bool alive = connection.generation == conn.generation &&
                       connection.state != State::free && connection.state != State::dead;
    return alive ? &connection : nullptr;
}

SimNet::Link& SimTransport::link_of(const Connection& connection) {
    SimNet::Link* link = net_.find(connection.link);
    SY_ASSERT(link != nullptr);
    return *link;
}

uint32_t SimTransport::take_slot(State state) {
    const uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    Connection& connection = connections_[slot];
    SY_ASSERT(connection.state == State::free);
    connection = Connection{
        .generation = connection.generation + 1, .state = state, .queued = connection.queued};
    return slot;
}

void SimTransport::kill(uint32_t slot, CloseReason reason) {
    Connection& connection = connections_[slot];
    SimNet::Link& link = link_of(connection);
    if (reason == CloseReason::peer_closed) {
        net_.send_fin(link, connection.end);  // our half of the goodbye
    }
    net_.detach(link, connection.end);
    connection.state = State::dead;
    connection.reason = reason;
    dead_.push_back(slot);
    net_.note((uint64_t{slot} << 8) ^ static_cast<uint8_t>(reason));
}

}  // namespace sy::sim
