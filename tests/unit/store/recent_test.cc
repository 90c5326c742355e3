// The layers of late changes over a table, against one table that has it all; the journal as it is
// written and read again, whole and cut.
#include "core/store/recent.h"

#include <array>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/store/journal.h"
#include "core/store/message_codec.h"

namespace sy::store {
namespace {

using Model = std::map<std::string, std::string, std::less<>>;

// Recent over a table of what was brought down, as RocksDatabase has it over RocksDB.
class Layered {
  public:
    explicit Layered(Family kind) : family(kind) {}

    void put(const std::string& key, const std::string& value, bool is_new) {
        apply({is_new ? Change::Kind::put_new : Change::Kind::put, family, key, value});
    }
    void erase(const std::string& key) { apply({Change::Kind::erase, family, key, {}}); }
    void apply(const Change& change) { recent.apply({&change, 1}); }
    void settle(size_t octets) {
        const size_t rows = recent.each_old(octets, [&](Family which, const Recent::Row& row) {
            EXPECT_EQ(which, family);
            ++settled;
            if (row.is_erased) {
                below.erase(std::string(row.key));
            } else {
                below[std::string(row.key)] = row.value;
            }
        });
        recent.drop_old(rows);
    }
    void turn_over() {
        while (!recent.old_empty()) {
            settle(64);
        }
        recent.turn_over();
    }
    [[nodiscard]] Model all() const {
        Model out;
        std::string at;
        Recent::Row row;
        Model erased;
        while (recent.first(family, at, "", row)) {
            (row.is_erased ? erased : out)[std::string(row.key)] = row.value;
            at = row.key;
            at.push_back('\0');
        }
        for (const auto& [key, value] : below) {
            if (!out.contains(key) && !erased.contains(key)) {
                out[key] = value;
            }
        }
        return out;
    }

    Family family;
    Recent recent;
    Model below;
    uint64_t settled = 0;
};

// Ids that share their last octets, and that do not.
std::string key_of(Family family, uint64_t number) {
    return family == Family::messages ? message_key(number << 13) : std::to_string(number);
}

void compare(Family family, uint64_t seeds, int steps_a_look) {
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
        Prng prng(seed);
        Layered layered(family);
        Model model;
        for (int step = 0; step < 400; ++step) {
            const std::string key = key_of(family, prng.below(20));
            const std::string value = std::to_string(step);
            switch (prng.below(8)) {
                case 0:
                case 1:
                case 2:
                    layered.put(key, value, !model.contains(key));
                    model[key] = value;
                    break;
                case 3:
                    layered.put(key, value, false);
                    model[key] = value;
                    break;
                case 4:
                case 5:
                    layered.erase(key);
                    model.erase(key);
                    break;
                case 6:
                    if (!layered.recent.old_empty()) {
                        layered.settle(prng.below(20));
                    }
                    break;
                default:
                    if (prng.below(10) == 0) {
                        layered.turn_over();
                    }
                    break;
            }
            if (step % steps_a_look == 0) {
                ASSERT_EQ(layered.all(), model) << "seed " << seed << ", step " << step;
            }
        }
        layered.turn_over();
        layered.turn_over();
        EXPECT_EQ(layered.below, model) << "seed " << seed;
        EXPECT_TRUE(layered.recent.young_empty() && layered.recent.old_empty());
    }
}

TEST(Recent, SaysWhatOneTableWould) {
    compare(Family::receipts, 200, 1);
}

// Less often: to look through all of them goes over 65,536 places.
TEST(Recent, SaysWhatOneTableWouldWhereKeysAreSpread) {
    compare(Family::ways, 20, 50);
    compare(Family::messages, 20, 50);
}

// More rows than places: there are more of those at the next turn, and in a batch changes of one
// key follow one another.
TEST(Recent, SpreadsOverMorePlacesAndKeepsAll) {
    for (const Family family : {Family::ways, Family::messages}) {
        Layered layered(family);
        Model model;
        Prng prng(7);
        for (int layer = 0; layer < 3; ++layer) {
            std::vector<std::array<std::string, 2>> rows;
            std::vector<Change> changes;
            for (int i = 0; i < 150'000; ++i) {
                const uint64_t number = prng.below(120'000);
                rows.push_back({message_key(mix64(number)), std::to_string(i)});
                rows.back()[0].append(prng.below(50) == 0 ? 40 : 0, 'x');
            }
            for (const auto& [key, value] : rows) {
                const bool is_erase = prng.below(3) == 0;
                changes.push_back({is_erase ? Change::Kind::erase : Change::Kind::put, family, key,
                                   is_erase ? std::string_view() : value});
                if (is_erase) {
                    model.erase(key);
                } else {
                    model[key] = value;
                }
            }
            layered.recent.apply(changes);
            while (!layered.recent.old_empty()) {
                layered.settle(1 << 20);
            }
            layered.recent.turn_over();
        }
        while (!layered.recent.old_empty()) {
            layered.settle(1 << 20);
        }
        EXPECT_EQ(layered.below, model);
        EXPECT_TRUE(layered.recent.young_empty());
    }
}

TEST(Recent, WhatIsErasedInTimeNeverGoesDown) {
    Layered layered(Family::ways);
    layered.put("young", "1", true);
    layered.erase("young");
    layered.put("old", "2", true);
    layered.turn_over();
    layered.erase("old");
    EXPECT_TRUE(layered.recent.old_empty());
    layered.turn_over();
    EXPECT_EQ(layered.settled, 0u);
}

TEST(Recent, WhatMayBeBelowIsErasedThereToo) {
    Layered layered(Family::ways);
    layered.put("key", "1", true);
    layered.turn_over();
    layered.turn_over();
    ASSERT_EQ(layered.below.size(), 1u);
    layered.put("key", "2", false);
    layered.erase("key");
    EXPECT_TRUE(layered.all().empty());
    layered.turn_over();
    layered.turn_over();
    EXPECT_TRUE(layered.below.empty());
}

// ---------------------------------------------------------------- the journal

std::string text_of(const Change& change) {
    return std::to_string(static_cast<int>(change.kind)) +
           std::to_string(static_cast<int>(change.family)) + std::string(change.key) + "=" +
           std::string(change.value) + ";";
}

std::string read(std::string_view octets, uint64_t journal, size_t& whole) {
    std::string out;
    const auto see = [&](const Change& change) { out += text_of(change); };
    whole = read_journal(octets, journal, see).whole_octets;
    return out;
}

TEST(Journal, IsReadAsItWasWritten) {
    JournalBatch batch;
    EXPECT_TRUE(batch.empty());
    batch.add({Change::Kind::put_new, Family::ways, "a", "way"});
    batch.add({Change::Kind::erase, Family::order, std::string_view("b\0c", 3), {}});
    std::string octets(batch.seal(7));
    batch.clear();
    batch.add({Change::Kind::put, Family::meta, "", ""});
    octets += batch.seal(7);
    size_t whole = 0;
    EXPECT_EQ(read(octets, 7, whole), "21a=way;35" + std::string("b\0c", 3) + "=;10=;");
    EXPECT_EQ(whole, octets.size());
    EXPECT_EQ(read(octets, 8, whole), "") << "another journal's";
    EXPECT_EQ(whole, 0u);
}

TEST(Journal, AFrameThatIsCutOrAlteredAndAllAfterItAreNotRead) {
    JournalBatch batch;
    batch.add({Change::Kind::put, Family::ways, "first", "1"});
    std::string octets(batch.seal(1));
    const size_t first = octets.size();
    batch.clear();
    batch.add({Change::Kind::put, Family::ways, "second", "2"});
    octets += batch.seal(1);
    size_t whole = 0;
    for (size_t size = first; size < octets.size(); ++size) {
        EXPECT_EQ(read(octets.substr(0, size), 1, whole), "11first=1;");
        EXPECT_EQ(whole, first);
    }
    for (size_t at = 0; at < first; ++at) {
        for (uint8_t bit = 0; bit < 8; ++bit) {
            std::string altered = octets;
            altered[at] = static_cast<char>(altered[at] ^ (1 << bit));
            EXPECT_EQ(read(altered, 1, whole), "") << at;
        }
    }
}

TEST(Journal, WhatAnEarlierOneLeftBehindItIsNotRead) {
    JournalBatch batch;
    batch.add({Change::Kind::put, Family::ways, "ours", "1"});
    const std::string ours(batch.seal(2));
    const std::string earlier(batch.seal(1));
    const SeeChange see = [](const Change&) {};
    JournalRead read = read_journal(ours + earlier, 2, see);
    EXPECT_EQ(read.whole_octets, ours.size());
    EXPECT_EQ(read.cut_octets, 0u);
    // The second frame was written in part over one of the earlier journal's.
    const size_t part = ours.size() - 1;
    std::string torn = ours.substr(0, part) + "-" + earlier;
    read = read_journal(ours + torn, 2, see);
    EXPECT_EQ(read.whole_octets, ours.size());
    EXPECT_EQ(read.cut_octets, ours.size());
    read = read_journal(ours + ours.substr(0, part), 2, see);
    EXPECT_EQ(read.cut_octets, part);
}

TEST(Journal, AWholeFrameOfAProgramThatKnowsMoreIsSaid) {
    JournalBatch batch;
    batch.add({Change::Kind::put, static_cast<Family>(families), "key", "value"});
    const auto read = read_journal(batch.seal(1), 1, [](const Change&) { FAIL(); });
    EXPECT_TRUE(read.is_foreign);
    EXPECT_EQ(read.whole_octets, 0u);
}

}  // namespace
}  // namespace sy::store
