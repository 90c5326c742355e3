// networks.csv and ported.csv: what is read, what is complained about, what a reload keeps.
#include <gtest/gtest.h>

#include "core/config/content_hash.h"
#include "tests/unit/config/load_support.h"

namespace sy::config::test {
namespace {

using Strings = std::vector<std::string>;

class NetworkFiles : public testing::Test {
  protected:
    NetworkFiles() {
        files["etc/sy.toml"] += "[routes]\nnetworks = \"networks.csv\"\nported = \"ported.csv\"\n";
        files["etc/networks.csv"] =
            "prefix,mccmnc,name,country\n"
            "44,23410,O2,United Kingdom\n"
            "4477,23415,Vodafone,United Kingdom\n"
            ",23499,Virtual,\n";
        files["etc/ported.csv"] =
            "number,mccmnc\n447700900123,23410\n+447700900124,23410\n447700900125,23499\n";
        files["etc/mt.csv"] = "prefix,network,targets\n,,alpha\n4477,23410,beta\n";
    }
    Strings load_all() {
        Loaded loaded = load_files(files, registry);
        config = std::move(loaded.config);
        return loaded.complaints;
    }
    std::string network_of(std::string_view number) {
        const uint64_t key = route::number_key(number);
        route::NetworkTables::Resolved resolved;
        config->networks.resolve({&key, 1}, {&resolved, 1});
        return config->networks.in_words(resolved);
    }

    Files files = good_files();
    Registry registry;
    std::optional<Config> config;
};

TEST_F(NetworkFiles, ResolveByPortedNumberThenByLongestPrefix) {
    ASSERT_EQ(load_all(), Strings{});
    EXPECT_EQ(network_of("447700900122"), "23415 Vodafone (United Kingdom), by longest prefix");
    EXPECT_EQ(network_of("447700900123"), "23410 O2 (United Kingdom), by ported number");
    EXPECT_EQ(network_of("447700900124"), "23410 O2 (United Kingdom), by ported number");
    EXPECT_EQ(network_of("447700900125"), "23499 Virtual, by ported number");
    EXPECT_EQ(network_of("4477009001230"), "23415 Vodafone (United Kingdom), by longest prefix");
    EXPECT_EQ(network_of("44770090012"), "23415 Vodafone (United Kingdom), by longest prefix");
    EXPECT_EQ(network_of("4420"), "23410 O2 (United Kingdom), by longest prefix");
    EXPECT_EQ(network_of("49301234"), "unknown: no ported number, no prefix");
    EXPECT_EQ(config->networks.ported->number_count(), 3u);
}

TEST_F(NetworkFiles, RulesNameNetworks) {
    ASSERT_EQ(load_all(), Strings{});
    std::vector<Diagnostic> diagnostics;
    const auto snapshot = compile(*config, registry, nullptr, diagnostics);
    ASSERT_NE(snapshot, nullptr);
    const auto line = [&](std::string_view number) {
        route::MtQuery query;
        query.plan = registry.plan("default");
        query.destination = number;
        const auto explained = snapshot->mt.explain(query, snapshot->scratches.at(0));
        EXPECT_EQ(explained.network, network_of(number));
        return explained.decision.rule_line;
    };
    EXPECT_EQ(line("447700900123"), 3u);
    EXPECT_EQ(line("447700900122"), 2u);
    EXPECT_EQ(line("4420"), 2u);
}

TEST_F(NetworkFiles, EveryBadRowIsNamed) {
    files["etc/networks.csv"] =
        "prefix,mccmnc,name,country\n"
        "44,2341,O2,\n"
        "x4,23415,Vodafone,\n"
        "44,23410,O2,\n"
        "44,23415,,\n"
        "44,23410,Telefonica,\n";
    files["etc/mt.csv"] = "network,targets\n,alpha\n";
    EXPECT_EQ(load_all(),
              (Strings{"etc/networks.csv:2:4: error: mccmnc is '2341', expected 5 or 6 digits like "
                       "23410",
                       "etc/networks.csv:3:1: error: 'x4' is not the beginning of a number, "
                       "expected 1 to 15 digits",
                       "etc/networks.csv:5:1: error: the row contradicts line 4, which has another "
                       "mccmnc, expected one network for it",
                       "etc/networks.csv:6:1: warning: name of network 23410 is 'Telefonica' here "
                       "and 'O2' in line 4, the first is used",
                       "etc/networks.csv:6:1: warning: the row does nothing: line 4 says the "
                       "same"}));
    EXPECT_FALSE(config);
    EXPECT_TRUE(registry.networks().empty());
}

TEST_F(NetworkFiles, EveryBadPortedRowIsNamed) {
    files["etc/ported.csv"] =
        "number,mccmnc\n44770x,23410\n447700900123,23411\n1234567890123456,23410\n"
        "4477,23410\n4477,23415\n4477,23410\n";
    EXPECT_EQ(load_all(),
              (Strings{"etc/ported.csv:2:1: error: '44770x' is not a number, expected 1 to 15 "
                       "digits",
                       "etc/ported.csv:3:14: error: unknown network '23411', did you mean '23410'?",
                       "etc/ported.csv:4:1: error: '1234567890123456' is not a number, expected 1 "
                       "to 15 digits",
                       "etc/ported.csv:6:1: error: the row contradicts line 5, which has another "
                       "mccmnc, expected one network for it",
                       "etc/ported.csv:7:1: warning: the row does nothing: line 5 says the same"}));
}

TEST_F(NetworkFiles, RuleOfAnUnknownNetworkIsRefused) {
    files["etc/mt.csv"] = "network,targets\n,alpha\n99999,beta\n";
    EXPECT_EQ(load_all(), Strings{"etc/mt.csv:3:1: error: unknown network '99999', expected one of "
                                  "23410, 23415, 23499"});
}

TEST_F(NetworkFiles, ReloadSharesWhatDidNotChange) {
    files["etc/ported.csv"] += "447700900123,23410\n";  // a warning, to be repeated
    const Strings complaints = load_all();
    ASSERT_EQ(complaints.size(), 1u);
    const route::NetworkTables before = config->networks;
    EXPECT_EQ(load_all(), complaints);
    EXPECT_EQ(config->networks.networks, before.networks);
    EXPECT_EQ(config->networks.ported, before.ported);
    files["etc/networks.csv"] += "49,26201,T,Germany\n";
    EXPECT_EQ(load_all(), complaints);
    EXPECT_NE(config->networks.networks, before.networks);
    EXPECT_EQ(config->networks.ported, before.ported);
    EXPECT_EQ(network_of("4930"), "26201 T (Germany), by longest prefix");
    EXPECT_EQ(network_of("447700900123"), "23410 O2 (United Kingdom), by ported number");
    files["etc/ported.csv"] += "4930,26201\n";
    EXPECT_EQ(load_all(), complaints);
    EXPECT_NE(config->networks.ported, before.ported);
    EXPECT_EQ(network_of("4930"), "26201 T (Germany), by ported number");
}

TEST_F(NetworkFiles, UnchangedPortedNumbersOfANetworkThatIsGoneAreErrors) {
    ASSERT_EQ(load_all(), Strings{});
    files["etc/networks.csv"] = "prefix,mccmnc\n44,23410\n";
    files["etc/mt.csv"] = "targets\nalpha\n";
    EXPECT_EQ(load_all(), Strings{"etc/ported.csv:4:14: error: unknown network '23499', expected "
                                  "23410"});
    EXPECT_FALSE(config);
}

// Large enough for several parts: lines are counted right in each.
TEST_F(NetworkFiles, PartsOfALargeFileKeepTheirLines) {
    std::string& text = files["etc/ported.csv"];
    text = "# numbers\nnumber,mccmnc\n";
    constexpr uint32_t rows = 700'000;
    for (uint32_t i = 0; i < rows; ++i) {
        text += i == 650'000 ? "bad,23410\n" : std::to_string(447'700'000'000u + i) + ",23410\n";
    }
    EXPECT_EQ(load_all(),
              Strings{"etc/ported.csv:650003:1: error: 'bad' is not a number, expected 1 "
                      "to 15 digits"});
    text.replace(text.find("bad"), 3, "447700650000");
    EXPECT_EQ(load_all(), Strings{});
    EXPECT_EQ(config->networks.ported->number_count(), rows);
    EXPECT_EQ(network_of("447700699999"), "23410 O2 (United Kingdom), by ported number");
    EXPECT_EQ(network_of("447700700000"), "23415 Vodafone (United Kingdom), by longest prefix");
    text += "\"447700900123\",\"23410\"\n";  // a quote: one part
    EXPECT_EQ(load_all(), Strings{});
    EXPECT_EQ(config->networks.ported->number_count(), rows + 1);
}

TEST(ContentHash, EveryOctetCounts) {
    const std::string text(100, 'a');
    for (size_t i = 0; i < text.size(); ++i) {
        std::string other = text;
        other[i] = 'b';
        EXPECT_NE(content_hash(text), content_hash(other)) << i;
        EXPECT_NE(content_hash(text), content_hash(text.substr(0, i))) << i;
    }
}

}  // namespace
}  // namespace sy::config::test
