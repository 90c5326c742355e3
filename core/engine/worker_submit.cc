// MT messages on their way out: who leaves by which link, and what cannot leave. See worker.h.
#include <algorithm>
#include <array>
#include <bit>

#include "core/base/assert.h"
#include "core/engine/worker.h"
#include "core/smpp/encode.h"

namespace sy::engine {
namespace {

using smpp::CommandId;
using smpp::CommandStatus;

// Above this a link's output is stuck: nothing more is put into it until the peer reads.
constexpr uint64_t submit_pending_bytes_max = 1 << 20;

// Messages that one call takes out of a ring: some 20 us of a turn. A ring of 4,096 is all staged
// after eight turns.
constexpr uint32_t stage_work_max = 512;

// Messages that one worker gives another at a time.
constexpr uint32_t give_max = 256;

// Staged messages whose deadline is looked at in a millisecond: 4,096 are seen within 70 ms.
constexpr uint32_t sweep_steps = 64;

}  // namespace

void Worker::run_rings() {
    for (LocalSupplier& local : suppliers_) {
        if (local.bound_tx > 0 && local.account != nullptr) {
            drain_ring(local);
        }
    }
}

void Worker::drain_ring(LocalSupplier& local) {
    SupplierShared& shared = hub_.supplier(local.id);
    if (shared.gate.is_open()) {
        refuse_staged(local);
        return;
    }
    if (shared.paused_until_ns.load(std::memory_order_relaxed) > now_.mono_ns) {
        return;
    }
    const size_t count = local.trunks.size();
    if (count == 0) {
        return;
    }
    local.has_room = false;
    local.held = false;
    for (size_t i = 0; i < count; ++i) {
        Trunk& trunk = trunks_[local.trunks[(local.next_trunk + i) % count]];
        if (trunk.state == TrunkState::bound && trunk.can_submit) {
            const uint32_t sent = submit_on(local, trunk);
            local.moved = local.moved || sent > 0;
            work_ += sent;
        }
    }
    local.next_trunk = static_cast<uint16_t>((local.next_trunk + 1u) % count);
    if (hub_.workers() > 1) {
        share_staged(local);
    }
    tell_staged(local);
}

// Sends what the link's window, its socket and the supplier's rate allow.
uint32_t Worker::submit_on(LocalSupplier& local, Trunk& trunk) {
    Session* session = session_of(trunk.conn);
    if (session == nullptr || session->ending != Ending::no ||
        session->output.pending_bytes() > submit_pending_bytes_max) {
        return 0;
    }
    const uint32_t room = session->window->outstanding_max() - session->window->outstanding();
    if (room == 0) {
        return 0;
    }
    const queue::SharedRing* ring = hub_.supplier(local.id).ring.load(std::memory_order_acquire);
    return local.staged.empty() && ring->count() <= room ? submit_straight(local, *session, room)
                                                         : submit_fairly(local, *session, room);
}

// All that waits fits into this link's window: nobody stands back for anybody, and the order of the
// ring is as good as any.
uint32_t Worker::submit_straight(LocalSupplier& local, Session& session, uint32_t room) {
    queue::SharedRing* ring = hub_.supplier(local.id).ring.load(std::memory_order_relaxed);
    std::array<void*, limits::burst> burst;
    uint32_t sent = 0;
    while (sent < room) {
        const uint32_t wanted = std::min(room - sent, limits::burst);
        const uint32_t count = ring->pop({burst.data(), wanted});
        for (uint32_t i = 0; i < count; ++i) {
            __builtin_prefetch(burst[i]);
        }
        for (uint32_t i = 0; i < count; ++i) {
            auto* message = static_cast<Message*>(burst[i]);
            if (now_.mono_ns >= message->deadline_ns) {
                end_unsent(message, Outcome::expired);
                continue;
            }
            const bool may = may_submit(local, *message);
            if (!may || !submit(session, message)) {
                for (uint32_t kept = may ? i + 1 : i; kept < count; ++kept) {
                    local.staged.push(static_cast<Message*>(burst[kept]));
                }
                return sent;
            }
            ++sent;
        }
        if (count < wanted) {
            local.has_room = true;
            return sent;
        }
    }
    return sent;
}

// More waits than can leave: all of it is looked at, and each customer has its turn.
uint32_t Worker::submit_fairly(LocalSupplier& local, Session& session, uint32_t room) {
    stage_waiting(local);
    uint32_t sent = 0;
    while (sent < room && !local.staged.empty()) {
        if (now_.mono_ns >= local.staged.front()->deadline_ns) {
            end_unsent(local.staged.pop(), Outcome::expired);
            continue;
        }
        if (!may_submit(local, *local.staged.front()) || !submit(session, local.staged.pop())) {
            return sent;
        }
        ++sent;
    }
    local.has_room = local.has_room || sent < room;
    return sent;
}

// What holds all workers alike: the supplier's gate and its rate.
bool Worker::may_submit(LocalSupplier& local, Message& message) {
    SupplierShared& shared = hub_.supplier(local.id);
    local.held = !shared.gate.enter(message.pass);
    const uint32_t rate = local.account->rate_per_second;
    if (local.held || rate == 0) {
        return !local.held;
    }
    // The parts of a long message leave together: those behind the first on credit.
    const bool on_credit = message.parts_key != 0 && message.parts_key == local.parts_key;
    if (shared.bucket.take(now_.mono_ns, rate, local.account->burst,
                           on_credit ? SupplierQueue::turn_max : 0)) {
        local.parts_key = message.parts_key;
    } else {
        shared.gate.leave(message.pass);
        local.held = true;
    }
    return !local.held;
}

// Out of the ring, where there is no order but that of arrival; no more than a turn can bear.
void Worker::stage_waiting(LocalSupplier& local) {
    queue::SharedRing* ring = hub_.supplier(local.id).ring.load(std::memory_order_acquire);
    std::array<void*, limits::burst> burst;
    for (uint32_t done = 0; done < stage_work_max;) {
        const uint32_t count = ring->pop(burst);
        for (uint32_t i = 0; i < count; ++i) {
            __builtin_prefetch(burst[i], 1);
            __builtin_prefetch(&static_cast<Message*>(burst[i])->next, 1);
        }
        for (uint32_t i = 0; i < count; ++i) {
            local.staged.push(static_cast<Message*>(burst[i]));
        }
        if (count < limits::burst) {
            return;
        }
        done += count;
    }
}

// ---------------------------------------------------------------- between workers

// A worker with room and nothing to send asks; one that keeps what its own links cannot take gives
// it half. Relaxed: who misses a bit sees it in its next turn, and the messages themselves go
// through a mailbox.
void Worker::share_staged(LocalSupplier& local) {
    SupplierShared& shared = hub_.supplier(local.id);
    const uint64_t mine = uint64_t{1} << id_.value;
    const uint64_t hungry = shared.hungry_workers.load(std::memory_order_relaxed);
    if (local.staged.empty() && local.has_room) {
        const uint64_t full = shared.full_workers.load(std::memory_order_relaxed) & ~mine;
        if (full != 0 && (hungry & mine) == 0) {
            shared.hungry_workers.fetch_or(mine, std::memory_order_relaxed);
            ring_mask_ |= full;
        }
        return;
    }
    if ((hungry & mine) != 0) {
        shared.hungry_workers.fetch_and(~mine, std::memory_order_relaxed);
    }
    // Rate and gate hold all workers alike: there giving would only be a to and fro.
    const uint64_t others = hungry & ~mine;
    if (others != 0 && !local.staged.empty() && !local.held) {
        const int to = std::countr_zero(others);
        shared.hungry_workers.fetch_and(~(uint64_t{1} << to), std::memory_order_relaxed);
        const uint32_t half = local.staged.count() - local.staged.count() / 2;
        give_staged(local, WorkerId{static_cast<uint8_t>(to)}, std::min(half, give_max));
    }
}

void Worker::give_staged(LocalSupplier& local, WorkerId to, uint32_t count) {
    for (; count > 0; --count) {
        Message* message = local.staged.pop();
        message->stage = Stage::submit;
        send_to(to, message);
    }
}

// Another worker's messages, for a link here.
void Worker::take_given(Message* message) {
    const uint16_t index = local_supplier_[message->supplier.value];
    if (index == 0xFFFF || suppliers_[index].bound_tx == 0 ||
        suppliers_[index].account == nullptr) {
        end_unsent(message, Outcome::bounced);
    } else {
        suppliers_[index].staged.push(message);
    }
}

// Lets the others know, where something has changed: offer() counts what is staged as queued.
void Worker::tell_staged(LocalSupplier& local) {
    const uint32_t count = local.staged.count();
    if (count == local.staged_told) {
        return;
    }
    SupplierShared& shared = hub_.supplier(local.id);
    const uint64_t mine = uint64_t{1} << id_.value;
    shared.staged.fetch_add(count - local.staged_told, std::memory_order_relaxed);
    if (count == 0) {
        shared.full_workers.fetch_and(~mine, std::memory_order_relaxed);
    } else if (local.staged_told == 0) {
        shared.full_workers.fetch_or(mine, std::memory_order_relaxed);
    }
    local.staged_told = count;
}

// ---------------------------------------------------------------- one message

bool Worker::submit(Session& session, Message* message) {
    smpp::Sm sm;
    number::AddressBuffers buffers;
    const CommandStatus fits = outgoing(session, *message, sm, buffers);
    if (fits != CommandStatus::esme_rok) {
        hub_.supplier(session.supplier_id).gate.leave(message->pass);
        message->outcome = Outcome::answered;
        message->status = fits;
        if (records_ != nullptr) {
            note_unfit(*message);
        }
        on_attempt_end(message);
        return true;
    }
    const auto out = reserve(session, smpp::encoded_sm_bytes_max(sm));
    if (out.empty()) {
        hub_.supplier(session.supplier_id).gate.leave(message->pass);
        end_unsent(message, Outcome::bounced);
        return false;
    }
    const uint32_t sequence = session.window->push(now_.mono_ns, Outstanding{message});
    commit(session, smpp::encode_sm(out, CommandId::submit_sm, sequence, sm));
    ++message->attempts;
    if ((message->stored || message->rerouted) && message->maybe_sent) {
        counters_.mt_resent.add();
    }
    hub_.counters(id_, session.supplier_id).submitted.add();
    if (records_ != nullptr) {
        note_sent(*message, sm);
    }
    return true;
}

// The message as this supplier wants it: its number form, no TLVs where it knows none.
smpp::CommandStatus Worker::outgoing(const Session& session,
                                     const Message& message,
                                     smpp::Sm& sm,
                                     number::AddressBuffers& buffers) {
    sm = message.sm;
    const number::Parties parties{message.destination, message.destination_kind, message.source,
                                  message.source_kind, message.sender_replaced};
    switch (number::write_addresses(parties, session.supplier->number_form, buffers, sm.destination,
                                    sm.source)) {
        case number::WriteFault::destination:
            return CommandStatus::esme_rinvdstadr;
        case number::WriteFault::source:
            return CommandStatus::esme_rinvsrcadr;
        case number::WriteFault::none:
            break;
    }
    if (message.stored || message.rerouted) {
        set_times(message, sm);
    }
    if (message.watched) {
        // Whatever its customer asked for: of success and of failure.
        sm.registered_delivery = static_cast<uint8_t>((sm.registered_delivery & ~0x03) | 0x01);
    }
    if (message.is_data_sm || (!session.tlvs && !sm.tlvs.empty())) {
        return without_payload_tlv(session, sm);
    }
    return CommandStatus::esme_rok;
}

// It was scheduled here, and the time that it waited here is taken off its validity.
void Worker::set_times(const Message& message, smpp::Sm& sm) {
    sm.schedule_delivery_time = {};
    if (!sm.validity_period.empty()) {
        validity_text_ = smpp::format_relative_time(message.expires_wall_ns, now_.wall_ns);
        sm.validity_period = validity_text_.view();
    }
}

// data_sm carries its text in message_payload, and a 3.3 link has no TLVs at all: what fits into
// short_message is moved there.
smpp::CommandStatus Worker::without_payload_tlv(const Session& session, smpp::Sm& sm) {
    Octets payload;
    if (sm.short_message.empty() &&
        smpp::find_tlv(sm.tlvs, smpp::TlvTag::message_payload, payload) && payload.size() <= 254) {
        sm.short_message = payload;
        if (session.tlvs) {
            ByteWriter rest({tlv_buffer_.get(), limits::pdu_bytes_max});
            for (const smpp::Tlv& tlv : smpp::TlvRange(sm.tlvs)) {
                if (tlv.tag != smpp::TlvTag::message_payload) {
                    rest.tlv(static_cast<uint16_t>(tlv.tag), tlv.value);
                }
            }
            sm.tlvs = {tlv_buffer_.get(), rest.written()};
        }
    } else if (!session.tlvs && !payload.empty()) {
        return CommandStatus::esme_rinvmsglen;
    }
    if (!session.tlvs) {
        sm.tlvs = {};
    }
    return CommandStatus::esme_rok;
}

// ---------------------------------------------------------------- ends of attempts

void Worker::end_unsent(Message* message, Outcome outcome) {
    message->outcome = outcome;
    message->stage = Stage::settle;
    send_to(WorkerId{message->home}, message);
}

// No link here any more: what waits goes to a worker that has one, else home, to look for its next
// target.
void Worker::leave_staged(LocalSupplier& local) {
    const uint64_t others = hub_.supplier(local.id).tx_workers.load(std::memory_order_acquire) &
                            ~(uint64_t{1} << id_.value);
    if (others != 0) {
        give_staged(local, WorkerId{static_cast<uint8_t>(std::countr_zero(others))},
                    local.staged.count());
    }
    while (Message* message = local.staged.pop()) {
        end_unsent(message, Outcome::bounced);
    }
    tell_staged(local);
}

// Its breaker is open: what waits looks for its next target.
void Worker::refuse_staged(LocalSupplier& local) {
    while (Message* message = local.staged.pop()) {
        end_unsent(message, Outcome::bounced);
    }
    tell_staged(local);
    bounce(local.id);
}

// Nobody takes messages for this supplier: what waits in its ring goes back to look for its next
// target.
void Worker::bounce(SupplierId supplier) {
    queue::SharedRing* ring = hub_.supplier(supplier).ring.load(std::memory_order_acquire);
    if (ring == nullptr) {
        return;
    }
    std::array<void*, limits::burst> burst;
    for (uint32_t done = 0; done < ring->capacity();) {
        const uint32_t count = ring->pop(burst);
        for (uint32_t i = 0; i < count; ++i) {
            end_unsent(static_cast<Message*>(burst[i]), Outcome::bounced);
        }
        if (count == 0) {
            return;
        }
        done += count;
    }
}

// Stuck behind a full window, a pause or a rate: messages whose time is over must not wait on,
// wherever they stand.
void Worker::expire_staged(LocalSupplier& local) {
    // Without a link here the ring is for the workers that have one.
    if (local.bound_tx > 0 && !local.moved) {
        stage_waiting(local);
    }
    local.moved = false;
    local.staged.sweep(
        sweep_steps, [&](const Message& message) { return now_.mono_ns >= message.deadline_ns; },
        [&](Message* message) { end_unsent(message, Outcome::expired); });
    tell_staged(local);
}

}  // namespace sy::engine
