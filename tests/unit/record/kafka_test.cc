// Messages to librdkafka's own mock cluster, also while its broker is away.
#include "io/record/kafka.h"

#include <chrono>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sy::record {
namespace {

constexpr const char* topic = "records-test";

struct FreeClient {
    void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
using Client = std::unique_ptr<rd_kafka_t, FreeClient>;

Client make_client(rd_kafka_type_t type, const std::map<std::string, std::string>& options) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::array<char, 256> text{};
    for (const auto& [key, value] : options) {
        EXPECT_EQ(rd_kafka_conf_set(conf, key.c_str(), value.c_str(), text.data(), text.size()),
                  RD_KAFKA_CONF_OK)
            << text.data();
    }
    return Client(rd_kafka_new(type, conf, text.data(), text.size()));
}

class KafkaTest : public testing::Test {
  protected:
    KafkaTest() {
        host_ = make_client(RD_KAFKA_PRODUCER, {{"client.id", "mock"}});
        cluster_ = rd_kafka_mock_cluster_new(host_.get(), 1);
        EXPECT_NE(cluster_, nullptr);
        EXPECT_EQ(rd_kafka_mock_topic_create(cluster_, topic, 4, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
        records_.kafka = rd_kafka_mock_cluster_bootstraps(cluster_);
        records_.kafka_topic = topic;
        records_.kafka_options = {{"linger.ms", "5"}};
    }
    ~KafkaTest() override { rd_kafka_mock_cluster_destroy(cluster_); }

    std::unique_ptr<Kafka> open() {
        auto kafka = Kafka::open(records_, counters_, notes_);
        EXPECT_TRUE(kafka.has_value()) << (kafka ? "" : kafka.error().text);
        return *std::move(kafka);
    }

    // What a consumer of the topic gets, until so many have come or nothing more comes.
    struct Got {
        std::string key;
        std::string value;
        int32_t partition;
    };
    std::vector<Got> consume(size_t wanted) {
        const Client consumer =
            make_client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", records_.kafka},
                                            {"group.id", "test"},
                                            {"auto.offset.reset", "earliest"}});
        rd_kafka_topic_partition_list_t* wanted_topics = rd_kafka_topic_partition_list_new(4);
        for (int32_t partition = 0; partition < 4; ++partition) {
            rd_kafka_topic_partition_list_add(wanted_topics, topic, partition)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
        }
        EXPECT_EQ(rd_kafka_assign(consumer.get(), wanted_topics), RD_KAFKA_RESP_ERR_NO_ERROR);
        rd_kafka_topic_partition_list_destroy(wanted_topics);
        std::vector<Got> out;
        for (int silent = 0; out.size() < wanted && silent < 100;) {
            rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer.get(), 100);
            if (message == nullptr) {
                ++silent;
                continue;
            }
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                out.push_back(
                    {std::string(static_cast<const char*>(message->key), message->key_len),
                     std::string(static_cast<const char*>(message->payload), message->len),
                     message->partition});
            }
            rd_kafka_message_destroy(message);
        }
        rd_kafka_consumer_close(consumer.get());
        return out;
    }

    template <class Condition>
    static bool poll_until(Kafka& kafka, const Condition& condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!condition() && std::chrono::steady_clock::now() < end) {
            kafka.poll();
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        return condition();
    }

    Client host_;
    rd_kafka_mock_cluster_t* cluster_ = nullptr;
    config::Records records_;
    KafkaCounters counters_;
    Notes notes_;
};

TEST_F(KafkaTest, EveryLineArrivesUnderItsKey) {
    const auto kafka = open();
    for (int i = 0; i < 500; ++i) {
        const std::string key = std::to_string(i % 50);
        kafka->send(key, "line " + std::to_string(i));
    }
    kafka->send({}, "without a key");
    EXPECT_EQ(kafka->close(20 * second_ns), 0u);
    EXPECT_EQ(counters_.sent.load(), 501u);
    EXPECT_EQ(counters_.failed.load(), 0u);
    std::map<std::string, std::set<int32_t>> partitions;
    std::map<std::string, int> last;
    const auto got = consume(501);
    EXPECT_EQ(got.size(), 501u);
    for (const Got& one : got) {
        if (one.key.empty()) {
            EXPECT_EQ(one.value, "without a key");
            continue;
        }
        partitions[one.key].insert(one.partition);
        const int number = std::stoi(one.value.substr(5));
        EXPECT_EQ(std::to_string(number % 50), one.key);
        EXPECT_TRUE(!last.contains(one.key) || last[one.key] < number) << "out of order";
        last[one.key] = number;
    }
    for (const auto& [key, in] : partitions) {
        EXPECT_EQ(in.size(), 1u) << key;
    }
}

TEST_F(KafkaTest, ABrokerThatIsAwayForAWhileLosesNothing) {
    const auto kafka = open();
    kafka->send("1", "before");
    ASSERT_TRUE(poll_until(*kafka, [&] { return counters_.sent.load() == 1; }));
    ASSERT_EQ(rd_kafka_mock_broker_set_down(cluster_, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int i = 0; i < 100; ++i) {
        kafka->send("1", "meanwhile " + std::to_string(i));
        kafka->poll();
    }
    EXPECT_EQ(counters_.sent.load(), 1u);
    EXPECT_EQ(counters_.queued.load(), 100u);
    ASSERT_EQ(rd_kafka_mock_broker_set_up(cluster_, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    EXPECT_TRUE(poll_until(*kafka, [&] { return counters_.sent.load() == 101; }));
    EXPECT_EQ(counters_.failed.load(), 0u);
    EXPECT_EQ(consume(101).size(), 101u);
}

TEST_F(KafkaTest, AFullQueueCountsAndNeverWaits) {
    records_.kafka_options.emplace_back("queue.buffering.max.messages", "10");
    const auto kafka = open();
    ASSERT_EQ(rd_kafka_mock_broker_set_down(cluster_, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int i = 0; i < 25; ++i) {
        kafka->send("1", "x");
    }
    EXPECT_EQ(counters_.failed.load(), 15u);
    EXPECT_EQ(kafka->close(50 * millisecond_ns), 10u);
    EXPECT_EQ(counters_.failed.load(), 25u);
    EXPECT_EQ(counters_.sent.load(), 0u);
    const auto notes = notes_.take();
    EXPECT_EQ(std::ranges::count_if(notes,
                                    [](const std::string& n) {
                                        return n.find("messages are lost") != std::string::npos;
                                    }),
              1);
}

TEST_F(KafkaTest, WhatABrokerDoesNotTakeInTimeIsCounted) {
    records_.kafka_options.emplace_back("message.timeout.ms", "300");
    const auto kafka = open();
    ASSERT_EQ(rd_kafka_mock_broker_set_down(cluster_, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    kafka->send("1", "x");
    EXPECT_TRUE(poll_until(*kafka, [&] { return counters_.failed.load() == 1; }));
}

TEST_F(KafkaTest, AnOptionThatLibrdkafkaDoesNotKnowIsAnError) {
    records_.kafka_options.emplace_back("no.such.option", "1");
    const auto kafka = Kafka::open(records_, counters_, notes_);
    ASSERT_FALSE(kafka.has_value());
    EXPECT_NE(kafka.error().text.find("no.such.option"), std::string::npos);
}

}  // namespace
}  // namespace sy::record
