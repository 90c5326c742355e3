// Any octets as a CSV file. Checked: rows that come out are clean, every place is inside the file,
// and what was read reads back the same when it is written with every cell quoted.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/config/csv.h"
#include "core/config/parse.h"

namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows read_rows(std::string_view text, bool& any_error) {
    sy::config::Complaints complaints("fuzz.csv");
    sy::config::CsvReader reader(text, complaints);
    const auto lines = static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    Rows rows;
    while (reader.next()) {
        auto& row = rows.emplace_back();
        for (const auto& cell : reader.cells()) {
            row.emplace_back(cell.value);
            SY_ASSERT(sy::config::find_bad_utf8(cell.value) == std::string_view::npos);
            const sy::config::Position at = reader.position(cell, cell.value);
            SY_ASSERT(at.line >= reader.line() && at.line <= lines && at.column >= 1);
        }
        SY_ASSERT(!row.empty() && row.size() <= sy::config::CsvReader::cells_max);
    }
    any_error = complaints.any_error();
    return rows;
}

std::string write_rows(const Rows& rows) {
    std::string out;
    for (const auto& row : rows) {
        for (const std::string& cell : row) {
            out += out.empty() || out.back() == '\n' ? "\"" : ",\"";
            for (const char c : cell) {
                out.append(c == '"' ? 2 : 1, c);
            }
            out += '"';
        }
        out += '\n';
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    bool any_error = false;
    const Rows rows = read_rows({reinterpret_cast<const char*>(data), size}, any_error);
    const Rows again = read_rows(write_rows(rows), any_error);
    SY_ASSERT(!any_error);
    SY_ASSERT(again == rows);
    return 0;
}
