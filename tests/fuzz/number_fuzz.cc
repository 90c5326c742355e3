// An address as a peer may send it. Input: TON, flags (plan), the digits.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/assert.h"
#include "core/number/key.h"
#include "core/number/normalise.h"

namespace {

using namespace sy;

number::NumberPlan plan_of(uint8_t flags) {
    constexpr const char* countries[] = {"", "44", "7", "1242"};
    constexpr const char* prefixes[] = {"0", "8", "", "06"};
    number::NumberPlan plan;
    plan.country_code = countries[flags & 3];
    plan.national_prefix = prefixes[(flags >> 2) & 3];
    plan.strip_00 = (flags & 16) == 0;
    plan.short_code_digits_max = (flags & 32) == 0 ? 8 : 0;
    return plan;
}

uint64_t slow_key(std::string_view digits) {
    uint64_t value = 0;
    for (size_t i = 0; i < limits::number_digits_max; ++i) {
        if (i < digits.size() && (digits[i] < '0' || digits[i] > '9')) {
            return number::Key::none;
        }
        value = value << 4 | (i < digits.size() ? static_cast<uint64_t>(digits[i] - '0') : 0xF);
    }
    return digits.empty() || digits.size() > limits::number_digits_max ? number::Key::none : value;
}

void check_usable(const number::Number& number, number::Outcome outcome) {
    const size_t digits_min = outcome == number::Outcome::e164 ? 7 : 3;
    SY_ASSERT(number.length >= digits_min);
    SY_ASSERT(number.length <= limits::number_digits_max);
    const number::Key key = number::key_of(number.view());
    SY_ASSERT(key.valid());
    std::array<char, limits::number_digits_max> digits{};
    SY_ASSERT(std::string_view(digits.data(), number::digits_of(key, digits)) == number.view());
    number::AddressBuffer buffer;
    smpp::Address written;
    number::NumberForm form;
    form.prefix = "+";
    SY_ASSERT(number::write_number(number, outcome, form, buffer, written));
    SY_ASSERT(written.digits.ends_with(number.view()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2) {
        return 0;
    }
    // A copy of the exact size: an address sanitizer then sees every octet read behind it.
    const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
    const number::NumberPlan plan = plan_of(data[1]);
    const smpp::Address address{data[0], 1, text};

    number::Number number;
    const number::Outcome outcome = number::normalise(address, plan, number);
    if (number::usable(outcome)) {
        check_usable(number, outcome);
    } else {
        SY_ASSERT(number.length == 0);
    }
    SY_ASSERT(number::key_of(text).value == slow_key(text));

    const number::SenderKind kind = number::classify_sender(address, plan);
    SY_ASSERT((kind == number::SenderKind::none) == (outcome == number::Outcome::empty));
    SY_ASSERT(number::sender_text(text).size() <= text.size());
    return 0;
}
