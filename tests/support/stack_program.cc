#include "tests/support/stack_program.h"

#include <algorithm>

namespace sy::tcpip {
namespace {

constexpr uint8_t fin = 0x01;
constexpr uint8_t syn = 0x02;
constexpr uint8_t rst = 0x04;
constexpr uint8_t psh = 0x08;
constexpr uint8_t ack = 0x10;
constexpr uint8_t urg = 0x20;

// Of a segment, by four bits; the common ones several times.
constexpr std::array<uint8_t, 16> flag_sets{
    ack,       ack | psh, ack, ack | fin,       ack | psh, rst, rst | ack, syn,
    syn | ack, fin,       0,   ack | urg | psh, syn | fin, ack, rst | syn, ack | psh | fin};

// Bits of the first octet.
constexpr uint8_t without_timestamps = 2;
constexpr uint8_t without_sack = 4;
constexpr uint8_t without_scale = 8;
constexpr uint8_t with_offloads = 16;
constexpr uint8_t small_tables = 32;
constexpr uint8_t small_buffers = 64;
constexpr uint8_t small_mtu = 128;

// Initial connections by state; how they are brought there is do_handshake().
constexpr uint32_t handshakes_max = 8;
constexpr uint32_t operations_max = 2000;
constexpr Nanos wind_up_ns = 180 * second_ns;

StackOptions options_for(uint8_t flags, bool fast_path) {
    StackOptions options;
    options.interface.addresses = {{.address = frames::ip_address("10.0.0.1"), .prefix_bits = 24},
                                   {.address = frames::ip_address("fd00::1"), .prefix_bits = 64}};
    options.interface.gateway_v4 = frames::ip_address("10.0.0.254");
    options.interface.duplicate_address_detection = false;
    const bool small = (flags & small_tables) != 0;
    options.connections_max = small ? 4 : 16;
    options.half_open_max = small ? 1 : 8;
    options.time_wait_max = small ? 1 : 8;
    options.recoveries_max = small ? 1 : 8;
    options.chunks = 640;
    if ((flags & small_buffers) != 0) {
        options.send_buffer_bytes = 4096;
        options.receive_buffer_bytes = 3000;
    }
    options.timestamps = (flags & without_timestamps) == 0;
    options.sack = (flags & without_sack) == 0;
    options.window_scale = (flags & without_scale) == 0;
    options.fast_path = fast_path;
    return options;
}

}  // namespace

StackProgram::StackProgram(Octets program, bool fast_path, bool tracing)
    : program_(program), tracing_(tracing) {
    start(fast_path);
}

StackProgram::~StackProgram() {
    transport_.reset();
    SY_ASSERT(port_.allocated_out() == 0 && port_.received_out() == 0);
}

uint8_t StackProgram::take() {
    return at_ < program_.size() ? program_[at_++] : uint8_t{0};
}

void StackProgram::start(bool fast_path) {
    const uint8_t flags = take();
    if ((flags & with_offloads) != 0) {
        port_.settings().tx_ip_checksum = true;
        port_.settings().tx_tcp_checksum = true;
        port_.settings().tso_bytes_max = 6000;
    }
    port_.settings().mtu = (flags & small_mtu) != 0 ? 1280 : 1500;
    transport_ = std::make_unique<TcpTransport>(port_, options_for(flags, fast_path));
    SY_ASSERT(transport_->listen(*parse_endpoint("0.0.0.0:2775")).has_value());
    SY_ASSERT(transport_->listen(*parse_endpoint("[fd00::1]:2775")).has_value());
    turn();
    for (const char* neighbour : {"10.0.0.2", "10.0.0.254"}) {
        answer_arp(frames::ip_address(neighbour), 1, false);
    }
    answer_solicitation(frames::ip_address("fd00::2"), 0x60, false);
    turn();
}

void StackProgram::run() {
    for (uint32_t left = take() % (handshakes_max + 1); left > 0; --left) {
        do_handshake(take());
    }
    for (uint32_t i = 0; i < operations_max && at_ < program_.size(); ++i) {
        step();
    }
    finish();
}

void StackProgram::step() {
    switch (take() % 24) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4:
        case 5:
        case 6:
            return do_segment();
        case 7:
        case 8:
            return do_polite();
        case 9:
        case 10:
            return turn();
        case 11:
            return pass(Nanos{take()} * millisecond_ns);
        case 12:
            return pass(Nanos{take()} * 250 * millisecond_ns);
        case 13:
            return pass_to_next();
        case 14:
        case 15:
            return do_user();
        case 16:
            appetite_ = static_cast<Appetite>(take() % static_cast<int>(Appetite::count));
            return;
        case 17:
            return do_connect();
        case 18:
            return do_port();
        case 19:
            return do_again();
        case 20:
            return do_raw();
        case 21:
            return do_icmp();
        case 22:
            return do_neighbour();
        default:
            return do_syn();
    }
}

/// A segment relative to what the stack said last.
void StackProgram::do_segment() {
    Flow* flow = pick(take());
    const uint8_t shape = take();
    const uint8_t extras = take();
    const int32_t seq_delta = take_signed() * (int32_t{1} << "\x00\x04\x08\x0b"[extras & 3]);
    const int32_t ack_delta = take_signed() * (int32_t{1} << "\x00\x04\x08\x0b"[extras & 3]);
    const uint32_t window = take();
    const uint32_t length = take();
    const int32_t timestamp_delta = (extras & 4) != 0 ? take_signed() * 64 : 0;
    if (flow == nullptr) {
        return;
    }
    const std::array<uint32_t, 4> seq_bases{flow->seq, flow->acked, flow->edge, flow->isn};
    const std::array<uint32_t, 4> ack_bases{flow->next, flow->una,
                                            flow->una + (flow->next - flow->una) / 2, flow->first};
    Segment segment{.flags = flag_sets[shape & 15],
                    .seq = seq_bases[shape >> 4 & 3] + static_cast<uint32_t>(seq_delta),
                    .ack = ack_bases[shape >> 6] + static_cast<uint32_t>(ack_delta),
                    .window = static_cast<uint16_t>(window == 255 ? 0xFFFF : window * window),
                    .payload_bytes = length < 200 ? length : (length - 200) * 27,
                    .version = extras >> 6 & 3U,
                    .timestamp_delta = timestamp_delta,
                    .timestamps = (extras & 8) == 0,
                    .bad_checksum = (extras & 0x30) == 0x30,
                    .sack = {}};
    if ((extras & 0x30) == 0x10) {
        for (uint32_t blocks = 1 + take() % 4U; blocks > 0; --blocks) {
            const uint32_t begin = flow->una + static_cast<uint32_t>(take_signed() * 128);
            segment.sack.push_back(begin);
            segment.sack.push_back(begin + static_cast<uint32_t>(take_signed() * 64));
        }
    }
    if ((segment.flags & ack) != 0 && segment.ack - flow->una <= flow->next - flow->una) {
        flow->una = segment.ack;
    }
    send_from_peer(*flow, segment);
}

/// What a good peer does: octets in order, everything acknowledged.
void StackProgram::do_polite() {
    Flow* flow = pick(take());
    const uint8_t how = take();
    if (flow == nullptr) {
        return;
    }
    send_in_order(*flow, (how & 1) != 0 ? ack | psh : ack, (how >> 2) * 24U);
    if ((how & 2) != 0) {
        turn();
    }
}

void StackProgram::do_syn() {
    Flow& flow = flows_.of(passive_key(take()));
    const uint8_t how = take();
    flow.isn = (how & 1) != 0 ? flow.seq + how * 1000U : 0xFFFFFF00U + how;
    flow.seq = flow.isn + 1;
    send_from_peer(
        flow, {.flags = syn, .seq = flow.isn, .payload_bytes = uint32_t{how} >> 6, .sack = {}});
}

/// A connection into one of its states: 0 half open, 1 established, 2 FIN-WAIT-1, 3 FIN-WAIT-2, 4
/// CLOSE-WAIT, 5 CLOSING, 6 LAST-ACK, 7 TIME-WAIT.
void StackProgram::do_handshake(uint8_t how) {
    const uint32_t state = how & 7;
    const Appetite appetite = appetite_;
    Flow& flow = flows_.of(passive_key(how >> 1));
    flow.isn = 0xFFFFF000U + how * 8191U;
    flow.seq = flow.isn + 1;
    send_from_peer(flow, {.flags = syn, .seq = flow.isn, .sack = {}});
    turn();
    if (state == 0 || !flow.seen) {
        return;
    }
    send_in_order(flow, ack, 0);
    turn();
    User* user = nullptr;
    for (const uint64_t id : user_order_) {
        if (users_[id].key == flow.key && !users_[id].closed) {
            user = &users_[id];
        }
    }
    if (user == nullptr || state == 1) {
        return;
    }
    if (state == 4) {  // a user who does not read keeps his half
        transport_->pause(user->id);
        send_in_order(flow, ack | fin, 10);
        turn();
    } else if (state == 6) {
        send_in_order(flow, ack | fin, 0);
        turn();
    } else {
        transport_->close(user->id);
        turn();
        if (state == 5) {
            send_from_peer(flow,
                           {.flags = ack | fin, .seq = flow.seq, .ack = flow.una, .sack = {}});
        } else if (state != 2) {
            send_in_order(flow, state == 7 ? ack | fin : ack, 0);
        }
    }
    turn();
    appetite_ = appetite;
}

void StackProgram::do_user() {
    const uint8_t which = take();
    const uint8_t what = take();
    if (user_order_.empty()) {
        return;
    }
    User& user = users_[user_order_[which % user_order_.size()]];
    switch (what & 7) {
        case 0:
        case 1:
            user_sends(user, (what >> 3) * (what >> 3) * 20U);
            break;
        case 2:
            user_sends(user, (what >> 3) * 5000U);
            break;
        case 3:
            user_sends(user, what >> 3);
            break;
        case 4:
            transport_->pause(user.id);
            break;
        case 5:
            transport_->resume(user.id);
            break;
        case 6:
            transport_->close(user.id);
            break;
        default:
            ++aborts_;
            transport_->abort(user.id);
            break;
    }
}

void StackProgram::do_connect() {
    static constexpr std::array<const char*, 4> places{"10.0.0.2:40007", "192.0.2.9:40003",
                                                       "[fd00::2]:40007", "[2001:db8::1]:40001"};
    const uint8_t how = take();
    const auto conn = transport_->connect(*parse_endpoint(places[how & 3]));
    note(conn ? "connecting" : "cannot connect");
    if (!conn) {
        return;
    }
    (void)begin_user(*conn);
    turn();
    const FlowKey key = transport_->stack().connection(conn->slot).key;
    Flow* flow = flows_.find(key);
    if (flow == nullptr ||
        transport_->stack().connection(conn->slot).generation != conn->generation) {
        return;
    }
    flow->isn = 0x7FFFFF00U + how * 16U;
    flow->seq = flow->isn;
    if ((how & 4) != 0) {  // else: the program, or nobody, answers
        send_from_peer(*flow, {.flags = syn | ack,
                               .seq = flow->isn,
                               .ack = flow->next,
                               .payload_bytes = uint32_t{how} >> 5,
                               .sack = {}});
    } else if ((how & 8) != 0) {  // simultaneous open
        send_from_peer(*flow, {.flags = syn, .seq = flow->isn, .sack = {}});
    }
    turn();
}

void StackProgram::do_port() {
    const uint8_t how = take();
    port_.set_buffers_max((how & 1) != 0 ? (how >> 2) * 4U : FakePort::unlimited);
    port_.set_transmit_room((how & 2) != 0 ? how >> 2 : FakePort::unlimited);
}

/// The last frame again, an octet of it changed perhaps, its checksums believed perhaps.
void StackProgram::do_again() {
    const uint8_t how = take();
    const uint8_t where = take();
    Bytes frame = last_;
    if ((how & 1) != 0 && frame.size() > 14) {
        frame[14 + where % (frame.size() - 14)] ^= static_cast<uint8_t>(how | 1);
    }
    inject(frame, true, (how & 2) != 0);
}

void StackProgram::do_raw() {
    const uint8_t how = take();
    Bytes octets;
    for (uint32_t left = take(); left > 0 && at_ < program_.size(); --left) {
        octets.push_back(take());
    }
    if ((how & 1) == 0) {
        inject(octets, true, (how & 2) != 0);
        return;
    }
    static constexpr std::array<uint8_t, 4> protocols{6, 1, 58, 17};
    const FlowKey key = passive_key(how);
    inject(to_stack(key, protocols[how >> 3 & 3], octets), true, (how & 2) != 0);
}

/// An error that quotes a segment of the stack.
void StackProgram::do_icmp() {
    const Flow* flow = pick(take());
    const uint8_t how = take();
    const int32_t delta = take_signed();
    const uint32_t mtu = take() * 8U;
    if (flow == nullptr) {
        return;
    }
    const FlowKey& key = flow->key;
    const frames::Tcp quoted{.source_port = key.local_port,
                             .destination_port = key.remote_port,
                             .seq = flow->una + static_cast<uint32_t>(delta),
                             .options = {},
                             .payload = Bytes(how & 15)};
    const Bytes packet = frames::ip({.source = key.local, .destination = key.remote},
                                    frames::tcp(quoted, key.local, key.remote));
    frames::Icmp error{.type = 3, .code = static_cast<uint8_t>(how >> 4), .rest = mtu};
    if (!key.remote.is_ipv4()) {
        error.type = (how & 16) != 0 ? 2 : 1;
        error.code = how >> 5;
    }
    error.body = packet;
    inject(to_stack(key, key.remote.is_ipv4() ? 1 : 58, frames::icmp(error, key.remote, key.local)),
           false);
}

void StackProgram::do_neighbour() {
    const uint8_t how = take();
    static constexpr std::array<const char*, 4> v4{"10.0.0.2", "10.0.0.254", "10.0.0.77",
                                                   "10.0.0.1"};
    if ((how & 3) == 3) {
        neighbours_answer_ = (how & 4) != 0;
    } else if ((how & 3) == 0) {
        answer_solicitation(frames::ip_address((how & 16) != 0 ? "fd00::2" : "fd00::77"),
                            how & 0xE0, (how & 4) != 0);
    } else {
        answer_arp(frames::ip_address(v4[how >> 4 & 3]), how & 3, (how & 4) != 0);
    }
}

void StackProgram::pass(Nanos ns) {
    now_ns_ += ns;
    turn();
}

void StackProgram::pass_to_next() {
    const Nanos next = transport_->next_event_ns();
    now_ns_ = std::clamp(next, now_ns_, now_ns_ + 70 * second_ns);
    turn();
}

void StackProgram::turn() {
    injected_ = 0;
    (void)transport_->poll(now_ns_, *this);
    transport_->check_invariants();
    SY_ASSERT(port_.received_out() == 0);
    look_at_sent();
}

/// Everybody goes, nobody answers: after three minutes nothing is left.
void StackProgram::finish() {
    appetite_ = Appetite::all;
    port_.set_buffers_max(FakePort::unlimited);
    port_.set_transmit_room(FakePort::unlimited);
    turn();
    for (const uint64_t id : user_order_) {
        ++aborts_;
        transport_->abort(users_[id].id);
    }
    turn();
    const Nanos end = now_ns_ + wind_up_ns;
    for (uint32_t turns = 0; now_ns_ < end; ++turns) {
        const Nanos least = turns < 200 ? millisecond_ns : second_ns;
        now_ns_ = std::clamp(transport_->next_event_ns(), now_ns_ + least, end);
        turn();
    }
    turn();
    const Stack& stack = transport_->stack();
    SY_ASSERT(stack.connections_used() == 0);
    SY_ASSERT(stack.half_open_used() == 0);
    SY_ASSERT(stack.time_wait_used() == 0);
    SY_ASSERT(stack.chunks_used() == 0);
    for (const auto& [id, user] : users_) {
        SY_ASSERT(user.closed);
    }
}

}  // namespace sy::tcpip
