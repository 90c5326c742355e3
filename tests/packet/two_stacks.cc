#include "tests/packet/two_stacks.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/base/assert.h"

namespace sy::test {
namespace {

constexpr Nanos start_ns = 100 * second_ns;
constexpr uint32_t header_bytes =
    8;  // each stream begins with its number, so that ends can be told
constexpr uint16_t listen_port = 2775;
constexpr uint32_t polls_max = 10'000;  // at one instant

/// One end of a connection, as its application knows it.
struct EndPoint {
    uint32_t number = 0;  // in order of appearance; its stream's number too
    uint32_t side = 0;
    bool active = false;  // by connect()
    ConnId conn{};
    bool up = false;
    bool gone = false;
    CloseReason reason{};
    // Sending.
    uint64_t to_send = 0;
    uint64_t taken = 0;
    uint64_t close_after = 0;  // close() when so much is taken; to_send at the end
    bool writable = true;
    // What it did.
    bool closed = false;
    bool aborted = false;
    // Receiving.
    uint64_t received = 0;
    std::optional<uint32_t> peer{};  // number of the other end, read from its stream
    std::string header{};
    bool paused = false;
    uint32_t budget = 0;  // octets that it still consumes before it pauses
    Nanos next_ns = 0;    // when it acts next
};

uint64_t salt_of(uint32_t number) {
    return mix64(number + 1000);
}
uint8_t octet_of(uint32_t number, uint64_t position) {
    if (position < header_bytes) {
        const uint32_t word = position < 4 ? number : ~number;
        return static_cast<uint8_t>(word >> (8 * (position & 3)));
    }
    return stream_octet(salt_of(number), position);
}

class TwoStacks {
  public:
    TwoStacks(uint64_t seed, const TwoStacksMix& mix, const TwoStacksOptions& options)
        : mix_(mix),
          options_(options),
          prng_(seed),
          link_(mix64(seed), mix.link, start_ns),
          sides_{Side(*this, 0), Side(*this, 1)} {
        link_.set_trace(options.trace);
        link_.set_pcap(0, options.pcap);
        ipv6_ = prng_.chance(1, 2);
        draw_blackouts();
        for (uint32_t end = 0; end < 2; ++end) {
            link_.set_faults(end, mix_.faults);
        }
        if (mix_.one_way) {
            sim::LinkFaults other = mix_.faults;
            other.blackouts.clear();
            link_.set_faults(static_cast<uint32_t>(prng_.below(2)), other);
        }
    }

    TwoStacksResult run(uint64_t seed, const StackFactory& factory) {
        for (uint32_t side = 0; side < 2; ++side) {
            StackSetup setup{.ipv4 = address(side, false),
                             .ipv6 = address(side, true),
                             .seed = mix64(seed * 2 + side)};
            auto made = factory(link_.port(side), setup);
            if (!made) {
                violate(made.error().text);
                return std::move(result_);
            }
            stacks_[side] = std::move(*made);
            const auto listening =
                stacks_[side]->listen({address(side, ipv6_).octets, listen_port});
            if (!listening) {
                violate(listening.error().text);
                return std::move(result_);
            }
        }
        traffic();
        quiet();
        check_ends();
        tear_down();
        fill_result();
        return std::move(result_);
    }

  private:
    /// What one stack tells its application.
    class Side final : public StackEvents {
      public:
        Side(TwoStacks& world, uint32_t side) : world_(world), side_(side) {}
        void on_accepted(ConnId conn, const Endpoint&) override { world_.accepted(side_, conn); }
        void on_connected(ConnId conn) override { world_.connected(side_, conn); }
        size_t on_bytes(ConnId conn, Octets octets) override {
            return world_.bytes(side_, conn, octets);
        }
        void on_writable(ConnId conn) override { world_.writable(side_, conn); }
        void on_closed(ConnId conn, CloseReason reason) override {
            world_.closed(side_, conn, reason);
        }

      private:
        TwoStacks& world_;
        uint32_t side_;
    };

    void violate(std::string what) {
        constexpr size_t violations_max = 50;
        if (result_.violations.size() < violations_max) {
            result_.violations.push_back(std::move(what));
        }
    }
    static std::string name(const EndPoint& end) {
        return "end " + std::to_string(end.number) + " (side " + std::to_string(end.side) +
               (end.active ? ", connecting)" : ", accepting)");
    }
    static tcpip::IpAddress address(uint32_t side, bool ipv6) {
        const auto last = static_cast<uint8_t>(side + 1);
        if (ipv6) {
            return {{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last}};
        }
        const uint8_t four[4] = {10, 0, 0, last};
        return tcpip::IpAddress::from_ipv4(four);
    }

    void draw_blackouts() {
        if (!mix_.blackouts) {
            return;
        }
        for (uint64_t i = 1 + prng_.below(3); i > 0; --i) {
            const Nanos from = start_ns + prng_.below(options_.traffic_ns);
            mix_.faults.blackouts.push_back({from, from + prng_.below(3 * second_ns)});
        }
    }

    // What the stacks tell.

    static uint64_t key(uint32_t side, ConnId conn) {
        return uint64_t{side} << 63 | uint64_t{conn.generation} << 24 | conn.slot;
    }
    EndPoint* find(uint32_t side, ConnId conn, const char* what) {
        const auto found = by_conn_.find(key(side, conn));
        if (found == by_conn_.end() || ends_[found->second].gone) {
            violate(std::string(what) + " of a connection that does not exist, side " +
                    std::to_string(side));
            return nullptr;
        }
        return &ends_[found->second];
    }
    EndPoint& begin(uint32_t side, ConnId conn, bool active) {
        EndPoint end{.number = static_cast<uint32_t>(ends_.size()),
                     .side = side,
                     .active = active,
                     .conn = conn};
        // Mostly some, sometimes the header alone, rarely as much as there may be.
        const uint64_t most = prng_.chance(1, 4)   ? 1
                              : prng_.chance(1, 4) ? options_.octets_max
                                                   : options_.octets_max / 8;
        end.to_send = header_bytes + prng_.below(most);
        end.close_after = prng_.chance(1, 5) ? prng_.below(end.to_send + 1) : end.to_send;
        end.budget = static_cast<uint32_t>(1 + prng_.below(20'000));
        end.next_ns = link_.now_ns();
        if (by_conn_.contains(key(side, conn)) && !ends_[by_conn_[key(side, conn)]].gone) {
            violate("a connection is announced twice, side " + std::to_string(side));
        }
        by_conn_[key(side, conn)] = end.number;
        ends_.push_back(std::move(end));
        return ends_.back();
    }
    void accepted(uint32_t side, ConnId conn) {
        begin(side, conn, false).up = true;
        ++result_.accepted;
        ++progress_;
    }
    void connected(uint32_t side, ConnId conn) {
        if (EndPoint* end = find(side, conn, "on_connected")) {
            if (end->up) {
                violate(name(*end) + " is connected twice");
            }
            end->up = true;
            end->next_ns = link_.now_ns();
            ++result_.connected;
            ++progress_;
        }
    }
    void writable(uint32_t side, ConnId conn) {
        if (EndPoint* end = find(side, conn, "on_writable")) {
            end->writable = true;
            end->next_ns = link_.now_ns();
            ++progress_;
        }
    }
    void closed(uint32_t side, ConnId conn, CloseReason reason) {
        if (EndPoint* end = find(side, conn, "on_closed")) {
            end->gone = true;
            end->reason = reason;
            ++progress_;
            link_.note(uint64_t{end->number} * 8 + static_cast<uint8_t>(reason));
        }
    }
    size_t bytes(uint32_t side, ConnId conn, Octets octets) {
        EndPoint* end = find(side, conn, "on_bytes");
        if (end == nullptr) {
            return octets.size();
        }
        if (!end->up || end->paused || octets.empty()) {
            violate(name(*end) + " is offered octets before it is up, while it is paused, or none");
        }
        const size_t take = std::min<size_t>(octets.size(), end->budget);
        for (size_t i = 0; i < take; ++i) {
            take_octet(*end, octets[i]);
        }
        end->budget -= static_cast<uint32_t>(take);
        result_.octets += take;
        progress_ += take > 0 ? 1 : 0;
        if (take < octets.size()) {
            end->paused = true;
            stacks_[side]->pause(conn);
            end->next_ns = std::min(end->next_ns, link_.now_ns() + prng_.below(second_ns));
        }
        return take;
    }
    void take_octet(EndPoint& end, uint8_t octet) {
        if (end.received < header_bytes) {
            end.header.push_back(static_cast<char>(octet));
            if (++end.received == header_bytes) {
                read_header(end);
            }
            return;
        }
        if (end.peer && octet != octet_of(*end.peer, end.received)) {
            violate(name(end) + ": octet " + std::to_string(end.received) + " is wrong");
            end.peer.reset();  // one complaint is enough
        }
        ++end.received;
    }
    void read_header(EndPoint& end) {
        uint32_t words[2];
        std::memcpy(words, end.header.data(), sizeof words);
        const uint32_t number = words[0];
        if (words[1] != ~number || number >= ends_.size() || ends_[number].side == end.side ||
            ends_[number].active == end.active ||
            (ends_[number].peer && *ends_[number].peer != end.number)) {
            violate(name(end) + ": its stream is not that of another end");
            return;
        }
        end.peer = number;
        pairs_[end.number] = number;
        pairs_[number] = end.number;
    }

    // What the applications do.

    void act(EndPoint& end) {
        Stack& stack = *stacks_[end.side];
        end.next_ns = link_.now_ns() + prng_.below(400 * millisecond_ns);
        if (!end.up) {
            if (hurry_ || prng_.chance(1, 500)) {  // gives up a connect
                abort(end);
            }
            return;
        }
        if (end.paused || end.budget == 0) {
            end.budget = static_cast<uint32_t>(1 + prng_.below(20'000));
            if (end.paused && (hurry_ || prng_.chance(3, 4))) {
                end.paused = false;
                stack.resume(end.conn);
            }
        } else if (!hurry_ && prng_.chance(1, 20)) {
            end.paused = true;
            stack.pause(end.conn);
        }
        send_some(end);
        if (prng_.chance(mix_.abort_chance, 50'000)) {
            abort(end);
        } else if (end.taken >= end.close_after) {
            // The side that accepted mostly waits for the other's end.
            if (hurry_ || end.active || prng_.chance(1, 10)) {
                end.closed = true;
                stack.close(end.conn);
            }
        }
    }
    void abort(EndPoint& end) {
        end.aborted = true;
        stacks_[end.side]->abort(end.conn);
    }
    void send_some(EndPoint& end) {
        if (!end.writable || end.closed) {
            return;
        }
        std::string chunk;
        const uint64_t left = end.close_after - std::min(end.taken, end.close_after);
        const uint64_t most = prng_.chance(1, 4) ? 10 : prng_.chance(1, 4) ? 20'000 : 600;
        const uint64_t size =
            hurry_ ? std::min<uint64_t>(left, 20'000) : std::min(left, 1 + prng_.below(most));
        for (uint64_t i = 0; i < size; ++i) {
            chunk.push_back(static_cast<char>(octet_of(end.number, end.taken + i)));
        }
        if (size == 0) {
            return;
        }
        const size_t took = stacks_[end.side]->send(end.conn, as_octets(chunk));
        if (took > size) {
            violate(name(end) + ": send() took more than it was given");
        }
        end.taken += took;
        end.writable = took == size;
        if (took > 0 && prng_.chance(3, 4)) {
            end.next_ns = link_.now_ns() + prng_.below(20 * millisecond_ns);
        }
    }
    void open_one() {
        const auto side = static_cast<uint32_t>(prng_.below(2));
        const Endpoint to{.address = address(1 - side, ipv6_).octets, .port = listen_port};
        const auto conn = stacks_[side]->connect(to);
        if (conn) {
            begin(side, *conn, true);
        } else {
            violate("connect: " + conn.error().text);
        }
    }

    // Time.

    void settle() {
        for (uint32_t polls = 0; polls < polls_max; ++polls) {
            const uint64_t before = progress_;
            link_.advance_to(link_.now_ns());
            bool fed = false;
            for (uint32_t side = 0; side < 2; ++side) {
                fed = fed || link_.waiting(side) > 0;
                stacks_[side]->poll(link_.now_ns(), sides_[side]);
                ++result_.polls;
            }
            for (size_t i = 0; i < ends_.size(); ++i) {
                if (!ends_[i].gone && !ends_[i].closed && !ends_[i].aborted &&
                    ends_[i].next_ns <= link_.now_ns()) {
                    act(ends_[i]);
                    ++progress_;
                }
            }
            if (!fed && progress_ == before) {
                return;
            }
        }
        violate("the stacks do not become quiet: " + std::to_string(polls_max) +
                " polls at one instant");
    }
    void step(Nanos to_ns) {
        Nanos next = std::min(to_ns, link_.next_event_ns());
        for (uint32_t side = 0; side < 2; ++side) {
            next = std::min(next, stacks_[side]->next_event_ns());
        }
        for (const EndPoint& end : ends_) {
            if (!end.gone && !end.closed && !end.aborted) {
                next = std::min(next, end.next_ns);
            }
        }
        link_.advance_to(std::max(next, link_.now_ns() + microsecond_ns));
        settle();
    }
    void traffic() {
        const Nanos to_ns = start_ns + options_.traffic_ns;
        uint32_t opened = 0;
        Nanos open_ns = start_ns;
        Nanos mtu_ns = mix_.mtu_changes ? start_ns + second_ns : sim::no_event_ns;
        while (link_.now_ns() < to_ns && result_.violations.empty()) {
            if (opened < options_.connections && link_.now_ns() >= open_ns) {
                ++opened;
                open_one();
                open_ns = link_.now_ns() + prng_.below(options_.traffic_ns / options_.connections);
            }
            if (link_.now_ns() >= mtu_ns) {
                change_mtu();
                mtu_ns = link_.now_ns() + 500 * millisecond_ns + prng_.below(4 * second_ns);
            }
            const Nanos open_next = opened < options_.connections ? open_ns : to_ns;
            step(std::min({to_ns, std::max(open_next, link_.now_ns() + 1), mtu_ns}));
        }
    }
    void change_mtu() {
        for (uint32_t end = 0; end < 2; ++end) {
            sim::LinkFaults faults = mix_.faults;
            // 1280 at least: IPv6 has no smaller links (RFC 8200 section 5).
            faults.mtu = static_cast<uint32_t>(1280 + prng_.below(221));
            link_.set_faults(end, faults);
        }
    }
    [[nodiscard]] bool all_gone() const {
        return std::all_of(ends_.begin(), ends_.end(), [](const EndPoint& e) { return e.gone; }) &&
               stacks_[0]->connections_used() == 0 && stacks_[1]->connections_used() == 0;
    }
    /// The faults are over; everybody finishes.
    void quiet() {
        hurry_ = true;
        for (uint32_t end = 0; end < 2; ++end) {
            sim::LinkFaults clean;
            clean.delay_ns = mix_.faults.delay_ns;
            link_.set_faults(end, clean);
            stacks_[end]->close_listeners();
        }
        const Nanos to_ns = link_.now_ns() + options_.quiet_ns_max;
        while (link_.now_ns() < to_ns && result_.violations.empty() && !all_gone()) {
            step(to_ns);
        }
        result_.virtual_ns = link_.now_ns() - start_ns;
    }

    // What must hold at the end.

    void check_ends() {
        for (const EndPoint& end : ends_) {
            if (!end.gone && result_.violations.empty()) {
                violate(name(end) + " is not closed after " +
                        std::to_string(options_.quiet_ns_max / second_ns) +
                        " s without faults: up " + std::to_string(end.up) + ", taken " +
                        std::to_string(end.taken) + ", received " + std::to_string(end.received) +
                        ", close() " + std::to_string(end.closed));
            }
        }
        if (!result_.violations.empty()) {
            return;
        }
        for (const EndPoint& end : ends_) {
            check_end(end);
        }
        for (uint32_t side = 0; side < 2; ++side) {
            if (stacks_[side]->connections_used() != 0) {
                violate("side " + std::to_string(side) + " still has " +
                        std::to_string(stacks_[side]->connections_used()) + " connections");
            }
        }
    }
    void check_end(const EndPoint& end) {
        const auto paired = pairs_.find(end.number);
        const EndPoint* other = paired == pairs_.end() ? nullptr : &ends_[paired->second];
        if (other != nullptr && end.received > other->taken) {
            violate(name(end) + " received more than was sent");
        }
        const bool other_ended_it = other == nullptr || other->closed || other->aborted;
        switch (end.reason) {
            case CloseReason::peer_closed:
                ++result_.orderly;
                // Only a close() on the other side makes an orderly end, and nothing before it may
                // be missing. An end that never wrote its header cannot be told from others.
                if (other != nullptr && (!other->closed || end.received != other->taken)) {
                    violate(name(end) + " saw an orderly end at octet " +
                            std::to_string(end.received) + " of " + std::to_string(other->taken) +
                            (other->closed ? "" : ", which nobody made"));
                }
                break;
            case CloseReason::local:
                ++result_.orderly;
                if (!end.closed && !end.aborted) {
                    violate(name(end) + " was closed locally, which nobody asked for");
                }
                break;
            case CloseReason::peer_reset:
                ++result_.resets;
                // By an abort, by a close that did not wait for what was sent, or by the faults.
                if (!other_ended_it && !mix_.may_break) {
                    violate(name(end) + " was reset, which nobody did");
                }
                break;
            case CloseReason::connect_refused:
            case CloseReason::connect_failed:
                ++result_.failed_connects;
                if (end.up || !end.active) {
                    violate(name(end) + " failed to connect after it was up");
                }
                // Late connects meet closed listeners in the quiet part.
                if (!mix_.may_break && !hurry_) {
                    violate(name(end) + " failed to connect without a fault");
                }
                break;
        }
    }
    void tear_down() {
        stacks_[0].reset();
        stacks_[1].reset();
        tcpip::RxFrame frame;
        link_.advance_to(link_.now_ns() + second_ns);
        for (uint32_t end = 0; end < 2; ++end) {
            while (link_.port(end).receive({&frame, 1}) == 1) {
                link_.port(end).release({&frame, 1});
            }
            if (link_.buffers_held(end) != 0) {
                violate("side " + std::to_string(end) + " has lost " +
                        std::to_string(link_.buffers_held(end)) + " buffers");
            }
            if (link_.counters(end).bad_frames != 0) {
                violate("side " + std::to_string(end) +
                        " handed a frame to the port that no port takes");
            }
        }
        if (result_.violations.empty()) {
            SY_ASSERT(link_.buffers_used() == 0);  // the link's own
        }
    }
    void fill_result() {
        result_.hash = link_.hash();
        for (uint32_t end = 0; end < 2; ++end) {
            result_.frames += link_.counters(end).sent;
            result_.lost += link_.counters(end).lost;
        }
    }

    TwoStacksMix mix_;
    const TwoStacksOptions& options_;
    Prng prng_;
    sim::PacketLink link_;
    std::array<Side, 2> sides_;
    std::array<std::unique_ptr<Stack>, 2> stacks_;
    bool ipv6_ = false;
    bool hurry_ = false;  // no more faults, no more pauses: to the end
    std::vector<EndPoint> ends_;
    std::map<uint64_t, uint32_t> by_conn_;
    std::map<uint32_t, uint32_t> pairs_;
    uint64_t progress_ = 0;
    TwoStacksResult result_;
};

}  // namespace

const std::vector<std::string>& mix_names() {
    static const std::vector<std::string> names{
        "clean",     "delay",   "loss1",    "loss10",  "loss30",    "burst",     "reorder",
        "duplicate", "corrupt", "truncate", "narrow",  "mtu",       "blackhole", "strip",
        "blackout",  "one_way", "refuse",   "offload", "everything"};
    return names;
}

TwoStacksMix make_mix(const std::string& mix_name, uint64_t seed) {
    Prng prng(mix64(seed ^ 0x6d6978));
    TwoStacksMix mix;
    mix.name = mix_name;
    sim::LinkFaults& faults = mix.faults;
    faults.delay_ns = (1 + prng.below(40)) * millisecond_ns;
    const auto strip = [&] {
        return sim::OptionStrip{.window_scale = prng.chance(1, 2),
                                .timestamps = prng.chance(1, 2),
                                .sack_permitted = prng.chance(1, 2)};
    };
    const bool all = mix_name == "everything";
    if (mix_name == "clean") {
        faults.delay_ns = prng.below(100) * microsecond_ns;
    } else if (mix_name == "delay") {
        faults.delay_ns = prng.below(400) * millisecond_ns;
        faults.jitter_ns = prng.below(200) * millisecond_ns;
    }
    faults.loss = mix_name == "loss1"    ? 10
                  : mix_name == "loss10" ? 100
                  : mix_name == "loss30" ? 300
                                         : 0;
    mix.may_break = mix_name == "loss30";
    if (mix_name == "burst" || all) {
        faults.burst_enter = 10;
        faults.burst_leave = 300;
    }
    if (mix_name == "reorder" || all) {
        faults.reorder = 100;
        faults.reorder_frames_max = static_cast<uint32_t>(1 + prng.below(10));
        faults.jitter_ns = prng.below(5) * millisecond_ns;
        faults.jitter_keeps_order = false;
    }
    faults.duplicate = mix_name == "duplicate" ? 200 : all ? 20 : 0;
    faults.corrupt = mix_name == "corrupt" ? 50 : all ? 10 : 0;
    faults.truncate = mix_name == "truncate" ? 50 : all ? 10 : 0;
    faults.pad = mix_name == "truncate" ? 200 : all ? 20 : 0;
    if (mix_name == "narrow") {
        faults.bits_per_second = (200 + prng.below(5'000)) * 1000;
        faults.queue_bytes_max = static_cast<uint32_t>(6'000 + prng.below(60'000));
    }
    mix.mtu_changes = mix_name == "mtu" || all;
    if (mix_name == "blackhole") {
        faults.mtu = static_cast<uint32_t>(1280 + prng.below(221));
        faults.mtu_silent = true;
    }
    if (mix_name == "strip" || all) {
        faults.strip_in_syn = strip();
        faults.strip_in_syn_ack = strip();
        faults.mss_max = static_cast<uint16_t>(prng.chance(1, 2) ? 0 : 536 + prng.below(900));
    }
    mix.blackouts = mix_name == "blackout" || mix_name == "one_way";
    mix.one_way = mix_name == "one_way";
    if (mix_name == "refuse" || all) {
        faults.refuse_allocate = faults.refuse_transmit = 100;
    }
    if (mix_name == "offload") {
        mix.link.tx_ip_checksum = prng.chance(1, 2);
        mix.link.tx_tcp_checksum = true;
        mix.link.rx_checksum = true;
        mix.link.tso_bytes_max = prng.chance(1, 2) ? 32'000 : 0;
        faults.loss = 5;
        faults.corrupt = 5;
    }
    return mix;
}

TwoStacksResult run_two_stacks(uint64_t seed,
                               const TwoStacksMix& mix,
                               const StackFactory& factory,
                               const TwoStacksOptions& options) {
    return TwoStacks(seed, mix, options).run(seed, factory);
}

}  // namespace sy::test
