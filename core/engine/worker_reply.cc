// What follows when a customer has accepted an MO message: copies for others, and the answer to the
// phone. Neither changes what the supplier was told. See worker.h.
#include <array>
#include <cstring>

#include "core/base/assert.h"
#include "core/engine/record.h"
#include "core/engine/worker.h"
#include "core/number/normalise.h"
#include "core/route/reply.h"
#include "core/text/coding.h"
#include "core/text/udh.h"
#include "core/text/utf8.h"

namespace sy::engine {
namespace {

// One message: 160 septets (an octet each here) or 140 octets of anything else, which are 70
// characters of UCS-2 (3GPP TS 23.040).
constexpr size_t gsm_octets_max = 160;
constexpr size_t other_octets_max = 140;
constexpr uint8_t data_coding_ucs2 = 8;
static_assert(route::reply_octets_max <= MessagePool::small_body_bytes);
static_assert(2 * limits::address_octets_max + gsm_octets_max <= MessagePool::small_body_bytes);

struct ReplyText {
    std::array<uint8_t, gsm_octets_max> octets;
    size_t size = 0;
    uint8_t data_coding = 0;
    bool cut = false;
};

// As the customer's own messages are written, or in UCS-2 where that lacks a character.
void encode(std::string_view utf8, text::Alphabet alphabet, ReplyText& out) {
    const std::span<uint8_t> others = std::span(out.octets).first(other_octets_max);
    const text::CharacterSet set = text::coding_of(0, alphabet).character_set;
    text::Encoded encoded = set == text::CharacterSet::gsm7
                                ? text::from_utf8(utf8, set, {}, out.octets)
                                : text::from_utf8(utf8, set, {}, others);
    if (encoded.replaced > 0) {
        out.data_coding = data_coding_ucs2;
        encoded = text::from_utf8(utf8, text::CharacterSet::ucs2, {}, others);
    }
    out.size = encoded.octets;
    out.cut = encoded.truncated;
}

// 1/1 is international and E.164, 0/0 leaves a short code's kind open (SMPP 3.4 sections 5.2.5 and
// 5.2.6).
smpp::Address address_of(const number::Number& digits, number::Outcome kind, uint8_t* to) {
    std::memcpy(to, digits.digits.data(), digits.length);
    const auto type = static_cast<uint8_t>(kind == number::Outcome::e164 ? 1 : 0);
    return {type, type, {reinterpret_cast<const char*>(to), digits.length}};
}

uint64_t pair_of(const Message& mo) {
    uint64_t hash = 1;
    for (const number::Number* number : {&mo.destination, &mo.source}) {
        for (const char digit : number->view()) {
            hash = mix64(hash ^ static_cast<uint8_t>(digit));
        }
        hash = mix64(hash);
    }
    return hash;
}

}  // namespace

// Copies and answers must not starve the messages that bring them.
bool Worker::has_spare_messages() const {
    return pool_.free_count() > pool_.count() / 4;
}

void Worker::send_copies(const Message& mo) {
    for (uint32_t i = 0; i < mo.copy_count; ++i) {
        const CustomerId customer{mo.targets[mo.target_count + i]};
        if (customer == mo.customer) {
            continue;  // it has the message itself
        }
        counters_.mo_copies.add();
        Message* copy = has_spare_messages() ? pool_.take(mo.body_bytes) : nullptr;
        if (copy == nullptr) {
            counters_.mo_copies_lost.add();
            continue;
        }
        std::memcpy(copy->body, mo.body, mo.body_bytes);
        copy->sm = mo.sm;
        copy->sm.rebase(mo.body, copy->body);
        copy->kind = MessageKind::copy;
        copy->is_data_sm = mo.is_data_sm;
        copy->id = mo.id;
        copy->rule_line = mo.rule_line;
        copy->supplier = mo.supplier;
        copy->customer = customer;
        copy->accepted_ns = now_.mono_ns;
        copy->deadline_ns = now_.mono_ns + snapshot_->timers.response_ns;
        deliver(copy);
    }
}

// At home: a customer has answered, or could not be reached. Nobody waits for it.
void Worker::settle_copy(Message* copy) {
    const bool accepted =
        copy->outcome == Outcome::answered && copy->status == smpp::CommandStatus::esme_rok;
    (accepted ? counters_.mo_copies_delivered : counters_.mo_copies_lost).add();
    if (records_ != nullptr) {
        record_mo(*copy, RecordKind::copy, copy->status);
    }
    pool_.give_back(copy);
}

// The text of the answer, in a message of its own that waits until a customer has accepted the MO:
// the rule may be gone by then. Null where there is nobody to answer, or no buffer.
Message* Worker::make_reply(const Message& mo,
                            text::Alphabet alphabet,
                            const route::ReplyTemplate& reply) {
    // A short code, a name or an inbound number of ours as the sender is a machine: answering it is
    // how loops begin. Acknowledgements (SMPP 3.4 section 5.2.12) are not answered either.
    const bool answerable =
        mo.source_kind == number::Outcome::e164 && number::usable(mo.destination_kind) &&
        !snapshot_->mo.owns(mo.source.view()) &&
        (mo.sm.esm_class & smpp::esm_class_type_mask) == 0 && !draining_ && has_spare_messages();
    Message* message =
        answerable ? pool_.take(static_cast<uint32_t>(route::reply_octets_max)) : nullptr;
    if (message == nullptr) {
        counters_.mo_replies_held.add();
        return nullptr;
    }
    std::array<char, limits::scan_text_bytes_max> buffer;
    const text::MessageText body = text::message_text(mo.sm);
    const text::Coding coding = text::coding_of(mo.sm.data_coding, alphabet);
    const route::ReplyValues values{
        .text = {buffer.data(), text::to_utf8(body.text, coding, body.udh, buffer)},
        .sender = mo.source.view(),
        .number = mo.destination.view()};
    const route::Rendered rendered = route::render(
        reply, values, {reinterpret_cast<char*>(message->body), route::reply_octets_max});
    // What was cut here is longer than a message in any alphabet: encode() notices.
    message->body_bytes = static_cast<uint32_t>(rendered.octets);
    if (rendered.octets == 0) {  // nothing but arguments, and the message has none
        counters_.mo_replies_held.add();
        pool_.give_back(message);
        return nullptr;
    }
    return message;
}

// As if the customer that accepted the MO had submitted it, from the number that was written to.
void Worker::send_reply(const Message& mo, Message* reply) {
    const route::Customer* customer = snapshot_->customer(mo.customer);
    if (customer == nullptr || draining_ || !reply_guard_.allow(pair_of(mo), now_.mono_ns)) {
        counters_.mo_replies_held.add();
        pool_.give_back(reply);
        return;
    }
    ReplyText text;
    encode({reinterpret_cast<const char*>(reply->body), reply->body_bytes}, customer->alphabet,
           text);
    if (text.cut) {
        counters_.mo_replies_cut.add();
    }
    uint8_t* at = reply->body;
    reply->sm = {};
    reply->sm.source = address_of(mo.destination, mo.destination_kind, at);
    at += mo.destination.length;
    reply->sm.destination = address_of(mo.source, mo.source_kind, at);
    at += mo.source.length;
    std::memcpy(at, text.octets.data(), text.size);
    reply->sm.short_message = Octets(at, text.size);
    reply->sm.data_coding = text.data_coding;
    reply->kind = MessageKind::mt;
    reply->is_reply = true;
    reply->customer = mo.customer;
    reply->destination = mo.source;
    reply->destination_kind = mo.source_kind;
    reply->source = mo.destination;
    reply->source_kind = mo.destination_kind;
    reply->sender_replaced = false;
    reply->accepted_ns = now_.mono_ns;
    reply->deadline_ns = now_.mono_ns + customer->timers.response_ns;
    counters_.mo_replies.add();
    counters_.mt_in.add();
    hub_.counters(id_, mo.customer).submitted.add();
    reply->id = message_id_next_++ << 6 | id_.value;
    route_soon(reply);
}

}  // namespace sy::engine
