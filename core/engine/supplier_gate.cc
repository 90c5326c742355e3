#include "core/engine/supplier_gate.h"

#include <algorithm>

namespace sy::engine {
namespace {

// Of all that the windows allow, what a limited supplier gets more after each round of answers.
constexpr uint32_t recovery_rounds = 32;

}  // namespace

uint16_t SupplierGate::all_of(const Rules& rules) {
    return static_cast<uint16_t>(std::clamp<uint32_t>(rules.window, 1, UINT16_MAX));
}

// Applies `next(State&) -> bool`, false: leave it, until nobody comes between. Returns what it was.
template <class Next>
SupplierGate::State SupplierGate::change(Next&& next) {
    State was = load();
    while (true) {
        State will = was;
        if (!next(will) || state_.compare_exchange_weak(was, will, std::memory_order_release,
                                                        std::memory_order_relaxed)) {
            return was;
        }
    }
}

bool SupplierGate::admit(Nanos now_ns, const Rules& rules, Change& change_out) {
    change_out = Change::none;
    // Acquire pairs with the release in change(): `open_until_ns_` is of this state.
    const State state = state_.load(std::memory_order_acquire);
    if (state.mode != Mode::open && state.mode != Mode::probing) {
        return true;
    }
    // Of all that come at the same time, one.
    Nanos until = open_until_ns_.load(std::memory_order_relaxed);
    const Nanos pause = std::max(pause_ns_.load(std::memory_order_relaxed), rules.pause_ns);
    if (now_ns < until ||
        !open_until_ns_.compare_exchange_strong(until, now_ns + pause, std::memory_order_relaxed)) {
        return false;
    }
    const State was = change([](State& next) {
        const bool is_open = next.mode == Mode::open;
        next.mode = is_open ? Mode::probing : next.mode;
        next.allowed = is_open ? uint16_t{1} : next.allowed;
        return is_open;
    });
    change_out = was.mode == Mode::open ? Change::probing : Change::none;
    return true;
}

bool SupplierGate::enter_counted(State state, Pass& pass) {
    if (state.mode == Mode::open) {
        return false;
    }
    // Counted before the check, so that two workers cannot both take the last place.
    if (in_flight_.fetch_add(1, std::memory_order_relaxed) >= state.allowed) {
        in_flight_.fetch_sub(1, std::memory_order_relaxed);
        return false;
    }
    pass.counted = true;
    return true;
}

void SupplierGate::grow(State& state, const Rules& rules) {
    const uint32_t all = all_of(rules);
    uint32_t allowed = state.allowed;
    if (state.mode == Mode::slow_start) {
        ++allowed;
    } else if (++state.answers >= state.allowed) {
        state.answers = 0;
        allowed += std::max<uint32_t>(1, all / recovery_rounds);
    }
    state.allowed = static_cast<uint16_t>(std::min(allowed, all));
    if (state.allowed == all) {
        state.mode = Mode::normal;
    }
}

SupplierGate::Change SupplierGate::works(Pass pass, const Rules& rules) {
    leave(pass);
    Change out = Change::none;
    const State was = change([&](State& next) {
        out = Change::none;
        next.failures = 0;
        if (next.epoch != pass.epoch || next.mode == Mode::open) {
            return false;
        }
        if (next.mode == Mode::probing) {
            next.mode = Mode::slow_start;
            out = Change::closed;
        }
        if (next.mode != Mode::normal) {
            grow(next, rules);
        }
        return true;
    });
    if (was.mode != Mode::normal && mode() == Mode::normal) {
        pause_ns_.store(0, std::memory_order_relaxed);
    }
    return out;
}

SupplierGate::Change SupplierGate::busy(Pass pass, const Rules& rules) {
    if (mode() == Mode::probing) {
        return works(pass, rules);
    }
    leave(pass);
    change([&](State& next) {
        const bool counts = next.epoch == pass.epoch && next.failures != 0;
        next.failures = 0;
        return counts;
    });
    return Change::none;
}

SupplierGate::Change SupplierGate::congested(Pass pass, const Rules& rules) {
    leave(pass);
    Change out = Change::none;
    change([&](State& next) {
        out = Change::none;
        if (next.epoch != pass.epoch || next.mode == Mode::open) {
            return false;
        }
        // A probe that is told to wait was understood: it works.
        out = next.mode == Mode::probing ? Change::closed : Change::none;
        const uint32_t before = next.mode == Mode::normal ? all_of(rules) : next.allowed;
        next.mode = Mode::limited;
        next.allowed = static_cast<uint16_t>(std::max<uint32_t>(1, before / 2));
        next.answers = 0;
        next.failures = 0;
        ++next.epoch;
        return true;
    });
    return out;
}

SupplierGate::Change SupplierGate::fails(Pass pass, Nanos now_ns, const Rules& rules) {
    leave(pass);
    if (rules.failures_max == 0) {
        return Change::none;
    }
    const Nanos before = pause_ns_.load(std::memory_order_relaxed);
    const Nanos pause = before == 0 ? rules.pause_ns : std::min(before * 2, rules.pause_max_ns);
    bool opens = false;
    change([&](State& next) {
        opens = false;
        if (next.epoch != pass.epoch || next.mode == Mode::open) {
            return false;
        }
        next.failures = static_cast<uint16_t>(std::min<uint32_t>(next.failures + 1u, UINT16_MAX));
        opens = next.mode == Mode::probing || next.failures >= rules.failures_max;
        if (opens) {
            next = {.mode = Mode::open,
                    .epoch = static_cast<uint8_t>(next.epoch + 1u),
                    .failures = 0,
                    .allowed = 0,
                    .answers = 0};
            // Before the mode, so that whoever sees it open knows for how long.
            open_until_ns_.store(now_ns + pause, std::memory_order_relaxed);
        }
        return true;
    });
    if (!opens) {
        return Change::none;
    }
    pause_ns_.store(pause, std::memory_order_relaxed);
    return Change::opened;
}

uint32_t SupplierGate::allowed(uint32_t window) const {
    const State state = load();
    return state.mode == Mode::normal ? window : state.allowed;
}

}  // namespace sy::engine
