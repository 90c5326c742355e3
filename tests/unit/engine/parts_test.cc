// The worker's parts against slow obvious models: receipt map, message pool, output, rate bucket.
#include <algorithm>
#include <array>
#include <atomic>
#include <list>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/engine/hub.h"
#include "core/engine/message.h"
#include "core/engine/output.h"
#include "core/engine/parts_memory.h"
#include "core/engine/receipt_map.h"
#include "core/engine/reply_guard.h"

namespace sy::engine {
namespace {

// The map's promises on a plain list, newest last.
struct ReceiptModel {
    struct Entry {
        ReceiptKey key;
        uint64_t id;
        Nanos since;
        bool finished;
    };
    size_t capacity;
    Nanos age;
    std::list<Entry> entries;

    bool insert(const ReceiptKey& key, uint64_t id, Nanos now) {
        bool lost = false;
        if (entries.size() == capacity) {
            // Finished ones go first, in the order in which they finished: kept in `order`.
            if (!order.empty()) {
                erase(order.front());
            } else {
                lost = true;
                erase(entries.front().id);
            }
        }
        entries.push_back({key, id, now, false});
        return lost;
    }
    const Entry* find(const ReceiptKey& key) const {
        const auto found = std::find_if(entries.rbegin(), entries.rend(),
                                        [&](const Entry& e) { return e.key == key; });
        return found == entries.rend() ? nullptr : &*found;
    }
    void finish(uint64_t id) {
        for (Entry& entry : entries) {
            if (entry.id == id && !entry.finished) {
                entry.finished = true;
                order.push_back(id);
            }
        }
    }
    void erase(uint64_t id) {
        std::erase(order, id);
        std::erase_if(entries, [&](const Entry& e) { return e.id == id; });
    }
    size_t waiting() const {
        return static_cast<size_t>(
            std::ranges::count_if(entries, [](const Entry& e) { return !e.finished; }));
    }
    std::list<uint64_t> order;
};

TEST(ReceiptMap, BehavesAsAPlainList) {
    Prng prng(3);
    for (int round = 0; round < 50; ++round) {
        const auto capacity = static_cast<uint32_t>(1 + prng.below(40));
        ReceiptMap map(capacity, 1'000'000);
        ReceiptModel model{.capacity = capacity, .age = 1'000'000, .entries = {}, .order = {}};
        Nanos now = 1;
        uint64_t next_id = 1;
        for (int step = 0; step < 2'000; ++step, ++now) {
            // Few keys, so that ids repeat and buckets are shared.
            const uint64_t k = prng.below(30);
            const ReceiptKey key{mix64(k), k % 4};
            switch (prng.below(3)) {
                case 0: {
                    ReceiptWay way;
                    way.id = next_id++;
                    ASSERT_EQ(map.insert(key, way, now), model.insert(key, way.id, now));
                    break;
                }
                case 1: {
                    const auto found = map.find(key, "");
                    const auto* expected = model.find(key);
                    ASSERT_EQ(found.way != nullptr, expected != nullptr);
                    if (expected != nullptr) {
                        ASSERT_EQ(found.way->id, expected->id);
                        ASSERT_EQ(found.finished, expected->finished);
                    }
                    break;
                }
                default:
                    if (const auto found = map.find(key, ""); found.way != nullptr) {
                        model.finish(found.way->id);
                        map.finish(found.entry);
                    }
                    break;
            }
            ASSERT_EQ(map.waiting(), model.waiting());
        }
    }
}

TEST(ReceiptMap, TellsReusedIdsApartByTheirDestination) {
    ReceiptMap map(8, second_ns);
    const auto way = [](const std::string& to, uint64_t id) {
        ReceiptWay out;
        out.id = id;
        out.destination_length = static_cast<uint8_t>(to.copy(out.destination.data(), 20));
        return out;
    };
    map.insert({1, 1}, way("+447700900001", 1), 0);
    map.insert({1, 1}, way("447700900002", 2), 0);
    EXPECT_EQ(map.find({1, 1}, "447700900001").way->id, 1u);
    EXPECT_EQ(map.find({1, 1}, "447700900002").way->id, 2u);
    EXPECT_EQ(map.find({1, 1}, "").way->id, 2u);
    EXPECT_EQ(map.find({2, 1}, "447700900001").way, nullptr);
}

TEST(ReceiptMap, TakesNoReceiptForARepeatedOneThatComesFromElsewhere) {
    ReceiptMap map(8, second_ns);
    ReceiptWay way;
    way.id = 1;
    way.destination_length =
        static_cast<uint8_t>(std::string_view("447700900001").copy(way.destination.data(), 20));
    map.insert({1, 1}, way, 0);
    map.finish(map.find({1, 1}, "447700900001").entry);
    EXPECT_TRUE(map.find({1, 1}, "447700900001").finished);
    EXPECT_TRUE(map.find({1, 1}, "").finished);
    EXPECT_EQ(map.find({1, 1}, "447700900002").way, nullptr) << "the id is used again";
}

TEST(ReceiptMap, ForgetsByAgeOldestFirstAndSaysHowManyStillWaited) {
    ReceiptMap map(8, 1000);
    for (uint64_t i = 0; i < 4; ++i) {
        map.insert({i, i}, {}, i * 100);
    }
    map.finish(map.find({0, 0}, "").entry);
    EXPECT_EQ(map.expire(1000, 100), 0u);
    EXPECT_EQ(map.find({0, 0}, "").way, nullptr);  // finished: a tenth of the age
    EXPECT_EQ(map.expire(1201, 100), 2u);
    EXPECT_EQ(map.waiting(), 1u);
    EXPECT_NE(map.find({3, 3}, "").way, nullptr);
}

// What fits is remembered for its time; the model forgets by age alone, so the keys are few.
TEST(PartsMemory, BehavesAsAPlainMapOfFirstClaims) {
    Prng prng(6);
    PartsMemory memory(65'536);
    struct Claimed {
        uint16_t value;
        uint64_t second;
    };
    std::map<uint64_t, Claimed> model;
    uint64_t second = 1;
    for (int step = 0; step < 20'000; ++step) {
        const uint64_t key = mix64(prng.below(500)) | 1;
        const auto value = static_cast<uint16_t>(prng.below(4));
        const auto found = model.find(key);
        const bool fresh =
            found != model.end() && second - found->second.second <= PartsMemory::seconds_max;
        if (prng.chance(1, 10)) {
            memory.move(key, value, second * second_ns);
            model[key] = {value, second};
        } else {
            ASSERT_EQ(memory.find(key, second * second_ns),
                      fresh ? found->second.value : PartsMemory::none);
            const uint16_t expected = fresh ? found->second.value : value;
            ASSERT_EQ(memory.claim(key, value, second * second_ns), expected);
            if (!fresh) {
                model[key] = {value, second};
            }
        }
        second += prng.below(3);  // 20,000 s: no second comes twice modulo 18 hours
    }
}

TEST(PartsMemory, TheOldestOfALineMakesRoom) {
    PartsMemory memory(8);  // one line
    for (uint64_t i = 0; i < 9; ++i) {
        const auto value = static_cast<uint16_t>(i);
        EXPECT_EQ(memory.claim((i + 1) << 32 | 1, value, (i + 1) * second_ns), value);
    }
    for (uint64_t i = 1; i < 9; ++i) {
        const auto value = static_cast<uint16_t>(i);
        EXPECT_EQ(memory.claim((i + 1) << 32 | 1, 77, 10 * second_ns), value);
    }
    EXPECT_EQ(memory.claim(uint64_t{1} << 32 | 1, 77, 10 * second_ns), 77);
}

TEST(PartsMemory, WorkersThatClaimAtTheSameTimeAgree) {
    PartsMemory memory(1024);
    constexpr uint64_t keys = 20'000;
    std::array<std::vector<uint16_t>, 2> answers;
    std::atomic<uint64_t> turn{0};  // both claim a key before either goes on
    const auto claim_all = [&](uint16_t worker) {
        for (uint64_t i = 0; i < keys; ++i) {
            ++turn;
            while (turn.load() < 2 * (i + 1)) {
                std::this_thread::yield();
            }
            answers[worker].push_back(memory.claim(mix64(i) | 1, worker, i * millisecond_ns));
        }
    };
    std::thread other(claim_all, uint16_t{1});
    claim_all(0);
    other.join();
    EXPECT_EQ(answers[0], answers[1]);
}

TEST(MessagePool, GivesEveryMessageOnceAndTakesItBack) {
    MessagePool pool(3, 10, 2, false);
    std::vector<Message*> taken;
    while (Message* message = pool.take(100)) {
        EXPECT_EQ(message->home, 3);
        EXPECT_GE(message->body_capacity, 100u);
        std::fill_n(message->body, message->body_capacity, uint8_t{0xAA});
        taken.push_back(message);
    }
    EXPECT_EQ(taken.size(), 10u);
    while (Message* message = pool.take(60'000)) {
        EXPECT_GE(message->body_capacity, 60'000u);
        taken.push_back(message);
    }
    EXPECT_EQ(taken.size(), 12u);
    std::ranges::sort(taken);
    EXPECT_EQ(std::ranges::adjacent_find(taken), taken.end());
    for (Message* message : taken) {
        message->attempts = 9;
        pool.give_back(message);
    }
    EXPECT_EQ(pool.free_count(), pool.count());
    EXPECT_EQ(pool.take(100)->attempts, 0);
}

TEST(FormatId, WritesEveryFormAndPadsHex) {
    IdText buffer;
    EXPECT_EQ(format_id(18'446'744'073'709'551'615u, IdForm::decimal, buffer),
              "18446744073709551615");
    EXPECT_EQ(format_id(0, IdForm::decimal, buffer), "0");
    Prng prng(1);
    for (int round = 0; round < 200'000; ++round) {
        const uint64_t id = prng() >> prng.below(64);
        ASSERT_EQ(format_id(id, IdForm::decimal, buffer), std::to_string(id));
    }
    for (uint64_t id = 1; id <= 10'000'000'000'000'000'000u / 10; id *= 10) {
        ASSERT_EQ(format_id(id - 1, IdForm::decimal, buffer), std::to_string(id - 1));
        ASSERT_EQ(format_id(id, IdForm::decimal, buffer), std::to_string(id));
    }
    EXPECT_EQ(format_id(0xABC, IdForm::hex, buffer), "0000000000000abc");
    EXPECT_EQ(format_id(0x1'0000'00FFu, IdForm::hex8, buffer), "000000ff");
}

// Octets come out as they went in, whatever sizes are reserved and however little is taken at a
// time.
TEST(Output, IsAFifoOfOctets) {
    Prng prng(4);
    ChunkPool pool(8, 8);
    for (int round = 0; round < 100; ++round) {
        Output output;
        std::string expected;
        std::string got;
        for (int step = 0; step < 300; ++step) {
            if (prng.chance(1, 2)) {
                const auto bytes =
                    static_cast<uint32_t>(1 + prng.below(prng.chance(1, 20) ? 60'000 : 300));
                const auto out = output.reserve(pool, bytes);
                if (out.empty()) {
                    continue;
                }
                ASSERT_GE(out.size(), bytes);
                for (uint32_t i = 0; i < bytes; ++i) {
                    out[i] = static_cast<uint8_t>(prng());
                    expected += static_cast<char>(out[i]);
                }
                output.commit(bytes);
            } else if (!output.empty()) {
                const Octets front = output.front();
                ASSERT_FALSE(front.empty());
                const auto bytes = static_cast<uint32_t>(1 + prng.below(front.size()));
                got += as_chars(front.first(bytes));
                output.sent(pool, bytes);
            }
            ASSERT_EQ(output.pending_bytes(), expected.size() - got.size());
        }
        ASSERT_EQ(got, expected.substr(0, got.size()));
        output.clear(pool);
        ASSERT_TRUE(output.empty());
    }
    // Every chunk came back.
    for (int i = 0; i < 16; ++i) {
        ASSERT_NE(pool.take(1, false), nullptr);
    }
    EXPECT_EQ(pool.take(1, false), nullptr);
}

TEST(RateBucket, LetsTheBurstThroughThenTheRate) {
    RateBucket bucket;
    Nanos now = 5 * second_ns;
    int taken = 0;
    while (bucket.take(now, 100, 20)) {
        ++taken;
    }
    EXPECT_EQ(taken, 20);
    for (int i = 0; i < 1000; ++i) {
        now += 10 * millisecond_ns;
        taken += bucket.take(now, 100, 20) ? 1 : 0;
        taken += bucket.take(now, 100, 20) ? 1 : 0;
    }
    EXPECT_EQ(taken, 1020);
    EXPECT_TRUE(bucket.take(now, 0, 0));
}

TEST(RateBucket, CreditIsBoundedAndPaidBack) {
    RateBucket bucket;
    const Nanos now = 5 * second_ns;
    int taken = 0;
    while (bucket.take(now, 100, 2)) {
        ++taken;
    }
    while (bucket.take(now, 100, 2, 10)) {
        ++taken;
    }
    EXPECT_EQ(taken, 12);
    EXPECT_FALSE(bucket.take(now + 100 * millisecond_ns, 100, 2));
    EXPECT_TRUE(bucket.take(now + 110 * millisecond_ns, 100, 2));
    EXPECT_FALSE(bucket.take(now + 110 * millisecond_ns, 100, 2));
}

TEST(RateBucket, TakesAllOfThemOrNone) {
    RateBucket bucket;
    Nanos now = 5 * second_ns;
    EXPECT_TRUE(bucket.take(now, 100, 20, 0, 15));
    EXPECT_FALSE(bucket.take(now, 100, 20, 0, 6)) << "of 5";
    EXPECT_TRUE(bucket.take(now, 100, 20, 0, 5)) << "they are still there";
    now += 199 * millisecond_ns;
    EXPECT_FALSE(bucket.take(now, 100, 20, 0, 50)) << "it is not full";
    now += millisecond_ns;
    EXPECT_TRUE(bucket.take(now, 100, 20, 0, 50)) << "more than a burst";
    EXPECT_FALSE(bucket.take(now + 309 * millisecond_ns, 100, 20));
    EXPECT_TRUE(bucket.take(now + 310 * millisecond_ns, 100, 20)) << "which later ones pay for";
}

// As many as allowed in each hour that begins with an answer; pairs do not disturb each other.
TEST(ReplyGuard, CountsAPairsAnswersInItsHour) {
    ReplyGuard guard;
    const uint64_t pair = mix64(7);
    for (Nanos hour = 1; hour < 4; ++hour) {
        const Nanos start = hour * ReplyGuard::window_ns;
        for (uint32_t i = 0; i < limits::replies_an_hour_max; ++i) {
            EXPECT_TRUE(guard.allow(pair, start + i * second_ns));
        }
        EXPECT_FALSE(guard.allow(pair, start + 30 * second_ns));
        EXPECT_FALSE(guard.allow(pair, start + ReplyGuard::window_ns - 1));
        EXPECT_TRUE(guard.allow(mix64(8), start + hour));
    }
}

// A loop that answers all the time is found among many who were answered once.
TEST(ReplyGuard, OthersDoNotMakeALoopForgotten) {
    ReplyGuard guard;
    Prng prng(1);
    const uint64_t loop = mix64(7);
    Nanos now = ReplyGuard::window_ns;
    uint32_t allowed = 0;
    for (uint32_t i = 0; i < 2'000; ++i) {
        allowed += guard.allow(loop, now) ? 1U : 0U;
        (void)guard.allow(prng(), now += second_ns);
    }
    EXPECT_EQ(allowed, limits::replies_an_hour_max);
}

}  // namespace
}  // namespace sy::engine
