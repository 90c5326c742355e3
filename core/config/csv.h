// CSV as the route tables use it: RFC 4180 quoting, UTF-8 with or without a byte order mark, LF or
// CRLF, lines that start with '#' are comments, empty lines are skipped, blanks around a cell do
// not count (inside quotes they do). The first row names the columns. Control plane only.
//
// Cells are views into the text (or, where a quoted cell holds doubled quotes, into the reader) and
// live until the next row is read. A row that cannot be read is complained about and passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/complaints.h"

namespace sy::config {

class CsvReader {
  public:
    static constexpr size_t cells_max = 64;  // a row; tables have at most 16 columns

    struct Cell {
        std::string_view value;
        size_t offset;  // of its first octet in the text, an opening quote included
    };

    /// `first_line` is above 1 where the text is a later part of a file.
    CsvReader(std::string_view text, Complaints& complaints, uint32_t first_line = 1);

    /// Reads the next whole row; false at the end of the text.
    [[nodiscard]] bool next();
    [[nodiscard]] std::span<const Cell> cells() const { return cells_; }
    [[nodiscard]] uint32_t line() const { return row_line_; }
    /// What stands behind the current row, and the line that it begins with.
    [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
    [[nodiscard]] uint32_t rest_line() const { return line_; }
    /// Of an octet of the current row.
    [[nodiscard]] Position position(size_t offset) const;
    /// Of a part of a cell's value; of the cell where the value is not the text's own.
    [[nodiscard]] Position position(const Cell& cell, std::string_view part) const;

  private:
    [[nodiscard]] bool read_row();
    [[nodiscard]] bool read_plain_cell();
    [[nodiscard]] bool read_quoted_cell(size_t offset);
    [[nodiscard]] bool row_is_clean();
    void skip_line();
    void skip_cell();
    [[nodiscard]] bool at_cell_end() const;

    std::string_view text_;
    Complaints& complaints_;
    std::vector<Cell> cells_;
    std::deque<std::string> unescaped_;  // of this row; a deque does not move its elements
    size_t at_ = 0;
    size_t row_offset_ = 0;
    uint32_t line_ = 1;
    uint32_t row_line_ = 1;
};

struct CsvColumn {
    std::string_view name;
    bool available = true;  // false: DESIGN knows it, this version does not
};

/// Some rows of a file.
struct CsvPart {
    std::string_view text;
    uint32_t first_line = 1;
};

/// Rows by named columns, which are indexes into the list that the constructor was given.
class CsvTable {
  public:
    CsvTable(std::string_view text, std::span<const CsvColumn> columns, Complaints& complaints);
    /// A part of the rows behind `header`'s.
    CsvTable(const CsvTable& header, const CsvPart& part, Complaints& complaints);
    /// The rows behind the current one in parts that can be read at the same time: cut at ends of
    /// lines, or one part where a quote could hold a line end. An unreadable header has no rows.
    [[nodiscard]] std::vector<CsvPart> parts() const;

    [[nodiscard]] bool next();
    [[nodiscard]] uint32_t line() const { return reader_.line(); }
    [[nodiscard]] bool has(size_t column) const { return cell_of_[column] != absent; }
    /// Empty where the column was left out.
    [[nodiscard]] std::string_view cell(size_t column) const;
    [[nodiscard]] Position at(size_t column) const;
    /// `part` lies in cell(column).
    [[nodiscard]] Position at(size_t column, std::string_view part) const;
    [[nodiscard]] Complaints& complaints() { return complaints_; }

  private:
    static constexpr size_t absent = static_cast<size_t>(-1);

    void read_header();

    std::span<const CsvColumn> columns_;
    Complaints& complaints_;
    CsvReader reader_;
    std::vector<size_t> cell_of_;  // by column
    size_t width_ = 0;             // cells in the header
};

}  // namespace sy::config
