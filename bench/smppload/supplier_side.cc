#include "bench/smppload/supplier_side.h"

#include <bit>
#include <ctime>
#include <utility>

#include <fmt/format.h>

#include "core/smpp/encode.h"
#include "core/smpp/framer.h"

namespace sy::load {
namespace {

using smpp::CommandId;

constexpr uint64_t error_salt = 0x6572726f72000000;
constexpr uint64_t early_salt = 0x6561726c79000000;

}  // namespace

SupplierSide::SupplierSide(Context& context)
    : context_(context),
      next_id_(context.options.suppliers, 1000),
      next_deliver_bind_(context.options.suppliers, 0),
      prng_(context.options.seed + 41) {
    context_.ledger.arrivals.resize(context.options.suppliers);
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    (void)std::strftime(date_.data(), date_.size(), "%y%m%d%H%M", &utc);
}

Result<void> SupplierSide::listen() {
    for (uint32_t supplier = 0; supplier < context_.options.suppliers; ++supplier) {
        Endpoint at = context_.options.listen;
        if (at.port != 0) {
            at.port = static_cast<uint16_t>(at.port + supplier);
        }
        SY_TRY(context_.net.listen(at, *this, supplier));
        endpoints_.push_back(at);
    }
    return {};
}

bool SupplierSide::bound(uint32_t binds_each) const {
    std::vector<uint32_t> binds(context_.options.suppliers);
    for (const auto& session : sessions_) {
        binds[session->supplier] += session->state == State::bound ? 1u : 0u;
    }
    return std::all_of(binds.begin(), binds.end(),
                       [&](uint32_t count) { return count >= binds_each; });
}

std::string SupplierSide::describe_binds() const {
    std::string out;
    for (uint32_t supplier = 0; supplier < context_.options.suppliers; ++supplier) {
        uint32_t count = 0;
        for (const auto& session : sessions_) {
            count += session->supplier == supplier && session->state == State::bound ? 1u : 0u;
        }
        out += fmt::format("{}{} at {}: {} binds", supplier == 0 ? "" : ", ",
                           supplier_name(supplier), to_string(endpoints_[supplier]), count);
    }
    return out;
}

void SupplierSide::begin(Nanos now) {
    if (context_.options.mo_rate > 0) {
        mo_schedule_.emplace(context_.options.mo_rate, now);
    }
}

void SupplierSide::on_accepted(uint32_t listener, Link& link) {
    link.user = static_cast<uint32_t>(sessions_.size());
    auto session = std::make_unique<Session>();
    session->link = &link;
    session->supplier = static_cast<uint8_t>(listener);
    const uint32_t slots = std::bit_ceil(context_.options.deliver_window * 4);
    session->slots.resize(slots);
    session->slot_mask = slots - 1;
    sessions_.push_back(std::move(session));
}

size_t SupplierSide::on_bytes(Link& link, Octets octets, Nanos now) {
    Session& session = *sessions_[link.user];
    const size_t offered = octets.size();
    smpp::Frame frame;
    for (;;) {
        const auto outcome = smpp::next_frame(octets, limits::pdu_bytes_max, frame);
        if (outcome == smpp::FrameOutcome::need_more) {
            break;
        }
        if (outcome != smpp::FrameOutcome::complete) {
            malformed(session, frame.header);
            context_.net.close_now(link, "impossible command_length");
            break;
        }
        handle(session, frame.header, frame.body, now);
        if (!link.open()) {
            break;
        }
    }
    take_arrival(now);
    return offered - octets.size();
}

void SupplierSide::handle(Session& session, const smpp::Header& header, Octets body, Nanos now) {
    if (header.command_id != CommandId::submit_sm) {
        take_arrival(now);  // in the order in which they came
    }
    switch (header.command_id) {
        case CommandId::submit_sm:
            on_submit(session, header, body, now);
            break;
        case CommandId::deliver_sm_resp:
            on_deliver_resp(session, header, now);
            break;
        case CommandId::enquire_link:
            if (answer_probes_) {
                answer(session, CommandId::enquire_link_resp, header.sequence_number);
            }
            break;
        case CommandId::enquire_link_resp:
            session.probe_answered |= header.sequence_number == session.probe_sequence;
            break;
        case CommandId::bind_transceiver:
        case CommandId::bind_transmitter:
        case CommandId::bind_receiver:
            on_bind(session, header);
            break;
        case CommandId::unbind:
            answer(session, CommandId::unbind_resp, header.sequence_number);
            session.state = State::closed;
            context_.net.close_when_sent(*session.link);
            break;
        case CommandId::unbind_resp:
            session.state = State::closed;
            context_.net.close_when_sent(*session.link);
            break;
        default:
            malformed(session, header);
    }
}

void SupplierSide::on_bind(Session& session, const smpp::Header& header) {
    session.state = State::bound;
    session.delivers = header.command_id != CommandId::bind_transmitter;
    smpp::BindResp resp;
    resp.system_id = "smppload";
    static constexpr std::array<uint8_t, 5> version = {0x02, 0x10, 0x00, 0x01, 0x34};
    resp.tlvs = version;  // sc_interface_version
    SendBuffer& out = session.link->out;
    out.commit(smpp::encode_bind_resp({out.claim(64), 64}, smpp::response_to(header.command_id),
                                      header.sequence_number, resp));
    context_.net.written(*session.link);
}

void SupplierSide::on_submit(Session& session, const smpp::Header& header, Octets body, Nanos now) {
    ++context_.ledger.arrivals[session.supplier];
    SmView sm;
    uint32_t message = 0;
    if (session.state != State::bound || !view_sm(body, sm)) {
        malformed(session, header);
        return;
    }
    if (sm.short_message.size() < 1 + Traffic::number_digits || sm.short_message[0] != 'M' ||
        !read_number(sm.short_message.data() + 1, message) ||
        message >= context_.ledger.messages_max() ||
        (context_.customers_here && (context_.ledger.message(message) & Ledger::submitted) == 0)) {
        context_.ledger.trouble(Trouble::unreadable, fmt::format("to {}: '{}'", sm.destination,
                                                                 as_chars(sm.short_message)));
        take_arrival(now);
        refuse(session, 0xFFFFFFFF, header.sequence_number, 0, now);
        return;
    }
    context_.traffic.prefetch(message);
    take_arrival(now);
    arrival_ = {&session, sm, message, header.sequence_number};
}

/// Checks and answers the submit_sm that on_submit() looked at before this one.
void SupplierSide::take_arrival(Nanos now) {
    if (arrival_.session == nullptr) {
        return;
    }
    Session& session = *std::exchange(arrival_.session, nullptr);
    const SmView& sm = arrival_.sm;
    const uint32_t message = arrival_.message;
    const uint32_t sequence_number = arrival_.sequence_number;
    if (faulty(Fault::lose, message)) {
        refuse(session, 0xFFFFFFFF, sequence_number, 0, now);
        return;
    }
    const Choice choice = context_.traffic.choose(message);
    if (faulty(Fault::duplicate, message)) {
        arrived(session, message, choice, sm);
    }
    const uint32_t attempt = Ledger::attempts(context_.ledger.message(message));
    const uint8_t status_index = choose_status(message, attempt);
    if (status_index != 0) {
        check_content(message, choice, sm);
        refuse(session, message, sequence_number, status_index, now);
        return;
    }
    arrived(session, message, choice, sm);
    accept(session, message, choice.receipt, sequence_number, now);
}

void SupplierSide::arrived(Session& session,
                           uint32_t message,
                           const Choice& choice,
                           const SmView& sm) {
    const Options& options = context_.options;
    uint16_t& record = context_.ledger.message(message);
    if ((record & Ledger::accepted) != 0) {
        context_.ledger.trouble(
            Trouble::reached_twice,
            fmt::format("M{:010} at {}", message, supplier_name(session.supplier)));
    }
    record |= Ledger::reached | Ledger::accepted;
    uint32_t here = session.supplier;
    if (faulty(Fault::misroute, message)) {
        ++here;
    }
    const uint32_t first =
        options.mode == Mode::direct ? context_.ledger.direct_supplier(message) : choice.supplier;
    const bool refused_before = Ledger::attempts(record) > 0;
    const bool second = options.fallback && (refused_before || !context_.customers_here) &&
                        here == (first + 1) % options.suppliers;
    if (here != first && !second) {
        context_.ledger.trouble(
            Trouble::misrouted,
            fmt::format("M{:010} to {} at {}, expected {}", message, sm.destination,
                        supplier_name(here), supplier_name(first)));
    }
    check_content(message, choice, sm);
}

void SupplierSide::check_content(uint32_t message, const Choice& choice, const SmView& sm) {
    const Traffic& traffic = context_.traffic;
    const std::string_view text = as_chars(sm.short_message).substr(1 + Traffic::number_digits);
    const bool same = text == traffic.text_behind_number(choice) &&
                      sm.destination == traffic.destination(choice) &&
                      sm.source == traffic.sender(choice) && sm.service_type.empty() &&
                      sm.esm_class == 0 && sm.data_coding == 0 && sm.tlvs.empty() &&
                      (sm.registered_delivery & 1) == (choice.receipt ? 1 : 0);
    if (same && !faulty(Fault::alter, message)) [[likely]] {
        return;
    }
    context_.ledger.trouble(
        Trouble::altered,
        fmt::format("M{:010}: from '{}' to '{}' esm_class {} data_coding {} registered_delivery {} "
                    "text '{}', {} octets of TLVs; expected from '{}' to '{}' text '{}'",
                    message, sm.source, sm.destination, sm.esm_class, sm.data_coding,
                    sm.registered_delivery, text, sm.tlvs.size(), traffic.sender(choice),
                    traffic.destination(choice), traffic.text_behind_number(choice)));
}

uint8_t SupplierSide::choose_status(uint32_t message, uint32_t attempt) const {
    const auto& mix = context_.options.error_mix;
    if (mix.empty()) {
        return 0;
    }
    const uint64_t bits = mix64(message ^ error_salt ^ (uint64_t{attempt} << 40));
    double at = static_cast<double>(bits >> 11) * 0x1p-53;
    for (size_t i = 0; i < mix.size(); ++i) {
        if (at < mix[i].share) {
            return static_cast<uint8_t>(i + 1);
        }
        at -= mix[i].share;
    }
    return 0;
}

void SupplierSide::refuse(
    Session& session, uint32_t message, uint32_t sequence_number, uint8_t status_index, Nanos now) {
    Item item;
    item.status_index = status_index;
    item.session = session.link->user;
    item.number = message;
    item.id = next_id_[session.supplier]++;
    item.sequence = sequence_number;
    if (message != 0xFFFFFFFF) {
        Ledger::add_refusal(context_.ledger.message(message), status_index);
        ++context_.ledger.supplier_errors[static_cast<uint32_t>(
            context_.options.error_mix[status_index - 1u].status)];
    }
    const Nanos delay = draw(context_.options.supplier_latency);
    if (delay == 0) {
        respond(item);
    } else {
        wheel_.schedule(now + delay, item);
    }
}

void SupplierSide::accept(
    Session& session, uint32_t message, bool wants_receipt, uint32_t sequence_number, Nanos now) {
    const Options& options = context_.options;
    Item item;
    item.session = session.link->user;
    item.number = message;
    item.id = next_id_[session.supplier]++;
    item.sequence = sequence_number;
    const bool early = wants_receipt && options.receipt_before_response > 0 &&
                       Traffic::in_share(message, early_salt, options.receipt_before_response);
    Item receipt = item;
    receipt.kind = Kind::receipt;
    if (early) {
        queue_deliver(receipt, now);
        drain_waiting(now);  // ahead of the response
    }
    const Nanos delay = draw(options.supplier_latency);
    if (delay == 0) {
        respond(item);
    } else {
        wheel_.schedule(now + delay, item);
    }
    if (wants_receipt && !early && !faulty(Fault::lose_receipt, message)) {
        const Nanos later = delay + draw(options.receipt_delay);
        if (later == 0) {
            queue_deliver(receipt, now);
        } else {
            wheel_.schedule(now + later, receipt);
        }
        if (faulty(Fault::duplicate_receipt, message)) {
            queue_deliver(receipt, now);
        }
    }
}

void SupplierSide::respond(const Item& item) {
    Session& session = *sessions_[item.session];
    if (!session.link->open() || faulty(Fault::no_answer, item.number)) {
        return;
    }
    SendBuffer& out = session.link->out;
    uint8_t* to = out.claim(64);
    smpp::Header header{16, CommandId::submit_sm_resp, 0, item.sequence};
    if (item.status_index != 0) {
        header.command_status =
            static_cast<uint32_t>(context_.options.error_mix[item.status_index - 1u].status);
    } else if (faulty(Fault::false_status, item.number)) {
        header.command_status = static_cast<uint32_t>(smpp::CommandStatus::esme_rsyserr);
    } else {
        header.command_length +=
            static_cast<uint32_t>(write_response_id(to + 16, session, item.id));
    }
    if (faulty(Fault::wrong_sequence, item.number)) {
        header.sequence_number += 0x10000000;
    }
    smpp::encode_header(to, header);
    out.commit(header.command_length);
    context_.net.written(*session.link);
    if (faulty(Fault::answer_twice, item.number)) {
        uint8_t* again = out.claim(header.command_length);
        std::memcpy(again, to, header.command_length);
        out.commit(header.command_length);
    }
}

void SupplierSide::turn(Nanos now) {
    wheel_.advance(now, [&](const Item& item) { fire(item, now); });
    make_mo(now);
    drain_waiting(now);
}

void SupplierSide::fire(const Item& item, Nanos now) {
    if (item.kind != Kind::response) {
        queue_deliver(item, now);
    } else if (sessions_[item.session]->link->out.space() < 1024) {
        wheel_.schedule(now + millisecond_ns, item);
    } else {
        respond(item);
    }
}

Nanos SupplierSide::next_ns() const {
    Nanos next = wheel_.next_ns();
    if (mo_schedule_) {
        next = std::min(next, mo_schedule_->intended_ns(next_mo_));
    }
    return next;
}

Nanos SupplierSide::draw(const Range& range) {
    return range.high_ns <= range.low_ns
               ? range.low_ns
               : range.low_ns + prng_.below(range.high_ns - range.low_ns + 1);
}

void SupplierSide::answer(Session& session, CommandId id, uint32_t sequence_number) {
    SendBuffer& out = session.link->out;
    out.commit(smpp::encode_empty({out.claim(16), 16}, id, smpp::CommandStatus::esme_rok,
                                  sequence_number));
    context_.net.written(*session.link);
}

void SupplierSide::malformed(const Session& session, const smpp::Header& header) {
    context_.ledger.trouble(
        Trouble::malformed,
        fmt::format("{}: command_id 0x{:08x}, length {}, status {}, sequence {}",
                    supplier_name(session.supplier), static_cast<uint32_t>(header.command_id),
                    header.command_length, status_text(header.command_status),
                    header.sequence_number));
}

void SupplierSide::probe() {
    answer_probes_ = context_.options.fault != Fault::deaf;
    for (const auto& session : sessions_) {
        if (session->state == State::bound) {
            session->probe_sequence = session->next_sequence++;
            session->probe_answered = false;
            answer(*session, CommandId::enquire_link, session->probe_sequence);
        }
    }
}

uint32_t SupplierSide::probes_unanswered() const {
    uint32_t count = 0;
    for (const auto& session : sessions_) {
        count += session->probe_answered ? 0u : 1u;
    }
    return count;
}

void SupplierSide::unbind() {
    for (const auto& session : sessions_) {
        if (session->state == State::bound) {
            session->state = State::unbinding;
            answer(*session, CommandId::unbind, session->next_sequence++);
        }
    }
}

uint32_t SupplierSide::sessions_open() const {
    uint32_t count = 0;
    for (const auto& session : sessions_) {
        count += session->link->open() ? 1u : 0u;
    }
    return count;
}

void SupplierSide::on_closed(Link& link, const std::string& reason) {
    Session& session = *sessions_[link.user];
    if (session.state == State::unbinding) {
        context_.ledger.trouble(Trouble::unbind_unclean,
                                fmt::format("{}: {}", supplier_name(session.supplier), reason));
    } else if (session.state == State::bound && !context_.ending) {
        context_.ledger.trouble(Trouble::session_lost,
                                fmt::format("{}: {}", supplier_name(session.supplier), reason));
    }
    // What was unanswered here is repeated on another bind, as a supplier would.
    session.state = State::closed;
    for (Item& item : session.slots) {
        if (item.sequence != 0) {
            --unanswered_;
            item.sequence = 0;
            wheel_.schedule(now_ns() + 100 * millisecond_ns, item);
        }
    }
    for (size_t i = session.waiting_head; i < session.waiting.size(); ++i) {
        --waiting_;
        wheel_.schedule(now_ns() + 100 * millisecond_ns, session.waiting[i]);
    }
    session.waiting.clear();
    session.waiting_head = 0;
}

void SupplierSide::close_books() {
    for (const auto& session : sessions_) {
        if (!session->probe_answered) {
            context_.ledger.trouble(Trouble::session_deaf, supplier_name(session->supplier));
        }
        if (session->state == State::unbinding) {
            context_.ledger.trouble(Trouble::unbind_unclean, supplier_name(session->supplier));
        }
    }
}

}  // namespace sy::load
