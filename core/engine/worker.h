// One worker: every session that landed on it, every message on its way through it. A pure machine:
// octets and time in, octets and actions out; the driver (driver.h) couples it to a transport. Used
// by one thread; meets other workers only in the Hub.
//
// On the message path nothing allocates, locks, logs, throws or makes a system call. Memory is
// taken in the constructor, when a session binds (its window) and when a snapshot is adopted.
//
// The way of a message is spread over the worker_*.cc files:
//   worker.cc           turns, sessions' birth and death, what passes between workers
//   worker_adopt.cc     a new snapshot: accounts that changed
//   worker_timers.cc    probes, inactivity, late responses, the end of a drain
//   worker_input.cc     framing and what every session does alike
//   worker_customer.cc  PDUs from customers: bind, submit, query ...
//   worker_supplier.cc  links to suppliers: connect, bind, responses
//   worker_submit.cc    from a supplier's ring into its links: who goes first, what cannot go
//   worker_gate.cc      what suppliers' answers say of the suppliers
//   worker_mt.cc        route, dispatch, settle
//   worker_mo.cc        MO from suppliers to customers
//   worker_reply.cc     copies of MO messages, answers to phones
//   worker_receipt.cc   receipts from suppliers to customers
//   worker_store.cc     what is handed to the store, and what comes back
//   worker_stored.cc    messages taken to store and forward
//   worker_held.cc      ... from a customer that is faster than its suppliers
//   worker_reroute.cc   messages that go over a next target when their receipt fails
//   worker_unknown.cc   submits without a response, and what settles them late
//   worker_question.cc  query_sm, cancel_sm, replace_sm of those
//   worker_deliver.cc   deliver_sm to customers, for MO and receipts alike
//   worker_record.cc    what records say: attempts as they are made, messages as they end
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/fixed_vector.h"
#include "core/base/limits.h"
#include "core/base/prng.h"
#include "core/base/time.h"
#include "core/engine/hub.h"
#include "core/engine/lost_ways.h"
#include "core/engine/message.h"
#include "core/engine/output.h"
#include "core/engine/receipt_map.h"
#include "core/engine/reply_guard.h"
#include "core/engine/session.h"
#include "core/engine/supplier_queue.h"
#include "core/engine/transport.h"
#include "core/queue/intrusive_list.h"
#include "core/route/snapshot.h"
#include "core/smpp/framer.h"
#include "core/smpp/time_format.h"

namespace sy::engine {

/// What the worker wants of the transport beyond sending; the driver carries it out.
struct Action {
    enum class Kind : uint8_t { connect, close, abort, pause, resume };
    Kind kind{};
    ConnId conn;
    uint16_t trunk = 0;  // connect
    Endpoint endpoint;   // connect
};

struct MultiGroup;
struct Record;
enum class RecordEnd : uint8_t;
enum class RecordKind : uint8_t;

class Worker {
  public:
    Worker(Hub& hub, WorkerId id, uint64_t seed);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // --- The driver's side of a turn, in this order.

    /// Takes the time, adopts a new snapshot if there is one.
    void begin_turn(const Now& now);
    // TransportHandler, called from transport.poll():
    void on_accepted(ConnId conn, const Endpoint& peer);
    void on_connected(ConnId conn);
    size_t on_bytes(ConnId conn, Octets octets);
    /// Octets of that connection follow (transport.h).
    void expect(ConnId conn) const;
    void on_writable(ConnId conn);
    void on_closed(ConnId conn, CloseReason reason);
    /// Routes what poll() brought, empties mailboxes and rings, runs timers.
    void run();
    /// What the transport has to do; valid until clear_actions().
    [[nodiscard]] std::span<const Action> actions() const {
        return {actions_.begin(), actions_.size()};
    }
    void clear_actions() { actions_.clear(); }
    /// The outcome of an Action::connect; invalid conn: it could not even start.
    void connect_started(uint16_t trunk, ConnId conn);
    /// Offers every session's output to `send(ConnId, Octets) -> size_t` (octets taken), each a few
    /// sessions after `expect(ConnId)`.
    template <class Send, class Expect>
    void flush(Send&& send, Expect&& expect);
    /// Reports a quiescent state and rings whom this turn gave work.
    void end_turn();

    /// The router drains: no new customers.
    [[nodiscard]] bool wants_no_listeners() const { return draining_; }
    /// True when something happened in this turn: the driver should not sleep yet.
    [[nodiscard]] bool busy() const { return work_ > 0; }
    /// No later than this (monotonic) a turn is wanted.
    [[nodiscard]] Nanos next_wakeup_ns() const;
    /// Before and after a sleep. prepare_sleep() is false when work has come meanwhile.
    [[nodiscard]] bool prepare_sleep();
    void finish_sleep();

    // --- For tests and metrics of this worker's own thread.

    [[nodiscard]] WorkerId id() const { return id_; }
    [[nodiscard]] const MessagePool& pool() const { return pool_; }
    [[nodiscard]] uint32_t session_count() const { return static_cast<uint32_t>(active_.size()); }
    [[nodiscard]] uint32_t receipts_known() const { return receipt_map_.waiting(); }

  private:
    // Every session is looked at once in this time; half of the shortest enquire_link interval seen
    // in the field (0.5 s) leaves room.
    static constexpr Nanos tick_ns = 50 * millisecond_ns;

    enum class TrunkState : uint8_t { idle, connecting, binding, bound, retiring };

    // One link to a supplier that this worker has to keep up.
    struct Trunk {
        SupplierId supplier;
        const route::Supplier* account = nullptr;  // null: removed from the configuration
        uint16_t bind_index = 0;
        smpp::CommandId bind = smpp::CommandId::bind_transceiver;
        TrunkState state = TrunkState::idle;
        ConnId conn;
        Nanos next_attempt_ns = 0;
        Nanos backoff_ns = 0;
        bool can_submit = false;
        bool can_receive = false;
        bool in_use = false;
        bool one_shot = false;  // came by outbind: not ours to reconnect
        uint32_t failures = 0;  // in a row
    };

    // A supplier that has trunks on this worker.
    struct LocalSupplier {
        SupplierId id;
        const route::Supplier* account = nullptr;
        std::vector<uint16_t> trunks;
        uint16_t next_trunk = 0;
        uint16_t bound_tx = 0;
        SupplierQueue staged;      // out of the ring, waiting for rate or window
        uint32_t staged_told = 0;  // of those, how many SupplierShared knows of
        uint64_t parts_key = 0;    // of the last message sent at a rate, 0: it was no part
        bool moved = false;        // something was sent since the last expire_staged()
        bool has_room = false;     // of the last drain_ring(): a link could have taken more
        bool held = false;         // of the last may_submit(): by the rate or the gate
    };

    // Messages for a customer that wait for a session, its window or its patience.
    struct Waiting {
        queue::IntrusiveFifo<Message> messages;
        bool listed = false;
    };

    // worker_adopt.cc
    void adopt(const route::Snapshot& snapshot);
    void adopt_suppliers(const route::Snapshot& snapshot);
    void adopt_customers(const route::Snapshot& snapshot);

    // worker_timers.cc
    void run_timers();
    void session_timers(Session& session);
    void probe_timers(Session& session);
    void expire_responses(Session& session);
    void run_drain();

    // worker.cc
    Session* session_of(ConnId conn);
    Session& open_session(ConnId conn, Side side);
    void forget_session(Session& session, CloseReason reason);
    void release_bind(Session& session);   // its place among the account's binds
    void drop_session(Session& session);   // abort
    void close_session(Session& session);  // orderly
    void unbind_session(Session& session);
    void act(Action::Kind kind, ConnId conn);
    void event(EventKind kind, const Session& session, smpp::CommandStatus status, uint64_t detail);
    void supplier_event(EventKind kind,
                        SupplierId supplier,
                        smpp::CommandStatus status,
                        uint64_t detail);
    void send_to(WorkerId worker, Message* message);
    void run_mailboxes();
    void handle(Message* message);
    void settle(Message* message);

    // worker_input.cc
    void on_pdu(Session& session, const smpp::Frame& frame);
    void on_bad_frame(Session& session, smpp::FrameOutcome outcome, const smpp::Header& header);
    void prefetch_answered(const Session& session, Octets octets) const;
    bool collect_partial(Session& session, Octets& octets);
    void on_control(Session& session, const smpp::Header& header);
    void refuse_state(Session& session, const smpp::Header& header);
    void read_again(Session& session);
    std::span<uint8_t> reserve(Session& session, size_t bytes);
    void commit(Session& session, size_t bytes);
    void send_empty(Session& session,
                    smpp::CommandId id,
                    smpp::CommandStatus status,
                    uint32_t sequence_number);
    void answer_error(Session& session, const smpp::Header& request, smpp::CommandStatus status);
    void note_malformed(Session& session);

    // worker_customer.cc
    void on_customer_pdu(Session& session, const smpp::Frame& frame);
    void on_bind(Session& session, const smpp::Frame& frame);
    smpp::CommandStatus check_bind(Session& session,
                                   smpp::CommandId id,
                                   const smpp::Bind& bind,
                                   CustomerId& customer);
    void bind_customer(Session& session,
                       const smpp::Frame& frame,
                       const smpp::Bind& bind,
                       CustomerId customer);
    void on_submit(Session& session, const smpp::Frame& frame);
    void on_submit_multi(Session& session, const smpp::Frame& frame);
    smpp::CommandStatus admit(Session& session,
                              uint32_t messages,
                              const smpp::Sm& sm,
                              bool needs_store);
    [[nodiscard]] bool admit_part(const Session& session, const smpp::Sm& sm);
    void accept_mt(Session& session, Message* message);
    [[nodiscard]] uint64_t next_id(const Message& message);
    [[nodiscard]] Message* take_destination(Session& session,
                                            const smpp::Frame& frame,
                                            const smpp::SubmitMulti& multi,
                                            const smpp::Address& to,
                                            smpp::CommandStatus& status);
    void split_multi(Session& session, const smpp::Frame& frame, const smpp::SubmitMulti& multi);
    Message* take_mt(Session& session, const smpp::Frame& frame, const smpp::Sm& sm);
    static smpp::CommandStatus set_numbers(const route::Customer& customer, Message& message);
    void set_deadline(const Session& session, Message& message);

    // worker_supplier.cc
    void run_trunks();
    void connect_trunk(Trunk& trunk, uint16_t index);
    void attach_trunk(Session& session, Trunk& trunk, uint16_t index);
    void retry_trunk(Trunk& trunk);
    uint16_t add_trunk(const Trunk& trunk);
    LocalSupplier& local_of(SupplierId supplier);
    void send_bind(Session& session, Trunk& trunk);
    void on_supplier_pdu(Session& session, const smpp::Frame& frame);
    void on_bind_resp(Session& session, const smpp::Frame& frame);
    void on_outbind(Session& session, const smpp::Frame& frame);
    void on_submit_resp(Session& session, const smpp::Frame& frame);
    void on_deliver(Session& session, const smpp::Frame& frame);
    void trunk_up(Session& session, Trunk& trunk);
    void trunk_down(Session& session);

    // worker_submit.cc
    void run_rings();
    void drain_ring(LocalSupplier& local);
    uint32_t submit_on(LocalSupplier& local, Trunk& trunk);
    uint32_t submit_straight(LocalSupplier& local, Session& session, uint32_t room);
    uint32_t submit_fairly(LocalSupplier& local, Session& session, uint32_t room);
    void stage_waiting(LocalSupplier& local);
    bool may_submit(LocalSupplier& local, Message& message);
    void refuse_staged(LocalSupplier& local);
    bool submit(Session& session, Message* message);
    void share_staged(LocalSupplier& local);
    void give_staged(LocalSupplier& local, WorkerId to, uint32_t count);
    void take_given(Message* message);
    void tell_staged(LocalSupplier& local);
    smpp::CommandStatus outgoing(const Session& session,
                                 const Message& message,
                                 smpp::Sm& sm,
                                 number::AddressBuffers& buffers);
    void set_times(const Message& message, smpp::Sm& sm);
    smpp::CommandStatus without_payload_tlv(const Session& session, smpp::Sm& sm);
    void end_unsent(Message* message, Outcome outcome);
    void bounce(SupplierId supplier);
    void leave_staged(LocalSupplier& local);
    void expire_staged(LocalSupplier& local);

    // worker_gate.cc
    [[nodiscard]] bool admit_probe(SupplierId supplier);
    void judge_answer(const Session& session, Message& message, const smpp::Frame& frame);
    void judge_silence(const Session& session, Message& message);
    void pause_supplier(SupplierId supplier, smpp::CommandStatus status);
    [[nodiscard]] uint8_t congestion_for(const Session& session, SupplierId supplier);
    void tell_change(SupplierId supplier, SupplierGate::Change change, smpp::CommandStatus status);

    // worker_mt.cc
    void route_mt();
    void route_soon(Message* message) {
        mt_batch_[mt_count_++] = message;
        if (mt_count_ == limits::burst) {
            route_mt();
        }
    }
    void dispatch_mt(Message* message, smpp::CommandStatus status);
    bool offer(Message* message, SupplierId supplier, smpp::CommandStatus& status);
    void on_attempt_end(Message* message);
    void settle_mt(Message* message);
    void retry_or_finish(Message* message);
    void give_up(Message* message, smpp::CommandStatus status, Counter& end_state);
    void finish_mt(Message* message, smpp::CommandStatus status, Counter& end_state);
    void answer_submit(Message* message, smpp::CommandStatus status);
    struct Spread {
        uint64_t hash = 0;
        bool is_part = false;  // of a long message: the same for all its parts
        uint8_t sequence = 0;  // of the part, from 1
    };
    [[nodiscard]] static Spread spread_of(const Message& message);
    [[nodiscard]] static Spread part_of(CustomerId customer,
                                        const smpp::Sm& sm,
                                        std::string_view destination);
    void set_targets(Message& message, const route::MtDecision& decision);
    void finish_group(Message* message, smpp::CommandStatus status);
    void answer_group(Session& session, const Message& message, const MultiGroup& group);

    // worker_mo.cc
    Message* take_from_supplier(Session& session,
                                const smpp::Frame& frame,
                                const smpp::Sm& sm,
                                MessageKind kind);
    void on_mo(Session& session, const smpp::Frame& frame, const smpp::Sm& sm);
    [[nodiscard]] route::MoDecision decide_mo(Message& message, route::MoQuery& query);
    void keep_parts_together(Message& message);
    [[nodiscard]] smpp::CommandStatus refuse_status(SupplierId supplier) const;
    void dispatch_mo(Message* message, smpp::CommandStatus status);
    void settle_mo(Message* message);
    void finish_mo(Message* message, smpp::CommandStatus status);
    void answer_deliver(Message* message, smpp::CommandStatus status);

    // worker_reply.cc
    [[nodiscard]] bool has_spare_messages() const;
    void send_copies(const Message& mo);
    void settle_copy(Message* copy);
    [[nodiscard]] Message* make_reply(const Message& mo,
                                      text::Alphabet alphabet,
                                      const route::ReplyTemplate& reply);
    void send_reply(const Message& mo, Message* reply);

    // worker_receipt.cc
    void on_receipt(Session& session, const smpp::Frame& frame, const smpp::Sm& sm);
    void insert_receipt(Message* message);
    [[nodiscard]] ReceiptMap::Found find_way(const Message& message) const;
    void remember_way(Message* message);
    void lookup_receipt(Message* message);
    void wait_for_way(Message* message);
    void match_receipt(Message* message, const ReceiptMap::Found& found);
    void accept_receipt(Message* message);
    void hold_off(Message* message);
    [[nodiscard]] bool queue_is_full(CustomerId customer) const;
    void park_receipt(Message* message);
    void unpark_receipts(const ReceiptKey& key);
    void expire_parked(Nanos elapsed_ns);
    void end_orphan(Message* message);
    void end_receipt(Message* message, smpp::CommandStatus status);
    void end_receipt_from_owner(Message* message, smpp::CommandStatus status);
    size_t encode_receipt(const Session& session,
                          const Message& message,
                          std::span<uint8_t> out,
                          uint32_t sequence_number);

    // worker_store.cc
    void order_of_store(Message* message, StoreOrder order, Stage then, WorkerId back);
    void run_store();
    void ring_store();
    void on_way_kept(Message* message);
    void on_way_found(Message* message);
    void on_receipt_kept(Message* message);
    void end_swallowed(Message* message);
    void on_receipt_loaded(Message* message);
    void load_from_store(Nanos elapsed_ns);
    void load_receipts_of(CustomerId customer);

    // worker_stored.cc
    [[nodiscard]] bool takes_to_store(const Session& session, uint8_t esm_class) const;
    void set_times_of_stored(Message& message) const;
    void on_message_kept(Message* message);
    void on_message_turn(Message* message);
    void on_message_loaded(Message* message);
    void on_message_postponed(Message* message);
    void on_message_ended(Message* message);
    void begin_round(Message* message);
    void reset_round(Message& message) const;
    void set_round_deadline(Message& message, Nanos patience_ns) const;
    [[nodiscard]] Nanos retry_wait(const Message& message,
                                   smpp::CommandStatus status,
                                   uint8_t tries) const;
    void postpone(Message* message, smpp::CommandStatus status);
    void postpone_until(Message* message, Nanos due_wall_ns);
    void end_stored(Message* message, smpp::CommandStatus status, const Counter& end_state);
    void release_stored(Message* message);
    void store_again(Message* message);
    void run_store_again();
    void load_messages_of(CustomerId customer);
    [[nodiscard]] bool hands_are_full(CustomerId customer) const;
    void order_next_message(CustomerId customer, Message* message);

    // worker_held.cc
    void keep_message(Message* message);
    void write_message(Message* message);
    void write_held(CustomerId customer);
    void run_held();

    // worker_reroute.cc
    void watch(Message& message, Nanos reroute_ns) const;
    [[nodiscard]] bool drop_tried(Message& message);
    void begin_watch(Message& message);
    void load_watched();
    void order_next_watched(Message* message);
    void on_watched_loaded(Message* message);
    void reroute(Message* message);
    void finish_reroute(Message* message, smpp::CommandStatus status, const Counter& end_state);
    void reroute_later(Message* message, smpp::CommandStatus status, const Counter& end_state);
    void end_reroute(Message* message);
    void order_end_reroute(Message* message, Nanos due_wall_ns, bool again);
    void on_reroute_ended(Message* message);

    // worker_unknown.cc
    [[nodiscard]] uint64_t lose(Message* message, smpp::CommandStatus status);
    [[nodiscard]] uint64_t remember_lost(const Message& message);
    [[nodiscard]] bool sends_again(const Message& message) const;
    void send_way(const ReceiptWay& way, const ReceiptKey& key, Stage stage);
    void forget_lost_way(Message* carrier);
    void on_late_resp(Session& session, const smpp::Frame& frame, uint64_t ticket);
    [[nodiscard]] bool look_by_destination(Message* message);

    // worker_question.cc
    void on_question(Session& session, const smpp::Frame& frame);
    [[nodiscard]] smpp::CommandStatus read_question(const Session& session,
                                                    const smpp::Frame& frame,
                                                    Message& message);
    [[nodiscard]] bool cancels_more(Message& message);
    void answer_question(Message* message);

    // worker_deliver.cc
    [[nodiscard]] static bool is_temporary(smpp::CommandStatus status);
    void rx_session_up(CustomerId customer);
    [[nodiscard]] uint64_t other_rx_workers(CustomerId customer) const;
    void deliver(Message* message);
    bool deliver_now(Message* message);
    bool deliver_on(Session& session, Message* message);
    void wait_for_customer(Message* message);
    void queue_waiting(Message* message, bool first);
    Message* pop_waiting(CustomerId customer);
    void drop_waiting(Message* message);
    void run_waiting();
    void run_waiting_of(CustomerId customer);
    void give_up_waiting_mo(CustomerId customer);
    void on_deliver_resp(Session& session, const smpp::Frame& frame);
    void undelivered(Message* message, smpp::CommandStatus status, bool unknown);
    void end_delivery(Message* message, Outcome outcome, smpp::CommandStatus status);
    void release(Message* message);

    // worker_record.cc. REQUIRES: records_ != nullptr.
    void note_sent(Message& message, const smpp::Sm& sm);
    void note_unfit(Message& message);
    void note_answer(Message& message, const Session& session, const smpp::Frame& frame);
    void note_end(Message& message);
    void note_delivery(Message& message);
    void record_mt(const Message& message, smpp::CommandStatus status, const Counter& end_state);
    void record_mo(const Message& message, RecordKind kind, smpp::CommandStatus status);
    [[nodiscard]] Record new_record(RecordKind kind, RecordEnd end, Nanos accepted_ns) const;
    void record_receipt(const Message& message, RecordEnd end);
    void record_late(const LostWays::Lost& lost,
                     smpp::CommandStatus status,
                     std::string_view supplier_id);
    void record_cancelled(const Message& question);
    static void set_way(const ReceiptWay& way, Record& out);
    void set_record_times(const Message& message, Record& out) const;
    void set_record_content(const Message& message, Record& out);
    void set_record_price(const Message& message, Record& out) const;
    [[nodiscard]] NetworkId record_network(const Message& message) const;
    [[nodiscard]] Octets chosen_tlvs(Octets stream);
    void write_record(const Record& record);

    /// How to read what comes on a link: also on one that a reload is retiring (its own account may
    /// be freed), whose responses and receipts still count.
    const route::Supplier* account_of(const Session& session) const {
        return session.supplier != nullptr ? session.supplier
                                           : snapshot_->supplier(session.supplier_id);
    }
    [[nodiscard]] uint64_t key_seed_of(SupplierId supplier) {
        return hub_.supplier(supplier).key_seed.load(std::memory_order_relaxed);
    }
    WorkerId owner_of(const ReceiptKey& key) const {
        return WorkerId{static_cast<uint8_t>(key.high % hub_.workers())};
    }
    [[nodiscard]] bool is_local(WorkerId worker) const { return worker == id_; }

    Hub& hub_;
    const WorkerId id_;
    StoreLink* const store_;  // null: none
    WorkerCounters& counters_;
    route::QualityCounts& quality_;
    queue::ByteRing* const records_;  // null: no records
    Prng prng_;
    Now now_;
    uint32_t work_ = 0;
    bool draining_ = false;
    bool reported_drained_ = false;

    const route::Snapshot* snapshot_ = nullptr;
    route::RouteScratch* scratch_ = nullptr;

    MessagePool pool_;
    ChunkPool chunks_;
    std::vector<Session> sessions_;  // by ConnId.slot
    FixedVector<uint32_t> active_;   // slots in use
    FixedVector<uint32_t> dirty_;    // slots with output; twice where a slot got a new session
    FixedVector<Action> actions_;    // a connect a trunk, at most three of a session's life a turn
    std::vector<Trunk> trunks_;
    std::vector<LocalSupplier> suppliers_;
    std::vector<uint16_t> local_supplier_;  // by SupplierId: index into suppliers_, 0xFFFF: none

    std::array<Message*, limits::burst> mt_batch_{};
    uint32_t mt_count_ = 0;

    std::vector<queue::IntrusiveFifo<Message>> spill_;  // by worker: did not fit into its mailbox
    uint64_t ring_mask_ = 0;                            // workers to wake at the end of the turn
    uint64_t message_id_next_ = 0;

    ReplyGuard reply_guard_;

    ReceiptMap receipt_map_;
    static constexpr uint32_t lost_ways_max = 4096;  // submits that wait for a late response
    LostWays lost_ways_;
    static constexpr uint32_t park_buckets = 4096;
    std::vector<queue::IntrusiveFifo<Message>> parked_;
    uint32_t parked_count_ = 0;
    uint32_t parked_cursor_ = 0;

    queue::IntrusiveFifo<Message> store_spill_;  // did not fit into the store's ring
    bool rang_writer_ = true;                    // nothing was handed to that end since
    bool rang_reader_ = true;
    uint32_t loads_open_ = 0;  // asked of the store, not come back
    uint32_t load_cursor_ = 0;

    // Messages taken to store and forward that are in this worker's hands, by CustomerId; and how
    // many of them are on their way from the store.
    std::vector<uint32_t> stored_open_;
    std::vector<uint16_t> message_loads_;
    // Not handed to the store yet, so that their customer slows down.
    struct Held {
        queue::IntrusiveFifo<Message> messages;
        Nanos slow_until_ns = 0;  // suppliers took nothing: they go to the store's queue
        bool listed = false;
    };
    std::vector<Held> held_;                     // by CustomerId
    FixedVector<CustomerId> held_customers_;     // of whom messages may be held
    uint32_t watched_loads_ = 0;                 // likewise of messages to re-route
    queue::IntrusiveFifo<Message> store_again_;  // the store failed: what to ask it again
    Nanos store_again_ns_ = 0;

    std::vector<Waiting> waiting_;                    // by CustomerId
    FixedVector<CustomerId> waiting_list_;            // customers with messages in waiting_
    std::vector<std::vector<uint32_t>> rx_sessions_;  // by CustomerId: slots of receiving sessions
    uint32_t rx_next_ = 0;
    std::unique_ptr<uint8_t[]> tlv_buffer_;  // one PDU's TLVs being rewritten
    smpp::TimeText validity_text_;           // likewise its validity_period

    std::vector<std::unique_ptr<MultiGroup>> groups_;
    FixedVector<MultiGroup*> free_groups_;

    Nanos tick_ns_ = 0;  // last run of the timers
    uint32_t tick_cursor_ = 0;
};

template <class Send, class Expect>
void Worker::flush(Send&& send, Expect&& expect) {
    constexpr size_t ahead = 4;
    for (size_t i = 0; i < dirty_.size(); ++i) {
        if (i + ahead < dirty_.size()) {
            expect(sessions_[dirty_[i + ahead]].conn);
        }
        Session& session = sessions_[dirty_[i]];
        session.dirty = false;
        while (!session.output.empty() && !session.blocked) {
            const Octets octets = session.output.front();
            const size_t taken = send(session.conn, octets);
            session.blocked = taken < octets.size();
            session.output.sent(chunks_, static_cast<uint32_t>(taken));
        }
        if (session.paused) [[unlikely]] {
            read_again(session);
        }
    }
    dirty_.clear();
}

}  // namespace sy::engine
