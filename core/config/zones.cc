#include "core/config/zones.h"

#include <date/tz.h>
#include <exception>

namespace sy::config {
namespace {

using date::sys_seconds;

// Later changes are not listed; some zones have rules without an end.
constexpr sys_seconds horizon{std::chrono::seconds{4'102'444'800}};  // 2100-01-01

std::shared_ptr<const route::Zone> read_zone(const std::string& name) {
    auto zone = std::make_shared<route::Zone>();
    zone->name = name;
    // The library tells of an unknown zone, and of unreadable tzdata, by exceptions.
    try {
        const date::time_zone* const found = date::locate_zone(name);
        for (sys_seconds at{}; at < horizon;) {
            const date::sys_info info = found->get_info(at);
            const auto offset = static_cast<int32_t>(info.offset.count());
            if (zone->offsets.empty() || zone->offsets.back().offset_s != offset) {
                zone->offsets.push_back({at.time_since_epoch().count(), offset});
            }
            if (info.end <= at) {
                break;
            }
            at = info.end;
        }
    } catch (const std::exception&) {
        return nullptr;
    }
    return zone;
}

}  // namespace

std::shared_ptr<const route::Zone> Zones::find(std::string_view name) {
    const auto [entry, is_new] = known_.try_emplace(std::string(name));
    if (is_new) {
        entry->second = read_zone(entry->first);
        if (entry->second == nullptr && name == "UTC") {
            entry->second = std::make_shared<const route::Zone>(route::Zone{"UTC", {{0, 0}}});
        }
    }
    return entry->second;
}

std::vector<std::string_view> Zones::names() {
    std::vector<std::string_view> names;
    try {
        for (const date::time_zone& zone : date::get_tzdb().zones) {
            names.push_back(zone.name());
        }
    } catch (const std::exception&) {
        return {};
    }
    return names;
}

}  // namespace sy::config
