#include "core/store/interrupted.h"

#include <memory>

#include "core/engine/record_content.h"
#include "core/store/message_codec.h"

namespace sy::store {
namespace {

using engine::Message;
using engine::Record;

Record record_of(const Message& message, const route::Snapshot& snapshot) {
    Record out;
    out.kind = engine::RecordKind::mt;
    out.end = engine::RecordEnd::postponed;
    out.resent = true;
    out.rerouted = message.rerouted;
    out.id = message.id;
    out.id_form = message.id_form;
    out.customer = message.customer;
    const route::Customer* customer =
        message.customer.valid() ? snapshot.customer(message.customer) : nullptr;
    out.alphabet = customer != nullptr ? customer->alphabet : text::Alphabet::gsm7;
    set_content(message, snapshot.record_fields.text, out);
    return out;
}

}  // namespace

size_t record_interrupted(std::span<const Interrupted> all,
                          size_t first,
                          engine::Hub& hub,
                          const route::Snapshot& snapshot,
                          const Names& names,
                          Nanos wall_ns,
                          Nanos mono_ns) {
    constexpr WorkerId worker{0};
    queue::ByteRing* ring = hub.records(worker);
    Message message;
    const auto body = std::make_unique<uint8_t[]>(limits::pdu_bytes_max);
    message.body = body.get();
    message.body_capacity = limits::pdu_bytes_max;
    for (; first < all.size(); ++first) {
        StoredMessage stored;
        const bool readable = decode_message(all[first].value, names, stored) &&
                              restore(stored, all[first].id, message);
        if (readable && ring != nullptr) {
            Record record = record_of(message, snapshot);
            record.finished_ns = mono_ns;
            record.finished_wall_ns = wall_ns;
            record.accepted_ns = mono_ns - (wall_ns - stored.accepted_wall_ns);
            const auto bytes = static_cast<uint32_t>(encoded_record_bytes(record));
            const std::span<uint8_t> room = ring->reserve(bytes);
            if (room.empty()) {
                break;
            }
            encode_record(record, room);
            ring->commit(bytes);
        }
        hub.counters(worker).mt_postponed.add(readable ? 1 : 0);
    }
    return first;
}

}  // namespace sy::store
