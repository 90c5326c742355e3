// A configuration into its snapshot: ids, tables, what is kept across a reload, refused
// expressions.
#include <gtest/gtest.h>

#include "tests/unit/config/load_support.h"

namespace sy::config::test {
namespace {

using Strings = std::vector<std::string>;

class Compile : public testing::Test {
  protected:
    std::unique_ptr<route::Snapshot> compile_files(const route::Snapshot* previous = nullptr) {
        diagnostics.clear();
        const auto config = load("etc/sy.toml", reader_of(files), registry, diagnostics);
        return config ? compile(*config, registry, previous, diagnostics) : nullptr;
    }
    Strings complaints() const {
        Strings out;
        for (const Diagnostic& diagnostic : diagnostics) {
            out.push_back(to_string(diagnostic));
        }
        return out;
    }
    route::MtDecision decide(const route::Snapshot& snapshot, std::string_view destination) {
        smpp::Sm sm;
        route::MtQuery query;
        query.customer = registry.customer("acme");
        query.plan = snapshot.customer(query.customer)->plan_id;
        query.destination = destination;
        query.sender = "447700900000";
        query.sm = &sm;
        route::MtDecision decision;
        snapshot.mt.decide({&query, 1}, {&decision, 1}, snapshot.scratches.at(0));
        return decision;
    }

    Files files = good_files();
    Registry registry;
    std::vector<Diagnostic> diagnostics;
};

TEST_F(Compile, MakesASnapshotThatRoutes) {
    files["etc/sy.toml"] += "[runtime]\nworkers = [0, 1, 2]\n[smpp]\nsystem_id = \"hub\"\n";
    files["etc/mt.csv"] = "prefix,targets\n44,beta\n,alpha\n";
    const auto snapshot = compile_files();
    ASSERT_NE(snapshot, nullptr);
    EXPECT_EQ(complaints(), Strings{});
    EXPECT_EQ(snapshot->generation, 1u);
    EXPECT_EQ(snapshot->system_id, "hub");
    EXPECT_EQ(snapshot->scratches.size(), 3u);
    EXPECT_EQ(snapshot->customer_by_system_id.at("acme"), registry.customer("acme"));
    EXPECT_EQ(snapshot->supplier(registry.supplier("beta"))->name, "beta");
    const route::MtDecision decision = decide(*snapshot, "447700900123");
    ASSERT_EQ(decision.kind, route::MtDecision::Kind::route);
    EXPECT_EQ(decision.targets[0], registry.supplier("beta"));
    EXPECT_EQ(decision.rule_line, 2u);
    EXPECT_EQ(decide(*snapshot, "4930123456").targets[0], registry.supplier("alpha"));
    // errors.csv says next for RSYSERR, which is the default too; RINVSRCADR is final by default.
    EXPECT_EQ(
        snapshot->errors.classify(registry.supplier("alpha"), smpp::CommandStatus::esme_rinvsrcadr),
        route::ErrorClass::final);
}

// Peers that are not bound have no account: session_init is theirs alone.
TEST_F(Compile, KeepsTheTimersForPeersThatAreNotBound) {
    files["etc/sy.toml"] += "[smpp]\nsession_init = \"2s\"\nresponse = \"7s\"\n";
    const auto snapshot = compile_files();
    ASSERT_NE(snapshot, nullptr);
    EXPECT_EQ(snapshot->timers.session_init_ns, 2 * second_ns);
    EXPECT_EQ(snapshot->timers.response_ns, 7 * second_ns);
}

TEST_F(Compile, AppliesTheErrorTable) {
    files["etc/errors.csv"] = "supplier,status,class\nalpha,RINVSRCADR,pause\n";
    const auto snapshot = compile_files();
    ASSERT_NE(snapshot, nullptr);
    constexpr auto status = smpp::CommandStatus::esme_rinvsrcadr;
    EXPECT_EQ(snapshot->errors.classify(registry.supplier("alpha"), status),
              route::ErrorClass::pause);
    EXPECT_EQ(snapshot->errors.classify(registry.supplier("beta"), status),
              route::ErrorClass::final);
}

TEST_F(Compile, RoutesMoByTableAndByTheNumbersOfAccounts) {
    files["etc/sy.toml"] +=
        "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\n"
        "numbers = [\"447700900555\"]\n";
    const auto snapshot = compile_files();
    ASSERT_NE(snapshot, nullptr);
    const auto target_of = [&](std::string_view number) {
        smpp::Sm sm;
        route::MoQuery query;
        query.supplier = registry.supplier("alpha");
        query.number = number;
        query.source = "447700900001";
        query.sm = &sm;
        route::MoDecision decision;
        snapshot->mo.decide({&query, 1}, {&decision, 1}, snapshot->scratches.at(0));
        return decision.routed ? decision.targets[0] : CustomerId::none();
    };
    EXPECT_EQ(target_of("447700900123"), registry.customer("acme"));
    EXPECT_EQ(target_of("447700900555"), registry.customer("globex"));
    EXPECT_FALSE(target_of("447700900777").valid());
}

TEST_F(Compile, KeepsTheObjectsOfUnchangedAccounts) {
    const auto first = compile_files();
    ASSERT_NE(first, nullptr);
    std::string& root = files["etc/sy.toml"];
    root.replace(root.find("127.0.0.1:2777"), 14, "127.0.0.1:2999");  // beta's
    root += "[[customer]]\nname = \"globex\"\nsystem_id = \"globex\"\npassword = \"x\"\n";
    const auto second = compile_files(first.get());
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(second->generation, 2u);
    const CustomerId acme = registry.customer("acme");
    EXPECT_EQ(second->customer(acme), first->customer(acme));
    const SupplierId alpha = registry.supplier("alpha");
    EXPECT_EQ(second->supplier(alpha), first->supplier(alpha));
    const SupplierId beta = registry.supplier("beta");
    EXPECT_NE(second->supplier(beta), first->supplier(beta));
    EXPECT_EQ(to_string(second->supplier(beta)->hosts[0]), "127.0.0.1:2999");
    EXPECT_NE(second->customer(registry.customer("globex")), nullptr);
}

TEST_F(Compile, LeavesAHoleWhereAnAccountIsGone) {
    const auto first = compile_files();
    ASSERT_NE(first, nullptr);
    const SupplierId beta = registry.supplier("beta");
    std::string& root = files["etc/sy.toml"];
    root.resize(root.rfind("[[supplier]]"));
    const auto second = compile_files(first.get());
    ASSERT_NE(second, nullptr);
    EXPECT_NE(first->supplier(beta), nullptr);
    EXPECT_EQ(second->supplier(beta), nullptr);
    EXPECT_NE(second->supplier(registry.supplier("alpha")), nullptr);
}

TEST_F(Compile, PlacesRefusedExpressionsAtTheirCells) {
    files["etc/mt.csv"] =
        "prefix,sender,text,targets\n,^A,\"(?<=x)y\",alpha\n44,[,,beta\n,,,beta\n";
    files["etc/mo.csv"] = "text,targets\n(a,acme\n";
    EXPECT_EQ(compile_files(), nullptr);
    ASSERT_EQ(diagnostics.size(), 3u);
    EXPECT_TRUE(complaints()[0].starts_with(
        "etc/mt.csv:2:5: error: text: expression \"(?<=x)y\" cannot be used: "))
        << complaints()[0];
    EXPECT_TRUE(complaints()[1].starts_with(
        "etc/mt.csv:3:4: error: sender: expression \"[\" cannot be used: "))
        << complaints()[1];
    EXPECT_TRUE(complaints()[2].starts_with(
        "etc/mo.csv:2:1: error: text: expression \"(a\" cannot be used: "))
        << complaints()[2];
}

TEST_F(Compile, RefusedExpressionsAreToldWithTheOtherErrorsInTheSameWords) {
    files["etc/mt.csv"] = "sender,targets\n[,alpha\n";
    EXPECT_EQ(compile_files(), nullptr);
    const Strings alone = complaints();
    ASSERT_EQ(alone.size(), 1u);
    files["etc/mo.csv"] = "number,targets\nx,acme\n";
    EXPECT_EQ(compile_files(), nullptr);
    ASSERT_EQ(diagnostics.size(), 2u);
    EXPECT_EQ(complaints()[0], alone[0]);
    EXPECT_TRUE(complaints()[1].starts_with("etc/mo.csv:2:1: error: 'x' is not a number"));
}

}  // namespace
}  // namespace sy::config::test
