#include "io/sim/packet_link.h"

#include <algorithm>
#include <bit>

#include "core/base/assert.h"

namespace sy::sim {
namespace {

constexpr uint32_t l2_bytes_max = 18;      // Ethernet and VLAN
constexpr uint32_t icmp_bytes_max = 1300;  // what an ICMP answer needs at most
constexpr uint8_t freed_octet = 0xdd;      // a borrowed view that outlives its frame reads this
constexpr uint8_t fresh_octet = 0xa5;      // a stack that leaves octets unwritten sends this

template <class T>
bool later(const T& a, const T& b) {
    return a.later_than(b);
}

}  // namespace

class PacketLink::Port final : public tcpip::PacketPort {
  public:
    Port(PacketLink& link, uint32_t end) : link_(link), end_(end) {}

    uint32_t receive(std::span<tcpip::RxFrame> out) override { return link_.receive(end_, out); }
    void release(std::span<const tcpip::RxFrame> frames) override {
        for (const tcpip::RxFrame& frame : frames) {
            link_.give_back(end_, frame.buffer);
        }
    }
    uint32_t allocate(std::span<tcpip::TxFrame> out) override { return link_.allocate(end_, out); }
    uint32_t transmit(std::span<const tcpip::TxFrame> frames) override {
        return link_.transmit(end_, frames);
    }
    void discard(std::span<const tcpip::TxFrame> frames) override {
        for (const tcpip::TxFrame& frame : frames) {
            link_.give_back(end_, frame.buffer);
        }
    }
    [[nodiscard]] const tcpip::PortInfo& info() const override { return link_.ends_[end_].info; }

  private:
    PacketLink& link_;
    uint32_t end_;
};

PacketLink::PacketLink(uint64_t seed, const PacketLinkOptions& options, Nanos start_ns)
    : options_(options),
      prng_(seed),
      now_ns_(start_ns),
      hash_(mix64(seed)),
      capacity_(std::max({options.mtu, options.tso_bytes_max, icmp_bytes_max}) + l2_bytes_max),
      memory_(
          std::make_unique_for_overwrite<uint8_t[]>(size_t{options.buffers} * (capacity_ + 46))),
      buffers_(options.buffers) {
    free_.reserve(options.buffers);
    arrivals_.reserve(options.buffers);
    for (uint32_t i = options.buffers; i > 0; --i) {
        buffers_[i - 1].data = memory_.get() + size_t{i - 1} * (capacity_ + 46);
        buffers_[i - 1].index = i - 1;
        free_.push_back(&buffers_[i - 1]);
    }
    for (uint32_t end = 0; end < 2; ++end) {
        ends_[end].port = std::make_unique<Port>(*this, end);
        ends_[end].inbox.resize(std::bit_ceil(options.inbox_max));
        ends_[end].reordered.reserve(options.buffers);
        ends_[end].info = {.mac = options.macs[end],
                           .mtu = options.mtu,
                           .link_up = true,
                           .tx_ip_checksum = options.tx_ip_checksum,
                           .tx_tcp_checksum = options.tx_tcp_checksum,
                           .tso_bytes_max = options.tso_bytes_max};
    }
}

PacketLink::~PacketLink() = default;

tcpip::PacketPort& PacketLink::port(uint32_t end) {
    return *ends_[end].port;
}

void PacketLink::set_faults(uint32_t from_end, const LinkFaults& faults) {
    ends_[from_end].faults = faults;
    ends_[from_end].rule_seen.assign(faults.rules.size(), 0);
}

void PacketLink::set_link_up(uint32_t end, bool up) {
    ends_[end].info.link_up = up;
}

void PacketLink::set_port_mtu(uint32_t end, uint32_t mtu) {
    SY_ASSERT(mtu <= options_.mtu);
    ends_[end].info.mtu = mtu;
}

// Buffers.

PacketLink::Buffer* PacketLink::take_buffer(Owner owner) {
    if (free_.empty()) {
        return nullptr;
    }
    Buffer* buffer = free_.back();
    free_.pop_back();
    buffer->owner = owner;
    buffer->bytes = 0;
    return buffer;
}

void PacketLink::free_buffer(Buffer& buffer) {
    std::fill_n(buffer.data, buffer.bytes, freed_octet);
    buffer.owner = Owner::nobody;
    free_.push_back(&buffer);
}

/// The buffer that `end` gives back or sends; it must be its own.
PacketLink::Buffer& PacketLink::checked(void* buffer, uint32_t end) {
    SY_ASSERT(buffer != nullptr);
    auto& out = *static_cast<Buffer*>(buffer);
    SY_ASSERT(out.index < buffers_.size() && &buffers_[out.index] == &out);
    SY_ASSERT(out.owner == stack(end));  // else: given back twice
    return out;
}

uint32_t PacketLink::receive(uint32_t end, std::span<tcpip::RxFrame> out) {
    End& me = ends_[end];
    const auto count = std::min<uint32_t>(me.inbox_count, static_cast<uint32_t>(out.size()));
    for (uint32_t i = 0; i < count; ++i) {
        Buffer& buffer = *me.inbox[me.inbox_at++ & (me.inbox.size() - 1)];
        buffer.owner = stack(end);
        out[i] = {.data = buffer.data, .bytes = buffer.bytes, .buffer = &buffer};
        if (options_.rx_checksum) {
            const Octets frame{buffer.data, buffer.bytes};
            const Packet packet = parse_packet(frame);
            const auto state = [](bool good) {
                return good ? tcpip::ChecksumState::good : tcpip::ChecksumState::bad;
            };
            if (packet.kind == PacketKind::tcp) {
                out[i].ip_checksum = state(ip_checksum_good(frame, packet));
                out[i].l4_checksum = state(l4_checksum_good(frame, packet));
            }
        }
    }
    me.inbox_count -= count;
    me.held += count;
    return count;
}

void PacketLink::give_back(uint32_t end, void* buffer) {
    free_buffer(checked(buffer, end));
    --ends_[end].held;
}

uint32_t PacketLink::allocate(uint32_t end, std::span<tcpip::TxFrame> out) {
    End& me = ends_[end];
    auto wanted = static_cast<uint32_t>(out.size());
    if (me.faults.refuse_allocate > 0 && prng_.chance(me.faults.refuse_allocate, 1000)) {
        ++me.counters.refused;
        wanted = static_cast<uint32_t>(prng_.below(wanted + 1));
    }
    uint32_t count = 0;
    for (; count < wanted; ++count) {
        Buffer* buffer = take_buffer(stack(end));
        if (buffer == nullptr) {
            ++me.counters.no_buffer;
            break;
        }
        std::fill_n(buffer->data, 128, fresh_octet);
        buffer->bytes = capacity_;  // so that all of it is poisoned when it is freed unsent
        out[count] = {.data = buffer->data, .capacity = capacity_, .buffer = buffer};
    }
    me.held += count;
    return count;
}

uint32_t PacketLink::transmit(uint32_t end, std::span<const tcpip::TxFrame> frames) {
    End& me = ends_[end];
    auto count = static_cast<uint32_t>(frames.size());
    if (me.faults.refuse_transmit > 0 && prng_.chance(me.faults.refuse_transmit, 1000)) {
        ++me.counters.refused;
        count = static_cast<uint32_t>(prng_.below(count + 1));
    }
    for (const tcpip::TxFrame& frame : frames.first(count)) {
        Buffer& buffer = checked(frame.buffer, end);
        buffer.bytes = std::min(frame.bytes, capacity_);
        buffer.owner = Owner::wire;
        --me.held;
        send(end, buffer, frame);
    }
    return count;
}

// The sending device: offloads.

void PacketLink::send(uint32_t end, Buffer& buffer, const tcpip::TxFrame& frame) {
    End& me = ends_[end];
    const bool cut = frame.segment_bytes != 0;
    const uint32_t longest = (cut ? options_.tso_bytes_max : options_.mtu) + l2_bytes_max;
    const bool offload = frame.ip_checksum || frame.tcp_checksum || cut;
    if (frame.bytes > longest || frame.bytes < ethernet_bytes ||
        (offload && !offload_right(buffer, frame))) {
        drop(end, buffer, "bad frame", me.counters.bad_frames);
        return;
    }
    if (cut) {
        cut_segments(end, buffer, frame);
        return;
    }
    const std::span<uint8_t> octets{buffer.data, buffer.bytes};
    const Packet packet = parse_packet(octets);
    if (frame.ip_checksum) {
        write_ip_checksum(octets, packet);
    }
    if (frame.tcp_checksum) {
        write_l4_checksum(octets, packet);
    }
    enter_wire(end, buffer);
}

/// The stack asked for nothing that PortInfo does not offer, and left the fields as port.h says.
bool PacketLink::offload_right(const Buffer& buffer, const tcpip::TxFrame& frame) const {
    const bool cut = frame.segment_bytes != 0;
    if ((frame.ip_checksum && !options_.tx_ip_checksum) ||
        (frame.tcp_checksum && !options_.tx_tcp_checksum) ||
        (cut && (options_.tso_bytes_max == 0 || !frame.tcp_checksum))) {
        return false;
    }
    const Packet packet = parse_packet({buffer.data, buffer.bytes});
    if (packet.kind != PacketKind::tcp || frame.l2_bytes != packet.l3 ||
        frame.l3_bytes != packet.l4 - packet.l3 || frame.ipv6 != packet.ipv6 ||
        (frame.tcp_checksum && frame.l4_bytes != packet.payload - packet.l4)) {
        return false;
    }
    const uint64_t pseudo =
        pseudo_header_sum(packet, protocol_tcp, cut ? 0 : packet.end - packet.l4);
    return !frame.tcp_checksum || load_be<uint16_t>(buffer.data + packet.l4 + 16) ==
                                      static_cast<uint16_t>(~fold_checksum(pseudo));
}

/// TSO: each segment gets the headers, its own sequence number and length; FIN and PSH only the
/// last.
void PacketLink::cut_segments(uint32_t end, Buffer& buffer, const tcpip::TxFrame& frame) {
    End& me = ends_[end];
    const Packet whole = parse_packet({buffer.data, buffer.bytes});
    const uint32_t total = whole.payload_bytes();
    for (uint32_t at = 0; at == 0 || at < total; at += frame.segment_bytes) {
        Buffer* segment = take_buffer(Owner::wire);
        if (segment == nullptr) {
            ++me.counters.no_buffer;
            break;
        }
        const uint32_t bytes = std::min<uint32_t>(frame.segment_bytes, total - at);
        std::copy_n(buffer.data, whole.payload, segment->data);
        std::copy_n(buffer.data + whole.payload + at, bytes, segment->data + whole.payload);
        segment->bytes = whole.payload + bytes;
        uint8_t* ip = segment->data + whole.l3;
        const uint32_t ip_bytes = segment->bytes - whole.l3;
        if (whole.ipv6) {
            store_be(ip + 4, static_cast<uint16_t>(ip_bytes - ipv6_bytes));
        } else {
            store_be(ip + 2, static_cast<uint16_t>(ip_bytes));
        }
        uint8_t* tcp = segment->data + whole.l4;
        store_be(tcp + 4, whole.seq + at);
        if (at + bytes < total) {
            tcp[13] &= static_cast<uint8_t>(~(tcp_flag::fin | tcp_flag::psh));
        }
        const std::span<uint8_t> octets{segment->data, segment->bytes};
        const Packet packet = parse_packet(octets);
        write_ip_checksum(octets, packet);
        write_l4_checksum(octets, packet);
        enter_wire(end, *segment);
    }
    free_buffer(buffer);
}

void PacketLink::schedule(uint32_t to_end, Buffer& buffer, Nanos at_ns) {
    arrivals_.push_back({.at_ns = at_ns, .order = order_++, .buffer = &buffer, .to_end = to_end});
    std::push_heap(arrivals_.begin(), arrivals_.end(), later<Arrival>);
}

Nanos PacketLink::next_event_ns() const {
    Nanos next = arrivals_.empty() ? no_event_ns : arrivals_.front().at_ns;
    for (const End& end : ends_) {
        for (const Held& held : end.reordered) {
            next = std::min(next, held.until_ns);
        }
    }
    return next;
}

void PacketLink::advance_to(Nanos to_ns) {
    SY_ASSERT(to_ns >= now_ns_);
    for (Nanos next = next_event_ns(); next <= to_ns; next = next_event_ns()) {
        now_ns_ = std::max(now_ns_, next);
        release_held(0, false);
        release_held(1, false);
        while (!arrivals_.empty() && arrivals_.front().at_ns <= now_ns_) {
            std::pop_heap(arrivals_.begin(), arrivals_.end(), later<Arrival>);
            const Arrival arrival = arrivals_.back();
            arrivals_.pop_back();
            arrive(arrival);
        }
    }
    now_ns_ = to_ns;
}

void PacketLink::arrive(const Arrival& arrival) {
    End& to = ends_[arrival.to_end];
    Buffer& buffer = *arrival.buffer;
    Counters& counters = ends_[1 - arrival.to_end].counters;
    note(arrival.at_ns * 2 + arrival.to_end);
    fold(buffer);
    if (!to.info.link_up) {
        drop(arrival.to_end, buffer, "link down", counters.lost);
        return;
    }
    if (to.inbox_count == to.inbox.size()) {
        drop(arrival.to_end, buffer, "inbox full", counters.inbox_full);
        return;
    }
    if (to.pcap != nullptr) {
        to.pcap->write(now_ns_, {buffer.data, buffer.bytes});
    }
    ++counters.delivered;
    counters.bytes += buffer.bytes;
    trace("arrives", arrival.to_end, buffer);
    to.inbox[(to.inbox_at + to.inbox_count) & (to.inbox.size() - 1)] = &buffer;
    ++to.inbox_count;
}

/// Eight octets a step, multiply and rotate: every octet and its place count.
void PacketLink::fold(const Buffer& buffer) {
    uint64_t sum = hash_ ^ buffer.bytes;
    uint32_t at = 0;
    for (; at + 8 <= buffer.bytes; at += 8) {
        uint64_t word;
        std::memcpy(&word, buffer.data + at, sizeof word);
        sum = std::rotl((sum ^ word) * 0x9e3779b97f4a7c15U, 29);
    }
    for (; at < buffer.bytes; ++at) {
        sum = std::rotl((sum ^ buffer.data[at]) * 0x9e3779b97f4a7c15U, 29);
    }
    hash_ = mix64(sum);
}

void PacketLink::trace(const char* what, uint32_t end, const Buffer& buffer) {
    if (trace_ == nullptr) {
        return;
    }
    const Packet packet = parse_packet({buffer.data, buffer.bytes});
    const auto at = static_cast<double>(now_ns_) / 1e9;
    if (packet.kind != PacketKind::tcp) {
        std::fprintf(trace_, "%12.6f end %u %-10s %u octets\n", at, end, what, buffer.bytes);
        return;
    }
    std::fprintf(trace_, "%12.6f end %u %-10s %u>%u flags %02x seq %u len %u ack %u win %u\n", at,
                 end, what, packet.source_port, packet.destination_port, packet.flags, packet.seq,
                 packet.payload_bytes(), packet.ack, packet.window);
}

}  // namespace sy::sim
