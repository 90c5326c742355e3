// Receipt-driven re-route (route::MtRule::reroute_ns): a message that a supplier has accepted goes
// over its next target when its receipt says that it failed, or does not come in time. Its customer
// has an OK for the first, and sees one final receipt: the first success, or the last failure. The
// message waits for its receipts in the store (core/store/message_watch.h), which decides what each
// of them is. See worker.h.
#include <algorithm>

#include "core/engine/worker.h"

namespace sy::engine {
namespace {

using smpp::CommandStatus;

constexpr uint32_t watched_loads_max = 64;  // asked of the store, not come back

}  // namespace

// ---------------------------------------------------------------- while it is routed

// A destination of a submit_multi that is forwarded shares its id with the others, and an answer of
// ours to an MO has nobody who asked for it: neither is watched.
void Worker::watch(Message& message, Nanos reroute_ns) const {
    if (!message.rerouted) {
        message.watched = reroute_ns != 0 && store_ != nullptr &&
                          (message.group == nullptr || message.to_store) && !message.is_reply;
        message.watch = {};
    }
    if (message.watched) {
        message.watch.receipt_ns = reroute_ns != 0 ? reroute_ns : message.watch.receipt_ns;
        message.wants_receipt = true;
    }
}

// Targets that have accepted it before are none any more. False: no other is left.
bool Worker::drop_tried(Message& message) {
    const auto tried_end = message.watch.tried.begin() + message.watch.round;
    const auto end = std::remove_if(
        message.targets.begin(), message.targets.begin() + message.target_count,
        [&](uint16_t target) {
            const uint64_t seed = key_seed_of(SupplierId{target});
            return std::find(message.watch.tried.begin(), tried_end, seed) != tried_end;
        });
    message.target_count = static_cast<uint8_t>(end - message.targets.begin());
    return message.target_count > 0 && message.watch.round < Watch::rounds_max;
}

// At the key's owner: one more supplier has it. Its way back says which.
void Worker::begin_watch(Message& message) {
    Watch& watch = message.watch;
    if (!message.watched || watch.round == Watch::rounds_max) {
        return;
    }
    if (watch.round == 0 && !message.stored) {
        set_times_of_stored(message);
    }
    watch.tried[watch.round++] = key_seed_of(message.supplier);
    watch.due_ns = now_.wall_ns + watch.receipt_ns;
    watch.maybe_sent = false;
    watch.tries = 0;
    message.way.round = watch.round;
}

// ---------------------------------------------------------------- rounds after the first

void Worker::load_watched() {
    while (!draining_ && now_.wall_ns >= store_->watched_due_ns() &&
           watched_loads_ < watched_loads_max && has_spare_messages()) {
        Message* message = pool_.take(0);
        if (message == nullptr) {
            return;
        }
        order_next_watched(message);
    }
}

void Worker::order_next_watched(Message* message) {
    message->kind = MessageKind::mt;
    message->sm = {};
    message->due_wall_ns = now_.wall_ns;
    ++watched_loads_;
    order_of_store(message, StoreOrder::next_watched, Stage::watched_loaded, id_);
}

void Worker::on_watched_loaded(Message* message) {
    --watched_loads_;
    if (message->store_answer == StoreAnswer::done) {
        reroute(message);
        return;
    }
    const bool too_small = message->store_answer == StoreAnswer::too_small;
    pool_.give_back(message);
    Message* large = too_small ? pool_.take(limits::pdu_bytes_max) : nullptr;
    if (large != nullptr) {
        order_next_watched(large);
    }
}

// As begin_round(), but over what is left of its targets.
void Worker::reroute(Message* message) {
    const route::Customer* account = snapshot_->customer(message->customer);
    reset_round(*message);
    if (account == nullptr || now_.wall_ns >= message->expires_wall_ns ||
        message->watch.round >= Watch::rounds_max ||
        set_numbers(*account, *message) != CommandStatus::esme_rok) {
        end_reroute(message);
        return;
    }
    set_round_deadline(*message, account->timers.response_ns);
    route_soon(message);
}

// Its customer was answered long ago: what became of this round is counted on its own.
void Worker::finish_reroute(Message* message, CommandStatus status, const Counter& end_state) {
    const bool accepted = &end_state == &counters_.mt_accepted;
    if (records_ != nullptr && message->attempts > 0) {
        record_mt(*message, status, end_state);
    }
    if (accepted && message->wants_receipt) {
        counters_.mt_receipt_reroutes.add();
        pool_.give_back(message);
        return;
    }
    end_reroute(message);
}

// A target that has not had it is away, or refused it for now: by the retry schedule, as long as
// the message is valid.
void Worker::reroute_later(Message* message, CommandStatus status, const Counter& end_state) {
    if (now_.wall_ns >= message->expires_wall_ns) {
        finish_reroute(message, status, end_state);
        return;
    }
    if (records_ != nullptr && message->attempts > 0) {
        record_mt(*message, status, counters_.mt_postponed);
    }
    Watch& watch = message->watch;
    watch.tries = static_cast<uint8_t>(std::min(watch.tries + 1, 255));
    const Nanos wait = retry_wait(*message, status, watch.tries);
    order_end_reroute(message, std::min(now_.wall_ns + wait, message->expires_wall_ns), true);
}

// No target is left.
void Worker::end_reroute(Message* message) {
    order_end_reroute(message, now_.wall_ns, false);
}

void Worker::order_end_reroute(Message* message, Nanos due_wall_ns, bool again) {
    message->due_wall_ns = due_wall_ns;
    message->queue_wanted = again;
    message->way_ends = false;
    order_of_store(message, StoreOrder::end_reroute, Stage::reroute_ended, id_);
}

void Worker::on_reroute_ended(Message* message) {
    if (message->store_answer == StoreAnswer::failed) {
        store_again(message);
        return;
    }
    counters_.mt_receipts.add(message->way_ends ? 1 : 0);
    pool_.give_back(message);
}

}  // namespace sy::engine
