// What a reload takes over and what it makes anew: mt.csv, prices.csv, sell.csv and the compiled
// rules. Method: a configuration in memory, loaded and compiled again after one change at a time.
#include <gtest/gtest.h>

#include "tests/unit/config/load_support.h"

namespace sy::config::test {
namespace {

using Strings = std::vector<std::string>;

class ReloadShare : public testing::Test {
  protected:
    ReloadShare() {
        files["etc/sy.toml"] +=
            "[routes]\nnetworks = \"networks.csv\"\nprices = \"prices.csv\"\nsell = \"sell.csv\"\n";
        files["etc/networks.csv"] = "prefix,mccmnc\n44,23410\n49,26201\n";
        files["etc/prices.csv"] =
            "supplier,prefix,price,currency\nalpha,,0.02,EUR\nbeta,,0.03,\nbeta,,0.03,\n";
        files["etc/sell.csv"] = "customer,price,currency\nacme,0.05,EUR\n";
        files["etc/mt.csv"] =
            "prefix,network,sender,targets\n,,,beta\n,23410,^A,alpha\n44,,,beta\n"
            "44,,,beta\n";
    }

    // Loads and compiles upon what ran before, as the router does.
    void reload() {
        Loaded loaded = load_files(files, registry);
        complaints = std::move(loaded.complaints);
        if (!loaded.config) {
            return;
        }
        std::vector<Diagnostic> diagnostics;
        auto compiled = compile(*loaded.config, registry, snapshot.get(), diagnostics);
        ASSERT_NE(compiled, nullptr);
        ASSERT_TRUE(diagnostics.empty());
        before = std::move(config);
        before_snapshot = std::move(snapshot);
        config = std::move(loaded.config);
        snapshot = std::move(compiled);
    }
    bool same_rules() const {
        return config->mt == before->mt && &snapshot->mt.rules() == &before_snapshot->mt.rules() &&
               snapshot->mt.shared_patterns() == before_snapshot->mt.shared_patterns();
    }
    bool same_prices() const {
        return config->buy_prices == before->buy_prices &&
               config->sell_prices == before->sell_prices;
    }
    uint32_t line_of(std::string_view number, std::string_view sender) const {
        route::MtQuery query;
        query.customer = snapshot->customer_by_system_id.at("acme");
        query.plan = snapshot->customer(query.customer)->plan_id;
        query.destination = number;
        query.sender = sender;
        query.sender_ton = 5;
        route::MtDecision decision;
        snapshot->mt.decide({&query, 1}, {&decision, 1}, snapshot->scratches.at(0));
        return decision.rule_line;
    }

    Files files = good_files();
    Registry registry;
    Strings complaints;
    std::optional<Config> before;
    std::optional<Config> config;
    std::unique_ptr<route::Snapshot> before_snapshot;
    std::unique_ptr<route::Snapshot> snapshot;
};

TEST_F(ReloadShare, TakesOverWhatDidNotChange) {
    reload();
    const Strings first = complaints;
    ASSERT_EQ(first.size(), 2u) << "one of mt.csv, one of prices.csv";
    reload();
    EXPECT_EQ(complaints, first) << "warnings are repeated";
    EXPECT_TRUE(same_rules());
    EXPECT_TRUE(same_prices());
    EXPECT_EQ(config->currency, "EUR");
    EXPECT_EQ(line_of("447700900123", "Acme"), 3u);
}

TEST_F(ReloadShare, ReadsAChangedTableAnew) {
    reload();
    files["etc/mt.csv"] += "447,,,beta\n";
    reload();
    EXPECT_FALSE(same_rules());
    EXPECT_TRUE(same_prices());
    EXPECT_EQ(line_of("4477", "B"), 6u);
    files["etc/prices.csv"] += "alpha,44,0.01,\n";
    reload();
    EXPECT_TRUE(same_rules());
    EXPECT_NE(config->buy_prices, before->buy_prices);
    EXPECT_EQ(config->sell_prices, before->sell_prices);
}

TEST_F(ReloadShare, RulesThatAreTakenOverFollowNewNetworks) {
    reload();
    EXPECT_EQ(line_of("4930", "Acme"), 2u);
    files["etc/networks.csv"] = "prefix,mccmnc\n44,26201\n49,23410\n";
    reload();
    EXPECT_TRUE(same_rules());
    EXPECT_EQ(line_of("4930", "Acme"), 3u);
    EXPECT_EQ(line_of("4477", "Acme"), 4u);
}

TEST_F(ReloadShare, NamesThatMeanSomethingElseAreNotTakenOver) {
    reload();
    const std::string root = files["etc/sy.toml"];
    files["etc/sy.toml"] = root +
                           "[[supplier]]\nname = \"gamma\"\nhost = \"127.0.0.1:2779\"\n"
                           "system_id = \"sy\"\n";
    reload();
    EXPECT_FALSE(same_rules());
    EXPECT_FALSE(same_prices());
    // The same rows with a name that is gone.
    std::string without_beta = root;
    without_beta.replace(without_beta.find("\"beta\""), 6, "\"delta\"");
    files["etc/sy.toml"] = without_beta;
    reload();
    EXPECT_EQ(config->suppliers.size(), 3u) << "refused, the running one stays";
    ASSERT_FALSE(complaints.empty());
    EXPECT_NE(complaints.back().find("unknown supplier 'beta'"), std::string::npos)
        << complaints.back();
}

TEST_F(ReloadShare, ARefusedLoadDoesNotSpoilTheNext) {
    reload();
    const std::string good = files["etc/mt.csv"];
    files["etc/mt.csv"] = good + "44,,,nobody\n";
    reload();
    files["etc/mt.csv"] = good;
    reload();
    EXPECT_TRUE(same_rules());
    EXPECT_TRUE(same_prices());
}

// A plan that no row names has no rules, however late it came.
TEST_F(ReloadShare, APlanThatCameLaterFindsNoRulesInATakenOverTable) {
    files["etc/mt.csv"] = "plan,targets\ndefault,alpha\nother,beta\n";
    files["etc/sy.toml"] +=
        "[[customer]]\nname = \"two\"\nsystem_id = \"two\"\npassword = \"s\"\n"
        "plan = \"other\"\n";
    reload();
    const PlanId late = registry.plan("late");
    reload();
    ASSERT_TRUE(same_rules());
    route::MtQuery query;
    query.plan = late;
    query.destination = "44";
    route::MtDecision decision;
    snapshot->mt.decide({&query, 1}, {&decision, 1}, snapshot->scratches.at(0));
    EXPECT_EQ(decision.kind, route::MtDecision::Kind::no_route);
    EXPECT_EQ(line_of("44", "B"), 2u);
}

}  // namespace
}  // namespace sy::config::test
