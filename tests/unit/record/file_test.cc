// The record file on a disk that fails: whatever it does, files hold whole lines, each once, in
// order, and what could not be held is known.
#include "io/record/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::record {
namespace {

constexpr Nanos start_wall_ns = 1'790'000'000 * second_ns;

// What the next calls do; the calls are plain functions, so it is global to this program.
struct Disk {
    Prng prng{1};
    uint64_t failures_in_100 = 0;  // of any call
    bool full = false;
    bool no_truncate = false;
    uint64_t syncs = 0;

    bool fails() { return prng.below(100) < failures_in_100; }
};
Disk disk;

ssize_t failing_write(int fd, const void* octets, size_t count) {
    if (disk.full) {
        errno = ENOSPC;
        return -1;
    }
    if (disk.fails()) {
        switch (disk.prng.below(4)) {
            case 0:
                errno = EINTR;
                return -1;
            case 1:
                errno = EIO;
                return -1;
            default:  // some of it
                return ::write(fd, octets, 1 + disk.prng.below(count));
        }
    }
    return ::write(fd, octets, count);
}
int failing_truncate(int fd, off_t size) {
    if (disk.no_truncate || disk.fails()) {
        errno = EIO;
        return -1;
    }
    return ::ftruncate(fd, size);
}
int failing_sync(int fd) {
    ++disk.syncs;
    if (disk.full || disk.fails()) {
        errno = EIO;
        return -1;
    }
    return ::fdatasync(fd);
}

class RecordFileTest : public testing::Test {
  protected:
    RecordFileTest() {
        disk = Disk{};
        std::string pattern =
            (std::filesystem::temp_directory_path() / "sy-record-XXXXXX").string();
        EXPECT_NE(mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
        options_.directory = directory_ + "/made/by/us";
        options_.extension = "jsonl";
        options_.hold_bytes = 1 << 20;
    }
    ~RecordFileTest() override { std::filesystem::remove_all(directory_); }

    RecordFile open() {
        auto file = RecordFile::open(options_, now_.wall_ns, counters_, notes_,
                                     {failing_write, failing_truncate, failing_sync});
        EXPECT_TRUE(file.has_value()) << (file ? "" : file.error().text);
        return *std::move(file);
    }
    void pass(Nanos time_ns) {
        now_.mono_ns += time_ns;
        now_.wall_ns += time_ns;
    }

    static std::string read(const std::string& path) {
        std::ifstream in(path, std::ios::binary);
        std::stringstream text;
        text << in.rdbuf();
        return text.str();
    }
    // Completed files in order of their names, then the one under way.
    std::vector<std::string> paths() const {
        std::vector<std::string> out;
        for (const auto& entry : std::filesystem::directory_iterator(options_.directory)) {
            if (entry.path().filename().string().starts_with("records-")) {
                out.push_back(entry.path().string());
            }
        }
        std::ranges::sort(out);
        const std::string live = options_.directory + "/records." + options_.extension;
        if (std::filesystem::exists(live)) {
            out.push_back(live);
        }
        return out;
    }
    std::string all_text() const {
        std::string text;
        for (const std::string& path : paths()) {
            const std::string one = read(path);
            EXPECT_TRUE(one.empty() || one.ends_with('\n')) << path;
            EXPECT_TRUE(one.starts_with(options_.header)) << path;
            text += one.substr(std::min(one.size(), options_.header.size()));
        }
        return text;
    }

    std::string directory_;
    FileOptions options_;
    FileCounters counters_;
    Notes notes_;
    Now now_{second_ns, start_wall_ns};
};

TEST_F(RecordFileTest, MakesItsFolderAndHoldsWholeLines) {
    RecordFile file = open();
    EXPECT_TRUE(file.append("one\ntwo\n"));
    file.write_out(now_);
    EXPECT_EQ(all_text(), "one\ntwo\n");
    EXPECT_EQ(counters_.octets.load(), 8u);
    EXPECT_EQ(file.held(), 0u);
}

TEST_F(RecordFileTest, ANewFileBySizeAndNoneIsWrittenOver) {
    options_.rotate_bytes = 20;
    options_.header = "head\n";
    // The names that it would choose first are taken.
    std::filesystem::create_directories(options_.directory);
    const std::string taken = options_.directory + "/records-20260921T141320Z-000001.jsonl";
    std::ofstream(taken) << "head\nprecious\n";
    RecordFile file = open();
    std::string expected = "precious\n";
    for (int i = 0; i < 10; ++i) {
        const std::string line = "line " + std::to_string(i) + "\n";
        ASSERT_TRUE(file.append(line));
        expected += line;
    }
    file.write_out(now_);
    EXPECT_EQ(all_text(), expected);
    EXPECT_EQ(read(taken), "head\nprecious\n");
    EXPECT_EQ(paths().size(), 6u);
    for (const std::string& path : paths()) {
        EXPECT_LE(std::filesystem::file_size(path), 20u) << path;
    }
    EXPECT_EQ(counters_.files.load(), 4u);
}

TEST_F(RecordFileTest, ALineLongerThanTheLimitStandsAlone) {
    options_.rotate_bytes = 10;
    RecordFile file = open();
    const std::string longer = std::string(3'000'000, 'x') + "\n";
    options_.hold_bytes = 8 << 20;
    RecordFile large = open();
    ASSERT_TRUE(large.append("a\n"));
    ASSERT_TRUE(large.append(longer));
    ASSERT_TRUE(large.append("b\n"));
    large.write_out(now_);
    EXPECT_EQ(all_text(), "a\n" + longer + "b\n");
    EXPECT_EQ(paths().size(), 3u);
    EXPECT_FALSE(file.append(longer));  // more than it may hold
}

TEST_F(RecordFileTest, ANewFileByTimeOnTheWallClocksMarks) {
    options_.rotate_ns = 3600 * second_ns;
    RecordFile file = open();
    for (int hour = 0; hour < 3; ++hour) {
        ASSERT_TRUE(file.append("x\n"));
        file.write_out(now_);
        pass(1800 * second_ns);
        ASSERT_TRUE(file.append("y\n"));
        file.write_out(now_);
        pass(1800 * second_ns);
    }
    file.write_out(now_);
    const auto names = paths();
    // 14:13 to 17:13: the files of 14, 15 and 16 o'clock, and that of 17, which has nothing yet.
    ASSERT_EQ(names.size(), 4u);
    EXPECT_EQ(read(names[0]), "x\ny\n");
    ASSERT_TRUE(file.append("z\n"));
    file.write_out(now_);
    pass(10 * 3600 * second_ns);
    const size_t before = paths().size();
    file.write_out(now_);  // complete
    file.write_out(now_);  // an empty one is not renamed
    EXPECT_EQ(paths().size(), before + 1);
}

TEST_F(RecordFileTest, ReopenRenamesUnlessSomebodyElseHas) {
    RecordFile file = open();
    ASSERT_TRUE(file.append("one\n"));
    file.reopen(now_);
    EXPECT_EQ(paths().size(), 2u);  // renamed, and a new one
    EXPECT_EQ(all_text(), "one\n");
    ASSERT_TRUE(file.append("two\n"));
    file.write_out(now_);
    const std::string live = options_.directory + "/records.jsonl";
    std::filesystem::rename(live, options_.directory + "/moved");
    ASSERT_TRUE(file.append("three\n"));
    file.write_out(now_);
    EXPECT_EQ(read(options_.directory + "/moved"), "two\nthree\n");
    file.reopen(now_);
    ASSERT_TRUE(file.append("four\n"));
    file.write_out(now_);
    EXPECT_EQ(read(live), "four\n");
    EXPECT_EQ(read(options_.directory + "/moved"), "two\nthree\n");
}

TEST_F(RecordFileTest, GoesOnBehindWholeLinesOfAnEarlierProcess) {
    std::filesystem::create_directories(options_.directory);
    std::ofstream(options_.directory + "/records.jsonl") << "whole\n"
                                                         << std::string(10'000, 'h') << "alf";
    RecordFile file = open();
    ASSERT_TRUE(file.append("next\n"));
    file.write_out(now_);
    EXPECT_EQ(all_text(), "whole\nnext\n");
    const auto notes = notes_.take();
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_NE(notes[0].find("cut 10003 octets"), std::string::npos);
}

TEST_F(RecordFileTest, AFolderThatCannotBeMadeIsAnError) {
    std::ofstream(directory_ + "/made") << "a file";
    const auto file = RecordFile::open(options_, now_.wall_ns, counters_, notes_);
    ASSERT_FALSE(file.has_value());
    EXPECT_NE(file.error().text.find("cannot make the folder"), std::string::npos);
}

TEST_F(RecordFileTest, AFullDiskIsHeldBoundedAndSaidOnce) {
    options_.hold_bytes = 100;
    RecordFile file = open();
    ASSERT_TRUE(file.append("before\n"));
    file.write_out(now_);
    disk.full = true;
    std::string expected = "before\n";
    int refused = 0;
    for (int i = 0; i < 30; ++i) {
        const std::string line = "held " + std::to_string(i) + "\n";
        if (file.append(line)) {
            expected += line;
        } else {
            ++refused;
        }
        pass(500 * millisecond_ns);
        file.write_out(now_);
    }
    EXPECT_GT(refused, 0);
    EXPECT_EQ(all_text(), "before\n");
    EXPECT_EQ(counters_.held_octets.load(), file.held());
    EXPECT_LE(file.held(), 100u);
    EXPECT_EQ(counters_.errors.load(), 15u);  // once a second
    ASSERT_EQ(notes_.take().size(), 1u);
    disk.full = false;
    pass(second_ns);
    file.write_out(now_);
    EXPECT_EQ(all_text(), expected);
    const auto notes = notes_.take();
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_NE(notes[0].find("written again"), std::string::npos);
}

TEST_F(RecordFileTest, WhatIsLeftOfALineThatCannotBeCutOffIsFinishedFirst) {
    RecordFile file = open();
    disk.failures_in_100 = 70;
    disk.no_truncate = true;
    std::string expected;
    for (int i = 0; i < 300; ++i) {
        const std::string line = "a longer line, number " + std::to_string(i) + "\n";
        ASSERT_TRUE(file.append(line));
        expected += line;
        pass(second_ns);
        file.write_out(now_);
    }
    disk = Disk{};
    pass(second_ns);
    file.write_out(now_);
    EXPECT_EQ(all_text(), expected);
}

// The law: at any moment each file ends with a whole line (where a line can be cut off), and in the
// end there is every line that was taken, once, in order, whatever failed and however files change.
TEST_F(RecordFileTest, AnyFailuresLoseAndRepeatNoLine) {
    for (uint64_t seed = 1; seed <= 30; ++seed) {
        std::filesystem::remove_all(options_.directory);
        disk = Disk{};
        disk.prng = Prng(seed);
        Prng prng(seed + 1000);
        options_.rotate_bytes = prng.chance(1, 2) ? 200 : 0;
        options_.rotate_ns = prng.chance(1, 2) ? 20 * second_ns : 0;
        options_.header = prng.chance(1, 2) ? "the,header\n" : "";
        options_.sync = static_cast<config::RecordSync>(prng.below(3));
        options_.sync_ns = 5 * second_ns;
        RecordFile file = open();
        std::string expected;
        for (int step = 0; step < 300; ++step) {
            disk.failures_in_100 = prng.chance(1, 3) ? 60 : 5;
            disk.full = prng.chance(1, 10);
            std::string lines;
            for (uint64_t i = prng.below(5); i > 0; --i) {
                lines += std::string(prng.below(60), 'x') + std::to_string(step) + "\n";
            }
            if (file.append(lines)) {
                expected += lines;
            }
            pass(700 * millisecond_ns);
            if (prng.chance(1, 20)) {
                file.reopen(now_);
            }
            file.write_out(now_);
        }
        disk = Disk{};
        pass(second_ns);
        EXPECT_EQ(file.close(now_), 0u);
        ASSERT_EQ(all_text(), expected) << seed;
        ASSERT_GE(counters_.errors.load(), 1u);
    }
}

TEST_F(RecordFileTest, SyncsByItsPolicyAndAlwaysAtTheEnd) {
    for (const auto policy :
         {config::RecordSync::none, config::RecordSync::rotate, config::RecordSync::interval}) {
        std::filesystem::remove_all(options_.directory);
        disk = Disk{};
        options_.sync = policy;
        options_.sync_ns = 10 * second_ns;
        RecordFile file = open();
        for (int i = 0; i < 30; ++i) {
            ASSERT_TRUE(file.append("x\n"));
            pass(second_ns);
            file.write_out(now_);
        }
        EXPECT_EQ(disk.syncs, policy == config::RecordSync::interval ? 3u : 0u);
        file.reopen(now_);
        const uint64_t before_end = disk.syncs;
        EXPECT_EQ(before_end, policy == config::RecordSync::none     ? 0u
                              : policy == config::RecordSync::rotate ? 1u
                                                                     : 4u);
        ASSERT_TRUE(file.append("y\n"));
        EXPECT_EQ(file.close(now_), 0u);
        EXPECT_EQ(disk.syncs, before_end + 1);
    }
}

TEST_F(RecordFileTest, CloseSaysHowManyLinesAreGone) {
    RecordFile file = open();
    disk.full = true;
    ASSERT_TRUE(file.append("one\ntwo\nthree\n"));
    EXPECT_EQ(file.close(now_), 3u);
}

}  // namespace
}  // namespace sy::record
