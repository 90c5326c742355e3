// NewReno congestion control of one connection: RFC 5681 and the response parts of RFC 6582 and
// 6675, with the initial window of RFC 6928, byte counting (RFC 3465) and a light form of the
// window validation of RFC 7661. A plain value; the caller detects loss and knows the flight size.
// All sizes in octets; mss is SMSS, not 0. One thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace sy::tcpip {

struct NewReno {
    // Above the largest window that can be announced (RFC 7323 2.3: less than 2^30).
    static constexpr uint32_t window_bytes_max = 1U << 30;

    uint32_t cwnd = 0;
    uint32_t ssthresh = window_bytes_max;  // RFC 5681 3.1: arbitrarily high
    uint32_t bytes_acked = 0;              // RFC 3465 2.1, congestion avoidance only
    bool after_rto = false;                // slow start after a timeout: L = 1

    /// RFC 6928 section 2: min(10 * MSS, max(2 * MSS, 14600)).
    [[nodiscard]] static constexpr uint32_t initial_window(uint32_t mss) {
        return std::min(10 * mss, std::max(2 * mss, 14600U));
    }

    /// The handshake is done. RFC 5681 3.1: one segment if SYN or SYN-ACK was lost.
    void start(uint32_t mss, bool syn_lost) { cwnd = syn_lost ? mss : initial_window(mss); }

    [[nodiscard]] bool in_slow_start() const { return cwnd < ssthresh; }

    /// New data was acknowledged outside of loss recovery. `flight_before`: octets in flight before
    /// this acknowledgement; `cwnd_limited`: since the last one, cwnd kept data back.
    [[gnu::always_inline]] void on_ack(uint32_t acked,
                                       uint32_t flight_before,
                                       bool cwnd_limited,
                                       uint32_t mss) {
        // RFC 7661 4.3 and 4.4.1: what is less than half used is not validated and does not grow.
        if (!cwnd_limited || flight_before < cwnd / 2) {
            return;
        }
        if (in_slow_start()) {
            // RFC 5681 3.1 (2) with RFC 3465 2.2 and 2.3: by what was acknowledged, at most L
            // segments; L = 2, after a timeout 1.
            grow(std::min(acked, after_rto ? mss : 2 * mss));
            after_rto = after_rto && in_slow_start();
            return;
        }
        // RFC 3465 2.1 (RFC 5681 3.1 recommends it): one segment for each window acknowledged.
        after_rto = false;
        bytes_acked = std::min(bytes_acked + std::min(acked, window_bytes_max), window_bytes_max);
        if (bytes_acked >= cwnd) {
            bytes_acked -= cwnd;
            grow(mss);
        }
    }

    /// Third duplicate ACK without SACK. RFC 5681 3.2 (2) and (3): equation (4), and the three
    /// segments that have left the network.
    void on_fast_retransmit(uint32_t flight, uint32_t mss) {
        on_sack_recovery(flight, mss);
        grow(3 * mss);
    }
    /// Loss found by the scoreboard. RFC 6675 5 (4.2): as above without the three segments, for
    /// pipe() counts them.
    void on_sack_recovery(uint32_t flight, uint32_t mss) {
        ssthresh = half_of(flight, mss);
        cwnd = ssthresh;
        bytes_acked = 0;
    }
    /// Each further duplicate ACK without SACK. RFC 5681 3.2 (4).
    void on_duplicate_ack(uint32_t mss) { grow(mss); }
    /// ACK below the recovery point, without SACK. RFC 6582 3.2 (3), partial acknowledgement:
    /// deflate by what was acknowledged, and add one segment back if it was at least one.
    void on_partial_ack(uint32_t acked, uint32_t mss) {
        cwnd -= std::min(acked, cwnd);
        if (acked >= mss) {
            grow(mss);
        }
        cwnd = std::max(cwnd, mss);
    }
    /// ACK of the recovery point. RFC 6582 3.2 (3), full acknowledgement, option 1:
    /// min(ssthresh, max(FlightSize, SMSS) + SMSS), so that no burst follows.
    void on_recovery_exit(uint32_t flight, uint32_t mss) {
        cwnd = std::min(ssthresh, std::max(std::min(flight, window_bytes_max), mss) + mss);
        bytes_acked = 0;
    }
    /// The retransmission timer fired. RFC 5681 3.1: equation (4), but when it fires again for the
    /// same segment ssthresh stays; cwnd is the loss window, one segment.
    void on_rto(uint32_t flight, uint32_t mss, bool again = false) {
        if (!again) {
            ssthresh = half_of(flight, mss);
        }
        cwnd = mss;
        bytes_acked = 0;
        after_rto = true;
    }
    /// Nothing was sent for longer than one timeout. RFC 5681 4.1: the restart window.
    void on_idle(uint32_t mss) { cwnd = std::min(cwnd, initial_window(mss)); }

  private:
    void grow(uint32_t bytes) { cwnd = std::min(cwnd + bytes, window_bytes_max); }
    // RFC 5681 equation (4).
    [[nodiscard]] static uint32_t half_of(uint32_t flight, uint32_t mss) {
        return std::min(std::max(flight / 2, 2 * mss), window_bytes_max);
    }
};
static_assert(sizeof(NewReno) == 16);

}  // namespace sy::tcpip
