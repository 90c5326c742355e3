// How large a segment may be: by what the peer takes, what routers say of the path, and what does
// not get through without a word (RFC 9293 3.7.1; RFC 1191, 8201; RFC 2923, 4821).
#include <algorithm>
#include <span>

#include "io/tcpip/stack_inline.h"

namespace sy::tcpip {
namespace {

// The smallest MSS that is believed: below, headers would outweigh what they carry (RFC 9293 3.7.1
// sets no floor; Linux has 48).
constexpr uint16_t mss_min = 64;

// Time-outs in a row of full segments before their size is suspected (RFC 4821 7.6, RFC 2923 2.1).
constexpr uint8_t black_hole_timeouts = 2;
// MSS to fall back to: what fits nearly every tunnel, then the default of RFC 9293 3.7.1.
constexpr uint16_t black_hole_steps_v4[] = {1220, 536};
constexpr uint16_t black_hole_steps_v6[] = {1220};

}  // namespace

uint16_t Stack::default_mss(const IpAddress& remote) {
    return remote.is_ipv4() ? 536 : 1220;  // RFC 9293 3.7.1
}

/// RFC 9293 3.7.1: what the peer takes, what the path takes, less the options of every segment.
/// What the path made small is tried larger after the time that a path's MTU is believed (RFC 1191
/// 6.3, RFC 8899 5.1.1: 10 minutes); each further fall begins it anew.
void Stack::update_mss(Connection& c) {
    const bool ipv6 = !c.key.remote.is_ipv4();
    const uint32_t headers = (ipv6 ? ipv6::header_bytes : ipv4::header_bytes) + tcp::header_bytes;
    const uint32_t path = ip_.path_mtu(c.key.remote) - headers;
    const uint32_t peer = std::max(c.peer_mss, mss_min);
    const uint32_t mss = std::min({path, peer, uint32_t{c.black_hole_mss}});
    const uint16_t before = c.mss;
    c.mss = static_cast<uint16_t>(mss - (c.timestamps ? timestamps_bytes : 0));
    c.congestion.cwnd = std::max(c.congestion.cwnd, uint32_t{c.mss});
    if (mss == std::min<uint32_t>(peer, our_mss(c.key.remote))) {
        c.mss_retry_ns = no_deadline;
    } else if (c.mss < before || c.mss_retry_ns == no_deadline) {
        // Behind the end of what ip_ knows, which its tick of this turn still has to come to.
        c.mss_retry_ns = now_ns_ + PathMtu::lifetime_ns + second_ns;
    }
}

/// Full segments by what is known of the path now. Should they be lost again, as plain loss had not
/// been the reason, two time-outs later they are small for as long again.
void Stack::retry_mss(Connection& c) {
    c.mss_retry_ns = no_deadline;
    c.black_hole_mss = 0xFFFF;
    update_mss(c);
}

uint16_t Stack::our_mss(const IpAddress& remote) const {
    const uint32_t headers =
        (remote.is_ipv4() ? ipv4::header_bytes : ipv6::header_bytes) + tcp::header_bytes;
    return static_cast<uint16_t>(std::min<uint32_t>(port_.info().mtu - headers, 0xFFFF));
}

/// What was in flight in larger segments is lost: from the start again, without blaming congestion
/// (RFC 1191 6.5).
void Stack::path_mtu_fell(uint32_t slot) {
    Connection& c = connections_[slot];
    ++counters_.path_mtu_falls;
    update_mss(c);
    if (c.flight() > 0) {
        restart_from_una(c);
        queue_output(slot);
    }
}

/// Full segments that time out again and again may be too large for the path, whose routers do not
/// say so.
void Stack::suspect_black_hole(Connection& c) {
    if (c.backoffs + 1 < black_hole_timeouts || c.flight() < c.mss) {
        return;
    }
    const bool ipv4 = c.key.remote.is_ipv4();
    const std::span<const uint16_t> steps = ipv4 ? std::span<const uint16_t>(black_hole_steps_v4)
                                                 : std::span<const uint16_t>(black_hole_steps_v6);
    const uint32_t now = c.mss + (c.timestamps ? timestamps_bytes : 0);
    for (const uint16_t step : steps) {
        if (step < now) {
            c.black_hole_mss = step;
            ++counters_.black_holes;
            return;
        }
    }
}

}  // namespace sy::tcpip
