#include "core/number/key.h"

#include <string>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::number {
namespace {

// The slow obvious model.
uint64_t model_key(std::string_view digits) {
    if (digits.empty() || digits.size() > 15) {
        return Key::none;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < 15; ++i) {
        uint64_t nibble = 0xF;
        if (i < digits.size()) {
            if (digits[i] < '0' || digits[i] > '9') {
                return Key::none;
            }
            nibble = static_cast<uint64_t>(digits[i] - '0');
        }
        value = value << 4 | nibble;
    }
    return value;
}

std::string random_digits(Prng& prng, uint64_t length) {
    std::string digits;
    while (digits.size() < length) {
        digits += static_cast<char>('0' + prng.below(10));
    }
    return digits;
}

TEST(NumberKey, ExampleByHand) {
    EXPECT_EQ(key_of("447700900123").value, 0x447700900123FFFu);
    EXPECT_EQ(key_of("1").value, 0x1FFFFFFFFFFFFFFu);
    EXPECT_EQ(key_of("123456789012345").value, 0x123456789012345u);
}

TEST(NumberKey, RefusesEmptyTooLongAndNoDigits) {
    for (const char* text :
         {"", "1234567890123456", "+44", "44 ", "4a", "12345678/", "12345678:"}) {
        EXPECT_FALSE(key_of(text).valid()) << text;
    }
}

TEST(NumberKey, EveryOctetValueInEveryPlaceAgreesWithTheModel) {
    for (size_t length = 1; length <= 15; ++length) {
        for (size_t place = 0; place < length; ++place) {
            for (unsigned octet = 0; octet < 256; ++octet) {
                std::string digits(length, '9');
                digits[place] = static_cast<char>(octet);
                ASSERT_EQ(key_of(digits).value, model_key(digits))
                    << length << ' ' << place << ' ' << octet;
            }
        }
    }
}

TEST(NumberKey, RandomNumbersAgreeWithTheModelAndComeBack) {
    Prng prng(1);
    for (int round = 0; round < 200'000; ++round) {
        std::string digits = random_digits(prng, prng.below(18));
        if (!digits.empty() && prng.chance(1, 10)) {
            digits[prng.below(digits.size())] = static_cast<char>(prng.below(256));
        }
        const Key key = key_of(digits);
        ASSERT_EQ(key.value, model_key(digits)) << digits;
        if (key.valid()) {
            std::array<char, limits::number_digits_max> back{};
            ASSERT_EQ(std::string(back.data(), digits_of(key, back)), digits);
        }
    }
}

TEST(NumberKey, PrefixIsTheIntervalOfItsNumbers) {
    Prng prng(2);
    for (int round = 0; round < 200'000; ++round) {
        const std::string prefix = random_digits(prng, 1 + prng.below(6));
        // Half of the numbers share most of the prefix, so that both answers occur.
        std::string number = random_digits(prng, 1 + prng.below(15));
        if (prng.chance(1, 2)) {
            number = (prefix + number).substr(0, 15);
        }
        const Key key = key_of(number);
        const bool inside = prefix_first(prefix) <= key && key <= prefix_last(prefix);
        ASSERT_EQ(inside, number.starts_with(prefix)) << prefix << ' ' << number;
    }
}

}  // namespace
}  // namespace sy::number
