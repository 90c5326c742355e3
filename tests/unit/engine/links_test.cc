// Suppliers with several links, and what happens when some of them are missing.
#include "core/engine/worker.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {
namespace {

test::SimConfig two_links() {
    test::SimConfig config = basic_config();
    config.suppliers[0].binds = 2;  // one on each of two workers
    config.customers[0].binds_max = 16;
    return config;
}

/// Two workers, and alpha answers one bind of two: one worker serves alpha without a link to it.
class OneLinkOfTwoTest : public EngineTest, public testing::WithParamInterface<size_t> {
  protected:
    OneLinkOfTwoTest() : EngineTest(two_links(), 2) { alpha.answer_binds = false; }

    void answer_one_bind() {
        ASSERT_TRUE(
            router.run_until([&] { return alpha.all(CommandId::bind_transceiver).size() == 2; }));
        const Pdu request = *alpha.all(CommandId::bind_transceiver)[GetParam()];
        alpha.send_pdu(request.conn, [&](std::span<uint8_t> out) {
            return smpp::encode_bind_resp(out, CommandId::bind_transceiver_resp,
                                          request.header.sequence_number, {"alpha", {}});
        });
        router.run_for(10 * millisecond_ns);
    }
};

// Once the worker without a link took messages out of the shared ring and kept them to their end.
TEST_P(OneLinkOfTwoTest, MessagesOfBothWorkersLeaveByTheOneLink) {
    answer_one_bind();
    for (uint32_t session = 0; session < 8; ++session) {
        const ConnId conn =
            acme.bind(router.address, CommandId::bind_transceiver, "acme", "secret");
        ASSERT_TRUE(router.run_until([&] { return acme.response(conn, 1) != nullptr; }));
        acme.submit(conn, 2, test::sm("Shop", "447700900001", "hello"));
        ASSERT_TRUE(router.run_until([&] { return acme.response(conn, 2) != nullptr; }, second_ns))
            << "session " << session;
        EXPECT_EQ(acme.response(conn, 2)->status(), CommandStatus::esme_rok);
        router.run_for(7 * millisecond_ns);
    }
    EXPECT_EQ(alpha.all(CommandId::submit_sm).size(), 8u);
    EXPECT_EQ(router.in_flight(), 0u);
}

INSTANTIATE_TEST_SUITE_P(EitherLink, OneLinkOfTwoTest, testing::Values(0, 1));

}  // namespace
}  // namespace sy::engine
