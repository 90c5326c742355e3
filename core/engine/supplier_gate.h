// How much a supplier is given at present: what the windows of its links allow, or less while it
// fails or says that it is full.
//
// - normal: the windows decide, nothing is counted here.
// - open: it failed too often in a row. Nothing, for a time that doubles with each failed probe.
// - probing: one message at a time shows whether it works again.
// - slow_start: it does. Twice as many in flight each time that all of them were answered.
// - limited: it was congested. Half as many, then more by a 32nd of all each round.
//
// What it answers to messages that left before the last change for the worse says nothing new and
// is passed over: a window's worth of refusals is one bad news, not fifty. So each message carries
// the epoch in which it left.
//
// Threads: any worker calls anything; no locks. The state is one word, moved on by compare and
// swap. Relaxed where nothing else is said: it orders nothing, and who sees it late sends a message
// more or less.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/base/time.h"

namespace sy::engine {

class SupplierGate {
  public:
    enum class Mode : uint8_t { normal, open, probing, slow_start, limited };

    /// What its account says.
    struct Rules {
        uint32_t failures_max = 10;  // in a row; 0: it never opens
        Nanos pause_ns = 5 * second_ns;
        Nanos pause_max_ns = 60 * second_ns;
        uint32_t window = 1;  // of all its links together
    };

    /// With a message while it is in flight.
    struct Pass {
        uint8_t epoch = 0;
        bool counted = false;
    };

    /// What people are told.
    enum class Change : uint8_t { none, opened, probing, closed };

    // --- Who looks for a supplier.

    /// May a message be put into its queue? While it is open one may, when its time is over: the
    /// probe, which is `change`.
    [[nodiscard]] bool admit(Nanos now_ns, const Rules& rules, Change& change);
    [[nodiscard]] bool is_open() const { return mode() == Mode::open; }
    /// Only admit() says whether a message may be put into its queue.
    [[nodiscard]] bool is_shut() const {
        const Mode now = mode();
        return now == Mode::open || now == Mode::probing;
    }

    // --- Who sends.

    /// May a message leave now? Then it has a pass, and exactly one of the calls below follows.
    [[nodiscard]] bool enter(Pass& pass) {
        const State state = load();
        pass = {state.epoch, false};
        return state.mode == Mode::normal || enter_counted(state, pass);
    }
    /// It did not leave, or nothing will be heard of it.
    void leave(Pass pass) {
        if (pass.counted) {
            in_flight_.fetch_sub(1, std::memory_order_relaxed);
        }
    }
    /// It was answered, whatever the answer says of the message.
    [[nodiscard]] Change works(Pass pass, const Rules& rules);
    /// It was answered by one that is as busy as it wants to be: no more, no less.
    [[nodiscard]] Change busy(Pass pass, const Rules& rules);
    /// The answer says that it has too much.
    [[nodiscard]] Change congested(Pass pass, const Rules& rules);
    /// No answer, or one that says that it does not work.
    [[nodiscard]] Change fails(Pass pass, Nanos now_ns, const Rules& rules);
    /// True: works() would change nothing. The usual case, by one load.
    [[nodiscard]] bool is_calm() const {
        const State state = load();
        return state.mode == Mode::normal && state.failures == 0;
    }

    /// The first link is there again: where it was open, the next message is the probe.
    void reconnected() { open_until_ns_.store(0, std::memory_order_relaxed); }

    // --- For metrics and tests.

    [[nodiscard]] Mode mode() const { return load().mode; }
    /// In flight at most, of `window`.
    [[nodiscard]] uint32_t allowed(uint32_t window) const;

  private:
    struct State {
        Mode mode = Mode::normal;
        uint8_t epoch = 0;
        uint16_t failures = 0;  // in a row
        uint16_t allowed = 0;   // in flight; means nothing in mode normal
        uint16_t answers = 0;   // limited: since `allowed` grew
    };
    static_assert(sizeof(State) == 8 && std::atomic<State>::is_always_lock_free);

    [[nodiscard]] State load() const { return state_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool enter_counted(State state, Pass& pass);
    static uint16_t all_of(const Rules& rules);
    static void grow(State& state, const Rules& rules);
    template <class Next>
    State change(Next&& next);

    std::atomic<State> state_{};
    std::atomic<uint32_t> in_flight_{0};   // of those counted
    std::atomic<Nanos> open_until_ns_{0};  // monotonic; while probing: then another may be sent
    std::atomic<Nanos> pause_ns_{0};       // of the last time that it opened; 0: it is well
};

}  // namespace sy::engine
