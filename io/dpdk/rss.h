// Which worker gets a flow's frames: receive-side scaling as NICs do it (Toeplitz hash of the
// four-tuple as the remote side sends it, then a table of queues), computed here from the key and
// the table that a port was asked for, or from our own where the workers spread frames themselves.
//
// Source: Microsoft, "Receive Side Scaling: RSS Hashing Functions" and its verification suite.
// Cost: 12 (IPv4) or 36 (IPv6) loads from a table of 256 entries an octet; 3 cycles for IPv4
// against 129 of rte_softrss bit by bit (Zen 4). The table is 36 KiB, of which IPv4 uses 12.
// Immutable once built; any thread may ask. No rte_* type here.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/assert.h"
#include "io/tcpip/address.h"

namespace sy::dpdk {

inline constexpr uint32_t rss_input_bytes_max = 36;  // two IPv6 addresses, two ports
inline constexpr uint32_t rss_key_bytes_min = rss_input_bytes_max + 4;

/// Our own key: 0x6d5a over and over. It hashes both directions of a flow alike (Woo and Park,
/// "Scalable TCP Session Monitoring with Symmetric Receive-side Scaling").
using RssKey = std::array<uint8_t, rss_key_bytes_min>;
[[nodiscard]] RssKey own_rss_key();

class Toeplitz {
  public:
    /// REQUIRES: at least rss_key_bytes_min octets.
    explicit Toeplitz(std::span<const uint8_t> key);

    /// Of the frames that the remote side sends: source is `flow.remote`.
    [[nodiscard]] uint32_t hash(const tcpip::FlowKey& flow) const {
        uint32_t out = 0;
        uint32_t row = 0;
        const auto take = [&](const uint8_t* octets, uint32_t count) {
            for (uint32_t i = 0; i < count; ++i) {
                out ^= table_[row++][octets[i]];
            }
        };
        if (flow.remote.is_ipv4()) {
            take(flow.remote.ipv4(), 4);
            take(flow.local.ipv4(), 4);
        } else {
            take(flow.remote.octets.data(), 16);
            take(flow.local.octets.data(), 16);
        }
        const uint8_t ports[4] = {
            static_cast<uint8_t>(flow.remote_port >> 8), static_cast<uint8_t>(flow.remote_port),
            static_cast<uint8_t>(flow.local_port >> 8), static_cast<uint8_t>(flow.local_port)};
        take(ports, 4);
        return out;
    }

  private:
    std::array<std::array<uint32_t, 256>, rss_input_bytes_max> table_{};
};

/// Hash and indirection table (RETA) together.
class QueueMap {
  public:
    /// REQUIRES: a key as for Toeplitz; `reta` not empty: the queue of each hash modulo its size,
    /// which is a power of two with most devices and need not be.
    QueueMap(std::span<const uint8_t> key, std::vector<uint16_t> reta)
        : toeplitz_(key), reta_(std::move(reta)) {
        SY_ASSERT(!reta_.empty());
    }

    /// Our own: `queues` shares of a table that is even to 1 %. REQUIRES: queues > 0.
    [[nodiscard]] static QueueMap make_own(uint32_t queues);

    [[nodiscard]] uint16_t queue_of(const tcpip::FlowKey& flow) const {
        return reta_[toeplitz_.hash(flow) % reta_.size()];
    }
    [[nodiscard]] const std::vector<uint16_t>& reta() const { return reta_; }

  private:
    Toeplitz toeplitz_;
    std::vector<uint16_t> reta_;
};

}  // namespace sy::dpdk
