// A router with customer "acme" and suppliers "alpha" (prefix 44) and "beta" (prefix 49, and second
// target of prefix 33 behind alpha), over the simulated network.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "tests/support/sim_peer.h"
#include "tests/support/sim_router.h"

namespace sy::engine {

using smpp::CommandId;
using smpp::CommandStatus;
using test::Pdu;
using test::SimPeer;

inline test::SimConfig basic_config() {
    test::SimConfig config;
    config.customers = {test::customer("acme"), test::customer("bravo")};
    config.suppliers = {test::supplier("alpha", "10.0.1.1:2776"),
                        test::supplier("beta", "10.0.1.2:2776")};
    config.mt = {test::rule("44", {0}), test::rule("49", {1}), test::rule("33", {0, 1})};
    route::MoRule mo;
    mo.line = 2;
    mo.number = "447700900123";
    mo.targets = {{{CustomerId{0}, 1}}};
    config.mo = {mo};
    return config;
}

class EngineTest : public testing::Test {
  protected:
    explicit EngineTest(test::SimConfig start = basic_config(), uint32_t workers = 1)
        : config(std::move(start)), router(net, config, workers) {
        router.add(alpha);
        router.add(beta);
        router.add(acme);
        alpha.listen("10.0.1.1:2776");
        beta.listen("10.0.1.2:2776");
    }

    /// Binds a session of acme and waits for it and for both suppliers.
    ConnId bind(CommandId kind = CommandId::bind_transceiver, uint8_t version = 0x34) {
        const ConnId conn = acme.bind(router.address, kind, "acme", "secret", version);
        EXPECT_TRUE(router.run_until([&] { return acme.response(conn, 1) != nullptr; }));
        EXPECT_EQ(acme.response(conn, 1)->status(), CommandStatus::esme_rok);
        EXPECT_TRUE(router.run_until([&] { return !alpha.bound.empty() && !beta.bound.empty(); }));
        router.run_for(10 * millisecond_ns);
        return conn;
    }

    /// The answer to a request, waited for.
    const Pdu* answer(ConnId conn, uint32_t sequence) {
        router.run_until([&] { return acme.response(conn, sequence) != nullptr; }, 60 * second_ns);
        return acme.response(conn, sequence);
    }

    static std::string id_of(const Pdu& response) {
        smpp::SmResp resp;
        EXPECT_EQ(smpp::decode_sm_resp(response.octets(), {}, resp), CommandStatus::esme_rok);
        return std::string(resp.message_id);
    }

    static smpp::Sm decode(const Pdu& pdu) {
        smpp::Sm sm;
        EXPECT_EQ(smpp::decode_sm(pdu.octets(), {}, sm), CommandStatus::esme_rok);
        return sm;
    }

    uint64_t count(Counter WorkerCounters::* counter) { return router.count(counter); }

    sim::SimNet net{1};
    test::SimConfig config;
    test::SimRouter router;
    SimPeer alpha{net, "10.0.1.1"};
    SimPeer beta{net, "10.0.1.2"};
    SimPeer acme{net, "10.0.2.1"};
};

}  // namespace sy::engine
