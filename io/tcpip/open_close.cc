// The user's calls: listen, connect, send, pause, resume, close, abort.
#include <algorithm>

#include <fmt/format.h>

#include "io/tcpip/siphash.h"
#include "io/tcpip/stack_inline.h"

namespace sy::tcpip {
namespace {

// Source ports looked at before connect() gives up: enough for 64 workers to find theirs many times
// over (RFC 6056 3.3.3).
constexpr uint32_t port_tries_max = 8192;

bool is_any(const Endpoint& endpoint) {
    const auto from = endpoint.address.begin() + (is_ipv4(endpoint) ? 12 : 0);
    return std::all_of(from, endpoint.address.end(), [](uint8_t octet) { return octet == 0; });
}

}  // namespace

Result<void> Stack::listen(const Endpoint& endpoint) {
    const bool any = is_any(endpoint);
    if (endpoint.port == 0) {
        return fail(fmt::format("cannot listen on {}: this transport needs a port number",
                                to_string(endpoint)));
    }
    // An address whose detection of duplicates still runs (RFC 4862 5.4) may be listened on; the IP
    // layer drops what is sent to it until then.
    if (!any && !ip_.interface().is_configured({endpoint.address})) {
        return fail(
            fmt::format("cannot listen on {}: not an address of this port", to_string(endpoint)));
    }
    listeners_.push_back({endpoint, any});
    return {};
}

/// RFC 6056 3.3.3, algorithm 3: a secret place to begin for each destination, then one after the
/// other; only ports whose answers reach this worker.
Result<FlowKey> Stack::choose_port(const Endpoint& remote, const IpAddress& source) {
    FlowKey key{
        .remote = {remote.address}, .local = source, .remote_port = remote.port, .local_port = 0};
    const uint32_t range = uint32_t{options_.port_max} - options_.port_min + 1;
    const auto offset =
        static_cast<uint32_t>(siphash({options_.secret[0], options_.secret[1]}, key, 3));
    const uint32_t tries = std::min(range, port_tries_max);
    for (uint32_t i = 0; i < tries; ++i) {
        key.local_port =
            static_cast<uint16_t>(options_.port_min + (offset + port_counter_++) % range);
        if (find_flow(key, flow_hash(key, flow_seed_)) == no_index && port_.owns(key)) {
            return key;
        }
    }
    return fail(fmt::format("cannot connect to {}: no free local port", to_string(remote)));
}

Result<ConnId> Stack::connect(const Endpoint& endpoint) {
    if (free_slots_.empty()) {
        return fail(fmt::format("cannot connect to {}: connections_max {} is reached",
                                to_string(endpoint), options_.connections_max));
    }
    const IpAddress remote{endpoint.address};
    const auto path = ip_.path_to(remote, now_ns_);
    FlowKey key;
    key.remote = remote;
    key.remote_port = endpoint.port;
    if (path) {
        auto chosen = choose_port(endpoint, path->source);
        if (!chosen) {
            return std::unexpected(std::move(chosen).error());
        }
        key = *chosen;
    }
    const uint32_t slot = take_slot();
    Connection& c = connections_[slot];
    add_flow(slot, key, flow_hash(key, flow_seed_));
    c.owner = Owner::opening;
    c.state = TcpState::syn_sent;
    c.rtt = RttEstimator(options_.rto_min_ns);
    c.iss = initial_seq(key);
    c.ts_offset = timestamp_offset(key);
    c.snd_una = c.iss;
    c.snd_nxt = c.iss + 1;
    c.snd_max = c.iss + 1;
    ++counters_.active_opens;
    if (!path) {
        ++counters_.attempts_failed;
        end(slot, CloseReason::connect_failed);
        release_tcp(slot);
        return id_of(slot);
    }
    c.next_hop = path->next_hop;
    ip_.neighbours().retain(c.next_hop);
    update_mss(c);
    c.linger_ns = now_ns_ + options_.connect_timeout_ns;
    send_owed_syn(slot);
    return id_of(slot);
}

/// A SYN that is due: the first, or one that found no frame when the timer repeated it. Ten
/// thousand connects in one turn are more than a port takes; those that find no frame stay in the
/// list of what is to be sent (ack_now says why), and do not wait for the timer.
void Stack::send_owed_syn(uint32_t slot) {
    Connection& c = connections_[slot];
    if (c.backoffs == 0) {  // its time runs from when it leaves
        c.rtt_running = true;
        c.rtt_sent_ns = now_ns_;
        start_retransmit_timer(slot);
    }
    c.ack_now = !send_syn(slot);
    if (c.ack_now) {
        queue_output(slot);
    }
}

size_t Stack::send(ConnId conn, Octets octets) {
    Connection* c = find(conn);
    if (c == nullptr || octets.empty()) {
        return 0;
    }
    if (c->owner != Owner::open || c->dead_queued) {
        c->want_write = c->owner == Owner::opening;
        return 0;
    }
    const uint32_t limit = options_.send_buffer_bytes;
    size_t take = std::min<size_t>(octets.size(), limit - std::min(limit, c->send.size()));
    // The reserve is for what peers have sent already.
    const uint32_t spare = chunks_.available();
    take = spare < 2 * reserve_chunks_
               ? 0
               : std::min(take, size_t{spare - reserve_chunks_ - 1} * ChunkPool::chunk_bytes);
    const size_t taken = c->send.append(chunks_, octets.first(take));
    if (taken < octets.size()) {
        c->want_write = true;
        if (c->flight() == 0) {
            set_ready(conn.slot);  // no acknowledgement will tell: asked again every turn
        }
    }
    if (taken > 0) {
        queue_output(conn.slot);
    }
    return taken;
}

bool Stack::take_writable(uint32_t slot) {
    Connection& c = connections_[slot];
    if (!c.want_write || c.owner != Owner::open || c.dead_queued ||
        c.send.size() > options_.send_buffer_bytes / 2) {
        return false;
    }
    if (chunks_.available() < 2 * reserve_chunks_) {
        if (c.flight() == 0) {
            set_ready(slot);
        }
        return false;
    }
    c.want_write = false;
    return true;
}

void Stack::pause(ConnId conn) {
    if (Connection* c = find(conn)) {
        c->paused = true;
    }
}

void Stack::resume(ConnId conn) {
    Connection* c = find(conn);
    if (c == nullptr || !c->paused) {
        return;
    }
    c->paused = false;
    if (c->keeps || c->peer_fin) {
        set_ready(conn.slot);
    }
}

void Stack::close(ConnId conn) {
    Connection* c = find(conn);
    if (c == nullptr || c->owner == Owner::closing || c->dead_queued) {
        return;
    }
    if (c->owner == Owner::opening) {
        ++counters_.attempts_failed;
        end(conn.slot, CloseReason::local);
        release_tcp(conn.slot);
        return;
    }
    c->owner = Owner::closing;
    c->paused = false;
    c->want_write = false;
    c->fin_wanted = true;
    drop_all_kept(*c);
    queue_output(conn.slot);
    if (c->peer_fin) {
        end(conn.slot, CloseReason::local);  // nothing more to wait for
        return;
    }
    c->linger_ns = now_ns_ + options_.close_linger_ns;
    wake_by(conn.slot, c->linger_ns);
}

void Stack::abort(ConnId conn) {
    Connection* c = find(conn);
    if (c == nullptr || c->dead_queued) {
        return;
    }
    if (c->state != TcpState::syn_sent) {
        send_reset(*c, c->snd_max);
    }
    end(conn.slot, CloseReason::local);
    c->owner = Owner::none;
    release_tcp(conn.slot);
}

}  // namespace sy::tcpip
