#include "io/daemon/explanation.h"

#include <functional>

#include "core/base/prng.h"
#include "core/config/parse.h"
#include "core/smpp/time_format.h"
#include "core/text/utf8.h"
#include "io/daemon/clock.h"
#include "io/daemon/explanation_parts.h"

namespace sy::daemon {
namespace {

std::string_view set_name(text::CharacterSet set) {
    switch (set) {
        case text::CharacterSet::gsm7:
            return "GSM 03.38";
        case text::CharacterSet::ascii:
            return "ASCII";
        case text::CharacterSet::latin1:
            return "Latin-1";
        case text::CharacterSet::ucs2:
            return "UCS-2";
        default:
            return "no text";
    }
}

}  // namespace

Result<void> encode_text(const Question& question, text::Alphabet alphabet, Sent& sent) {
    constexpr uint8_t data_coding_ucs2 = 8;
    const auto encode = [&](uint8_t data_coding) {
        const text::Coding coding = text::coding_of(data_coding, alphabet);
        sent.sm.data_coding = data_coding;
        sent.coding =
            fmt::format("data_coding {} ({})", data_coding, set_name(coding.character_set));
        switch (coding.character_set) {
            case text::CharacterSet::gsm7:
            case text::CharacterSet::ascii:
            case text::CharacterSet::latin1:
            case text::CharacterSet::ucs2:
                return text::from_utf8(question.text, coding.character_set, {}, sent.text);
            default:
                // Binary and the like: rules see no text.
                return text::Encoded{};
        }
    };
    text::Encoded encoded =
        encode(question.data_coding ? static_cast<uint8_t>(*question.data_coding) : uint8_t{0});
    if (!question.data_coding && encoded.replaced > 0) {
        encoded = encode(data_coding_ucs2);
    }
    if (encoded.truncated) {
        return fail("the text is longer than what is matched");
    }
    sent.sm.short_message = Octets(sent.text.data(), encoded.octets);
    return {};
}

std::string_view outcome_text(number::Outcome outcome) {
    switch (outcome) {
        case number::Outcome::e164:
            return "E.164";
        case number::Outcome::short_code:
            return "short code";
        case number::Outcome::empty:
            return "it is empty";
        case number::Outcome::not_digits:
            return "it has other characters than digits";
        case number::Outcome::too_short:
            return "it has too few digits";
        case number::Outcome::too_long:
            return "it has too many digits (15 at most)";
    }
    return "";
}

smpp::Address sender_address(std::string_view sender) {
    const bool digits =
        !sender.empty() && sender.find_first_not_of("+0123456789") == std::string_view::npos;
    return {static_cast<uint8_t>(digits ? 1 : 5), static_cast<uint8_t>(digits ? 1 : 0), sender};
}

std::string minute_text(route::Minute minute) {
    const auto date = smpp::format_receipt_date(minute * route::minute_ns);
    const std::string_view text(date.data(), date.size());
    return fmt::format("20{}-{}-{} {}:{}", text.substr(0, 2), text.substr(2, 2), text.substr(4, 2),
                       text.substr(6, 2), text.substr(8, 2));
}

Result<route::Minute> minute_of(const Question& question) {
    if (question.at.empty()) {
        return static_cast<route::Minute>(read_clock(CLOCK_REALTIME) / route::minute_ns);
    }
    const auto minute = config::parse_minute(question.at, config::DayEnd::no);
    if (!minute) {
        return fail(
            fmt::format("at '{}' is no time, expected one like 2026-01-31 or \"2026-01-31 18:30\"",
                        question.at));
    }
    return *minute;
}

uint64_t spread_of(const Question& question) {
    const std::hash<std::string> hash;
    return mix64(hash(question.to) ^ mix64(hash(question.from)));
}

Result<void> prepare(const ExplainTables& tables, route::RouteScratch& scratch) {
    SY_TRY(scratch.prepare(tables.snapshot.mt, tables.snapshot.mo));
    scratch.use(tables.quality);
    return {};
}

ExplainTables::ExplainTables(const config::Registry& registry,
                             const config::Config& config,
                             const route::Snapshot& compiled,
                             const route::QualityBoard* measured)
    : customers(registry.customers()),
      suppliers(registry.suppliers()),
      networks(registry.networks()),
      mt_file(config.mt_file),
      mo_file(config.mo_file),
      snapshot(compiled),
      quality(measured) {}

}  // namespace sy::daemon
