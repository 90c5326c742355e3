// Which sender expressions matched a sender, remembered: senders repeat, and a look costs a tenth
// of a scan. One a worker and snapshot, so that nothing in it can be out of date. Bounded: 4-way
// sets, a random one of four goes. Whoever sends a new sender with every message makes us scan each
// of them, as without the cache, and no more.
//
// Memory is taken by reserve(), by the control thread; find() and insert() are the worker's.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/limits.h"
#include "core/base/prefetch.h"

namespace sy::route {

class SenderCache {
    using Key = std::array<uint64_t, 3>;  // the octets, then zeros, the length in the last one

  public:
    // 2 MiB of entries and 64 KiB of tags; LIMITS: quick up to about so many senders.
    static constexpr uint32_t entry_count = 32'768;
    // Longer senders (data_sm alone has them) and those that more expressions match are not kept.
    static constexpr size_t sender_octets_max = 23;
    static constexpr size_t matches_max = 9;

    SenderCache() = default;

    /// Empty afterwards.
    void reserve() {
        if (entries_ == nullptr) {
            entries_ = std::make_unique<Entry[]>(entry_count);
            tags_ = std::make_unique<Tags[]>(set_count);
        }
        std::fill_n(tags_.get(), set_count, Tags{});
    }
    /// Takes no memory until it is reserved again, and knows nobody.
    void release() {
        entries_ = nullptr;
        tags_ = nullptr;
    }

    /// Where to look for a sender. Made once, so that the misses of several can overlap.
    class Look {
      public:
        Look() = default;  // sets nothing: of a burst of them few are used

      private:
        friend class SenderCache;
        Key key;
        uint32_t set;
        uint16_t tag;  // 0: it cannot be here
        uint16_t way;  // where to look first
    };
    [[nodiscard]] Look look(std::string_view sender) const {
        Look look = nowhere();
        if (tags_ != nullptr && sender.size() <= sender_octets_max) {
            look.key = key_of(sender);
            place(look);
        }
        return look;
    }
    /// Finds nothing and keeps nothing.
    [[nodiscard]] static Look nowhere() {
        Look look;
        look.set = 0;
        look.tag = 0;
        look.way = 0;
        return look;
    }
    /// First this, for all of them, then locate().
    void prefetch(const Look& look) const { sy::prefetch(tags_.get() + look.set); }
    /// Tells find() where to begin, and fetches that. All tags of a set in one word: which of them
    /// it is, is no branch to guess wrong.
    void locate(Look& look) const {
        if (look.tag == 0) {
            return;
        }
        constexpr uint64_t ones = 0x0001'0001'0001'0001;
        static_assert(sizeof(Tags) == sizeof ones);
        uint64_t tags;
        std::memcpy(&tags, &tags_[look.set], sizeof tags);
        tags ^= ones * look.tag;
        // The lowest bit of these is the top bit of the first tag that is equal.
        const uint64_t equal = (tags - ones) & ~tags & ones << 15;
        look.way = static_cast<uint16_t>(std::countr_zero(equal)) / 16 % ways;
        sy::prefetch(&entries_[look.set * ways + look.way]);
    }

    /// The ids of the expressions that match this sender, if it is known. Until insert().
    [[nodiscard]] std::optional<std::span<const uint32_t>> find(const Look& look) const {
        if (look.tag == 0) {
            return std::nullopt;
        }
        uint32_t way = look.way;
        for (uint32_t next = 0; !is_at(look, way); way = next++) {
            if (next == ways) {
                return std::nullopt;
            }
        }
        const Entry& entry = entries_[look.set * ways + way];
        return std::span(entry.matches.data(), entry.match_count);
    }
    [[nodiscard]] std::optional<std::span<const uint32_t>> find(std::string_view sender) const {
        return find(look(sender));
    }

    /// REQUIRES: find() just said that it is unknown.
    void insert(const Look& look, std::span<const uint32_t> matches) {
        if (look.tag == 0 || matches.size() > matches_max) {
            return;
        }
        const uint32_t way = victim(tags_[look.set]);
        tags_[look.set][way] = look.tag;
        Entry& entry = entries_[look.set * ways + way];
        entry.key = look.key;
        entry.match_count = static_cast<uint32_t>(matches.size());
        std::copy(matches.begin(), matches.end(), entry.matches.begin());
    }
    void insert(std::string_view sender, std::span<const uint32_t> matches) {
        insert(look(sender), matches);
    }

  private:
    static constexpr uint32_t ways = 4;
    static constexpr uint32_t set_count = entry_count / ways;
    static_assert(std::has_single_bit(set_count));

    using Tags = std::array<uint16_t, ways>;  // 0: empty
    struct alignas(limits::cache_line_bytes) Entry {
        Key key{};
        uint32_t match_count = 0;
        std::array<uint32_t, matches_max> matches{};
    };
    static_assert(sizeof(Entry) == limits::cache_line_bytes);
    static_assert(sizeof(Key) == sender_octets_max + 1);

    [[nodiscard]] bool is_at(const Look& look, uint32_t way) const {
        const Entry& entry = entries_[look.set * ways + way];
        return tags_[look.set][way] == look.tag &&
               ((entry.key[0] ^ look.key[0]) | (entry.key[1] ^ look.key[1]) |
                (entry.key[2] ^ look.key[2])) == 0;
    }

    template <class Word>
    static uint64_t load(const char* from) {
        Word word;
        std::memcpy(&word, from, sizeof word);
        return word;
    }

    // Loads that overlap in place of a loop over octets. Little-endian, as the CPUs that we run on.
    static Key key_of(std::string_view sender) {
        static_assert(std::endian::native == std::endian::little);
        const char* octets = sender.data();
        const size_t size = sender.size();
        Key key{};
        if (size >= 8) {
            key[0] = load<uint64_t>(octets);
            const uint64_t tail = load<uint64_t>(octets + size - 8);
            if (size > 16) {
                key[1] = load<uint64_t>(octets + 8);
                key[2] = tail >> (8 * (24 - size));
            } else if (size > 8) {
                key[1] = tail >> (8 * (16 - size));
            }
        } else if (size >= 4) {
            const uint64_t tail = load<uint32_t>(octets + size - 4);
            key[0] = load<uint32_t>(octets) | (tail << 32) >> (8 * (8 - size));
        } else {
            for (size_t i = 0; i < size; ++i) {
                key[0] |= load<uint8_t>(octets + i) << (8 * i);
            }
        }
        key[2] |= static_cast<uint64_t>(size) << 56;
        return key;
    }

    static void place(Look& look) {
        constexpr uint64_t odd_a = 0x9E3779B97F4A7C15u;
        constexpr uint64_t odd_b = 0xC2B2AE3D27D4EB4Fu;
        uint64_t hash = look.key[0] * odd_a;
        hash = (std::rotl(hash, 32) ^ look.key[1]) * odd_b;
        hash = (std::rotl(hash, 32) ^ look.key[2]) * odd_a;
        hash ^= hash >> 32;
        const auto tag = static_cast<uint16_t>(hash >> 16);
        look.set = static_cast<uint32_t>(hash) & (set_count - 1);
        look.tag = tag == 0 ? uint16_t{1} : tag;
        look.way = 0;
    }

    uint32_t victim(const Tags& tags) {
        for (uint32_t way = 0; way < ways; ++way) {
            if (tags[way] == 0) {
                return way;
            }
        }
        random_ = random_ * 1664525 + 1013904223;  // Numerical Recipes; the high bits are good
        return random_ >> 30;
    }

    std::unique_ptr<Entry[]> entries_;
    std::unique_ptr<Tags[]> tags_;
    uint32_t random_ = 1;
};

}  // namespace sy::route
