// What the lines of both formats call things. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "core/base/time.h"
#include "core/engine/record.h"
#include "core/smpp/tlv.h"

namespace sy::record {

[[nodiscard]] std::string_view kind_word(engine::RecordKind kind);
[[nodiscard]] std::string_view end_word(engine::RecordEnd end);
[[nodiscard]] std::string_view outcome_word(engine::Outcome outcome);

// All append to `out`.

/// "ROK", "RINVDSTADR"; "0x400" for a status without a name.
void put_status(std::string& out, smpp::CommandStatus status);
/// "2026-11-26T05:12:01.123456Z"
void put_time(std::string& out, Nanos wall_ns);
/// "20261126T051201Z", for names of files.
void put_file_time(std::string& out, Nanos wall_ns);
void put_number(std::string& out, uint64_t number);
/// A price, in the shortest decimals.
void put_price(std::string& out, int64_t nanos);
void put_hex(std::string& out, Octets octets);
/// "0x1400"
void put_tag(std::string& out, smpp::TlvTag tag);
/// The id as the customer was given it.
void put_id(std::string& out, const engine::Record& record);
/// The message's text in UTF-8, where its data_coding says that it is one; false: octets.
[[nodiscard]] bool put_text(std::string& out, const engine::Record& record);
/// UTF-8 out of octets that may be anything: those that are none become U+FFFD. Addresses and ids
/// come from peers.
void put_utf8(std::string& out, std::string_view octets);

}  // namespace sy::record
