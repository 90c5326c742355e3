#include "bench/smppload/traffic.h"

#include <algorithm>
#include <array>
#include <regex>

#include <gtest/gtest.h>

#include "bench/smppload/pdu_view.h"
#include "core/smpp/decode.h"

namespace sy::load {
namespace {

Options options_for_test() {
    Options options;
    options.prefixes = 2'000;
    options.expressions = 20;
    options.destinations = 5'000;
    options.receipts = 0.3;
    return options;
}

// What a router would decide by mt.csv, by looking at every row.
uint8_t slow_route(const RouteTable& table,
                   const std::vector<std::regex>& patterns,
                   std::string_view destination,
                   const std::string& sender,
                   const std::string& text) {
    const PrefixRow* best = nullptr;
    for (const PrefixRow& row : table.rows) {
        if (destination.starts_with(row.prefix) &&
            (best == nullptr || row.prefix.size() > best->prefix.size())) {
            best = &row;
        }
    }
    if (best->expression >= 0) {
        const auto index = static_cast<size_t>(best->expression);
        const std::string& subject = table.expressions[index].on_sender ? sender : text;
        if (std::regex_search(subject, patterns[index])) {
            return best->expression_supplier;
        }
    }
    return best->supplier;
}

TEST(Traffic, EveryMessageBelongsWhereItsContentSays) {
    const Options options = options_for_test();
    const auto table = make_route_table(options);
    const auto traffic = Traffic::make(options);
    ASSERT_TRUE(table && traffic);
    std::vector<std::regex> patterns;
    for (const Expression& expression : table->expressions) {
        patterns.emplace_back(expression.pattern);
    }
    std::array<uint8_t, Traffic::submit_bytes_max> pdu;
    uint32_t matched = 0;
    for (uint32_t m = 0; m < 2'000; ++m) {
        const Choice choice = traffic->choose(m);
        const size_t size = traffic->encode(m, choice, 7, pdu.data());
        smpp::Sm sm;
        ASSERT_EQ(smpp::decode_sm({pdu.data() + 16, size - 16}, {}, sm),
                  smpp::CommandStatus::esme_rok);
        const std::string text(as_chars(sm.short_message));
        EXPECT_EQ(choice.supplier, slow_route(*table, patterns, sm.destination.digits,
                                              std::string(sm.source.digits), text));
        EXPECT_EQ(sm.registered_delivery, choice.receipt ? 1 : 0);
        EXPECT_EQ(load_be<uint32_t>(pdu.data()), size);
        EXPECT_EQ(load_be<uint32_t>(pdu.data() + 12), 7u);
        matched += text.find("code K") != std::string::npos || choice.sender >= 8 ? 1u : 0u;
    }
    EXPECT_GT(matched, 300u);  // a fifth of 2,000 is asked for
    EXPECT_LT(matched, 500u);
}

TEST(Traffic, ViewReadsWhatTheRouterDecoderReads) {
    const auto traffic = Traffic::make(options_for_test());
    ASSERT_TRUE(traffic);
    std::array<uint8_t, Traffic::submit_bytes_max> pdu;
    for (uint32_t m = 0; m < 500; ++m) {
        const Choice choice = traffic->choose(m);
        const size_t size = traffic->encode(m, choice, 1, pdu.data());
        SmView view;
        ASSERT_TRUE(view_sm({pdu.data() + 16, size - 16}, view));
        smpp::Sm sm;
        ASSERT_EQ(smpp::decode_sm({pdu.data() + 16, size - 16}, {}, sm),
                  smpp::CommandStatus::esme_rok);
        EXPECT_EQ(view.source, sm.source.digits);
        EXPECT_EQ(view.destination, sm.destination.digits);
        EXPECT_EQ(view.source, traffic->sender(choice));
        EXPECT_EQ(view.destination, traffic->destination(choice));
        EXPECT_EQ(as_chars(view.short_message), as_chars(sm.short_message));
        uint32_t number = 0;
        ASSERT_TRUE(read_number(view.short_message.data() + 1, number));
        EXPECT_EQ(number, m);
        EXPECT_EQ(as_chars(view.short_message).substr(11), traffic->text_behind_number(choice));
        EXPECT_EQ(view.registered_delivery, sm.registered_delivery);
    }
}

TEST(Traffic, SubmitHas165OctetsOnAverage) {
    Options options = options_for_test();
    options.expressions = 0;
    const auto traffic = Traffic::make(options);
    ASSERT_TRUE(traffic);
    EXPECT_NEAR(traffic->mean_submit_bytes(), 165, 1);
}

TEST(Traffic, ReceiptShareAndSameSeedSameTraffic) {
    const Options options = options_for_test();
    const auto one = Traffic::make(options);
    const auto two = Traffic::make(options);
    ASSERT_TRUE(one && two);
    uint32_t receipts = 0;
    for (uint32_t m = 0; m < 10'000; ++m) {
        std::array<uint8_t, Traffic::submit_bytes_max> a, b;
        const Choice choice = one->choose(m);
        const size_t size = one->encode(m, choice, 1, a.data());
        ASSERT_EQ(size, two->encode(m, two->choose(m), 1, b.data()));
        ASSERT_TRUE(
            std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(size), b.begin()));
        receipts += choice.receipt ? 1u : 0u;
    }
    EXPECT_NEAR(receipts, 3'000, 150);
}

TEST(Traffic, NumbersRefuseWhatIsNotTenDigits) {
    std::array<uint8_t, 10> octets;
    uint32_t number = 0;
    write_number(octets.data(), 4'294'967'295u);
    EXPECT_TRUE(read_number(octets.data(), number));
    EXPECT_EQ(number, 4'294'967'295u);
    std::ranges::copy(std::string_view("4294967296"), octets.begin());
    EXPECT_FALSE(read_number(octets.data(), number));
    std::ranges::copy(std::string_view("12345x7890"), octets.begin());
    EXPECT_FALSE(read_number(octets.data(), number));
}

}  // namespace
}  // namespace sy::load
