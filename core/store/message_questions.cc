#include "core/store/message_questions.h"

#include <algorithm>

#include "core/engine/receipt_way.h"
#include "core/smpp/decode.h"
#include "core/smpp/encode.h"
#include "core/smpp/tlv.h"
#include "core/smpp/validate.h"

namespace sy::store {
namespace {

using engine::Message;
using engine::StoreAnswer;
using engine::StoreOrder;
using smpp::CommandStatus;
using smpp::MessageState;

// A cancel_sm without an id names all messages from one number to another: behind that many to the
// same one from other numbers it finds none.
constexpr uint32_t looked_through_max = 1000;

}  // namespace

MessageQuestions::MessageQuestions(Database& database, MessageQueue& queue, OwnReceipts& receipts)
    : database_(database),
      queue_(queue),
      receipts_(receipts),
      scratch_(std::make_unique<Message>()),
      scratch_body_(std::make_unique<uint8_t[]>(limits::pdu_bytes_max)),
      pdu_(std::make_unique<uint8_t[]>(limits::pdu_bytes_max + limits::pdu_header_bytes)) {
    scratch_->body = scratch_body_.get();
    scratch_->body_capacity = limits::pdu_bytes_max;
}

void MessageQuestions::answer(Message& message, const Names& names) {
    const auto done = message.store_order == StoreOrder::query_message     ? query(message, names)
                      : message.store_order == StoreOrder::replace_message ? replace(message, names)
                      : message.id != 0                                    ? cancel(message, names)
                                        : cancel_first(message, names);
    message.store_answer = !done   ? StoreAnswer::failed
                           : *done ? StoreAnswer::done
                                   : StoreAnswer::none;
}

// The source address must be the message's own (section 4.8.1): who knows an id alone may not ask.
Result<std::optional<MessageQuestions::Named>> MessageQuestions::look_up(
    uint64_t id, CustomerId customer, const smpp::Address& source, const Names& names) {
    const auto value = queue_.find(id);
    if (!value) {
        return std::unexpected(value.error());
    }
    StoredMessage stored;
    if (!*value || !decode_message(**value, names, stored) || stored.customer != customer ||
        !restore(stored, id, *scratch_) || scratch_->sm.source.digits != source.digits) {
        return std::optional<Named>();
    }
    auto waiting = queue_.waiting(stored.destination, stored.sequence);
    if (!waiting) {
        return std::unexpected(waiting.error());
    }
    return std::optional(Named{scratch_.get(), *waiting});
}

Result<bool> MessageQuestions::query(Message& message, const Names& names) {
    const auto named = look_up(message.id, message.customer, message.sm.source, names);
    if (!named) {
        return std::unexpected(named.error());
    }
    if (!*named) {
        return false;
    }
    const auto& waiting = (*named)->waiting;
    const bool scheduled = message.version == smpp::Version::v50 && waiting &&
                           waiting->is_scheduled && waiting->due_ns > message.due_wall_ns;
    message.receipt_state =
        static_cast<uint8_t>(scheduled ? MessageState::scheduled : MessageState::enroute);
    return true;
}

Result<bool> MessageQuestions::cancel(Message& message, const Names& names) {
    const auto named = look_up(message.id, message.customer, message.sm.source, names);
    if (!named) {
        return std::unexpected(named.error());
    }
    const std::string_view destination = message.sm.destination.digits;
    if (!*named || !(*named)->waiting ||
        (!destination.empty() && scratch_->sm.destination.digits != destination)) {
        return false;
    }
    return remove(**named, message, names);
}

// The first of them; whoever asks comes back for the next.
Result<bool> MessageQuestions::cancel_first(Message& message, const Names& names) {
    const uint64_t destination =
        destination_hash(names.name_of(message.customer), message.destination.view());
    bool any = false;
    SY_TRY(queue_.each_waiting(
        destination, 0, looked_through_max, [&](const Waiting& waiting) -> Result<bool> {
            const auto named = look_up(waiting.id, message.customer, message.sm.source, names);
            if (!named) {
                return std::unexpected(named.error());
            }
            const std::string_view service = message.sm.service_type;
            if (!*named || !(*named)->waiting ||
                (!service.empty() && scratch_->sm.service_type != service)) {
                return true;
            }
            const auto removed = remove(**named, message, names);
            any = removed.value_or(false);
            return removed ? Result<bool>(false) : removed;
        }));
    return any;
}

// `message` gets the way of what it cancelled: that one's id and addresses, for its record.
Result<bool> MessageQuestions::remove(const Named& named, Message& message, const Names& names) {
    Message& stored = *named.message;
    const Nanos now = message.due_wall_ns;
    SY_TRY(queue_.release_behind(stored.customer, *named.waiting, now, names));
    queue_.remove_waiting(stored.customer, *named.waiting, names);
    database_.erase(Family::messages, message_key(stored.id));
    if (engine::is_wanted(stored.sm.registered_delivery, true, MessageState::deleted)) {
        engine::make_own_receipt(stored, MessageState::deleted, CommandStatus::esme_rok, now);
        receipts_.put(stored, names);
    }
    engine::fill_way(stored, stored.accepted_wall_ns, message.way);
    return true;
}

Result<bool> MessageQuestions::replace(Message& message, const Names& names) {
    smpp::ReplaceSm by;
    const smpp::DecodeRules rules{.version = message.version};
    if (smpp::decode_replace_sm({message.body, message.body_bytes}, rules, by) !=
        CommandStatus::esme_rok) {
        return false;
    }
    const auto named = look_up(message.id, message.customer, by.source, names);
    if (!named) {
        return std::unexpected(named.error());
    }
    if (!*named || !(*named)->waiting || scratch_->is_data_sm) {
        return false;
    }
    Waiting waiting = *(*named)->waiting;
    Message& stored = *scratch_;
    if (message.expires_wall_ns != 0) {
        stored.expires_wall_ns = message.expires_wall_ns;
    }
    if (!rewrite(by, stored)) {
        return false;
    }
    const bool is_scheduled = message.due_wall_ns != 0;
    const Nanos due =
        std::min(is_scheduled ? message.due_wall_ns : waiting.due_ns, stored.expires_wall_ns);
    if (due != waiting.due_ns) {
        SY_TRY(queue_.release_behind(stored.customer, waiting, message.received_wall_ns, names));
        queue_.remove_waiting(stored.customer, waiting, names);
        waiting.due_ns = due;
        waiting.is_scheduled = is_scheduled || waiting.is_scheduled;
        queue_.add_waiting(stored.customer, waiting, names);
    }
    database_.put(Family::messages, message_key(stored.id), encode_message(stored, names));
    queue_.set_rewritten();
    return true;
}

// The stored PDU with the new text and registered_delivery; text in a TLV replaces the old one's.
bool MessageQuestions::rewrite(const smpp::ReplaceSm& by, Message& stored) {
    smpp::Sm sm = stored.sm;
    sm.registered_delivery = by.registered_delivery;
    sm.sm_default_msg_id = by.sm_default_msg_id;
    sm.short_message = by.short_message;
    std::vector<uint8_t> tlvs(limits::pdu_bytes_max);
    ByteWriter out(tlvs);
    for (const smpp::Tlv& tlv : smpp::TlvRange(stored.sm.tlvs)) {
        if (tlv.tag != smpp::TlvTag::message_payload) {
            out.tlv(static_cast<uint16_t>(tlv.tag), tlv.value);
        }
    }
    Octets payload;
    if (!by.tlvs.empty() && smpp::find_tlv(by.tlvs, smpp::TlvTag::message_payload, payload)) {
        out.tlv(static_cast<uint16_t>(smpp::TlvTag::message_payload), payload);
    }
    // The text of a part begins with the UDH that says so.
    if ((sm.esm_class & smpp::esm_class_udhi) != 0 &&
        !smpp::udh_is_whole(by.short_message.empty() ? payload : by.short_message)) {
        return false;
    }
    sm.tlvs = {tlvs.data(), out.written()};
    const size_t octets =
        out.overflow()
            ? 0
            : smpp::encode_sm({pdu_.get(), limits::pdu_bytes_max + limits::pdu_header_bytes},
                              smpp::CommandId::submit_sm, 1, sm);
    if (octets <= limits::pdu_header_bytes ||
        octets - limits::pdu_header_bytes > stored.body_capacity) {
        return false;
    }
    stored.body_bytes = static_cast<uint32_t>(octets - limits::pdu_header_bytes);
    std::copy_n(pdu_.get() + limits::pdu_header_bytes, stored.body_bytes, stored.body);
    return true;
}

}  // namespace sy::store
