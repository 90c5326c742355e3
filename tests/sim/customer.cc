#include "tests/sim/customer.h"

#include <algorithm>
#include <charconv>

#include "core/smpp/tlv.h"

namespace sy::sim {
namespace {

using smpp::CommandId;
using smpp::CommandStatus;

constexpr uint16_t tag_receipted_message_id = 0x001E;
constexpr uint16_t tag_message_state = 0x0427;
constexpr uint16_t tag_message_payload = 0x0424;

bool find_value(Octets tlvs, uint16_t tag, Octets& value) {
    while (tlvs.size() >= 4) {
        const size_t length = load_be<uint16_t>(tlvs.data() + 2);
        if (load_be<uint16_t>(tlvs.data()) == tag) {
            value = tlvs.subspan(4, length);
            return true;
        }
        tlvs = tlvs.subspan(4 + length);
    }
    return false;
}

// The word behind "key:" of an Appendix B receipt.
std::string_view word(std::string_view text, std::string_view key) {
    const size_t at = text.find(key);
    if (at == std::string_view::npos) {
        return {};
    }
    text.remove_prefix(at + key.size());
    return text.substr(0, text.find(' '));
}

uint8_t state_of(std::string_view stat) {
    constexpr std::string_view names[] = {"SCHEDLD", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED",
                                          "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD", "SKIPPED"};
    const auto found = std::ranges::find(names, stat);
    return static_cast<uint8_t>(found - std::begin(names));
}

std::optional<uint32_t> number_behind(std::string_view text, char mark) {
    uint32_t value = 0;
    if (text.empty() || text.front() != mark ||
        std::from_chars(text.data() + 1, text.data() + text.size(), value).ec != std::errc{}) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

Customer::Customer(Network& network,
                   Ledger& ledger,
                   uint64_t seed,
                   const CustomerNature& nature,
                   const Endpoint& router,
                   const std::vector<std::string>& prefixes)
    : Peer(network,
           ledger,
           seed,
           *parse_endpoint("10.0.2." + std::to_string(nature.index + 1) + ":0")),
      nature_(nature),
      router_(router),
      prefixes_(prefixes) {
    slow_reader = nature.slow_reader;
}

void Customer::start() {
    for (size_t i = 0; i < nature_.binds.size(); ++i) {
        later(between(0, 300 * millisecond_ns), [this, i] { bind(i); });
    }
}

void Customer::behave() {
    slow_reader = 0;
    nature_.deliver_late = nature_.deliver_silent = 0;
    nature_.deliver_temporary = nature_.deliver_refused = 0;
    nature_.hang_up = 0;
}

bool Customer::all_bound() const {
    return static_cast<size_t>(std::ranges::count_if(links_, [](const auto& entry) {
               return entry.second.bound;
           })) == nature_.binds.size();
}

size_t Customer::outstanding() const {
    size_t sum = 0;
    for (const auto& [serial, link] : links_) {
        sum += link.outstanding.size();
    }
    return sum;
}

// ---------------------------------------------------------------- binding

void Customer::bind(size_t index) {
    PeerLink* link = connect(router_);
    if (link == nullptr) {
        later(second_ns, [this, index] { bind(index); });
        return;
    }
    link->account_index = index;
}

void Customer::link_up(PeerLink& link) {
    smpp::Bind bind;
    bind.system_id = nature_.system_id;
    bind.password = nature_.password;
    bind.interface_version = nature_.interface_version;
    const CommandId id = nature_.binds[link.account_index];
    send(link, buffer().first(smpp::encode_bind(buffer(), id, link.next_sequence++, bind)));
}

void Customer::link_down(PeerLink& link, CloseReason) {
    const size_t index = link.account_index;
    later(between(20 * millisecond_ns, 800 * millisecond_ns), [this, index] { bind(index); });
}

void Customer::on_bind_resp(PeerLink& link, const smpp::Frame& frame) {
    if (frame.header.command_status != 0) {
        // The router still counts a session of ours that it does not know to be dead.
        if (frame.header.command_status != static_cast<uint32_t>(CommandStatus::esme_rbindfail)) {
            ledger_.violation("customer {}: bind refused with {:#x}", nature_.index,
                              frame.header.command_status);
        }
        hang_up(link, false);
        return;
    }
    const CommandId bind = nature_.binds[link.account_index];
    link.bound = true;
    link.can_transmit = bind != CommandId::bind_receiver;
    link.can_receive = bind != CommandId::bind_transmitter;
    if (link.can_transmit) {
        burst(link);
    }
}

// ---------------------------------------------------------------- submitting

void Customer::burst(PeerLink& link) {
    if (traffic_ && !link.leaving && link.bound) {
        for (uint64_t count = 1 + prng_.below(6);
             count > 0 && link.outstanding.size() < nature_.window; --count) {
            submit(link);
        }
        if (prng_.chance(nature_.hang_up, 1000)) {
            leave(link);
            return;
        }
    }
    later(link, between(0, 2 * nature_.pace_ns), [this](PeerLink& again) { burst(again); });
}

void Customer::submit(PeerLink& link) {
    Submit submit;
    const uint32_t token = ledger_.next_token();
    submit.customer = nature_.index;
    submit.prefix = static_cast<uint16_t>(prng_.below(prefixes_.size()));
    submit.link = link.serial;
    submit.sent_ns = now_ns();
    submit.number = fmt::format("{}{:07}", prefixes_[submit.prefix], token);
    submit.destination_digits = submit.number;
    submit.destination_ton = submit.destination_npi = 1;
    if (prng_.chance(1, 4)) {
        submit.destination_ton = submit.destination_npi = 0;
        submit.destination_digits = (prng_.chance(1, 2) ? "00" : "+") + submit.number;
    }
    submit.source_ton = prng_.chance(1, 2) ? 5 : 1;
    submit.source_npi = submit.source_ton == 5 ? 0 : 1;
    submit.source_digits = submit.source_ton == 5 ? "Acme" : "447700900123";
    if (prng_.chance(nature_.receipts, 1000)) {
        constexpr uint8_t wanted[] = {1, 1, 1, 2, 3, 0x11, 0x10};
        submit.registered_delivery = wanted[prng_.below(std::size(wanted))];
    }
    submit.text = fmt::format("T{} ", token) + std::string(prng_.below(150), 'x');

    smpp::Sm sm;
    sm.source = {submit.source_ton, submit.source_npi, submit.source_digits};
    sm.destination = {submit.destination_ton, submit.destination_npi, submit.destination_digits};
    sm.registered_delivery = submit.registered_delivery;
    const uint32_t sequence = link.next_sequence++;
    size_t bytes = 0;
    if (nature_.interface_version >= 0x34 && prng_.chance(nature_.data_sm, 1000)) {
        std::array<uint8_t, 256> tlvs{};
        ByteWriter writer(tlvs);
        writer.tlv(tag_message_payload, as_octets(submit.text));
        sm.tlvs = {tlvs.data(), writer.written()};
        bytes = smpp::encode_data_sm(buffer(), sequence, sm);
    } else {
        sm.short_message = as_octets(submit.text);
        bytes = smpp::encode_sm(buffer(), CommandId::submit_sm, sequence, sm);
    }
    send(link, buffer().first(bytes));
    link.outstanding[sequence] = ledger_.submitted(std::move(submit));
}

void Customer::on_submit_resp(PeerLink& link, const smpp::Frame& frame) {
    const auto asked = link.outstanding.find(frame.header.sequence_number);
    if (asked == link.outstanding.end()) {
        ledger_.violation("customer {}: response to sequence {} that is not outstanding",
                          nature_.index, frame.header.sequence_number);
        return;
    }
    smpp::SmResp resp;
    if (frame.header.command_status == 0 &&
        smpp::decode_sm_resp(frame.body, {}, resp) != CommandStatus::esme_rok) {
        ledger_.violation("customer {}: malformed submit_sm_resp", nature_.index);
    }
    ledger_.answered(asked->second, frame.header.command_status, resp.message_id);
    link.outstanding.erase(asked);
}

void Customer::leave(PeerLink& link) {
    switch (prng_.below(3)) {
        case 0:
            hang_up(link, true);
            return;
        case 1:
            hang_up(link, false);
            return;
        default:
            link.leaving = true;
            link.bound = false;
            ledger_.link_died(link.serial, now_ns());
            send_empty(link, CommandId::unbind, link.next_sequence++);
            return;
    }
}

// ---------------------------------------------------------------- what comes in

void Customer::pdu(PeerLink& link, const smpp::Frame& frame) {
    switch (frame.header.command_id) {
        case CommandId::bind_receiver_resp:
        case CommandId::bind_transmitter_resp:
        case CommandId::bind_transceiver_resp:
            on_bind_resp(link, frame);
            return;
        case CommandId::data_sm_resp:
        case CommandId::submit_sm_resp:
            on_submit_resp(link, frame);
            return;
        case CommandId::deliver_sm:
            on_deliver(link, frame);
            return;
        default:
            if (!common_pdu(link, frame)) {
                ledger_.violation("customer {}: unexpected PDU {:#x} status {:#x}", nature_.index,
                                  static_cast<uint32_t>(frame.header.command_id),
                                  frame.header.command_status);
            }
            return;
    }
}

void Customer::on_deliver(PeerLink& link, const smpp::Frame& frame) {
    const uint32_t sequence = frame.header.sequence_number;
    smpp::Sm sm;
    if (smpp::decode_sm(frame.body, {}, sm) != CommandStatus::esme_rok) {
        ledger_.violation("customer {}: malformed deliver_sm", nature_.index);
        return;
    }
    if (!link.can_receive) {
        ledger_.violation("customer {}: deliver_sm on a transmitter", nature_.index);
    }
    if (!link.requests_in.emplace(sequence, now_ns()).second) {
        ledger_.violation("customer {}: sequence number {} reused", nature_.index, sequence);
    }
    if (nature_.interface_version < 0x34 && !sm.tlvs.empty()) {
        ledger_.violation("customer {}: TLVs sent to a 3.3 session", nature_.index);
    }
    const uint8_t type = sm.esm_class & smpp::esm_class_type_mask;
    if (type == smpp::esm_class_delivery_receipt || type == smpp::esm_class_intermediate) {
        on_receipt(link, sequence, sm);
    } else {
        on_mo(link, sequence, sm);
    }
}

void Customer::on_receipt(PeerLink& link, uint32_t sequence_number, const smpp::Sm& sm) {
    const auto token = ledger_.token_of(std::string(sm.source.digits));
    Submit* submit = token ? ledger_.submit(*token) : nullptr;
    if (submit == nullptr || submit->customer != nature_.index) {
        ledger_.violation("customer {}: receipt for a message that is not its own ({})",
                          nature_.index, sm.source.digits);
        send_empty(link, CommandId::deliver_sm_resp, sequence_number);
        return;
    }
    if (sm.destination.digits != submit->source_digits ||
        sm.destination.ton != submit->source_ton || sm.destination.npi != submit->source_npi ||
        sm.source.ton != submit->destination_ton || sm.source.npi != submit->destination_npi) {
        ledger_.violation("message {}: its receipt has other addresses than it", *token);
    }
    const std::string_view text = as_chars(sm.short_message);
    const std::string_view id = word(text, "id:");
    const uint8_t state = state_of(word(text, "stat:"));
    Octets value;
    if (find_value(sm.tlvs, tag_message_state, value) && (value.size() != 1 || value[0] != state)) {
        ledger_.violation("message {}: text and TLV of its receipt differ in state", *token);
    }
    if (find_value(sm.tlvs, tag_receipted_message_id, value)) {
        const std::string_view chars = as_chars(value);
        if (chars.substr(0, chars.find('\0')) != id) {
            ledger_.violation("message {}: text and TLV of its receipt differ in id", *token);
        }
    } else if (nature_.interface_version >= 0x34) {
        ledger_.violation("message {}: receipt without TLVs", *token);
    }
    if (submit->receipt_id.empty()) {
        submit->receipt_id = id;
    } else if (submit->receipt_id != id) {
        ledger_.violation("message {}: receipts with ids '{}' and '{}'", *token, submit->receipt_id,
                          id);
    }
    const size_t index = ledger_.receipt_delivered(
        *token, {.link = link.serial, .end = link.pdu_end, .state = state, .at_ns = now_ns()});
    answer(link, sequence_number, [this, t = *token, index](uint32_t status, uint64_t end) {
        ledger_.receipt_answered(t, index, status, end);
    });
}

void Customer::on_mo(PeerLink& link, uint32_t sequence_number, const smpp::Sm& sm) {
    const auto token = number_behind(as_chars(sm.short_message), 'M');
    if (!token || ledger_.mo(*token) == nullptr) {
        ledger_.violation("customer {}: MO message that no supplier sent", nature_.index);
        send_empty(link, CommandId::deliver_sm_resp, sequence_number);
        return;
    }
    const size_t index = ledger_.mo_delivered(
        *token,
        {.customer = nature_.index, .link = link.serial, .end = link.pdu_end, .at_ns = now_ns()});
    answer(link, sequence_number, [this, t = *token, index](uint32_t status, uint64_t end) {
        ledger_.mo_customer_answered(t, index, status, end);
    });
}

void Customer::answer(PeerLink& link,
                      uint32_t sequence_number,
                      std::function<void(uint32_t, uint64_t)> note) {
    if (prng_.chance(nature_.deliver_silent, 1000)) {
        return;
    }
    const Nanos after_ns = prng_.chance(nature_.deliver_late, 1000)
                               ? between(second_ns, 8 * second_ns)
                               : between(0, 20 * millisecond_ns);
    CommandStatus status = CommandStatus::esme_rok;
    if (prng_.chance(nature_.deliver_temporary, 1000)) {
        status = CommandStatus::esme_rx_t_appn;
    } else if (prng_.chance(nature_.deliver_refused, 1000)) {
        status = CommandStatus::esme_rx_r_appn;
    }
    later(link, after_ns, [this, sequence_number, status, note = std::move(note)](PeerLink& alive) {
        alive.requests_in.erase(sequence_number);
        if (status != CommandStatus::esme_rok) {
            send_empty(alive, CommandId::deliver_sm_resp, sequence_number, status);
        } else {
            send(alive, buffer().first(smpp::encode_sm_resp(buffer(), CommandId::deliver_sm_resp,
                                                            sequence_number, {})));
        }
        note(static_cast<uint32_t>(status), alive.octets_out);
    });
}

}  // namespace sy::sim
