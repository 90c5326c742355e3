// Round-trip time and retransmission timeout of one connection (RFC 6298). A value; one thread.
// Karn's rule (no samples from retransmitted octets) is the caller's.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/time.h"

namespace sy::tcpip {

class RttEstimator {
  public:
    static constexpr Nanos initial_rto_ns = second_ns;       // RFC 6298 (2.1)
    static constexpr Nanos syn_lost_rto_ns = 3 * second_ns;  // (5.7)
    static constexpr Nanos rto_ns_max = 60 * second_ns;      // (2.5)
    static constexpr Nanos granularity_ns = millisecond_ns;  // G: the timer wheel's tick
    static constexpr Nanos default_rto_ns_min = 200 * millisecond_ns;

    /// (2.4) says 1 s; 200 ms is what the big stacks use. At most rto_ns_max.
    explicit RttEstimator(Nanos rto_ns_min = default_rto_ns_min)
        : rto_us_min_(static_cast<uint32_t>(std::min(rto_ns_min, rto_ns_max) / microsecond_ns)) {}

    /// A measured round trip. Ends the backing off (section 5, last paragraph).
    [[gnu::always_inline]] void sample(Nanos rtt_ns) {
        const Nanos r = std::clamp<Nanos>(rtt_ns, 1, rtt_ns_max);
        if (srtt_ns_ == 0) {  // (2.2)
            srtt_ns_ = r;
            rttvar_ns_ = r / 2;
        } else {  // (2.3), beta = 1/4, alpha = 1/8; RTTVAR first
            // No branch: which of the two is larger cannot be guessed.
            const Nanos error = std::max(srtt_ns_, r) - std::min(srtt_ns_, r);
            rttvar_ns_ = (3 * rttvar_ns_ + error) / 4;
            srtt_ns_ = std::max<Nanos>((7 * srtt_ns_ + r) / 8, 1);
        }
        backoff_ = 0;
    }

    /// The current timeout, backed off. RTTVAR shrinks to nothing where round trips take
    /// microseconds; G keeps the timeout a tick above SRTT even with a minimum of 0.
    [[nodiscard]] Nanos rto() const { return std::min(unbacked() << backoff_, rto_ns_max); }
    /// (5.5): doubles the timeout, up to the maximum.
    void back_off() {
        if (backoff_ < backoff_max && rto() < rto_ns_max) {
            ++backoff_;
        }
    }
    void reset_back_off() { backoff_ = 0; }
    /// (5.7): the handshake needed its timer; until there is a sample, the timeout is 3 s.
    void syn_lost() {
        syn_lost_ = true;
        backoff_ = 0;
    }

    /// 0: no sample yet.
    [[nodiscard]] Nanos srtt() const { return srtt_ns_; }
    [[nodiscard]] Nanos rttvar() const { return rttvar_ns_; }
    [[nodiscard]] bool has_sample() const { return srtt_ns_ != 0; }
    [[nodiscard]] uint32_t backoffs() const { return backoff_; }

  private:
    static constexpr uint8_t backoff_max = 16;            // 1 ms << 16 is above the maximum
    static constexpr Nanos rtt_ns_max = 300 * second_ns;  // keeps the arithmetic far from overflow

    [[nodiscard]] Nanos unbacked() const {
        if (srtt_ns_ == 0) {
            return syn_lost_ ? syn_lost_rto_ns : initial_rto_ns;
        }
        const Nanos raw = srtt_ns_ + std::max(granularity_ns, 4 * rttvar_ns_);
        return std::clamp(raw, Nanos{rto_us_min_} * microsecond_ns, rto_ns_max);
    }

    Nanos srtt_ns_ = 0;
    Nanos rttvar_ns_ = 0;
    uint32_t rto_us_min_;
    uint8_t backoff_ = 0;
    bool syn_lost_ = false;
};
static_assert(sizeof(RttEstimator) == 24);

}  // namespace sy::tcpip
