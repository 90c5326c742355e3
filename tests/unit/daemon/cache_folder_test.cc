// Goal: what is stored comes back, from nobody but us, and the folder stays as small as promised.
#include "io/daemon/cache_folder.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <gtest/gtest.h>

namespace sy::daemon {
namespace {

namespace fs = std::filesystem;
using Access = CacheFolder::Access;

class CacheFolderTest : public testing::Test {
  protected:
    CacheFolderTest() {
        std::string pattern = (fs::temp_directory_path() / "sy-cache-XXXXXX").string();
        EXPECT_NE(mkdtemp(pattern.data()), nullptr);
        top_ = pattern;
        path = (top_ / "cache").string();
    }
    ~CacheFolderTest() override { fs::remove_all(top_); }

    /// As if it had been used `seconds` after the beginning of time.
    void set_used(const std::string& name, int seconds) const {
        const timespec times[2] = {{seconds, 0}, {seconds, 0}};
        ASSERT_EQ(utimensat(AT_FDCWD, file(name).c_str(), times, 0), 0);
    }
    [[nodiscard]] std::string file(const std::string& name) const {
        return path + "/" + name + ".patterns";
    }
    [[nodiscard]] size_t files() const {
        return static_cast<size_t>(
            std::distance(fs::directory_iterator(path), fs::directory_iterator()));
    }

    std::string path;

  private:
    fs::path top_;
};

TEST_F(CacheFolderTest, GivesBackWhatWasStored) {
    CacheFolder cache(path, Access::read_write);
    EXPECT_FALSE(cache.load("text-1"));
    EXPECT_EQ(cache.newest("text-"), "");
    const std::string octets("a\0b\xFF", 4);
    cache.store("text-1", octets);
    EXPECT_EQ(cache.load("text-1"), octets);
    EXPECT_EQ(CacheFolder(path, Access::read).load("text-1"), octets);
    cache.store("text-1", "other");
    EXPECT_EQ(cache.load("text-1"), "other");
    EXPECT_EQ(files(), 1u);  // nothing unfinished is left
    EXPECT_TRUE(cache.take_complaints().empty());
}

TEST_F(CacheFolderTest, NewestIsTheOneUsedLastOfItsKind) {
    CacheFolder cache(path, Access::read_write);
    for (const char* name : {"text-1", "text-2", "sender-1"}) {
        cache.store(name, "x");
    }
    set_used("text-1", 1000);
    set_used("text-2", 2000);
    EXPECT_EQ(cache.newest("text-"), "text-2");
    (void)cache.load("text-1");
    EXPECT_EQ(cache.newest("text-"), "text-1");
    EXPECT_EQ(cache.newest("sender-"), "sender-1");
    EXPECT_EQ(cache.newest("mo-"), "");
}

TEST_F(CacheFolderTest, LeastRecentlyUsedGoWhenThereIsNoRoom) {
    CacheFolder cache(path, Access::read_write, 1000);
    const std::string octets(400, 'x');
    cache.store("a", octets);
    cache.store("b", octets);
    set_used("a", 1000);
    set_used("b", 2000);
    (void)cache.load("a");
    cache.store("c", octets);
    EXPECT_TRUE(cache.load("a"));
    EXPECT_FALSE(cache.load("b"));
    EXPECT_TRUE(cache.load("c"));
    cache.store("d", std::string(1001, 'x'));  // larger than all there may be
    EXPECT_FALSE(cache.load("d"));
    EXPECT_TRUE(cache.load("c"));
}

TEST_F(CacheFolderTest, ReaderLeavesTheDiskAlone) {
    CacheFolder reader(path, Access::read);
    reader.store("a", "x");
    EXPECT_FALSE(fs::exists(path));
    CacheFolder(path, Access::read_write).store("a", "x");
    reader.reject("a", "damaged");
    EXPECT_TRUE(fs::exists(file("a")));
    EXPECT_EQ(reader.take_complaints().size(), 1u);
}

TEST_F(CacheFolderTest, RejectedEntryGoesAndIsSaid) {
    CacheFolder cache(path, Access::read_write);
    cache.store("a", "x");
    cache.reject("a", "damaged");
    EXPECT_FALSE(cache.load("a"));
    const auto complaints = cache.take_complaints();
    ASSERT_EQ(complaints.size(), 1u);
    EXPECT_NE(complaints[0].find("a.patterns is not used and built anew: damaged"),
              std::string::npos);
    EXPECT_TRUE(cache.take_complaints().empty());
}

// Hyperscan trusts what it loads: only what nobody else could have written is loaded.
TEST_F(CacheFolderTest, WhatOthersCanWriteIsNotTrusted) {
    CacheFolder cache(path, Access::read_write);
    cache.store("a", "x");
    ASSERT_EQ(chmod(file("a").c_str(), 0666), 0);
    EXPECT_FALSE(cache.load("a"));
    ASSERT_EQ(chmod(file("a").c_str(), 0600), 0);
    EXPECT_TRUE(cache.load("a"));
    fs::create_symlink(file("a"), file("link"));
    EXPECT_FALSE(cache.load("link"));
    ASSERT_EQ(chmod(path.c_str(), 0777), 0);
    EXPECT_FALSE(cache.load("a"));
    EXPECT_EQ(cache.newest("a"), "");
    EXPECT_GE(cache.take_complaints().size(), 3u);
}

TEST_F(CacheFolderTest, PlaceThatCannotBeIsOneComplaint) {
    CacheFolder cache(path + "/not/there", Access::read_write);
    cache.store("a", "x");
    cache.store("b", "x");
    EXPECT_FALSE(cache.load("a"));
    EXPECT_EQ(cache.take_complaints().size(), 1u);
}

// What a writer that died left behind does not stay for ever.
TEST_F(CacheFolderTest, OldUnfinishedFilesAreSwept) {
    CacheFolder cache(path, Access::read_write);
    cache.store("a", "x");
    const std::string left = path + "/b.patterns.1.1.unfinished";
    std::ofstream(left) << "half";
    cache.store("c", "x");
    EXPECT_TRUE(fs::exists(left));  // perhaps it is still being written
    const timespec times[2] = {{1000, 0}, {1000, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, left.c_str(), times, 0), 0);
    cache.store("d", "x");
    EXPECT_FALSE(fs::exists(left));
}

}  // namespace
}  // namespace sy::daemon
