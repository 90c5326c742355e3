#include "core/store/writer.h"

#include <span>

#include "core/base/assert.h"

namespace sy::store {
namespace {

using engine::Message;
using engine::StoreAnswer;
using engine::StoreEnd;
using engine::StoreOrder;

// Some 200 KB: far below what a disk writes while it is asked once to be sure.
constexpr size_t batch_max = 2048;

}  // namespace

Writer::Writer(engine::Hub& hub, Database& database, Spills& spills, uint64_t next_sequence)
    : hub_(hub),
      link_(*hub.store()),
      database_(database),
      spills_(spills),
      next_sequence_(next_sequence),
      batch_(batch_max),
      returns_(hub, StoreEnd::writer) {}

bool Writer::run(const Names& names, bool durable) {
    if (!returns_.flush()) {
        return true;  // a worker is behind, and what it has not taken is not to grow
    }
    const uint32_t count = link_.take(StoreEnd::writer, batch_);
    if (count == 0) {
        return false;
    }
    bool must_last = false;
    for (Message* message : std::span(batch_).first(count)) {
        must_last = apply(*message, names) || must_last;
    }
    const auto written = database_.commit(durable && must_last);
    counts_.batches.add();
    counts_.failures.add(written ? 0 : 1);
    if (!written) {
        error_ = written.error().text;
    }
    for (Message* message : std::span(batch_).first(count)) {
        settle(*message, written.has_value());
        returns_.add(message);
    }
    (void)returns_.flush();
    return true;
}

bool Writer::apply(Message& message, const Names& names) {
    message.store_answer = StoreAnswer::done;
    switch (message.store_order) {
        case StoreOrder::keep_way:
            database_.put(Family::ways, way_key(message.key, message.way.id),
                          encode_way(message.way, names));
            counts_.ways.add();
            return true;
        case StoreOrder::forget_way:
            database_.erase(Family::ways, way_key(message.key, message.way.id));
            return false;
        case StoreOrder::keep_receipt:
            keep_receipt(message, names);
            return true;
        case StoreOrder::forget_receipt:
            database_.erase(Family::receipts,
                            receipt_key(names.name_of(message.customer), message.store_sequence));
            return false;
        case StoreOrder::find_way:
        case StoreOrder::next_receipt:
            break;
    }
    SY_COUNT_BUG("an order of the reader's came to the writer");
    message.store_answer = StoreAnswer::failed;
    return false;
}

// Whether it goes on to its customer or stays is decided here, since here all workers' receipts are
// in one order.
void Writer::keep_receipt(Message& message, const Names& names) {
    const CustomerId customer = message.customer;
    const engine::CustomerShared& shared = hub_.customer(customer);
    message.store_sequence = next_sequence_++;
    const bool is_away = shared.rx_workers.load(std::memory_order_relaxed) == 0;
    if (spills_.stays(customer, is_away, message.store_sequence)) {
        message.store_answer = StoreAnswer::spilled;
        counts_.receipts_spilled.add();
    }
    database_.put(Family::receipts, receipt_key(names.name_of(customer), message.store_sequence),
                  encode_receipt(message, names));
    if (message.way_ends) {
        database_.erase(Family::ways, way_key(message.key, message.way.id));
    }
    counts_.receipts.add();
}

void Writer::settle(Message& message, bool written) {
    if (message.store_answer == StoreAnswer::spilled) {
        spills_.written(message.customer, written);
    }
    if (written) {
        return;
    }
    if (message.store_order == StoreOrder::keep_receipt) {
        message.store_sequence = 0;
    }
    message.store_answer = StoreAnswer::failed;
}

}  // namespace sy::store
