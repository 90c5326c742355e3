// What is written in the store reads back, and what is not ours is refused.
#include "core/store/codec.h"

#include <gtest/gtest.h>

#include "core/base/prng.h"

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
    EXPECT_EQ(a.submitted_wall_ns, b.submitted_wall_ns);
}

const Names names({"acme", std::string(255, 'n')}, {"26201", "23415"});

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
        const std::string value = encode_receipt(message, names);
        Message read;
        read.network_error_code = {1, 2};
        ASSERT_TRUE(decode_receipt(value, names, read));
        expect_same(message.way, read.way);
        EXPECT_EQ(read.receipt_state, message.receipt_state);
        EXPECT_EQ(read.receipt_error, message.receipt_error);
        EXPECT_EQ(read.intermediate, message.intermediate);
        EXPECT_EQ(read.network_error_code, message.network_error_code);
        EXPECT_EQ(read.received_wall_ns, message.received_wall_ns);
        EXPECT_EQ(wall_ns_of(value), message.received_wall_ns);
    }
}

TEST(Codec, NamesOutliveIds) {
    ReceiptWay way;
    way.customer = CustomerId{0};
    way.network = NetworkId{1};
    const std::string value = encode_way(way, names);
    const Names later({"bravo", "other", "acme"}, {"23415"});
    ReceiptWay read;
    ASSERT_TRUE(decode_way(value, later, read));
    EXPECT_EQ(read.customer, CustomerId{2});
    EXPECT_EQ(read.network, NetworkId{0});
    const Names without({"bravo"}, {});
    ASSERT_TRUE(decode_way(value, without, read));
    EXPECT_FALSE(read.customer.valid());
    EXPECT_FALSE(read.network.valid());
}

TEST(Codec, WhatIsCutOrTooLongOrOfAnotherVersionIsRefused) {
    Prng prng(3);
    Message message;
    message.way = random_way(prng);
    const std::string way = encode_way(message.way, names);
    const std::string receipt = encode_receipt(message, names);
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
    newer[0] = static_cast<char>(format_version + 1);
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
