// What the database's batches of late have changed, in memory and sorted, above the tables that
// they have not been brought into yet. Two layers: young, that batches change, and old, that is
// brought down bit by bit. What is put and erased again before that never goes down: most ways back
// and receipts live for seconds.
//
// Invariants: (R1) a row of the old layer is newer than what is below. (R2) A row that says `below`
// covers one there, or may: erased, it stays as a tombstone. (R3) A key stands in one layer only.
//
// Changed by one thread; first() may be called by others while none changes it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/journal.h"

namespace sy::store {

class Recent {
  public:
    Recent() = default;
    Recent(const Recent&) = delete;
    Recent& operator=(const Recent&) = delete;

    /// Into the young layer.
    void apply(const Change& change);

    struct Row {
        std::string_view key;
        std::string_view value;
        bool is_erased = false;  // there is none, whatever is below
    };
    /// The first row of both at or after `from` whose key begins with `prefix` (a part of `from`);
    /// false if there is none.
    [[nodiscard]] bool first(Family family,
                             std::string_view from,
                             std::string_view prefix,
                             Row& out) const;

    /// The young layer becomes the old one. REQUIRES: old_empty().
    void turn_over();
    [[nodiscard]] bool old_empty() const { return old_octets_ == 0; }
    [[nodiscard]] bool young_empty() const { return young_octets_ == 0; }
    /// Keys and values.
    [[nodiscard]] size_t old_octets() const { return old_octets_; }
    /// The first rows of the old layer, some `octets_max` of them and one at least; how many.
    [[nodiscard]] size_t each_old(size_t octets_max,
                                  const std::function<void(Family family, const Row& row)>& see);
    /// So many of them are below now.
    void drop_old(size_t rows);

  private:
    struct Entry {
        std::pmr::string value;
        bool is_erased = false;
        bool below = false;  // R2
    };
    using Rows = std::pmr::map<std::pmr::string, Entry, std::less<>>;

    // Sorted rows of a family. Keys that begin with a hash are spread by their first octets, ids
    // by their last ones: with 100,000 rows a search then touches 3 cold ones and not 15
    // (bench/store_bench).
    class Table {
      public:
        enum class Spread : uint8_t { none, hash, id };
        Table(Spread by, std::pmr::memory_resource& memory)
            : by_(by), rows_(by == Spread::none ? 1 : spread, &memory) {}

        [[nodiscard]] Rows& rows_of(std::string_view key) { return rows_[index_of(key)]; }
        /// The first row at or after `from` among those that can begin with `prefix`, or null.
        [[nodiscard]] const Rows::value_type* first(std::string_view from,
                                                    std::string_view prefix) const;
        /// Shows all in order, until `see` returns false; true when all were shown.
        template <class See>
        [[nodiscard]] bool sweep(const See& see) {
            (void)next_to_sweep();
            for (size_t i = swept_; i < rows_.size(); ++i) {
                for (const auto& [key, entry] : rows_[i]) {
                    if (!see(key, entry)) {
                        return false;
                    }
                }
            }
            return true;
        }
        /// The first rows that there are, or null. Nothing is put between begin_sweep()s: what was
        /// found empty is not looked at again.
        [[nodiscard]] Rows* next_to_sweep();
        void begin_sweep() { swept_ = 0; }

      private:
        static constexpr size_t spread = size_t{1} << 16;

        // The octets of a key that say where it is.
        [[nodiscard]] size_t octets_seen() const;
        [[nodiscard]] size_t index_of(std::string_view key) const;

        Spread by_;
        std::pmr::vector<Rows> rows_;
        size_t swept_ = 0;
    };
    using Tables = std::array<Table, families>;

    [[nodiscard]] static Tables make_tables(std::pmr::memory_resource& memory);
    void put(Rows& young, Rows& old, const Change& change);
    void erase(Rows& young, Rows& old, std::string_view key);
    // Takes the row out of the old layer; whether one below may be covered by it. `otherwise`:
    // what is so where there is no such row.
    [[nodiscard]] bool take_from_old(Rows& old, std::string_view key, bool otherwise);
    [[nodiscard]] Entry entry_of(std::string_view value, bool is_erased, bool below) {
        return {std::pmr::string(value, &memory_), is_erased, below};
    }
    // An empty key counts too.
    static size_t octets_of(std::string_view key, const Entry& entry) {
        return key.size() + entry.value.size() + 1;
    }

    // Rows come and go by hundreds, which the heap is slow at. What they once took stays theirs.
    std::pmr::unsynchronized_pool_resource memory_;
    Tables young_ = make_tables(memory_);
    Tables old_ = make_tables(memory_);
    size_t young_octets_ = 0;
    size_t old_octets_ = 0;
};

}  // namespace sy::store
