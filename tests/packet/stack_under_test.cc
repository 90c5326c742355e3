#include "tests/packet/stack_under_test.h"

#include <charconv>
#include <string_view>

#include "io/tcpip/transport.h"

namespace sy::test {
namespace {

Result<uint64_t> number(std::string_view text) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return fail("not a number: '" + std::string(text) + "'");
    }
    return value;
}

Result<Nanos> duration(std::string_view text) {
    for (const auto& [unit, scale] : {std::pair<std::string_view, Nanos>{"ms", millisecond_ns},
                                      {"us", microsecond_ns},
                                      {"s", second_ns}}) {
        if (text.ends_with(unit)) {
            auto value = number(text.substr(0, text.size() - unit.size()));
            if (value) {
                return *value * scale;
            }
        }
    }
    return fail("not a duration with a unit: '" + std::string(text) + "'");
}

Result<bool> flag(std::string_view text) {
    if (text != "on" && text != "off") {
        return fail("neither on nor off: '" + std::string(text) + "'");
    }
    return text == "on";
}

template <class To, class From>
Result<void> set(To& to, Result<From> value) {
    if (!value) {
        return std::unexpected(std::move(value).error());
    }
    to = static_cast<To>(*value);
    return {};
}

Result<void> apply(const std::string& key, const std::string& value, tcpip::StackOptions& o) {
    if (key == "min_rto") {
        return set(o.rto_min_ns, duration(value));
    }
    if (key == "delayed_ack") {
        return set(o.delayed_ack_ns, duration(value));
    }
    if (key == "connect_timeout") {
        return set(o.connect_timeout_ns, duration(value));
    }
    if (key == "close_linger") {
        return set(o.close_linger_ns, duration(value));
    }
    if (key == "fin_wait") {
        return set(o.fin_wait_ns, duration(value));
    }
    if (key == "time_wait") {
        return set(o.time_wait_ns, duration(value));
    }
    if (key == "user_timeout") {
        return set(o.user_timeout_ns, duration(value));
    }
    if (key == "keepalive_idle") {
        return set(o.keepalive_idle_ns, duration(value));
    }
    if (key == "keepalive_interval") {
        return set(o.keepalive_interval_ns, duration(value));
    }
    if (key == "keepalive_probes") {
        return set(o.keepalive_probes, number(value));
    }
    if (key == "send_buffer") {
        return set(o.send_buffer_bytes, number(value));
    }
    if (key == "receive_buffer") {
        return set(o.receive_buffer_bytes, number(value));
    }
    if (key == "connections_max") {
        return set(o.connections_max, number(value));
    }
    if (key == "half_open_max") {
        return set(o.half_open_max, number(value));
    }
    if (key == "cookies_per_ms") {
        return set(o.cookies_per_ms, number(value));
    }
    if (key == "time_wait_max") {
        return set(o.time_wait_max, number(value));
    }
    if (key == "chunks") {
        return set(o.chunks, number(value));
    }
    if (key == "recoveries_max") {
        return set(o.recoveries_max, number(value));
    }
    if (key == "port_min") {
        return set(o.port_min, number(value));
    }
    if (key == "port_max") {
        return set(o.port_max, number(value));
    }
    if (key == "timestamps") {
        return set(o.timestamps, flag(value));
    }
    if (key == "window_scale") {
        return set(o.window_scale, flag(value));
    }
    if (key == "sack") {
        return set(o.sack, flag(value));
    }
    if (key == "fast_path") {
        return set(o.fast_path, flag(value));
    }
    return fail("no tunable '" + key + "'");
}

}  // namespace

Result<std::unique_ptr<Stack>> make_stack(tcpip::PacketPort& port, const StackSetup& setup) {
    tcpip::StackOptions options;
    options.interface.addresses = {{.address = setup.ipv4, .prefix_bits = 24},
                                   {.address = setup.ipv6, .prefix_bits = 64}};
    options.interface.duplicate_address_detection = false;
    options.secret = {setup.seed, ~setup.seed};
    // Small, so that a run is quick and its bounds are met.
    options.connections_max = 256;
    options.half_open_max = 64;
    options.time_wait_max = 256;
    options.chunks = 4096;
    options.recoveries_max = 64;
    for (const auto& [key, value] : setup.tunables) {
        if (auto applied = apply(key, value, options); !applied) {
            return fail(key + ": " + applied.error().text);
        }
    }
    return std::make_unique<StackOf<tcpip::TcpTransport>>(port, options);
}

}  // namespace sy::test
