// A record as one line of JSON (RFC 8259, with its line feed). What is not there is left out.
#pragma once

#include <string>

#include "core/engine/record.h"
#include "io/record/names.h"

namespace sy::record {

/// Appends. Any record that decode_record() took gives a well-formed line.
void put_json(std::string& out, const engine::Record& record, const Names& names);
/// `{"record":"lost","count":...}`: so many records are missing before this line.
void put_json_lost(std::string& out, uint64_t count, Nanos wall_ns);

}  // namespace sy::record
