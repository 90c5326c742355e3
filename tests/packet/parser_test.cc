#include <gtest/gtest.h>

#include "io/sim/packet.h"
#include "tests/packet/script_fixture.h"

namespace sy::test {
namespace {

Result<Step> parsed(const std::string& text) {
    ScriptLine line;
    line.origin.file = "a.pkt";
    line.origin.line = 7;
    line.text = text;
    return parse_step(line);
}

Step step(const std::string& text) {
    const auto result = parsed(text);
    EXPECT_TRUE(result.has_value()) << text << ": " << (result ? "" : result.error().text);
    return result.value_or(Step{});
}

/// The complaint about a line, without its place and without the line.
std::string complaint(const std::string& text) {
    const auto result = parsed(text);
    if (result) {
        return "";
    }
    const std::string& whole = result.error().text;
    EXPECT_TRUE(whole.starts_with("a.pkt:7: ")) << whole;
    EXPECT_TRUE(whole.ends_with("\n    " + text)) << whole;
    return whole.substr(9, whole.size() - 9 - 5 - text.size());
}

TEST(ParseDuration, KnowsUnitsAndFractions) {
    EXPECT_EQ(parse_duration("200ms"), 200 * millisecond_ns);
    EXPECT_EQ(parse_duration("1.5s"), 1500 * millisecond_ns);
    EXPECT_EQ(parse_duration("0.000001s"), microsecond_ns);
    EXPECT_EQ(parse_duration("3us"), 3 * microsecond_ns);
    EXPECT_EQ(parse_duration("17ns"), 17U);
    for (const char* bad : {"", "5", "ms", "5 ms", "-1s", "1.s.", "5min", "99999999999s"}) {
        EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
    }
}

TEST(ParseStep, ReadsAnInjectedSegment) {
    const Step got = step("+10ms < SA 0:0(0) ack 1 win 512 <mss 1460, sackok, ts 100 0, wscale 7>");
    EXPECT_EQ(got.op, Op::inject);
    EXPECT_EQ(got.at_ns, 10 * millisecond_ns);
    EXPECT_FALSE(got.absolute);
    EXPECT_EQ(got.segment.flags, sim::tcp_flag::syn | sim::tcp_flag::ack);
    EXPECT_EQ(got.segment.seq, 0);
    EXPECT_EQ(got.segment.length, 0);
    EXPECT_EQ(got.segment.ack, 1);
    EXPECT_EQ(got.segment.window, 512);
    ASSERT_EQ(got.segment.options.size(), 4U);
    EXPECT_EQ(got.segment.options[2].kind, OptionSpec::Kind::ts);
    EXPECT_EQ(got.segment.options[2].values, (std::vector<Wildcard>{100, 0}));
}

TEST(ParseStep, ReadsFlawsOfInjectedSegments) {
    const SegmentSpec got =
        step("< PA 1:11(10) ack 1 badsum junk offset 3 cut 4 pad 6 urg 9 <hex 0103, eol>").segment;
    EXPECT_TRUE(got.bad_checksum);
    EXPECT_FALSE(got.bad_ip_checksum);
    EXPECT_TRUE(got.junk);
    EXPECT_EQ(got.data_offset, 3);
    EXPECT_EQ(got.cut_bytes, 4U);
    EXPECT_EQ(got.pad_bytes, 6U);
    EXPECT_EQ(got.urgent, 9);
    EXPECT_EQ(got.options.at(0).raw, std::string("\x01\x03"));
}

TEST(ParseStep, ReadsAnExpectedSegmentWithWildcards) {
    const Step got = step("@1.5s > A 101:* ack * win * <ts * 7, !mss, *> within 5ms");
    EXPECT_EQ(got.op, Op::expect);
    EXPECT_TRUE(got.absolute);
    EXPECT_EQ(got.within_ns, 5 * millisecond_ns);
    EXPECT_EQ(got.segment.seq, 101);
    EXPECT_EQ(got.segment.length, std::nullopt);
    EXPECT_EQ(got.segment.ack, std::nullopt);
    EXPECT_TRUE(got.segment.options_more);
    EXPECT_EQ(got.segment.options.at(0).values, (std::vector<Wildcard>{std::nullopt, 7}));
    EXPECT_TRUE(got.segment.options.at(1).absent);
    EXPECT_TRUE(step("> * * <*> anytime").segment.flags_any);
    EXPECT_TRUE(step("> R* 1").segment.flags_more);
    EXPECT_EQ(step("> R* 1").segment.flags, sim::tcp_flag::rst);
    EXPECT_TRUE(step(">? A 1").optional);
    EXPECT_TRUE(step("> S 0 <*>").segment.options_any);
    EXPECT_FALSE(step("> S 0 <>").segment.options_any);
    const auto sack = step("> A 1 ack 1 <sack 101:201 301:401>").segment.options.at(0);
    EXPECT_EQ(sack.values, (std::vector<Wildcard>{101, 201, 301, 401}));
    EXPECT_TRUE(step("< A 1 ack 1 <ts 5 last>").segment.options.at(0).echo_last);
    EXPECT_EQ(step("< R -1:-1(0)").segment.seq, -1);
}

TEST(ParseStep, ReadsEverythingElse) {
    EXPECT_EQ(step("listen 2775").amount, 2775U);
    EXPECT_EQ(step("+1s connect").at_ns, second_ns);
    EXPECT_EQ(step("accept").op, Op::event_accepted);
    EXPECT_EQ(step("consume all").amount, std::nullopt);
    EXPECT_EQ(step("consume 0").amount, 0U);
    EXPECT_EQ(step("event closed peer_reset within 1s").reason, CloseReason::peer_reset);
    EXPECT_EQ(step("event bytes 500").amount, 500U);
    EXPECT_EQ(step("> nothing for 200ms").duration_ns, 200 * millisecond_ns);
    EXPECT_EQ(step("< icmp unreachable port").icmp.code, "port");
    EXPECT_EQ(step("< icmp too-big mtu 1000 quoting seq 5").icmp.mtu, 1000U);
    EXPECT_EQ(step("< icmp too-big mtu 1000 quoting seq 5").icmp.quoted_seq, 5);
    EXPECT_EQ(step("> icmp echo-reply").op, Op::expect_icmp);
    EXPECT_EQ(step("> who-has within 1s").op, Op::expect_who_has);
    EXPECT_EQ(step("< is-at 9").amount, 9U);
    EXPECT_EQ(step("skip 2s").duration_ns, 2 * second_ns);
    EXPECT_EQ(step("close-listeners").op, Op::close_listeners);
}

TEST(ParseStep, ComplainsPrecisely) {
    EXPECT_EQ(complaint("< SX 0"),
              "'SX' is neither flags (FSRPAUEC, - or *) nor icmp, who-has or is-at");
    EXPECT_EQ(complaint("< SS 0"),
              "'SS' is neither flags (FSRPAUEC, - or *) nor icmp, who-has or is-at");
    EXPECT_EQ(complaint("< A 1:1(0)"), "flag A without 'ack N'");
    EXPECT_EQ(complaint("< S 0:10(5)"), "a length of 5 where the end says 10");
    EXPECT_EQ(complaint("< S 10:0"), "a segment cannot have -10 octets");
    EXPECT_EQ(complaint("< S x"), "expected a sequence number instead of 'x'");
    EXPECT_EQ(complaint("< S *"), "what is sent has neither wildcards nor open ends");
    EXPECT_EQ(complaint("< S 0 win 65536"), "a window has 16 bits");
    EXPECT_EQ(complaint("< S 0 <mss 5, *>"), "what is sent has no '*' among its options");
    EXPECT_EQ(complaint("> S 0 <mss"), "expected an MSS instead of nothing");
    EXPECT_EQ(complaint("> S 0 <mss 5"), "expected '>' before nothing");
    EXPECT_EQ(complaint("> S 0 <mms 5>"),
              "unknown option 'mms': expected mss, wscale, sackok, sack, ts, nop, eol or hex");
    EXPECT_EQ(complaint("< S 0 <hex 0g>"), "expected pairs of hex digits instead of '0g'");
    EXPECT_EQ(complaint("< S 0 <hex 012>"), "expected pairs of hex digits instead of '012'");
    EXPECT_EQ(complaint("> S 0 badsum"), "unexpected 'badsum'");
    EXPECT_EQ(complaint("< S 0 within 5ms"), "unexpected 'within'");
    EXPECT_EQ(complaint("> S 0 within 5"), "'5' is not a duration like 200ms");
    EXPECT_EQ(complaint("+5 close"), "'5' is not a duration like 200ms");
    EXPECT_EQ(complaint("clsoe"), "unknown statement 'clsoe'");
    EXPECT_EQ(complaint("close now"), "unexpected 'now'");
    EXPECT_EQ(complaint("send"), "expected value instead of nothing");
    EXPECT_EQ(complaint("listen 70000"), "a port has 16 bits");
    EXPECT_EQ(complaint("use 0"), "flows are 1 to 64");
    EXPECT_EQ(complaint("event gone"),
              "unknown event 'gone': expected accepted, connected, bytes, writable, closed or "
              "nothing");
    EXPECT_EQ(complaint("event closed"),
              "expected closed peer_closed, peer_reset, connect_refused, connect_failed or local");
    EXPECT_EQ(complaint("< icmp teapot"),
              "unknown ICMP message 'teapot': expected unreachable, too-big, time-exceeded, "
              "echo-request, echo-reply");
    EXPECT_EQ(complaint("< icmp unreachable"),
              "expected unreachable net, host, protocol, port or admin");
}

TEST(ParseScripts, GivesEachFamilyAndEachCombination) {
    const auto scripts =
        parse_scripts("a.pkt", text_loader({{"a.pkt",
                                             "option mtu 1500\nmatrix f in R F\nmatrix n in 1 2 3\n"
                                             "listen 2775\n< {f} {n}\n"}}));
    ASSERT_TRUE(scripts.has_value());
    ASSERT_EQ(scripts->size(), 12U);
    EXPECT_FALSE(scripts->front().ipv6);
    EXPECT_TRUE(scripts->back().ipv6);
    EXPECT_EQ(scripts->front().combination, "f = R, n = 1");
    EXPECT_EQ(scripts->back().combination, "f = F, n = 3");
    EXPECT_EQ(scripts->back().steps.at(1).segment.seq, 3);
    EXPECT_EQ(scripts->back().tunables.at("mtu"), "1500");
}

TEST(ParseScripts, KnowsWhatDiffersByFamily) {
    const auto scripts = parse_scripts(
        "a.pkt", text_loader({{"a.pkt", "manual neighbours\nsend {mss}\nsend {ip_header}\n"}}));
    ASSERT_TRUE(scripts.has_value());
    ASSERT_EQ(scripts->size(), 2U);
    EXPECT_TRUE(scripts->at(0).manual_neighbours);
    EXPECT_EQ(scripts->at(0).mtu, 0U);
    EXPECT_EQ(scripts->at(0).steps.at(0).amount, 1460U);
    EXPECT_EQ(scripts->at(1).steps.at(0).amount, 1440U);
    EXPECT_EQ(scripts->at(1).steps.at(1).amount, 40U);
    const auto jumbo = parse_scripts("a.pkt", text_loader({{"a.pkt", "mtu 9000\nclose\n"}}));
    ASSERT_TRUE(jumbo.has_value());
    EXPECT_EQ(jumbo->at(1).mtu, 9000U);
}

TEST(ParseScripts, RefusesEmptyScriptsAndLateOptions) {
    const auto error = [](const std::string& text) {
        const auto scripts = parse_scripts("a.pkt", text_loader({{"a.pkt", text}}));
        return scripts ? "" : scripts.error().text;
    };
    EXPECT_EQ(error("# only words\n"), "a.pkt: no step in it");
    EXPECT_EQ(error("close\noption mtu 5\n"),
              "a.pkt:2: expected 'option KEY VALUE' before the first step");
    EXPECT_EQ(error("option mtu\nclose\n"),
              "a.pkt:1: expected 'option KEY VALUE' before the first step");
    for (const char* wrong : {"mtu 0\nclose\n", "mtu 70000\nclose\n", "mtu x\nclose\n"}) {
        EXPECT_EQ(error(wrong), "a.pkt:1: expected 'mtu OCTETS' before the first step");
    }
    EXPECT_EQ(error("close\nmtu 1280\n"), "a.pkt:2: expected 'mtu OCTETS' before the first step");
}

}  // namespace
}  // namespace sy::test
