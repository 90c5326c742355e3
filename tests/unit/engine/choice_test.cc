// The choice of a supplier through the whole router: parts of long messages together over binds and
// workers, weights, prices at their minute, limits, quality from answers and receipts.
#include <algorithm>
#include <map>
#include <set>

#include "core/engine/worker.h"
#include "core/smpp/receipt.h"
#include "core/smpp/tlv.h"
#include "tests/unit/engine/fixture.h"

namespace sy::engine {
namespace {

using route::Minute;
using route::Select;

// alpha and beta in one tier of prefix 44; both with a link on each worker, and windows that hold
// what a test sends at once.
test::SimConfig one_tier(Select select, uint32_t alpha_weight = 1, uint32_t beta_weight = 1) {
    test::SimConfig config = basic_config();
    route::MtRule rule = test::rule("44", {0});
    rule.select = select;
    rule.targets = {{{SupplierId{0}, alpha_weight}, {SupplierId{1}, beta_weight}}};
    config.mt = {rule};
    config.customers[0].binds_max = 16;
    config.customers[0].window = 4000;
    for (route::Supplier& supplier : config.suppliers) {
        supplier.binds = 2;
        supplier.window = 1000;
    }
    return config;
}

enum class Reference { udh_8bit, udh_16bit, sar };

class ChoiceTest : public EngineTest {
  protected:
    explicit ChoiceTest(const test::SimConfig& start, uint32_t workers = 2)
        : EngineTest(start, workers) {}

    void bind_all(size_t sessions) {
        for (size_t i = 0; i < sessions; ++i) {
            conns.push_back(bind());
        }
    }
    /// Sends and waits for the answer.
    const Pdu* send(ConnId conn, const smpp::Sm& message) {
        acme.submit(conn, ++sequence, message);
        return answer(conn, sequence);
    }
    const Pdu* send_part(ConnId conn, Reference kind, uint16_t ref, uint8_t seq) {
        smpp::Sm part = test::sm("Shop", "447700900001", "");
        const auto high = static_cast<char>(ref >> 8);
        const auto low = static_cast<char>(ref);
        const auto number = static_cast<char>(seq);
        std::string text;
        std::array<uint8_t, 64> tlvs;
        if (kind == Reference::udh_8bit) {
            text = {5, 0, 3, low, 3, number};
        } else if (kind == Reference::udh_16bit) {
            text = {6, 8, 4, high, low, 3, number};
        } else {
            ByteWriter writer({tlvs.data(), tlvs.size()});
            const uint8_t reference[] = {static_cast<uint8_t>(ref >> 8), static_cast<uint8_t>(ref)};
            const uint8_t total[] = {3};
            const uint8_t which[] = {seq};
            writer.tlv(static_cast<uint16_t>(smpp::TlvTag::sar_msg_ref_num), reference);
            writer.tlv(static_cast<uint16_t>(smpp::TlvTag::sar_total_segments), total);
            writer.tlv(static_cast<uint16_t>(smpp::TlvTag::sar_segment_seqnum), which);
            part.tlvs = {tlvs.data(), writer.written()};
        }
        part.esm_class = kind == Reference::sar ? 0 : smpp::esm_class_udhi;
        text += "part";
        part.short_message = as_octets(text);
        return send(conn, part);
    }
    size_t got(const SimPeer& supplier) const { return supplier.all(CommandId::submit_sm).size(); }
    /// Who got the message that send() sends: 0 alpha, 1 beta.
    int taken_by(const std::function<const Pdu*()>& send_one) {
        const size_t before = got(alpha);
        const Pdu* response = send_one();
        EXPECT_EQ(response->status(), CommandStatus::esme_rok);
        return got(alpha) > before ? 0 : 1;
    }
    int plain_taken_by() {
        return taken_by([&] { return send(conns[0], test::sm("Shop", "447700900001", "hello")); });
    }
    void run_to_minute(Minute minute) {
        const Nanos wall_ns = net.now().wall_ns;
        if (minute * route::minute_ns > wall_ns) {
            router.run_for(minute * route::minute_ns - wall_ns);
        }
    }
    Minute minute_now() { return static_cast<Minute>(net.now().wall_ns / route::minute_ns); }

    struct Sent {
        SimPeer* supplier;
        ConnId conn;
        std::string id;
    };

    std::vector<ConnId> conns;
    uint32_t sequence = 1;
    std::vector<Sent> pending;  // to be reported on
};

class WeightTest : public ChoiceTest {
  protected:
    WeightTest() : ChoiceTest(one_tier(Select::weight, 70, 30)) {}
};

TEST_F(WeightTest, PartsStayTogetherOverAllBindsAndWorkers) {
    bind_all(6);
    std::map<int, int> taken;
    for (const Reference kind : {Reference::udh_8bit, Reference::udh_16bit, Reference::sar}) {
        for (uint16_t ref = 0; ref < 60; ++ref) {
            std::set<int> of_message;
            for (uint8_t seq = 1; seq <= 3; ++seq) {
                of_message.insert(taken_by(
                    [&] { return send_part(conns[(ref + seq) % conns.size()], kind, ref, seq); }));
            }
            ASSERT_EQ(of_message.size(), 1U) << "reference " << ref;
            ++taken[*of_message.begin()];
        }
    }
    EXPECT_NEAR(taken[0], 126, 25);  // 70 of 100 long messages
    for (uint32_t w = 0; w < 2; ++w) {
        EXPECT_GT(router.hub().counters(WorkerId{static_cast<uint8_t>(w)}).mt_in.get(), 100U);
    }
}

TEST_F(WeightTest, APartStaysWithTheOthersAfterALinkIsBack) {
    bind_all(2);
    uint16_t ref = 0;
    while (taken_by([&] { return send_part(conns[0], Reference::udh_8bit, ++ref, 1); }) != 1) {
    }
    // A message of beta's whose first part meets a beta that is away: alpha, and there it stays.
    ref += 1;
    const auto links = beta.bound;
    beta.answer_binds = false;
    for (const ConnId link : links) {
        beta.close(link);
    }
    router.run_for(10 * millisecond_ns);
    for (uint16_t i = 0; i < 20; ++i) {
        EXPECT_EQ(taken_by([&] { return send_part(conns[i % 2], Reference::sar, ref + i, 1); }), 0);
    }
    beta.answer_binds = true;
    ASSERT_TRUE(router.run_until([&] { return beta.bound.size() == 2; }, 120 * second_ns));
    router.run_for(10 * millisecond_ns);
    int plain_to_beta = 0;
    for (uint16_t i = 0; i < 20; ++i) {
        EXPECT_EQ(taken_by([&] { return send_part(conns[i % 2], Reference::sar, ref + i, 2); }), 0);
        plain_to_beta += plain_taken_by();
    }
    EXPECT_GT(plain_to_beta, 0);  // it is back
}

// 100,000 messages through a router of two workers: the ids that workers give spread true.
TEST_F(WeightTest, WeightsHoldWithinOnePercent) {
    bind_all(4);
    constexpr uint32_t messages = 100'000;
    uint64_t to_alpha = 0;
    uint64_t to_beta = 0;
    const auto count_into = [](SimPeer& peer, uint64_t& counter) {
        peer.on_pdu = [&peer, &counter](const Pdu& pdu) {
            if (pdu.header.command_id != CommandId::submit_sm) {
                return false;
            }
            ++counter;
            peer.answer(pdu, CommandStatus::esme_rok, "1");
            return true;
        };
    };
    count_into(alpha, to_alpha);
    count_into(beta, to_beta);
    uint64_t answered = 0;
    acme.on_pdu = [&](const Pdu& pdu) {
        answered +=
            pdu.header.command_id == CommandId::submit_sm_resp && pdu.header.command_status == 0
                ? 1
                : 0;
        return pdu.header.command_id == CommandId::submit_sm_resp;
    };
    const smpp::Sm message = test::sm("Shop", "447700900001", "hello");
    for (uint32_t sent = 0; sent < messages;) {
        for (int i = 0; i < 400; ++i, ++sent) {
            acme.submit(conns[sent % conns.size()], sent + 10, message);
        }
        ASSERT_TRUE(router.run_until([&] { return answered == sent; }));
    }
    EXPECT_EQ(to_alpha + to_beta, messages);
    EXPECT_NEAR(static_cast<double>(to_alpha) / messages, 0.70, 0.70 * 0.01);
    EXPECT_NEAR(static_cast<double>(to_beta) / messages, 0.30, 0.30 * 0.01);
}

class CostTest : public ChoiceTest {
  protected:
    CostTest() : ChoiceTest(one_tier(Select::cost)) {}

    /// alpha takes 25 and beta 30; from the next minute but one on beta 20, then alpha 10.
    Minute publish_prices() {
        const Minute begin = minute_now() + 2;
        config.prices =
            test::prices({{0, {25}}, {1, {30}}, {1, {20}, begin}, {0, {10}, begin + 1}});
        router.reload(config);
        router.run_for(10 * millisecond_ns);
        return begin;
    }
};

TEST_F(CostTest, APriceCountsFromItsMinuteWithoutAReload) {
    bind_all(1);
    const Minute begin = publish_prices();
    EXPECT_EQ(plain_taken_by(), 0);
    run_to_minute(begin - 1);
    router.run_for(59 * second_ns);
    EXPECT_EQ(plain_taken_by(), 0);
    run_to_minute(begin);
    EXPECT_EQ(plain_taken_by(), 1);
    run_to_minute(begin + 1);
    EXPECT_EQ(plain_taken_by(), 0);
}

TEST_F(CostTest, PartsStayTogetherAlthoughAPriceChangesBetweenThem) {
    bind_all(4);
    const Minute begin = publish_prices();
    EXPECT_EQ(taken_by([&] { return send_part(conns[0], Reference::udh_16bit, 7, 1); }), 0);
    run_to_minute(begin);
    for (size_t i = 0; i < conns.size(); ++i) {
        EXPECT_EQ(taken_by([&] { return send_part(conns[i], Reference::udh_16bit, 7, 2); }), 0);
        EXPECT_EQ(taken_by([&] {
                      return send_part(conns[i], Reference::udh_16bit,
                                       static_cast<uint16_t>(100 + i), 1);
                  }),
                  1);
    }
}

TEST_F(CostTest, WithoutATargetThatIsCheapEnoughTheCustomerHearsThatThereIsNoRoute) {
    config.mt[0].max_cost = {24};
    config.customers[0].no_route_status = CommandStatus::esme_rsubmitfail;
    bind_all(1);
    const Minute begin = publish_prices();
    const Pdu* response = send(conns[0], test::sm("Shop", "447700900001", "hello"));
    EXPECT_EQ(response->status(), CommandStatus::esme_rsubmitfail);
    EXPECT_EQ(count(&WorkerCounters::mt_too_dear), 1U);
    EXPECT_EQ(count(&WorkerCounters::mt_rejected), 1U);
    run_to_minute(begin);
    EXPECT_EQ(plain_taken_by(), 1);
    EXPECT_EQ(router.in_flight(), 0U);
}

class QualityTest : public ChoiceTest {
  protected:
    QualityTest() : ChoiceTest(quality_config()) {}

    static test::SimConfig quality_config() {
        test::SimConfig config = one_tier(Select::quality);
        config.quality = {.window_ns = 60 * second_ns, .samples_min = 10, .explore_every = 8};
        return config;
    }
    /// How many of the next messages alpha gets, a tenth of a second apart.
    int alphas_of(int messages) {
        int taken = 0;
        for (int i = 0; i < messages; ++i) {
            const size_t before = got(alpha);
            (void)send(conns[0], test::sm("Shop", "447700900001", "hello"));
            taken += got(alpha) > before ? 1 : 0;
            router.run_for(100 * millisecond_ns);
        }
        return taken;
    }
    route::QualityReading reading(uint16_t supplier) {
        return router.hub().quality().reading(SupplierId{supplier}, NetworkId::none());
    }
};

TEST_F(QualityTest, TrafficLeavesABadSupplierAndComesBackWhenItIsGoodAgain) {
    bind_all(2);
    const int at_first = alphas_of(100);
    EXPECT_NEAR(at_first, 50, 15);  // nothing known, then both as good
    alpha.submit_status = CommandStatus::esme_rsyserr;
    (void)alphas_of(100);
    const size_t before = got(alpha);
    (void)alphas_of(200);
    EXPECT_LT(got(alpha) - before, 30U);           // explorers only: one of 16
    EXPECT_LT(reading(0).accepted_ppm, 900'000U);  // a few samples were enough
    EXPECT_GT(reading(1).accepted_ppm, 990'000U);
    alpha.submit_status = CommandStatus::esme_rok;
    (void)alphas_of(3000);
    EXPECT_GT(reading(0).accepted_ppm, 950'000U);
    const int at_last = alphas_of(100);
    EXPECT_GT(at_last, 15);
}

TEST_F(QualityTest, ReceiptsCountWithTheirDelay) {
    bind_all(1);
    for (SimPeer* peer : {&alpha, &beta}) {
        peer->on_pdu = [this, peer](const Pdu& pdu) {
            if (pdu.header.command_id != CommandId::submit_sm) {
                return false;
            }
            const std::string id = std::to_string(peer->next_id++);
            peer->answer(pdu, CommandStatus::esme_rok, id);
            pending.push_back({peer, pdu.conn, id});
            return true;
        };
    }
    smpp::Sm message = test::sm("Shop", "447700900001", "hello");
    message.registered_delivery = 1;
    for (int i = 0; i < 60; ++i) {
        (void)send(conns[0], message);
    }
    router.run_for(3 * second_ns);
    uint32_t deliver_sequence = 1000;
    for (const auto& [peer, conn, id] : pending) {
        const bool good = peer == &alpha;
        const std::string text = "id:" + id +
                                 " sub:001 dlvrd:001 submit date:2601010000 done "
                                 "date:2601010000 stat:" +
                                 (good ? "DELIVRD" : "UNDELIV") + " err:000 text:";
        smpp::Sm receipt = test::sm("447700900001", "Shop", text);
        receipt.esm_class = smpp::esm_class_delivery_receipt;
        peer->send_pdu(conn, [&, number = ++deliver_sequence](auto out) {
            return smpp::encode_sm(out, CommandId::deliver_sm, number, receipt);
        });
    }
    router.run_for(2 * second_ns);
    EXPECT_EQ(reading(0).receipts + reading(1).receipts + 2, 60U);  // two seconds faded
    EXPECT_EQ(reading(0).delivered_ppm, 1'000'000U);
    EXPECT_EQ(reading(1).delivered_ppm, 0U);
    EXPECT_NEAR(static_cast<double>(reading(0).delay_ms), 3'000, 200);
    EXPECT_EQ(reading(1).score.percent(), 0U);
    EXPECT_EQ(reading(0).score.percent(), 100U);
}

}  // namespace
}  // namespace sy::engine
