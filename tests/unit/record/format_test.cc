// Lines as other programs read them: nlohmann's JSON parser, and CSV by RFC 4180 read slowly.
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/smpp/receipt.h"
#include "io/record/csv.h"
#include "io/record/json.h"
#include "io/record/words.h"

namespace sy::record {
namespace {

using engine::Attempt;
using engine::Record;
using engine::RecordEnd;
using engine::RecordKind;
using engine::RecordPart;
using nlohmann::json;

constexpr Nanos noon_ns = 1'790'000'000 * second_ns + 123'456'789;

Names names() {
    return {{"acme", "bravo"}, {"alpha", "beta"}, {"23410"}};
}

json line_of(const Record& record) {
    std::string line;
    put_json(line, record, names());
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    return json::parse(line);
}

// RFC 4180, one octet at a time: rows of cells.
std::vector<std::vector<std::string>> read_csv(const std::string& text) {
    std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
    bool quoted = false;
    for (size_t i = 0; i < text.size(); ++i) {
        std::string& cell = rows.back().back();
        if (quoted && text[i] == '"' && text[i + 1] == '"') {
            cell += text[i++];
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && text[i] == ',') {
            rows.back().emplace_back();
        } else if (!quoted && text[i] == '\n') {
            rows.emplace_back(1);
        } else {
            cell += text[i];
        }
    }
    EXPECT_FALSE(quoted);
    EXPECT_EQ(rows.back(), std::vector<std::string>(1));  // the last line had its line feed
    rows.pop_back();
    return rows;
}

// The row's cells by the header's names.
std::map<std::string, std::string> row_of(const Record& record) {
    std::string text = csv_header();
    put_csv(text, record, names());
    const auto rows = read_csv(text);
    std::map<std::string, std::string> row;
    EXPECT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows.at(0).size(), rows.at(1).size());
    for (size_t i = 0; i < rows[0].size(); ++i) {
        row[rows[0][i]] = rows[1].at(i);
    }
    EXPECT_EQ(row.size(), rows[0].size());  // no column twice
    return row;
}

// A re-routed message: beta took it, 2 ms after it came.
class FormatTest : public testing::Test {
  protected:
    FormatTest() {
        record.kind = RecordKind::mt;
        record.end = RecordEnd::accepted;
        record.id = 4711;
        record.customer = CustomerId{0};
        record.supplier = SupplierId{1};
        record.network = NetworkId{0};
        record.rule_line = 17;
        record.accepted_ns = 1'000'000;
        record.finished_ns = 3'000'000;
        record.finished_wall_ns = noon_ns;
        record.source_ton = 5;
        record.destination_ton = 1;
        record.destination_npi = 1;
        record.has_sent = true;
        record.has_price = true;
        record.price_nanos = 12'500'000;
        record.currency = {'E', 'U', 'R', '\0'};
        record.text_octets = 8;
        record.resent = true;
        record.set(RecordPart::source, "Shop");
        record.set(RecordPart::destination, "+447700900001");
        record.set(RecordPart::destination_number, "447700900001");
        record.set(RecordPart::sent_source, "Shop");
        record.set(RecordPart::sent_destination, "00447700900001");
        attempts[0].sent_ns = 1'500'000;
        attempts[0].settled_ns = 2'000'000;
        attempts[0].status = smpp::CommandStatus::esme_rmsgqful;
        attempts[0].outcome = engine::Outcome::answered;
        attempts[1].party = 1;
        attempts[1].sent_ns = 2'000'000;
        attempts[1].settled_ns = 3'000'000;
        attempts[1].outcome = engine::Outcome::answered;
        attempts[1].set_id("b-77");
        record.targets = targets;
        record.attempts = attempts;
    }

    Record record;
    std::array<uint16_t, 2> targets{0, 1};
    std::array<Attempt, 2> attempts{};
};

TEST_F(FormatTest, JsonHasEveryField) {
    const json line = line_of(record);
    EXPECT_EQ(line["record"], "mt");
    EXPECT_EQ(line["id"], "4711");
    EXPECT_EQ(line["end"], "accepted");
    EXPECT_EQ(line["status"], "ROK");
    EXPECT_EQ(line["customer"], "acme");
    EXPECT_EQ(line["supplier"], "beta");
    EXPECT_EQ(line["finished"], "2026-09-21T14:13:20.123456Z");
    EXPECT_EQ(line["accepted"], "2026-09-21T14:13:20.121456Z");
    EXPECT_EQ(line["from"], (json{{"ton", 5}, {"npi", 0}, {"addr", "Shop"}}));
    EXPECT_EQ(line["to"]["addr"], "+447700900001");
    EXPECT_EQ(line["to_number"], "447700900001");
    EXPECT_FALSE(line.contains("from_number"));
    EXPECT_EQ(line["sent_to"]["addr"], "00447700900001");
    EXPECT_EQ(line["network"], "23410");
    EXPECT_EQ(line["rule"], 17);
    EXPECT_EQ(line["targets"], (json{"alpha", "beta"}));
    EXPECT_EQ(line["price"], 0.0125);
    EXPECT_EQ(line["currency"], "EUR");
    EXPECT_EQ(line["length"], 8);
    EXPECT_EQ(line["resent"], true);
    EXPECT_FALSE(line.contains("text"));
    ASSERT_EQ(line["attempts"].size(), 2u);
    EXPECT_EQ(line["attempts"][0]["supplier"], "alpha");
    EXPECT_EQ(line["attempts"][0]["status"], "RMSGQFUL");
    EXPECT_FALSE(line["attempts"][0].contains("message_id"));
    EXPECT_EQ(line["attempts"][1]["message_id"], "b-77");
    EXPECT_EQ(line["attempts"][1]["sent"], "2026-09-21T14:13:20.122456Z");
    EXPECT_EQ(line["attempts"][1]["settled"], "2026-09-21T14:13:20.123456Z");
}

TEST_F(FormatTest, CsvHasTheLastAttemptInColumnsAndTheOthersInOne) {
    auto row = row_of(record);
    EXPECT_EQ(row["record"], "mt");
    EXPECT_EQ(row["id"], "4711");
    EXPECT_EQ(row["supplier"], "beta");
    EXPECT_EQ(row["supplier_message_id"], "b-77");
    EXPECT_EQ(row["sent"], "2026-09-21T14:13:20.122456Z");
    EXPECT_EQ(row["settled"], "2026-09-21T14:13:20.123456Z");
    EXPECT_EQ(row["attempts"], "2");
    EXPECT_EQ(row["earlier_attempts"],
              "alpha RMSGQFUL 2026-09-21T14:13:20.121956Z 2026-09-21T14:13:20.122456Z");
    EXPECT_EQ(row["targets"], "alpha beta");
    EXPECT_EQ(row["to"], "+447700900001");
    EXPECT_EQ(row["to_ton"], "1");
    EXPECT_EQ(row["price"], "0.0125");
    EXPECT_EQ(row["rule"], "17");
    EXPECT_EQ(row["network"], "23410");
    EXPECT_EQ(row["marks"], "resent");
    EXPECT_EQ(row["delay_us"], "");
}

TEST_F(FormatTest, PartsUdhTlvsAndTextAreInBoth) {
    record.part_reference = 300;
    record.part_total = 3;
    record.part_sequence = 2;
    record.esm_class = 0x40;
    record.set(RecordPart::udh, std::string_view("\x05\x00\x03\x2a\x02\x01", 6));
    record.set(RecordPart::tlvs, std::string_view("\x14\x00\x00\x02\x01\xff\x14\x00\x00\x00", 10));
    record.set(RecordPart::text, std::string_view("a\x00z \"q\",\x02", 9));  // GSM: @ and $
    const json line = line_of(record);
    EXPECT_EQ(line["part"], (json{{"reference", 300}, {"total", 3}, {"sequence", 2}}));
    EXPECT_EQ(line["udh"], "0500032a0201");
    EXPECT_EQ(line["tlvs"], json::parse(R"([{"tag":"0x1400","value":"01ff"},
                                           {"tag":"0x1400","value":""}])"));
    EXPECT_EQ(line["text"], "a@z \"q\",$");
    auto row = row_of(record);
    EXPECT_EQ(row["part_sequence"], "2");
    EXPECT_EQ(row["udh"], "0500032a0201");
    EXPECT_EQ(row["tlvs"], "0x1400=01ff 0x1400=");
    EXPECT_EQ(row["text"], "a@z \"q\",$");
    record.data_coding = 4;  // binary
    EXPECT_EQ(line_of(record)["text_hex"], "61007a202271222c02");
    EXPECT_EQ(row_of(record)["text"], "hex:61007a202271222c02");
}

TEST_F(FormatTest, AReceiptIsJoinedByOurIdAndTheSuppliers) {
    Record receipt;
    receipt.kind = RecordKind::receipt;
    receipt.end = RecordEnd::delivered;
    receipt.id = 4711;
    receipt.customer = CustomerId{0};
    receipt.supplier = SupplierId{1};
    receipt.receipt_state = static_cast<uint8_t>(smpp::MessageState::undeliverable);
    receipt.receipt_error = 34;
    receipt.accepted_ns = 5'000'000;
    receipt.finished_ns = 5'000'000;
    receipt.finished_wall_ns = noon_ns;
    receipt.submitted_wall_ns = noon_ns - 1'500'000;
    receipt.set(RecordPart::supplier_id, "b-77");
    const json line = line_of(receipt);
    EXPECT_EQ(line["record"], "receipt");
    EXPECT_EQ(line["id"], "4711");
    EXPECT_EQ(line["supplier_message_id"], "b-77");
    EXPECT_EQ(line["state"], "UNDELIV");
    EXPECT_EQ(line["error"], 34);
    EXPECT_EQ(line["delay_us"], 1500);
    EXPECT_EQ(row_of(receipt)["delay_us"], "1500");
    EXPECT_EQ(row_of(receipt)["state"], "UNDELIV");
    receipt.end = RecordEnd::orphaned;
    EXPECT_FALSE(line_of(receipt).contains("id"));
    EXPECT_EQ(row_of(receipt)["id"], "");
}

TEST_F(FormatTest, LostRecordsAreALineOfTheirOwn) {
    std::string line;
    put_json_lost(line, 12, noon_ns);
    EXPECT_EQ(
        json::parse(line),
        (json{{"record", "lost"}, {"count", 12}, {"finished", "2026-09-21T14:13:20.123456Z"}}));
    std::string row;
    put_csv_lost(row, 12, noon_ns);
    EXPECT_TRUE(row.starts_with("lost,,"));
    EXPECT_TRUE(row.ends_with(",12\n"));
}

// Addresses and ids come from peers: any octets.
TEST_F(FormatTest, WhateverPeersWriteTheLinesStayWellFormed) {
    Prng prng(1);
    for (int round = 0; round < 2000; ++round) {
        std::string source(prng.below(20), '\0');
        for (char& c : source) {
            c = static_cast<char>(prng.chance(1, 3) ? "\",\n\r\\|'"[prng.below(7)]
                                                    : static_cast<char>(prng.below(256)));
        }
        record.set(RecordPart::source, std::string_view(source));
        attempts[1].set_id(source);
        std::string clean;
        put_utf8(clean, source);
        const json line = line_of(record);
        EXPECT_EQ(line["from"]["addr"], clean);
        EXPECT_EQ(line["attempts"][1].value("message_id", ""), clean);
        EXPECT_EQ(row_of(record)["supplier_message_id"], clean);
    }
}

TEST(Words, StatusesWithoutANameAreNumbers) {
    std::string out;
    put_status(out, static_cast<smpp::CommandStatus>(0x4A5));
    EXPECT_EQ(out, "0x4a5");
}

TEST(Words, TimesAreUtcToTheMicrosecond) {
    std::string out;
    put_time(out, 951'868'799 * second_ns + 999'999'999);  // the end of a leap day
    EXPECT_EQ(out, "2000-02-29T23:59:59.999999Z");
    out.clear();
    put_file_time(out, 951'868'800 * second_ns);
    EXPECT_EQ(out, "20000301T000000Z");
}

}  // namespace
}  // namespace sy::record
