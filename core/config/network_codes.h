// What networks.csv and ported.csv have in common: MCCMNCs as small integers, and rows read in
// parallel. Control plane only.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include "core/base/release.h"
#include "core/config/csv.h"
#include "core/config/parse.h"

namespace sy::config {

/// 5 or 6 digits as one integer that keeps "23410" and "023410" apart.
inline constexpr uint32_t network_codes = 1'100'000;
[[nodiscard]] inline std::optional<uint32_t> network_code(std::string_view mccmnc) {
    constexpr uint32_t six_digits_from = 100'000;
    if ((mccmnc.size() != 5 && mccmnc.size() != 6) || !is_digits(mccmnc)) {
        return std::nullopt;
    }
    uint32_t value = 0;
    for (const char c : mccmnc) {
        value = value * 10 + static_cast<uint32_t>(c - '0');
    }
    return value + (mccmnc.size() == 6 ? six_digits_from : 0);
}

/// The cell's code; none (and a complaint) if it is not one.
[[nodiscard]] inline std::optional<uint32_t> read_network_code(CsvTable& table, size_t column) {
    const std::string_view cell = table.cell(column);
    const auto code = network_code(cell);
    if (!code) {
        table.complaints().error(
            table.at(column),
            fmt::format("mccmnc is {}, expected 5 or 6 digits like 23410", in_quotes(cell)));
    }
    return code;
}

/// Reads the rows behind the header in parallel, `read_part(table, part)` for each part into its
/// own object, and returns these in the order of the file. Complaints come together in order too.
/// `done(text)`: of a part that nobody will read again.
template <class Part, class ReadPart, class Done>
[[nodiscard]] std::vector<Part> read_parts(const CsvTable& header,
                                           Complaints& complaints,
                                           const ReadPart& read_part,
                                           const Done& done) {
    const std::vector<CsvPart> texts = header.parts();
    std::vector<Part> parts(texts.size());
    std::vector<Complaints> of_parts(texts.size(), Complaints(complaints.file()));
    tbb::parallel_for(size_t{0}, texts.size(), [&](size_t i) {
        CsvTable table(header, texts[i], of_parts[i]);
        read_part(table, parts[i]);
        done(texts[i].text);
    });
    for (const Complaints& each : of_parts) {
        complaints.take(each);
    }
    return parts;
}

template <class Part, class ReadPart>
[[nodiscard]] std::vector<Part> read_parts(const CsvTable& header,
                                           Complaints& complaints,
                                           const ReadPart& read_part) {
    return read_parts<Part>(header, complaints, read_part, [](std::string_view) {});
}

/// One vector out of those of the parts.
template <class Row, class Part>
[[nodiscard]] std::vector<Row> joined_rows(std::vector<Part>& parts) {
    size_t count = 0;
    for (const Part& part : parts) {
        count += part.rows.size();
    }
    std::vector<Row> rows;
    rows.reserve(count);
    for (Part& part : parts) {
        rows.insert(rows.end(), part.rows.begin(), part.rows.end());
        return_pages(part.rows.data(), part.rows.size() * sizeof(Row));
        release(part.rows);
    }
    constexpr size_t worth_returning_bytes = size_t{32} << 20;
    if (count * sizeof(Row) >= worth_returning_bytes) {
        return_free_memory();  // before the tables are built from them
    }
    return rows;
}

/// Of rows for the same key the first stays; the others are complained about: an error where they
/// contradict it. REQUIRES: sorted, equal keys by line.
template <class Row, class Same, class AnswerOf>
void drop_repeated(std::vector<Row>& rows,
                   const Same& same,
                   const AnswerOf& answer_of,
                   Complaints& complaints) {
    size_t kept = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
        if (kept > 0 && same(rows[kept - 1], rows[i])) {
            const Row& first = rows[kept - 1];
            if (answer_of(first) == answer_of(rows[i])) {
                complaints.warning(
                    {rows[i].line, 1},
                    fmt::format("the row does nothing: line {} says the same", first.line));
            } else {
                complaints.error({rows[i].line, 1},
                                 fmt::format("the row contradicts line {}, which has another "
                                             "mccmnc, expected one network for it",
                                             first.line));
            }
            continue;
        }
        rows[kept++] = rows[i];
    }
    rows.resize(kept);
}

}  // namespace sy::config
