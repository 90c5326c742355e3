// A record through its octets and back.
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/engine/record.h"

namespace sy::engine {
namespace {

// Everything that a record points to.
struct Parts {
    std::vector<uint16_t> targets;
    std::vector<Attempt> attempts;
    std::array<std::string, record_parts> octets;
};

Record random_record(Prng& prng, Parts& parts) {
    Record record;
    record.kind = static_cast<RecordKind>(prng.below(record_kinds));
    record.end = static_cast<RecordEnd>(prng.below(record_ends));
    record.id_form = static_cast<IdForm>(prng.below(3));
    record.id = prng();
    record.accepted_ns = prng();
    record.finished_ns = prng();
    record.finished_wall_ns = prng();
    record.price_nanos = static_cast<int64_t>(prng.below(1'000'000));
    record.status = static_cast<smpp::CommandStatus>(prng.below(300));
    record.customer = CustomerId{static_cast<uint16_t>(prng())};
    record.has_price = prng.chance(1, 2);
    record.resent = prng.chance(1, 2);
    record.intermediate = prng.chance(1, 2);
    parts.targets.resize(prng.below(limits::targets_max + 1));
    for (uint16_t& target : parts.targets) {
        target = static_cast<uint16_t>(prng());
    }
    record.targets = parts.targets;
    parts.attempts.resize(prng.below(AttemptLog::attempts_max + 1u));
    for (Attempt& attempt : parts.attempts) {
        attempt.sent_ns = prng();
        attempt.settled_ns = prng();
        attempt.party = static_cast<uint16_t>(prng());
        attempt.outcome = static_cast<Outcome>(prng.below(5));
        attempt.set_id(std::string(prng.below(70), static_cast<char>('a' + prng.below(26))));
    }
    record.attempts = parts.attempts;
    for (size_t i = 0; i < record_parts; ++i) {
        parts.octets[i] = std::string(prng.below(4) == 0 ? prng.below(2000) : prng.below(20),
                                      static_cast<char>(prng.below(256)));
        record.set(static_cast<RecordPart>(i), std::string_view(parts.octets[i]));
    }
    return record;
}

std::vector<uint8_t> encoded(const Record& record) {
    std::vector<uint8_t> out(encoded_record_bytes(record));
    encode_record(record, out);
    return out;
}

TEST(RecordCodec, WhatGoesInComesOut) {
    Prng prng(1);
    for (int round = 0; round < 2000; ++round) {
        Parts parts;
        const Record in = random_record(prng, parts);
        const std::vector<uint8_t> octets = encoded(in);
        Record out;
        RecordStorage storage;
        ASSERT_TRUE(decode_record(octets, storage, out));
        EXPECT_EQ(out.id, in.id);
        EXPECT_EQ(out.kind, in.kind);
        EXPECT_EQ(out.end, in.end);
        EXPECT_EQ(out.finished_wall_ns, in.finished_wall_ns);
        EXPECT_EQ(out.status, in.status);
        EXPECT_EQ(out.has_price, in.has_price);
        EXPECT_EQ(out.price_nanos, in.price_nanos);
        EXPECT_TRUE(std::ranges::equal(out.targets, in.targets));
        ASSERT_EQ(out.attempts.size(), in.attempts.size());
        for (size_t i = 0; i < in.attempts.size(); ++i) {
            EXPECT_EQ(out.attempts[i].sent_ns, in.attempts[i].sent_ns);
            EXPECT_EQ(out.attempts[i].party, in.attempts[i].party);
            EXPECT_EQ(out.attempts[i].outcome, in.attempts[i].outcome);
            EXPECT_EQ(out.attempts[i].id_text(), in.attempts[i].id_text());
        }
        for (size_t i = 0; i < record_parts; ++i) {
            const auto which = static_cast<RecordPart>(i);
            EXPECT_EQ(out.chars(which), in.chars(which));
        }
        EXPECT_EQ(encoded_record_bytes(out), octets.size());
    }
}

TEST(RecordCodec, AnyOtherLengthIsRefused) {
    Prng prng(2);
    for (int round = 0; round < 50; ++round) {
        Parts parts;
        std::vector<uint8_t> octets = encoded(random_record(prng, parts));
        Record out;
        RecordStorage storage;
        for (size_t bytes = 0; bytes < octets.size(); ++bytes) {
            ASSERT_FALSE(decode_record(Octets(octets).first(bytes), storage, out)) << bytes;
        }
        octets.push_back(0);
        ASSERT_FALSE(decode_record(octets, storage, out));
    }
}

TEST(RecordCodec, ValuesThatDoNotExistAreRefused) {
    Parts parts;
    Prng prng(3);
    const std::vector<uint8_t> good = encoded(random_record(prng, parts));
    for (const size_t at :
         {offsetof(RecordHead, kind), offsetof(RecordHead, end), offsetof(RecordHead, alphabet),
          offsetof(RecordHead, has_sent), offsetof(RecordHead, intermediate),
          offsetof(RecordHead, target_count), offsetof(RecordHead, attempt_count)}) {
        std::vector<uint8_t> bad = good;
        bad[at] = 0xFF;
        Record out;
        RecordStorage storage;
        EXPECT_FALSE(decode_record(bad, storage, out)) << at;
    }
}

TEST(AttemptLog, KeepsTheFirstSevenAndTheLast) {
    AttemptLog log;
    for (uint16_t i = 0; i < 20; ++i) {
        log.begin(i, 100u + i);
        ASSERT_NE(log.open(), nullptr);
        log.open()->settled_ns = 1000u + i;
        EXPECT_EQ(log.open(), nullptr);
    }
    EXPECT_EQ(log.count, 8);
    EXPECT_EQ(log.overwritten, 12);
    EXPECT_EQ(log.attempts[6].party, 6);
    EXPECT_EQ(log.attempts[7].party, 19);
    EXPECT_EQ(log.attempts[7].settled_ns, 1019u);
}

}  // namespace
}  // namespace sy::engine
