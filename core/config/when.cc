#include "core/config/when.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <span>
#include <vector>

namespace sy::config {
namespace {

using route::day_seconds;
using route::week_seconds;
using route::WeekSpan;

constexpr size_t days_a_week = 7;
constexpr std::array<std::string_view, days_a_week> day_names = {"mon", "tue", "wed", "thu",
                                                                 "fri", "sat", "sun"};
constexpr std::string_view blanks = " \t,";
constexpr std::string_view example = "as in Mon-Fri 08:00-18:00 Europe/London; Sat 09:00-12:00";

std::optional<size_t> day_of(std::string_view text) {
    if (text.size() != 3) {
        return std::nullopt;
    }
    const auto same = [&](std::string_view name) {
        return std::ranges::equal(text, name, [](char a, char b) {
            return std::tolower(static_cast<unsigned char>(a)) == b;
        });
    };
    const auto found = std::ranges::find_if(day_names, same);
    return found == day_names.end() ? std::nullopt
                                    : std::optional(static_cast<size_t>(found - day_names.begin()));
}

// "8:30", "08:30", "24:00": seconds since midnight.
std::optional<int32_t> time_of(std::string_view text) {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon > 2 || text.size() != colon + 3) {
        return std::nullopt;
    }
    const auto hours = parse_integer<uint8_t>(text.substr(0, colon));
    const auto minutes = parse_integer<uint8_t>(text.substr(colon + 1));
    if (!hours || !minutes || *minutes > 59 || *hours > 24 || (*hours == 24 && *minutes != 0)) {
        return std::nullopt;
    }
    return (*hours * 60 + *minutes) * 60;
}

struct TimeSpan {
    int32_t begin_s = 0;
    int32_t end_s = 0;  // more than a day: over midnight
};

// One window as it is written.
struct Window {
    std::string_view text;
    std::array<bool, days_a_week> days{};
    bool any_day = false;
    std::vector<TimeSpan> times;
    std::string_view zone_name;
};

class Parser {
  public:
    Parser(std::string_view text, Zones& zones) : text_(text), zones_(zones) {}

    std::expected<route::When, WhenError> parse() {
        for (std::string_view rest = text_; !error_;) {
            const size_t end = rest.find(';');
            read_window(trimmed(rest.substr(0, end)));
            if (end == std::string_view::npos) {
                break;
            }
            rest.remove_prefix(end + 1);
        }
        route::When when;
        when.text = text_;
        for (const Window& window : windows_) {
            if (!error_) {
                add(window, when);
            }
        }
        if (error_) {
            return std::unexpected(*std::move(error_));
        }
        for (route::When::Part& part : when.parts) {
            join(part.spans);
        }
        return when;
    }

  private:
    void complain(std::string_view part, std::string text, bool unknown_zone = false) {
        if (!error_) {
            error_ = WhenError{part, std::move(text), unknown_zone};
        }
    }

    void read_window(std::string_view text) {
        Window& window = windows_.emplace_back();
        window.text = text;
        for (std::string_view rest = text; !error_;) {
            const size_t begin = rest.find_first_not_of(blanks);
            if (begin == std::string_view::npos) {
                break;
            }
            rest.remove_prefix(begin);
            const std::string_view token = rest.substr(0, rest.find_first_of(blanks));
            rest.remove_prefix(token.size());
            read_token(token, window);
        }
        if (!window.any_day && window.times.empty()) {
            complain(text.empty() ? text_ : text,
                     fmt::format("a window of {} has neither days nor times, expected some, {}",
                                 in_quotes(text_), example));
        }
    }

    void read_token(std::string_view token, Window& window) {
        if (token.find(':') != std::string_view::npos) {
            read_times(token, window);
        } else if (!read_days(token, window)) {
            if (!window.zone_name.empty()) {
                complain(token, fmt::format("{} is a second time zone in {}, expected one a window",
                                            in_quotes(token), in_quotes(window.text)));
            }
            window.zone_name = token;
        }
    }

    // False for what may be a time zone.
    bool read_days(std::string_view token, Window& window) {
        const size_t dash = token.find('-');
        const auto first = day_of(token.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : day_of(token.substr(dash + 1));
        if (!first || !last) {
            if (first || (last && dash == 3)) {
                complain(token, fmt::format("{} are no days, expected Mon to Sun, {}",
                                            in_quotes(token), example));
            }
            return false;
        }
        window.any_day = true;
        for (size_t day = *first;; day = (day + 1) % days_a_week) {
            window.days[day] = true;
            if (day == *last) {
                return true;
            }
        }
    }

    void read_times(std::string_view token, Window& window) {
        const size_t dash = token.find('-');
        const auto begin = time_of(token.substr(0, dash));
        const auto end =
            dash == std::string_view::npos ? std::nullopt : time_of(token.substr(dash + 1));
        if (!begin || !end || *begin == day_seconds) {
            complain(token, fmt::format("{} are no times of day, expected 00:00-24:00 or between",
                                        in_quotes(token)));
            return;
        }
        if (*begin == *end) {
            complain(token, fmt::format("{} ends when it begins, expected different times, or none "
                                        "for the whole day",
                                        in_quotes(token)));
            return;
        }
        const auto over_midnight = static_cast<int32_t>(*end < *begin ? day_seconds : 0);
        window.times.push_back({*begin, *end + over_midnight});
    }

    // The zone that counts for a window; the only one that is named, where it names none.
    std::string_view zone_name_of(const Window& window) {
        std::string_view only;
        for (const Window& each : windows_) {
            if (!window.zone_name.empty() || each.zone_name.empty()) {
                continue;
            }
            if (!only.empty() && only != each.zone_name) {
                complain(window.text,
                         fmt::format("the window {} names no time zone and others name different "
                                     "ones, expected one in every window",
                                     in_quotes(window.text)));
            }
            only = each.zone_name;
        }
        return !window.zone_name.empty() ? window.zone_name : only;
    }

    void add(const Window& window, route::When& when) {
        const std::string_view name = zone_name_of(window);
        const auto zone = zones_.find(name.empty() ? "UTC" : name);
        if (zone == nullptr) {
            complain(name,
                     fmt::format("{} is no day, time or time zone, expected these {}",
                                 in_quotes(name), example),
                     true);
            return;
        }
        auto part = std::ranges::find(when.parts, zone, &route::When::Part::zone);
        if (part == when.parts.end()) {
            part = when.parts.insert(part, {zone, {}});
        }
        constexpr std::array<TimeSpan, 1> whole_day{{{0, static_cast<int32_t>(day_seconds)}}};
        const std::span<const TimeSpan> times =
            window.times.empty() ? std::span<const TimeSpan>(whole_day) : window.times;
        for (size_t day = 0; day < days_a_week; ++day) {
            if (window.any_day && !window.days[day]) {
                continue;
            }
            for (const TimeSpan& time : times) {
                add_span(static_cast<int32_t>(day) * static_cast<int32_t>(day_seconds), time,
                         part->spans);
            }
        }
    }

    static void add_span(int32_t day_s, const TimeSpan& time, std::vector<WeekSpan>& spans) {
        constexpr auto week = static_cast<int32_t>(week_seconds);
        const int32_t end = day_s + time.end_s;
        spans.push_back({day_s + time.begin_s, std::min(end, week)});
        if (end > week) {
            spans.push_back({0, end - week});
        }
    }

    // Ascending, with those that touch as one.
    static void join(std::vector<WeekSpan>& spans) {
        std::ranges::sort(spans, {}, &WeekSpan::begin_s);
        size_t kept = 0;
        for (const WeekSpan& span : spans) {
            if (kept > 0 && span.begin_s <= spans[kept - 1].end_s) {
                spans[kept - 1].end_s = std::max(spans[kept - 1].end_s, span.end_s);
            } else {
                spans[kept++] = span;
            }
        }
        spans.resize(kept);
    }

    std::string_view text_;
    Zones& zones_;
    std::vector<Window> windows_;
    std::optional<WhenError> error_;
};

}  // namespace

std::expected<route::When, WhenError> parse_when(std::string_view text, Zones& zones) {
    return Parser(text, zones).parse();
}

std::shared_ptr<const route::When> WhenReader::read() {
    const std::string_view cell = table_.cell(column_);
    if (cell.empty()) {
        return nullptr;
    }
    if (const auto found = known_.find(cell); found != known_.end()) {
        return found->second;
    }
    auto parsed = parse_when(cell, zones_);
    if (!parsed) {
        const WhenError& error = parsed.error();
        const Position at = table_.at(column_, error.part);
        if (error.unknown_zone) {
            table_.complaints().error_with_hint(at, error.text, error.part, Zones::names());
        } else {
            table_.complaints().error(at, error.text);
        }
        return nullptr;
    }
    auto when = std::make_shared<const route::When>(*std::move(parsed));
    known_.emplace(cell, when);
    return when;
}

}  // namespace sy::config
