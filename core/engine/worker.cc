// Turns, sessions' birth and death, what passes between workers. See worker.h.
#include "core/engine/worker.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/engine/multi_group.h"

namespace sy::engine {
namespace {

constexpr uint32_t mailbox_burst = 64;
constexpr uint32_t mailbox_work_max = 512;  // per turn and sender: a bounded drain
constexpr uint32_t groups_max = 256;        // submit_multi under way, per worker
constexpr uint32_t connections_per_large_chunk = 32;

uint32_t large_chunks(uint32_t connections_max) {
    return std::max<uint32_t>(64, connections_max / connections_per_large_chunk);
}

}  // namespace

Worker::Worker(Hub& hub, WorkerId id, uint64_t seed)
    : hub_(hub),
      id_(id),
      store_(hub.store()),
      counters_(hub.counters(id)),
      quality_(hub.quality_counts(id)),
      records_(hub.records(id)),
      prng_(seed),
      pool_(id.value,
            hub.options().messages_max,
            hub.options().large_messages_max,
            records_ != nullptr),
      chunks_(hub.options().connections_max, large_chunks(hub.options().connections_max)),
      sessions_(hub.options().connections_max),
      active_(sessions_.size()),
      dirty_(sessions_.size() * 2),
      actions_(sessions_.size() * 3 + limits::trunks_max),
      local_supplier_(limits::suppliers_max, 0xFFFF),
      spill_(hub.workers()),
      receipt_map_(std::max<uint32_t>(1024, hub.options().receipts_max / hub.workers()),
                   hub.options().receipt_age_ns),
      lost_ways_(lost_ways_max),
      parked_(park_buckets),
      stored_open_(store_ != nullptr ? limits::customers_max : 0),
      message_loads_(stored_open_.size()),
      held_(stored_open_.size()),
      held_customers_(stored_open_.size()),
      waiting_(limits::customers_max),
      waiting_list_(limits::customers_max),
      rx_sessions_(limits::customers_max),
      tlv_buffer_(std::make_unique<uint8_t[]>(limits::pdu_bytes_max)),
      free_groups_(groups_max) {
    for (uint32_t i = 0; i < groups_max; ++i) {
        groups_.push_back(std::make_unique<MultiGroup>());
        free_groups_.push_back(groups_.back().get());
    }
}

Worker::~Worker() = default;

void Worker::begin_turn(const Now& now) {
    now_ = now;
    work_ = 0;
    counters_.turns.add();
    if (message_id_next_ == 0) {
        // 256 ns a step: unique across restarts as long as no worker averages 4 M messages/s.
        message_id_next_ = now.wall_ns >> 8;
    }
    const route::Snapshot* snapshot = hub_.published().load();
    if (snapshot != snapshot_ && snapshot != nullptr) [[unlikely]] {
        adopt(*snapshot);
    }
    draining_ = hub_.drain_latest_ns() != 0;
}

void Worker::run() {
    route_mt();
    run_mailboxes();
    run_store();
    route_mt();  // answers to MO messages that others have settled
    run_rings();
    if (now_.mono_ns - tick_ns_ >= millisecond_ns) {
        run_trunks();
        run_timers();
    }
    if (draining_) {
        run_drain();
    }
}

void Worker::end_turn() {
    hub_.published().quiescent(id_.value);
    if (ring_mask_ != 0) {
        hub_.ring(ring_mask_ & ~(uint64_t{1} << id_.value));
        ring_mask_ = 0;
    }
    ring_store();
}

Nanos Worker::next_wakeup_ns() const {
    // Something waits for a rate, a pause or room in a mailbox: look again soon.
    const bool soon = std::ranges::any_of(suppliers_,
                                          [&](const LocalSupplier& local) {
                                              const auto* ring = hub_.supplier(local.id).ring.load(
                                                  std::memory_order_acquire);
                                              return !local.staged.empty() || ring->count() > 0;
                                          }) ||
                      !waiting_list_.empty() || !store_spill_.empty() || !held_customers_.empty() ||
                      std::ranges::any_of(spill_, [](const auto& list) { return !list.empty(); });
    return now_.mono_ns + (soon ? millisecond_ns : tick_ns);
}

bool Worker::prepare_sleep() {
    hub_.published().offline(id_.value);
    hub_.lie_down(id_);
    bool idle = hub_.published().load() == snapshot_;
    for (uint32_t from = 0; from < hub_.workers() && idle; ++from) {
        idle = hub_.mailbox(WorkerId{static_cast<uint8_t>(from)}, id_).empty();
    }
    idle = idle && (store_ == nullptr || !store_->has_returns(id_));
    for (const LocalSupplier& local : suppliers_) {
        const bool stuck = local.bound_tx == 0 || !local.staged.empty();
        idle = idle && (stuck ||
                        hub_.supplier(local.id).ring.load(std::memory_order_acquire)->count() == 0);
    }
    if (!idle) {
        finish_sleep();
    }
    return idle;
}

void Worker::finish_sleep() {
    hub_.get_up(id_);
    hub_.published().online(id_.value);
}

// ---------------------------------------------------------------- sessions

Session* Worker::session_of(ConnId conn) {
    if (conn.slot >= sessions_.size()) {
        return nullptr;
    }
    Session& session = sessions_[conn.slot];
    return session.side != Side::none && session.conn == conn ? &session : nullptr;
}

Session& Worker::open_session(ConnId conn, Side side) {
    SY_ASSERT(conn.slot < sessions_.size());
    Session& session = sessions_[conn.slot];
    SY_ASSERT(session.side == Side::none);
    session = Session{};
    session.conn = conn;
    session.side = side;
    session.since_ns = now_.mono_ns;
    session.last_in_ns = now_.mono_ns;
    session.active_index = static_cast<uint32_t>(active_.size());
    active_.push_back(conn.slot);
    ++work_;
    return session;
}

void Worker::on_accepted(ConnId conn, const Endpoint& peer) {
    Session& session = open_session(conn, Side::customer);
    session.peer = peer;
    counters_.connections_accepted.add();
}

void Worker::on_writable(ConnId conn) {
    Session* session = session_of(conn);
    if (session == nullptr) {
        return;
    }
    session->blocked = false;
    if (!session->dirty) {
        session->dirty = true;
        dirty_.push_back(conn.slot);
    }
    ++work_;
}

void Worker::on_closed(ConnId conn, CloseReason reason) {
    if (Session* session = session_of(conn)) {
        forget_session(*session, reason);
    }
    ++work_;
}

void Worker::forget_session(Session& session, CloseReason reason) {
    if (session.side == Side::supplier) {
        event(EventKind::supplier_closed, session, {}, static_cast<uint64_t>(reason));
        trunk_down(session);
    } else if (session.customer_id.valid()) {
        event(EventKind::customer_closed, session, {}, static_cast<uint64_t>(reason));
        release_bind(session);
    }
    // Detach first: what is handed back below must not find this session again.
    auto window = std::move(session.window);
    const Side side = session.side;
    session.side = Side::none;
    session.output.clear(chunks_);
    if (session.partial != nullptr) {
        chunks_.give_back(session.partial);
        session.partial = nullptr;
    }
    const uint32_t last = active_.back();
    active_[session.active_index] = last;
    sessions_[last].active_index = session.active_index;
    active_.pop_back();
    if (window != nullptr) {
        window->drain([&](uint32_t, Outstanding outstanding) {
            if (side == Side::supplier) {
                // On a new session no late response can come.
                (void)lose(outstanding.message, smpp::CommandStatus::esme_rsyserr);
            } else {
                undelivered(outstanding.message, smpp::CommandStatus::esme_rsyserr, true);
            }
        });
    }
}

// The session counts no more: at its unbind already, so that the customer can bind again at once.
void Worker::release_bind(Session& session) {
    if (!session.counted) {
        return;
    }
    session.counted = false;
    hub_.customer(session.customer_id).binds.fetch_sub(1, std::memory_order_relaxed);
    Counter& binds = hub_.counters(id_, session.customer_id).binds;
    binds.set(binds.get() - 1);
    std::erase(rx_sessions_[session.customer_id.value], session.conn.slot);
    rx_session_up(session.customer_id);
}

void Worker::act(Action::Kind kind, ConnId conn) {
    actions_.push_back({.kind = kind, .conn = conn, .trunk = 0, .endpoint = {}});
    ++work_;
}

void Worker::drop_session(Session& session) {
    session.ending = Ending::closing;
    act(Action::Kind::abort, session.conn);
}

void Worker::close_session(Session& session) {
    if (session.ending != Ending::closing) {
        session.ending = Ending::closing;
        session.state = smpp::SessionState::closed;
        act(Action::Kind::close, session.conn);
    }
}

void Worker::unbind_session(Session& session) {
    if (session.ending == Ending::unbinding || session.ending == Ending::closing) {
        return;
    }
    if (!smpp::is_bound(session.state)) {
        close_session(session);
        return;
    }
    session.control_sequence = session.window->next_sequence();
    send_empty(session, smpp::CommandId::unbind, smpp::CommandStatus::esme_rok,
               session.control_sequence);
    session.ending = Ending::unbinding;
    session.ending_ns = now_.mono_ns;
}

void Worker::event(EventKind kind,
                   const Session& session,
                   smpp::CommandStatus status,
                   uint64_t detail) {
    Event out;
    out.kind = kind;
    out.worker = id_.value;
    out.customer = session.customer_id;
    out.supplier = session.supplier_id;
    out.status = status;
    out.detail = detail;
    out.peer = session.peer;
    out.wall_ns = now_.wall_ns;
    hub_.report(id_, out);
}

// About a supplier as such, not one of its links; or (none) about this worker.
void Worker::supplier_event(EventKind kind,
                            SupplierId supplier,
                            smpp::CommandStatus status,
                            uint64_t detail) {
    Event out;
    out.kind = kind;
    out.worker = id_.value;
    out.supplier = supplier;
    out.status = status;
    out.detail = detail;
    out.wall_ns = now_.wall_ns;
    hub_.report(id_, out);
}

// ---------------------------------------------------------------- between workers

void Worker::send_to(WorkerId worker, Message* message) {
    if (is_local(worker)) {
        handle(message);
        return;
    }
    auto& spill = spill_[worker.value];
    if (!spill.empty() || !hub_.mailbox(id_, worker).push(message)) {
        spill.push_back(message);
    }
    ring_mask_ |= uint64_t{1} << worker.value;
}

void Worker::run_mailboxes() {
    for (uint32_t w = 0; w < hub_.workers(); ++w) {
        const WorkerId other{static_cast<uint8_t>(w)};
        auto& spill = spill_[w];
        while (!spill.empty() && hub_.mailbox(id_, other).push(spill.front())) {
            spill.pop_front();
            ring_mask_ |= uint64_t{1} << w;
        }
        if (is_local(other)) {
            continue;
        }
        std::array<Message*, mailbox_burst> burst;
        for (uint32_t done = 0; done < mailbox_work_max;) {
            const uint32_t count = hub_.mailbox(other, id_).pop(burst);
            for (uint32_t i = 0; i < count; ++i) {
                handle(burst[i]);
            }
            work_ += count;
            done += count;
            if (count < mailbox_burst) {
                break;
            }
        }
    }
}

void Worker::settle(Message* message) {
    switch (message->kind) {
        case MessageKind::mo:
            settle_mo(message);
            return;
        case MessageKind::copy:
            settle_copy(message);
            return;
        case MessageKind::mt:
        case MessageKind::receipt:
            settle_mt(message);
            return;
        case MessageKind::way:
            pool_.give_back(message);
            return;
    }
}

void Worker::handle(Message* message) {
    switch (message->stage) {
        case Stage::settle:
            settle(message);
            return;
        case Stage::receipt_insert:
            insert_receipt(message);
            return;
        case Stage::receipt_lookup:
            lookup_receipt(message);
            return;
        case Stage::answer_receipt:
            end_receipt(message, message->status);
            return;
        case Stage::deliver:
            deliver(message);
            return;
        case Stage::submit:
            take_given(message);
            return;
        case Stage::way_kept:
            on_way_kept(message);
            return;
        case Stage::way_found:
            on_way_found(message);
            return;
        case Stage::receipt_kept:
            on_receipt_kept(message);
            return;
        case Stage::receipt_loaded:
            on_receipt_loaded(message);
            return;
        case Stage::message_kept:
            on_message_kept(message);
            return;
        case Stage::message_turn:
            on_message_turn(message);
            return;
        case Stage::message_loaded:
            on_message_loaded(message);
            return;
        case Stage::message_postponed:
            on_message_postponed(message);
            return;
        case Stage::message_ended:
            on_message_ended(message);
            return;
        case Stage::question_answered:
            answer_question(message);
            return;
        case Stage::watched_loaded:
            on_watched_loaded(message);
            return;
        case Stage::reroute_ended:
            on_reroute_ended(message);
            return;
        case Stage::way_forgotten:
            forget_lost_way(message);
            return;
        case Stage::release:
            pool_.give_back(message);
            return;
    }
}

}  // namespace sy::engine
