#include "bench/smppload/customer_side.h"

#include <bit>

#include <fmt/format.h>

#include "core/base/prefetch.h"
#include "core/smpp/encode.h"
#include "core/smpp/framer.h"

namespace sy::load {
namespace {

using smpp::CommandId;

// Space that stays free for answers to what one read can bring (net.h).
constexpr size_t submit_space = 256 * 1024 + Traffic::submit_bytes_max;

}  // namespace

Result<void> CustomerSide::connect(const std::vector<Endpoint>& supplier_at) {
    const Options& options = context_.options;
    messages_max_ = options.messages > 0 ? options.messages : context_.ledger.messages_max();
    for (uint32_t customer = 0; customer < options.customers; ++customer) {
        for (uint32_t bind = 0; bind < options.binds; ++bind) {
            const bool direct = options.mode == Mode::direct;
            const auto supplier = static_cast<uint8_t>(direct ? bind % supplier_at.size() : 0);
            const Endpoint& to = direct ? supplier_at[supplier] : options.router;
            if (options.bind_mode == CustomerBind::trx) {
                SY_TRY(add_session(customer, CommandId::bind_transceiver, to, supplier));
            } else {
                SY_TRY(add_session(customer, CommandId::bind_transmitter, to, supplier));
                SY_TRY(add_session(customer, CommandId::bind_receiver, to, supplier));
            }
        }
    }
    return {};
}

Result<void> CustomerSide::add_session(uint32_t customer,
                                       CommandId command,
                                       const Endpoint& to,
                                       uint8_t direct_supplier) {
    auto link = context_.net.connect(to, *this, static_cast<uint32_t>(sessions_.size()));
    if (!link) {
        return std::unexpected(std::move(link).error());
    }
    auto session = std::make_unique<Session>();
    session->link = *link;
    session->customer = static_cast<uint16_t>(customer);
    session->direct_supplier = direct_supplier;
    session->submits = command != CommandId::bind_receiver;
    session->bind_command = command;
    // Answers come in any order: four windows of sequence numbers before a place is needed again.
    const uint32_t slots = std::bit_ceil(context_.options.window * 4);
    session->slots.resize(slots);
    session->slot_mask = slots - 1;
    sessions_.push_back(std::move(session));
    ++open_;
    return {};
}

void CustomerSide::on_connected(Link& link) {
    Session& session = *sessions_[link.user];
    smpp::Bind bind;
    bind.system_id = context_.options.system_ids[session.customer];
    bind.password = context_.options.passwords[session.customer];
    bind.interface_version = 0x34;
    uint8_t* to = link.out.claim(256);
    link.out.commit(
        smpp::encode_bind({to, 256}, session.bind_command, session.next_sequence++, bind));
    session.state = State::binding;
    context_.net.written(link);
}

Result<bool> CustomerSide::bound() const {
    if (!bind_error_.empty()) {
        return fail(bind_error_);
    }
    for (const auto& session : sessions_) {
        if (session->state != State::bound) {
            return false;
        }
    }
    return true;
}

void CustomerSide::begin(Nanos now) {
    submitting_ = true;
    if (context_.options.rate > 0) {
        schedule_.emplace(context_.options.rate, now);
    }
    for (const auto& session : sessions_) {
        may_fill(*session);
    }
    turn(now);
}

Nanos CustomerSide::next_ns() const {
    if (!submitting_ || !schedule_ || next_message_ >= messages_max_) {
        return ~Nanos{0};
    }
    const Nanos next = schedule_->intended_ns(next_message_);
    // Behind the schedule with every window shut: an answer will wake us.
    for (const auto& session : sessions_) {
        if (can_submit(*session)) {
            return next;
        }
    }
    return ~Nanos{0};
}

bool CustomerSide::can_submit(const Session& session) const {
    return session.submits && session.state == State::bound &&
           session.in_flight < context_.options.window &&
           !session.slots[session.next_sequence & session.slot_mask].taken &&
           session.link->out.space() >= submit_space;
}

void CustomerSide::turn(Nanos now) {
    if (!submitting_) {
        return;
    }
    if (schedule_) {
        turn_open_loop(now);
        return;
    }
    size_t kept = 0;
    for (Session* session : may_fill_) {
        fill(*session, now);
        // A shut window opens by an answer, which brings it back; a full send buffer says nothing.
        session->may_fill = session->state == State::bound && session->submits &&
                            session->in_flight < context_.options.window;
        if (session->may_fill) {
            may_fill_[kept++] = session;
        }
    }
    may_fill_.resize(kept);
}

void CustomerSide::may_fill(Session& session) {
    if (!schedule_ && !session.may_fill) {
        session.may_fill = true;
        may_fill_.push_back(&session);
    }
}

void CustomerSide::turn_open_loop(Nanos now) {
    const uint64_t due = std::min<uint64_t>(schedule_->due(now), messages_max_);
    while (next_message_ < due) {
        size_t tried = 0;
        while (tried < sessions_.size() && !can_submit(*sessions_[next_session_])) {
            next_session_ = next_session_ + 1 == sessions_.size() ? 0 : next_session_ + 1;
            ++tried;
        }
        if (tried == sessions_.size()) {
            return;
        }
        const Nanos intended = schedule_->intended_ns(next_message_);
        lag_max_ns_ = std::max(lag_max_ns_, now - intended);
        late_messages_ += now - intended > millisecond_ns ? 1u : 0u;
        submit(*sessions_[next_session_], intended);
        next_session_ = next_session_ + 1 == sessions_.size() ? 0 : next_session_ + 1;
    }
}

void CustomerSide::fill(Session& session, Nanos now) {
    while (next_message_ < messages_max_ && can_submit(session)) {
        submit(session, now);
    }
}

void CustomerSide::submit(Session& session, Nanos since_ns) {
    const uint32_t message = next_message_++;
    context_.traffic.prefetch(message + 16);
    const Choice choice = context_.traffic.choose(message);
    const uint32_t sequence = session.next_sequence++;
    SendBuffer& out = session.link->out;
    out.commit(
        context_.traffic.encode(message, choice, sequence, out.claim(Traffic::submit_bytes_max)));
    session.slots[sequence & session.slot_mask] = {message, sequence, since_ns, true};
    ++session.in_flight;
    ++outstanding_;
    context_.ledger.message(message) |=
        static_cast<uint16_t>(Ledger::submitted | (choice.receipt ? Ledger::receipt_asked : 0));
    if (context_.options.mode == Mode::direct) {
        context_.ledger.direct_supplier(message) = session.direct_supplier;
    }
    context_.net.written(*session.link);
}

void CustomerSide::expect(const Link& link) const {
    const Session* session = sessions_[link.user].get();
    prefetch_lines(session, session + 1);
}

size_t CustomerSide::on_bytes(Link& link, Octets octets, Nanos now) {
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
    return offered - octets.size();
}

void CustomerSide::handle(Session& session, const smpp::Header& header, Octets body, Nanos now) {
    switch (header.command_id) {
        case CommandId::submit_sm_resp:
            on_submit_resp(session, header, body, now);
            break;
        case CommandId::deliver_sm:
            on_deliver(session, header, body, now);
            break;
        case CommandId::enquire_link:
            answer(session, CommandId::enquire_link_resp, header.sequence_number);
            break;
        case CommandId::enquire_link_resp:
            session.probe_answered |= header.sequence_number == session.probe_sequence;
            break;
        case CommandId::bind_transceiver_resp:
        case CommandId::bind_transmitter_resp:
        case CommandId::bind_receiver_resp:
            if (header.command_status != 0) {
                bind_error_ = fmt::format("the router refused the bind of '{}': {}",
                                          context_.options.system_ids[session.customer],
                                          status_text(header.command_status));
            } else {
                session.state = State::bound;
            }
            break;
        case CommandId::unbind:
            answer(session, CommandId::unbind_resp, header.sequence_number);
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

void CustomerSide::on_submit_resp(Session& session,
                                  const smpp::Header& header,
                                  Octets body,
                                  Nanos now) {
    Slot& slot = session.slots[header.sequence_number & session.slot_mask];
    if (slot.sequence != header.sequence_number || !slot.taken) {
        const bool twice = slot.sequence == header.sequence_number && slot.sequence != 0;
        context_.ledger.trouble(twice ? Trouble::answered_twice : Trouble::unknown_sequence,
                                fmt::format("sequence_number {} on bind {}", header.sequence_number,
                                            session.link->user));
        return;
    }
    slot.taken = false;
    --session.in_flight;
    --outstanding_;
    may_fill(session);
    on_answer(session, slot, header.command_status, body, now);
}

void CustomerSide::on_answer(
    Session& session, const Slot& slot, uint32_t status, Octets body, Nanos now) {
    const uint32_t message = slot.message;
    uint16_t& record = context_.ledger.message(message);
    record |= Ledger::answered;
    if (measured(context_, message)) {
        context_.submit_latency.record(now - slot.since_ns);
        context_.submit_p99.record(now, now - slot.since_ns);
    }
    if (now >= context_.measure_from_ns) {
        const size_t second = (now - context_.measure_from_ns) / second_ns;
        if (second >= context_.answers_by_second.size()) {
            context_.answers_by_second.resize(second + 1);
        }
        ++context_.answers_by_second[second];
    }
    if (status != 0) {
        on_error_answer(message, record, status);
        return;
    }
    record |= Ledger::answered_ok;
    ++context_.ledger.answers_ok;
    if ((record & Ledger::receipt_asked) != 0) {
        remember_id(message, session.customer, body, now);
    }
}

void CustomerSide::on_error_answer(uint32_t message, uint16_t record, uint32_t status) {
    Ledger& ledger = context_.ledger;
    ++ledger.answers_error[status];
    if (!context_.suppliers_here || (record & Ledger::accepted) != 0) {
        return;  // nothing to compare with, or found by the audit
    }
    if (Ledger::attempts(record) == 0) {
        ++ledger.refusals;
        if (!context_.options.allow_refusals) {
            ledger.trouble(Trouble::refused,
                           fmt::format("M{:010} with {}", message, status_text(status)));
        }
        return;
    }
    // One supplier asked: its status and no other. Several: the last one's.
    const auto& mix = context_.options.error_mix;
    const uint32_t index = Ledger::last_status(record) - 1;
    if (index < mix.size() && static_cast<uint32_t>(mix[index].status) != status) {
        ledger.trouble(Trouble::false_status,
                       fmt::format("M{:010}: supplier said {}, the customer heard {}", message,
                                   status_text(static_cast<uint32_t>(mix[index].status)),
                                   status_text(status)));
    }
}

void CustomerSide::answer(Session& session, CommandId id, uint32_t sequence_number) {
    SendBuffer& out = session.link->out;
    out.commit(smpp::encode_empty({out.claim(16), 16}, id, smpp::CommandStatus::esme_rok,
                                  sequence_number));
    context_.net.written(*session.link);
}

void CustomerSide::malformed(const Session& session, const smpp::Header& header) {
    context_.ledger.trouble(
        Trouble::malformed,
        fmt::format("customer bind {}: command_id 0x{:08x}, length {}, status {}, sequence {}",
                    session.link->user, static_cast<uint32_t>(header.command_id),
                    header.command_length, status_text(header.command_status),
                    header.sequence_number));
}

void CustomerSide::probe() {
    for (const auto& session : sessions_) {
        if (session->state == State::bound) {
            session->probe_sequence = session->next_sequence++;
            session->probe_answered = false;
            answer(*session, CommandId::enquire_link, session->probe_sequence);
        }
    }
}

uint32_t CustomerSide::probes_unanswered() const {
    uint32_t count = 0;
    for (const auto& session : sessions_) {
        count += session->probe_answered ? 0u : 1u;
    }
    return count;
}

void CustomerSide::unbind() {
    for (const auto& session : sessions_) {
        if (session->state == State::bound) {
            session->state = State::unbinding;
            answer(*session, CommandId::unbind, session->next_sequence++);
        }
    }
}

void CustomerSide::on_closed(Link& link, const std::string& reason) {
    Session& session = *sessions_[link.user];
    --open_;
    if (session.state == State::connecting || session.state == State::binding) {
        bind_error_ =
            fmt::format("cannot bind '{}' at {}: {}", context_.options.system_ids[session.customer],
                        to_string(context_.options.router), reason);
    } else if (session.state == State::unbinding) {
        context_.ledger.trouble(Trouble::unbind_unclean,
                                fmt::format("customer bind {}: {}", link.user, reason));
    } else if (session.state == State::bound && !context_.ending) {
        context_.ledger.trouble(Trouble::session_lost,
                                fmt::format("customer bind {}: {}", link.user, reason));
    }
    session.state = State::closed;
}

void CustomerSide::close_books() {
    for (const auto& session : sessions_) {
        if (!session->probe_answered) {
            context_.ledger.trouble(Trouble::session_deaf,
                                    fmt::format("customer bind {}", session->link->user));
        }
        if (session->state == State::unbinding) {
            context_.ledger.trouble(Trouble::unbind_unclean,
                                    fmt::format("customer bind {}", session->link->user));
        }
    }
    for (const Parked& parked : parked_) {
        if (!parked.id.empty()) {
            context_.ledger.trouble(Trouble::receipt_unknown_id,
                                    fmt::format("id '{}' from {} at customer {}", parked.id,
                                                parked.source, customer_name(parked.customer)));
        }
    }
}

}  // namespace sy::load
