// One message on its way through the router: an MT from a customer, an MO or a receipt from a
// supplier. It belongs to the pool of its home worker, stands in at most one list, ring or window
// at a time, may be touched only by the worker that has it there, and always goes home to be freed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/ids.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/engine/supplier_gate.h"
#include "core/engine/transport.h"
#include "core/number/outgoing.h"
#include "core/smpp/pdu.h"
#include "core/smpp/status.h"
#include "core/smpp/tlv.h"

namespace sy::engine {

// What the worker that finds the message in its mailbox has to do with it.
enum class Stage : uint8_t {
    settle,          // home: the outcome of an attempt is in `outcome` and `status`
    receipt_insert,  // owner of the key: remember the way back, then settle
    receipt_lookup,  // owner of the key: find the way back
    answer_receipt,  // home: answer the supplier's deliver_sm with `status`, then deliver or free
    way_kept,        // owner of the key: back from the store, which has the way (or has not)
    way_found,       // owner of the key: back from the store, which looked for the way
    receipt_kept,    // owner of the key: back from the store, which has the receipt (or has not)
    receipt_loaded,  // home: a receipt of the store's, or none was left
    // Store and forward, all at home, all back from the store (worker_stored.cc):
    message_kept,       // the store has the message (or has not)
    message_turn,       // what went to its destination before it has ended
    message_loaded,     // a message whose time has come, or none was
    message_postponed,  // it waits in the store alone
    message_ended,      // the store has forgotten it
    question_answered,  // query_sm, cancel_sm, replace_sm
    // Receipt-driven re-route, at home, back from the store (worker_reroute.cc):
    watched_loaded,  // a message whose receipt failed or did not come, or none was
    reroute_ended,   // nobody else takes it
    way_forgotten,   // owner of the key: a late response told the true one (worker_unknown.cc)
    deliver,         // a worker with a receiving session of the customer
    submit,          // a worker with a link to the supplier: given by one that has too many
    release,         // home: free
};

// What the store is asked to do with a message (store_link.h), and what came of it.
enum class StoreOrder : uint8_t {
    keep_way,        // key, way: on disk before it comes back
    find_way,        // key, destination in `sm.source`: fills `way`
    forget_way,      // key, way.id: its final receipt needs no delivery
    keep_receipt,    // way, receipt_*: on disk before it comes back; a final one ends the way
    next_receipt,    // customer: fills `way` and receipt_* from the oldest that no worker has
    forget_receipt,  // store_sequence: the customer has it
    // Store and forward (core/store/message_queue.h).
    keep_message,      // the whole message: on disk before it comes back
    wait_turn,         // a `blocked` one: back when what went to its destination before has ended
    next_message,      // customer: fills the message with its next one that is due
    postpone_message,  // due_wall_ns, tries: waits in the store alone
    end_message,       // it ended; keeps the receipt that `way` and receipt_* say, if way_ends
    query_message,     // id, customer: fills receipt_state
    cancel_message,    // id, or 0: all of `sm`'s addresses; only those that wait
    replace_message,   // id; the body of the replace_sm: only one that waits
    // Receipt-driven re-route (core/store/message_watch.h).
    settle_watched,  // way, receipt_*: a final receipt of a watched message; keep_receipt if it is
                     // the customer's
    next_watched,    // fills the message with the next one to re-route
    end_reroute,     // nobody else takes it: its last failed receipt is its customer's; with
                     // queue_wanted it is looked at again at due_wall_ns
};
enum class StoreAnswer : uint8_t {
    done,
    spilled,  // keep_receipt: it stays in the store until the customer's turn comes
    none,     // find_way, next_receipt, next_message: there is none; questions: no such message
    failed,
    queued,     // keep_message, wait_turn: it waits in the store alone
    blocked,    // keep_message: kept, and to wait for its turn
    too_small,  // next_message, next_watched: its body needs more room
    swallowed,  // settle_watched: failed, and the message goes on without its customer's hearing
};

// A copy is an MO message on its way to a customer beside the one that answers for it.
// A way is no message: a way back on its way to the owner of its key.
enum class MessageKind : uint8_t { mt, mo, copy, receipt, way };

// How an attempt ended.
enum class Outcome : uint8_t {
    none,
    answered,  // `status` is the peer's answer
    bounced,   // never sent: the supplier or customer went away while it was queued
    unknown,   // sent, and the link died or the response did not come
    expired,   // never sent: its time ran out
    unstored,  // `status` is OK, but the way of its receipt could not be stored
};

// How the id was written that the customer was given (section 5.2.23; 3.3 peers: 8 hex digits, the
// lower half of it; of a message taken to store and forward that is all there is).
enum class IdForm : uint8_t { decimal, hex, hex8 };

// Where a receipt goes and what the customer gets to see.
struct ReceiptWay {
    CustomerId customer;
    IdForm id_form = IdForm::decimal;
    uint64_t id = 0;  // ours, as the customer knows it
    uint8_t registered_delivery = 0;
    uint8_t source_ton = 0, source_npi = 0;  // the submit's own triplets
    uint8_t destination_ton = 0, destination_npi = 0;
    uint8_t source_length = 0, destination_length = 0;
    std::array<char, limits::address_octets_max> source{};
    std::array<char, limits::address_octets_max> destination{};
    bool has_reference = false;
    uint16_t user_message_reference = 0;
    NetworkId network;  // of the destination, for the supplier's quality there
    // The submit's outcome was unknown: what comes over this way settles it.
    bool is_lost = false;
    uint8_t round = 0;  // of a watched message (Watch); 0: its receipt changes nothing
    Nanos submitted_wall_ns = 0;
};

// What is to become of a message that a supplier has accepted when its receipt fails or does not
// come (route::MtRule::reroute_ns).
struct Watch {
    static constexpr uint8_t rounds_max = 8;

    Nanos receipt_ns = 0;      // how long its receipt may take
    Nanos due_ns = 0;          // UTC: when it is looked at; 0: under way to its next target
    uint8_t round = 0;         // suppliers that have accepted it
    uint8_t tries = 0;         // rounds since then in which nobody took it
    bool has_ended = false;    // no target is left: the last one's receipt is the last word
    bool maybe_sent = false;   // a run that was killed had it under way to its next target
    uint8_t failed_state = 0;  // message_state of the last failed receipt; 0: none came
    uint32_t failed_error = 0;
    std::array<uint64_t, rounds_max> tried{};  // `round` of them: key seeds of the suppliers

    friend bool operator==(const Watch&, const Watch&) = default;
};

// 128 bits of (supplier, normalised message_id): wide enough that two ids never meet in one router.
struct ReceiptKey {
    uint64_t high = 0;
    uint64_t low = 0;
    friend bool operator==(const ReceiptKey&, const ReceiptKey&) = default;
};

struct AttemptLog;
struct MultiGroup;

// What is set anew for every message: two cache lines, the first of which is all that an attempt's
// end has to touch.
struct alignas(limits::cache_line_bytes) MessageHead {
    Stage stage = Stage::release;
    MessageKind kind = MessageKind::mt;
    Outcome outcome = Outcome::none;
    IdForm id_form = IdForm::decimal;
    uint8_t target_count = 0;
    uint8_t target_next = 0;
    uint8_t attempts = 0;  // submits that were sent
    uint8_t delivery_tries = 0;
    bool wants_receipt = false;
    bool answered = false;        // receipts: the supplier already has its deliver_sm_resp
    bool deliver_next = false;    // receipts: matched and wanted
    bool lookup_next = false;     // receipts: answered before the match, to be looked up again
    bool intermediate = false;    // receipts: not the last word
    bool is_data_sm : 1 = false;  // came as data_sm
    bool is_reply : 1 = false;    // MT: our answer to an MO, nobody waits for its outcome
    bool to_store : 1 = false;    // MT: to be taken to store and forward
    bool stored : 1 = false;      // MT: taken so; the store has it, the customer its answer
    bool watched : 1 = false;     // MT: its receipt decides whether an OK was the end
    bool rerouted : 1 = false;    // MT: its receipt failed or did not come; its customer has an OK
    bool by_destination : 1 =
        false;                  // receipts: the id is nobody's, a lost message's is looked for
    uint8_t copy_count = 0;     // MO: customers behind the targets that get a copy
    uint8_t receipt_state = 0;  // message_state of the receipt being carried
    uint8_t priority = 0;       // MT: priority_flag, 3 at most
    CustomerId customer;
    SupplierId supplier;
    SupplierGate::Pass pass;  // MT: while it is in flight
    smpp::CommandStatus status{};
    uint32_t rule_line = 0;
    ConnId origin;  // session at home to answer
    uint32_t origin_sequence = 0;
    uint32_t receipt_error = 0;   // its network error / err:, three decimal digits as a number
    MultiGroup* group = nullptr;  // submit_multi
    uint64_t id = 0;              // MT: the id that the customer is given
    Nanos accepted_ns = 0;        // monotonic
    Nanos deadline_ns = 0;        // monotonic: not sent by then means expired
    Nanos not_before_ns = 0;      // receipts: earliest next try
    std::array<uint16_t, limits::targets_max>
        targets{};      // SupplierId (MT) or CustomerId (MO) values
    NetworkId network;  // MT: of the destination; none: unknown
};
static_assert(sizeof(MessageHead) == 2 * limits::cache_line_bytes);

struct Message : MessageHead {
    // Set once, by the pool.
    uint8_t home = 0;  // worker
    bool large = false;
    uint32_t body_capacity = 0;
    uint8_t* body = nullptr;
    AttemptLog* log = nullptr;  // for its record; null: no records
    Message* next = nullptr;    // in the list where it stands

    // Set by whoever uses them first.
    uint32_t body_bytes = 0;
    uint64_t parts_key = 0;      // MT, MO: of the long message that it is a part of; 0: of none
    ReceiptKey key;              // of the supplier's message_id
    Message* reply = nullptr;    // MO: what is sent when a customer has accepted it; null: nothing
    number::Number destination;  // digits, normalised
    number::Number source;       // likewise, when the sender is a number
    number::Outcome destination_kind = number::Outcome::empty;
    number::Outcome source_kind = number::Outcome::empty;  // not_digits: alphanumeric
    bool sender_replaced = false;  // by the rule: `source` is its sender, the customer's is in `sm`
    smpp::Sm sm;                   // views into the body
    ReceiptWay way;                // receipts: filled by the lookup; MT: while it is stored
    std::optional<smpp::NetworkErrorCode> network_error_code;  // receipts: as the supplier gave it

    // For the store.
    StoreOrder store_order{};
    StoreAnswer store_answer{};
    uint8_t store_back = 0;       // worker that it comes back to
    bool store_asked = false;     // receipts: the store was asked for the way
    bool way_ends = false;        // receipts: final, the way is not needed any more
    uint64_t store_sequence = 0;  // receipts: where it stands in the store; 0: nowhere
    Nanos received_wall_ns = 0;   // receipts: when it came

    // Store and forward: set when it is taken, or by the store when it is loaded.
    bool queue_wanted = false;  // keep_message, end_reroute: it is to wait in the store alone
    bool blocked = false;       // the store holds a place for it behind one that is under way
    bool is_scheduled =
        false;                // its customer named the time that it is due at, and that is to come
    bool maybe_sent = false;  // a run that was killed had it under way
    uint8_t tries = 0;        // rounds over its targets
    smpp::Version version{};  // of the session that it came by: how to read the body again
    Nanos due_wall_ns = 0;    // not before
    Nanos expires_wall_ns = 0;      // end of its validity
    Nanos accepted_wall_ns = 0;     // when it was taken
    uint64_t destination_hash = 0;  // the store's: of customer and destination

    Watch watch;  // of a watched one; set when it is routed, or by the store when it is loaded
};

/// An id as text: 20 decimal digits at most.
using IdText = std::array<char, 24>;
[[nodiscard]] std::string_view format_id(uint64_t id, IdForm form, IdText& buffer);
/// 0 for what is no id of that form. Of hex8 it is the id of a stored message, else half of one.
[[nodiscard]] uint64_t parse_id(std::string_view text, IdForm form);

/// Fixed number of messages, owned by one worker; allocates in its constructor only.
class MessagePool {
  public:
    /// `count` messages of small_body_bytes, and large_count of limits::pdu_bytes_max; each with an
    /// AttemptLog where records are wanted.
    MessagePool(uint8_t home, uint32_t count, uint32_t large_count, bool with_logs);
    ~MessagePool();
    MessagePool(const MessagePool&) = delete;
    MessagePool& operator=(const MessagePool&) = delete;

    /// A reset message whose body holds at least `body_bytes`; null when none is left.
    [[nodiscard]] Message* take(uint32_t body_bytes);
    void give_back(Message* message);

    [[nodiscard]] uint32_t free_count() const { return free_small_ + free_large_; }
    [[nodiscard]] uint32_t free_count_for(size_t body_bytes) const {
        return body_bytes > small_body_bytes ? free_large_ : free_small_;
    }
    [[nodiscard]] uint32_t count() const { return count_; }

    // Of a submit_sm of 165 octets on average; 512 hold every short_message with a few TLVs.
    static constexpr uint32_t small_body_bytes = 512;

  private:
    uint8_t home_;
    uint32_t count_;
    uint8_t* memory_ = nullptr;
    std::unique_ptr<AttemptLog[]> logs_;
    Message* small_ = nullptr;
    Message* large_ = nullptr;
    uint32_t free_small_ = 0;
    uint32_t free_large_ = 0;
};

}  // namespace sy::engine
