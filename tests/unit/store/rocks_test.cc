// The database on a real disk: what is committed is there after a close, a kill and a power loss,
// faults are said, and it works again afterwards.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <rocksdb/db.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "core/store/codec.h"
#include "io/store/rocks_database.h"
#include "tests/unit/store/faulty_files.h"

namespace sy::store {
namespace {

class RocksTest : public testing::Test {
  protected:
    RocksTest() {
        std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
        std::ranges::replace(name, '/', '-');
        folder = std::filesystem::temp_directory_path() /
                 ("sy-rocks-" + std::to_string(getpid()) + "-" + name);
        std::filesystem::remove_all(folder);
        files = std::make_shared<FaultyFiles>(rocksdb::FileSystem::Default());
        env = rocksdb::NewCompositeEnv(files);
    }
    ~RocksTest() override {
        database.reset();
        std::filesystem::remove_all(folder);
    }

    Result<void> open(const std::string& path) {
        RocksOptions options;
        options.path = path;
        options.env = env.get();
        options.age_ns = age_ns;
        options.memory_bytes = memory_bytes;
        options.wall_ns = [this] { return wall_ns; };
        auto opened = RocksDatabase::open(std::move(options));
        if (!opened) {
            return std::unexpected(opened.error());
        }
        database = *std::move(opened);
        return {};
    }
    void open() {
        const auto opened = open(folder.string());
        ASSERT_TRUE(opened.has_value()) << opened.error().text;
    }

    bool put(const std::string& key, bool durable = true) {
        database->put(Family::ways, key, "value of " + key);
        return database->commit(durable).has_value();
    }
    bool has(const std::string& key) {
        Database::Entry entry;
        const auto found = database->seek(Family::ways, key, key, entry);
        EXPECT_TRUE(found.has_value());
        return found.has_value() && *found && entry.value == "value of " + key;
    }
    static std::string key(uint64_t i) { return way_key({i, i * 7}, i); }

    Nanos age_ns = 3600 * second_ns;
    uint64_t memory_bytes = 8 << 20;
    Nanos wall_ns = 1'800'000'000 * second_ns;
    std::filesystem::path folder;
    std::shared_ptr<FaultyFiles> files;
    std::unique_ptr<rocksdb::Env> env;
    std::unique_ptr<RocksDatabase> database;
};

TEST_F(RocksTest, OpensAFolderOfAProgramThatKnewFewerFamilies) {
    {
        rocksdb::DBOptions options;
        options.create_if_missing = true;
        options.create_missing_column_families = true;
        std::vector<rocksdb::ColumnFamilyDescriptor> families;
        for (const char* name : {"default", "ways", "receipts", "messages", "queue", "order"}) {
            families.emplace_back(name, rocksdb::ColumnFamilyOptions());
        }
        std::vector<rocksdb::ColumnFamilyHandle*> handles;
        rocksdb::DB* db = nullptr;
        ASSERT_TRUE(rocksdb::DB::Open(options, folder.string(), families, &handles, &db).ok());
        const std::unique_ptr<rocksdb::DB> owner(db);
        const std::string value = "value of " + key(1);
        EXPECT_TRUE(db->Put({}, handles.at(1), key(1), value).ok());
        for (rocksdb::ColumnFamilyHandle* handle : handles) {
            EXPECT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
        }
    }
    open();
    EXPECT_TRUE(has(key(1)));
    database->put(Family::watches, "due", "id");
    ASSERT_TRUE(database->commit(true).has_value());
    database.reset();
    open();
    Database::Entry entry;
    EXPECT_TRUE(database->seek(Family::watches, "due", "due", entry).value_or(false));
}

TEST_F(RocksTest, FindsByPrefixInOrder) {
    open();
    const engine::ReceiptKey one{5, 6};
    database->put(Family::ways, way_key(one, 2), "b");
    database->put(Family::ways, way_key(one, 1), "a");
    database->put(Family::ways, way_key({5, 7}, 1), "c");
    ASSERT_TRUE(database->commit(true).has_value());
    Database::Entry entry;
    ASSERT_TRUE(*database->seek(Family::ways, way_prefix(one), way_prefix(one), entry));
    EXPECT_EQ(entry.value, "a");
    ASSERT_TRUE(*database->seek(Family::ways, entry.key + '\0', way_prefix(one), entry));
    EXPECT_EQ(entry.value, "b");
    EXPECT_FALSE(*database->seek(Family::ways, entry.key + '\0', way_prefix(one), entry));
    EXPECT_FALSE(*database->seek(Family::receipts, "", "", entry)) << "families are apart";
}

TEST_F(RocksTest, ABatchIsThereAfterAKill) {
    open();
    for (uint64_t i = 0; i < 1000; ++i) {
        ASSERT_TRUE(put(key(i)));
    }
    // What a killed process leaves: the files as they are, nothing closed.
    const std::filesystem::path copy = folder.string() + ".killed";
    std::filesystem::copy(folder, copy, std::filesystem::copy_options::recursive);
    database.reset();
    ASSERT_TRUE(open(copy.string()).has_value());
    for (uint64_t i = 0; i < 1000; ++i) {
        EXPECT_TRUE(has(key(i))) << i;
    }
    database.reset();
    std::filesystem::remove_all(copy);
}

TEST_F(RocksTest, WhatWasDurableIsThereAfterAPowerLossAndAllIsInOrder) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        Prng prng(seed);
        open();
        const uint64_t first = seed * 1000;
        uint64_t durable_end = first;
        const uint64_t count = 50 + prng.below(100);
        for (uint64_t i = first; i < first + count; ++i) {
            const bool durable = prng.below(5) == 0;
            ASSERT_TRUE(put(key(i), durable));
            durable_end = durable ? i + 1 : durable_end;
        }
        const std::filesystem::path copy = folder.string() + ".lost";
        files->lose_power(prng);
        std::filesystem::copy(folder, copy, std::filesystem::copy_options::recursive);
        database.reset();
        std::filesystem::remove_all(folder);
        std::filesystem::rename(copy, folder);
        open();
        bool gone = false;
        for (uint64_t i = first; i < first + count; ++i) {
            const bool there = has(key(i));
            EXPECT_TRUE(there || i >= durable_end) << "durable, and lost: " << i;
            EXPECT_FALSE(there && gone) << "later than what was lost: " << i;
            gone = gone || !there;
        }
        database.reset();
    }
    EXPECT_GT(files->reused(), 10u) << "of journals, with what they had before behind";
}

// Few octets of journal, so that entries go through all of it: memory, RocksDB, and erased there.
TEST_F(RocksTest, SaysTheSameWhereverAnEntryStandsAndAfterAKill) {
    memory_bytes = 1 << 20;
    Prng prng(1);
    std::map<std::string, std::string> model;
    uint64_t settled = 0;
    for (int life = 0; life < 4; ++life) {
        open();
        for (int batch = 0; batch < 150; ++batch) {
            for (int change = 0; change < 40; ++change) {
                const std::string name = key(prng.below(3000));
                const std::string value(100 + prng.below(600), static_cast<char>('a' + life));
                if (prng.below(2) == 0) {
                    database->erase(Family::ways, name);
                    model.erase(name);
                } else if (model.contains(name)) {
                    database->put(Family::ways, name, value);
                    model[name] = value;
                } else {
                    database->put_new(Family::ways, name, value);
                    model[name] = value;
                }
            }
            ASSERT_TRUE(database->commit(false).has_value());
            database->settle();
            const std::string name = key(prng.below(3000));
            Database::Entry entry;
            const auto found = database->seek(Family::ways, name, name, entry);
            ASSERT_TRUE(found.has_value());
            ASSERT_EQ(*found, model.contains(name));
            ASSERT_TRUE(!*found || entry.value == model.at(name));
        }
        settled += database->settled();
        // As a kill: nothing is written any more, a journal not brought to its end either.
        files->set_fault(FaultyFiles::Fault::append);
        database.reset();
        files->set_fault(FaultyFiles::Fault::none);
    }
    EXPECT_GT(settled, 1000u) << "nothing went down to RocksDB";
    open();
    std::map<std::string, std::string> all;
    ASSERT_TRUE(database->each(Family::ways, [&](std::string_view name, std::string_view value) {
        all.emplace(name, value);
    }));
    EXPECT_EQ(all, model);
}

TEST_F(RocksTest, LeavesNoJournalBehindAtItsEndAndTakesNoneOfAnotherProgram) {
    open();
    ASSERT_TRUE(put(key(1)));
    database.reset();
    open();
    EXPECT_TRUE(has(key(1)));
    database.reset();
    std::ofstream(folder / "journal-000000000009") << "SYJRNL9\nsomething";
    const auto opened = open(folder.string());
    ASSERT_FALSE(opened.has_value());
    EXPECT_NE(opened.error().text.find("journal 9 is of another program"), std::string::npos);
}

class RocksFaults : public RocksTest, public testing::WithParamInterface<FaultyFiles::Fault> {};

INSTANTIATE_TEST_SUITE_P(All,
                         RocksFaults,
                         testing::Values(FaultyFiles::Fault::full,
                                         FaultyFiles::Fault::append,
                                         FaultyFiles::Fault::torn,
                                         FaultyFiles::Fault::sync));

TEST_P(RocksFaults, AreSaidAndTheDatabaseWorksAgainAfterwards) {
    open();
    ASSERT_TRUE(put(key(1)));
    files->set_fault(GetParam());
    EXPECT_FALSE(put(key(2)));
    EXPECT_FALSE(put(key(3)));
    EXPECT_FALSE(put(key(4)));
    files->set_fault(FaultyFiles::Fault::none);
    bool works = false;
    for (int tries = 0; tries < 5 && !works; ++tries) {
        works = put(key(5));
    }
    EXPECT_TRUE(works);
    EXPECT_TRUE(has(key(1)));
    EXPECT_TRUE(has(key(5)));
    database.reset();
    open();
    EXPECT_TRUE(has(key(1)));
    EXPECT_TRUE(has(key(5)));
}

TEST_F(RocksTest, AFolderThatCannotBeUsedIsSaidWithItsPath) {
    const std::string path = "/proc/nowhere/store";
    const auto opened = open(path);
    ASSERT_FALSE(opened.has_value());
    EXPECT_NE(opened.error().text.find(path), std::string::npos);
}

TEST_F(RocksTest, TwoRoutersCannotShareAFolder) {
    open();
    RocksOptions second;
    second.path = folder.string();
    second.env = env.get();
    second.wall_ns = [] { return Nanos{0}; };
    EXPECT_FALSE(RocksDatabase::open(std::move(second)).has_value());
}

}  // namespace
}  // namespace sy::store
