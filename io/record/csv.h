// A record as one row of CSV (RFC 4180, but with a bare line feed at its end). The same columns for
// all kinds; those that a kind does not have are empty. README.md says what stands in each.
#pragma once

#include <string>

#include "core/engine/record.h"
#include "io/record/names.h"

namespace sy::record {

/// The header row, with its line feed.
[[nodiscard]] std::string csv_header();
/// Appends. Any record that decode_record() took gives a well-formed row.
void put_csv(std::string& out, const engine::Record& record, const Names& names);
/// record "lost" and its count: so many records are missing before this row.
void put_csv_lost(std::string& out, uint64_t count, Nanos wall_ns);

}  // namespace sy::record
