#include "io/sim/net.h"

#include <algorithm>

#include "core/base/assert.h"
#include "io/sim/transport.h"

namespace sy::sim {
namespace {

// 2026-01-01T00:00:00Z.
constexpr Nanos wall_start_ns = Nanos{1'767'225'600} * second_ns;
constexpr Nanos connect_timeout_ns = 10 * second_ns;

const char* name(uint8_t kind) {
    constexpr const char* names[] = {"syn", "connected", "refused", "data",   "fin",
                                     "rst", "credit",    "linger",  "give_up"};
    return names[kind];
}

}  // namespace

SimNet::SimNet(uint64_t seed, Nanos start_ns)
    : prng_(seed), now_ns_(start_ns), hash_(mix64(seed)) {}

SimNet::~SimNet() = default;

Now SimNet::now() const {
    return {.mono_ns = now_ns_, .wall_ns = wall_start_ns + now_ns_};
}

Nanos SimNet::next_event_ns() const {
    return events_.empty() ? never_ns : events_.front().at_ns;
}

void SimNet::advance_to(Nanos to_ns) {
    SY_ASSERT(to_ns >= now_ns_);
    while (next_event_ns() <= to_ns) {
        std::pop_heap(events_.begin(), events_.end(), Later{});
        Event event = std::move(events_.back());
        events_.pop_back();
        now_ns_ = std::max(now_ns_, event.at_ns);
        run(event);
    }
    now_ns_ = to_ns;
}

void SimNet::schedule(Event event) {
    event.order = order_++;
    events_.push_back(std::move(event));
    std::push_heap(events_.begin(), events_.end(), Later{});
}

Nanos SimNet::latency(const Link& link) {
    SY_DCHECK(link.mix.latency_min_ns <= link.mix.latency_max_ns);
    return link.mix.latency_min_ns +
           prng_.below(link.mix.latency_max_ns - link.mix.latency_min_ns + 1);
}

/// When what leaves `from_end` now is there: behind everything that left before.
Nanos SimNet::arrival(Link& link, uint8_t from_end) {
    End& end = link.ends[from_end];
    end.last_arrival_ns = std::max(end.last_arrival_ns, now_ns_ + latency(link));
    return end.last_arrival_ns;
}

SimNet::Link* SimNet::find(uint64_t id) {
    const auto found = links_.find(id);
    return found == links_.end() ? nullptr : found->second.get();
}

SimNet::Link& SimNet::open_link(SimTransport& owner,
                                uint32_t slot,
                                const Endpoint& from,
                                const Endpoint& to) {
    auto link = std::make_unique<Link>();
    const auto mix = mixes_.find(key(to));
    link->id = next_link_++;
    link->mix = mix == mixes_.end() ? mix_ : mix->second;
    link->from = from;
    link->to = to;
    link->window_bytes = link->mix.window_bytes_min +
                         static_cast<uint32_t>(prng_.below(link->mix.window_bytes_max -
                                                           link->mix.window_bytes_min + 1));
    link->ends[0].owner = &owner;
    link->ends[0].slot = slot;
    const uint64_t fate = prng_.below(1000);
    const LinkMix& m = link->mix;
    if (fate < uint64_t{m.cut_fin} + m.cut_rst + m.cut_silence) {
        link->cut = fate < m.cut_fin               ? Cut::fin
                    : fate < m.cut_fin + m.cut_rst ? Cut::rst
                                                   : Cut::silence;
        link->ends[prng_.below(2)].cut_after = prng_.below(m.cut_bytes_max + 1);
    }
    Link& out = *link;
    ++counters_.links;
    links_.emplace(out.id, std::move(link));
    schedule({.at_ns = now_ns_ + connect_timeout_ns, .kind = Kind::give_up, .link = out.id});
    if (prng_.chance(m.connect_silence, 1000)) {
        out.silent = true;
    } else if (prng_.chance(m.refuse, 1000)) {
        schedule({.at_ns = now_ns_ + latency(out) + latency(out),
                  .kind = Kind::refused,
                  .link = out.id});
    } else {
        schedule({.at_ns = arrival(out, 0), .kind = Kind::syn, .link = out.id, .end = 1});
    }
    return out;
}

size_t SimNet::send(Link& link, uint8_t end, Octets octets) {
    End& me = link.ends[end];
    const uint64_t under_way = me.taken - me.credited;
    size_t room = under_way < link.window_bytes ? link.window_bytes - under_way : 0;
    if (room > 0 && prng_.chance(link.mix.short_send, 1000)) {
        room = prng_.below(std::min(room, octets.size()) + 1);
        // The sender waits for on_writable, which only a credit brings.
        schedule(
            {.at_ns = now_ns_ + latency(link), .kind = Kind::credit, .link = link.id, .end = end});
    }
    const size_t took = std::min(room, octets.size());
    size_t at = 0;
    while (at < took) {
        const size_t most = std::min<size_t>(took - at, link.mix.segment_bytes_max);
        // Mostly whole segments, as a real stack sends; a quarter is cut anywhere.
        const size_t size = prng_.chance(1, 4) ? 1 + prng_.below(most) : most;
        send_segment(link, end, std::string(as_chars(octets.subspan(at, size))));
        at += size;
    }
    return took;
}

void SimNet::send_segment(Link& link, uint8_t end, std::string octets) {
    End& me = link.ends[end];
    const uint64_t before = me.taken;
    me.taken += octets.size();
    if (link.broken) {
        return;  // lost behind the cut
    }
    const auto other = static_cast<uint8_t>(1 - end);
    if (me.taken <= me.cut_after) {
        schedule({.at_ns = arrival(link, end),
                  .kind = Kind::data,
                  .link = link.id,
                  .end = other,
                  .octets = std::move(octets)});
        return;
    }
    if (me.cut_after > before) {
        octets.resize(me.cut_after - before);
        schedule({.at_ns = arrival(link, end),
                  .kind = Kind::data,
                  .link = link.id,
                  .end = other,
                  .octets = std::move(octets)});
    }
    sever(link, end, link.cut);
}

/// Ends the link by a fault: nothing that `from_end` sends from now on arrives.
void SimNet::sever(Link& link, uint8_t from_end, Cut cut) {
    if (link.broken) {
        return;
    }
    link.broken = true;
    link.cut_ns = now_ns_;
    ++counters_.cut;
    const auto other = static_cast<uint8_t>(1 - from_end);
    if (cut == Cut::silence) {
        link.silent = true;
        return;
    }
    const Nanos at_ns = arrival(link, from_end);
    schedule({.at_ns = at_ns,
              .kind = cut == Cut::fin ? Kind::fin : Kind::reset,
              .link = link.id,
              .end = other});
    const Nanos back_ns = std::max(at_ns, arrival(link, other));
    schedule(
        {.at_ns = back_ns + latency(link), .kind = Kind::reset, .link = link.id, .end = from_end});
}

void SimNet::send_fin(Link& link, uint8_t end) {
    if (link.broken || link.ends[end].fin_sent) {
        return;
    }
    link.ends[end].fin_sent = true;
    schedule({.at_ns = arrival(link, end),
              .kind = Kind::fin,
              .link = link.id,
              .end = static_cast<uint8_t>(1 - end)});
}

void SimNet::send_reset(Link& link, uint8_t end) {
    if (link.broken) {
        return;
    }
    End& other = link.ends[1 - end];
    if (prng_.chance(1, 2)) {
        other.deaf = true;
    }
    schedule({.at_ns = arrival(link, end),
              .kind = Kind::reset,
              .link = link.id,
              .end = static_cast<uint8_t>(1 - end)});
}

void SimNet::consumed(Link& link, uint8_t end, size_t octets) {
    schedule({.at_ns = now_ns_ + latency(link),
              .kind = Kind::credit,
              .link = link.id,
              .end = static_cast<uint8_t>(1 - end),
              .amount = octets});
}

void SimNet::linger(Link& link, uint8_t end, Nanos for_ns) {
    schedule({.at_ns = now_ns_ + for_ns, .kind = Kind::linger, .link = link.id, .end = end});
}

void SimNet::detach(Link& link, uint8_t end) {
    link.ends[end].owner = nullptr;
    link.ends[end].inbox.clear();
    link.ends[end].inbox_at = 0;
    if (link.ends[1 - end].owner == nullptr) {
        links_.erase(link.id);  // what is still under way will find nobody
    }
}

void SimNet::run(Event& event) {
    ++counters_.events;
    Link* link = find(event.link);
    note(event.at_ns);
    note((uint64_t{static_cast<uint8_t>(event.kind)} << 56) ^ (event.link << 1) ^ event.end);
    for (const char c : event.octets) {
        hash_ = (hash_ ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
    }
    if (trace_ != nullptr) {
        std::fprintf(trace_, "%12.6f link %llu end %u %s %zu%s\n",
                     static_cast<double>(event.at_ns) / 1e9,
                     static_cast<unsigned long long>(event.link), event.end,
                     name(static_cast<uint8_t>(event.kind)), event.octets.size(),
                     link == nullptr ? " (gone)"
                     : link->silent  ? " (silence)"
                                     : "");
    }
    if (link == nullptr) {
        return;
    }
    End& end = link->ends[event.end];
    const bool local = event.kind == Kind::linger || event.kind == Kind::give_up;
    if (link->silent && !local) {
        return;
    }
    if (event.kind == Kind::syn) {
        arrive_syn(*link);
    } else if (event.kind == Kind::data) {
        arrive_data(*link, event);
    } else if (end.owner != nullptr) {
        switch (event.kind) {
            case Kind::connected:
                end.owner->on_connect_done(end.slot);
                break;
            case Kind::refused:
                ++counters_.refused;
                end.owner->on_connect_failed(end.slot, CloseReason::connect_refused);
                break;
            case Kind::give_up:
                end.owner->on_connect_failed(end.slot, CloseReason::connect_failed);
                break;
            case Kind::linger:
                end.owner->on_linger(end.slot);
                break;
            case Kind::credit:
                end.credited += event.amount;
                end.owner->on_credit(end.slot);
                break;
            case Kind::fin:
                end.fin = true;
                end.owner->set_ready(end.slot);
                break;
            case Kind::reset:
                end.reset = true;
                if (prng_.chance(1, 2)) {
                    end.inbox.clear();  // some stacks throw away what was not read yet
                    end.inbox_at = 0;
                }
                end.owner->on_reset(end.slot);
                break;
            default:
                break;
        }
    }
}

void SimNet::arrive_syn(Link& link) {
    if (link.ends[0].owner == nullptr) {
        return;  // given up in the meantime
    }
    const auto found = listeners_.find(key(link.to));
    SimTransport* owner = nullptr;
    if (found != listeners_.end() && !found->second.empty()) {
        // As SO_REUSEPORT does: any of the listeners, evenly.
        owner = found->second[prng_.below(found->second.size())];
    }
    const uint32_t slot = owner == nullptr ? SimTransport::none : owner->on_syn(link);
    const Nanos at_ns = arrival(link, 1);
    if (slot == SimTransport::none) {
        schedule({.at_ns = at_ns, .kind = Kind::refused, .link = link.id});
        return;
    }
    link.ends[1].owner = owner;
    link.ends[1].slot = slot;
    schedule({.at_ns = at_ns, .kind = Kind::connected, .link = link.id});
}

void SimNet::arrive_data(Link& link, const Event& event) {
    End& end = link.ends[event.end];
    if (end.owner == nullptr) {
        send_reset(link, event.end);  // as a stack answers for a socket that is closed
        return;
    }
    if (end.deaf || end.reset) {
        return;
    }
    counters_.octets += event.octets.size();
    end.inbox.append(event.octets);
    end.owner->set_ready(end.slot);
}

}  // namespace sy::sim
