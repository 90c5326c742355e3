// What the store needs of a database: families of sorted keys, batches that are written as a
// whole or not at all, and a look at the next key. io/store has it over RocksDB, tests in memory,
// with crashes and failing disks.
//
// Threads: put(), erase(), commit() and each() by the writer, seek() by any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sy::store {

enum class Family : uint8_t {
    meta,      // the format's version
    ways,      // receipt key, our id -> the way back
    receipts,  // customer, sequence -> a receipt that its customer does not have yet
    messages,  // our id -> a message taken to store and forward that has not ended
    queue,     // customer, priority, due, sequence -> one of them that waits here alone
    order,     // destination, sequence -> likewise
    watches,   // due, sequence -> id of a message that a supplier accepted, whose receipt decides
};
inline constexpr size_t families = 7;

class Database {
  public:
    virtual ~Database() = default;

    // --- The open batch.

    virtual void put(Family family, std::string_view key, std::string_view value) = 0;
    /// Of a key that is not there, which makes it cheap to erase soon. REQUIRES: neither committed
    /// nor in the open batch, but where it is erased there.
    virtual void put_new(Family family, std::string_view key, std::string_view value) = 0;
    virtual void erase(Family family, std::string_view key) = 0;
    /// Writes the batch and begins a new one, also on error: then nothing of it is to be counted
    /// on. With `durable` it is on disk when this returns, and all before it; an empty batch does
    /// that too.
    [[nodiscard]] virtual Result<void> commit(bool durable) = 0;

    struct Entry {
        std::string key;
        std::string value;
    };
    /// The first entry at or after `from` whose key begins with `prefix` (a part of `from`); false
    /// if there is none. Sees what was committed.
    [[nodiscard]] virtual Result<bool> seek(Family family,
                                            std::string_view from,
                                            std::string_view prefix,
                                            Entry& out) = 0;
    /// Every entry of the family, in order. Not beside commits.
    [[nodiscard]] virtual Result<void> each(
        Family family,
        const std::function<void(std::string_view key, std::string_view value)>& see) = 0;
};

}  // namespace sy::store
