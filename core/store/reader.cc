#include "core/store/reader.h"

#include <span>
#include <utility>

#include "core/base/assert.h"
#include "core/engine/receipt_map.h"

namespace sy::store {
namespace {

using engine::Message;
using engine::StoreAnswer;
using engine::StoreEnd;
using engine::StoreOrder;

constexpr size_t batch_max = 64;  // few, so that the first does not wait for the disk of the last

}  // namespace

Reader::Reader(engine::Hub& hub, Database& database, Spills& spills)
    : link_(*hub.store()),
      database_(database),
      spills_(spills),
      batch_(batch_max),
      returns_(hub, StoreEnd::reader) {}

bool Reader::run(const Names& names) {
    if (!returns_.flush()) {
        return true;
    }
    const uint32_t count = link_.take(StoreEnd::reader, batch_);
    for (Message* message : std::span(batch_).first(count)) {
        if (message->store_order == StoreOrder::find_way) {
            find_way(*message, names);
        } else {
            next_receipt(*message, names);
        }
        returns_.add(message);
    }
    (void)returns_.flush();
    return count > 0;
}

// An id may have been used more than once: the message that went to where the receipt comes from,
// else the newest, as engine::ReceiptMap has it.
void Reader::find_way(Message& message, const Names& names) {
    message.store_answer = StoreAnswer::none;
    const std::string prefix = way_prefix(message.key);
    std::string from = prefix;
    Database::Entry entry;
    while (true) {
        const auto found = database_.seek(Family::ways, from, prefix, entry);
        if (!found) {
            fail_with(message, found.error().text);
            return;
        }
        if (!*found) {
            break;
        }
        engine::ReceiptWay way;
        const bool readable = decode_way(entry.value, names, way);
        counts_.unreadable.add(readable ? 0 : 1);
        if (readable && message.by_destination && message.store_answer == StoreAnswer::done) {
            // Of two messages nobody can say whose it is.
            message.store_answer = StoreAnswer::none;
            break;
        }
        if (readable && way.customer.valid()) {
            const bool same = engine::is_same_destination(way, message.sm.source.digits);
            if (same || message.store_answer == StoreAnswer::none ||
                way.submitted_wall_ns > message.way.submitted_wall_ns) {
                message.way = way;
                message.store_answer = StoreAnswer::done;
            }
            if (same && !message.by_destination) {
                break;
            }
        }
        from = std::move(entry.key);
        from.push_back('\0');  // the next key there can be
    }
    (message.store_answer == StoreAnswer::done ? counts_.ways_found : counts_.ways_missed).add();
}

void Reader::next_receipt(Message& message, const Names& names) {
    message.store_answer = StoreAnswer::none;
    const CustomerId customer = message.customer;
    const std::string name(names.name_of(customer));
    const std::string prefix = receipt_prefix(name);
    uint64_t sequence = 0;
    Database::Entry entry;
    while (spills_.next(customer, sequence)) {
        const auto found =
            database_.seek(Family::receipts, receipt_key(name, sequence), prefix, entry);
        if (!found) {
            fail_with(message, found.error().text);
            return;
        }
        std::string_view owner;
        if (!*found || !parse_receipt_key(entry.key, owner, sequence)) {
            spills_.ended(customer);
            return;
        }
        spills_.taken(customer, sequence);
        if (decode_receipt(entry.value, names, message)) {
            message.way.customer = customer;
            message.store_sequence = sequence;
            message.store_answer = StoreAnswer::done;
            counts_.receipts.add();
            return;
        }
        counts_.unreadable.add();
    }
}

void Reader::fail_with(Message& message, std::string text) {
    message.store_answer = StoreAnswer::failed;
    counts_.failures.add();
    error_ = std::move(text);
}

}  // namespace sy::store
