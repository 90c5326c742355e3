// Times and receipt dates: four octets of clock (seconds since 1970), then the text. What parses
// must come back through the forms that we write.
#include <cstdint>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/smpp/time_format.h"

namespace sy::smpp {
namespace {

// Where two-digit years are of this century: 2000-01-01 to 2037-12-31 23:59:59 UTC.
constexpr Nanos century_first_ns = Nanos{946'684'800} * second_ns;
constexpr Nanos century_last_ns = Nanos{2'145'916'799} * second_ns;

void check_time(std::string_view text, Nanos now_ns) {
    Nanos at = 0;
    if (!parse_time(text, now_ns, at)) {
        return;
    }
    Nanos back = 0;
    SY_ASSERT(parse_time(format_absolute_time(at).view(), now_ns, back));
    if (at >= century_first_ns && at <= century_last_ns) {
        SY_ASSERT(back == at - at % (second_ns / 10));
    }
    const TimeText relative = format_relative_time(at, now_ns);
    SY_ASSERT(parse_time(relative.view(), now_ns, back));
    SY_ASSERT(back >= now_ns);
    if (at >= now_ns && at - now_ns < Nanos{99} * 365 * 86'400 * second_ns) {
        SY_ASSERT(back <= at);
        SY_ASSERT(at - back < second_ns);
    }
}

void check_receipt_date(std::string_view text) {
    const auto at = parse_receipt_date(text);
    if (!at || *at < century_first_ns || *at > century_last_ns) {
        return;
    }
    const auto written = format_receipt_date(*at);
    const auto back = parse_receipt_date({written.data(), written.size()});
    SY_ASSERT(back.has_value());
    SY_ASSERT(*back == *at - *at % (60 * second_ns));
}

}  // namespace
}  // namespace sy::smpp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < sizeof(uint32_t)) {
        return 0;
    }
    const sy::Nanos now_ns = sy::Nanos{sy::load_be<uint32_t>(data)} * sy::second_ns;
    const std::string_view text = sy::as_chars({data + 4, size - 4});
    sy::smpp::check_time(text, now_ns);
    sy::smpp::check_receipt_date(text);
    return 0;
}
