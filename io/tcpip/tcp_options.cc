#include "io/tcpip/tcp_options.h"

#include <algorithm>

namespace sy::tcpip {
namespace {

enum Kind : uint8_t {
    end_of_list = 0,
    no_operation = 1,
    maximum_segment_size = 2,
    window_scale = 3,
    sack_permitted = 4,
    sack = 5,
    timestamps = 8,
};

constexpr uint8_t window_scale_max = 14;

void read_sack(const uint8_t* value, uint32_t bytes, TcpOptions& out) {
    if (bytes % 8 != 0) {
        return;
    }
    out.sack_count = static_cast<uint8_t>(std::min(bytes / 8, sack_blocks_max));
    for (uint32_t i = 0; i < out.sack_count; ++i) {
        out.sack[i] = {.begin = {load_be<uint32_t>(value + 8 * i)},
                       .end = {load_be<uint32_t>(value + 8 * i + 4)}};
    }
}

void read_option(uint8_t kind, const uint8_t* value, uint32_t bytes, TcpOptions& out) {
    switch (kind) {
        case maximum_segment_size:
            if (bytes == 2) {
                out.mss = load_be<uint16_t>(value);
            }
            break;
        case window_scale:
            if (bytes == 1) {
                out.has_window_scale = true;
                out.window_scale = std::min(value[0], window_scale_max);
            }
            break;
        case sack_permitted:
            out.sack_permitted = out.sack_permitted || bytes == 0;
            break;
        case sack:
            read_sack(value, bytes, out);
            break;
        case timestamps:
            if (bytes == 8) {
                out.has_timestamps = true;
                out.timestamp = load_be<uint32_t>(value);
                out.echo = load_be<uint32_t>(value + 4);
            }
            break;
        default:
            break;
    }
}

}  // namespace

void parse_tcp_options(Octets octets, TcpOptions& out) {
    out = {};
    size_t at = 0;
    while (at < octets.size() && octets[at] != end_of_list) {
        if (octets[at] == no_operation) {
            ++at;
            continue;
        }
        if (octets.size() - at < 2 || octets[at + 1] < 2 || octets[at + 1] > octets.size() - at) {
            return;
        }
        const uint32_t bytes = octets[at + 1];
        read_option(octets[at], octets.data() + at + 2, bytes - 2, out);
        at += bytes;
    }
}

uint32_t build_syn_options(uint8_t* to, const TcpOptions& options) {
    store_be(to, static_cast<uint32_t>(maximum_segment_size << 24 | 4 << 16 | options.mss));
    uint32_t at = 4;
    if (options.has_timestamps) {
        (void)put_timestamps(to + at, options.timestamp, options.echo);
        at += timestamps_bytes;
        if (options.sack_permitted) {
            // In place of the two NOPs, as everybody does.
            store_be(to + at - timestamps_bytes, static_cast<uint16_t>(sack_permitted << 8 | 2));
        }
    } else if (options.sack_permitted) {
        store_be(to + at, static_cast<uint32_t>(0x01010000U | sack_permitted << 8 | 2));
        at += 4;
    }
    if (options.has_window_scale) {
        store_be(to + at, static_cast<uint32_t>(0x01000000U | window_scale << 16 | 3 << 8 |
                                                options.window_scale));
        at += 4;
    }
    return at;
}

uint32_t build_options(uint8_t* to, const TcpOptions& options) {
    uint32_t at = 0;
    if (options.has_timestamps) {
        (void)put_timestamps(to, options.timestamp, options.echo);
        at += timestamps_bytes;
    }
    const uint32_t fits = (40 - at - 4) / 8;
    const uint32_t blocks = std::min<uint32_t>(options.sack_count, fits);
    if (blocks > 0) {
        store_be(to + at, static_cast<uint32_t>(0x01010000U | sack << 8 | (2 + 8 * blocks)));
        at += 4;
        for (uint32_t i = 0; i < blocks; ++i, at += 8) {
            store_be(to + at, options.sack[i].begin.value);
            store_be(to + at + 4, options.sack[i].end.value);
        }
    }
    return at;
}

}  // namespace sy::tcpip
