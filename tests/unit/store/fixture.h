// A router with a store in memory that can be killed and started again, customer "acme" and the
// suppliers of basic_config(), two links to alpha. The parameter is the number of workers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/smpp/receipt.h"
#include "tests/support/memory_database.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {

class StoreTest : public testing::TestWithParam<uint32_t> {
  protected:
    StoreTest() {
        alpha.listen("10.0.1.1:2776");
        beta.listen("10.0.1.2:2776");
        config.suppliers[0].binds = 2;
        start();
    }

    void start() {
        router = std::make_unique<test::SimRouter>(net, config, GetParam(), &database);
        for (SimPeer* peer : {&alpha, &beta, &acme}) {
            router->add(*peer);
        }
        ASSERT_TRUE(router->run_until([&] { return alpha.bound.size() == 2; }));
        router->run_for(10 * millisecond_ns);
    }

    // As after SIGKILL: nothing is said to anybody.
    void restart() {
        router.reset();
        Prng prng(7);
        database.crash(prng);
        net.advance_to(net.now_ns() + second_ns);
        acme.turn();
        alpha.turn();
        beta.turn();
        alpha.bound.clear();
        beta.bound.clear();
        acme.received.clear();
        start();
    }

    // A new life on the same disk, with records.
    void restart_with_records() {
        config.record_ring_bytes = 1 << 20;
        restart();
    }

    ConnId bind() {
        const ConnId conn = acme.bind(router->address, CommandId::bind_transceiver, "acme");
        EXPECT_TRUE(router->run_until([&] { return acme.response(conn, 1) != nullptr; }));
        router->run_for(10 * millisecond_ns);
        return conn;
    }

    void submit(ConnId conn, uint32_t sequence) {
        smpp::Sm sm = test::sm("Shop", "+447700900001", "x");
        sm.registered_delivery = 1;
        acme.submit(conn, sequence, sm);
    }

    // Submits and waits for the OK; the customer's id.
    std::string accepted(ConnId conn, uint32_t sequence) {
        submit(conn, sequence);
        router->run_until([&] { return acme.response(conn, sequence) != nullptr; });
        const Pdu* response = acme.response(conn, sequence);
        smpp::SmResp resp;
        EXPECT_NE(response, nullptr);
        EXPECT_EQ(response->status(), CommandStatus::esme_rok);
        EXPECT_EQ(smpp::decode_sm_resp(response->octets(), {}, resp), CommandStatus::esme_rok);
        return std::string(resp.message_id);
    }

    void send_receipt(const std::string& id, uint32_t sequence) {
        const std::string body = "id:" + id +
                                 " sub:001 dlvrd:001 submit date:2611230900 done date:2611230901 "
                                 "stat:DELIVRD err:000 text:x";
        smpp::Sm sm = test::sm("447700900001", "Shop", body);
        sm.esm_class = smpp::esm_class_delivery_receipt;
        alpha.send_pdu(alpha.bound.at(sequence % 2), [&](auto out) {
            return smpp::encode_sm(out, CommandId::deliver_sm, sequence, sm);
        });
    }

    // The supplier's own receipt was answered, and how.
    std::optional<CommandStatus> receipt_answer(uint32_t sequence) {
        router->run_until([&] { return find_answer(sequence) != nullptr; }, 5 * second_ns);
        const Pdu* answer = find_answer(sequence);
        return answer == nullptr ? std::nullopt : std::optional(answer->status());
    }
    const Pdu* find_answer(uint32_t sequence) {
        for (const Pdu* pdu : alpha.all(CommandId::deliver_sm_resp)) {
            if (pdu->header.sequence_number == sequence) {
                return pdu;
            }
        }
        return nullptr;
    }

    // The ids of the receipts that the customer got, in order.
    std::vector<std::string> delivered() {
        std::vector<std::string> out;
        for (const Pdu* pdu : acme.all(CommandId::deliver_sm)) {
            smpp::Sm sm;
            EXPECT_EQ(smpp::decode_sm(pdu->octets(), {}, sm), CommandStatus::esme_rok);
            smpp::Receipt receipt;
            EXPECT_TRUE(smpp::parse_receipt(sm, receipt));
            out.emplace_back(receipt.message_id);
        }
        return out;
    }
    std::vector<std::string> delivered(size_t count) {
        router->run_until([&] { return delivered().size() >= count; }, 20 * second_ns);
        router->run_for(100 * millisecond_ns);
        return delivered();
    }

    sim::SimNet net{1};
    test::SimConfig config = basic_config();
    test::MemoryDatabase database;
    SimPeer alpha{net, "10.0.1.1"};
    SimPeer beta{net, "10.0.1.2"};
    SimPeer acme{net, "10.0.2.1"};
    std::unique_ptr<test::SimRouter> router;
};

}  // namespace sy::engine
