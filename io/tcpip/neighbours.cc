#include "io/tcpip/neighbours.h"

#include <algorithm>

#include "core/base/assert.h"

namespace sy::tcpip {

namespace {

constexpr uint32_t index_bits = 10;
constexpr uint32_t generation_mask = (1U << (32 - index_bits)) - 1;
static_assert(1U << index_bits == Neighbours::entries_max);

// A scan of all entries answers any number of deadlines; so often at most.
constexpr Nanos timer_step_ns = 10 * millisecond_ns;
constexpr Nanos redraw_ns = 2 * 3600 * second_ns;  // RFC 4861 section 6.3.2: every few hours
constexpr Nanos never = ~Nanos{0};

constexpr uint32_t evictions_a_second = 1000;
constexpr uint32_t evictions_burst = 64;

bool has_mac(Neighbours::State state) {
    return state == Neighbours::State::reachable || state == Neighbours::State::stale ||
           state == Neighbours::State::delay || state == Neighbours::State::probe;
}

// What an entry is worth: the least is given up first.
uint32_t worth(Neighbours::State state) {
    switch (state) {
        case Neighbours::State::unused:
        case Neighbours::State::failed:
            return 0;
        case Neighbours::State::incomplete:
            return 1;
        case Neighbours::State::stale:
            return 2;
        case Neighbours::State::delay:
        case Neighbours::State::probe:
        case Neighbours::State::reachable:
            break;
    }
    return 3;
}

}  // namespace

Neighbours::Neighbours(NeighbourLink& link, uint64_t seed)
    : link_(link),
      prng_(seed),
      hash_seed_(prng_()),
      reachable_now_ns_(reachable_ns / 2 + prng_.below(reachable_ns)),
      evictions_(evictions_a_second, evictions_burst),
      entries_(std::make_unique<Entry[]>(entries_max)),
      slots_(std::make_unique<uint16_t[]>(slots_max)) {
    std::fill_n(slots_.get(), slots_max, no_index);
}

Neighbours::~Neighbours() {
    for (uint32_t i = 0; i < held_count_; ++i) {
        link_.discard(held_[i].frame);
    }
}

Neighbours::Entry* Neighbours::entry_of(Handle handle) {
    Entry& entry = entries_[handle.value & index_mask];
    return handle.value != 0 && entry.handle == handle.value ? &entry : nullptr;
}

const Mac* Neighbours::usable_slowly(Handle handle, Nanos now) {
    Entry* entry = entry_of(handle);
    if (entry == nullptr) {
        return nullptr;
    }
    entry->used_ns = now;
    switch (entry->state) {
        case State::reachable:  // no more: its time is over
        case State::stale:
            make_stale(*entry);
            entry->state = State::delay;
            entry->deadline_ns = now + first_probe_ns;
            wake_at(entry->deadline_ns);
            return &entry->mac;
        case State::delay:
        case State::probe:
            return &entry->mac;
        case State::failed:
            if (now < entry->deadline_ns) {
                return nullptr;
            }
            entry->state = State::incomplete;
            entry->solicits = 0;
            entry->deadline_ns = never;
            [[fallthrough]];
        case State::incomplete:
            if (entry->deadline_ns == never) {
                // tick() asks: our caller may be in the middle of a frame of its own.
                entry->deadline_ns = now;
                wake_at(now);
            }
            return nullptr;
        case State::unused:
            break;
    }
    return nullptr;
}

void Neighbours::confirm_slowly(Handle handle, Nanos now) {
    Entry* entry = entry_of(handle);
    if (entry != nullptr && has_mac(entry->state)) {
        make_reachable(*entry, now);
    }
}

void Neighbours::make_reachable(Entry& entry, Nanos now) {
    if (now - reachable_drawn_ns_ > redraw_ns) {
        reachable_now_ns_ = reachable_ns / 2 + prng_.below(reachable_ns);
        reachable_drawn_ns_ = now;
    }
    entry.state = State::reachable;
    entry.fresh_until_ns = now + reachable_now_ns_;
    entry.deadline_ns = never;
    entry.solicits = 0;
}

void Neighbours::make_stale(Entry& entry) {
    entry.state = State::stale;
    entry.fresh_until_ns = 0;
    entry.deadline_ns = never;
    entry.solicits = 0;
}

// One request more; in state probe to the MAC that we know, otherwise to everybody.
void Neighbours::ask(Entry& entry, Nanos now) {
    ++entry.solicits;
    ++counters_.solicits;
    entry.deadline_ns = now + retransmit_ns;
    wake_at(entry.deadline_ns);
    link_.solicit(entry.address, entry.state == State::probe ? &entry.mac : nullptr);
}

void Neighbours::wake_at(Nanos deadline_ns) {
    next_ns_ = std::min(next_ns_, deadline_ns);
}

void Neighbours::run_timers(Nanos now) {
    next_ns_ = never;
    Nanos next = never;
    for (uint32_t i = 0; i < size_; ++i) {
        Entry& entry = entries_[i];
        const bool timed = entry.state == State::delay || entry.state == State::probe ||
                           entry.state == State::incomplete;
        if (timed && entry.deadline_ns <= now) {
            step(entry, now);
        }
        if (entry.state != State::failed) {  // whose deadline only usable() asks for
            next = std::min(next, entry.deadline_ns);
        }
    }
    next_ns_ = next == never ? never : std::max(next, now + timer_step_ns);
}

void Neighbours::step(Entry& entry, Nanos now) {
    if (entry.state == State::delay) {
        entry.state = State::probe;
        entry.solicits = 0;
    }
    if (entry.solicits < solicits_max) {
        ask(entry, now);
        return;
    }
    if (entry.state == State::probe) {
        // Its MAC is no good any more; the next frame asks everybody (RFC 4861 section 7.3.3).
        entry.state = State::incomplete;
        entry.solicits = 0;
        entry.deadline_ns = never;
        return;
    }
    entry.state = State::failed;
    entry.deadline_ns = now + failed_ns;
    ++counters_.failed;
    drop_held(entry.handle);
}

std::optional<Neighbours::Handle> Neighbours::find(const IpAddress& address) const {
    const uint16_t index = slots_[slot_of(address)];
    if (index == no_index) {
        return std::nullopt;
    }
    return Handle{entries_[index].handle};
}

std::optional<Neighbours::Handle> Neighbours::find_or_create(const IpAddress& address, Nanos now) {
    if (const auto found = find(address)) {
        entries_[found->value & index_mask].used_ns = now;
        return found;
    }
    const uint16_t index = claim_index(now);
    if (index == no_index) {
        ++counters_.refused;
        return std::nullopt;
    }
    ++counters_.created;
    Entry& entry = entries_[index];
    const uint32_t generation = entry.generation == generation_mask ? 1 : entry.generation + 1;
    entry = Entry{};
    entry.generation = generation;
    entry.handle = (generation << index_bits) | index;
    entry.state = State::incomplete;
    entry.deadline_ns = never;
    entry.used_ns = now;
    entry.address = address;
    slots_[slot_of(address)] = index;
    return Handle{entry.handle};
}

// The index of an unused entry, made so if need be.
uint16_t Neighbours::claim_index(Nanos now) {
    if (size_ < entries_max) {
        return static_cast<uint16_t>(size_++);
    }
    if (!evictions_.take(now)) {
        return no_index;
    }
    const auto lesser = [](const Entry& a, const Entry& b) {
        const bool a_kept = a.references != 0;
        const bool b_kept = b.references != 0;
        if (a_kept != b_kept) {
            return b_kept;
        }
        const uint32_t a_worth = worth(a.state);
        const uint32_t b_worth = worth(b.state);
        return a_worth != b_worth ? a_worth < b_worth : a.used_ns < b.used_ns;
    };
    Entry* least = std::min_element(entries_.get(), entries_.get() + entries_max, lesser);
    ++counters_.evicted;
    counters_.evicted_referenced += least->references != 0 ? 1 : 0;
    const auto index = static_cast<uint16_t>(least - entries_.get());
    remove(index);
    return index;
}

void Neighbours::remove(uint16_t index) {
    Entry& entry = entries_[index];
    drop_held(entry.handle);
    erase_slot(entry.address);
    entry.handle = 0;
    entry.state = State::unused;
    entry.fresh_until_ns = 0;
}

void Neighbours::retain(Handle handle) {
    if (Entry* entry = entry_of(handle)) {
        ++entry->references;
    }
}

void Neighbours::release(Handle handle) {
    Entry* entry = entry_of(handle);
    if (entry != nullptr) {
        SY_DCHECK(entry->references != 0);
        --entry->references;
    }
}

Neighbours::State Neighbours::state(Handle handle) const {
    return exists(handle) ? entries_[handle.value & index_mask].state : State::unused;
}

bool Neighbours::learn(const IpAddress& address, const Mac* mac, Evidence evidence, Nanos now) {
    const auto found = find(address);
    if (!found) {
        if (!evidence.creates || mac == nullptr) {
            return false;
        }
        const auto created = find_or_create(address, now);
        if (!created) {
            return false;
        }
        Entry& entry = *entry_of(*created);
        entry.mac = *mac;
        make_stale(entry);
        return true;
    }
    Entry& entry = *entry_of(*found);
    if (!has_mac(entry.state)) {
        if (mac != nullptr) {
            entry.mac = *mac;
            evidence.solicited ? make_reachable(entry, now) : make_stale(entry);
            ++counters_.resolved;
            send_held(entry);
        }
        return true;
    }
    // RFC 4861 section 7.2.5.
    const bool differs = mac != nullptr && *mac != entry.mac;
    if (differs && !evidence.overrides) {
        if (entry.state == State::reachable) {
            make_stale(entry);
        }
        return true;
    }
    if (differs) {
        entry.mac = *mac;
        ++counters_.mac_changed;
    }
    if (evidence.solicited) {
        make_reachable(entry, now);
    } else if (differs) {
        make_stale(entry);
    }
    return true;
}

void Neighbours::hold(Handle handle, const TxFrame& frame, Nanos now) {
    if (const Mac* mac = usable(handle, now)) {
        std::memcpy(frame.data, mac->data(), mac->size());
        link_.transmit(frame);
        return;
    }
    if (state(handle) != State::incomplete) {
        ++counters_.held_dropped;
        link_.discard(frame);
        return;
    }
    const auto same = std::count_if(held_.begin(), held_.begin() + held_count_,
                                    [&](const Held& each) { return each.handle == handle.value; });
    if (same >= held_entry_max) {
        drop_oldest_held(handle.value);
    } else if (held_count_ == held_max) {
        drop_oldest_held(0);
    }
    ++counters_.held;
    held_[held_count_++] = {.frame = frame, .handle = handle.value, .order = held_order_++};
}

// In the order in which they came.
void Neighbours::send_held(const Entry& entry) {
    for (;;) {
        Held* first = nullptr;
        for (uint32_t i = 0; i < held_count_; ++i) {
            Held& each = held_[i];
            if (each.handle == entry.handle && (first == nullptr || each.order < first->order)) {
                first = &each;
            }
        }
        if (first == nullptr) {
            return;
        }
        const TxFrame frame = first->frame;
        *first = held_[--held_count_];
        std::memcpy(frame.data, entry.mac.data(), entry.mac.size());
        link_.transmit(frame);
    }
}

void Neighbours::drop_held(uint32_t handle) {
    for (uint32_t i = 0; i < held_count_;) {
        if (held_[i].handle != handle) {
            ++i;
            continue;
        }
        ++counters_.held_dropped;
        link_.discard(held_[i].frame);
        held_[i] = held_[--held_count_];
    }
}

// Of one entry; 0: of all. REQUIRES: there is one.
void Neighbours::drop_oldest_held(uint32_t handle) {
    Held* oldest = nullptr;
    for (uint32_t i = 0; i < held_count_; ++i) {
        Held& each = held_[i];
        if ((handle == 0 || each.handle == handle) &&
            (oldest == nullptr || each.order < oldest->order)) {
            oldest = &each;
        }
    }
    SY_ASSERT(oldest != nullptr);
    ++counters_.held_dropped;
    link_.discard(oldest->frame);
    *oldest = held_[--held_count_];
}

// Where the address stands in slots_, or the free slot where it would. There always is one:
// slots_max is twice entries_max.
uint32_t Neighbours::slot_of(const IpAddress& address) const {
    uint32_t slot = home_of(address);
    while (slots_[slot] != no_index && entries_[slots_[slot]].address != address) {
        slot = (slot + 1) & (slots_max - 1);
    }
    return slot;
}

uint32_t Neighbours::home_of(const IpAddress& address) const {
    uint64_t words[2];
    std::memcpy(words, address.octets.data(), sizeof words);
    return static_cast<uint32_t>(mix64(mix64(words[0] ^ hash_seed_) + words[1])) & (slots_max - 1);
}

// Backward shift: whoever stands behind the gap and is not at home moves into it.
void Neighbours::erase_slot(const IpAddress& address) {
    uint32_t gap = slot_of(address);
    SY_ASSERT(slots_[gap] != no_index);
    for (uint32_t slot = (gap + 1) & (slots_max - 1); slots_[slot] != no_index;
         slot = (slot + 1) & (slots_max - 1)) {
        const uint32_t home = home_of(entries_[slots_[slot]].address);
        const bool may_move = ((slot - home) & (slots_max - 1)) >= ((slot - gap) & (slots_max - 1));
        if (may_move) {
            slots_[gap] = slots_[slot];
            gap = slot;
        }
    }
    slots_[gap] = no_index;
}

}  // namespace sy::tcpip
