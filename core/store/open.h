// What the store does with a database before its ends run: the format's version is checked (or
// written, into an empty one), and what an earlier run left is counted. Control thread.
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/store/database.h"
#include "core/store/spills.h"

namespace sy::store {

/// Of the families as a whole; a database of an older version is brought to it when it is opened.
inline constexpr uint8_t database_version = 5;

struct Found {
    uint64_t receipts = 0;       // that wait for their customers
    uint64_t next_sequence = 1;  // of the next receipt
};

/// An error says what to do: the database is of a newer program, or cannot be read.
[[nodiscard]] Result<Found> open(Database& database, Spills& spills);

}  // namespace sy::store
