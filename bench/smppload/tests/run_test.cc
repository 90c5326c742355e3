// Whole runs in this process, customers straight to suppliers over loopback: the books balance when
// all is well, and every kind of mistake is found, by its name.
#include "bench/smppload/run.h"

#include <memory>

#include <gtest/gtest.h>

#include "bench/smppload/command_line.h"
#include "bench/smppload/report.h"

namespace sy::load {
namespace {

RawOptions direct_options() {
    RawOptions raw;
    raw.mode = "direct";
    raw.listen = "127.0.0.1:0";
    raw.options.messages = 2'000;
    raw.options.binds = 4;
    raw.options.window = 50;
    raw.options.receipts = 1;
    raw.drain_timeout = "300ms";
    return raw;
}

struct Ran {
    std::unique_ptr<Context> context;
    Result<Outcome> outcome;

    [[nodiscard]] Ledger& books() const { return context->ledger; }
};

Ran run_with(const RawOptions& raw) {
    auto options = finish_options(raw);
    EXPECT_TRUE(options) << options.error().text;
    auto traffic = Traffic::make(*options);
    EXPECT_TRUE(traffic);
    const uint64_t messages = options->messages > 0 ? options->messages : 1'000'000;
    Ran ran{std::make_unique<Context>(std::move(*options), std::move(*traffic), messages), {}};
    ran.outcome = run(*ran.context);
    EXPECT_TRUE(ran.outcome) << ran.outcome.error().text;
    return ran;
}

std::string told(const Ran& ran) {
    return text_report(*ran.context, *ran.outcome);
}

TEST(Run, BooksBalanceWhenAllIsWell) {
    const Ran ran = run_with(direct_options());
    EXPECT_EQ(ran.books().troubles(), 0u) << told(ran);
    EXPECT_EQ(ran.books().answers_ok, 2'000u);
    EXPECT_EQ(ran.books().receipts_home, 2'000u);
    EXPECT_EQ(ran.context->submit_latency.count(), 2'000u);
    EXPECT_EQ(ran.context->receipt_latency.count(), 2'000u);
}

TEST(Run, BooksBalanceWithErrorsDelaysAndEarlyReceipts) {
    RawOptions raw = direct_options();
    raw.options.customers = 2;
    raw.errors = "RTHROTTLED:0.05,RSYSERR:0.02";
    raw.latency = "0:2";
    raw.delay = "0:5";
    raw.stats = "DELIVRD:0.8,UNDELIV:0.2";
    raw.options.receipt_before_response = 0.2;
    const Ran ran = run_with(raw);
    EXPECT_EQ(ran.books().troubles(), 0u) << told(ran);
    EXPECT_NEAR(static_cast<double>(ran.books().answers_error.at(0x58)), 100, 40);
    EXPECT_EQ(ran.books().answers_error.at(0x58), ran.books().supplier_errors.at(0x58));
    EXPECT_EQ(ran.books().answers_error.at(0x08), ran.books().supplier_errors.at(0x08));
    EXPECT_EQ(ran.books().receipts_home, ran.books().answers_ok);
}

TEST(Run, ReceiptsOverReceiversAndAnotherBind) {
    RawOptions raw = direct_options();
    raw.bind_mode = "tx+rx";
    raw.options.binds = 8;
    raw.options.receipt_other_bind = true;
    const Ran ran = run_with(raw);
    EXPECT_EQ(ran.books().troubles(), 0u) << told(ran);
    EXPECT_EQ(ran.books().receipts_home, 2'000u);
}

TEST(Run, MoMessagesComeHome) {
    RawOptions raw = direct_options();
    raw.options.messages = 0;
    raw.duration = "300ms";
    raw.options.rate = 2'000;
    raw.options.mo_rate = 1'000;
    const Ran ran = run_with(raw);
    EXPECT_EQ(ran.books().troubles(), 0u) << told(ran);
    EXPECT_GT(ran.books().mo_sent, 0u);
    EXPECT_EQ(ran.books().mo_home, ran.books().mo_sent);
}

struct FaultCase {
    const char* fault;
    Trouble trouble;
};

class FaultTest : public testing::TestWithParam<FaultCase> {};

TEST_P(FaultTest, IsFound) {
    RawOptions raw = direct_options();
    raw.fault = GetParam().fault;
    const Ran ran = run_with(raw);
    EXPECT_GE(ran.books().troubles(GetParam().trouble), 1u) << told(ran);
}

INSTANTIATE_TEST_SUITE_P(Run,
                         FaultTest,
                         testing::Values(FaultCase{"lose", Trouble::lost},
                                         FaultCase{"duplicate", Trouble::reached_twice},
                                         FaultCase{"alter", Trouble::altered},
                                         FaultCase{"misroute", Trouble::misrouted},
                                         FaultCase{"no-answer", Trouble::unanswered},
                                         FaultCase{"answer-twice", Trouble::answered_twice},
                                         FaultCase{"wrong-sequence", Trouble::unknown_sequence},
                                         FaultCase{"false-status", Trouble::accepted_but_refused},
                                         FaultCase{"wrong-id", Trouble::receipt_unknown_id},
                                         FaultCase{"lose-receipt", Trouble::receipt_lost},
                                         FaultCase{"duplicate-receipt",
                                                   Trouble::receipt_unknown_id},
                                         FaultCase{"wrong-stat", Trouble::receipt_altered},
                                         FaultCase{"deaf", Trouble::session_deaf}),
                         [](const auto& one) {
                             std::string name = one.param.fault;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

TEST(Run, RefusedConnectionIsAnErrorAndNotADiscrepancy) {
    RawOptions raw = direct_options();
    raw.mode = "esme";
    raw.router = "127.0.0.1:1";  // tcpmux: nobody listens there
    auto options = finish_options(raw);
    ASSERT_TRUE(options);
    auto traffic = Traffic::make(*options);
    ASSERT_TRUE(traffic);
    Context context(std::move(*options), std::move(*traffic), 2'000);
    context.suppliers_here = false;
    const auto outcome = run(context);
    ASSERT_FALSE(outcome);
    EXPECT_NE(outcome.error().text.find("127.0.0.1:1"), std::string::npos);
}

TEST(Options, WrongOnesAreRefusedWithAReason) {
    const auto reason = [](auto&& change) {
        RawOptions raw = direct_options();
        change(raw);
        const auto options = finish_options(raw);
        return options ? std::string() : options.error().text;
    };
    const auto names = [](const std::string& text, const char* what) {
        return text.find(what) != std::string::npos;
    };
    EXPECT_EQ(reason([](RawOptions&) {}), "");
    EXPECT_TRUE(names(reason([](RawOptions& r) { r.mode = "indirect"; }), "--mode"));
    EXPECT_TRUE(names(reason([](RawOptions& r) { r.errors = "RNOSUCH:0.1"; }), "RNOSUCH"));
    EXPECT_TRUE(names(reason([](RawOptions& r) { r.errors = "RSYSERR:0.6,RMSGQFUL:0.6"; }), "1.2"));
    EXPECT_TRUE(names(reason([](RawOptions& r) { r.latency = "20:5"; }), "20:5"));
    EXPECT_TRUE(names(reason([](RawOptions& r) { r.duration = "10 parsecs"; }), "parsecs"));
    EXPECT_TRUE(names(reason([](RawOptions& r) { r.options.window = 0; }), "--window"));
}

}  // namespace
}  // namespace sy::load
