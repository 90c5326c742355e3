#include "core/config/retry_section.h"

#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/config/parse.h"

namespace sy::config {
namespace {

constexpr size_t waits_max = 32;
constexpr Nanos wait_min_ns = 100 * millisecond_ns;
constexpr Nanos day_ns = Nanos{24} * 3600 * second_ns;

void read_waits(Section& in, std::string_view key, std::vector<Nanos>& out) {
    std::vector<Section::Item> items;
    if (!in.list(key, items)) {
        return;
    }
    if (items.empty() || items.size() > waits_max) {
        in.complain(key, fmt::format("1 to {} durations like \"10s\"", waits_max));
        return;
    }
    std::vector<Nanos> waits;
    for (const Section::Item& item : items) {
        const auto wait = parse_duration(item.text);
        if (!wait || *wait < wait_min_ns || *wait > day_ns) {
            in.complaints().error(item.at,
                                  fmt::format("{} holds {}, expected a duration from \"100ms\" to "
                                              "\"24h\"",
                                              key, in_quotes(item.text)));
            return;
        }
        waits.push_back(*wait);
    }
    out = std::move(waits);
}

}  // namespace

void read_retry(Section& in, route::RetrySchedule& out) {
    read_waits(in, "next", out.next);
    read_waits(in, "pause", out.pause);
    read_waits(in, "down", out.down);
    in.duration("validity", out.validity_ns, {second_ns, 60 * day_ns});
    in.duration("validity_max", out.validity_max_ns, {second_ns, 60 * day_ns});
    if (out.validity_ns > out.validity_max_ns) {
        in.complaints().error(
            in.at("validity"),
            fmt::format("validity is '{}', expected no more than validity_max, which is '{}'",
                        duration_text(out.validity_ns), duration_text(out.validity_max_ns)));
    }
    in.finish();
}

}  // namespace sy::config
