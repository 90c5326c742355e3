// Templates of two-way answers: what stands for what, what is refused, where a text is cut.
#include "core/route/reply.h"

#include <array>

#include <gtest/gtest.h>

namespace sy::route {
namespace {

std::string rendered(std::string_view source, std::string_view text, size_t room = 400) {
    const auto reply = parse_reply(source);
    EXPECT_TRUE(reply) << source;
    std::string out(room, '\0');
    const Rendered done =
        render(*reply, {.text = text, .sender = "447700900999", .number = "60000"}, out);
    out.resize(done.octets);
    return done.cut ? out + " (cut)" : out;
}

TEST(Reply, PlaceholdersStandForPartsOfTheMessage) {
    EXPECT_EQ(rendered("plain", "JOIN me"), "plain");
    EXPECT_EQ(rendered("{keyword}|{args}|{1}|{2}|{9}", " Join  me now \r\n"),
              "Join|me now|me|now|");
    EXPECT_EQ(rendered("{sender} to {number}", "x"), "447700900999 to 60000");
    EXPECT_EQ(rendered("{keyword}{args}{1}", ""), "");
    EXPECT_EQ(rendered("{keyword}{args}{1}", "STOP"), "STOP");
    EXPECT_EQ(rendered("{{{1}}}", "a b"), "{b}");
    EXPECT_EQ(rendered("{1}", "\u0421\u0422\u041E\u041F \u00e9t\u00e9"), "\u00e9t\u00e9");
}

TEST(Reply, IsCutBetweenCharacters) {
    EXPECT_EQ(rendered("abc", "", 3), "abc");
    EXPECT_EQ(rendered("abcd", "", 3), "abc (cut)");
    EXPECT_EQ(rendered("ab\u20ac", "", 5), "ab\u20ac");
    EXPECT_EQ(rendered("ab\u20ac", "", 4), "ab (cut)");
    EXPECT_EQ(rendered("ab{1}!", "x \u20acuro", 4), "ab (cut)");
    EXPECT_EQ(rendered("{1}", "x y", 0), " (cut)");
}

TEST(Reply, WhatStandsForNothingIsNamed) {
    struct Wrong {
        const char* text;
        size_t at;
        const char* says;
    };
    for (const Wrong& wrong : std::initializer_list<Wrong>{
             {"a {name}", 2, "'{name}' stands for nothing"},
             {"{0}", 0, "'{0}' stands for nothing"},
             {"{10}", 0, "'{10}' stands for nothing"},
             {"{}", 0, "'{}' stands for nothing"},
             {"ab {1", 3, "'{' without '}'"},
             {"ab }", 3, "'}' without '{'"},
         }) {
        const auto reply = parse_reply(wrong.text);
        ASSERT_FALSE(reply) << wrong.text;
        EXPECT_EQ(reply.error().at, wrong.at) << wrong.text;
        EXPECT_NE(reply.error().text.find(wrong.says), std::string::npos) << reply.error().text;
    }
}

}  // namespace
}  // namespace sy::route
