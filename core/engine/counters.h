// Counters: one writer each (its worker), any reader (metrics). A list gives name, help text and
// enum from one place, so that what is counted and what is shown never part.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "core/base/limits.h"

namespace sy::engine {

/// Relaxed throughout: a statistic, it orders nothing. add() by the one writer only.
class Counter {
  public:
    void add(uint64_t count = 1) {
        value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }
    void set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] uint64_t get() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<uint64_t> value_{0};
};

// clang-format off
#define SY_WORKER_COUNTERS(X)                                                                       \
    X(turns, "turns of the worker's loop")                                                          \
    X(connections_accepted, "TCP connections taken from customers")                                 \
    X(pdus_in, "PDUs received")                                                                     \
    X(pdus_malformed, "PDUs answered with a structural or semantic error")                          \
    X(frames_bad, "streams closed over an impossible command_length")                               \
    X(nacks_out, "generic_nack sent")                                                               \
    X(responses_unmatched, "responses whose sequence number was not pending")                       \
    X(responses_late, "responses that came after their timeout")                                    \
    X(mt_in, "MT messages taken from customers (submit_sm, data_sm, each submit_multi destination)") \
    X(mt_refused, "MT messages refused at the door: malformed, not allowed, throttled, draining")   \
    X(mt_accepted, "MT end state: accepted by a supplier")                                          \
    X(mt_rejected, "MT end state: rejected with a truthful status")                                 \
    X(mt_too_dear, "MT messages among the rejected whose targets all cost more than they may")      \
    X(mt_expired, "MT end state: time ran out in a queue before any supplier had it")               \
    X(mt_unknown, "MT end state: link died or no response after the submit")                        \
    X(mt_dropped, "MT end state: dropped by a rule (answered OK, sent nowhere)")                    \
    X(mt_cancelled, "MT end state: cancelled by its customer while it waited in the store")         \
    X(mt_rerouted, "MT attempts at a next target")                                                  \
    X(mt_resent, "MT messages sent again after an unknown outcome (on_unknown = resend)")           \
    X(mt_stored, "MT messages taken to store and forward, answered OK")                             \
    X(mt_held, "MT messages to be stored that waited first, their customer faster than suppliers")  \
    X(mt_postponed, "times that a stored MT message was left to wait in the store alone")           \
    X(mt_loaded, "times that a stored MT message was taken from the store again, its time come")    \
    X(mt_receipts, "receipts of our own for stored MT messages: rejected, expired, unknown")        \
    X(mt_late_accepted, "late OK responses to messages already counted unknown")                    \
    X(mt_settled, "receipts of messages whose submit had no response: they settle those")           \
    X(mt_duplicates, "messages sent again that their first supplier had taken after all")           \
    X(mt_receipt_reroutes, "MT messages accepted by a next target, their receipt failed or missing") \
    X(ways_lost_dropped, "ways back of messages without a response that found no buffer")           \
    X(answers_unsent, "responses to customers that were gone")                                      \
    X(receipts_in, "receipts taken from suppliers")                                                 \
    X(receipts_matched, "receipts that found their message")                                        \
    X(receipts_parked, "receipts that came before their submit_sm_resp")                            \
    X(receipts_orphaned, "receipt end state: no message known within the park time")                \
    X(receipts_duplicate, "receipt end state: final receipt repeated")                              \
    X(receipts_suppressed, "receipt end state: the customer did not ask for this state")            \
    X(receipts_swallowed, "receipt end state: failed, the message goes over its next target")       \
    X(receipts_delivered, "receipt end state: accepted by the customer")                            \
    X(receipts_refused, "receipt end state: refused for good by the customer")                      \
    X(receipts_held_off, "receipts refused for now: too many wait for the customer, or no buffer")  \
    X(receipts_expired, "receipt end state: too old while it waited for the customer")                \
    X(receipts_evicted, "ways back forgotten because the map was full or too old")                  \
    X(receipts_loaded, "receipts that waited in the store for their customer, taken from there")   \
    X(receipts_unstored, "receipts in memory alone: the store failed after their supplier was answered") \
    X(ways_unstored, "messages answered RSYSERR since the store failed when a supplier had accepted them") \
    X(mt_store_refused, "MT messages among the refused that asked for a receipt while the store failed") \
    X(receipt_ids_missing, "submit_sm_resp OK without a message_id although a receipt was asked")   \
    X(mo_in, "MO messages taken from suppliers")                                                    \
    X(mo_refused, "MO messages refused at the door: malformed, no buffer, draining")                \
    X(mo_delivered, "MO end state: accepted by a customer")                                         \
    X(mo_rejected, "MO end state: answered to the supplier with an error")                          \
    X(mo_copies, "copies of accepted MO messages on their way to further customers")                \
    X(mo_copies_delivered, "copy end state: accepted by its customer")                              \
    X(mo_copies_lost, "copy end state: refused, no bind, no answer or no buffer")                   \
    X(mo_replies, "answers to accepted MO messages, sent as MT messages of the customer")           \
    X(mo_replies_held, "answers not sent: too many to that phone, no number to answer, no buffer")  \
    X(mo_replies_cut, "answers among those sent that were longer than one message")                 \
    X(pool_empty, "messages refused because the message pool was empty")                            \
    X(output_exhausted, "sessions dropped because no output buffer was left")                       \
    X(events_lost, "events that the control thread was too slow to take")                           \
    X(records_lost, "records not written because the record thread was too slow")

#define SY_SUPPLIER_COUNTERS(X)                                                                     \
    X(submitted, "submit_sm sent")                                                                  \
    X(accepted, "submit_sm answered with OK")                                                       \
    X(rejected, "submit_sm answered with an error")                                                 \
    X(throttled, "submit_sm answered with RTHROTTLED or RMSGQFUL")                                  \
    X(unknown, "submit_sm without an answer")                                                       \
    X(receipts, "receipts received")                                                                \
    X(mo, "MO messages received")                                                                   \
    X(breaker_opened, "times that its breaker opened: too many failures in a row")                  \
    X(binds, "links bound now")

#define SY_CUSTOMER_COUNTERS(X)                                                                     \
    X(submitted, "MT messages taken")                                                               \
    X(accepted, "MT messages accepted by a supplier")                                               \
    X(rejected, "MT messages answered with an error")                                               \
    X(throttled, "MT messages answered with RTHROTTLED at the door")                                \
    X(receipts_delivered, "receipts delivered")                                                     \
    X(receipts_waiting, "receipts waiting for a bind now")                                          \
    X(mo_delivered, "MO messages delivered")                                                        \
    X(binds, "sessions bound now")
// clang-format on

#define SY_COUNTER_MEMBER(name, help) Counter name;
#define SY_COUNTER_FIELD(name, help) {#name, help, &Self::name},

template <class Group>
struct CounterField {
    std::string_view name;
    std::string_view help;
    Counter Group::* member;
};

struct alignas(limits::cache_line_bytes) WorkerCounters {
    using Self = WorkerCounters;
    SY_WORKER_COUNTERS(SY_COUNTER_MEMBER)
    static auto fields() {
        return std::to_array<CounterField<Self>>({SY_WORKER_COUNTERS(SY_COUNTER_FIELD)});
    }
};
struct alignas(limits::cache_line_bytes) SupplierCounters {
    using Self = SupplierCounters;
    SY_SUPPLIER_COUNTERS(SY_COUNTER_MEMBER)
    static auto fields() {
        return std::to_array<CounterField<Self>>({SY_SUPPLIER_COUNTERS(SY_COUNTER_FIELD)});
    }
};
struct alignas(limits::cache_line_bytes) CustomerCounters {
    using Self = CustomerCounters;
    SY_CUSTOMER_COUNTERS(SY_COUNTER_MEMBER)
    static auto fields() {
        return std::to_array<CounterField<Self>>({SY_CUSTOMER_COUNTERS(SY_COUNTER_FIELD)});
    }
};

#undef SY_COUNTER_MEMBER
#undef SY_COUNTER_FIELD

}  // namespace sy::engine
