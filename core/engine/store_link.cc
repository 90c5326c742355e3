#include "core/engine/store_link.h"

#include <algorithm>

namespace sy::engine {

StoreLink::StoreLink(uint32_t workers, uint32_t messages_max) {
    for (size_t end = 0; end < ends; ++end) {
        for (uint32_t w = 0; w < workers; ++w) {
            orders_[end].push_back(std::make_unique<Ring>(messages_max));
            returns_[end].push_back(std::make_unique<Ring>(messages_max));
        }
    }
}

bool StoreLink::push(WorkerId from, Message* message) {
    return orders_[index(end_of(message->store_order))][from.value]->push(message);
}

uint32_t StoreLink::pop(WorkerId to, StoreEnd end, std::span<Message*> out) {
    return returns_[index(end)][to.value]->pop(out);
}

bool StoreLink::has_returns(WorkerId to) const {
    return std::ranges::any_of(returns_,
                               [&](const auto& rings) { return !rings[to.value]->empty(); });
}

void StoreLink::ring(StoreEnd end) {
    std::atomic_thread_fence(std::memory_order_seq_cst);  // pairs with lie_down()
    Bell& bell = bells_[index(end)];
    if (bell.asleep.load(std::memory_order_relaxed) &&
        bell.asleep.exchange(false, std::memory_order_relaxed) && bell.wake != nullptr) {
        bell.wake(bell.context);
    }
}

// One worker after the other, another one first each time, so that none is always the last.
uint32_t StoreLink::take(StoreEnd end, std::span<Message*> out) {
    auto& rings = orders_[index(end)];
    uint32_t taken = 0;
    for (size_t i = 0; i < rings.size() && taken < out.size(); ++i) {
        taken += rings[(next_[index(end)] + i) % rings.size()]->pop(out.subspan(taken));
    }
    ++next_[index(end)];
    return taken;
}

bool StoreLink::give_back(StoreEnd end, Message* message) {
    return returns_[index(end)][message->store_back]->push(message);
}

void StoreLink::set_waker(StoreEnd end, void (*wake)(void*), void* context) {
    bells_[index(end)].wake = wake;
    bells_[index(end)].context = context;
}

void StoreLink::lie_down(StoreEnd end) {
    bells_[index(end)].asleep.store(true, std::memory_order_relaxed);
    // Pairs with the fence in ring(): either the sleeper sees the order in its last look, or the
    // worker sees that it sleeps.
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

void StoreLink::get_up(StoreEnd end) {
    bells_[index(end)].asleep.store(false, std::memory_order_relaxed);
}

bool StoreLink::has_work(StoreEnd end) const {
    return std::ranges::any_of(orders_[index(end)],
                               [](const auto& ring) { return !ring->empty(); });
}

}  // namespace sy::engine
