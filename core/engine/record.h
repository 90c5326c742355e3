// What is handed over of a finished message: plain octets, from the worker that ended it to the
// record thread, through a ring (queue/byte_ring.h). Nothing here formats, allocates or knows a
// name: ids become names where lines are written (io/record). Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/engine/attempt_log.h"
#include "core/engine/message.h"
#include "core/smpp/status.h"
#include "core/text/coding.h"

namespace sy::engine {

enum class RecordKind : uint8_t { mt, mo, copy, receipt };
inline constexpr uint8_t record_kinds = 4;

// How it ended; which of them a kind can have is said behind each.
enum class RecordEnd : uint8_t {
    accepted,    // mt
    rejected,    // mt, mo
    expired,     // mt, receipt
    unknown,     // mt
    dropped,     // mt
    delivered,   // mo, copy, receipt
    lost,        // copy
    refused,     // receipt
    suppressed,  // receipt: the customer did not ask for this state
    duplicate,   // receipt
    orphaned,    // receipt
    postponed,   // mt: not its end, a round over the targets of one taken to store and forward
    late,        // mt: after its end, the response to a submit whose outcome was unknown
    swallowed,   // receipt: failed, and the message goes over its next target
    cancelled,   // mt
};
inline constexpr uint8_t record_ends = 15;

/// The octets that a record carries, in the order in which they stand.
enum class RecordPart : uint8_t {
    source,              // as the customer (MO: the supplier) wrote it
    destination,         // likewise
    source_number,       // normalised, or what the rule put in its place
    destination_number,  // normalised
    sent_source,         // as the last supplier got it
    sent_destination,    // likewise
    supplier_id,         // receipts: the message_id that they name
    udh,
    tlvs,  // the chosen ones
    text,
};
inline constexpr size_t record_parts = 10;

/// The fixed part. Times are monotonic; `finished_wall_ns` is `finished_ns` on the wall clock.
struct RecordHead {
    uint64_t id = 0;  // ours
    Nanos accepted_ns = 0;
    Nanos finished_ns = 0;
    Nanos finished_wall_ns = 0;
    Nanos submitted_wall_ns = 0;  // receipts: of the message
    int64_t price_nanos = 0;
    std::array<uint32_t, record_parts> part_bytes{};  // of each part
    smpp::CommandStatus status{};                     // that was answered
    uint32_t rule_line = 0;                           // of mt.csv or mo.csv; 0: no rule
    uint32_t text_octets = 0;                         // whether or not the text is here
    uint32_t receipt_error = 0;
    CustomerId customer;
    SupplierId supplier;
    NetworkId network;
    uint16_t attempts_overwritten = 0;
    uint16_t part_reference = 0;
    RecordKind kind = RecordKind::mt;
    RecordEnd end = RecordEnd::accepted;
    IdForm id_form = IdForm::decimal;
    text::Alphabet alphabet = text::Alphabet::gsm7;  // what data_coding 0 means
    uint8_t source_ton = 0, source_npi = 0;
    uint8_t destination_ton = 0, destination_npi = 0;
    uint8_t sent_source_ton = 0, sent_source_npi = 0;
    uint8_t sent_destination_ton = 0, sent_destination_npi = 0;
    uint8_t esm_class = 0;
    uint8_t data_coding = 0;
    uint8_t part_total = 0;  // 0: no part of a long message
    uint8_t part_sequence = 0;
    uint8_t receipt_state = 0;
    uint8_t target_count = 0;
    uint8_t attempt_count = 0;
    bool has_sent = false;  // the addresses that went out
    bool has_price = false;
    bool per_delivery = false;  // the price is owed when delivered
    bool resent = false;
    bool is_reply = false;      // an answer of ours to an MO
    bool is_data_sm = false;    // came as data_sm
    bool is_multi = false;      // a destination of a submit_multi
    bool rerouted = false;      // after a receipt that failed or did not come
    bool settles = false;       // of a message whose submit had no response
    bool intermediate = false;  // receipts
    std::array<char, 4> currency{};
};

/// A record as its writer gives it and its reader gets it: views.
struct Record : RecordHead {
    std::span<const uint16_t> targets;  // SupplierId (MT) or CustomerId (MO) values, in order
    std::span<const Attempt> attempts;
    std::array<Octets, record_parts> part_octets;

    [[nodiscard]] Octets part(RecordPart which) const {
        return part_octets[static_cast<size_t>(which)];
    }
    [[nodiscard]] std::string_view chars(RecordPart which) const { return as_chars(part(which)); }
    void set(RecordPart which, Octets octets) { part_octets[static_cast<size_t>(which)] = octets; }
    void set(RecordPart which, std::string_view chars) { set(which, as_octets(chars)); }

    /// A monotonic time of this record on the wall clock.
    [[nodiscard]] Nanos wall_of(Nanos mono_ns) const {
        return finished_wall_ns - (finished_ns - mono_ns);
    }
};

/// Octets that encode_record() writes.
[[nodiscard]] size_t encoded_record_bytes(const Record& record);
/// REQUIRES: `out` holds encoded_record_bytes(); as many are written.
void encode_record(const Record& record, std::span<uint8_t> out);

/// What decode_record() cannot point into.
struct RecordStorage {
    std::array<uint16_t, limits::targets_max> targets;
    std::array<Attempt, AttemptLog::attempts_max> attempts;
};
/// The way back; views point into `in` and `storage`. False for anything that encode_record() does
/// not write.
[[nodiscard]] bool decode_record(Octets in, RecordStorage& storage, Record& out);

}  // namespace sy::engine
