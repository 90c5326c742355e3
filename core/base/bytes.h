// Big-endian reads and writes, and bounds-checked cursors over octets. No allocation, no ownership.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "core/base/assert.h"

namespace sy {

using Octets = std::span<const uint8_t>;

template <std::unsigned_integral T>
[[nodiscard]] inline T load_be(const uint8_t* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    if constexpr (sizeof(T) == 2) {
        value = static_cast<T>(__builtin_bswap16(value));
    } else if constexpr (sizeof(T) == 4) {
        value = __builtin_bswap32(value);
    } else if constexpr (sizeof(T) == 8) {
        value = __builtin_bswap64(value);
    }
    return value;
}

template <std::unsigned_integral T>
inline void store_be(uint8_t* to, T value) {
    value = load_be<T>(reinterpret_cast<const uint8_t*>(&value));
    std::memcpy(to, &value, sizeof value);
}

[[nodiscard]] inline std::string_view as_chars(Octets octets) {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}
[[nodiscard]] inline Octets as_octets(std::string_view chars) {
    return {reinterpret_cast<const uint8_t*>(chars.data()), chars.size()};
}

/// Cursor for encoding into a fixed buffer. Writing past the end sets overflow() and writes
/// nothing, so an encoder checks once, at its end.
class ByteWriter {
  public:
    explicit ByteWriter(std::span<uint8_t> out) : out_(out) {}

    template <std::unsigned_integral T>
    void integer(T value) {
        if (uint8_t* to = claim(sizeof(T))) {
            store_be(to, value);
        }
    }
    void octets(Octets value) {
        if (uint8_t* to = claim(value.size()); to != nullptr && !value.empty()) {
            std::memcpy(to, value.data(), value.size());
        }
    }
    /// A C-Octet String: the characters and one NUL.
    void c_string(std::string_view value) {
        octets(as_octets(value));
        integer(uint8_t{0});
    }
    void tlv(uint16_t tag, Octets value) {
        integer(tag);
        integer(static_cast<uint16_t>(value.size()));
        octets(value);
    }

    [[nodiscard]] bool overflow() const { return overflow_; }
    [[nodiscard]] size_t written() const { return at_; }
    [[nodiscard]] std::span<uint8_t> buffer() const { return out_; }

  private:
    uint8_t* claim(size_t count) {
        if (count > out_.size() - at_) {
            overflow_ = true;
            return nullptr;
        }
        uint8_t* to = out_.data() + at_;
        at_ += count;
        return to;
    }

    std::span<uint8_t> out_;
    size_t at_ = 0;
    bool overflow_ = false;
};

}  // namespace sy
