// The CSV reader alone: what becomes of quotes, blanks, line ends and comments.
#include "core/config/csv.h"

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::config {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows read_rows(std::string_view text, std::vector<Diagnostic>* diagnostics = nullptr) {
    Complaints complaints("t.csv");
    CsvReader reader(text, complaints);
    Rows rows;
    while (reader.next()) {
        auto& row = rows.emplace_back();
        for (const CsvReader::Cell& cell : reader.cells()) {
            row.emplace_back(cell.value);
        }
    }
    if (diagnostics != nullptr) {
        complaints.append_to(*diagnostics);
    } else {
        EXPECT_FALSE(complaints.any_error());
    }
    return rows;
}

TEST(CsvReader, ReadsPlainCells) {
    EXPECT_EQ(read_rows("a,b\n1,\n,2"), (Rows{{"a", "b"}, {"1", ""}, {"", "2"}}));
}

TEST(CsvReader, DropsBlanksAroundCellsButNotInsideQuotes) {
    EXPECT_EQ(read_rows(" a ,\tb\t, \" c \" \n"), (Rows{{"a", "b", " c "}}));
}

TEST(CsvReader, ReadsQuotedCommasQuotesAndLineEnds) {
    EXPECT_EQ(read_rows("\"a,b\",\"say \"\"hi\"\"\",\"x\r\ny\"\n\"\"\"\",\"\",\"\"\"a\"\n"),
              (Rows{{"a,b", "say \"hi\"", "x\r\ny"}, {"\"", "", "\"a"}}));
}

TEST(CsvReader, AcceptsCrlfByteOrderMarkAndNoFinalLineEnd) {
    EXPECT_EQ(read_rows("\xEF\xBB\xBF"
                        "a,b\r\n\"1\",2\r\n3,\"4\"\r"),
              (Rows{{"a", "b"}, {"1", "2"}, {"3", "4"}}));
}

TEST(CsvReader, PassesOverCommentsAndEmptyLines) {
    EXPECT_EQ(read_rows("# a \"comment\n\na\n  \r\n#\nb,#c\n\"\"\n#"),
              (Rows{{"a"}, {"b", "#c"}, {""}}));
}

TEST(CsvReader, GoesOnBehindABadRow) {
    std::vector<Diagnostic> diagnostics;
    EXPECT_EQ(read_rows("a\nb\"\n\"c\"d,e\nf\xC0\ng\n", &diagnostics), (Rows{{"a"}, {"g"}}));
    ASSERT_EQ(diagnostics.size(), 3u);
    EXPECT_EQ(diagnostics[0].line, 2u);
    EXPECT_EQ(diagnostics[1].line, 3u);
    EXPECT_EQ(diagnostics[2].line, 4u);
    EXPECT_EQ(diagnostics[2].column, 2u);
}

TEST(CsvReader, RefusesARowWithTooManyCells) {
    std::vector<Diagnostic> diagnostics;
    const std::string wide(CsvReader::cells_max, ',');
    EXPECT_EQ(read_rows(wide + "\na\n", &diagnostics), (Rows{{"a"}}));
    ASSERT_EQ(diagnostics.size(), 1u);
    EXPECT_EQ(diagnostics[0].text, "the row has more than 64 cells");
}

// Law: what is written with every cell quoted reads back as it was.
TEST(CsvReader, ReadsBackWhatWasQuoted) {
    Prng prng(7);
    constexpr std::string_view letters = "ab,\"\n #\t\xC3\xA9";
    for (int round = 0; round < 2000; ++round) {
        Rows rows(1 + prng.below(4), std::vector<std::string>(1 + prng.below(4)));
        std::string text;
        for (auto& row : rows) {
            for (auto& cell : row) {
                for (uint64_t i = prng.below(6); i > 0; --i) {
                    const size_t at = prng.below(letters.size() - 1);
                    cell += letters.substr(at, at == letters.size() - 2 ? 2 : 1);
                }
                text += "\"";
                for (const char c : cell) {
                    text += c == '"' ? std::string("\"\"") : std::string(1, c);
                }
                text += &cell == &row.back() ? "\"\n" : "\",";
            }
        }
        ASSERT_EQ(read_rows(text), rows) << text;
    }
}

}  // namespace
}  // namespace sy::config
