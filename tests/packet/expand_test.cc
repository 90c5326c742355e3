#include "tests/packet/expand.h"

#include <gtest/gtest.h>

#include "tests/packet/script_fixture.h"

namespace sy::test {
namespace {

/// The expanded lines, joined by '|'; or the error behind "! ".
std::string expanded(const std::string& text,
                     const std::map<std::string, std::string>& more = {},
                     const std::vector<size_t>& choices = {}) {
    std::map<std::string, std::string> files = more;
    files["a.pkt"] = text;
    const auto result = expand_script("a.pkt", text_loader(files), choices, {{"mss", "1460"}});
    if (!result) {
        return "! " + result.error().text;
    }
    std::string out;
    for (const ScriptLine& line : result->lines) {
        out += (out.empty() ? "" : "|") + line.text;
    }
    return out;
}

TEST(Evaluate, KnowsPrecedenceAndNames) {
    const std::map<std::string, std::string> names{{"n", "7"}};
    EXPECT_EQ(evaluate("1 + 2*n", names).value_or(0), 15);
    EXPECT_EQ(evaluate("(1+2) * -n", names).value_or(0), -21);
    EXPECT_EQ(evaluate("10 - 3 - 2", names).value_or(0), 5);
    EXPECT_EQ(evaluate("4294967296 / 2 / 2", names).value_or(0), 1073741824);
}

TEST(Evaluate, SaysWhatItCannotRead) {
    EXPECT_EQ(evaluate("1 + x", {}).error().text, "'x' is neither a number nor a name in {1 + x}");
    EXPECT_EQ(evaluate("(1", {}).error().text, "')' is missing in {(1}");
    EXPECT_EQ(evaluate("1 1", {}).error().text, "unexpected '1' in {1 1}");
    EXPECT_EQ(evaluate("1/0", {}).error().text, "division by 0 in {1/0}");
    EXPECT_FALSE(evaluate(std::string(500, '('), {}).has_value());
    EXPECT_FALSE(evaluate("99999999999999999999", {}).has_value());
}

TEST(Expand, DropsCommentsAndKeepsOrigins) {
    const auto result =
        expand_script("a.pkt", text_loader({{"a.pkt", "# what\n\n  one  # end\ntwo\n"}}), {}, {});
    ASSERT_TRUE(result.has_value());
    ASSERT_EQ(result->lines.size(), 2U);
    EXPECT_EQ(result->lines[0].text, "one");
    EXPECT_EQ(result->lines[0].origin.text(), "a.pkt:3");
}

TEST(Expand, IncludesShareDefinitions) {
    EXPECT_EQ(expanded("include b.inc\nsend {size}\n", {{"b.inc", "define size 5\nsend 1\n"}}),
              "send 1|send 5");
    EXPECT_EQ(expanded("include b.inc\n"), "! a.pkt:1: cannot read 'b.inc'");
    EXPECT_EQ(expanded("include a.pkt\n").substr(0, 10), "! a.pkt:1:");
}

TEST(Expand, LoopsRepeatTheirBody) {
    EXPECT_EQ(expanded("repeat 3 {\n send {1 + i*mss}\n}\nend\n"),
              "send 1|send 1461|send 2921|end");
    EXPECT_EQ(expanded("for f in S \"S A\" {\n < {f}\n}\n"), "< S|< S A");
    EXPECT_EQ(expanded("for a,b in \"1 2\",x {\n {a} {b}\n}\n"), "1 2 x");
    EXPECT_EQ(expanded("for a,b in 1,x 2,y {\n {a}{b}\n}\n"), "1x|2y");
    EXPECT_EQ(expanded("repeat 2 {\n repeat 2 {\n {i}\n }\n {i}\n}\n"), "0|1|0|0|1|1");
    EXPECT_EQ(expanded("define n 1\nrepeat 3 {\n define n {n*2}\n}\n{n}\n"), "8");
}

TEST(Expand, ConditionsChooseABlock) {
    const std::string text = "if {f} == S {\n syn\n} else {\n other\n}\n";
    EXPECT_EQ(expanded("define f S\n" + text), "syn");
    EXPECT_EQ(expanded("define f R\n" + text), "other");
    EXPECT_EQ(expanded("if a != a {\n x\n}\ny\n"), "y");
}

TEST(Expand, MacrosTakeValues) {
    EXPECT_EQ(expanded("macro ack n w {\n < A 1 ack {n} win {w}\n}\ndo ack 5 6\ndo ack {2+3} 0\n"),
              "< A 1 ack 5 win 6|< A 1 ack 5 win 0");
    EXPECT_EQ(expanded("do nothing\n"), "! a.pkt:1: no macro 'nothing'");
    EXPECT_EQ(expanded("macro m a {\n x\n}\ndo m\n"), "! a.pkt:4: macro 'm' takes 1 values");
    EXPECT_EQ(expanded("macro m {\n do m\n}\ndo m\n"),
              "! a.pkt:2: includes, loops or macros nest too deep");
}

TEST(Expand, MatrixChoosesARowOfEachLine) {
    const std::string text = "matrix f,r in S,yes R,no\nmatrix n in 1 2 3\n{f} {r} {n}\n";
    EXPECT_EQ(expanded(text), "S yes 1");
    EXPECT_EQ(expanded(text, {}, {1, 2}), "R no 3");
    EXPECT_EQ(expanded("matrix a,b in 1\n"), "! a.pkt:1: '1' has 1 values for 2 names");
    EXPECT_EQ(expanded("repeat 1 {\nmatrix a in 1\n}\n"),
              "! a.pkt:2: 'matrix' stands outside of blocks");
}

TEST(Expand, SaysWhatIsWrongWithBlocks) {
    EXPECT_EQ(expanded("repeat 2 {\n x\n"), "! a.pkt:1: no '}' ends this block");
    EXPECT_EQ(expanded("x\n}\n"), "! a.pkt:2: '}' without a block");
    EXPECT_EQ(expanded("while x {\n}\n"),
              "! a.pkt:1: expected for, repeat, if or macro before '{'");
    EXPECT_EQ(expanded("repeat 2 {\n} else {\n x\n}\n"),
              "! a.pkt:1: 'else' belongs to 'if A == B {' only");
    EXPECT_EQ(expanded("repeat -1 {\n}\n"), "! a.pkt:1: expected 'repeat COUNT {'");
    EXPECT_EQ(expanded("send {x}\n"), "! a.pkt:1: 'x' is neither a number nor a name in {x}");
    EXPECT_EQ(expanded("send {1\n"), "! a.pkt:1: '{' without '}'");
    EXPECT_EQ(expanded("family ipv5\n"), "! a.pkt:1: expected family both, ipv4 or ipv6");
    EXPECT_EQ(expanded("repeat 99999 {\n a\n b\n}\n"), "! a.pkt:2: the script is too long");
}

}  // namespace
}  // namespace sy::test
