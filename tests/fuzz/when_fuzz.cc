// Any octets as a `when`. Checked: what is refused names a part of the text; what is taken has
// spans in order and apart, an answer that stays as long as it says, and a weekly second by second
// meaning at the places where it changes.
#include <cstdint>
#include <string_view>

#include "core/base/assert.h"
#include "core/config/when.h"

namespace {

using namespace sy;

void check_spans(const route::When::Part& part) {
    SY_ASSERT(!part.spans.empty());
    int32_t end = -1;
    for (const route::WeekSpan& span : part.spans) {
        SY_ASSERT(span.begin_s > end && span.end_s > span.begin_s);
        SY_ASSERT(span.end_s <= route::week_seconds);
        end = span.end_s;
    }
}

void check_answers(const route::When& when) {
    Nanos at = Nanos{1'774'000'000} * second_ns;  // some days before a change of many clocks
    for (int i = 0; i < 20; ++i) {
        const route::WhenState now = route::evaluate(when, at);
        SY_ASSERT(now.from_ns == at && now.until_ns > at);
        SY_ASSERT(route::evaluate(when, now.until_ns - 1).holds == now.holds);
        SY_ASSERT(route::evaluate(when, at + (now.until_ns - at) / 2).holds == now.holds);
        at = now.until_ns;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static config::Zones zones;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (size > 300) {
        return 0;  // zones that are not there are remembered
    }
    const auto when = config::parse_when(text, zones);
    if (!when) {
        const std::string_view part = when.error().part;
        SY_ASSERT(part.empty() || (part.data() >= text.data() &&
                                   part.data() + part.size() <= text.data() + text.size()));
        SY_ASSERT(!when.error().text.empty());
        return 0;
    }
    SY_ASSERT(!when->parts.empty());
    for (const route::When::Part& part : when->parts) {
        check_spans(part);
    }
    check_answers(*when);
    return 0;
}
