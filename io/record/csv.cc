#include "io/record/csv.h"

#include <array>
#include <string_view>

#include "core/smpp/receipt.h"
#include "io/record/words.h"

namespace sy::record {
namespace {

using engine::Attempt;
using engine::Record;
using engine::RecordEnd;
using engine::RecordKind;
using engine::RecordPart;

// In the order in which they stand; put_csv() fills them by these names.
enum class Column : uint8_t {
    record,
    id,
    end,
    status,
    customer,
    supplier,
    supplier_message_id,
    accepted,
    sent,
    settled,
    finished,
    from,
    from_ton,
    from_npi,
    to,
    to_ton,
    to_npi,
    from_number,
    to_number,
    sent_from,
    sent_to,
    network,
    rule,
    targets,
    price,
    currency,
    data_coding,
    esm_class,
    length,
    part_reference,
    part_total,
    part_sequence,
    udh,
    tlvs,
    text,
    state,
    error,
    delay_us,
    marks,
    attempts,
    earlier_attempts,
    count,
};
constexpr size_t columns = static_cast<size_t>(Column::count) + 1;
constexpr std::array<std::string_view, columns> column_names{"record",
                                                             "id",
                                                             "end",
                                                             "status",
                                                             "customer",
                                                             "supplier",
                                                             "supplier_message_id",
                                                             "accepted",
                                                             "sent",
                                                             "settled",
                                                             "finished",
                                                             "from",
                                                             "from_ton",
                                                             "from_npi",
                                                             "to",
                                                             "to_ton",
                                                             "to_npi",
                                                             "from_number",
                                                             "to_number",
                                                             "sent_from",
                                                             "sent_to",
                                                             "network",
                                                             "rule",
                                                             "targets",
                                                             "price",
                                                             "currency",
                                                             "data_coding",
                                                             "esm_class",
                                                             "length",
                                                             "part_reference",
                                                             "part_total",
                                                             "part_sequence",
                                                             "udh",
                                                             "tlvs",
                                                             "text",
                                                             "state",
                                                             "error",
                                                             "delay_us",
                                                             "marks",
                                                             "attempts",
                                                             "earlier_attempts",
                                                             "count"};

// One row: cells in any order, then written out in theirs.
class Row {
  public:
    std::string& operator[](Column column) { return cells_[static_cast<size_t>(column)]; }

    void write(std::string& out) const {
        for (size_t i = 0; i < columns; ++i) {
            if (i > 0) {
                out += ',';
            }
            put_cell(out, cells_[i]);
        }
        out += '\n';
    }

  private:
    // RFC 4180 section 2: quotes around what has a comma, a quote or a line end; quotes doubled.
    static void put_cell(std::string& out, std::string_view cell) {
        if (cell.find_first_of(",\"\r\n") == std::string_view::npos) {
            out += cell;
            return;
        }
        out += '"';
        for (const char c : cell) {
            if (c == '"') {
                out += '"';
            }
            out += c;
        }
        out += '"';
    }

    std::array<std::string, columns> cells_;
};

std::string_view party(const Record& record, uint16_t id_value, const Names& names) {
    return record.kind == RecordKind::mt ? names.supplier(SupplierId{id_value})
                                         : names.customer(CustomerId{id_value});
}

void put_optional_time(std::string& out, const Record& record, Nanos mono_ns) {
    if (mono_ns != 0) {
        put_time(out, record.wall_of(mono_ns));
    }
}

// "alpha RTHROTTLED 2026-...Z 2026-...Z": whom, how it ended, when sent and settled.
void put_attempt(std::string& out,
                 const Record& record,
                 const Attempt& attempt,
                 const Names& names) {
    out += party(record, attempt.party, names);
    out += ' ';
    if (attempt.sent_ns == 0) {
        out += "not_sent ";
    } else if (attempt.outcome != engine::Outcome::answered) {
        out += outcome_word(attempt.outcome);
        out += ' ';
    }
    put_status(out, attempt.status);
    for (const Nanos at : {attempt.sent_ns, attempt.settled_ns}) {
        if (at != 0) {
            out += ' ';
            put_time(out, record.wall_of(at));
        }
    }
}

void put_attempts(Row& row, const Record& record, const Names& names) {
    put_number(row[Column::attempts], record.attempts.size() + record.attempts_overwritten);
    if (record.attempts.empty()) {
        return;
    }
    const Attempt& last = record.attempts.back();
    put_optional_time(row[Column::sent], record, last.sent_ns);
    put_optional_time(row[Column::settled], record, last.settled_ns);
    put_utf8(row[Column::supplier_message_id], last.id_text());
    std::string& earlier = row[Column::earlier_attempts];
    for (const Attempt& attempt : record.attempts.first(record.attempts.size() - 1)) {
        earlier += earlier.empty() ? "" : " | ";
        put_attempt(earlier, record, attempt, names);
    }
}

void put_addresses(Row& row, const Record& record) {
    put_utf8(row[Column::from], record.chars(RecordPart::source));
    put_number(row[Column::from_ton], record.source_ton);
    put_number(row[Column::from_npi], record.source_npi);
    put_utf8(row[Column::to], record.chars(RecordPart::destination));
    put_number(row[Column::to_ton], record.destination_ton);
    put_number(row[Column::to_npi], record.destination_npi);
    put_utf8(row[Column::from_number], record.chars(RecordPart::source_number));
    put_utf8(row[Column::to_number], record.chars(RecordPart::destination_number));
    put_utf8(row[Column::sent_from], record.chars(RecordPart::sent_source));
    put_utf8(row[Column::sent_to], record.chars(RecordPart::sent_destination));
}

void put_content(Row& row, const Record& record) {
    put_number(row[Column::data_coding], record.data_coding);
    put_number(row[Column::esm_class], record.esm_class);
    put_number(row[Column::length], record.text_octets);
    if (record.part_total > 0) {
        put_number(row[Column::part_reference], record.part_reference);
        put_number(row[Column::part_total], record.part_total);
        put_number(row[Column::part_sequence], record.part_sequence);
    }
    put_hex(row[Column::udh], record.part(RecordPart::udh));
    std::string& chosen = row[Column::tlvs];
    for (const smpp::Tlv& tlv : smpp::TlvRange(record.part(RecordPart::tlvs))) {
        chosen += chosen.empty() ? "" : " ";
        put_tag(chosen, tlv.tag);
        chosen += '=';
        put_hex(chosen, tlv.value);
    }
    const Octets octets = record.part(RecordPart::text);
    if (!octets.empty() && !put_text(row[Column::text], record)) {
        row[Column::text] += "hex:";
        put_hex(row[Column::text], octets);
    }
}

void put_marks(Row& row, const Record& record) {
    const auto mark = [&](bool is_set, std::string_view word) {
        if (is_set) {
            row[Column::marks] += row[Column::marks].empty() ? "" : " ";
            row[Column::marks] += word;
        }
    };
    mark(record.resent, "resent");
    mark(record.is_reply, "reply");
    mark(record.is_data_sm, "data_sm");
    mark(record.is_multi, "submit_multi");
    mark(record.rerouted, "rerouted");
    mark(record.settles, "settles");
    mark(record.intermediate, "intermediate");
    mark(record.per_delivery, "price_per_delivery");
}

void put_message(Row& row, const Record& record, const Names& names) {
    put_time(row[Column::accepted], record.wall_of(record.accepted_ns));
    put_status(row[Column::status], record.status);
    if (record.rule_line > 0) {
        put_number(row[Column::rule], record.rule_line);
    }
    for (const uint16_t target : record.targets) {
        row[Column::targets] += row[Column::targets].empty() ? "" : " ";
        row[Column::targets] += party(record, target, names);
    }
    if (record.has_price) {
        put_price(row[Column::price], record.price_nanos);
        row[Column::currency] =
            std::string_view(record.currency.data(), strnlen(record.currency.data(), 3));
    }
    put_content(row, record);
    put_attempts(row, record, names);
}

void put_receipt(Row& row, const Record& record) {
    put_utf8(row[Column::supplier_message_id], record.chars(RecordPart::supplier_id));
    row[Column::state] = smpp::stat_word(static_cast<smpp::MessageState>(record.receipt_state));
    put_number(row[Column::error], record.receipt_error);
    const Nanos received_ns = record.wall_of(record.accepted_ns);
    put_time(row[Column::accepted], received_ns);
    if (record.end != RecordEnd::orphaned && received_ns >= record.submitted_wall_ns) {
        put_number(row[Column::delay_us],
                   (received_ns - record.submitted_wall_ns) / microsecond_ns);
    }
}

}  // namespace

std::string csv_header() {
    std::string header;
    for (const std::string_view name : column_names) {
        header += header.empty() ? "" : ",";
        header += name;
    }
    return header + '\n';
}

void put_csv(std::string& out, const Record& record, const Names& names) {
    Row row;
    const bool is_receipt = record.kind == RecordKind::receipt;
    const bool is_orphan = is_receipt && record.end == RecordEnd::orphaned;
    row[Column::record] = kind_word(record.kind);
    row[Column::end] = end_word(record.end);
    row[Column::customer] = names.customer(record.customer);
    row[Column::supplier] = names.supplier(record.supplier);
    put_time(row[Column::finished], record.finished_wall_ns);
    if (!is_orphan) {
        put_id(row[Column::id], record);
        put_addresses(row, record);
        row[Column::network] = names.network(record.network);
    }
    if (is_receipt) {
        put_receipt(row, record);
    } else {
        put_message(row, record, names);
    }
    put_marks(row, record);
    row.write(out);
}

void put_csv_lost(std::string& out, uint64_t lost, Nanos wall_ns) {
    Row row;
    row[Column::record] = "lost";
    put_number(row[Column::count], lost);
    put_time(row[Column::finished], wall_ns);
    row.write(out);
}

}  // namespace sy::record
