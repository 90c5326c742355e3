#include "io/record/kafka.h"

#include <array>
#include <librdkafka/rdkafka.h>
#include <utility>

#include <fmt/format.h>

namespace sy::record {
namespace {

// Ours, where kafka_options does not say otherwise: librdkafka would hold 1 GiB.
constexpr std::array<std::pair<const char*, const char*>, 3> defaults{{
    {"queue.buffering.max.kbytes", "65536"},
    {"queue.buffering.max.messages", "200000"},
    {"client.id", "switchyard"},
}};

struct FreeConf {
    void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, FreeConf>;

Result<void> set(rd_kafka_conf_t* conf, const std::string& key, const std::string& value) {
    std::array<char, 512> text{};
    if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), text.data(), text.size()) !=
        RD_KAFKA_CONF_OK) {
        return fail(fmt::format("[records.kafka_options] {} = '{}': {}", key, value, text.data()));
    }
    return {};
}

}  // namespace

struct Kafka::Impl {
    Impl(KafkaCounters& counters_of, Notes& notes_of) : counters(counters_of), notes(notes_of) {}

    KafkaCounters& counters;
    Notes& notes;
    rd_kafka_t* producer = nullptr;
    rd_kafka_topic_t* topic = nullptr;
    bool full = false;  // said once, until a message goes in again

    static void on_delivery(rd_kafka_t* /*producer*/,
                            const rd_kafka_message_t* message,
                            void* opaque) {
        auto& counters = static_cast<Impl*>(opaque)->counters;
        (message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? counters.sent : counters.failed)
            .fetch_add(1, std::memory_order_relaxed);
    }
    static void on_error(rd_kafka_t* /*producer*/, int error, const char* reason, void* opaque) {
        static_cast<Impl*>(opaque)->notes.add(
            fmt::format("records: Kafka: {}: {}",
                        rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(error)), reason));
    }
    static void on_log(const rd_kafka_t* producer, int level, const char* what, const char* text) {
        constexpr int warning = 4;  // syslog's
        if (level <= warning) {
            auto* self = static_cast<Impl*>(rd_kafka_opaque(producer));
            self->notes.add(fmt::format("records: Kafka: {}: {}", what, text));
        }
    }
};

Kafka::Kafka(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Kafka::~Kafka() {
    rd_kafka_topic_destroy(impl_->topic);
    rd_kafka_destroy(impl_->producer);
}

Result<std::unique_ptr<Kafka>> Kafka::open(const config::Records& records,
                                           KafkaCounters& counters,
                                           Notes& notes) {
    auto impl = std::make_unique<Impl>(counters, notes);
    Conf conf(rd_kafka_conf_new());
    for (const auto& [key, value] : defaults) {
        SY_TRY(set(conf.get(), key, value));
    }
    SY_TRY(set(conf.get(), "bootstrap.servers", records.kafka));
    for (const auto& [key, value] : records.kafka_options) {
        SY_TRY(set(conf.get(), key, value));
    }
    rd_kafka_conf_set_dr_msg_cb(conf.get(), &Impl::on_delivery);
    rd_kafka_conf_set_error_cb(conf.get(), &Impl::on_error);
    rd_kafka_conf_set_log_cb(conf.get(), &Impl::on_log);
    rd_kafka_conf_set_opaque(conf.get(), impl.get());
    std::array<char, 512> text{};
    impl->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), text.data(), text.size());
    if (impl->producer == nullptr) {
        return fail(fmt::format("[records] kafka: {}", text.data()));
    }
    (void)conf.release();  // the producer's now
    impl->topic = rd_kafka_topic_new(impl->producer, records.kafka_topic.c_str(), nullptr);
    if (impl->topic == nullptr) {
        const std::string why = rd_kafka_err2str(rd_kafka_last_error());
        rd_kafka_destroy(std::exchange(impl->producer, nullptr));
        return fail(fmt::format("[records] kafka_topic '{}': {}", records.kafka_topic, why));
    }
    return std::unique_ptr<Kafka>(new Kafka(std::move(impl)));
}

void Kafka::send(std::string_view key, std::string_view line) {
    // What librdkafka copies it does not change: its interface lacks the const.
    const int failed = rd_kafka_produce(impl_->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                        const_cast<char*>(line.data()), line.size(),
                                        key.empty() ? nullptr : key.data(), key.size(), nullptr);
    if (failed == 0) {
        impl_->full = false;
        return;
    }
    impl_->counters.failed.fetch_add(1, std::memory_order_relaxed);
    if (!std::exchange(impl_->full, true)) {
        impl_->notes.add(fmt::format("records: Kafka: messages are lost: {}",
                                     rd_kafka_err2str(rd_kafka_last_error())));
    }
}

void Kafka::poll() {
    (void)rd_kafka_poll(impl_->producer, 0);
    impl_->counters.queued.store(static_cast<uint64_t>(rd_kafka_outq_len(impl_->producer)),
                                 std::memory_order_relaxed);
}

uint64_t Kafka::close(Nanos patience_ns) {
    (void)rd_kafka_flush(impl_->producer, static_cast<int>(patience_ns / millisecond_ns));
    const auto left = static_cast<uint64_t>(rd_kafka_outq_len(impl_->producer));
    if (left > 0) {
        (void)rd_kafka_purge(impl_->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        (void)rd_kafka_flush(impl_->producer, static_cast<int>(second_ns / millisecond_ns));
    }
    poll();
    return left;
}

}  // namespace sy::record
