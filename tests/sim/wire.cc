#include "tests/sim/wire.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/prng.h"

namespace sy::sim {
namespace {

uint32_t chance_up_to(Prng& prng, uint32_t most) {
    return prng.chance(1, 2) ? 0 : static_cast<uint32_t>(prng.below(most + 1));
}

/// Small figures, so that a run is quick and its bounds are met; what peers may differ in is drawn.
tcpip::StackOptions draw_stack(Prng& prng) {
    tcpip::StackOptions options;
    options.interface.duplicate_address_detection = false;
    options.secret = {prng(), prng()};
    options.half_open_max = prng.chance(1, 4) ? 2 : 32;  // few: cookies
    options.time_wait_max = 64;
    options.chunks = 640;
    options.recoveries_max = 32;
    options.send_buffer_bytes =
        prng.chance(1, 3) ? 2000 + static_cast<uint32_t>(prng.below(6000)) : 64 * 1024;
    options.receive_buffer_bytes =
        prng.chance(1, 3) ? 1000 + static_cast<uint32_t>(prng.below(6000)) : 64 * 1024;
    options.delayed_ack_ns = (1 + prng.below(200)) * millisecond_ns;
    options.connect_timeout_ns = 3 * second_ns;
    options.fin_wait_ns = 5 * second_ns;
    options.time_wait_ns = (1 + prng.below(10)) * second_ns;
    options.timestamps = prng.chance(4, 5);
    options.sack = prng.chance(4, 5);
    options.window_scale = prng.chance(4, 5);
    options.fast_path = prng.chance(9, 10);
    return options;
}

LinkFaults draw_faults(Prng& prng, Nanos start_ns, Nanos traffic_ns) {
    LinkFaults faults;
    // Mostly a little, now and then so much that links do not live.
    faults.loss = prng.chance(1, 4)   ? 0
                  : prng.chance(2, 3) ? static_cast<uint32_t>(prng.below(30))
                  : prng.chance(3, 4) ? static_cast<uint32_t>(prng.below(100))
                                      : static_cast<uint32_t>(prng.below(301));
    faults.burst_enter = prng.chance(1, 4) ? static_cast<uint32_t>(prng.below(10)) : 0;
    faults.duplicate = chance_up_to(prng, 50);
    faults.reorder = chance_up_to(prng, 100);
    faults.reorder_frames_max = 1 + static_cast<uint32_t>(prng.below(8));
    faults.delay_ns = prng.below(15 * millisecond_ns);
    faults.jitter_ns = prng.below(15 * millisecond_ns);
    faults.jitter_keeps_order = prng.chance(3, 4);
    faults.corrupt = chance_up_to(prng, 10);
    faults.truncate = chance_up_to(prng, 10);
    faults.pad = chance_up_to(prng, 100);
    faults.refuse_allocate = chance_up_to(prng, 50);
    faults.refuse_transmit = chance_up_to(prng, 50);
    faults.mss_max = prng.chance(1, 3) ? static_cast<uint16_t>(64 + prng.below(1300)) : uint16_t{0};
    if (prng.chance(1, 4)) {
        faults.bits_per_second = (500 + prng.below(20'000)) * 1000;
        faults.queue_bytes_max = static_cast<uint32_t>(10'000 + prng.below(60'000));
    }
    for (uint64_t left = prng.chance(1, 3) ? 1 + prng.below(3) : 0; left > 0; --left) {
        const Nanos from_ns = start_ns + prng.below(traffic_ns);
        faults.blackouts.push_back({from_ns, from_ns + prng.below(2 * second_ns)});
    }
    return faults;
}

}  // namespace

tcpip::StackOptions Wire::peer(uint32_t index) const {
    Prng prng(mix64(seed + 1000 + index));
    return draw_stack(prng);
}

tcpip::InterfaceAddress Wire::address_of(const Endpoint& endpoint) const {
    tcpip::InterfaceAddress out{.address = {endpoint.address}, .prefix_bits = 16};
    if (ipv6) {
        std::fill_n(out.address.octets.begin(), 12, uint8_t{0});
        out.address.octets[0] = 0xfd;
        out.prefix_bits = 64;
    }
    return out;
}

std::unique_ptr<Wire> draw_wire(uint64_t seed, Nanos start_ns, Nanos traffic_ns) {
    Prng prng(mix64(seed ^ 0x77697265));
    auto wire = std::make_unique<Wire>();
    wire->seed = prng();
    wire->ipv6 = prng.chance(1, 3);
    const uint32_t mtu_min = wire->ipv6 ? 1280 : 576;  // RFC 8200 section 5
    wire->link.mtu =
        prng.chance(1, 3) ? mtu_min + static_cast<uint32_t>(prng.below(1500 - mtu_min)) : 1500;
    wire->link.buffers = 8192;
    wire->link.tx_ip_checksum = prng.chance(1, 4);
    wire->link.tx_tcp_checksum = prng.chance(1, 4);
    wire->link.rx_checksum = prng.chance(1, 4);
    if (wire->link.tx_tcp_checksum && prng.chance(1, 2)) {
        wire->link.tso_bytes_max = 16'000;
    }
    for (LinkFaults& faults : wire->faults) {
        faults = draw_faults(prng, start_ns, traffic_ns);
    }
    wire->router = draw_stack(prng);
    wire->cables_pulled = prng.chance(1, 2) ? static_cast<uint32_t>(1 + prng.below(4)) : 0;
    wire->pulled_ns_max = prng.chance(1, 2) ? 10 * second_ns : second_ns;
    return wire;
}

std::string Wire::describe() const {
    const auto direction = [](const LinkFaults& f) {
        return fmt::format(
            "loss {} burst {} duplicate {} reorder {} corrupt {} truncate {} delay {}+{} ms "
            "mss {} rate {} blackouts {}",
            f.loss, f.burst_enter, f.duplicate, f.reorder, f.corrupt, f.truncate,
            f.delay_ns / millisecond_ns, f.jitter_ns / millisecond_ns, f.mss_max, f.bits_per_second,
            f.blackouts.size());
    };
    return fmt::format(
        "IPv{} mtu {} offload {}{}{} tso {}; out: {}; in: {}; buffers {} {}, timestamps {} sack {} "
        "scale "
        "{} cookies {}; cables {}",
        ipv6 ? 6 : 4, link.mtu, link.tx_ip_checksum, link.tx_tcp_checksum, link.rx_checksum,
        link.tso_bytes_max, direction(faults[0]), direction(faults[1]), router.send_buffer_bytes,
        router.receive_buffer_bytes, router.timestamps, router.sack, router.window_scale,
        router.half_open_max == 2, cables_pulled);
}

}  // namespace sy::sim
