#include "io/record/json.h"

#include "core/smpp/receipt.h"
#include "core/smpp/tlv.h"
#include "core/text/utf8.h"
#include "io/record/words.h"

namespace sy::record {
namespace {

using engine::Attempt;
using engine::Record;
using engine::RecordEnd;
using engine::RecordKind;
using engine::RecordPart;

void put_escaped(std::string& out, unsigned char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    if (c == '"' || c == '\\') {
        out += '\\';
        out += static_cast<char>(c);
        return;
    }
    out += "\\u00";
    out += digits[c >> 4];
    out += digits[c & 0xF];
}

// RFC 8259 section 7; what is no UTF-8 becomes U+FFFD.
void put_string(std::string& out, std::string_view text) {
    out += '"';
    size_t plain = 0;
    for (size_t at = 0; at < text.size();) {
        const auto c = static_cast<unsigned char>(text[at]);
        if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') [[likely]] {
            ++at;
            continue;
        }
        out += text.substr(plain, at - plain);
        const size_t count = text::character_octets(text, at);
        if (count > 1) {
            out += text.substr(at, count);
        } else if (count == 1) {
            put_escaped(out, c);
        } else {
            out += "\xEF\xBF\xBD";
        }
        at += count > 0 ? count : 1;
        plain = at;
    }
    out += text.substr(plain);
    out += '"';
}

// An object that is being written; commas are its business.
class Object {
  public:
    explicit Object(std::string& out) : out_(out) { out_ += '{'; }
    void end() { out_ += '}'; }

    std::string& key(std::string_view name) {
        if (!first_) {
            out_ += ',';
        }
        first_ = false;
        out_ += '"';
        out_ += name;
        out_ += "\":";
        return out_;
    }
    void string(std::string_view name, std::string_view value) { put_string(key(name), value); }
    void named(std::string_view name, std::string_view value) {
        if (!value.empty()) {
            string(name, value);
        }
    }
    void number(std::string_view name, uint64_t value) { put_number(key(name), value); }
    void time(std::string_view name, Nanos wall_ns) {
        std::string& out = key(name);
        out += '"';
        put_time(out, wall_ns);
        out += '"';
    }
    void status(std::string_view name, smpp::CommandStatus status) {
        std::string& out = key(name);
        out += '"';
        put_status(out, status);
        out += '"';
    }
    void hex(std::string_view name, Octets octets) {
        std::string& out = key(name);
        out += '"';
        put_hex(out, octets);
        out += '"';
    }
    void mark(std::string_view name, bool is_set) {
        if (is_set) {
            key(name) += "true";
        }
    }

  private:
    std::string& out_;
    bool first_ = true;
};

void put_address(
    Object& in, std::string_view name, uint8_t ton, uint8_t npi, std::string_view digits) {
    Object address(in.key(name));
    address.number("ton", ton);
    address.number("npi", npi);
    address.string("addr", digits);
    address.end();
}

void put_addresses(Object& line, const Record& record) {
    put_address(line, "from", record.source_ton, record.source_npi,
                record.chars(RecordPart::source));
    put_address(line, "to", record.destination_ton, record.destination_npi,
                record.chars(RecordPart::destination));
    line.named("from_number", record.chars(RecordPart::source_number));
    line.named("to_number", record.chars(RecordPart::destination_number));
    if (record.has_sent) {
        put_address(line, "sent_from", record.sent_source_ton, record.sent_source_npi,
                    record.chars(RecordPart::sent_source));
        put_address(line, "sent_to", record.sent_destination_ton, record.sent_destination_npi,
                    record.chars(RecordPart::sent_destination));
    }
}

std::string_view party(const Record& record, uint16_t id, const Names& names) {
    return record.kind == RecordKind::mt ? names.supplier(SupplierId{id})
                                         : names.customer(CustomerId{id});
}

void put_targets(Object& line, const Record& record, const Names& names) {
    if (record.targets.empty()) {
        return;
    }
    std::string& out = line.key("targets");
    char before = '[';
    for (const uint16_t id : record.targets) {
        out += before;
        put_string(out, party(record, id, names));
        before = ',';
    }
    out += ']';
}

void put_attempts(Object& line, const Record& record, const Names& names) {
    std::string& out = line.key("attempts");
    out += '[';
    bool first = true;
    for (const Attempt& attempt : record.attempts) {
        if (!first) {
            out += ',';
        }
        first = false;
        Object one(out);
        one.string(record.kind == RecordKind::mt ? "supplier" : "customer",
                   party(record, attempt.party, names));
        if (attempt.sent_ns != 0) {
            one.time("sent", record.wall_of(attempt.sent_ns));
        }
        if (attempt.settled_ns != 0) {
            one.time("settled", record.wall_of(attempt.settled_ns));
            one.status("status", attempt.status);
        }
        one.string("outcome", attempt.sent_ns == 0 ? "not_sent" : outcome_word(attempt.outcome));
        one.named("message_id", attempt.id_text());
        one.end();
    }
    out += ']';
    if (record.attempts_overwritten > 0) {
        line.number("attempts_left_out", record.attempts_overwritten);
    }
}

// A list: a tag may be there more than once.
void put_tlvs(Object& line, Octets stream) {
    std::string& out = line.key("tlvs");
    char before = '[';
    for (const smpp::Tlv& tlv : smpp::TlvRange(stream)) {
        out += before;
        before = ',';
        std::string tag;
        put_tag(tag, tlv.tag);
        Object one(out);
        one.string("tag", tag);
        one.hex("value", tlv.value);
        one.end();
    }
    out += before == '[' ? "[]" : "]";
}

void put_content(Object& line, const Record& record) {
    line.number("data_coding", record.data_coding);
    line.number("esm_class", record.esm_class);
    line.number("length", record.text_octets);
    if (record.part_total > 0) {
        Object part(line.key("part"));
        part.number("reference", record.part_reference);
        part.number("total", record.part_total);
        part.number("sequence", record.part_sequence);
        part.end();
    }
    if (!record.part(RecordPart::udh).empty()) {
        line.hex("udh", record.part(RecordPart::udh));
    }
    if (!record.part(RecordPart::tlvs).empty()) {
        put_tlvs(line, record.part(RecordPart::tlvs));
    }
    if (!record.part(RecordPart::text).empty()) {
        std::string text;
        if (put_text(text, record)) {
            line.string("text", text);
        } else {
            line.hex("text_hex", record.part(RecordPart::text));
        }
    }
}

void put_message(Object& line, const Record& record, const Names& names) {
    line.time("accepted", record.wall_of(record.accepted_ns));
    line.time("finished", record.finished_wall_ns);
    line.status("status", record.status);
    put_addresses(line, record);
    line.named("network", names.network(record.network));
    if (record.rule_line > 0) {
        line.number("rule", record.rule_line);
    }
    put_targets(line, record, names);
    if (record.has_price) {
        put_price(line.key("price"), record.price_nanos);
        line.named("currency", {record.currency.data(), strnlen(record.currency.data(), 3)});
        line.mark("price_per_delivery", record.per_delivery);
    }
    put_content(line, record);
    line.mark("resent", record.resent);
    line.mark("reply", record.is_reply);
    line.mark("data_sm", record.is_data_sm);
    line.mark("submit_multi", record.is_multi);
    line.mark("rerouted", record.rerouted);
    line.mark("settles", record.settles);
    put_attempts(line, record, names);
}

void put_receipt(Object& line, const Record& record, const Names& names) {
    line.named("supplier_message_id", record.chars(RecordPart::supplier_id));
    line.string("state", smpp::stat_word(static_cast<smpp::MessageState>(record.receipt_state)));
    line.number("error", record.receipt_error);
    line.mark("intermediate", record.intermediate);
    line.mark("settles", record.settles);
    const Nanos received_ns = record.wall_of(record.accepted_ns);
    line.time("received", received_ns);
    line.time("finished", record.finished_wall_ns);
    if (record.end == RecordEnd::orphaned) {
        return;
    }
    line.time("submitted", record.submitted_wall_ns);
    if (received_ns >= record.submitted_wall_ns) {
        line.number("delay_us", (received_ns - record.submitted_wall_ns) / microsecond_ns);
    }
    put_addresses(line, record);
    line.named("network", names.network(record.network));
}

}  // namespace

void put_json(std::string& out, const Record& record, const Names& names) {
    Object line(out);
    line.string("record", kind_word(record.kind));
    if (record.kind != RecordKind::receipt || record.end != RecordEnd::orphaned) {
        std::string& id = line.key("id");
        id += '"';
        put_id(id, record);
        id += '"';
    }
    line.string("end", end_word(record.end));
    line.named("customer", names.customer(record.customer));
    line.named("supplier", names.supplier(record.supplier));
    if (record.kind == RecordKind::receipt) {
        put_receipt(line, record, names);
    } else {
        put_message(line, record, names);
    }
    line.end();
    out += '\n';
}

void put_json_lost(std::string& out, uint64_t count, Nanos wall_ns) {
    Object line(out);
    line.string("record", "lost");
    line.number("count", count);
    line.time("finished", wall_ns);
    line.end();
    out += '\n';
}

}  // namespace sy::record
