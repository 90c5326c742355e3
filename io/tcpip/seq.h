// TCP sequence numbers: 32 bits that wrap, compared by signed distance (RFC 9293 section 3.4).
#pragma once

#include <cstdint>

namespace sy::tcpip {

struct Seq {
    uint32_t value = 0;

    friend constexpr bool operator==(Seq, Seq) = default;
    friend constexpr Seq operator+(Seq a, uint32_t n) { return {a.value + n}; }
    friend constexpr Seq operator-(Seq a, uint32_t n) { return {a.value - n}; }
    /// Distance from b to a; REQUIRES: a is at or after b, within 2^31.
    friend constexpr uint32_t operator-(Seq a, Seq b) { return a.value - b.value; }
    constexpr Seq& operator+=(uint32_t n) {
        value += n;
        return *this;
    }
    friend constexpr bool operator<(Seq a, Seq b) {
        return static_cast<int32_t>(a.value - b.value) < 0;
    }
    friend constexpr bool operator>(Seq a, Seq b) { return b < a; }
    friend constexpr bool operator<=(Seq a, Seq b) { return !(b < a); }
    friend constexpr bool operator>=(Seq a, Seq b) { return !(a < b); }
};

[[nodiscard]] constexpr Seq later(Seq a, Seq b) {
    return a < b ? b : a;
}
[[nodiscard]] constexpr Seq earlier(Seq a, Seq b) {
    return a < b ? a : b;
}

}  // namespace sy::tcpip
