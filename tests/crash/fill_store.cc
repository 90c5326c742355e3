// Fills a store as a router leaves it behind: messages of customer "acme" that wait for their turn,
// and ways back of receipts from supplier "alpha". For restart.py.
//
//   fill_store FOLDER MESSAGES WAYS
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/engine/receipt_key.h"
#include "core/smpp/encode.h"
#include "core/store/codec.h"
#include "core/store/message_codec.h"
#include "core/store/open.h"
#include "io/store/rocks_database.h"

namespace {

using namespace sy;

constexpr uint64_t rows_a_commit = 2000;
constexpr uint64_t first_id = uint64_t{1} << 40;  // no id that a router of today gives

Nanos wall_now() {
    return static_cast<Nanos>(std::chrono::system_clock::now().time_since_epoch() /
                              std::chrono::nanoseconds(1));
}

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "fill_store: %s\n", why.c_str());
    std::exit(1);
}

void check(const Result<void>& done) {
    if (!done) {
        give_up(done.error().text);
    }
}

uint64_t count_of(const char* text) {
    uint64_t out = 0;
    const std::string_view all(text);
    const auto read = std::from_chars(all.data(), all.data() + all.size(), out);
    if (read.ec != std::errc{} || read.ptr != all.data() + all.size()) {
        give_up(std::string(text) + " is no count");
    }
    return out;
}

// What one destination's message looks like in the store: the PDU as its customer sent it.
class Messages {
  public:
    Messages() {
        message_.body = body_.data() + limits::pdu_header_bytes;
        message_.customer = CustomerId{0};
        message_.version = smpp::Version::v34;
    }

    void put(store::Database& database, uint64_t index, Nanos now, const store::Names& names) {
        const std::string to = "4477" + std::to_string(10'000'000'000 + index).substr(1);
        smpp::Sm sm;
        sm.source = {5, 0, "Shop"};
        sm.destination = {1, 1, to};
        sm.registered_delivery = 1;
        const std::string text = "stored " + std::to_string(index) + std::string(80, '.');
        sm.short_message = as_octets(text);
        message_.sm = sm;
        message_.body_bytes = static_cast<uint32_t>(
            smpp::encode_sm(body_, smpp::CommandId::submit_sm, 1, sm) - limits::pdu_header_bytes);
        message_.id = first_id + index;
        message_.store_sequence = 1 + index;
        message_.accepted_wall_ns = now;
        message_.expires_wall_ns = now + Nanos{24} * 3600 * second_ns;
        message_.destination_hash = store::destination_hash("acme", to);
        store::Waiting waiting;
        waiting.due_ns = now;
        waiting.sequence = message_.store_sequence;
        waiting.id = message_.id;
        waiting.destination = message_.destination_hash;
        database.put(store::Family::messages, store::message_key(message_.id),
                     store::encode_message(message_, names));
        database.put(store::Family::queue,
                     store::queue_key("acme", 0, waiting.due_ns, waiting.sequence),
                     store::encode_queue_value(waiting));
        database.put(store::Family::order, store::order_key(waiting.destination, waiting.sequence),
                     store::encode_order_value(waiting));
    }

  private:
    std::array<uint8_t, 1024> body_{};
    engine::Message message_;
};

void put_way(store::Database& database, uint64_t index, Nanos now, const store::Names& names) {
    engine::ReceiptWay way;
    way.customer = CustomerId{0};
    way.id = 2 * first_id + index;
    way.registered_delivery = 1;
    way.source_ton = 5;
    way.destination_ton = way.destination_npi = 1;
    way.source_length = static_cast<uint8_t>(std::string_view("Shop").copy(way.source.data(), 4));
    const std::string to = "4478" + std::to_string(10'000'000'000 + index).substr(1);
    way.destination_length =
        static_cast<uint8_t>(to.copy(way.destination.data(), way.destination.size()));
    way.submitted_wall_ns = now;
    engine::ReceiptKey key;
    (void)engine::receipt_key(engine::key_seed("alpha"), "f" + std::to_string(index),
                              smpp::IdConversion::none, key);
    database.put(store::Family::ways, store::way_key(key, way.id), store::encode_way(way, names));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        give_up("usage: fill_store FOLDER MESSAGES WAYS");
    }
    const uint64_t messages = count_of(argv[2]);
    const uint64_t ways = count_of(argv[3]);
    store::RocksOptions options;
    options.path = argv[1];
    options.wall_ns = wall_now;
    auto database = store::RocksDatabase::open(options);
    if (!database) {
        give_up(database.error().text);
    }
    (*database)->put(store::Family::meta, "version", std::to_string(store::database_version));
    const store::Names names({"acme"}, {}, {});
    const Nanos now = wall_now();
    Messages source;
    for (uint64_t i = 0; i < messages + ways; ++i) {
        if (i < messages) {
            source.put(**database, i, now, names);
        } else {
            put_way(**database, i - messages, now, names);
        }
        if ((i + 1) % rows_a_commit == 0) {
            check((*database)->commit(false));
        }
    }
    check((*database)->commit(true));
    return 0;
}
