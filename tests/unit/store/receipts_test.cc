// What a router with a store promises about receipts: over a restart, for customers that are away,
// and while its disk fails. The database is in memory (tests/support/memory_database.h).
#include <algorithm>

#include <gtest/gtest.h>

#include "core/store/open.h"
#include "tests/unit/store/fixture.h"

namespace sy::engine {
namespace {

using store::Family;

class StoredReceiptTest : public StoreTest {};

INSTANTIATE_TEST_SUITE_P(Workers, StoredReceiptTest, testing::Values(1, 3));

TEST_P(StoredReceiptTest, TheWayIsOnDiskBeforeTheAnswerLeaves) {
    const ConnId conn = bind();
    router->store_runs = false;
    submit(conn, 2);
    router->run_for(second_ns);
    EXPECT_EQ(alpha.next_id, 2u) << "the supplier has answered";
    EXPECT_EQ(acme.response(conn, 2), nullptr);
    router->store_runs = true;
    router->run_for(100 * millisecond_ns);
    ASSERT_NE(acme.response(conn, 2), nullptr);
    EXPECT_EQ(acme.response(conn, 2)->status(), CommandStatus::esme_rok);
    EXPECT_EQ(database.size(Family::ways), 1u);
}

TEST_P(StoredReceiptTest, AReceiptThatOvertakesTheStoreWaitsForIt) {
    const ConnId conn = bind();
    router->store_runs = false;
    submit(conn, 2);
    router->run_for(100 * millisecond_ns);
    send_receipt("1", 501);
    router->run_for(100 * millisecond_ns);
    EXPECT_EQ(find_answer(501), nullptr) << "it would be lost if the router died now";
    router->store_runs = true;
    EXPECT_EQ(delivered(1).size(), 1u);
    EXPECT_EQ(receipt_answer(501), CommandStatus::esme_rok);
    EXPECT_EQ(router->in_flight(), 0u);
}

TEST_P(StoredReceiptTest, AReceiptOfNobodysMessageIsAnsweredWhenItsTimeIsOver) {
    bind();
    send_receipt("nobody", 501);
    router->run_for(second_ns);
    EXPECT_EQ(find_answer(501), nullptr);
    router->run_for(config.suppliers[0].receipt_park_ns + second_ns);
    EXPECT_EQ(receipt_answer(501), CommandStatus::esme_rok);
    EXPECT_EQ(router->count(&WorkerCounters::receipts_orphaned), 1u);
    EXPECT_EQ(router->in_flight(), 0u);
}

TEST_P(StoredReceiptTest, ADrainLeavesAReceiptWithoutItsMessageToTheSupplier) {
    bind();
    send_receipt("nobody", 501);
    router->run_for(second_ns);
    EXPECT_EQ(find_answer(501), nullptr);
    router->hub().begin_drain(net.now_ns() + 5 * second_ns);
    const auto answer = receipt_answer(501);
    ASSERT_TRUE(answer.has_value());
    EXPECT_NE(*answer, CommandStatus::esme_rok);
}

TEST_P(StoredReceiptTest, AMessageWithoutAReceiptIsNotStored) {
    const ConnId conn = bind();
    router->store_runs = false;
    acme.submit(conn, 2, test::sm("Shop", "+447700900001", "x"));
    router->run_for(100 * millisecond_ns);
    ASSERT_NE(acme.response(conn, 2), nullptr);
    EXPECT_EQ(database.size(Family::ways), 0u);
}

TEST_P(StoredReceiptTest, ComesHomeAfterARestart) {
    const std::string id = accepted(bind(), 2);
    restart();
    bind();
    send_receipt("1", 501);
    EXPECT_EQ(delivered(1), std::vector{id});
    EXPECT_EQ(receipt_answer(501), CommandStatus::esme_rok);
    EXPECT_EQ(database.size(Family::ways), 0u);
    EXPECT_EQ(database.size(Family::receipts), 0u);
    EXPECT_EQ(router->in_flight(), 0u);
}

TEST_P(StoredReceiptTest, AFinalOneRepeatedIsNotDeliveredTwice) {
    const std::string id = accepted(bind(), 2);
    send_receipt("1", 501);
    EXPECT_EQ(delivered(1), std::vector{id});
    send_receipt("1", 502);
    router->run_for(5 * second_ns);
    EXPECT_EQ(delivered().size(), 1u);
    EXPECT_EQ(receipt_answer(502), CommandStatus::esme_rok);
}

TEST_P(StoredReceiptTest, WaitsInTheStoreForACustomerThatIsAwayAndComesInOrder) {
    const ConnId conn = bind();
    std::vector<std::string> ids;
    for (uint32_t i = 0; i < 10; ++i) {
        ids.push_back(accepted(conn, 2 + i));
    }
    acme.close(conn);
    router->run_for(2 * second_ns);
    for (uint32_t i = 0; i < 10; ++i) {
        send_receipt(std::to_string(i + 1), 500 + i);
        EXPECT_EQ(receipt_answer(500 + i), CommandStatus::esme_rok);
    }
    EXPECT_EQ(router->in_flight(), 0u) << "they wait on disk, not in buffers";
    EXPECT_EQ(database.size(Family::receipts), 10u);
    bind();
    EXPECT_EQ(delivered(10), ids);
    EXPECT_EQ(database.size(Family::receipts), 0u);
    EXPECT_EQ(router->hub().store()->receipts_stored(), 0);
}

TEST_P(StoredReceiptTest, WhatWaitedForACustomerWaitsOverARestart) {
    const ConnId conn = bind();
    const std::vector<std::string> ids{accepted(conn, 2), accepted(conn, 3)};
    acme.close(conn);
    router->run_for(2 * second_ns);
    send_receipt("1", 501);
    send_receipt("2", 502);
    EXPECT_EQ(receipt_answer(502), CommandStatus::esme_rok);
    restart();
    bind();
    EXPECT_EQ(delivered(2), ids);
}

TEST_P(StoredReceiptTest, WhatTheCustomerHadNotAnsweredComesAgainAfterARestart) {
    const std::string id = accepted(bind(), 2);
    acme.answer_delivers = false;
    send_receipt("1", 501);
    EXPECT_EQ(delivered(1), std::vector{id});
    EXPECT_EQ(receipt_answer(501), CommandStatus::esme_rok);
    restart();
    acme.answer_delivers = true;
    bind();
    EXPECT_EQ(delivered(1), std::vector{id});
    EXPECT_EQ(database.size(Family::receipts), 0u);
}

TEST_P(StoredReceiptTest, MoreThanTheAccountLetsWaitAreRefusedForNow) {
    config.customers[0].receipt_queue_max = 3;
    router->reload(config);
    const ConnId conn = bind();
    for (uint32_t i = 0; i < 5; ++i) {
        accepted(conn, 2 + i);
    }
    acme.close(conn);
    router->run_for(2 * second_ns);
    for (uint32_t i = 0; i < 5; ++i) {
        send_receipt(std::to_string(i + 1), 500 + i);
        EXPECT_EQ(receipt_answer(500 + i) == CommandStatus::esme_rok, i < 3) << i;
    }
    bind();
    EXPECT_EQ(delivered(3).size(), 3u);
    send_receipt("4", 600);
    EXPECT_EQ(receipt_answer(600), CommandStatus::esme_rok);
    EXPECT_EQ(delivered(4).size(), 4u);
}

// ---------------------------------------------------------------- a disk that fails

TEST_P(StoredReceiptTest, AWayThatCannotBeStoredIsNeverAnsweredOk) {
    const ConnId conn = bind();
    database.fails_writes = true;
    submit(conn, 2);
    router->run_until([&] { return acme.response(conn, 2) != nullptr; });
    ASSERT_NE(acme.response(conn, 2), nullptr);
    EXPECT_EQ(acme.response(conn, 2)->status(), CommandStatus::esme_rsyserr);
    EXPECT_EQ(router->count(&WorkerCounters::ways_unstored), 1u);
    EXPECT_EQ(router->count(&WorkerCounters::mt_unknown), 1u);
    EXPECT_EQ(router->store_errors, std::vector<std::string>{"the disk is full"});
    database.fails_writes = false;
    EXPECT_FALSE(accepted(conn, 3).empty());
    EXPECT_EQ(router->in_flight(), 0u);
}

TEST_P(StoredReceiptTest, WhileTheStoreRefusesOnlyMessagesWithReceiptsAreRefused) {
    const ConnId conn = bind();
    router->hub().store()->set_refusal(CommandStatus::esme_rmsgqful);
    submit(conn, 2);
    acme.submit(conn, 3, test::sm("Shop", "+447700900001", "x"));
    router->run_for(second_ns);
    ASSERT_NE(acme.response(conn, 2), nullptr);
    ASSERT_NE(acme.response(conn, 3), nullptr);
    EXPECT_EQ(acme.response(conn, 2)->status(), CommandStatus::esme_rmsgqful);
    EXPECT_EQ(acme.response(conn, 3)->status(), CommandStatus::esme_rok);
    EXPECT_EQ(alpha.next_id, 2u) << "the refused one was not sent";
    EXPECT_EQ(router->count(&WorkerCounters::mt_store_refused), 1u);
}

TEST_P(StoredReceiptTest, AReceiptThatCannotBeStoredStaysWithItsSupplier) {
    const ConnId conn = bind();
    const std::string id = accepted(conn, 2);
    database.fails_writes = true;
    send_receipt("1", 501);
    const auto refused = receipt_answer(501);
    ASSERT_TRUE(refused.has_value());
    EXPECT_NE(*refused, CommandStatus::esme_rok);
    EXPECT_TRUE(delivered().empty());
    database.fails_writes = false;
    send_receipt("1", 502);
    EXPECT_EQ(receipt_answer(502), CommandStatus::esme_rok);
    EXPECT_EQ(delivered(1), std::vector{id});
    EXPECT_EQ(router->in_flight(), 0u);
}

TEST_P(StoredReceiptTest, AStoreThatCannotBeReadRefusesReceiptsForNow) {
    const std::string id = accepted(bind(), 2);
    restart();
    bind();
    database.fails_reads = true;
    send_receipt("1", 501);
    const auto refused = receipt_answer(501);
    ASSERT_TRUE(refused.has_value());
    EXPECT_NE(*refused, CommandStatus::esme_rok);
    database.fails_reads = false;
    send_receipt("1", 502);
    EXPECT_EQ(delivered(1), std::vector{id});
}

TEST_P(StoredReceiptTest, AnOlderFormatIsBroughtToOurs) {
    for (const char* older : {"1", "2", "3", "4"}) {
        const std::string id = accepted(bind(), 2);
        database.put(Family::meta, "version", older);
        ASSERT_TRUE(database.commit(true).has_value());
        restart();
        store::Database::Entry version;
        ASSERT_TRUE(database.seek(Family::meta, "version", "version", version).value_or(false));
        EXPECT_EQ(version.value, std::to_string(store::database_version));
        bind();
        send_receipt(std::to_string(alpha.next_id - 1), 501);
        EXPECT_EQ(delivered(1), std::vector{id}) << "from format " << older;
    }
}

TEST_P(StoredReceiptTest, AFormatOfAnotherProgramIsNotTouched) {
    database.put(Family::meta, "version", "77");
    ASSERT_TRUE(database.commit(true).has_value());
    store::Spills spills(router->hub());
    const auto opened = store::open(database, spills);
    ASSERT_FALSE(opened.has_value());
    EXPECT_NE(opened.error().text.find("format 77"), std::string::npos);
}

}  // namespace
}  // namespace sy::engine
