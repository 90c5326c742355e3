// prices.csv, sell.csv, max_cost, margins and [quality]: what is read, what is complained about,
// and what a compiled configuration then decides, minute by minute.
#include <gtest/gtest.h>

#include "core/config/parse.h"
#include "tests/unit/config/load_support.h"

namespace sy::config::test {
namespace {

using Strings = std::vector<std::string>;
using route::MtDecision;

constexpr uint32_t day = 24 * 60;

TEST(ParseMinute, ReadsDatesTimesAndOffsets) {
    const auto minute = [](std::string_view text) { return parse_minute(text, DayEnd::no); };
    EXPECT_EQ(minute("1970-01-01"), 0U);
    EXPECT_EQ(minute("1970-01-02 00:01"), day + 1);
    EXPECT_EQ(minute("2026-01-31"), 20'484U * day);
    EXPECT_EQ(minute("2026-01-31T18:30"), 20'484U * day + 18 * 60 + 30);
    EXPECT_EQ(minute("2026-01-31T18:30Z"), minute("2026-01-31 18:30"));
    EXPECT_EQ(minute("2026-01-31 18:30+05:45"), minute("2026-01-31 12:45"));
    EXPECT_EQ(minute("2026-01-31T18:30-08:00"), minute("2026-02-01 02:30"));
    EXPECT_EQ(minute("2024-02-29"), minute("2024-02-28 23:59").value() + 1);
    EXPECT_EQ(parse_minute("2026-01-31", DayEnd::yes), minute("2026-02-01"));
    EXPECT_EQ(parse_minute("2026-01-31 00:00", DayEnd::yes), minute("2026-01-31"));
}

TEST(ParseMinute, RefusesWhatIsNoTime) {
    for (const char* text : {"",
                             "2026",
                             "2026-1-31",
                             "2026-02-29",
                             "2026-13-01",
                             "2026-00-10",
                             "1969-12-31",
                             "2026-01-31 ",
                             "2026-01-31 18",
                             "2026-01-31 24:00",
                             "2026-01-31 18:60",
                             "2026-01-31 18:30:00",
                             "2026-01-31 18:30+1:00",
                             "2026-01-31 18:30+15:00",
                             "2026-01-31 18:30 Z",
                             "2026-01-31x18:30",
                             "31.01.2026",
                             "1970-01-01 00:00+01:00",
                             "2026-01-31 18:30+",
                             "2026/01/31"}) {
        EXPECT_FALSE(parse_minute(text, DayEnd::no)) << text;
    }
}

class PriceFiles : public testing::Test {
  protected:
    PriceFiles() {
        files["etc/sy.toml"] =
            "[[customer]]\nname = \"acme\"\nsystem_id = \"acme\"\npassword = \"\"\n"
            "margin = \"10%\"\n"
            "[[customer]]\nname = \"bravo\"\nsystem_id = \"bravo\"\npassword = \"\"\n"
            "[[supplier]]\nname = \"alpha\"\nhost = \"127.0.0.1:2776\"\nsystem_id = \"sy\"\n"
            "[[supplier]]\nname = \"beta\"\nhost = \"127.0.0.1:2777\"\nsystem_id = \"sy\"\n"
            "[routes]\nnetworks = \"networks.csv\"\nprices = \"prices.csv\"\n"
            "[quality]\nwindow = \"5m\"\nsamples_min = 7\nexplore_every = 9\n";
        files["etc/networks.csv"] = "prefix,mccmnc,name\n4477,23415,Vodafone\n4478,23410,O2\n";
        files["etc/prices.csv"] =
            "supplier,network,prefix,price,currency,from,until,per\n"
            "alpha,,44,0.03,EUR,,,\n"
            "alpha,23415,,0.02,EUR,2026-02-01,,submit\n"
            "beta,,+44,0.025,,,2026-02-28,delivery\n";
        files["etc/mt.csv"] = "prefix,select,targets\n,cost,alpha | beta\n";
    }

    Strings load_all() {
        Loaded loaded = load_files(files, registry);
        config = std::move(loaded.config);
        snapshot = nullptr;
        if (config) {
            std::vector<Diagnostic> diagnostics;
            snapshot = compile(*config, registry, nullptr, diagnostics);
            EXPECT_NE(snapshot, nullptr);
        }
        return loaded.complaints;
    }
    MtDecision decide(std::string_view number, std::string_view time, uint16_t customer = 0) {
        route::MtQuery query;
        query.customer = CustomerId{customer};
        query.plan = registry.plan("default");
        query.destination = number;
        query.wall_ns = parse_minute(time, DayEnd::no).value() * route::minute_ns;
        MtDecision decision;
        snapshot->mt.decide({&query, 1}, {&decision, 1}, snapshot->scratches.at(0));
        return decision;
    }
    /// "alpha beta": the targets in their order.
    std::string targets(std::string_view number, std::string_view time, uint16_t customer = 0) {
        const MtDecision decision = decide(number, time, customer);
        std::string out;
        for (size_t i = 0; i < decision.target_count; ++i) {
            out += (out.empty() ? "" : " ") + registry.suppliers()[decision.targets[i].value];
        }
        return out;
    }

    Files files = good_files();
    Registry registry;
    std::optional<Config> config;
    std::unique_ptr<route::Snapshot> snapshot;
};

TEST_F(PriceFiles, PricesCountFromAndUntilTheirMinute) {
    ASSERT_EQ(load_all(), Strings{});
    // Vodafone: alpha 0.03, from February on 0.02; beta 0.025 to the end of February.
    EXPECT_EQ(targets("447700900123", "2026-01-31 23:59"), "beta alpha");
    EXPECT_EQ(targets("447700900123", "2026-02-01 00:00"), "alpha beta");
    EXPECT_EQ(targets("447800900123", "2026-02-28 23:59"), "beta alpha");
    EXPECT_EQ(targets("447800900123", "2026-03-01 00:00"), "alpha beta");  // beta without a price
    EXPECT_EQ(config->currency, "EUR");
    EXPECT_EQ(snapshot->quality,
              (route::QualityOptions{
                  .window_ns = 300 * second_ns, .samples_min = 7, .explore_every = 9}));
}

TEST_F(PriceFiles, MaxCostTakesTargetsOff) {
    files["etc/mt.csv"] = "prefix,select,max_cost,targets\n,order,0.025,alpha | beta\n";
    ASSERT_EQ(load_all(), Strings{});
    EXPECT_EQ(targets("447700900123", "2026-01-31"), "beta");
    EXPECT_EQ(targets("447700900123", "2026-02-01"), "alpha beta");
    EXPECT_EQ(decide("447800900123", "2026-03-01").kind, MtDecision::Kind::too_dear);
}

TEST_F(PriceFiles, CustomersPaySoThatNothingIsSentAtALoss) {
    const std::string routes = "prices = \"prices.csv\"\n";
    std::string& toml = files["etc/sy.toml"];
    toml.insert(toml.find(routes), "sell = \"sell.csv\"\n");
    files["etc/sell.csv"] =
        "customer,plan,network,prefix,price,from\n"
        "acme,,,44,0.03,\n"
        "acme,,23415,,0.02,2026-02-01\n"
        ",default,,4,0.026,\n";
    ASSERT_EQ(load_all(), Strings{});
    // acme pays 0.03 and 10 % of it are its margin: 0.027.
    EXPECT_EQ(targets("447700900123", "2026-01-31", 0), "beta");
    EXPECT_EQ(decide("447700900123", "2026-02-01", 0).kind, MtDecision::Kind::too_dear);
    // bravo pays by its plan, without a margin.
    EXPECT_EQ(targets("447700900123", "2026-01-31", 1), "beta");
    EXPECT_EQ(targets("447700900123", "2026-02-01", 1), "alpha beta");
    EXPECT_EQ(decide("33", "2026-02-01", 1).kind, MtDecision::Kind::too_dear);
}

TEST_F(PriceFiles, EveryBadRowIsNamed) {
    files["etc/prices.csv"] =
        "supplier,network,prefix,price,currency,from,until,per\n"
        "gamma,,44,0.03,EUR,,,\n"
        "alpha,99999,,0.03,EUR,,,\n"
        "alpha,23415,44,0.03,EUR,,,\n"
        "alpha,,4x,0.03,EUR,,,\n"
        "alpha,,44,0.03.1,Euro,2026-02-30,,\n"
        "alpha,,44,0.03,USD,2026-03-01,2026-02-28,\n"
        "alpha,,44,,EUR,,,month\n"
        "beta,,44,0.01,EUR,2026-03-01,,\n"
        "beta,,44,0.01,EUR,2026-03-01,,\n"
        "beta,,44,0.01,EUR,2026-03-01,2026-04-01,\n";
    EXPECT_EQ(
        load_all(),
        (Strings{"etc/prices.csv:2:1: error: unknown supplier 'gamma', expected one of alpha, beta",
                 "etc/prices.csv:3:7: error: unknown network '99999', expected one of 23415, 23410",
                 "etc/prices.csv:4:13: error: prefix '44' beside network '23415', expected one of "
                 "them",
                 "etc/prices.csv:5:8: error: '4x' is not the beginning of a number, expected 1 to "
                 "15 digits",
                 "etc/prices.csv:6:11: error: price is '0.03.1', expected an amount like 0.0345 "
                 "with at most 9 decimals, from 0 to 100000",
                 "etc/prices.csv:6:18: error: currency is 'Euro', expected three capital letters "
                 "like EUR",
                 "etc/prices.csv:6:23: error: from is '2026-02-30', expected a time like "
                 "2026-01-31, 2026-01-31 18:30 or 2026-01-31T18:30+01:00 (UTC without an offset)",
                 "etc/prices.csv:7:16: error: currency is 'USD', expected 'EUR', as in the rows "
                 "before: all prices are in one currency",
                 "etc/prices.csv:7:31: error: until is '2026-02-28', expected a time behind from, "
                 "which is '2026-03-01'",
                 "etc/prices.csv:8:11: error: price is '', expected an amount like 0.0345 with at "
                 "most 9 decimals, from 0 to 100000",
                 "etc/prices.csv:8:18: error: per is 'month', expected submit or delivery",
                 "etc/prices.csv:10:1: warning: the row does nothing: line 9 says the same",
                 "etc/prices.csv:11:1: error: the row contradicts line 9, which begins at the same "
                 "minute, expected one price for it"}));
    EXPECT_FALSE(config);
}

TEST_F(PriceFiles, WrongSettingsAreNamed) {
    files["etc/sy.toml"] = std::string(accounts) +
                           "[quality]\nwindow = \"1s\"\nsamples_min = 0\nexplore_every = -1\n"
                           "samples = 1\n[[customer]]\nname = \"b\"\nsystem_id = \"b\"\n"
                           "password = \"\"\nmargin = \"101%\"\n";
    files["etc/mt.csv"] = "max_cost,targets\n0.05,alpha\n-1,beta\n0.0000000001,beta\n";
    files["etc/mo.csv"] = "number,select,targets\n,cost,acme\n";
    EXPECT_EQ(
        load_all(),
        (Strings{"etc/sy.toml:14:10: error: window is '1s', expected a duration with its unit from "
                 "\"10s\" to \"1d\"",
                 "etc/sy.toml:15:15: error: samples_min is 0, expected a whole number from 1 to "
                 "1000000",
                 "etc/sy.toml:16:17: error: explore_every is -1, expected a whole number from 0 to "
                 "1000000",
                 "etc/sy.toml:17:1: error: unknown key 'samples' in [quality], expected one of "
                 "window, samples_min, explore_every",
                 "etc/sy.toml:22:10: error: margin is '101%', expected a share like \"12.5%\" or "
                 "an amount like \"0.002\"",
                 "etc/mt.csv:2:1: error: max_cost '0.05' needs prices of suppliers, expected "
                 "prices = \"prices.csv\" under [routes]",
                 "etc/mt.csv:3:1: error: max_cost is '-1', expected an amount like 0.0345 with at "
                 "most 9 decimals, from 0 to 100000",
                 "etc/mt.csv:4:1: error: max_cost is '0.0000000001', expected an amount like "
                 "0.0345 with at most 9 decimals, from 0 to 100000",
                 "etc/mo.csv:2:2: error: select is 'cost', expected weight or order"}));
}

TEST_F(PriceFiles, SellNeedsPrices) {
    std::string& toml = files["etc/sy.toml"];
    toml.replace(toml.find("prices = \"prices.csv\""), 21, "sell = \"sell.csv\"");
    files["etc/sell.csv"] = "customer,price\nacme,1\n";
    files["etc/mt.csv"] = "targets\nalpha\n";
    EXPECT_EQ(load_all(), Strings{"etc/sy.toml:20:8: error: sell without prices would let no "
                                  "message through, expected prices beside it under [routes]"});
}

TEST_F(PriceFiles, EveryBadSellRowIsNamed) {
    std::string& toml = files["etc/sy.toml"];
    toml.insert(toml.find("prices ="), "sell = \"sell.csv\"\n");
    files["etc/sell.csv"] =
        "customer,plan,prefix,price,currency\n"
        ",,44,1,\n"
        "acme,default,44,1,\n"
        "acm,,44,1,\n"
        ",gold,44,1,\n"
        "acme,,44,1,USD\n";
    EXPECT_EQ(load_all(),
              (Strings{"etc/sell.csv:2:2: error: customer is '' and plan is '', expected one of "
                       "them",
                       "etc/sell.csv:3:1: error: customer is 'acme' and plan is 'default', "
                       "expected one of them",
                       "etc/sell.csv:4:1: error: unknown customer 'acm', did you mean 'acme'?",
                       "etc/sell.csv:5:2: error: unknown plan of a customer 'gold', expected "
                       "default",
                       "etc/sell.csv:6:12: error: currency is 'USD', expected 'EUR', as in the "
                       "rows before: all prices are in one currency"}));
}

}  // namespace
}  // namespace sy::config::test
