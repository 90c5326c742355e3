// Message ids to one form: string work, and a little arithmetic of any length, because ids of 22
// decimal or 32 hexadecimal digits are common and no machine word holds them.
#include <algorithm>
#include <array>
#include <cstdint>

#include "core/base/assert.h"
#include "core/smpp/field_limits.h"
#include "core/smpp/receipt.h"

namespace sy::smpp {

namespace {

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool is_decimal(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_hex(char c) {
    return is_decimal(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}
constexpr uint32_t digit_value(char c) {
    return static_cast<uint32_t>(is_decimal(c) ? c - '0' : lower(c) - 'a' + 10);
}

/// A number of up to 256 bits: 64 hexadecimal digits are exactly that, 64 decimal ones are fewer.
class Number {
  public:
    /// value = value * Base + digit. REQUIRES: the result fits.
    template <uint32_t Base>
    void append(uint32_t digit) {
        uint64_t carry = digit;
        for (uint32_t i = 0; i < used_; ++i) {
            carry += uint64_t{limbs_[i]} * Base;
            limbs_[i] = static_cast<uint32_t>(carry);
            carry >>= 32;
        }
        if (carry != 0) {
            SY_ASSERT(used_ < limbs_.size());
            limbs_[used_++] = static_cast<uint32_t>(carry);
        }
    }
    /// value = value / Base; the remainder. The base is a constant so that no division is left.
    template <uint32_t Base>
    uint32_t take_digit() {
        uint64_t remainder = 0;
        for (uint32_t i = used_; i > 0; --i) {
            remainder = remainder << 32 | limbs_[i - 1];
            limbs_[i - 1] = static_cast<uint32_t>(remainder / Base);
            remainder %= Base;
        }
        while (used_ > 0 && limbs_[used_ - 1] == 0) {
            --used_;
        }
        return static_cast<uint32_t>(remainder);
    }
    [[nodiscard]] bool is_zero() const { return used_ == 0; }

  private:
    std::array<uint32_t, 8> limbs_{};  // least significant first
    uint32_t used_ = 0;
};

/// The digits of `number` in another base, without leading zeros. REQUIRES: only digits of base
/// `From`, at most 64.
template <uint32_t From, uint32_t To>
void convert(std::string_view digits, NormalisedId& out) {
    Number number;
    for (const char c : digits) {
        number.append<From>(digit_value(c));
    }
    size_t length = 0;
    do {
        SY_ASSERT(length < out.chars.size());
        out.chars[length++] = "0123456789abcdef"[number.take_digit<To>()];
    } while (!number.is_zero());
    std::reverse(out.chars.begin(), out.chars.begin() + static_cast<std::ptrdiff_t>(length));
    out.length = static_cast<uint8_t>(length);
}

}  // namespace

void normalise_message_id(std::string_view id, IdConversion conversion, NormalisedId& out) {
    static_assert(message_id_octets_max <= 64);
    out.length = 0;
    while (!id.empty() && id.front() == ' ') {
        id.remove_prefix(1);
    }
    while (!id.empty() && id.back() == ' ') {
        id.remove_suffix(1);
    }
    if (id.empty() || id.size() > message_id_octets_max) {
        return;
    }
    const bool hex = std::all_of(id.begin(), id.end(), is_hex);
    const bool decimal = hex && std::all_of(id.begin(), id.end(), is_decimal);
    if (hex) {
        id.remove_prefix(std::min(id.find_first_not_of('0'), id.size() - 1));
    }
    if (conversion == IdConversion::hex_to_decimal && hex) {
        return convert<16, 10>(id, out);
    }
    if (conversion == IdConversion::decimal_to_hex && decimal) {
        return convert<10, 16>(id, out);
    }
    std::transform(id.begin(), id.end(), out.chars.begin(), lower);
    out.length = static_cast<uint8_t>(id.size());
}

}  // namespace sy::smpp
