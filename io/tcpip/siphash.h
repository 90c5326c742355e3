// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash that a peer without the key can neither
// predict nor steer. For initial sequence numbers (RFC 6528), SYN cookies (RFC 4987 3.6) and source
// ports (RFC 6056 3.3.3). The tables of the stack use the cheaper flow_hash(). Pure functions.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "core/base/bytes.h"
#include "io/tcpip/address.h"

namespace sy::tcpip {

/// 128 secret bits; `low` is the first eight octets of the paper's key, little-endian.
struct SipKey {
    uint64_t low = 0;
    uint64_t high = 0;
};

/// The four words of state and their round, for messages that are not one span.
class SipState {
  public:
    explicit constexpr SipState(const SipKey& key)
        : v0_(key.low ^ 0x736f6d6570736575U),
          v1_(key.high ^ 0x646f72616e646f6dU),
          v2_(key.low ^ 0x6c7967656e657261U),
          v3_(key.high ^ 0x7465646279746573U) {}

    /// Takes eight octets, little-endian.
    constexpr void word(uint64_t value) {
        v3_ ^= value;
        round();
        round();
        v0_ ^= value;
    }
    /// `last`: the message's last 0 to 7 octets, its length modulo 256 in the highest octet.
    [[nodiscard]] constexpr uint64_t finish(uint64_t last) {
        word(last);
        v2_ ^= 0xff;
        for (int i = 0; i < 4; ++i) {
            round();
        }
        return v0_ ^ v1_ ^ v2_ ^ v3_;
    }

  private:
    constexpr void round() {
        v0_ += v1_;
        v2_ += v3_;
        v1_ = std::rotl(v1_, 13) ^ v0_;
        v3_ = std::rotl(v3_, 16) ^ v2_;
        v0_ = std::rotl(v0_, 32);
        v2_ += v1_;
        v0_ += v3_;
        v1_ = std::rotl(v1_, 17) ^ v2_;
        v3_ = std::rotl(v3_, 21) ^ v0_;
        v2_ = std::rotl(v2_, 32);
    }

    uint64_t v0_;
    uint64_t v1_;
    uint64_t v2_;
    uint64_t v3_;
};

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

[[nodiscard]] inline uint64_t siphash(const SipKey& key, Octets message) {
    SipState state(key);
    const size_t whole = message.size() / 8 * 8;
    for (size_t at = 0; at < whole; at += 8) {
        uint64_t word = 0;
        std::memcpy(&word, message.data() + at, 8);
        state.word(word);
    }
    uint64_t last = uint64_t{message.size() & 0xff} << 56;
    for (size_t at = whole; at < message.size(); ++at) {
        last |= uint64_t{message[at]} << (8 * (at - whole));
    }
    return state.finish(last);
}

/// The same over the 44 octets: remote address, local address, `extra` (8 octets, little-endian),
/// remote port, local port (2 each, little-endian).
[[nodiscard]] inline uint64_t siphash(const SipKey& key, const FlowKey& flow, uint64_t extra) {
    uint64_t words[4];
    std::memcpy(words, flow.remote.octets.data(), 16);
    std::memcpy(words + 2, flow.local.octets.data(), 16);
    SipState state(key);
    for (const uint64_t word : words) {
        state.word(word);
    }
    state.word(extra);
    return state.finish(uint64_t{44} << 56 | uint64_t{flow.local_port} << 16 | flow.remote_port);
}

}  // namespace sy::tcpip
