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
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/store/journal.h"
#include "core/store/recent_key.h"

namespace sy::store {

class Recent {
  public:
    Recent() = default;
    Recent(const Recent&) = delete;
    Recent& operator=(const Recent&) = delete;

    /// Into the young layer, in their order.
    void apply(std::span<const Change> changes);

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
    [[nodiscard]] bool old_empty() const { return old_.octets == 0; }
    [[nodiscard]] bool young_empty() const { return young_.octets == 0; }
    /// Keys and values.
    [[nodiscard]] size_t old_octets() const { return old_.octets; }
    /// The first rows of the old layer, some `octets_max` of them and one at least; how many.
    [[nodiscard]] size_t each_old(size_t octets_max,
                                  const std::function<void(Family family, const Row& row)>& see);
    /// So many of them are below now.
    void drop_old(size_t rows);

  private:
    struct Entry {
        Entry(std::string_view octets, std::pmr::memory_resource& memory)
            : value(octets, &memory) {}

        std::pmr::string value;
        bool is_erased = false;
        bool below = false;  // R2
    };
    using Rows = std::pmr::map<RecentKey, Entry, RecentKey::Less>;

    // Sorted rows of a family. Keys that begin with a hash are spread by their first octets, ids
    // by their last ones, over about as many places as there were rows of late, so that a place
    // has one or two, which apply() asks for beforehand.
    class Table {
      public:
        enum class Spread : uint8_t { none, hash, id };
        Table(Spread by, std::pmr::memory_resource& memory)
            : by_(by), rows_(by == Spread::none ? 1 : size_t{1} << bits_min, &memory) {}

        [[nodiscard]] Rows& rows_of(std::string_view key) { return rows_[index_of(key)]; }
        /// Places for about so many. REQUIRES: no rows.
        void spread_for(size_t rows, std::pmr::memory_resource& memory);
        /// The first row at or after `from` among those that can begin with `prefix`, or null.
        [[nodiscard]] const Rows::value_type* first(std::string_view from,
                                                    std::string_view prefix) const;
        /// Shows all in order, until `see` returns false; true when all were shown.
        template <class See>
        [[nodiscard]] bool sweep(const See& see) {
            (void)next_to_sweep();
            for (size_t i = swept_; i < rows_.size(); ++i) {
                for (const auto& [key, entry] : rows_[i]) {
                    if (!see(key.view(), entry)) {
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
        /// REQUIRES: rows from the same memory.
        friend void swap(Table& a, Table& b) noexcept {
            std::swap(a.by_, b.by_);
            std::swap(a.bits_, b.bits_);
            std::swap(a.swept_, b.swept_);
            a.rows_.swap(b.rows_);
        }

      private:
        static constexpr int bits_min = 16;
        static constexpr int bits_max = 20;  // 56 MiB of places

        // The octets of a key that say where it is.
        [[nodiscard]] size_t octets_seen() const;
        [[nodiscard]] size_t index_of(std::string_view key) const;

        Spread by_;
        int bits_ = bits_min;
        std::pmr::vector<Rows> rows_;
        size_t swept_ = 0;
    };
    using Tables = std::array<Table, families>;

    struct Layer {
        explicit Layer(std::pmr::memory_resource& memory) : tables(make_tables(memory)) {}
        void remove(Family family, Rows& from, Rows::iterator row);
        friend void swap(Layer& a, Layer& b) noexcept {
            a.tables.swap(b.tables);
            std::swap(a.octets, b.octets);
            a.rows.swap(b.rows);
            a.erased.swap(b.erased);
        }

        Tables tables;
        size_t octets = 0;
        std::array<size_t, families> rows{};
        std::array<size_t, families> erased{};  // of them
    };

    [[nodiscard]] static Tables make_tables(std::pmr::memory_resource& memory);
    void prefetch_places(const Change& change);
    void prefetch_rows(const Change& change);
    void apply(const Change& change);
    void put(const Change& change);
    void erase(const Change& change);
    // The row of that key, or the place before which it would stand.
    [[nodiscard]] static Rows::iterator place_of(Rows& rows, std::string_view key);
    // To the young layer, before that place.
    void add(Rows& rows, Rows::iterator before, const Change& change, bool below);
    // Takes the row out of the old layer; whether one below may be covered by it. `otherwise`:
    // what is so where there is no such row.
    [[nodiscard]] bool take_from_old(const Change& change, bool otherwise);
    // An empty key counts too.
    static size_t octets_of(std::string_view key, const Entry& entry) {
        return key.size() + entry.value.size() + 1;
    }
    static size_t octets_of(const Rows::value_type& row) {
        return octets_of(row.first.view(), row.second);
    }

    // Rows come and go by hundreds, which the heap is slow at. What they once took stays theirs.
    std::pmr::unsynchronized_pool_resource memory_;
    Layer young_{memory_};
    Layer old_{memory_};
};

}  // namespace sy::store
