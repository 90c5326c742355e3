#include "io/admin/metrics.h"

#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include <prometheus/text_serializer.h>

namespace sy::admin {
namespace {

engine::HubOptions two_workers() {
    engine::HubOptions options;
    options.workers = 2;
    return options;
}

class MetricsTest : public testing::Test {
  protected:
    void SetUp() override {
        auto view = std::make_shared<View>();
        view->version = "1.2.3";
        view->customers = {{CustomerId{3}, "acme"}};
        view->suppliers = {{SupplierId{0}, "alpha"}, {SupplierId{5}, "be\"ta"}};
        view->networks = {"23415", "23410"};
        view->generation = 7;
        board_.pin(view);
    }

    [[nodiscard]] std::string page() const {
        std::ostringstream text;
        prometheus::TextSerializer().Serialize(text, metrics_.Collect());
        return text.str();
    }
    [[nodiscard]] bool has_line(const std::string& line) const {
        return ("\n" + page()).find("\n" + line + "\n") != std::string::npos;
    }

    engine::Hub hub_{two_workers()};
    Board board_;
    Metrics metrics_{hub_, board_, [] {
                         return std::vector<WorkerSample>{{"kernel_reads", "recv calls", 0, 4},
                                                          {"kernel_reads", "recv calls", 1, 5}};
                     }};
};

TEST_F(MetricsTest, WorkerCountersCarryTheWorker) {
    hub_.counters(WorkerId{1}).mt_in.add(5);
    EXPECT_TRUE(has_line("switchyard_mt_in_total{worker=\"0\"} 0"));
    EXPECT_TRUE(has_line("switchyard_mt_in_total{worker=\"1\"} 5"));
}

TEST_F(MetricsTest, AccountCountersAreSummedOverWorkers) {
    hub_.counters(WorkerId{0}, CustomerId{3}).accepted.add(2);
    hub_.counters(WorkerId{1}, CustomerId{3}).accepted.add(3);
    hub_.counters(WorkerId{1}, SupplierId{5}).rejected.add(4);
    EXPECT_TRUE(has_line("switchyard_customer_accepted_total{customer=\"acme\"} 5"));
    EXPECT_TRUE(has_line("switchyard_supplier_rejected_total{supplier=\"be\\\"ta\"} 4"));
    EXPECT_TRUE(has_line("switchyard_supplier_rejected_total{supplier=\"alpha\"} 0"));
}

TEST_F(MetricsTest, WhatIsTrueNowIsAGauge) {
    hub_.counters(WorkerId{0}, CustomerId{3}).binds.set(2);
    EXPECT_TRUE(has_line("switchyard_customer_binds{customer=\"acme\"} 2"));
    EXPECT_TRUE(has_line("# TYPE switchyard_customer_binds gauge"));
    EXPECT_TRUE(has_line("# TYPE switchyard_customer_accepted_total counter"));
}

TEST_F(MetricsTest, QualityIsReadableBySupplierAndNetwork) {
    EXPECT_EQ(page().find("switchyard_quality"), std::string::npos);  // nothing happened yet
    hub_.merge_quality(second_ns);
    for (int i = 0; i < 100; ++i) {
        hub_.quality_counts(WorkerId{i % 2 == 0 ? uint8_t{0} : uint8_t{1}})
            .answered(SupplierId{0}, NetworkId{1}, i < 75);
        hub_.quality_counts(WorkerId{1})
            .receipt(SupplierId{0}, NetworkId{1}, i < 40, 1500 * millisecond_ns);
    }
    hub_.merge_quality(2 * second_ns);
    const std::string labels = "{supplier=\"alpha\",network=\"23410\"} ";
    EXPECT_TRUE(has_line("switchyard_quality_answers" + labels + "100"));
    EXPECT_TRUE(has_line("switchyard_quality_accepted_ratio" + labels + "0.75"));
    EXPECT_TRUE(has_line("switchyard_quality_delivered_ratio" + labels + "0.4")) << page();
    EXPECT_TRUE(has_line("switchyard_quality_delivery_seconds" + labels + "1.5"));
    EXPECT_TRUE(has_line("switchyard_quality_percent" + labels + "30"));
    EXPECT_TRUE(has_line("switchyard_quality_percent{supplier=\"alpha\",network=\"all\"} 30"));
    EXPECT_TRUE(has_line("# TYPE switchyard_quality_percent gauge"));
}

TEST_F(MetricsTest, SupplierIsUpWhileAWorkerMaySubmit) {
    EXPECT_TRUE(has_line("switchyard_supplier_up{supplier=\"alpha\"} 0"));
    hub_.supplier(SupplierId{0}).tx_workers.store(2);
    EXPECT_TRUE(has_line("switchyard_supplier_up{supplier=\"alpha\"} 1"));
}

TEST_F(MetricsTest, SamplesOfOneNameAreOneFamily) {
    EXPECT_TRUE(has_line("switchyard_kernel_reads_total{worker=\"0\"} 4"));
    EXPECT_TRUE(has_line("switchyard_kernel_reads_total{worker=\"1\"} 5"));
    EXPECT_TRUE(has_line("switchyard_snapshot_generation 7"));
    // A second TYPE line of the same name makes a page that Prometheus refuses.
    std::set<std::string> names;
    for (const auto& family : metrics_.Collect()) {
        EXPECT_TRUE(names.insert(family.name).second) << family.name;
        EXPECT_FALSE(family.help.empty()) << family.name;
    }
}

TEST_F(MetricsTest, HealthNeedsABoundSupplier) {
    EXPECT_FALSE(health(hub_, *board_.view()).healthy);
    hub_.counters(WorkerId{1}, SupplierId{5}).binds.set(1);
    const Health bound = health(hub_, *board_.view());
    EXPECT_TRUE(bound.healthy);
    EXPECT_NE(bound.body_json.find("\"suppliers_bound\":1"), std::string::npos);
    View draining = *board_.view();
    draining.draining = true;
    EXPECT_FALSE(health(hub_, draining).healthy);
}

TEST_F(MetricsTest, HealthSaysWhatIsDegradedWhileMessagesAreTaken) {
    const auto says = [](const Health& health, std::string_view text) {
        return health.healthy && health.body_json.find(text) != std::string::npos;
    };
    hub_.counters(WorkerId{1}, SupplierId{5}).binds.set(1);
    EXPECT_TRUE(says(health(hub_, *board_.view()), R"("store":"off","records":"off")"));
    EXPECT_TRUE(says(health(hub_, *board_.view(), RecordState::ok), R"("status":"ok")"));
    EXPECT_TRUE(says(health(hub_, *board_.view(), RecordState::failing), R"("status":"degraded")"));
    EXPECT_TRUE(says(health(hub_, *board_.view(), RecordState::failing), R"("records":"failing")"));

    engine::HubOptions options = two_workers();
    options.store = true;
    engine::Hub hub(options);
    hub.counters(WorkerId{1}, SupplierId{5}).binds.set(1);
    EXPECT_TRUE(says(health(hub, *board_.view()), R"("status":"ok")"));
    EXPECT_TRUE(says(health(hub, *board_.view()), R"("store":"ok")"));
    hub.store()->set_refusal(smpp::CommandStatus::esme_rmsgqful);
    EXPECT_TRUE(says(health(hub, *board_.view()), R"("store":"full")"));
    hub.store()->set_refusal(smpp::CommandStatus::esme_rsyserr);
    EXPECT_TRUE(says(health(hub, *board_.view()), R"("store":"failing")"));
    EXPECT_TRUE(says(health(hub, *board_.view()), R"("status":"degraded")"));
    hub.counters(WorkerId{1}, SupplierId{5}).binds.set(0);
    const Health down = health(hub, *board_.view());
    EXPECT_FALSE(down.healthy);
    EXPECT_NE(down.body_json.find("no supplier is bound"), std::string::npos);
}

TEST_F(MetricsTest, HealthWithoutSuppliersAsksForNone) {
    View empty = *board_.view();
    empty.suppliers.clear();
    EXPECT_TRUE(health(hub_, empty).healthy);
}

}  // namespace
}  // namespace sy::admin
