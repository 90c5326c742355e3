// The MAC addresses of the hosts on the link, for IPv4 (ARP) and IPv6 (neighbour discovery) alike:
// one bounded cache with the states of RFC 4861 section 7.3. What goes over the wire is written and
// read by IpLayer; this decides when to ask and what to believe. The worker's thread. Nothing
// allocates after construction.
//
// Limits: entries_max entries; a full cache gives up the failed, then the unresolved, then the
// stale, then the longest unused, and a referenced one only if all are referenced. evictions a
// second are bounded, so that a flood costs little and the last word stays with who was there.
// held_max frames wait for resolution, held_entry_max of them for one entry; the oldest give way.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/base/prng.h"
#include "core/base/time.h"
#include "io/tcpip/address.h"
#include "io/tcpip/port.h"

namespace sy::tcpip {

/// So many events a second, a short burst of them at once.
class RateLimit {
  public:
    RateLimit(uint32_t per_second, uint32_t burst)
        : interval_ns_(second_ns / per_second), burst_ns_(interval_ns_ * burst) {}
    [[nodiscard]] bool take(Nanos now) {
        // full_at_: when the bucket will be full again; now or earlier: it is full.
        const Nanos from = full_at_ > now ? full_at_ : now;
        if (from + interval_ns_ > now + burst_ns_) {
            return false;
        }
        full_at_ = from + interval_ns_;
        return true;
    }

  private:
    Nanos interval_ns_;
    Nanos burst_ns_;
    Nanos full_at_ = 0;
};

/// Who asks and sends for the cache: IpLayer. Called on slow ways only.
class NeighbourLink {
  public:
    /// An ARP request or neighbour solicitation for `target`; to `known` if that is not null (a
    /// probe), else to everybody.
    virtual void solicit(const IpAddress& target, const Mac* known) = 0;
    /// A frame that waited; its destination MAC is filled in.
    virtual void transmit(const TxFrame& frame) = 0;
    /// A frame that waited for nothing.
    virtual void discard(const TxFrame& frame) = 0;

  protected:
    ~NeighbourLink() = default;
};

class Neighbours {
  public:
    static constexpr uint32_t entries_max = 1024;
    static constexpr uint32_t held_max = 256;
    static constexpr uint32_t held_entry_max =
        64;  // a start binds many links behind one gateway at once
    static constexpr Nanos retransmit_ns = second_ns;       // RETRANS_TIMER
    static constexpr uint32_t solicits_max = 3;             // MAX_MULTICAST/UNICAST_SOLICIT
    static constexpr Nanos first_probe_ns = 5 * second_ns;  // DELAY_FIRST_PROBE_TIME
    static constexpr Nanos reachable_ns = 30 * second_ns;   // REACHABLE_TIME, times 0.5 to 1.5
    static constexpr Nanos failed_ns = 5 * second_ns;       // no new attempt before

    /// Names an entry for as long as it lives; a handle of one that was given up is recognised.
    struct Handle {
        uint32_t value = 0;  // 0: none. Low 10 bits: index; the rest: generation, never 0

        friend bool operator==(Handle, Handle) = default;
    };
    enum class State : uint8_t { unused, incomplete, reachable, stale, delay, probe, failed };

    /// What a packet says of its sender, or of the target of an advertisement.
    struct Evidence {
        bool solicited = false;  // answers a question of ours: it can hear us
        bool overrides = false;  // its MAC replaces a known one (RFC 4861 section 7.2.5)
        bool creates = false;    // it asked for us: we'll have to answer it
    };

    struct Counters {
        uint64_t created = 0;
        uint64_t evicted = 0;
        uint64_t evicted_referenced = 0;
        uint64_t refused = 0;   // no entry was given up for a new one: too many in a second
        uint64_t resolved = 0;  // from incomplete or failed to a MAC
        uint64_t failed = 0;    // no answer to all requests
        uint64_t mac_changed = 0;
        uint64_t solicits = 0;      // requests and probes
        uint64_t held = 0;          // frames that waited
        uint64_t held_dropped = 0;  // of these, pushed out or in vain
    };

    Neighbours(NeighbourLink& link, uint64_t seed);
    ~Neighbours();
    Neighbours(const Neighbours&) = delete;
    Neighbours& operator=(const Neighbours&) = delete;

    /// The MAC to send to now, or null: it is being asked for, failed, or the handle is old (see
    /// exists()). The pointer is good until the next call of anything but usable() and confirm().
    [[nodiscard]] const Mac* usable(Handle handle, Nanos now) {
        Entry& entry = entries_[handle.value & index_mask];
        if (entry.handle == handle.value && now < entry.fresh_until_ns) [[likely]] {
            return &entry.mac;
        }
        return usable_slowly(handle, now);
    }
    /// The upper layer heard something new from beyond this neighbour (RFC 4861 section 7.3.1).
    [[gnu::always_inline]] void confirm(Handle handle, Nanos now) {
        Entry& entry = entries_[handle.value & index_mask];
        if (entry.handle == handle.value && entry.state == State::reachable) [[likely]] {
            entry.fresh_until_ns = now + reachable_now_ns_;
            return;
        }
        confirm_slowly(handle, now);
    }
    [[nodiscard]] bool exists(Handle handle) const {
        return handle.value != 0 && entries_[handle.value & index_mask].handle == handle.value;
    }

    /// The entry of an address on the link, made if there is none; nothing: refused. Asking for
    /// the MAC begins with the first usable() or hold(), by the next tick().
    [[nodiscard]] std::optional<Handle> find_or_create(const IpAddress& address, Nanos now);
    [[nodiscard]] std::optional<Handle> find(const IpAddress& address) const;
    /// References keep an entry from being given up while there are others; each retain() of a
    /// handle is ended by one release(), which tolerates a handle that is no more.
    void retain(Handle handle);
    void release(Handle handle);

    /// Takes a frame without destination MAC: sends it as soon as there is one; the next tick()
    /// asks for it if nobody did. With an old handle or after a failure the frame is discarded and
    /// counted.
    void hold(Handle handle, const TxFrame& frame, Nanos now);

    /// A packet told the MAC of an address (null: it told none). Whether there is an entry now.
    bool learn(const IpAddress& address, const Mac* mac, Evidence evidence, Nanos now);

    /// Requests that are due, entries that failed.
    void tick(Nanos now) {
        if (now >= next_ns_) {
            run_timers(now);
        }
    }
    [[nodiscard]] Nanos next_ns() const { return next_ns_; }

    [[nodiscard]] State state(Handle handle) const;
    [[nodiscard]] uint32_t size() const { return size_; }
    [[nodiscard]] uint32_t held() const { return held_count_; }
    [[nodiscard]] const Counters& counters() const { return counters_; }

  private:
    static constexpr uint32_t index_mask = entries_max - 1;
    static constexpr uint32_t slots_max = 2 * entries_max;
    static constexpr uint16_t no_index = 0xffff;
    static_assert((entries_max & index_mask) == 0);

    struct alignas(64) Entry {
        uint32_t handle = 0;  // 0: unused
        Mac mac{};
        State state = State::unused;
        uint8_t solicits = 0;      // sent in this state
        Nanos fresh_until_ns = 0;  // reachable until; 0 in every other state
        Nanos deadline_ns = 0;     // incomplete, delay, probe: next step; failed: next attempt
        Nanos used_ns = 0;
        uint32_t generation = 0;
        uint32_t references = 0;
        IpAddress address;
    };
    static_assert(sizeof(Entry) == 64);
    struct Held {
        TxFrame frame;
        uint32_t handle = 0;
        uint64_t order = 0;
    };

    [[nodiscard]] const Mac* usable_slowly(Handle handle, Nanos now);
    void confirm_slowly(Handle handle, Nanos now);
    [[nodiscard]] Entry* entry_of(Handle handle);
    [[nodiscard]] uint16_t claim_index(Nanos now);
    void make_reachable(Entry& entry, Nanos now);
    void make_stale(Entry& entry);
    void ask(Entry& entry, Nanos now);
    void wake_at(Nanos deadline_ns);
    void run_timers(Nanos now);
    void step(Entry& entry, Nanos now);
    void remove(uint16_t index);

    [[nodiscard]] uint32_t slot_of(const IpAddress& address) const;
    [[nodiscard]] uint32_t home_of(const IpAddress& address) const;
    void erase_slot(const IpAddress& address);

    void send_held(const Entry& entry);
    void drop_held(uint32_t handle);
    void drop_oldest_held(uint32_t handle);

    NeighbourLink& link_;
    Prng prng_;
    uint64_t hash_seed_;
    Nanos reachable_now_ns_;
    Nanos reachable_drawn_ns_ = 0;
    Nanos next_ns_ = ~Nanos{0};
    uint32_t size_ = 0;
    uint32_t held_count_ = 0;
    uint64_t held_order_ = 0;
    RateLimit evictions_;
    Counters counters_;
    std::unique_ptr<Entry[]> entries_;
    std::unique_ptr<uint16_t[]> slots_;  // entry index by hash of address, linear probing
    std::array<Held, held_max> held_;
};

}  // namespace sy::tcpip
