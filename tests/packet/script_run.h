// The state of one run of a packet script: the stack and what it tells its application, the flows,
// virtual time, and what the stack has sent. runner.cc has the steps. One thread.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "tests/packet/neighbour.h"
#include "tests/packet/runner.h"
#include "tests/packet/segment.h"

namespace sy::test {

inline constexpr Nanos script_start_ns = 100 * second_ns;
inline constexpr uint16_t first_peer_port = 40'000;
inline constexpr uint32_t stack_end = 0;
inline constexpr uint32_t peer_end = 1;
// Polls at one instant after which the stack counts as never quiet; and instants without any effect
// after which its next_event_ns() counts as wrong.
inline constexpr uint32_t polls_max = 1000;
inline constexpr uint32_t idle_instants_max = 1'000'000;
inline constexpr uint64_t everything = ~uint64_t{0};

/// What the stack sent and no step has asked for yet.
struct Output {
    Nanos at_ns = 0;
    std::string frame;
    sim::Packet packet;
    Neighbour neighbour;
};

struct AppEvent {
    Nanos at_ns = 0;
    Op op{};
    CloseReason reason{};
    uint32_t flow = 0;
};

inline const char* reason_name(CloseReason reason) {
    constexpr const char* names[] = {"peer_closed", "peer_reset", "connect_refused",
                                     "connect_failed", "local"};
    return names[static_cast<uint8_t>(reason)];
}

inline const char* event_name(Op op) {
    switch (op) {
        case Op::event_accepted:
            return "accepted";
        case Op::event_connected:
            return "connected";
        case Op::event_writable:
            return "writable";
        case Op::event_closed:
            return "closed";
        default:
            return "bytes";
    }
}

inline std::string seconds_text(Nanos at_ns) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6f s", static_cast<double>(at_ns) / 1e9);
    return text;
}

class ScriptRun : public StackEvents {
  public:
    ScriptRun(const Script& script, const RunOptions& options)
        : script_(script),
          options_(options),
          link_(options.seed, link_options(script, options), script_start_ns),
          at_ns_(script_start_ns) {
        addresses_.stack_mac = options.link.macs[stack_end];
        addresses_.peer_mac = options.link.macs[peer_end];
        constexpr uint8_t four[2][4] = {{10, 0, 0, 1}, {10, 0, 0, 2}};
        constexpr uint8_t six[2][16] = {{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
                                        {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};
        setup_.ipv4 = tcpip::IpAddress::from_ipv4(four[0]);
        setup_.ipv6 = tcpip::IpAddress::from_ipv6(six[0]);
        setup_.seed = options.seed;
        setup_.tunables = script.tunables;
        addresses_.stack = script.ipv6 ? setup_.ipv6 : setup_.ipv4;
        addresses_.peer = script.ipv6 ? tcpip::IpAddress::from_ipv6(six[1])
                                      : tcpip::IpAddress::from_ipv4(four[1]);
        link_.set_pcap(stack_end, options.pcap);
        flow();
    }

    // StackEvents.
    void on_accepted(ConnId conn, const Endpoint& peer) override {
        Flow* found = nullptr;
        for (auto& [number, candidate] : flows_) {
            if (candidate.peer_port == peer.port) {
                found = &candidate;
            }
        }
        if (found == nullptr || peer.address != addresses_.peer.octets) {
            complain("on_accepted of " + to_string(peer) + ", which is no peer of this script");
            return;
        }
        found->conn = conn;
        remember(Op::event_accepted, *found);
    }
    void on_connected(ConnId conn) override {
        if (Flow* found = flow_of(conn, "on_connected")) {
            remember(Op::event_connected, *found);
        }
    }
    size_t on_bytes(ConnId conn, Octets octets) override {
        Flow* found = flow_of(conn, "on_bytes");
        if (found == nullptr) {
            return octets.size();
        }
        const auto take = std::min<uint64_t>(octets.size(), budget_);
        for (size_t i = 0; i < octets.size(); ++i) {
            if (octets[i] != stream_octet(found->peer_salt(), found->app_received + i)) {
                complain("octet " + std::to_string(found->app_received + i + 1) +
                         " is delivered wrong");
                break;
            }
        }
        budget_ -= budget_ == everything ? 0 : take;
        found->app_received += take;
        delivered_ += take;
        if (take > 0) {
            log("  event bytes " + std::to_string(take), *found);
            delivered_ns_ = link_.now_ns();
            ++progress_;
        }
        return take;
    }
    void on_writable(ConnId conn) override {
        if (Flow* found = flow_of(conn, "on_writable")) {
            remember(Op::event_writable, *found);
        }
    }
    void on_closed(ConnId conn, CloseReason reason) override {
        if (Flow* found = flow_of(conn, "on_closed")) {
            remember(Op::event_closed, *found, reason);
            ended_[found->number] = found->conn;
            found->conn = {};
        }
    }

  protected:
    static sim::PacketLinkOptions link_options(const Script& script, const RunOptions& options) {
        sim::PacketLinkOptions out = options.link;
        out.mtu = script.mtu != 0 ? script.mtu : out.mtu;
        return out;
    }

    // Reports.

    /// The first problem stays: what is wrong, in which step, then further lines of `what`.
    void complain(const std::string& what) {
        if (!problem_.empty()) {
            return;
        }
        const size_t line_end = std::min(what.find('\n'), what.size());
        problem_ = (step_ == nullptr ? script_.name : step_->origin.text()) + ": ";
        problem_ += what.substr(0, line_end);
        if (step_ != nullptr) {
            problem_ += "\n    in step: " + step_->text;
        }
        problem_ += what.substr(line_end);
    }
    std::string report() const {
        if (problem_.empty()) {
            return {};
        }
        std::string out = problem_ + "\n    family " + (script_.ipv6 ? "ipv6" : "ipv4");
        out += script_.combination.empty() ? "" : ", " + script_.combination;
        out += "; the conversation so far:\n";
        for (const std::string& line : conversation_) {
            out += "      " + line + "\n";
        }
        return out;
    }
    void log(const std::string& what, const Flow& of) {
        std::string line = "@" + seconds_text(link_.now_ns() - script_start_ns) + "  ";
        line += (flows_.size() > 1 ? "[" + std::to_string(of.number) + "] " : "") + what;
        if (options_.trace != nullptr) {
            std::fprintf(options_.trace, "%s\n", line.c_str());
        }
        conversation_.push_back(std::move(line));
        constexpr size_t conversation_max = 40;
        if (conversation_.size() > conversation_max) {
            conversation_.pop_front();
        }
    }
    void remember(Op op, const Flow& of, CloseReason reason = {}) {
        log(std::string("  event ") + event_name(op) +
                (op == Op::event_closed ? std::string(" ") + reason_name(reason) : ""),
            of);
        events_.push_back({.at_ns = link_.now_ns(), .op = op, .reason = reason, .flow = of.number});
        ++progress_;
    }

    // Flows.

    Flow& flow() {
        auto [at, is_new] = flows_.try_emplace(flow_number_);
        if (is_new) {
            at->second.number = flow_number_;
            at->second.peer_port = static_cast<uint16_t>(first_peer_port + flow_number_);
            if (listening_ != 0) {
                at->second.stack_port = listening_;
            }
        }
        return at->second;
    }
    Flow* flow_of(ConnId conn, const char* what) {
        for (auto& [number, candidate] : flows_) {
            if (candidate.conn == conn) {
                return &candidate;
            }
        }
        complain(std::string(what) + " of a connection that does not exist");
        return nullptr;
    }
    Flow* flow_of(const sim::Packet& packet) {
        for (auto& [number, candidate] : flows_) {
            if (candidate.peer_port == packet.destination_port &&
                candidate.stack_port.value_or(packet.source_port) == packet.source_port) {
                return &candidate;
            }
        }
        return nullptr;
    }

    // Time.

    /// Polls until the stack has nothing to do at this instant.
    void settle() {
        for (uint32_t polls = 0; problem_.empty(); ++polls) {
            const uint64_t before = progress_;
            link_.advance_to(link_.now_ns());
            const bool fed = link_.waiting(stack_end) > 0;
            stack_->poll(link_.now_ns(), *this);
            link_.advance_to(link_.now_ns());
            take_outputs();
            if (!fed && progress_ == before && link_.waiting(stack_end) == 0) {
                return;
            }
            if (polls > polls_max) {
                complain("the stack does not become quiet: " + std::to_string(polls_max) +
                         " polls at one instant");
            }
        }
    }
    /// Lets time pass to `to_ns`, or until `enough()`.
    template <class Enough>
    void run_until(Nanos to_ns, Enough enough) {
        uint32_t idle = 0;
        while (problem_.empty() && !enough() && link_.now_ns() < to_ns) {
            const uint64_t before = progress_;
            Nanos next = std::min(stack_->next_event_ns(), link_.next_event_ns());
            next = std::max(next, link_.now_ns() + microsecond_ns);
            link_.advance_to(std::min(next, to_ns));
            settle();
            idle = progress_ == before ? idle + 1 : 0;
            if (idle > idle_instants_max) {
                complain("next_event_ns() asks for polls that do nothing, again and again");
            }
        }
    }
    void run_to(Nanos to_ns) {
        run_until(to_ns, [] { return false; });
    }
    [[nodiscard]] Nanos time_of(const Step& step) const {
        return (step.absolute ? script_start_ns : at_ns_) + step.at_ns;
    }

    // What the stack sends.

    void take_outputs() {
        tcpip::RxFrame frames[32];
        for (;;) {
            const uint32_t count = link_.port(peer_end).receive(frames);
            for (uint32_t i = 0; i < count; ++i) {
                ++progress_;
                take_output({frames[i].data, frames[i].bytes});
            }
            link_.port(peer_end).release({frames, count});
            if (count == 0) {
                return;
            }
        }
    }
    void take_output(Octets frame) {
        Output output{.at_ns = link_.now_ns(),
                      .frame = std::string(as_chars(frame)),
                      .packet = sim::parse_packet(frame),
                      .neighbour = parse_neighbour(frame)};
        if (output.neighbour.kind == Neighbour::Kind::who_has &&
            (output.neighbour.target == setup_.ipv4 || output.neighbour.target == setup_.ipv6)) {
            return;  // an announcement of its own address (RFC 5227 section 2.3), of any family
        }
        if (output.neighbour.kind != Neighbour::Kind::none) {
            take_neighbour(std::move(output));
            return;
        }
        if (output.packet.kind == sim::PacketKind::other) {
            complain("the stack sends a frame of " + std::to_string(frame.size()) +
                     " octets that is no packet");
            return;
        }
        if (!sim::ip_checksum_good(frame, output.packet) ||
            !sim::l4_checksum_good(frame, output.packet)) {
            complain("the stack sends a wrong checksum");
        }
        if (output.packet.kind == sim::PacketKind::icmp && is_router_talk(frame, output.packet)) {
            return;
        }
        if (!std::equal(addresses_.peer_mac.begin(), addresses_.peer_mac.end(), frame.begin())) {
            complain("the stack sends to a MAC that is not the peer's");
        }
        if (output.packet.destination != addresses_.peer ||
            output.packet.source != addresses_.stack) {
            complain("the stack sends to or from another address");
        }
        if (output.packet.kind == sim::PacketKind::tcp && !learn(frame, output.packet)) {
            return;
        }
        outputs_.push_back(std::move(output));
    }
    /// Router solicitations and group membership reports: not a script's business.
    static bool is_router_talk(Octets frame, const sim::Packet& packet) {
        const uint8_t type = frame[packet.l4];
        return packet.ipv6 && (type == 133 || (type >= 130 && type <= 132) || type == 143);
    }
    /// Initial numbers from a SYN, timestamps from every segment.
    bool learn(Octets frame, const sim::Packet& packet) {
        Flow* found = flow_of(packet);
        if (found == nullptr) {
            complain("the stack sends to port " + std::to_string(packet.destination_port) +
                     " from " + std::to_string(packet.source_port) + ", which is no flow's");
            return false;
        }
        if (packet.has(sim::tcp_flag::syn) && !found->stack_iss) {
            found->stack_iss = packet.seq;
            found->stack_port = packet.source_port;
        }
        uint8_t options[40];
        const size_t bytes = packet.payload - packet.l4 - sim::tcp_bytes;
        std::memcpy(options, frame.data() + packet.l4 + sim::tcp_bytes, bytes);
        sim::for_each_option({options, bytes}, [&](uint8_t kind, std::span<uint8_t> option) {
            if (kind == 8 && option.size() == 10) {
                found->stack_ts_last = load_be<uint32_t>(option.data() + 2);
                if (!found->stack_ts_base) {
                    found->stack_ts_base = found->stack_ts_last;
                }
            }
        });
        found->last_frame = as_chars(frame);
        log(notation(frame, packet, *found, false), *found);
        return true;
    }
    void take_neighbour(Output output) {
        if (script_.manual_neighbours) {
            log(output.neighbour.kind == Neighbour::Kind::who_has ? "> who-has" : "> is-at",
                flow());
            outputs_.push_back(std::move(output));
        } else if (output.neighbour.kind == Neighbour::Kind::who_has &&
                   output.neighbour.target == addresses_.peer) {
            inject_is_at();
        }
    }

    // Towards the stack.

    template <class Write>
    std::string put(Write write) {
        tcpip::TxFrame frame;
        if (link_.port(peer_end).allocate({&frame, 1}) != 1) {
            complain("the stack holds every buffer");
            return {};
        }
        frame.bytes = write(std::span<uint8_t>(frame.data, frame.capacity));
        std::string octets(as_chars({frame.data, frame.bytes}));
        SY_ASSERT(link_.port(peer_end).transmit({&frame, 1}) == 1);
        return octets;
    }
    void inject_is_at() {
        log("< is-at", flow());
        put([&](std::span<uint8_t> out) {
            return write_neighbour(out,
                                   {.kind = Neighbour::Kind::is_at,
                                    .target = addresses_.peer,
                                    .sender = addresses_.stack,
                                    .mac = addresses_.peer_mac},
                                   addresses_.stack_mac);
        });
    }

    const Script& script_;
    const RunOptions& options_;
    sim::PacketLink link_;
    StackSetup setup_;
    PeerAddresses addresses_;
    std::unique_ptr<Stack> stack_;
    std::map<uint32_t, Flow> flows_;
    std::map<uint32_t, ConnId> ended_;  // by flow, the last one that was closed
    uint32_t flow_number_ = 1;
    uint16_t listening_ = 0;
    Nanos at_ns_;  // of the last step
    std::deque<Output> outputs_;
    std::deque<AppEvent> events_;
    uint64_t delivered_ = 0;  // octets since the last "event bytes"
    Nanos delivered_ns_ = 0;
    uint64_t budget_ = everything;  // octets that the application still consumes
    uint64_t progress_ = 0;         // frames and events so far
    const Step* step_ = nullptr;
    std::string problem_;
    std::deque<std::string> conversation_;
};

}  // namespace sy::test
