#include "tests/packet/runner.h"

#include <gtest/gtest.h>

#include "tests/packet/script_fixture.h"

namespace sy::test {
namespace {

const std::string handshake =
    "listen 2775\n"
    "< S 0:0(0) win 65535 <mss 1460>\n"
    "> SA 0:0(0) ack 1\n"
    "< A 1:1(0) ack 1 win 65535\n"
    "event accepted\n";

/// Runs the text for both families; the first complaint, "" when all is well.
std::string run(const std::string& text, ToyFault fault = ToyFault::none) {
    const auto scripts = parse_scripts("a.pkt", text_loader({{"a.pkt", text}}));
    if (!scripts) {
        return scripts.error().text;
    }
    for (const Script& script : *scripts) {
        const RunResult result = run_script(script, toy_factory(fault));
        EXPECT_EQ(result.passed, result.message.empty());
        if (!result.passed) {
            return result.message;
        }
    }
    return "";
}
/// The first two lines of it: what is wrong, and in which step.
std::string head(const std::string& message) {
    size_t end = message.find('\n');
    end = end == std::string::npos ? end : message.find('\n', end + 1);
    return message.substr(0, end);
}

TEST(PacketRunner, RunsAPassiveOpenWithDataBothWaysAndAClose) {
    EXPECT_EQ(run(handshake + "+10ms < PA 1:501(500) ack 1\n"
                              "event bytes 500\n"
                              "> A 1:1(0) ack 501\n"
                              "send 1000\n"
                              "> A 1:537(536) ack 501\n"
                              "< A 501 ack 537\n"
                              "> A 537:1001(464) ack 501 <>\n"
                              "< A 501 ack 1001\n"
                              "< FA 501 ack 1001\n"
                              "event closed peer_closed\n"
                              "> FA 1001 ack 502\n"
                              "< A 502 ack 1002\n"
                              "> nothing for 5s\n"),
              "");
}

TEST(PacketRunner, RunsAnActiveOpenWithNeighbourAnsweredByItself) {
    EXPECT_EQ(run("connect\n"
                  "> S 0:0(0) win *\n"
                  "+5ms < SA 0:0(0) ack 1 win 1000\n"
                  "event connected\n"
                  "> A 1 ack 1\n"
                  "close\n"
                  "> FA 1 ack 1\n"
                  "< FA 1 ack 2\n"
                  "event closed local\n"
                  "> A 2 ack 2\n"),
              "");
}

TEST(PacketRunner, RunsManualNeighbours) {
    EXPECT_EQ(run("manual neighbours\n"
                  "connect\n"
                  "> who-has\n"
                  "+200ms > who-has\n"
                  "< is-at 7\n"
                  "> S 0\n"
                  "< who-has\n"
                  "> is-at\n"
                  "< RA 0 ack 1\n"
                  "event closed connect_refused\n"),
              "");
}

TEST(PacketRunner, TimersFireAtTheirVirtualInstant) {
    const std::string begin =
        "option retransmit 300ms\n" + handshake + "send 10\n> A 1:11(10) ack 1\n";
    EXPECT_EQ(run(begin + "+300ms > A 1:11(10) ack 1\n"
                          "> nothing for 299ms\n"
                          "+0.9ms > A 1:11 ack 1 within 200us\n"
                          "< A 1 ack 11\n> nothing for 10s\n"),
              "");
    EXPECT_EQ(head(run(begin + "+299ms > A 1:11(10) ack 1\n")),
              "a.pkt:9: nothing came until 0.299000 s\n    in step: +299ms > A 1:11(10) ack 1");
    EXPECT_EQ(head(run(begin + "+301ms > A 1:11(10) ack 1\n")),
              "a.pkt:9: it came at 0.300000 s, 0.001000 s early\n"
              "    in step: +301ms > A 1:11(10) ack 1");
    EXPECT_EQ(head(run(begin + "> nothing for 400ms\n")),
              "a.pkt:9: something came at 0.300000 s\n    in step: > nothing for 400ms");
    EXPECT_EQ(head(run(begin + "wait 400ms\n> A 1:11(10) ack 1\n")),
              "a.pkt:10: it came at 0.300000 s, 0.100000 s early\n    in step: > A 1:11(10) ack 1");
    EXPECT_EQ(run(begin + "wait 400ms\n> A 1:11(10) ack 1 anytime\n"), "");
    EXPECT_EQ(run(begin + "skip 1s\n< A 1 ack 11\n"), "");
}

TEST(PacketRunner, NamesTheFieldThatDiffers) {
    const std::string begin = handshake + "< A 1:101(100) ack 1\n";
    const auto difference = [&](const std::string& expected) {
        const std::string message = run(begin + "> " + expected + "\n");
        if (message.empty()) {
            return message;
        }
        const size_t from = message.find(": ") + 2;
        return message.substr(from, message.find('\n') - from);
    };
    EXPECT_EQ(difference("A 1:1(0) ack 101 win 32768 <>"), "");
    EXPECT_EQ(difference("R 1"), "flags are A, expected R");
    EXPECT_EQ(difference("A 2 ack 101"), "seq is 1, expected 2");
    EXPECT_EQ(difference("A 1:2(1) ack 101"), "length is 0, expected 1");
    EXPECT_EQ(difference("A 1 ack 1"), "ack is 101, expected 1");
    EXPECT_EQ(difference("A 1 ack 101 win 5"), "win is 32768, expected 5");
    EXPECT_EQ(difference("A 1 ack 101 <ts * *>"), "options are <>, without ts * *");
    EXPECT_EQ(difference("PA 1 ack 101"), "flags are A, expected PA");
    EXPECT_EQ(difference("icmp echo-reply"), "no ICMP message came");
}

TEST(PacketRunner, OptionalSegmentsMayComeOrNot) {
    EXPECT_EQ(run(handshake + ">? A 1 ack 1\n< FA 1 ack 1\n>? A 1:1(0) ack 2\n> FA 1 ack 2\n"
                              "event closed peer_closed\n< A 2 ack 2\n"),
              "");
    EXPECT_EQ(run(handshake + "< A 1:2(1) ack 1\n>? A 1:1(0) ack 2\n> nothing for 1s\n"), "");
    EXPECT_EQ(run(handshake + "abort\n> R* 1:1(0)\nevent closed local\n"), "");
    EXPECT_NE(run(handshake + "< A 1:2(1) ack 1\n> R* 1:1(0)\n").find("expected R*"),
              std::string::npos);
}

TEST(PacketRunner, ShowsTheConversation) {
    const std::string message = run(handshake + "< A 1:101(100) ack 1\n> R 1\n");
    EXPECT_NE(message.find("    in step: > R 1\n"), std::string::npos) << message;
    EXPECT_NE(message.find("    family ipv4"), std::string::npos) << message;
    EXPECT_NE(message.find("< S 0:0(0) win 65535 <mss 1460>\n"), std::string::npos) << message;
    EXPECT_NE(message.find("> SA 0:0(0) ack 1 win 32768\n"), std::string::npos) << message;
    EXPECT_NE(message.find("event accepted\n"), std::string::npos) << message;
    EXPECT_NE(message.find("came:    > A 1:1(0) ack 101 win 32768"), std::string::npos) << message;
}

TEST(PacketRunner, NothingMayBeLeftAtTheEnd) {
    EXPECT_EQ(head(run(handshake + "< A 1:101(100) ack 1\n")),
              "a.pkt: at the end, what the stack sent and no step asked for: "
              "> A 1:1(0) ack 101 win 32768\n    family ipv4; the conversation so far:");
    EXPECT_EQ(head(run(handshake + "< R 1\n")),
              "a.pkt: at the end, an event that no step asked for: closed\n"
              "    family ipv4; the conversation so far:");
}

TEST(PacketRunner, ChecksEvents) {
    EXPECT_EQ(head(run(handshake + "event closed local\n")),
              "a.pkt:6: no event until 0.000000 s\n    in step: event closed local");
    EXPECT_EQ(head(run(handshake + "< R 1\nevent closed local\n")),
              "a.pkt:7: another event came: closed peer_reset of flow 1\n"
              "    in step: event closed local");
    EXPECT_EQ(head(run(handshake + "< A 1:11(10) ack 1\n> A 1 ack 11\nevent bytes 11\n")),
              "a.pkt:8: 10 octets were delivered\n    in step: event bytes 11");
    EXPECT_EQ(head(run(handshake + "< A 1:11(10) ack 1\n> A 1 ack 11\nevent nothing\n")),
              "a.pkt:8: the application was told something\n    in step: event nothing");
}

TEST(PacketRunner, ConsumeAndPauseHoldOctetsBack) {
    EXPECT_EQ(run(handshake + "consume 30\n"
                              "< A 1:101(100) ack 1\n"
                              "> A 1 ack 101 win 32698\n"
                              "event bytes 30\n"
                              "pause\n"
                              "consume all\n"
                              "event bytes 0\n"
                              "< A 101:111(10) ack 1\n"
                              "> A 1 ack 111 win 32688\n"
                              "event nothing\n"
                              "resume\n"
                              "event bytes 80\n"),
              "");
}

TEST(PacketRunner, CatchesJunkThatIsDelivered) {
    const std::string message = run(handshake + "< A 1:11(10) ack 1 junk\n> A 1 ack 11\n");
    EXPECT_EQ(head(message),
              "a.pkt:6: octet 1 is delivered wrong\n    in step: < A 1:11(10) ack 1 junk");
}

TEST(PacketRunner, MalformedSegmentsReachTheStackAsWritten) {
    EXPECT_EQ(run(handshake + "< A 1:101(100) ack 1 badsum\n"
                              "< A 1:101(100) ack 1 offset 3\n"
                              "< A 1:101(100) ack 1 offset 15 cut 90\n"
                              "< A 1:101(100) ack 1 cut 1\n"
                              "> nothing for 1s\n"
                              "< A 1:101(100) ack 1 pad 30 <nop, hex 0a0b>\n"
                              "> A 1 ack 101\nevent bytes 100\n"),
              "");
}

TEST(PacketRunner, FlowsAreApart) {
    EXPECT_EQ(run("listen 2775\n"
                  "< S 0\n> SA 0 ack 1\n< A 1 ack 1\nevent accepted\n"
                  "use 2\npeer-iss 4294967290\n"
                  "< S 0\n> SA 0 ack 1\n< A 1 ack 1\nevent accepted\n"
                  "< A 1:101(100) ack 1\n> A 1 ack 101\nevent bytes 100\n"
                  "use 1\n"
                  "send 5\n> A 1:6(5) ack 1\n< R 1\nevent closed peer_reset\n"),
              "");
    EXPECT_EQ(head(run(handshake + "use 2\n< S 0\nuse 1\n> SA 0 ack 1\n")),
              "a.pkt:9: a segment of flow 2 came\n    in step: > SA 0 ack 1");
}

TEST(PacketRunner, ChecksTheStacksInitialNumber) {
    EXPECT_EQ(
        head(run("listen 2775\nstack-iss 5\n")),
        "a.pkt:2: the stack's initial number is not known, expected 5\n    in step: stack-iss 5");
    const std::string known = run(handshake + "stack-iss 4294967295\n");
    const std::string_view text = "the stack's initial number is ";
    const size_t at = known.find(text);
    ASSERT_NE(at, std::string::npos);
    const size_t from = at + text.size();
    const std::string iss = known.substr(from, known.find(',', from) - from);
    EXPECT_EQ(run(handshake + "stack-iss " + iss + "\n"), "");
}

TEST(PacketRunner, SegmentToNobodyIsAnsweredByAReset) {
    EXPECT_EQ(run("listen 2775\n< A 7 ack 5000\n> R 5000:5000(0)\n< S 0\n> SA 0 ack 1\n< R 1\n"),
              "");
}

TEST(PacketRunner, QuotesTheLastSegmentInIcmp) {
    // The toy ignores ICMP; that the message is well-formed is tested in packet_link_test.
    EXPECT_EQ(run(handshake + "send 10\n> A 1:11(10) ack 1\n< icmp unreachable port\n"
                              "< icmp too-big mtu 1000 quoting seq 1\n< icmp echo-request\n"
                              "< icmp time-exceeded\n< icmp unreachable protocol quoting last\n"
                              "> nothing for 100ms\n< A 1 ack 11\n"),
              "");
}

TEST(PacketRunner, CallsWithoutAConnectionAreComplainedOf) {
    EXPECT_EQ(head(run("listen 2775\nsend 5\n")),
              "a.pkt:2: there is no connection to call this for\n    in step: send 5");
    EXPECT_EQ(head(run("< S 0\n")),
              "a.pkt:1: no 'listen' or 'connect' has said which port to send to\n"
              "    in step: < S 0");
    EXPECT_EQ(head(run("@1s listen 2775\n@0.5s close-listeners\n")),
              "a.pkt:2: the clock is already at 1.000000 s\n    in step: @0.5s close-listeners");
}

TEST(PacketRunner, UnknownTunableIsComplainedOf) {
    EXPECT_EQ(run("option colour red\nlisten 1\n"), "a.pkt: no tunable 'colour' of value 'red'");
}

TEST(PacketRunner, CatchesPlantedFaults) {
    std::string traffic = handshake;
    for (int i = 0; i < 600; ++i) {
        const std::string from = std::to_string(1 + i * 10);
        const std::string to = std::to_string(11 + i * 10);
        traffic += "< A " + from + ":" + to + " ack 1\n> A 1 ack " + to + "\n";
    }
    EXPECT_EQ(run(traffic), "");
    EXPECT_NE(run(traffic, ToyFault::wrong_octet).find("is delivered wrong"), std::string::npos);
    EXPECT_NE(run(traffic, ToyFault::leak).find("has lost 6 buffers"), std::string::npos);
    EXPECT_NE(run(traffic, ToyFault::wrong_checksum).find("sends a wrong checksum"),
              std::string::npos);
}

TEST(PacketRunner, SameScriptGivesTheSameBytes) {
    const auto scripts = parse_scripts("a.pkt", text_loader({{"a.pkt", handshake}}));
    ASSERT_TRUE(scripts.has_value());
    const RunResult once = run_script(scripts->front(), toy_factory());
    EXPECT_EQ(once.hash, run_script(scripts->front(), toy_factory()).hash);
}

}  // namespace
}  // namespace sy::test
