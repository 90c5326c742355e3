// What is written in the store reads back, and what is not ours is refused.
#include "core/store/codec.h"

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/store/message_codec.h"

namespace sy::store {
namespace {

using engine::Message;
using engine::ReceiptWay;

std::string random_text(Prng& prng, size_t max) {
    std::string out(prng.below(max + 1), '\0');
    for (char& c : out) {
        c = static_cast<char>(prng.below(256));
    }
    return out;
}

ReceiptWay random_way(Prng& prng) {
    ReceiptWay way;
    way.customer = CustomerId{static_cast<uint16_t>(prng.below(2))};
    way.network = prng.below(2) == 0 ? NetworkId::none() : NetworkId{1};
    way.id = prng();
    way.id_form = static_cast<engine::IdForm>(prng.below(3));
    way.registered_delivery = static_cast<uint8_t>(prng());
    way.source_ton = static_cast<uint8_t>(prng());
    way.source_npi = static_cast<uint8_t>(prng());
    way.destination_ton = static_cast<uint8_t>(prng());
    way.destination_npi = static_cast<uint8_t>(prng());
    way.source_length = static_cast<uint8_t>(
        random_text(prng, way.source.size()).copy(way.source.data(), way.source.size()));
    way.destination_length =
        static_cast<uint8_t>(random_text(prng, way.destination.size())
                                 .copy(way.destination.data(), way.destination.size()));
    way.has_reference = prng.below(2) == 0;
    way.user_message_reference = way.has_reference ? static_cast<uint16_t>(prng()) : 0;
    way.is_lost = prng.below(2) == 0;
    way.round = static_cast<uint8_t>(prng.below(3));
    way.submitted_wall_ns = prng();
    return way;
}

void expect_same(const ReceiptWay& a, const ReceiptWay& b) {
    EXPECT_EQ(a.customer, b.customer);
    EXPECT_EQ(a.network, b.network);
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.id_form, b.id_form);
    EXPECT_EQ(a.registered_delivery, b.registered_delivery);
    EXPECT_EQ(a.source_ton, b.source_ton);
    EXPECT_EQ(a.source_npi, b.source_npi);
    EXPECT_EQ(a.destination_ton, b.destination_ton);
    EXPECT_EQ(a.destination_npi, b.destination_npi);
    EXPECT_EQ(a.source_length, b.source_length);
    EXPECT_EQ(a.source, b.source);
    EXPECT_EQ(a.destination_length, b.destination_length);
    EXPECT_EQ(a.destination, b.destination);
    EXPECT_EQ(a.has_reference, b.has_reference);
    EXPECT_EQ(a.user_message_reference, b.user_message_reference);
    EXPECT_EQ(a.is_lost, b.is_lost);
    EXPECT_EQ(a.round, b.round);
    EXPECT_EQ(a.submitted_wall_ns, b.submitted_wall_ns);
}

const Names names({"acme", std::string(255, 'n')}, {"26201", "23415"}, {"alpha", "bravo"});

TEST(Codec, WaysReadBack) {
    Prng prng(1);
    for (int i = 0; i < 20'000; ++i) {
        const ReceiptWay way = random_way(prng);
        const std::string value = encode_way(way, names);
        ReceiptWay read;
        ASSERT_TRUE(decode_way(value, names, read));
        expect_same(way, read);
        EXPECT_EQ(wall_ns_of(value), way.submitted_wall_ns);
    }
}

TEST(Codec, ReceiptsReadBack) {
    Prng prng(2);
    for (int i = 0; i < 20'000; ++i) {
        Message message;
        message.way = random_way(prng);
        message.receipt_state = static_cast<uint8_t>(prng.below(10));
        message.receipt_error = static_cast<uint32_t>(prng());
        message.intermediate = prng.below(2) == 0;
        message.received_wall_ns = prng();
        if (prng.below(2) == 0) {
            message.network_error_code = {static_cast<uint8_t>(prng()),
                                          static_cast<uint16_t>(prng())};
        }
        message.supplier = prng.below(2) == 0 ? SupplierId{static_cast<uint16_t>(prng.below(2))}
                                              : SupplierId::none();
        const std::string value = encode_receipt(message, message.supplier, names);
        Message read;
        read.network_error_code = {1, 2};
        ASSERT_TRUE(decode_receipt(value, names, read));
        expect_same(message.way, read.way);
        EXPECT_EQ(read.receipt_state, message.receipt_state);
        EXPECT_EQ(read.receipt_error, message.receipt_error);
        EXPECT_EQ(read.intermediate, message.intermediate);
        EXPECT_EQ(read.network_error_code, message.network_error_code);
        EXPECT_EQ(read.supplier, message.supplier);
        EXPECT_EQ(read.received_wall_ns, message.received_wall_ns);
        EXPECT_EQ(wall_ns_of(value), message.received_wall_ns);
    }
}

TEST(Codec, AReceiptOfBeforeSuppliersWereNamedIsRead) {
    Prng prng(3);
    Message message;
    message.way = random_way(prng);
    message.received_wall_ns = 5;
    std::string value = encode_receipt(message, SupplierId::none(), names);
    ASSERT_EQ(value.back(), '\0') << "the length of no name";
    value.pop_back();
    value[0] = static_cast<char>(format_version);
    Message read;
    read.supplier = SupplierId{1};
    ASSERT_TRUE(decode_receipt(value, names, read));
    expect_same(message.way, read.way);
    EXPECT_EQ(read.supplier, SupplierId::none());
    EXPECT_EQ(wall_ns_of(value), 5u);
}

TEST(Codec, WatchedMessagesReadBackAndTheirWatchCanBeWrittenAnew) {
    Prng prng(4);
    for (int i = 0; i < 5'000; ++i) {
        std::string body = random_text(prng, 200);
        Message message;
        message.customer = CustomerId{1};
        message.version = smpp::Version::v34;
        message.body = reinterpret_cast<uint8_t*>(body.data());
        message.body_bytes = static_cast<uint32_t>(body.size());
        message.store_sequence = prng();
        message.watched = true;
        engine::Watch& watch = message.watch;
        watch.receipt_ns = prng();
        watch.due_ns = prng();
        watch.round = static_cast<uint8_t>(1 + prng.below(engine::Watch::rounds_max));
        watch.tries = static_cast<uint8_t>(prng());
        watch.has_ended = prng.below(2) == 0;
        watch.maybe_sent = prng.below(2) == 0;
        watch.failed_state = static_cast<uint8_t>(prng.below(10));
        watch.failed_error = static_cast<uint32_t>(prng());
        for (uint8_t t = 0; t < watch.round; ++t) {
            watch.tried[t] = prng();
        }
        std::string value = encode_message(message, names);
        StoredMessage read;
        ASSERT_TRUE(decode_message(value, names, read));
        EXPECT_TRUE(read.is_watched);
        EXPECT_EQ(read.watch, watch);
        EXPECT_EQ(as_chars(read.body), body);
        watch.due_ns = prng();
        watch.has_ended = !watch.has_ended;
        watch.failed_error = static_cast<uint32_t>(prng());
        set_watch(value, watch);
        ASSERT_TRUE(decode_message(value, names, read));
        EXPECT_EQ(read.watch, watch);
        EXPECT_EQ(as_chars(read.body), body);
        EXPECT_EQ(read.sequence, message.store_sequence);
        Nanos due = 0;
        uint64_t id = 0;
        ASSERT_TRUE(decode_watch(watch_key(7, 8), message_key(9), due, id));
        EXPECT_EQ(due, 7u);
        EXPECT_EQ(id, 9u);
        const std::string cut = value.substr(0, prng.below(value.size() - body.size()));
        EXPECT_FALSE(decode_message(cut, names, read));
    }
    StoredMessage read;
    Message message;
    message.watched = true;
    message.customer = CustomerId{0};
    message.version = smpp::Version::v34;
    std::string value = encode_message(message, names);
    EXPECT_TRUE(decode_message(value, names, read));
    // version, due, flags, time, state, error, tries: the number of rounds
    value[1 + 8 + 1 + 8 + 1 + 8 + 1] = static_cast<char>(engine::Watch::rounds_max + 1);
    EXPECT_FALSE(decode_message(value, names, read)) << "more rounds than there can be";
}

TEST(Codec, NamesOutliveIds) {
    ReceiptWay way;
    way.customer = CustomerId{0};
    way.network = NetworkId{1};
    const std::string value = encode_way(way, names);
    const Names later({"bravo", "other", "acme"}, {"23415"}, {});
    ReceiptWay read;
    ASSERT_TRUE(decode_way(value, later, read));
    EXPECT_EQ(read.customer, CustomerId{2});
    EXPECT_EQ(read.network, NetworkId{0});
    const Names without({"bravo"}, {}, {});
    ASSERT_TRUE(decode_way(value, without, read));
    EXPECT_FALSE(read.customer.valid());
    EXPECT_FALSE(read.network.valid());
}

TEST(Codec, WhatIsCutOrTooLongOrOfAnotherVersionIsRefused) {
    Prng prng(3);
    Message message;
    message.way = random_way(prng);
    const std::string way = encode_way(message.way, names);
    const std::string receipt = encode_receipt(message, SupplierId{1}, names);
    ReceiptWay read;
    for (size_t octets = 0; octets < way.size(); ++octets) {
        EXPECT_FALSE(decode_way(way.substr(0, octets), names, read)) << octets;
    }
    for (size_t octets = 0; octets < receipt.size(); ++octets) {
        EXPECT_FALSE(decode_receipt(receipt.substr(0, octets), names, message)) << octets;
    }
    EXPECT_FALSE(decode_way(way + "x", names, read));
    EXPECT_FALSE(decode_receipt(receipt + "x", names, message));
    std::string newer = way;
    newer[0] = static_cast<char>(receipt_version + 1);
    EXPECT_FALSE(decode_way(newer, names, read));
    EXPECT_EQ(wall_ns_of(newer), 0u);
}

TEST(Codec, KeysOfOneCustomerAreInOrderAndApartFromOthers) {
    EXPECT_LT(receipt_key("acme", 255), receipt_key("acme", 256));
    EXPECT_FALSE(receipt_key("acme2", 1).starts_with(receipt_prefix("acme")));
    std::string_view customer;
    uint64_t sequence = 0;
    const std::string key = receipt_key("acme", 0x0102030405060708);
    ASSERT_TRUE(parse_receipt_key(key, customer, sequence));
    EXPECT_EQ(customer, "acme");
    EXPECT_EQ(sequence, 0x0102030405060708u);
    EXPECT_FALSE(parse_receipt_key(key + "x", customer, sequence));
    EXPECT_FALSE(parse_receipt_key("acme", customer, sequence));
    EXPECT_TRUE(way_key({1, 2}, 3).starts_with(way_prefix({1, 2})));
}

}  // namespace
}  // namespace sy::store
