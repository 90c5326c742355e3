#include "tests/sim/supplier.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace sy::sim {
namespace {

using smpp::CommandId;
using smpp::CommandStatus;

constexpr uint8_t state_enroute = 1;
constexpr uint8_t state_delivered = 2;
constexpr uint8_t state_undeliverable = 5;
constexpr uint16_t tag_receipted_message_id = 0x001E;
constexpr uint16_t tag_message_state = 0x0427;
constexpr uint32_t tries_max = 20;
constexpr uint8_t receipt_mask = 0x13;

std::string_view name_of(uint8_t state) {
    return state == state_enroute ? "ENROUTE" : state == state_delivered ? "DELIVRD" : "UNDELIV";
}

}  // namespace

Supplier::Supplier(Network& network, Ledger& ledger, uint64_t seed, const SupplierNature& nature)
    : Peer(network, ledger, seed, nature.listen), nature_(nature) {
    // Ten or more digits: a receipt's text may pad them to ten.
    next_id_ = 1'000'000'000 + prng_.below(8'000'000'000);
    slow_reader = nature.slow_reader;
}

void Supplier::start(const std::vector<std::string>& numbers) {
    numbers_ = numbers;
    const auto listening = transport_->listen(nature_.listen);
    SY_ASSERT(listening.has_value());
    later(between(0, nature_.mo_pace_ns), [this] { send_mo(); });
}

void Supplier::behave() {
    slow_reader = 0;
    nature_.late = nature_.silent = nature_.hang_up = nature_.bind_refused = 0;
}

void Supplier::restart() {
    transport_->close_listeners();
    for (auto& [serial, link] : links_) {
        hang_up(link, prng_.chance(1, 2));
    }
    later(between(100 * millisecond_ns, 3 * second_ns), [this] {
        const auto listening = transport_->listen(nature_.listen);
        SY_ASSERT(listening.has_value());
    });
}

bool Supplier::any_bound() const {
    return std::ranges::any_of(
        links_, [](const auto& entry) { return entry.second.bound && entry.second.can_transmit; });
}

void Supplier::link_up(PeerLink&) {}

void Supplier::link_down(PeerLink& link, CloseReason) {
    // What the router had not acknowledged is delivered again: receipts must not be lost.
    for (const auto& [sequence, delivery] : link.outstanding) {
        retry(delivery, between(0, second_ns));
    }
}

// ---------------------------------------------------------------- PDUs

void Supplier::pdu(PeerLink& link, const smpp::Frame& frame) {
    switch (frame.header.command_id) {
        case CommandId::bind_receiver:
        case CommandId::bind_transmitter:
        case CommandId::bind_transceiver:
            on_bind(link, frame);
            return;
        case CommandId::submit_sm:
            on_submit(link, frame);
            return;
        case CommandId::deliver_sm_resp:
            on_deliver_resp(link, frame);
            return;
        default:
            if (!common_pdu(link, frame)) {
                ledger_.violation("supplier {}: unexpected PDU {:#x} status {:#x}", nature_.index,
                                  static_cast<uint32_t>(frame.header.command_id),
                                  frame.header.command_status);
            }
            return;
    }
}

void Supplier::on_bind(PeerLink& link, const smpp::Frame& frame) {
    smpp::Bind bind;
    if (smpp::decode_bind(frame.body, {}, bind) != CommandStatus::esme_rok ||
        bind.system_id != nature_.system_id || bind.password != nature_.password) {
        ledger_.violation("supplier {}: malformed bind or foreign credentials", nature_.index);
    }
    const CommandId id = frame.header.command_id;
    if (prng_.chance(nature_.bind_refused, 1000)) {
        send_empty(link, smpp::response_to(id), frame.header.sequence_number,
                   CommandStatus::esme_rsyserr);
        return;
    }
    link.bound = true;
    link.can_transmit = id != CommandId::bind_receiver;
    link.can_receive = id != CommandId::bind_transmitter;
    send(link, buffer().first(smpp::encode_bind_resp(buffer(), smpp::response_to(id),
                                                     frame.header.sequence_number,
                                                     {.system_id = "smsc", .tlvs = {}})));
}

void Supplier::on_submit(PeerLink& link, const smpp::Frame& frame) {
    const uint32_t sequence = frame.header.sequence_number;
    ++submits_;
    smpp::Sm sm;
    uint32_t token = 0;
    const CommandStatus decoded = smpp::decode_sm(frame.body, {}, sm);
    const std::string_view text = as_chars(sm.short_message);
    if (decoded != CommandStatus::esme_rok || text.empty() || text.front() != 'T' ||
        std::from_chars(text.data() + 1, text.data() + text.size(), token).ec != std::errc{} ||
        ledger_.submit(token) == nullptr) {
        ledger_.violation("supplier {}: submit_sm that no customer sent", nature_.index);
        return;
    }
    check_submit(link, sequence, token, sm);
    const size_t attempt =
        ledger_.attempted(token, nature_.index, {.link = link.serial, .end = link.pdu_end});
    respond(link, sequence, token, attempt);
    if (prng_.chance(nature_.hang_up, 1000)) {
        hang_up(link, prng_.chance(1, 2));
    }
}

void Supplier::check_submit(PeerLink& link,
                            uint32_t sequence_number,
                            uint32_t token,
                            const smpp::Sm& sm) {
    const Submit& submit = *ledger_.submit(token);
    if (!link.bound || !link.can_transmit) {
        ledger_.violation("supplier {}: submit_sm on a link that is not bound for it",
                          nature_.index);
    }
    if (as_chars(sm.short_message) != submit.text) {
        ledger_.violation("message {}: its text changed on the way", token);
    }
    if (sm.destination.digits != nature_.number_prefix + submit.number) {
        ledger_.violation("message {}: destination is {} at supplier {}", token,
                          sm.destination.digits, nature_.index);
    }
    const StreamLog::Between written = ledger_.written({.link = link.serial, .end = link.pdu_end});
    if (!link.requests_in.emplace(sequence_number, written.from_ns).second) {
        ledger_.violation("supplier {}: sequence number {} is outstanding already", nature_.index,
                          sequence_number);
    }
    // Those that are not answered in time leave the router's window by its timeout.
    const auto awaited = std::ranges::count_if(link.requests_in, [&](const auto& request) {
        return ledger_.awaited(request.second, written.to_ns);
    });
    if (static_cast<size_t>(awaited) > nature_.window) {
        ledger_.violation("supplier {}: {} requests outstanding, window is {}", nature_.index,
                          awaited, nature_.window);
    }
}

void Supplier::respond(PeerLink& link, uint32_t sequence_number, uint32_t token, size_t attempt) {
    const Submit& submit = *ledger_.submit(token);
    CommandStatus status = CommandStatus::esme_rok;
    if (prng_.chance(nature_.refused, 1000)) {
        constexpr CommandStatus final_ones[] = {CommandStatus::esme_rinvdstadr,
                                                CommandStatus::esme_rinvsrcadr};
        status = final_ones[prng_.below(std::size(final_ones))];
    } else if (prng_.chance(nature_.busy, 1000)) {
        constexpr CommandStatus busy_ones[] = {CommandStatus::esme_rthrottled,
                                               CommandStatus::esme_rmsgqful,
                                               CommandStatus::esme_rsyserr};
        status = busy_ones[prng_.below(std::size(busy_ones))];
    }
    const Nanos after_ns = prng_.chance(nature_.late, 1000) ? between(3 * second_ns, 9 * second_ns)
                                                            : between(0, nature_.delay_max_ns);
    const bool silent = prng_.chance(nature_.silent, 1000);
    const uint64_t id = next_id_++;
    if (status == CommandStatus::esme_rok && (submit.registered_delivery & receipt_mask) != 0) {
        const bool early = prng_.chance(nature_.early_receipt, 1000);
        plan_receipts(token, attempt, id_in_receipt(id),
                      early ? prng_.below(after_ns + 1) : between(after_ns, after_ns + second_ns));
    }
    if (silent) {
        return;
    }
    later(link, after_ns, [this, sequence_number, token, attempt, status, id](PeerLink& alive) {
        alive.requests_in.erase(sequence_number);
        if (status != CommandStatus::esme_rok) {
            send_empty(alive, CommandId::submit_sm_resp, sequence_number, status);
        } else {
            const std::string text = id_in_response(id);
            send(alive, buffer().first(smpp::encode_sm_resp(buffer(), CommandId::submit_sm_resp,
                                                            sequence_number,
                                                            {.message_id = text, .tlvs = {}})));
        }
        ledger_.attempt_answered(token, attempt, static_cast<uint32_t>(status), alive.octets_out);
    });
}

// ---------------------------------------------------------------- ids

std::string Supplier::id_in_response(uint64_t id) {
    if (nature_.id_mode == route::MessageIdMode::hex_decimal) {
        std::string text = fmt::format("{:x}", id);
        if (prng_.chance(1, 2)) {
            std::ranges::transform(text, text.begin(), [](char c) {
                return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
            });
        }
        return prng_.chance(1, 2) ? "00" + text : text;
    }
    return fmt::format("{}", id);
}

std::string Supplier::id_in_receipt(uint64_t id) {
    if (nature_.id_mode == route::MessageIdMode::decimal_hex) {
        return prng_.chance(1, 2) ? fmt::format("{:X}", id) : fmt::format("{:x}", id);
    }
    return prng_.chance(1, 2) ? fmt::format("{}", id) : fmt::format("{:012}", id);
}

// ---------------------------------------------------------------- receipts and MO

void Supplier::plan_receipts(uint32_t token,
                             size_t attempt,
                             const std::string& id,
                             Nanos after_ns) {
    const auto plan = [&](uint8_t state, bool final, Nanos at_ns) {
        const uint32_t number = next_delivery_++;
        deliveries_[number] = {.is_receipt = true,
                               .token = token,
                               .index = ledger_.receipt_sent(token, attempt, state, final),
                               .state = state,
                               .final = final,
                               .id = id};
        later(at_ns, [this, number] { deliver(number); });
    };
    if (prng_.chance(1, 4)) {
        plan(state_enroute, false, after_ns);
        after_ns += between(0, second_ns);
    }
    plan(prng_.chance(4, 5) ? state_delivered : state_undeliverable, true, after_ns);
}

void Supplier::send_mo() {
    if (traffic_ && receiving_link() != nullptr) {
        const auto customer = static_cast<uint16_t>(prng_.below(numbers_.size()));
        const uint32_t number = next_delivery_++;
        deliveries_[number] = {.is_receipt = false, .token = 0, .id = numbers_[customer]};
        Mo mo;
        mo.supplier = nature_.index;
        mo.customer = customer;
        mo.sent_ns = now_ns();
        deliveries_[number].token = ledger_.mo_sent(std::move(mo));
        deliver(number);
    }
    later(between(0, 2 * nature_.mo_pace_ns), [this] { send_mo(); });
}

/// Any of its links that takes deliver_sm: not the one that the submit came by.
PeerLink* Supplier::receiving_link() {
    std::vector<PeerLink*> able;
    for (auto& [serial, link] : links_) {
        if (link.up && link.bound && link.can_receive && !link.leaving &&
            link.outstanding.size() < nature_.window) {
            able.push_back(&link);
        }
    }
    return able.empty() ? nullptr : able[prng_.below(able.size())];
}

void Supplier::deliver(uint32_t number) {
    const auto found = deliveries_.find(number);
    if (found == deliveries_.end()) {
        return;
    }
    PeerLink* link = receiving_link();
    if (link == nullptr) {
        later(between(50 * millisecond_ns, 500 * millisecond_ns),
              [this, number] { deliver(number); });
        return;
    }
    Delivery& delivery = found->second;
    ++delivery.tries;
    const uint32_t sequence = link->next_sequence++;
    link->outstanding[sequence] = number;
    if (delivery.is_receipt) {
        ledger_.receipt_tried(delivery.token, delivery.index);
        write_receipt(*link, sequence, delivery);
    } else {
        write_mo(*link, sequence, delivery);
    }
}

void Supplier::write_receipt(PeerLink& link, uint32_t sequence_number, const Delivery& delivery) {
    const Submit& submit = *ledger_.submit(delivery.token);
    const uint64_t form = prng_.below(3);  // text, TLVs, both
    std::string text;
    if (form != 1) {
        text = fmt::format(
            "id:{} sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:{} err:000 "
            "text:T",
            delivery.id, name_of(delivery.state));
    }
    std::array<uint8_t, 128> tlvs{};
    ByteWriter writer(tlvs);
    if (form != 0) {
        std::string id = delivery.id;
        id.push_back('\0');
        writer.tlv(tag_receipted_message_id, as_octets(id));
        writer.tlv(tag_message_state, {&delivery.state, 1});
    }
    const std::string from = nature_.number_prefix + submit.number;
    smpp::Sm sm;
    sm.source = {1, 1, from};
    sm.destination = {submit.source_ton, submit.source_npi, submit.source_digits};
    sm.esm_class = delivery.final ? smpp::esm_class_delivery_receipt : smpp::esm_class_intermediate;
    sm.short_message = as_octets(text);
    sm.tlvs = {tlvs.data(), writer.written()};
    send(link,
         buffer().first(smpp::encode_sm(buffer(), CommandId::deliver_sm, sequence_number, sm)));
}

void Supplier::write_mo(PeerLink& link, uint32_t sequence_number, const Delivery& delivery) {
    ledger_.mo(delivery.token)->link = link.serial;
    const std::string text = fmt::format("M{} hello", delivery.token);
    smpp::Sm sm;
    sm.source = {1, 1, "447700955555"};
    sm.destination = {1, 1, delivery.id};
    sm.short_message = as_octets(text);
    send(link,
         buffer().first(smpp::encode_sm(buffer(), CommandId::deliver_sm, sequence_number, sm)));
}

void Supplier::retry(uint32_t number, Nanos after_ns) {
    const auto found = deliveries_.find(number);
    if (found == deliveries_.end()) {
        return;
    }
    if (!found->second.is_receipt || found->second.tries >= tries_max) {
        deliveries_.erase(found);
        return;
    }
    later(after_ns, [this, number] { deliver(number); });
}

void Supplier::on_deliver_resp(PeerLink& link, const smpp::Frame& frame) {
    const auto asked = link.outstanding.find(frame.header.sequence_number);
    if (asked == link.outstanding.end()) {
        ledger_.violation("supplier {}: response to sequence {} that is not outstanding",
                          nature_.index, frame.header.sequence_number);
        return;
    }
    const uint32_t number = asked->second;
    link.outstanding.erase(asked);
    const auto found = deliveries_.find(number);
    if (found == deliveries_.end()) {
        return;
    }
    const Delivery delivery = found->second;
    const uint32_t status = frame.header.command_status;
    if (!delivery.is_receipt) {
        ledger_.mo_answered(delivery.token, status);
        deliveries_.erase(found);
    } else if (status == 0) {
        ledger_.receipt_acknowledged(delivery.token, delivery.index);
        deliveries_.erase(found);
    } else {
        retry(number, second_ns);
    }
}

}  // namespace sy::sim
