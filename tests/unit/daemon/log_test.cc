#include "io/daemon/log.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace sy::daemon {
namespace {

namespace fs = std::filesystem;

TEST(RenderText, ValuesWithSpacesOrQuotesAreQuoted) {
    const std::array<Field, 4> fields{Field{"count", 3}, Field{"name", "a b"},
                                      Field{"quote", "x\"y"}, Field{"plain", "acme"}};
    EXPECT_EQ(render_text("it happened", fields),
              "it happened count=3 name=\"a b\" quote=\"x\\\"y\" plain=acme");
}

TEST(RenderText, LineBreakOfAPeerDoesNotForgeALine) {
    const std::array<Field, 1> fields{Field{"name", "a\nb"}};
    EXPECT_EQ(render_text("bound\nby", fields), "bound by name=\"a\\u000ab\"");
}

TEST(RenderJson, NumbersAndBooleansStayBare) {
    const std::array<Field, 3> fields{Field{"count", 3}, Field{"ok", true}, Field{"name", "a"}};
    EXPECT_EQ(render_json("it happened", fields),
              "\"event\":\"it happened\",\"count\":3,\"ok\":true,\"name\":\"a\"");
}

TEST(RenderJson, ControlsQuotesAndBackslashesAreEscaped) {
    const std::array<Field, 1> fields{Field{"k", "\x01\"\\"}};
    EXPECT_EQ(render_json("e", fields), "\"event\":\"e\",\"k\":\"\\u0001\\\"\\\\\"");
}

TEST(RenderJson, OctetsThatAreNoUtf8AreEscaped) {
    const std::array<Field, 2> fields{Field{"bad", "\xff"}, Field{"good", "\xc3\xa9"}};
    EXPECT_EQ(render_json("e", fields),
              "\"event\":\"e\",\"bad\":\"\\u00ff\",\"good\":\"\xc3\xa9\"");
}

class LogFile : public testing::Test {
  protected:
    void SetUp() override {
        directory_ = fs::path(testing::TempDir()) /
                     testing::UnitTest::GetInstance()->current_test_info()->name();
        fs::remove_all(directory_);
        fs::create_directories(directory_);
    }
    void TearDown() override { fs::remove_all(directory_); }

    [[nodiscard]] std::string read(const char* name) const {
        std::ostringstream text;
        text << std::ifstream(directory_ / name).rdbuf();
        return text.str();
    }

    fs::path directory_;
};

TEST_F(LogFile, ReopenAfterARenameWritesToTheNewFile) {
    auto log = Log::open({.path = "log"}, directory_.string());
    ASSERT_TRUE(log) << log.error().text;
    log->info("first");
    fs::rename(directory_ / "log", directory_ / "log.1");
    log->info("second");
    ASSERT_TRUE(log->reopen());
    log->info("third");
    EXPECT_NE(read("log.1").find("first"), std::string::npos);
    EXPECT_NE(read("log.1").find("second"), std::string::npos);
    EXPECT_EQ(read("log.1").find("third"), std::string::npos);
    EXPECT_NE(read("log").find("third"), std::string::npos);
}

TEST_F(LogFile, ReopenThatFailsKeepsTheOldFile) {
    auto log = Log::open({.path = "sub/log"}, directory_.string());
    ASSERT_TRUE(log) << log.error().text;
    fs::rename(directory_ / "sub", directory_ / "gone");
    std::ofstream(directory_ / "sub") << "in the way";
    const auto reopened = log->reopen();
    ASSERT_FALSE(reopened);
    EXPECT_NE(reopened.error().text.find("cannot open the log file"), std::string::npos);
    log->info("still here");
    EXPECT_NE(read("gone/log").find("still here"), std::string::npos);
}

TEST_F(LogFile, LevelKeepsQuieterLinesOut) {
    auto log = Log::open({.path = "log", .level = "warning"}, directory_.string());
    ASSERT_TRUE(log);
    log->info("not this");
    log->warning("but this");
    EXPECT_EQ(read("log").find("not this"), std::string::npos);
    EXPECT_NE(read("log").find("but this"), std::string::npos);
}

TEST_F(LogFile, JsonLineCarriesTimeLevelAndEvent) {
    auto log = Log::open({.path = "log", .json = true}, directory_.string());
    ASSERT_TRUE(log);
    log->error("broken", {{"count", 1}});
    const std::string line = read("log");
    EXPECT_EQ(line.find("{\"time\":\""), 0u);
    EXPECT_NE(line.find("Z\",\"level\":\"error\",\"event\":\"broken\",\"count\":1}\n"),
              std::string::npos)
        << line;
}

}  // namespace
}  // namespace sy::daemon
