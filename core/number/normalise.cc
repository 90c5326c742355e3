#include "core/number/normalise.h"

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"

namespace sy::number {
namespace {

// SMPP 3.4 section 5.2.5.
constexpr uint8_t ton_international = 1;
constexpr uint8_t ton_national = 2;
constexpr uint8_t ton_alphanumeric = 5;

constexpr size_t e164_digits_min = 7;
constexpr size_t short_code_digits_min = 3;

// Whether the eight octets at `at` are digits: 3 in the high half, and adding 6 stays below 0x40.
bool eight_digits(const char* at) {
    constexpr uint64_t high = 0xF0F0F0F0F0F0F0F0;
    constexpr uint64_t three = 0x3030303030303030;
    constexpr uint64_t six = 0x0606060606060606;
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return (((word ^ three) | ((word + six) ^ three)) & high) == 0;
}

bool all_digits(std::string_view text) {
    if (text.size() >= 8 && text.size() <= 16) [[likely]] {  // two words that may overlap
        return eight_digits(text.data()) && eight_digits(text.data() + text.size() - 8);
    }
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view trimmed(std::string_view text) {
    if (!text.empty() && text.front() != ' ' && text.back() != ' ') [[likely]] {
        return text;
    }
    const size_t first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// Takes `prefix` off the front of `text` if it is there and not all of it.
bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (prefix.empty() || text.size() <= prefix.size() || text.front() != prefix.front() ||
        !text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

// Removes '+' or 00; true if either was there: what follows is international.
bool take_international_mark(std::string_view& digits, bool strip_00) {
    return take_prefix(digits, "+") || (strip_00 && take_prefix(digits, "00"));
}

Outcome store(std::string_view country_code, std::string_view digits, Number& out) {
    const size_t length = country_code.size() + digits.size();
    if (length > limits::number_digits_max) {
        return Outcome::too_long;
    }
    if (length < e164_digits_min) {
        return Outcome::too_short;
    }
    out.digits.fill('\0');
    char* end = out.digits.data();
    if (!country_code.empty()) {
        end += country_code.copy(end, country_code.size());
    }
    digits.copy(end, digits.size());
    out.length = static_cast<uint8_t>(length);
    return Outcome::e164;
}

Outcome store_short_code(std::string_view digits, Number& out) {
    if (digits.size() < short_code_digits_min) {
        return Outcome::too_short;
    }
    out.digits.fill('\0');
    digits.copy(out.digits.data(), digits.size());
    out.length = static_cast<uint8_t>(digits.size());
    return Outcome::short_code;
}

// A number of the default country, written with the national prefix or said to be national by TON.
// too_short where the plan has no country, where nothing says national, or where no number of
// E.164 length comes out of it: the digits may still be something else (0800 a short code).
Outcome as_national(std::string_view digits, uint8_t ton, const NumberPlan& plan, Number& out) {
    if (plan.country_code.empty()) {
        return Outcome::too_short;
    }
    const bool may_be_prefix = ton != ton_international || digits.front() == '0';
    const bool had_prefix = may_be_prefix && take_prefix(digits, plan.national_prefix);
    return had_prefix || ton == ton_national ? store(plan.country_code, digits, out)
                                             : Outcome::too_short;
}

}  // namespace

Outcome normalise(const smpp::Address& address, const NumberPlan& plan, Number& out) {
    std::string_view digits = trimmed(address.digits);
    if (digits.empty()) {
        return Outcome::empty;
    }
    const bool marked = take_international_mark(digits, plan.strip_00);
    if (!all_digits(digits)) {
        return Outcome::not_digits;
    }
    if (marked) {
        return store({}, digits, out);
    }
    const Outcome national = as_national(digits, address.ton, plan, out);
    if (national != Outcome::too_short) {
        return national;
    }
    const size_t short_digits_max =
        address.ton == ton_international
            ? std::min<size_t>(plan.short_code_digits_max, e164_digits_min - 1)
            : plan.short_code_digits_max;
    return digits.size() <= short_digits_max ? store_short_code(digits, out)
                                             : store({}, digits, out);
}

SenderKind classify_sender(const smpp::Address& sender, const NumberPlan& plan) {
    std::string_view digits = trimmed(sender.digits);
    if (digits.empty()) {
        return SenderKind::none;
    }
    const bool marked = take_international_mark(digits, plan.strip_00);
    if (sender.ton == ton_alphanumeric || !all_digits(digits)) {
        return SenderKind::alpha;
    }
    const bool international =
        marked || (sender.ton == ton_international && digits.size() >= e164_digits_min);
    return !international && digits.size() <= plan.short_code_digits_max ? SenderKind::short_code
                                                                         : SenderKind::long_number;
}

std::string_view sender_text(std::string_view sender) {
    const std::string_view text = trimmed(sender);
    std::string_view digits = text;
    if (take_international_mark(digits, true) && all_digits(digits)) {
        return digits;
    }
    return text;
}

bool write_number(const Number& number,
                  Outcome kind,
                  const NumberForm& form,
                  AddressBuffer& buffer,
                  smpp::Address& out) {
    SY_DCHECK(usable(kind));
    std::string_view digits = number.view();
    std::string_view prefix;
    if (kind == Outcome::short_code) {
        out.ton = form.short_code_ton;
        out.npi = form.short_code_npi;
    } else if (take_prefix(digits, form.national_country)) {
        out.ton = ton_national;
        out.npi = form.npi;
        prefix = form.trunk_prefix;
    } else {
        out.ton = form.ton;
        out.npi = form.npi;
        prefix = form.prefix;
    }
    const size_t length = prefix.size() + digits.size();
    if (length > limits::address_octets_max) {
        return false;
    }
    char* const end = buffer.data() + prefix.copy(buffer.data(), prefix.size());
    digits.copy(end, digits.size());
    out.digits = {buffer.data(), length};
    return true;
}

}  // namespace sy::number
