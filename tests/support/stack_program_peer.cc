// The far ends of a stack program: what they throw at the stack, and what they make of its frames.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tests/support/stack_program.h"

namespace sy::tcpip {
namespace {

constexpr uint8_t fin = 0x01;
constexpr uint8_t syn = 0x02;
constexpr uint8_t rst = 0x04;
constexpr uint8_t ack = 0x10;
constexpr Mac peer_mac{0x02, 0, 0, 0, 0, 0x02};
constexpr Mac other_peer_mac{0x02, 0, 0, 0, 0, 0x03};

uint64_t id_of(ConnId conn) {
    return uint64_t{conn.generation} << 32 | conn.slot;
}

uint16_t offers_mss(const FlowKey& key) {
    constexpr std::array<uint16_t, 4> sizes{1460, 536, 0, 8960};
    return sizes[key.remote_port >> 3 & 3U];
}

}  // namespace

/// Any flow that the stack was seen to know; null: none yet.
Flow* StackProgram::pick(uint8_t which) {
    return flows_.size() == 0 ? nullptr : &flows_.at(which % flows_.size());
}

StackProgram::User* StackProgram::user_of(ConnId conn) {
    const auto found = users_.find(id_of(conn));
    return found == users_.end() ? nullptr : &found->second;
}

StackProgram::User& StackProgram::begin_user(ConnId conn) {
    const auto [found, is_new] = users_.try_emplace(id_of(conn));
    if (is_new) {
        user_order_.push_back(id_of(conn));
        found->second.id = conn;
    }
    return found->second;
}

FlowKey StackProgram::passive_key(uint8_t which) const {
    static constexpr std::array<const char*, 3> remotes{"10.0.0.2", "192.0.2.9", "fd00::2"};
    const char* remote = remotes[which >> 5 & 3U ? (which >> 5 & 3U) - 1 : 0];
    const IpAddress from = frames::ip_address(remote);
    return {.remote = from,
            .local = frames::ip_address(from.is_ipv4() ? "10.0.0.1" : "fd00::1"),
            .remote_port = static_cast<uint16_t>(40000 + (which & 31U)),
            .local_port = 2775};
}

StackProgram::Bytes StackProgram::options_of(const Flow& flow, const Segment& segment) const {
    Bytes out;
    const bool opening = (segment.flags & syn) != 0;
    if (opening && offers_mss(flow.key) != 0) {
        frames::append(out, Bytes{2, 4});
        frames::append_be(out, offers_mss(flow.key), 2);
    }
    if (opening && offers_scale(flow.key)) {
        frames::append(out, Bytes{3, 3, 7, 1});
    }
    if (opening && offers_sack(flow.key)) {
        frames::append(out, Bytes{4, 2, 1, 1});
    }
    if (segment.timestamps && (opening ? offers_timestamps(flow.key) : flow.timestamps)) {
        frames::append(out, Bytes{1, 1, 8, 10});
        const auto clock = static_cast<uint32_t>(now_ns_ / millisecond_ns) + flow.key.remote_port;
        frames::append_be(out, clock + static_cast<uint32_t>(segment.timestamp_delta), 4);
        frames::append_be(out, flow.timestamp, 4);
    }
    const size_t blocks = std::min(segment.sack.size() / 2, (40 - out.size() - 4) / 8);
    if (!opening && blocks > 0) {
        frames::append(out, Bytes{1, 1, 5, static_cast<uint8_t>(2 + 8 * blocks)});
        for (size_t i = 0; i < 2 * blocks; ++i) {
            frames::append_be(out, segment.sack[i], 4);
        }
    }
    return out;
}

StackProgram::Bytes StackProgram::to_stack(const FlowKey& key,
                                           uint8_t protocol,
                                           const Bytes& l4) const {
    const Bytes l3 =
        frames::ip({.source = key.remote, .destination = key.local, .protocol = protocol}, l4);
    return frames::ethernet(port_.info().mac, peer_mac, key.remote.is_ipv4() ? 0x0800 : 0x86dd, l3);
}

void StackProgram::send_from_peer(Flow& flow, const Segment& segment) {
    frames::Tcp tcp{.source_port = flow.key.remote_port,
                    .destination_port = flow.key.local_port,
                    .seq = segment.seq,
                    .ack = (segment.flags & ack) != 0 ? segment.ack : 0,
                    .flags = segment.flags,
                    .window = segment.window,
                    .options = options_of(flow, segment)};
    const uint32_t room = port_.info().mtu - (flow.key.remote.is_ipv4() ? 40 : 60) -
                          static_cast<uint32_t>(tcp.options.size());
    const uint32_t octets = std::min(segment.payload_bytes, room);
    const uint32_t first = segment.seq + ((segment.flags & syn) != 0 ? 1 : 0);
    for (uint32_t i = 0; i < octets; ++i) {
        tcp.payload.push_back(stream_octet(first + i, segment.version));
    }
    Bytes l4 = frames::tcp(tcp, flow.key.remote, flow.key.local);
    if (segment.bad_checksum) {
        l4[16] ^= 0x40;
    } else {
        flow.injected.note(first, octets, static_cast<uint8_t>(1U << (segment.version & 3)));
    }
    const uint32_t behind = first + octets + ((segment.flags & fin) != 0 ? 1 : 0);
    if (segment.seq == flow.seq) {
        flow.seq = behind;
    }
    inject(to_stack(flow.key, 6, l4), false);
}

void StackProgram::send_in_order(Flow& flow, uint8_t flags, uint32_t payload_bytes) {
    flow.una = flow.next;
    send_from_peer(flow, {.flags = flags,
                          .seq = flow.seq,
                          .ack = flow.next,
                          .payload_bytes = payload_bytes,
                          .sack = {}});
}

void StackProgram::inject(const Bytes& frame, bool wild, bool trusted) {
    SeenSegment claimed;
    if (claimed_segment(frame, claimed)) {
        ++segments_injected_;
        not_resets_injected_ += claimed.has(rst) ? 0U : 1U;
        if (wild) {
            Flow& flow = flows_.of(claimed.key);
            flow.wild = true;
            flow.injected.note(claimed.seq, static_cast<uint32_t>(claimed.payload.size()) + 1,
                               InjectedOctets::wild);
        }
    }
    last_ = frame;
    port_.inject(frame, trusted ? ChecksumState::good : ChecksumState::unknown,
                 trusted ? ChecksumState::good : ChecksumState::unknown);
    if (++injected_ >= 200) {
        turn();
    }
}

void StackProgram::look_at_sent() {
    for (const Bytes& frame : port_.take_sent()) {
        SY_ASSERT(frame.size() <= port_.info().mtu + 14);
        SY_ASSERT(std::equal(port_.info().mac.begin(), port_.info().mac.end(), frame.begin() + 6));
        note("frame " + std::string(frame.begin(), frame.end()));
        SeenSegment segment;
        if (see_segment(frame, segment)) {
            flows_.saw(segment);
            check_segment(segment);
        } else if (neighbours_answer_) {
            answer_neighbour(frame);
        }
    }
    // RFC 9293 3.10.7.1, and that acknowledgements do not breed.
    const TcpCounters& counted = transport_->stack().counters();
    SY_ASSERT(resets_seen_ <= not_resets_injected_ + aborts_ + counted.timed_out.value());
    SY_ASSERT(acks_seen_ <= segments_injected_ + counted.keepalive_probes.value() + reads_);
}

void StackProgram::check_segment(const SeenSegment& segment) {
    for (uint32_t i = 0; i < segment.payload.size(); ++i) {
        SY_ASSERT(segment.payload[i] == stream_octet(segment.seq + i, 0));
    }
    resets_seen_ += segment.has(rst) ? 1U : 0U;
    const bool bare = segment.payload.empty() && (segment.flags & (syn | fin | rst)) == 0;
    acks_seen_ += bare ? 1U : 0U;
}

void StackProgram::answer_neighbour(const Bytes& frame) {
    if (frame.size() >= 42 && frames::get(frame, 12, 2) == 0x0806 &&
        frames::get(frame, 20, 2) == 1) {
        answer_arp(IpAddress::from_ipv4(frame.data() + 38), 2, false);
    } else if (frame.size() >= 78 && frames::get(frame, 12, 2) == 0x86dd && frame[20] == 58 &&
               frame[54] == 135) {
        answer_solicitation(IpAddress::from_ipv6(frame.data() + 62), 0x60, false);
    }
}

void StackProgram::answer_arp(const IpAddress& address, uint16_t operation, bool other_mac) {
    const Mac& mac = other_mac ? other_peer_mac : peer_mac;
    if (address != frames::ip_address("10.0.0.1")) {
        inject(frames::ethernet(port_.info().mac, mac, 0x0806,
                                frames::arp({.operation = operation,
                                             .sender_mac = mac,
                                             .sender = address,
                                             .target_mac = port_.info().mac,
                                             .target = frames::ip_address("10.0.0.1")})),
               false);
    }
}

void StackProgram::answer_solicitation(const IpAddress& address, uint8_t flags, bool other_mac) {
    if (address == frames::ip_address("fd00::1")) {
        return;
    }
    const Mac& mac = other_mac ? other_peer_mac : peer_mac;
    const IpAddress to = frames::ip_address("fd00::1");
    const Bytes message = frames::icmp(
        frames::discovery({.type = 136, .flags = flags, .target = address, .mac = mac}), address,
        to);
    const Bytes l3 =
        frames::ip({.source = address, .destination = to, .protocol = 58, .ttl = 255}, message);
    inject(frames::ethernet(port_.info().mac, mac, 0x86dd, l3), false);
}

void StackProgram::note(const std::string& line) {
    if (tracing_) {
        trace_.push_back(std::to_string(now_ns_) + " " + line);
    }
}

void StackProgram::user_sends(User& user, uint32_t octets) {
    if (!user.up) {
        return;
    }
    Bytes data(octets);
    for (uint32_t i = 0; i < octets; ++i) {
        data[i] = stream_octet(user.iss + 1 + user.sent + i, 0);
    }
    const size_t taken = transport_->send(user.id, data);
    SY_ASSERT(taken <= octets && (taken == 0 || !user.closed));
    user.sent += static_cast<uint32_t>(taken);
    note("sent " + std::to_string(taken));
}

void StackProgram::on_accepted(ConnId conn, const Endpoint& peer) {
    User& user = begin_user(conn);
    SY_ASSERT(!user.up && !user.closed);
    const Connection& connection = transport_->stack().connection(conn.slot);
    SY_ASSERT(connection.key.remote.octets == peer.address &&
              connection.key.remote_port == peer.port);
    user.up = true;
    user.key = connection.key;
    user.iss = connection.iss.value;
    user.irs = connection.irs.value;
    note("accepted " + std::to_string(conn.slot));
}

void StackProgram::on_connected(ConnId conn) {
    User* user = user_of(conn);
    SY_ASSERT(user != nullptr && !user->up && !user->closed);
    const Connection& connection = transport_->stack().connection(conn.slot);
    user->up = true;
    user->key = connection.key;
    user->iss = connection.iss.value;
    user->irs = connection.irs.value;
    note("connected " + std::to_string(conn.slot));
}

size_t StackProgram::on_bytes(ConnId conn, Octets octets) {
    ++reads_;
    User* user = user_of(conn);
    SY_ASSERT(user != nullptr && user->up && !user->closed && !octets.empty());
    const uint32_t first = user->irs + 1 + user->delivered;
    const Flow& flow = flows_.of(user->key);
    for (uint32_t i = 0; i < octets.size(); ++i) {
        SY_ASSERT(flow.injected.may_be(first + i, octets[i]));
    }
    const size_t again = std::min(user->left.size(), octets.size());
    SY_ASSERT(std::equal(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(again),
                         user->left.begin()));
    size_t taken = octets.size();
    switch (appetite_) {
        case Appetite::none:
            taken = 0;
            break;
        case Appetite::half:
            taken = octets.size() / 2;
            break;
        case Appetite::one:
            taken = 1;
            break;
        case Appetite::echo:
            user_sends(*user, static_cast<uint32_t>(octets.size()));
            break;
        case Appetite::pause:
            taken = octets.size() / 3;
            transport_->pause(conn);
            break;
        case Appetite::abort:
            ++aborts_;
            transport_->abort(conn);
            break;
        case Appetite::close:
            transport_->close(conn);
            break;
        case Appetite::all:
        case Appetite::count:
            break;
    }
    note("bytes " + std::to_string(conn.slot) + " " + std::string(as_chars(octets)) + " " +
         std::to_string(taken));
    const Octets rest = octets.subspan(taken);
    user->delivered += static_cast<uint32_t>(taken);
    if (taken >= user->left.size() || rest.size() + taken >= user->left.size()) {
        user->left.assign(rest.begin(), rest.end());
    } else {
        user->left.erase(user->left.begin(),
                         user->left.begin() + static_cast<std::ptrdiff_t>(taken));
    }
    return taken;
}

void StackProgram::on_writable(ConnId conn) {
    const User* user = user_of(conn);
    SY_ASSERT(user != nullptr && user->up && !user->closed);
    note("writable " + std::to_string(conn.slot));
}

void StackProgram::on_closed(ConnId conn, CloseReason reason) {
    User* user = user_of(conn);
    SY_ASSERT(user != nullptr && !user->closed);
    user->closed = true;
    note("closed " + std::to_string(conn.slot) + " " + std::to_string(static_cast<int>(reason)));
}

void run_stack_program(Octets program) {
    const bool comparing = StackProgram::wants_comparison(program);
    StackProgram fast(program, true, comparing);
    fast.run();
    if (!comparing) {
        return;
    }
    StackProgram slow(program, false, true);
    slow.run();
    for (size_t i = 0; i < std::max(fast.trace().size(), slow.trace().size()); ++i) {
        const std::string a = i < fast.trace().size() ? fast.trace()[i] : "nothing";
        const std::string b = i < slow.trace().size() ? slow.trace()[i] : "nothing";
        if (a != b) {
            const auto print = [](const char* who, const std::string& line) {
                std::fprintf(stderr, "%s", who);
                for (const char octet : line) {
                    const bool printable = octet >= ' ' && octet <= '~';
                    std::fprintf(stderr, printable ? "%c" : "\\%02x",
                                 printable ? octet : static_cast<uint8_t>(octet));
                }
                std::fprintf(stderr, "\n");
            };
            print("with prediction:    ", a);
            print("without prediction: ", b);
            std::abort();
        }
    }
}

}  // namespace sy::tcpip
