// What stands in the store: any octets, as a key and as both kinds of value. What is accepted must
// be written again as it was read.
#include <cstdint>
#include <cstdlib>

#include "core/base/bytes.h"
#include "core/store/codec.h"

namespace {

void check(bool holds) {
    if (!holds) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace sy;
    using namespace sy::store;
    static const Names names({"acme", "bravo"}, {"26201"});
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
        check(decode_receipt(encode_receipt(message, names), names, again));
        check(again.receipt_state == message.receipt_state &&
              again.network_error_code == message.network_error_code &&
              again.received_wall_ns == message.received_wall_ns);
    }
    std::string_view customer;
    uint64_t sequence = 0;
    if (parse_receipt_key(input, customer, sequence)) {
        check(receipt_key(customer, sequence) == input);
    }
    return 0;
}
