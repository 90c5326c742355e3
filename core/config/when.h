// `when` of the route tables, as people write it:
//
//     Mon-Fri 08:00-18:00 Europe/London; Sat 09:00-12:00
//
// Windows are parted by ';'. A window has days (Mon, Mon-Fri, Sat Sun; none: every day) and times
// of day (08:00-12:00 13:00-18:00; none: the whole day), parted by blanks or commas, and may have a
// time zone. A time that ends before it begins runs over midnight and belongs to the day on which
// it begins: Fri 22:00-06:00 ends on Saturday. 24:00 ends a day. A zone that one window names
// counts for all of them; where windows name different ones, each must name its own; without any it
// is UTC. Days are English, in any letter case. Control plane only.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/config/cells.h"
#include "core/config/zones.h"

namespace sy::config {

struct WhenError {
    std::string_view part;  // of the text
    std::string text;       // what is wrong, the value, what was expected
    bool unknown_zone = false;
};

[[nodiscard]] std::expected<route::When, WhenError> parse_when(std::string_view text, Zones& zones);

/// Cells of one table; equal ones share their object.
class WhenReader {
  public:
    WhenReader(CsvTable& table, size_t column) : table_(table), column_(column) {}

    /// Null for an empty cell, and (with a complaint) for a wrong one.
    [[nodiscard]] std::shared_ptr<const route::When> read();

  private:
    CsvTable& table_;
    size_t column_;
    Zones zones_;
    std::unordered_map<std::string, std::shared_ptr<const route::When>, StringHash, std::equal_to<>>
        known_;
};

}  // namespace sy::config
