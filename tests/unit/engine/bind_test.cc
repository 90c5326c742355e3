// Sessions of customers: bind, state, bad input, timers (SMPP 3.4 section 2, PROTOCOL 5, 6 and 9).
#include "core/engine/worker.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {
namespace {

class BindTest : public EngineTest {
  protected:
    CommandStatus try_bind(CommandId kind,
                           const std::string& system_id,
                           const std::string& password) {
        const ConnId conn = acme.bind(router.address, kind, system_id, password);
        router.run_until([&] { return acme.response(conn, 1) != nullptr; });
        const Pdu* response = acme.response(conn, 1);
        EXPECT_NE(response, nullptr);
        EXPECT_EQ(response->header.command_id, smpp::response_to(kind));
        return response->status();
    }

    std::string header_only(uint32_t length, uint32_t id, uint32_t sequence) {
        std::string out(16, '\0');
        smpp::encode_header(reinterpret_cast<uint8_t*>(out.data()),
                            {length, static_cast<CommandId>(id), 0, sequence});
        return out;
    }

    ConnId open() {
        const ConnId conn = acme.connect(router.address);
        router.run_until([&] { return acme.is_live(conn); });
        return conn;
    }
};

TEST_F(BindTest, EveryBindTypeIsTakenAndSaysItsVersion) {
    for (const CommandId kind :
         {CommandId::bind_transmitter, CommandId::bind_receiver, CommandId::bind_transceiver}) {
        const ConnId conn = bind(kind);
        const Pdu* response = acme.response(conn, 1);
        smpp::BindResp resp;
        ASSERT_EQ(smpp::decode_bind_resp(response->octets(), {}, resp), CommandStatus::esme_rok);
        EXPECT_EQ(resp.system_id, "switchyard");
        EXPECT_EQ(as_chars(resp.tlvs), std::string_view("\x02\x10\x00\x01\x50", 5));
    }
    EXPECT_EQ(router.hub().customer(CustomerId{0}).binds.load(), 3u);
}

TEST_F(BindTest, AVersion33BindGetsNoTlvAndShortHexIds) {
    const ConnId conn = bind(CommandId::bind_transmitter, 0x33);
    EXPECT_EQ(acme.response(conn, 1)->body, std::string("switchyard\0", 11));
    acme.submit(conn, 2, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, 2), nullptr);
    const std::string id = id_of(*answer(conn, 2));
    EXPECT_EQ(id.size(), 8u);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST_F(BindTest, WrongIdOrPasswordIsRefusedAndTheConnectionEnds) {
    EXPECT_EQ(try_bind(CommandId::bind_transceiver, "acme", "wrong"),
              CommandStatus::esme_rbindfail);
    EXPECT_EQ(try_bind(CommandId::bind_transceiver, "nobody", "secret"),
              CommandStatus::esme_rbindfail);
    EXPECT_TRUE(router.run_until([&] { return acme.live.empty(); }));
    EXPECT_EQ(router.hub().customer(CustomerId{0}).binds.load(), 0u);
}

TEST_F(BindTest, MoreBindsThanAllowedAreRefused) {
    config.customers[0].binds_max = 1;
    router.reload(config);
    bind();
    EXPECT_EQ(try_bind(CommandId::bind_transceiver, "acme", "secret"),
              CommandStatus::esme_rbindfail);
}

TEST_F(BindTest, ABindFromAnotherAddressIsRefused) {
    config.customers[0].allow = {parse_cidr("192.168.0.0/16").value()};
    router.reload(config);
    EXPECT_EQ(try_bind(CommandId::bind_transceiver, "acme", "secret"),
              CommandStatus::esme_rbindfail);
}

TEST_F(BindTest, ABindTypeThatIsNotOfferedLeavesTheClientToTryAnother) {
    config.customers[0].allow_transceiver = false;
    router.reload(config);
    const ConnId conn = acme.bind(router.address, CommandId::bind_transceiver, "acme");
    ASSERT_NE(answer(conn, 1), nullptr);
    EXPECT_EQ(answer(conn, 1)->status(), CommandStatus::esme_rinvcmdid);
    acme.received.clear();
    smpp::Bind request{.system_id = "acme",
                       .password = "secret",
                       .system_type = "",
                       .interface_version = 0x34,
                       .address_range = ""};
    acme.send_pdu(conn, [&](auto out) {
        return smpp::encode_bind(out, CommandId::bind_transmitter, 2, request);
    });
    ASSERT_NE(answer(conn, 2), nullptr);
    EXPECT_EQ(answer(conn, 2)->status(), CommandStatus::esme_rok);
}

TEST_F(BindTest, ASecondBindIsRefusedAndTheSessionGoesOn) {
    const ConnId conn = bind();
    acme.send_pdu(conn, [&](auto out) {
        return smpp::encode_bind(out, CommandId::bind_transceiver, 9,
                                 {.system_id = "acme",
                                  .password = "secret",
                                  .system_type = "",
                                  .interface_version = 0x34,
                                  .address_range = ""});
    });
    ASSERT_NE(answer(conn, 9), nullptr);
    EXPECT_EQ(answer(conn, 9)->status(), CommandStatus::esme_ralybnd);
    acme.submit(conn, 10, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, 10), nullptr);
    EXPECT_EQ(answer(conn, 10)->status(), CommandStatus::esme_rok);
}

TEST_F(BindTest, SubmitBeforeBindGetsItsOwnResponse) {
    const ConnId conn = open();
    acme.submit(conn, 5, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, 5), nullptr);
    EXPECT_EQ(answer(conn, 5)->header.command_id, CommandId::submit_sm_resp);
    EXPECT_EQ(answer(conn, 5)->status(), CommandStatus::esme_rinvbndsts);
}

TEST_F(BindTest, EnquireLinkBeforeBindIsAnswered) {
    const ConnId conn = open();
    acme.send(conn, header_only(16, 0x15, 77));
    ASSERT_NE(answer(conn, 77), nullptr);
    EXPECT_EQ(answer(conn, 77)->header.command_id, CommandId::enquire_link_resp);
}

TEST_F(BindTest, AnUnknownCommandIsNackedAndTheSessionGoesOn) {
    const ConnId conn = bind();
    acme.send(conn, header_only(16, 0x00010201, 5));
    ASSERT_NE(answer(conn, 5), nullptr);
    EXPECT_EQ(answer(conn, 5)->header.command_id, CommandId::generic_nack);
    EXPECT_EQ(answer(conn, 5)->status(), CommandStatus::esme_rinvcmdid);
    acme.submit(conn, 6, test::sm("Shop", "447700900001", "x"));
    ASSERT_NE(answer(conn, 6), nullptr);
    EXPECT_EQ(answer(conn, 6)->status(), CommandStatus::esme_rok);
}

TEST_F(BindTest, ACommandLengthUnderSixteenIsNackedAndTheConnectionEnds) {
    const ConnId conn = bind();
    acme.send(conn, header_only(15, 0x15, 5));
    ASSERT_NE(answer(conn, 0), nullptr);
    EXPECT_EQ(answer(conn, 0)->header.command_id, CommandId::generic_nack);
    EXPECT_EQ(answer(conn, 0)->status(), CommandStatus::esme_rinvcmdlen);
    EXPECT_TRUE(router.run_until([&] { return !acme.is_live(conn); }));
}

TEST_F(BindTest, ACommandLengthOverTheMaximumIsNackedWithItsSequenceNumber) {
    const ConnId conn = bind();
    acme.send(conn, header_only(1'000'000, 0x04, 55));
    ASSERT_NE(answer(conn, 55), nullptr);
    EXPECT_EQ(answer(conn, 55)->header.command_id, CommandId::generic_nack);
    EXPECT_EQ(answer(conn, 55)->status(), CommandStatus::esme_rinvcmdlen);
    EXPECT_TRUE(router.run_until([&] { return !acme.is_live(conn); }));
}

TEST_F(BindTest, AnHttpRequestIsClosedQuietly) {
    const ConnId conn = open();
    acme.send(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(router.run_until([&] { return !acme.is_live(conn); }));
    EXPECT_TRUE(acme.received.empty());
}

TEST_F(BindTest, UnsolicitedResponsesAndNacksAreNeverAnswered) {
    const ConnId conn = bind();
    acme.received.clear();
    acme.send(conn, header_only(16, 0x80000004, 99));
    acme.send(conn, header_only(16, 0x80000000, 98));
    acme.send(conn, header_only(16, 0x80000005, 97));
    router.run_for(second_ns);
    EXPECT_TRUE(acme.received.empty());
    EXPECT_TRUE(acme.is_live(conn));
    EXPECT_EQ(count(&WorkerCounters::responses_unmatched), 3u);
}

TEST_F(BindTest, APduThatArrivesOctetByOctetIsUnderstood) {
    const ConnId conn = bind();
    std::string pdu(200, '\0');
    const auto sm = test::sm("Shop", "447700900001", "slowly");
    pdu.resize(smpp::encode_sm({reinterpret_cast<uint8_t*>(pdu.data()), pdu.size()},
                               CommandId::submit_sm, 3, sm));
    for (const char octet : pdu) {
        acme.send(conn, std::string(1, octet));
        router.run_for(5 * millisecond_ns);
    }
    ASSERT_NE(answer(conn, 3), nullptr);
    EXPECT_EQ(answer(conn, 3)->status(), CommandStatus::esme_rok);
    EXPECT_EQ(as_chars(decode(*alpha.all(CommandId::submit_sm).at(0)).short_message), "slowly");
}

TEST_F(BindTest, AConnectionThatNeverBindsIsDropped) {
    const ConnId conn = open();
    EXPECT_TRUE(router.run_until([&] { return !acme.is_live(conn); }, 20 * second_ns));
}

TEST_F(BindTest, AQuietSessionIsProbedAndADeadOneDropped) {
    const ConnId conn = bind();
    router.run_for(95 * second_ns);
    EXPECT_GE(acme.all(CommandId::enquire_link).size(), 3u);
    EXPECT_TRUE(acme.is_live(conn));
    acme.answer_enquire = false;
    EXPECT_TRUE(router.run_until([&] { return !acme.is_live(conn); }, 70 * second_ns));
}

TEST_F(BindTest, UnbindIsAnsweredAndTheConnectionEnds) {
    const ConnId conn = bind();
    acme.send(conn, header_only(16, 0x06, 8));
    ASSERT_NE(answer(conn, 8), nullptr);
    EXPECT_EQ(answer(conn, 8)->header.command_id, CommandId::unbind_resp);
    EXPECT_TRUE(router.run_until([&] { return !acme.is_live(conn); }));
    EXPECT_EQ(router.hub().customer(CustomerId{0}).binds.load(), 0u);
}

TEST_F(BindTest, ASupplierThatRefusesTheBindIsTriedAgainWithBackOff) {
    SimPeer gamma(net, "10.0.1.3");
    gamma.listen("10.0.1.3:2776");
    gamma.answer_binds = false;
    gamma.on_pdu = [&](const Pdu& pdu) {
        if (smpp::is_bind(pdu.header.command_id)) {
            gamma.answer(pdu, CommandStatus::esme_rsyserr);
        }
        return false;
    };
    router.add(gamma);
    config.suppliers.push_back(test::supplier("gamma", "10.0.1.3:2776"));
    router.reload(config);
    router.run_for(60 * second_ns);
    const size_t tries = gamma.all(CommandId::bind_transceiver).size();
    EXPECT_GE(tries, 4u);
    EXPECT_LE(tries, 9u);
}

TEST_F(BindTest, AnOutbindFromASupplierIsAnsweredWithABindOnTheSameLink) {
    config.suppliers[0].outbind_from = {test::endpoint("10.0.1.3:0")};
    router.reload(config);
    SimPeer gamma(net, "10.0.1.3");
    router.add(gamma);
    const ConnId conn = gamma.connect(router.address);
    gamma.send_pdu(conn, [](auto out) { return smpp::encode_outbind(out, 1, {"alpha", "pw"}); });
    ASSERT_TRUE(
        router.run_until([&] { return gamma.all(CommandId::bind_transceiver).size() == 1; }));
    smpp::Bind request;
    ASSERT_EQ(smpp::decode_bind(gamma.all(CommandId::bind_transceiver)[0]->octets(), {}, request),
              CommandStatus::esme_rok);
    EXPECT_EQ(request.system_id, "sy");
}

}  // namespace
}  // namespace sy::engine
