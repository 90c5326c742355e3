// What the wire of a PacketLink does to a frame between transmit() and the other end's inbox.
#include <algorithm>

#include "core/base/assert.h"
#include "io/sim/packet_link.h"

namespace sy::sim {
namespace {

bool inside(const std::vector<Interval>& intervals, Nanos now_ns) {
    return std::any_of(intervals.begin(), intervals.end(), [&](const Interval& interval) {
        return now_ns >= interval.from_ns && now_ns < interval.to_ns;
    });
}

}  // namespace

void PacketLink::enter_wire(uint32_t end, Buffer& buffer) {
    End& from = ends_[end];
    ++from.counters.sent;
    fold(buffer);
    if (from.pcap != nullptr) {
        from.pcap->write(now_ns_, {buffer.data, buffer.bytes});
    }
    const Packet packet = parse_packet({buffer.data, buffer.bytes});
    const RuleOutcome ruled = apply_rules(from, packet);
    if (const char* fate = ruled.drop ? "rule" : fate_by_chance(from); fate != nullptr) {
        drop(end, buffer, fate, from.counters.lost);
        return;
    }
    if (too_big(end, buffer, packet)) {
        return;
    }
    strip_options(from, buffer, packet);
    if (ruled.duplicate ||
        (from.faults.duplicate > 0 && prng_.chance(from.faults.duplicate, 1000))) {
        duplicate(end, buffer, ruled.extra_ns);
    }
    if (ruled.corrupt) {
        corrupt(end, buffer, packet);
    }
    damage(end, buffer, packet);
    carry(end, buffer, ruled.extra_ns);
}

/// Why the frame is lost, or null.
const char* PacketLink::fate_by_chance(End& from) {
    const LinkFaults& faults = from.faults;
    if (!from.info.link_up) {
        return "link down";
    }
    if (inside(faults.blackouts, now_ns_)) {
        return "blackout";
    }
    if (faults.burst_enter > 0) {
        const uint32_t change = from.burst_bad ? faults.burst_leave : faults.burst_enter;
        from.burst_bad ^= prng_.chance(change, 1000);
        if (from.burst_bad && prng_.chance(faults.burst_loss, 1000)) {
            return "burst";
        }
    }
    return faults.loss > 0 && prng_.chance(faults.loss, 1000) ? "lost" : nullptr;
}

PacketLink::RuleOutcome PacketLink::apply_rules(End& from, const Packet& packet) {
    RuleOutcome outcome;
    if (packet.kind != PacketKind::tcp) {
        return outcome;
    }
    for (size_t i = 0; i < from.faults.rules.size(); ++i) {
        const MatchRule& rule = from.faults.rules[i];
        if ((packet.flags & rule.flags_mask) != rule.flags_match ||
            (rule.data_only && packet.payload_bytes() == 0)) {
            continue;
        }
        const uint32_t seen = from.rule_seen[i]++;
        if (seen < rule.skip || seen - rule.skip >= rule.count) {
            continue;
        }
        ++from.counters.rule_hits;
        outcome.drop |= rule.action == MatchRule::Action::drop;
        outcome.duplicate |= rule.action == MatchRule::Action::duplicate;
        outcome.corrupt |= rule.action == MatchRule::Action::corrupt;
        outcome.extra_ns += rule.action == MatchRule::Action::delay ? rule.delay_ns : 0;
    }
    return outcome;
}

bool PacketLink::too_big(uint32_t end, Buffer& buffer, const Packet& packet) {
    End& from = ends_[end];
    const uint32_t mtu = from.faults.mtu;
    if (mtu == 0 || !packet.ip || packet.ip_total_bytes() <= mtu) {
        return false;
    }
    if (!from.faults.mtu_silent && packet.end <= buffer.bytes) {
        answer_too_big(end, buffer, packet, mtu);
    }
    drop(end, buffer, "too big", from.counters.too_big);
    return true;
}

void PacketLink::answer_too_big(uint32_t end,
                                const Buffer& buffer,
                                const Packet& packet,
                                uint32_t mtu) {
    End& from = ends_[end];
    Buffer* answer = take_buffer(Owner::wire);
    if (answer == nullptr) {
        ++from.counters.no_buffer;
        return;
    }
    // RFC 1191 section 4: unreachable, fragmentation needed; RFC 4443 section 3.2: packet too big.
    const IcmpError error = packet.ipv6 ? IcmpError{.type = 2, .code = 0, .rest = mtu}
                                        : IcmpError{.type = 3, .code = 4, .rest = mtu};
    const IpAddress router = packet.ipv6 ? IpAddress::from_ipv6(options_.router_ipv6.data())
                                         : IpAddress::from_ipv4(options_.router_ipv4.data());
    answer->bytes = write_icmp_error({answer->data, capacity_}, error, router,
                                     {buffer.data, buffer.bytes}, packet);
    ++from.counters.icmp;
    schedule(end, *answer, now_ns_ + 2 * from.faults.delay_ns);
}

void PacketLink::strip_options(End& from, Buffer& buffer, const Packet& packet) {
    if (packet.kind != PacketKind::tcp || !packet.has(tcp_flag::syn)) {
        return;
    }
    const OptionStrip& strip =
        packet.has(tcp_flag::ack) ? from.faults.strip_in_syn_ack : from.faults.strip_in_syn;
    if (!strip.any() && from.faults.mss_max == 0) {
        return;
    }
    const std::span<uint8_t> frame{buffer.data, buffer.bytes};
    const bool was_good = l4_checksum_good(frame, packet);
    bool changed = false;
    const auto options =
        frame.subspan(packet.l4 + tcp_bytes, packet.payload - packet.l4 - tcp_bytes);
    for_each_option(options, [&](uint8_t kind, std::span<uint8_t> option) {
        const bool gone = (kind == 3 && strip.window_scale) ||
                          (kind == 4 && strip.sack_permitted) || (kind == 8 && strip.timestamps);
        if (gone) {
            std::fill(option.begin(), option.end(), uint8_t{1});
            changed = true;
        } else if (kind == 2 && option.size() == 4 && from.faults.mss_max != 0) {
            const uint16_t mss = load_be<uint16_t>(option.data() + 2);
            store_be(option.data() + 2, std::min(mss, from.faults.mss_max));
            changed = true;
        }
    });
    if (changed && was_good) {  // what was bad before stays so
        write_l4_checksum(frame, packet);
        ++from.counters.stripped;
    }
}

/// Flips one bit of an IP packet. Not in the Ethernet header and not in ARP: there only the frame
/// check sequence would have caught it.
void PacketLink::corrupt(uint32_t end, Buffer& buffer, const Packet& packet) {
    if (!packet.ip || packet.end > buffer.bytes) {
        return;
    }
    const uint64_t bit = prng_.below(uint64_t{packet.end - packet.l3} * 8);
    buffer.data[packet.l3 + bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
    ++ends_[end].counters.corrupted;
    trace("corrupt", end, buffer);
}

void PacketLink::damage(uint32_t end, Buffer& buffer, const Packet& packet) {
    End& from = ends_[end];
    const LinkFaults& faults = from.faults;
    if (faults.corrupt > 0 && prng_.chance(faults.corrupt, 1000)) {
        corrupt(end, buffer, packet);
    }
    if (faults.truncate > 0 && buffer.bytes > ethernet_bytes + 1 &&
        prng_.chance(faults.truncate, 1000)) {
        const uint32_t left =
            1 + static_cast<uint32_t>(prng_.below(buffer.bytes - ethernet_bytes - 1));
        buffer.bytes = ethernet_bytes + left;
        ++from.counters.truncated;
    } else if (faults.pad > 0 && prng_.chance(faults.pad, 1000)) {
        const auto more = 1 + static_cast<uint32_t>(prng_.below(46));
        for (uint32_t i = 0; i < more; ++i) {
            buffer.data[buffer.bytes + i] = static_cast<uint8_t>(prng_());
        }
        buffer.bytes += more;
        ++from.counters.padded;
    }
}

void PacketLink::duplicate(uint32_t end, const Buffer& buffer, Nanos extra_ns) {
    End& from = ends_[end];
    Buffer* copy = take_buffer(Owner::wire);
    if (copy == nullptr) {
        ++from.counters.no_buffer;
        return;
    }
    std::copy_n(buffer.data, buffer.bytes, copy->data);
    copy->bytes = buffer.bytes;
    ++from.counters.duplicated;
    carry(end, *copy, extra_ns);
}

/// Through the queue and the wire.
void PacketLink::carry(uint32_t end, Buffer& buffer, Nanos extra_ns) {
    End& from = ends_[end];
    const LinkFaults& faults = from.faults;
    Nanos leaves_ns = now_ns_;
    if (faults.bits_per_second > 0) {
        from.line_free_ns = std::max(from.line_free_ns, now_ns_);
        const uint64_t waiting_bytes =
            (from.line_free_ns - now_ns_) * faults.bits_per_second / 8 / second_ns;
        if (waiting_bytes + buffer.bytes > faults.queue_bytes_max) {
            drop(end, buffer, "queue full", from.counters.queue_full);
            return;
        }
        from.line_free_ns += uint64_t{buffer.bytes} * 8 * second_ns / faults.bits_per_second;
        leaves_ns = from.line_free_ns;
    }
    if (faults.reorder > 0 && prng_.chance(faults.reorder, 1000)) {
        ++from.counters.reordered;
        from.reordered.push_back(
            {.buffer = &buffer,
             .frames_left = 1 + static_cast<uint32_t>(prng_.below(faults.reorder_frames_max)),
             .until_ns = leaves_ns + faults.delay_ns + prng_.below(faults.reorder_ns_max + 1)});
        trace("held", end, buffer);
        return;
    }
    Nanos at_ns = leaves_ns + faults.delay_ns;
    if (faults.jitter_ns > 0) {
        at_ns += prng_.below(faults.jitter_ns + 1);
    }
    if (extra_ns > 0) {
        at_ns += extra_ns;
    } else if (faults.jitter_keeps_order) {
        at_ns = std::max(at_ns, from.last_arrival_ns);
        from.last_arrival_ns = at_ns;
    }
    schedule(1 - end, buffer, at_ns);
    release_held(end, true);
}

/// Lets go what the reorder fault holds at this end and enough frames have passed.
void PacketLink::release_held(uint32_t end, bool frame_passed) {
    End& from = ends_[end];
    for (size_t i = 0; i < from.reordered.size();) {
        Held& held = from.reordered[i];
        held.frames_left -= frame_passed && held.frames_left > 0 ? 1U : 0U;
        if (held.frames_left > 0 && held.until_ns > now_ns_) {
            ++i;
            continue;
        }
        schedule(1 - end, *held.buffer, std::max(now_ns_, from.last_arrival_ns));
        from.reordered.erase(from.reordered.begin() + static_cast<ptrdiff_t>(i));
    }
}

void PacketLink::drop(uint32_t end, Buffer& buffer, const char* why, uint64_t& counter) {
    ++counter;
    note(counter);
    trace(why, end, buffer);
    free_buffer(buffer);
}

}  // namespace sy::sim
