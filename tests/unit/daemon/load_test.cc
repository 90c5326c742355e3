#include "io/daemon/load.h"

#include <memory>

#include <gtest/gtest.h>

#include "io/daemon/host.h"

namespace sy::daemon {
namespace {

std::shared_ptr<const route::Customer> customer(const char* name) {
    auto made = std::make_shared<route::Customer>();
    made->name = name;
    return made;
}

TEST(Compare, TellsAddedRemovedAndChangedApartByTheirObjects) {
    route::Snapshot before;
    route::Snapshot after;
    const auto kept = customer("kept");
    before.customers = {kept, customer("gone"), customer("changed"), nullptr};
    after.customers = {kept, nullptr, customer("changed"), customer("new"), customer("newer")};
    const Changes changes = compare(before, after);
    EXPECT_EQ(changes.customers_added, (std::vector<std::string>{"new", "newer"}));
    EXPECT_EQ(changes.customers_removed, std::vector<std::string>{"gone"});
    EXPECT_EQ(changes.customers_changed, std::vector<std::string>{"changed"});
    EXPECT_TRUE(changes.suppliers_added.empty());
}

TEST(RestartOnlyChanges, NamesEveryKeyThatDiffersAndNoOther) {
    config::Config running;
    config::Config wanted;
    EXPECT_TRUE(restart_only_changes(running, wanted).empty());
    wanted.runtime.workers = {0, 1};
    wanted.runtime.drain_ns = 1;  // taken over by a reload
    wanted.listen = {*parse_endpoint("127.0.0.1:2775")};
    wanted.dpdk.eal = {"--no-pci"};
    wanted.system_id = "other";  // taken over by a reload
    EXPECT_EQ(restart_only_changes(running, wanted),
              (std::vector<std::string>{"runtime.workers", "dpdk", "smpp.listen"}));
}

TEST(JoinNames, ShowsTheFirstAndCountsTheRest) {
    EXPECT_EQ(join_names({}), "none");
    EXPECT_EQ(join_names({"a", "b"}), "a, b");
    const std::vector<std::string> many(23, "x");
    EXPECT_TRUE(join_names(many).ends_with("x and 3 more"));
}

TEST(CpuList, FoldsRuns) {
    EXPECT_EQ(cpu_list({}), "");
    EXPECT_EQ(cpu_list({0, 1, 2, 3, 6}), "0-3,6");
    EXPECT_EQ(cpu_list({5}), "5");
}

TEST(CheckCpus, RefusesWhatTheMachineHasNot) {
    const auto result = check_cpus({4095});
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().text.find("no CPU 4095"), std::string::npos);
}

}  // namespace
}  // namespace sy::daemon
