#include "core/store/spills.h"

#include "core/base/limits.h"

namespace sy::store {

Spills::Spills(engine::Hub& hub) : hub_(hub), customers_(limits::customers_max) {}

void Spills::add(CustomerId customer, int64_t count) {
    customers_[customer.value].count += count;
    // Relaxed: a hint, workers that read an old one ask in vain or a moment later.
    hub_.customer(customer).receipts_stored.fetch_add(count, std::memory_order_relaxed);
    hub_.store()->add_receipts_stored(count);
}

void Spills::found(std::string_view customer) {
    const std::lock_guard lock(mutex_);
    const auto at = strangers_.find(customer);
    if (at != strangers_.end()) {
        ++at->second;
    } else {
        strangers_.emplace(customer, 1);
    }
}

void Spills::resolve(const Names& names) {
    const std::lock_guard lock(mutex_);
    for (auto at = strangers_.begin(); at != strangers_.end();) {
        const CustomerId customer = names.find_customer(at->first);
        if (!customer.valid()) {
            ++at;
            continue;
        }
        customers_[customer.value].from = 0;
        add(customer, at->second);
        at = strangers_.erase(at);
    }
}

bool Spills::stays(CustomerId customer, bool wanted, uint64_t sequence) {
    const std::lock_guard lock(mutex_);
    One& one = customers_[customer.value];
    const bool is_first = one.count == 0 && one.writing == 0;
    if (!wanted && is_first) {
        return false;
    }
    if (is_first) {
        one.from = sequence;
    }
    ++one.writing;
    return true;
}

void Spills::written(CustomerId customer, bool is_there) {
    const std::lock_guard lock(mutex_);
    --customers_[customer.value].writing;
    if (is_there) {
        add(customer, 1);
    }
}

bool Spills::next(CustomerId customer, uint64_t& from) const {
    const std::lock_guard lock(mutex_);
    const One& one = customers_[customer.value];
    from = one.from;
    return one.count > 0;
}

void Spills::taken(CustomerId customer, uint64_t sequence) {
    const std::lock_guard lock(mutex_);
    One& one = customers_[customer.value];
    one.from = sequence + 1;
    if (one.count > 0) {
        add(customer, -1);
    }
}

void Spills::ended(CustomerId customer) {
    const std::lock_guard lock(mutex_);
    add(customer, -customers_[customer.value].count);
}

}  // namespace sy::store
