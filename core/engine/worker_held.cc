// Back-pressure of store and forward: a customer whose messages fill this worker's hands is not
// answered until suppliers have taken some. Its window then slows it down to what they take, and
// nothing has to go to the store's queue and back. See worker.h.
//
// A supplier that is dead, or slow, holds nobody for longer than hold_max_ns: then what is held
// goes into the queue, and so does what comes for a while.
#include "core/engine/worker.h"

namespace sy::engine {
namespace {

// Many times what a full hand takes at a supplier that works, and far below a customer's patience.
constexpr Nanos hold_max_ns = 250 * millisecond_ns;
constexpr Nanos slow_ns = 2 * second_ns;

}  // namespace

// It has a route: on disk, then its customer is answered. Behind what is held of its customer, so
// that those to one destination stay in order.
void Worker::keep_message(Message* message) {
    const CustomerId customer = message->customer;
    Held& held = held_[customer.value];
    if (held.messages.empty() && (!hands_are_full(customer) || now_.mono_ns < held.slow_until_ns)) {
        write_message(message);
        return;
    }
    message->deadline_ns = now_.mono_ns + hold_max_ns;
    held.messages.push_back(message);
    counters_.mt_held.add();
    if (!held.listed) {
        held.listed = true;
        held_customers_.push_back(customer);
    }
}

void Worker::write_message(Message* message) {
    message->queue_wanted = message->due_wall_ns > now_.wall_ns || draining_ ||
                            hands_are_full(message->customer) || !has_spare_messages();
    ++stored_open_[message->customer.value];
    order_of_store(message, StoreOrder::keep_message, Stage::message_kept, id_);
}

void Worker::write_held(CustomerId customer) {
    Held& held = held_[customer.value];
    while (!held.messages.empty() && !hands_are_full(customer)) {
        write_message(held.messages.pop_front());
    }
}

// Each millisecond: those that nobody made room for, or that there is no room to hold.
void Worker::run_held() {
    const bool is_short = draining_ || !has_spare_messages();
    for (size_t i = 0; i < held_customers_.size();) {
        const CustomerId customer = held_customers_[i];
        Held& held = held_[customer.value];
        write_held(customer);
        if (!held.messages.empty() &&
            (is_short || now_.mono_ns >= held.messages.front()->deadline_ns)) {
            held.slow_until_ns = now_.mono_ns + slow_ns;
            while (!held.messages.empty()) {
                write_message(held.messages.pop_front());
            }
        }
        if (held.messages.empty()) {
            held.listed = false;
            held_customers_.remove_at(i);
        } else {
            ++i;
        }
    }
}

}  // namespace sy::engine
