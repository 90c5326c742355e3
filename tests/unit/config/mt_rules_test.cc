// What is said about rules of mt.csv and about how suppliers want numbers: complaints in the very
// words that people see, and warnings of rows that never win.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/config/load_support.h"

namespace sy::config::test {
namespace {

struct Bad {
    const char* name;
    const char* file;
    bool is_row;  // the whole of mt.csv, else behind switchyard.toml
    std::string text;
    std::vector<std::string> complaints;
};

const Bad bad_inputs[] = {
    {"supplier_number_format",
     "etc/sy.toml",
     false,
     "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:1\"\nsystem_id = \"sy\"\nnumber_format = "
     "\"national:044\"\n",
     {"etc/sy.toml:17:17: error: number_format is 'national:044', expected \"international\", "
      "\"plus\", \"00\" or \"national:CC\" with a country code, as in \"national:44\" or, with a "
      "trunk prefix, \"national:44:0\""}},
    {"supplier_number_format_and_prefix",
     "etc/sy.toml",
     false,
     "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:1\"\nsystem_id = \"sy\"\nnumber_format = "
     "\"plus\"\nnumber_prefix = \"00\"\n",
     {"etc/sy.toml:18:17: error: number_prefix is '00' beside number_format 'plus', expected one "
      "of "
      "the two"}},
    {"supplier_rewrite",
     "etc/sy.toml",
     false,
     "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:1\"\nsystem_id = \"sy\"\nrewrite = "
     "[\"44>99\", "
     "\"44>88\",\n\"4x>9\", \">\", \"44\"]\n",
     {"etc/sy.toml:17:21: error: rewrite of '44' is there twice, expected each beginning once",
      "etc/sy.toml:18:1: error: rewrite holds '4x>9', expected digits on both sides of a >, up to "
      "15 "
      "and 10 of them, as in \"44>9944\", \"44>\" or \">99\"",
      "etc/sy.toml:18:9: error: rewrite holds '>', expected digits on both sides of a >, up to 15 "
      "and 10 of them, as in \"44>9944\", \"44>\" or \">99\"",
      "etc/sy.toml:18:14: error: rewrite holds '44', expected digits on both sides of a >, up to "
      "15 "
      "and 10 of them, as in \"44>9944\", \"44>\" or \">99\""}},
    {"mt_sender_to",
     "etc/mt.csv",
     true,
     "sender_to,targets,action\nA name too long,alpha,\n12,alpha,\nACME,,drop\n",
     {"etc/mt.csv:2:1: error: sender_to is 'A name too long', expected a name of up to 11 ASCII "
      "characters, a short code of 3 to 8 digits or a number of up to 15",
      "etc/mt.csv:3:1: error: sender_to is '12', expected a name of up to 11 ASCII characters, a "
      "short code of 3 to 8 digits or a number of up to 15",
      "etc/mt.csv:4:1: error: sender_to 'ACME' in a row with action 'drop', expected none"}},
    {"mt_reroute",
     "etc/mt.csv",
     true,
     "prefix,reroute,targets,action\n44,30s,alpha | beta,\n49,0s,alpha | beta,\n33,1d,,drop\n",
     {"etc/mt.csv:2:4: error: reroute '30s' needs the messages on disk, expected path = \"store\" "
      "under [store]",
      "etc/mt.csv:3:4: error: reroute '0s' needs the messages on disk, expected path = \"store\" "
      "under [store]",
      "etc/mt.csv:3:4: error: reroute is '0s', expected a time from 1s to 1d as in 90s",
      "etc/mt.csv:4:4: error: reroute '1d' in a row with action 'drop', expected none"}},
    {"mt_when",
     "etc/mt.csv",
     true,
     "when,targets\nMon-Fri 8:00-25:00,alpha\nMon Europe/Londno,alpha\n",
     {"etc/mt.csv:2:9: error: '8:00-25:00' are no times of day, expected 00:00-24:00 or between",
      "etc/mt.csv:3:5: error: 'Europe/Londno' is no day, time or time zone, expected these as in "
      "Mon-Fri 08:00-18:00 Europe/London; Sat 09:00-12:00, did you mean 'Europe/London'?"}},
};

TEST(MtRules, WhatIsWrongIsSaidInTheseWords) {
    for (const Bad& bad : bad_inputs) {
        Files files = good_files();
        files[bad.file] = bad.is_row ? bad.text : files[bad.file] + bad.text;
        const Loaded loaded = load_files(files);
        EXPECT_EQ(loaded.complaints, bad.complaints) << bad.name;
        EXPECT_FALSE(loaded.config.has_value()) << bad.name;
    }
}

std::vector<std::string> warnings_of(const std::string& rows) {
    Files files = good_files();
    files["etc/mt.csv"] = rows;
    const Loaded loaded = load_files(files);
    EXPECT_TRUE(loaded.config.has_value());
    return loaded.complaints;
}

TEST(MtRules, ARowBehindOneThatAsksForLessNeverWins) {
    const std::vector<std::string> want = {
        "etc/mt.csv:3:1: warning: the row never wins: line 2 asks for less and stands before it "
        "with the same priority",
        "etc/mt.csv:5:1: warning: the row never wins: line 4 asks for less and has the lower "
        "priority -1"};
    EXPECT_EQ(warnings_of("prefix,customer,sender,text,sender_type,priority,targets\n"
                          "44,,,,,,alpha\n"
                          "44,acme,,,,,beta\n"
                          "49,,Shop,,,-1,alpha\n"
                          "49,acme,Shop,code,alpha,,beta\n"),
              want);
}

TEST(MtRules, ARowThatAsksForLessElsewhereOrLaterShadowsNothing) {
    EXPECT_EQ(warnings_of("prefix,customer,sender,sender_type,priority,when,targets\n"
                          "44,acme,,,,,beta\n"  // before the one that asks for less
                          "44,,,,,,alpha\n"
                          "44,,Shop,,-1,,alpha\n"  // lower priority
                          "447,acme,,,,,beta\n"    // longer prefix
                          "49,,Shop,,,,alpha\n"
                          "49,acme,Brand,,,,beta\n"  // another sender
                          "33,,,,,Mon,alpha\n"
                          "33,acme,,,,Tue,alpha\n"),
              std::vector<std::string>{});
}

TEST(MtRules, ARerouteIsATimeAndNeedsTwoTargets) {
    Files files = good_files();
    files["etc/sy.toml"] = "[store]\npath = \"/tmp/s\"\n" + files["etc/sy.toml"];
    files["etc/mt.csv"] = "prefix,reroute,targets\n44,90s,alpha > beta\n49,2h,alpha\n33,,alpha\n";
    const Loaded loaded = load_files(files);
    ASSERT_TRUE(loaded.config.has_value());
    EXPECT_EQ(loaded.complaints,
              std::vector<std::string>{"etc/mt.csv:3:4: warning: reroute has no effect in a row "
                                       "with one target alone"});
    const auto& rules = loaded.config->mt->rules;
    EXPECT_EQ(rules.at(0).reroute_ns, 90 * second_ns);
    EXPECT_EQ(rules.at(1).reroute_ns, 0u);
    EXPECT_EQ(rules.at(2).reroute_ns, 0u);
}

TEST(MtRules, APlanThatNoCustomerHasIsNamedOnce) {
    const std::vector<std::string> want = {
        "etc/mt.csv:3:1: warning: plan 'defualt' is no customer's: none of its rows is ever looked "
        "at, did you mean 'default'?"};
    EXPECT_EQ(warnings_of("plan,prefix,targets\ndefault,44,alpha\ndefualt,49,alpha\n"
                          "defualt,33,alpha\n"),
              want);
}

}  // namespace
}  // namespace sy::config::test
