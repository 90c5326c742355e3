#include "core/config/csv.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include "core/config/parse.h"

namespace sy::config {

CsvReader::CsvReader(std::string_view text, Complaints& complaints, uint32_t first_line)
    : text_(text), complaints_(complaints), line_(first_line), row_line_(first_line) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (first_line == 1 && text_.starts_with(byte_order_mark)) {
        text_.remove_prefix(byte_order_mark.size());
    }
}

bool CsvReader::next() {
    while (at_ < text_.size()) {
        row_offset_ = at_;
        row_line_ = line_;
        cells_.clear();
        unescaped_.clear();
        if (text_[at_] == '#') {
            skip_line();
            continue;
        }
        const bool good = read_row() && row_is_clean();
        const bool blank = cells_.size() == 1 && cells_[0].value.empty() &&
                           (cells_[0].offset >= text_.size() || text_[cells_[0].offset] != '"');
        if (good && !blank) {
            return true;
        }
    }
    return false;
}

// Reads cells up to and including the end of the row. False if any of them was bad.
bool CsvReader::read_row() {
    bool good = true;
    while (true) {
        if (cells_.size() == cells_max) {
            complaints_.error(position(at_),
                              fmt::format("the row has more than {} cells", cells_max));
            skip_line();
            return false;
        }
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) {
            ++at_;
        }
        const bool is_quoted = at_ < text_.size() && text_[at_] == '"';
        good = (is_quoted ? read_quoted_cell(at_) : read_plain_cell()) && good;
        if (at_ >= text_.size()) {
            return good;
        }
        if (text_[at_++] == '\n') {
            ++line_;
            return good;
        }
    }
}

bool CsvReader::at_cell_end() const {
    return at_ >= text_.size() || text_[at_] == ',' || text_[at_] == '\n';
}

void CsvReader::skip_cell() {
    while (!at_cell_end()) {
        ++at_;
    }
}

void CsvReader::skip_line() {
    const size_t end = text_.find('\n', at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
    ++line_;
}

bool CsvReader::read_plain_cell() {
    const size_t offset = at_;
    while (!at_cell_end() && text_[at_] != '"') {
        ++at_;
    }
    if (!at_cell_end()) {
        complaints_.error(position(at_),
                          "a quote inside a cell that is not quoted, expected the whole cell in "
                          "quotes and this quote doubled");
        skip_cell();
        cells_.push_back({{}, offset});
        return false;
    }
    std::string_view value = text_.substr(offset, at_ - offset);
    const bool ends_row = at_ >= text_.size() || text_[at_] == '\n';
    if (ends_row && value.ends_with('\r')) {
        value.remove_suffix(1);
    }
    cells_.push_back({trimmed(value), offset});
    return true;
}

bool CsvReader::read_quoted_cell(size_t offset) {
    ++at_;
    size_t from = at_;
    std::string* joined = nullptr;
    while (true) {
        const size_t quote = text_.find('"', at_);
        if (quote == std::string_view::npos) {
            complaints_.error(
                position(offset),
                "this quote is never closed, expected a quote at the end of the cell");
            at_ = text_.size();
            cells_.push_back({{}, offset});
            return false;
        }
        at_ = quote + 1;
        if (at_ >= text_.size() || text_[at_] != '"') {
            break;
        }
        if (joined == nullptr) {
            joined = &unescaped_.emplace_back();
        }
        joined->append(text_, from, at_ - from);  // with one of the two quotes
        from = ++at_;
    }
    std::string_view value = text_.substr(from, at_ - 1 - from);
    if (joined != nullptr) {
        value = joined->append(value);
    }
    line_ += static_cast<uint32_t>(std::count(text_.data() + offset, text_.data() + at_, '\n'));
    cells_.push_back({value, offset});
    while (!at_cell_end() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r')) {
        ++at_;
    }
    if (at_cell_end()) {
        return true;
    }
    complaints_.error(position(at_),
                      "text after the closing quote, expected a comma or the end of the row");
    skip_cell();
    return false;
}

// UTF-8 throughout, and no control characters but tabs and line ends: they are never meant, and a
// NUL would cut an expression short.
bool CsvReader::row_is_clean() {
    std::string_view row = text_.substr(row_offset_, at_ - row_offset_);
    if (row.ends_with('\n')) {
        row.remove_suffix(1);
    }
    bool plain = true;  // nearly all rows: without a branch an octet, so that it is vectorised
    for (const char c : row) {
        plain &= (c >= 0x20) & (c < 0x7F);
    }
    if (plain) {
        return true;
    }
    if (const size_t bad = find_bad_utf8(row); bad != std::string_view::npos) {
        complaints_.error(position(row_offset_ + bad),
                          fmt::format("octet 0x{:02X} is not UTF-8, expected a file in UTF-8",
                                      static_cast<unsigned char>(row[bad])));
        return false;
    }
    for (size_t i = 0; i < row.size(); ++i) {
        const auto octet = static_cast<unsigned char>(row[i]);
        if (octet >= 0x20 || octet == '\t' || octet == '\n') [[likely]] {
            continue;
        }
        const bool line_end = octet == '\r' && (i + 1 == row.size() || row[i + 1] == '\n');
        if (!line_end) {
            complaints_.error(position(row_offset_ + i),
                              fmt::format("control character 0x{:02X}, expected text", octet));
            return false;
        }
    }
    return true;
}

Position CsvReader::position(size_t offset) const {
    Position out{row_line_, 1};
    for (size_t i = row_offset_; i < offset && i < text_.size(); ++i) {
        if (text_[i] == '\n') {
            ++out.line;
            out.column = 1;
        } else if ((static_cast<unsigned char>(text_[i]) & 0xC0) != 0x80) {
            ++out.column;
        }
    }
    return out;
}

Position CsvReader::position(const Cell& cell, std::string_view part) const {
    const bool own = std::less_equal<>{}(text_.data(), part.data()) &&
                     std::less_equal<>{}(part.data(), text_.data() + text_.size());
    return position(own ? static_cast<size_t>(part.data() - text_.data()) : cell.offset);
}

CsvTable::CsvTable(std::string_view text,
                   std::span<const CsvColumn> columns,
                   Complaints& complaints)
    : columns_(columns),
      complaints_(complaints),
      reader_(text, complaints),
      cell_of_(columns.size(), absent) {
    read_header();
}

CsvTable::CsvTable(const CsvTable& header, const CsvPart& part, Complaints& complaints)
    : columns_(header.columns_),
      complaints_(complaints),
      reader_(part.text, complaints, part.first_line),
      cell_of_(header.cell_of_),
      width_(header.width_) {}

std::vector<CsvPart> CsvTable::parts() const {
    constexpr size_t part_octets = size_t{4} << 20;
    std::string_view rest = width_ == 0 ? std::string_view{} : reader_.rest();
    const bool quotes = rest.find('"') != std::string_view::npos;
    std::vector<CsvPart> parts;
    while (!rest.empty()) {
        size_t end =
            quotes || rest.size() <= part_octets ? rest.size() : rest.find('\n', part_octets);
        end = end == std::string_view::npos ? rest.size() : std::min(end + 1, rest.size());
        parts.push_back({rest.substr(0, end), 0});
        rest.remove_prefix(end);
    }
    tbb::parallel_for(size_t{0}, parts.size(), [&](size_t i) {
        parts[i].first_line = static_cast<uint32_t>(std::ranges::count(parts[i].text, '\n'));
    });
    uint32_t line = reader_.rest_line();
    for (CsvPart& part : parts) {
        line += std::exchange(part.first_line, line);
    }
    return parts;
}

void CsvTable::read_header() {
    std::vector<std::string_view> known;
    for (const CsvColumn& column : columns_) {
        if (column.available) {
            known.push_back(column.name);
        }
    }
    const bool read = reader_.next();
    if (complaints_.any_error()) {
        return;  // the header itself cannot be read: the rows would mean nothing
    }
    if (!read) {
        complaints_.error(
            {1, 1}, fmt::format("no header row, expected column names out of {}", joined(known)));
        return;
    }
    const auto cells = reader_.cells();
    width_ = cells.size();
    for (size_t i = 0; i < cells.size(); ++i) {
        const std::string_view name = cells[i].value;
        const Position at = reader_.position(cells[i].offset);
        const auto found = std::find_if(columns_.begin(), columns_.end(),
                                        [&](const CsvColumn& c) { return c.name == name; });
        if (found == columns_.end()) {
            complaints_.error_with_hint(at, fmt::format("unknown column {}", in_quotes(name)), name,
                                        known);
            continue;
        }
        if (!found->available) {
            complaints_.error(at, fmt::format("column '{}' is not available in this version, "
                                              "expected it to be left out",
                                              name));
        }
        size_t& cell = cell_of_[static_cast<size_t>(found - columns_.begin())];
        if (cell != absent) {
            complaints_.error(at, fmt::format("column '{}' is named twice", name));
        }
        cell = i;
    }
}

bool CsvTable::next() {
    while (width_ != 0 && reader_.next()) {
        const auto cells = reader_.cells();
        if (cells.size() == width_) {
            return true;
        }
        const size_t place = std::min(width_, cells.size() - 1);
        complaints_.error(reader_.position(cells[place].offset),
                          fmt::format("the row has {} cells, expected {} as in the header",
                                      cells.size(), width_));
    }
    return false;
}

std::string_view CsvTable::cell(size_t column) const {
    return has(column) ? reader_.cells()[cell_of_[column]].value : std::string_view{};
}

Position CsvTable::at(size_t column) const {
    if (!has(column)) {
        return {reader_.line(), 1};
    }
    return reader_.position(reader_.cells()[cell_of_[column]].offset);
}

Position CsvTable::at(size_t column, std::string_view part) const {
    if (!has(column)) {
        return {reader_.line(), 1};
    }
    return reader_.position(reader_.cells()[cell_of_[column]], part);
}

}  // namespace sy::config
