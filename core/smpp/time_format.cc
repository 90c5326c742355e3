#include "core/smpp/time_format.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace sy::smpp {

namespace {

namespace chrono = std::chrono;

constexpr int64_t day_seconds = 86'400;
constexpr int64_t quarter_hour_seconds = 900;
constexpr int century_turn = 38;  // 38 to 99 are 19xx (5.0 section 4.7.23.4)
constexpr size_t tenths_at = 12;
constexpr size_t quarters_at = 13;
constexpr size_t sign_at = 15;

/// Reads pairs of digits, left to right.
class Pairs {
  public:
    explicit Pairs(std::string_view text) : text_(text) {}

    int next() {
        const char high = text_[at_];
        const char low = text_[at_ + 1];
        at_ += 2;
        if (high < '0' || high > '9' || low < '0' || low > '9') {
            valid_ = false;
            return 0;
        }
        return (high - '0') * 10 + (low - '0');
    }
    [[nodiscard]] bool valid() const { return valid_; }

  private:
    std::string_view text_;
    size_t at_ = 0;
    bool valid_ = true;
};

struct Clock {
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

chrono::year_month_day date_of(const Clock& clock) {
    return chrono::year(clock.year) / chrono::month(static_cast<unsigned>(clock.month)) /
           chrono::day(static_cast<unsigned>(clock.day));
}

int64_t time_of_day(const Clock& clock) {
    return clock.hour * int64_t{3600} + clock.minute * int64_t{60} + clock.second;
}

int64_t seconds_at(chrono::year_month_day date, int64_t second_of_day) {
    return chrono::sys_days(date).time_since_epoch().count() * day_seconds + second_of_day;
}

/// Nothing when there is no such date or time.
std::optional<int64_t> seconds_of(const Clock& clock) {
    const chrono::year_month_day date = date_of(clock);
    if (!date.ok() || clock.hour > 23 || clock.minute > 59 || clock.second > 59) {
        return std::nullopt;
    }
    return seconds_at(date, time_of_day(clock));
}

int full_year(int two_digits) {
    return two_digits + (two_digits >= century_turn ? 1900 : 2000);
}

Nanos to_nanos(int64_t seconds) {
    return seconds <= 0 ? 0 : static_cast<Nanos>(seconds) * second_ns;
}

chrono::year_month_day add_months(chrono::year_month_day date, int months) {
    const chrono::year_month_day moved = date + chrono::months(months);
    return moved.ok() ? moved : chrono::year_month_day(moved.year() / moved.month() / chrono::last);
}

struct Instant {
    chrono::year_month_day date;
    int64_t second_of_day;
};

Instant split(int64_t seconds) {
    const int64_t days = seconds / day_seconds;
    return {chrono::sys_days(chrono::days(days)), seconds - days * day_seconds};
}

void put_pair(char* to, int value) {
    to[0] = static_cast<char>('0' + value / 10 % 10);
    to[1] = static_cast<char>('0' + value % 10);
}

void put_time_of_day(char* to, int64_t second_of_day) {
    put_pair(to, static_cast<int>(second_of_day / 3600));
    put_pair(to + 2, static_cast<int>(second_of_day / 60 % 60));
    put_pair(to + 4, static_cast<int>(second_of_day % 60));
}

void put_date(char* to, chrono::year_month_day date) {
    put_pair(to, static_cast<int>(date.year()) % 100);
    put_pair(to + 2, static_cast<int>(static_cast<unsigned>(date.month())));
    put_pair(to + 4, static_cast<int>(static_cast<unsigned>(date.day())));
}

Clock read_clock(Pairs& pairs) {
    Clock clock;
    clock.year = pairs.next();
    clock.month = pairs.next();
    clock.day = pairs.next();
    clock.hour = pairs.next();
    clock.minute = pairs.next();
    clock.second = pairs.next();
    return clock;
}

/// Tenths and quarter hours are read by nobody here, so they may be anything.
Nanos relative(const Clock& span, Nanos wall_now_ns) {
    const auto now_seconds = static_cast<int64_t>(wall_now_ns / second_ns);
    const Instant now = split(now_seconds);
    const chrono::year_month_day date = add_months(now.date, span.year * 12 + span.month);
    const int64_t then =
        seconds_at(date, now.second_of_day) + span.day * day_seconds + time_of_day(span);
    return to_nanos(then) + wall_now_ns % second_ns;
}

std::optional<Nanos> receipt_instant(Clock clock) {
    const std::optional<int64_t> seconds = seconds_of(clock);
    return seconds ? std::optional(to_nanos(*seconds)) : std::nullopt;
}

}  // namespace

bool parse_time(std::string_view text, Nanos wall_now_ns, Nanos& out) {
    if (text.size() != sign_at + 1) {
        return false;
    }
    Pairs pairs(text);
    Clock clock = read_clock(pairs);
    if (!pairs.valid()) {
        return false;
    }
    const char sign = text[sign_at];
    if (sign == 'R') {
        out = relative(clock, wall_now_ns);
        return true;
    }
    clock.year = full_year(clock.year);
    const std::optional<int64_t> local_seconds = seconds_of(clock);
    Pairs offset(text.substr(quarters_at));
    const int quarters = offset.next();
    const char tenths = text[tenths_at];
    if (!local_seconds || !offset.valid() || quarters > 48 || tenths < '0' || tenths > '9') {
        return false;
    }
    const int64_t ahead = quarters * quarter_hour_seconds;  // '+': the local time is ahead of UTC
    switch (sign) {
        case '+':
            out = to_nanos(*local_seconds - ahead);
            break;
        case '-':
            out = to_nanos(*local_seconds + ahead);
            break;
        default:
            return false;
    }
    out += static_cast<Nanos>(tenths - '0') * (second_ns / 10);
    return true;
}

TimeText format_absolute_time(Nanos wall_ns) {
    constexpr chrono::year_month_day last_day =
        chrono::year(1999 + century_turn) / chrono::December / 31;
    const int64_t last_second = seconds_at(last_day, day_seconds - 1);
    const bool beyond = wall_ns / second_ns > static_cast<Nanos>(last_second);
    const Instant instant = split(beyond ? last_second : static_cast<int64_t>(wall_ns / second_ns));
    TimeText out;
    put_date(out.chars.data(), instant.date);
    put_time_of_day(out.chars.data() + 6, instant.second_of_day);
    // Cut, never rounded: a tenth of 10 would not fit its digit.
    const auto tenths = beyond ? 0 : static_cast<int>(wall_ns % second_ns / (second_ns / 10));
    out.chars[tenths_at] = static_cast<char>('0' + tenths);
    out.chars[quarters_at] = '0';
    out.chars[quarters_at + 1] = '0';
    out.chars[sign_at] = '+';
    return out;
}

TimeText format_relative_time(Nanos wall_ns, Nanos wall_now_ns) {
    const auto now_seconds = static_cast<int64_t>(wall_now_ns / second_ns);
    const Nanos left_ns = wall_ns > wall_now_ns ? wall_ns - wall_now_ns : 0;
    const int64_t target = now_seconds + static_cast<int64_t>(left_ns / second_ns);
    const Instant now = split(now_seconds);
    const Instant then = split(target);

    constexpr int months_max = 99 * 12 + 11;
    int months = (static_cast<int>(then.date.year()) - static_cast<int>(now.date.year())) * 12 +
                 static_cast<int>(static_cast<unsigned>(then.date.month())) -
                 static_cast<int>(static_cast<unsigned>(now.date.month()));
    months = std::clamp(months, 0, months_max);
    while (months > 0 && seconds_at(add_months(now.date, months), now.second_of_day) > target) {
        --months;
    }
    const int64_t rest = target - seconds_at(add_months(now.date, months), now.second_of_day);
    const int64_t days = std::min(rest / day_seconds, int64_t{99});

    TimeText out;
    put_pair(out.chars.data(), months / 12);
    put_pair(out.chars.data() + 2, months % 12);
    put_pair(out.chars.data() + 4, static_cast<int>(days));
    put_time_of_day(out.chars.data() + 6, rest % day_seconds);
    out.chars[tenths_at] = '0';
    out.chars[quarters_at] = '0';
    out.chars[quarters_at + 1] = '0';
    out.chars[sign_at] = 'R';
    return out;
}

std::optional<Nanos> parse_receipt_date(std::string_view text) {
    if (text.size() != 10 && text.size() != 12 && text.size() != 14) {
        return std::nullopt;
    }
    std::array<int, 7> numbers{};
    Pairs pairs(text);
    for (size_t i = 0; i < text.size() / 2; ++i) {
        numbers[i] = pairs.next();
    }
    const auto& n = numbers;
    if (!pairs.valid()) {
        return std::nullopt;
    }
    if (text.size() < 14) {
        const Clock clock{full_year(n[0]), n[1], n[2], n[3], n[4], n[5]};
        if (const auto short_year = receipt_instant(clock); short_year || text.size() == 10) {
            return short_year;
        }
    }
    return receipt_instant({n[0] * 100 + n[1], n[2], n[3], n[4], n[5], n[6]});
}

std::array<char, 10> format_receipt_date(Nanos wall_ns) {
    const Instant instant = split(static_cast<int64_t>(wall_ns / second_ns));
    std::array<char, 10> out{};
    put_date(out.data(), instant.date);
    put_pair(out.data() + 6, static_cast<int>(instant.second_of_day / 3600));
    put_pair(out.data() + 8, static_cast<int>(instant.second_of_day / 60 % 60));
    return out;
}

}  // namespace sy::smpp
