// TCP options on the wire: parse (never past the end, stops at nonsense) and build. RFC 9293
// section 3.2, RFC 7323 (window scale, timestamps), RFC 2018 (SACK). Any thread.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/bytes.h"
#include "io/tcpip/sack.h"
#include "io/tcpip/seq.h"
#include "io/tcpip/wire.h"

namespace sy::tcpip {

inline constexpr uint32_t sack_blocks_max = 4;  // 40 octets of options hold no more

struct TcpOptions {
    uint16_t mss = 0;          // 0: not given
    uint8_t window_scale = 0;  // at most 14 (RFC 7323 2.3)
    bool has_window_scale = false;
    bool sack_permitted = false;
    bool has_timestamps = false;
    uint32_t timestamp = 0;
    uint32_t echo = 0;
    uint8_t sack_count = 0;
    SackBlock sack[sack_blocks_max];
};

/// An option of length 0 or 1, or one that runs past the end, ends the reading: what came before it
/// counts. Unknown options are skipped.
void parse_tcp_options(Octets octets, TcpOptions& out);

/// What Linux and most others send with every segment of a connection that uses timestamps: NOP,
/// NOP, kind 8, length 10. Appendix A of RFC 7323 recommends it.
inline constexpr uint32_t timestamps_prefix = 0x0101080A;
inline constexpr uint32_t timestamps_bytes = 12;

/// True, and the two values, when the options are exactly that.
[[nodiscard]] inline bool only_timestamps(const uint8_t* options,
                                          uint32_t bytes,
                                          uint32_t& timestamp,
                                          uint32_t& echo) {
    if (bytes != timestamps_bytes || load_be<uint32_t>(options) != timestamps_prefix) {
        return false;
    }
    timestamp = load_be<uint32_t>(options + 4);
    echo = load_be<uint32_t>(options + 8);
    return true;
}

/// Writes exactly that and returns its sum.
inline uint64_t put_timestamps(uint8_t* to, uint32_t timestamp, uint32_t echo) {
    return store_and_sum(to, timestamps_prefix) + store_and_sum(to + 4, timestamp) +
           store_and_sum(to + 8, echo);
}

/// Writes the options of a SYN or SYN-ACK; a multiple of 4 octets, at most 40. Returns how many.
uint32_t build_syn_options(uint8_t* to, const TcpOptions& options);

/// Timestamps and as many SACK blocks as fit, each led by two NOPs. Returns the octets written.
uint32_t build_options(uint8_t* to, const TcpOptions& options);

}  // namespace sy::tcpip
