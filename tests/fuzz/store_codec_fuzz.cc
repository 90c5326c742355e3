// What stands in the store: any octets, as a key and as each kind of value. What is accepted must
// be written again as it was read.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "core/base/bytes.h"
#include "core/store/codec.h"
#include "core/store/message_codec.h"

namespace {

void check(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void check_message(std::string_view input, const sy::store::Names& names) {
    using namespace sy;
    using namespace sy::store;
    StoredMessage stored;
    if (!decode_message(input, names, stored) || !stored.customer.valid()) {
        return;
    }
    static std::array<uint8_t, limits::pdu_bytes_max> body;
    engine::Message message;
    message.body = body.data();
    message.body_capacity = body.size();
    if (!restore(stored, 7, message)) {
        return;
    }
    StoredMessage again;
    const std::string written = encode_message(message, names);
    check(decode_message(written, names, again));
    check(again.customer == stored.customer && again.sequence == stored.sequence &&
          again.destination == stored.destination &&
          again.expires_wall_ns == stored.expires_wall_ns &&
          as_chars(again.body) == as_chars(stored.body) && again.is_watched == stored.is_watched &&
          again.watch == stored.watch);
}

// The first octet says how long the key is.
void check_entry(std::string_view input) {
    using namespace sy::store;
    if (input.empty()) {
        return;
    }
    const size_t octets = std::min<size_t>(static_cast<uint8_t>(input[0]), input.size() - 1);
    const std::string_view key = input.substr(1, octets);
    const std::string_view value = input.substr(1 + octets);
    sy::Nanos due = 0;
    uint64_t id = 0;
    if (decode_watch(key, value, due, id)) {
        check(value == message_key(id) && key.starts_with(watch_key(due, 0).substr(0, 8)));
    }
    Waiting waiting;
    std::string_view customer;
    if (decode_queue(key, value, customer, waiting)) {
        check(queue_key(customer, waiting.priority, waiting.due_ns, waiting.sequence) == key);
        Waiting again;
        check(decode_queue(key, encode_queue_value(waiting), customer, again) &&
              again.id == waiting.id && again.maybe_sent == waiting.maybe_sent);
    }
    if (decode_order(key, value, waiting)) {
        check(order_key(waiting.destination, waiting.sequence) == key);
        Waiting again;
        check(decode_order(key, encode_order_value(waiting), again) &&
              again.due_ns == waiting.due_ns && again.tries == waiting.tries);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace sy;
    using namespace sy::store;
    static const Names names({"acme", "bravo"}, {"26201"}, {"alpha"});
    const std::string_view input = as_chars({data, size});
    (void)wall_ns_of(input);
    engine::ReceiptWay way;
    if (decode_way(input, names, way) && way.customer.valid()) {
        engine::ReceiptWay again;
        check(decode_way(encode_way(way, names), names, again));
        check(again.id == way.id && again.customer == way.customer && again.source == way.source &&
              again.destination == way.destination);
    }
    engine::Message message;
    if (decode_receipt(input, names, message) && message.way.customer.valid()) {
        engine::Message again;
        check(decode_receipt(encode_receipt(message, message.supplier, names), names, again));
        check(again.receipt_state == message.receipt_state &&
              again.network_error_code == message.network_error_code &&
              again.received_wall_ns == message.received_wall_ns &&
              again.supplier == message.supplier);
    }
    check_message(input, names);
    check_entry(input);
    std::string_view customer;
    uint64_t sequence = 0;
    if (parse_receipt_key(input, customer, sequence)) {
        check(receipt_key(customer, sequence) == input);
    }
    return 0;
}
