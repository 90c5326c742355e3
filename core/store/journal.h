// How the store's journal is written: one frame a batch, behind one another in a file. What a kill
// or a power loss leaves of the last one is told from a whole one by its checksum; a frame that an
// earlier use of the file left, by its journal's number. Pure; any thread. What is read is not
// trusted.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/store/database.h"

namespace sy::store {

/// The first octets of a journal's file.
inline constexpr std::string_view journal_magic = "SYJRNL1\n";

/// One put or erase.
struct Change {
    enum class Kind : uint8_t { put = 1, put_new = 2, erase = 3 };
    Kind kind{};
    Family family{};
    std::string_view key;
    std::string_view value;
};
using SeeChange = std::function<void(const Change&)>;

/// The changes of a batch that is being gathered, as the frame that it will be.
class JournalBatch {
  public:
    JournalBatch() { clear(); }

    void add(const Change& change);
    [[nodiscard]] bool empty() const { return count_ == 0; }
    /// The frame of all that was added, as one of that journal; good until the next add().
    [[nodiscard]] std::string_view seal(uint64_t journal);
    /// In the order in which they were added.
    void each(const SeeChange& see) const;
    void clear();

  private:
    std::string octets_;
    uint64_t count_ = 0;
};

/// Shows the changes of one frame, in order; false at the first that is none.
[[nodiscard]] bool read_changes(std::string_view octets, const SeeChange& see);
struct JournalRead {
    size_t whole_octets = 0;  // of the frames that were shown
    size_t cut_octets = 0;    // of one behind them that is the journal's, but not whole
    bool is_foreign = false;  // the next one is whole, and says what this program does not know
};
/// Shows the changes of all whole frames of a journal, in order, none of a frame that is not whole.
/// REQUIRES: journal > 0.
[[nodiscard]] JournalRead read_journal(std::string_view octets,
                                       uint64_t journal,
                                       const SeeChange& see);

}  // namespace sy::store
