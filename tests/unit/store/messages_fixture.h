// A router with a store, whose customer's messages are taken to store and forward; what its peers
// were sent, and what waits on disk.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/engine/record.h"
#include "tests/unit/store/fixture.h"

namespace sy::engine {

using smpp::MessageState;
using store::Family;

class StoredMessageTest : public StoreTest {
  protected:
    StoredMessageTest() {
        config.customers[0].store_and_forward = true;
        config.customers[0].window = 4000;
        config.retry.next = {2 * second_ns, 10 * second_ns};
        config.retry.pause = {second_ns};
        config.retry.down = {5 * second_ns};
        config.retry.validity_ns = 60 * second_ns;
        router->reload(config);
    }

    static smpp::Sm message(std::string_view text, std::string_view to = "+447700900001") {
        smpp::Sm sm = test::sm("Shop", to, text);
        sm.registered_delivery = 1;
        return sm;
    }

    // Submits and waits for the OK; the customer's id.
    std::string taken(ConnId conn, uint32_t sequence, const smpp::Sm& sm) {
        acme.submit(conn, sequence, sm);
        router->run_until([&] { return acme.response(conn, sequence) != nullptr; }, second_ns);
        const Pdu* response = acme.response(conn, sequence);
        EXPECT_NE(response, nullptr);
        if (response == nullptr) {
            return "";
        }
        EXPECT_EQ(response->status(), CommandStatus::esme_rok);
        smpp::SmResp resp;
        EXPECT_EQ(smpp::decode_sm_resp(response->octets(), {}, resp), CommandStatus::esme_rok);
        return std::string(resp.message_id);
    }

    // The texts that a supplier was sent, in order.
    static std::vector<std::string> sent(const SimPeer& supplier) {
        std::vector<std::string> out;
        for (const Pdu* pdu : supplier.all(CommandId::submit_sm)) {
            smpp::Sm sm;
            EXPECT_EQ(smpp::decode_sm(pdu->octets(), {}, sm), CommandStatus::esme_rok);
            out.emplace_back(as_chars(sm.short_message));
        }
        return out;
    }

    // Keeps what alpha is sent in `received`, answered or not.
    void keep_submits(CommandStatus status, bool answers = true) {
        alpha.answer_submits = false;
        alpha.on_pdu = [this, status, answers](const Pdu& pdu) {
            if (answers && pdu.header.command_id == CommandId::submit_sm) {
                alpha.answer(pdu, status, std::to_string(alpha.next_id++));
            }
            return false;
        };
    }

    MessageState receipt_state(size_t index) {
        const auto receipts = acme.all(CommandId::deliver_sm);
        smpp::Sm sm;
        EXPECT_EQ(smpp::decode_sm(receipts.at(index)->octets(), {}, sm), CommandStatus::esme_rok);
        smpp::Receipt receipt;
        EXPECT_TRUE(smpp::parse_receipt(sm, receipt));
        return receipt.state;
    }

    void expect_nothing_left() {
        router->run_for(second_ns);
        EXPECT_EQ(database.size(Family::messages), 0u);
        EXPECT_EQ(database.size(Family::queue), 0u);
        EXPECT_EQ(database.size(Family::order), 0u);
        EXPECT_EQ(router->hub().store()->messages_stored(), 0);
        EXPECT_EQ(router->in_flight(), 0u);
    }

    void expect_waiting(size_t count) {
        EXPECT_EQ(database.size(Family::messages), count);
        EXPECT_EQ(database.size(Family::queue), count);
        EXPECT_EQ(database.size(Family::order), count);
        EXPECT_EQ(router->hub().store()->messages_stored(), static_cast<int64_t>(count));
        EXPECT_EQ(router->in_flight(), 0u) << "they wait on disk, not in buffers";
    }

    struct Round {
        RecordEnd end{};
        uint64_t id = 0;
        std::vector<CommandStatus> answers;
        bool resent = false;
        SupplierId supplier;
    };
    // What the records of all workers say, in the order of each.
    std::vector<Round> rounds() {
        std::vector<Round> out;
        for (uint8_t worker = 0; worker < GetParam(); ++worker) {
            queue::ByteRing* ring = router->hub().records(WorkerId{worker});
            if (ring == nullptr) {
                ADD_FAILURE() << "no records are written";
                break;
            }
            for (Octets entry = ring->front(); !entry.empty(); entry = ring->front()) {
                Record record;
                RecordStorage storage;
                EXPECT_TRUE(decode_record(entry, storage, record));
                Round round{record.end, record.id, {}, record.resent, record.supplier};
                for (const Attempt& attempt : record.attempts) {
                    round.answers.push_back(attempt.status);
                }
                out.push_back(std::move(round));
                ring->pop();
            }
        }
        return out;
    }

    uint64_t count(Counter WorkerCounters::* counter) { return router->count(counter); }
};

}  // namespace sy::engine
