// What is said about rows of mo.csv that never win.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/config/load_support.h"

namespace sy::config::test {
namespace {

std::vector<std::string> warnings_of(const std::string& rows) {
    Files files = good_files();
    files["etc/mo.csv"] = rows;
    const Loaded loaded = load_files(files);
    EXPECT_TRUE(loaded.config.has_value());
    return loaded.complaints;
}

TEST(MoRules, ARowBehindOneThatAsksForTheSameOrForLessNeverWins) {
    const std::vector<std::string> want = {
        "etc/mo.csv:3:1: warning: the row never wins: line 2 has the same conditions and priority "
        "and stands before it",
        "etc/mo.csv:4:1: warning: the row never wins: line 2 asks for less and stands before it "
        "with the same priority",
        "etc/mo.csv:5:1: warning: the row never wins: line 6 asks for less and has the lower "
        "priority -1"};
    EXPECT_EQ(warnings_of("number,keyword,source,supplier,text,when,priority,targets\n"
                          "447700900123,STOP,,,,Mon,,acme\n"
                          "447700900123,stop,,,,Mon,,acme\n"  // letter case is no condition
                          "447700900123,Stop,44,,,Mon,,acme\n"
                          "4477*,,44,alpha,^x,,,acme\n"
                          "4477*,,,alpha,,,-1,acme\n"),
              want);
}

TEST(MoRules, ARowThatAsksForLessElsewhereOrLaterShadowsNothing) {
    EXPECT_EQ(warnings_of("number,keyword,source,supplier,text,when,priority,targets\n"
                          "447700900123,,,,,,-5,acme\n"    // a keyword stands before it whatever
                          "447700900123,stop,,,,,,acme\n"  // its priority
                          "447700900123,halt,,,,Mon,,acme\n"
                          "447700900123,halt,44,,,Tue,,acme\n"
                          "4477*,,44,,,,,acme\n"  // before the one that asks for less
                          "4477*,,,,,,,acme\n"
                          "447*,,,alpha,,,,acme\n"),
              std::vector<std::string>{});
}

}  // namespace
}  // namespace sy::config::test
