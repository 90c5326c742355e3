// The fields that the store's keys and values are made of: big-endian integers, so that keys sort
// by them, and texts behind one octet of length. What is read is not trusted. Pure; any thread.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace sy::store {

inline void append(std::string& to, uint64_t value) {
    std::array<uint8_t, sizeof value> octets;
    store_be(octets.data(), value);
    to.append(as_chars(octets));
}

/// Reads what ByteWriter wrote; the first thing that is missing makes all else empty.
class FieldReader {
  public:
    explicit FieldReader(std::string_view from) : from_(as_octets(from)) {}

    template <std::unsigned_integral T>
    T integer() {
        const Octets octets = take(sizeof(T));
        return octets.empty() ? T{0} : load_be<T>(octets.data());
    }
    std::string_view text() { return chars(integer<uint8_t>()); }
    std::string_view chars(size_t count) { return as_chars(take(count)); }
    Octets rest() { return take(from_.size()); }
    [[nodiscard]] bool is_whole() const { return !short_ && from_.empty(); }
    [[nodiscard]] bool is_short() const { return short_; }

  private:
    Octets take(size_t count) {
        if (count > from_.size()) {
            short_ = true;
            from_ = {};
            return {};
        }
        const Octets out = from_.first(count);
        from_ = from_.subspan(count);
        return out;
    }

    Octets from_;
    bool short_ = false;
};

inline void write_text(ByteWriter& out, std::string_view text) {
    out.integer(static_cast<uint8_t>(text.size()));
    out.octets(as_octets(text));
}

}  // namespace sy::store
