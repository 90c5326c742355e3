#include "io/record/words.h"

#include <array>
#include <charconv>
#include <chrono>

#include "core/route/money.h"
#include "core/text/udh.h"
#include "core/text/utf8.h"

namespace sy::record {
namespace {

using engine::Outcome;
using engine::RecordEnd;
using engine::RecordKind;
using engine::RecordPart;

struct Calendar {
    int year;
    unsigned month, day;
    uint64_t second_of_day;
};

Calendar calendar_of(uint64_t seconds) {
    constexpr uint64_t day_seconds = 24 * 3600;
    const std::chrono::sys_days date{
        std::chrono::days{static_cast<int64_t>(seconds / day_seconds)}};
    const std::chrono::year_month_day ymd{date};
    return {int{ymd.year()}, unsigned{ymd.month()}, unsigned{ymd.day()}, seconds % day_seconds};
}

template <size_t Digits>
void put_digits(std::string& out, uint64_t number) {
    std::array<char, Digits> text;
    for (size_t i = Digits; i-- > 0; number /= 10) {
        text[i] = static_cast<char>('0' + number % 10);
    }
    out.append(text.data(), text.size());
}

void put_date(std::string& out, const Calendar& at, std::string_view between) {
    put_digits<4>(out, static_cast<uint64_t>(at.year));
    out += between;
    put_digits<2>(out, at.month);
    out += between;
    put_digits<2>(out, at.day);
}

void put_clock(std::string& out, const Calendar& at, std::string_view between) {
    put_digits<2>(out, at.second_of_day / 3600);
    out += between;
    put_digits<2>(out, at.second_of_day / 60 % 60);
    out += between;
    put_digits<2>(out, at.second_of_day % 60);
}

// Octets of the header as the record carries them: to_utf8() wants its language tables.
text::Udh header_of(const engine::Record& record) {
    const Octets udh = record.part(RecordPart::udh);
    return udh.empty() ? text::Udh{} : text::parse_udh(udh);
}

}  // namespace

std::string_view kind_word(RecordKind kind) {
    constexpr std::array<std::string_view, engine::record_kinds> words{"mt", "mo", "copy",
                                                                       "receipt"};
    return words[static_cast<size_t>(kind)];
}

std::string_view end_word(RecordEnd end) {
    constexpr std::array<std::string_view, engine::record_ends> words{
        "accepted",  "rejected",  "expired", "unknown",    "dropped",
        "delivered", "lost",      "refused", "suppressed", "duplicate",
        "orphaned",  "postponed", "late",    "swallowed",  "cancelled"};
    return words[static_cast<size_t>(end)];
}

std::string_view outcome_word(Outcome outcome) {
    switch (outcome) {
        case Outcome::answered:
            return "answered";
        case Outcome::bounced:
            return "bounced";
        case Outcome::unknown:
            return "unknown";
        case Outcome::expired:
            return "expired";
        case Outcome::unstored:
            return "unstored";
        case Outcome::none:
            break;
    }
    return "open";
}

void put_status(std::string& out, smpp::CommandStatus status) {
    const std::string_view name = smpp::status_name(status);
    if (!name.empty()) {
        out += name;
        return;
    }
    std::array<char, 16> text;
    const auto value = static_cast<uint32_t>(status);
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value, 16).ptr;
    out += "0x";
    out.append(text.data(), end);
}

void put_time(std::string& out, Nanos wall_ns) {
    const Calendar at = calendar_of(wall_ns / second_ns);
    put_date(out, at, "-");
    out += 'T';
    put_clock(out, at, ":");
    out += '.';
    put_digits<6>(out, wall_ns % second_ns / microsecond_ns);
    out += 'Z';
}

void put_file_time(std::string& out, Nanos wall_ns) {
    const Calendar at = calendar_of(wall_ns / second_ns);
    put_date(out, at, "");
    out += 'T';
    put_clock(out, at, "");
    out += 'Z';
}

void put_number(std::string& out, uint64_t number) {
    std::array<char, 20> text;
    out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr);
}

void put_price(std::string& out, int64_t nanos) {
    out += route::to_string(route::Money{nanos});
}

void put_hex(std::string& out, Octets octets) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const uint8_t octet : octets) {
        out += digits[octet >> 4];
        out += digits[octet & 0xF];
    }
}

void put_tag(std::string& out, smpp::TlvTag tag) {
    const auto value = static_cast<uint16_t>(tag);
    out += "0x";
    put_hex(out, std::array{static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value & 0xFF)});
}

void put_id(std::string& out, const engine::Record& record) {
    engine::IdText buffer;
    out += engine::format_id(record.id, record.id_form, buffer);
}

bool put_text(std::string& out, const engine::Record& record) {
    const text::Coding coding = text::coding_of(record.data_coding, record.alphabet);
    const text::Udh udh = header_of(record);
    if (!text::has_text(coding, udh)) {
        return false;
    }
    const Octets octets = record.part(RecordPart::text);
    // The longest: an octet of GSM 7 bit that becomes three of UTF-8.
    const size_t before = out.size();
    out.resize(before + 3 * octets.size() + 4);
    const size_t written =
        text::to_utf8(octets, coding, udh, {out.data() + before, out.size() - before});
    out.resize(before + written);
    return true;
}

void put_utf8(std::string& out, std::string_view octets) {
    for (size_t at = 0; at < octets.size();) {
        const size_t count = text::character_octets(octets, at);
        if (count == 0) {
            out += "\xEF\xBF\xBD";
            ++at;
        } else {
            out += octets.substr(at, count);
            at += count;
        }
    }
}

}  // namespace sy::record
