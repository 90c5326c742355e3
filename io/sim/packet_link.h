// Two packet ports joined by a wire that exists in virtual time, with faults drawn from one seed:
// what carries two userspace stacks, or one and a scripted peer. The same seed and the same calls
// give the same frames at the same instants; hash() proves it. One thread; memory is taken in the
// constructor.
//
// A frame moves in its buffer from transmit() to the other end's receive(); nothing is copied but
// duplicates. Every buffer knows its owner, so that a double release stops the program and a leak
// shows in buffers_held().
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "core/base/prng.h"
#include "core/base/time.h"
#include "io/sim/packet.h"
#include "io/sim/pcap.h"
#include "io/tcpip/port.h"

namespace sy::sim {

inline constexpr Nanos no_event_ns = std::numeric_limits<Nanos>::max();

/// Options that a middlebox takes out of a SYN (NOPs take their place).
struct OptionStrip {
    bool window_scale = false;
    bool timestamps = false;
    bool sack_permitted = false;

    [[nodiscard]] bool any() const { return window_scale || timestamps || sack_permitted; }
};

/// A fault that befalls chosen TCP segments: those whose flags match, but the first `skip` of them,
/// `count` times.
struct MatchRule {
    enum class Action : uint8_t { drop, duplicate, corrupt, delay };

    uint8_t flags_mask = 0;
    uint8_t flags_match = 0;
    bool data_only = false;
    uint32_t skip = 0;
    uint32_t count = 1;
    Action action = Action::drop;
    Nanos delay_ns = 0;  // for `delay`: how much later; what follows overtakes
};

struct Interval {
    Nanos from_ns = 0;
    Nanos to_ns = 0;
};

/// What one direction of the wire does to frames. Chances are parts in 1,000 unless they say more.
struct LinkFaults {
    uint32_t loss = 0;
    // Gilbert-Elliott: chance for each frame to enter and to leave the bad state, loss while in it.
    uint32_t burst_enter = 0;
    uint32_t burst_leave = 250;
    uint32_t burst_loss = 1000;
    uint32_t duplicate = 0;
    uint32_t reorder = 0;                        // held until some frames have overtaken it
    uint32_t reorder_frames_max = 3;             // 1 .. this many, drawn
    Nanos reorder_ns_max = 20 * millisecond_ns;  // and not longer than this
    Nanos delay_ns = 0;
    Nanos jitter_ns = 0;                   // 0 .. this, drawn for each frame
    bool jitter_keeps_order = true;        // else a frame with less of it overtakes
    uint64_t bits_per_second = 0;          // 0: no limit
    uint32_t queue_bytes_max = 64 * 1024;  // waiting for the wire; behind it frames are dropped
    uint32_t corrupt = 0;   // one bit behind the Ethernet header, checksums left as they were
    uint32_t truncate = 0;  // octets cut off the end
    uint32_t pad = 0;       // 1 .. 46 octets of rubbish added behind the IP packet
    std::vector<Interval> blackouts{};  // nothing passes; in one direction only: one-way outage
    uint32_t mtu = 0;                   // 0: no limit; larger IP packets are dropped ...
    bool mtu_silent =
        false;  // ... without (black hole) or with an ICMP answer (RFC 1191, RFC 8201)
    std::vector<MatchRule> rules{};
    OptionStrip strip_in_syn{};
    OptionStrip strip_in_syn_ack{};
    uint16_t mss_max = 0;          // a middlebox that lowers MSS options in SYNs; 0: none
    uint32_t refuse_allocate = 0;  // the sending port gives fewer frames than asked for
    uint32_t refuse_transmit = 0;  // the sending port takes fewer than offered
};

struct PacketLinkOptions {
    std::array<Mac, 2> macs{Mac{2, 0, 0, 0, 0, 1}, Mac{2, 0, 0, 0, 0, 2}};
    uint32_t mtu = 1500;        // of both ports; set_port_mtu() may lower it
    uint32_t buffers = 4096;    // of both directions, on the wire and with the stacks
    uint32_t inbox_max = 1024;  // frames that wait for receive(), as a device's ring
    // Offloads, as in PortInfo; and whether receive() tells about checksums.
    bool tx_ip_checksum = false;
    bool tx_tcp_checksum = false;
    uint32_t tso_bytes_max = 0;
    bool rx_checksum = false;
    // Who answers "too big".
    std::array<uint8_t, 4> router_ipv4{10, 0, 0, 254};
    std::array<uint8_t, 16> router_ipv6{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe};
};

class PacketLink {
  public:
    PacketLink(uint64_t seed, const PacketLinkOptions& options, Nanos start_ns = second_ns);
    ~PacketLink();
    PacketLink(const PacketLink&) = delete;
    PacketLink& operator=(const PacketLink&) = delete;

    /// End 0 or 1.
    [[nodiscard]] tcpip::PacketPort& port(uint32_t end);
    [[nodiscard]] Nanos now_ns() const { return now_ns_; }
    /// When a frame arrives next; no_event_ns when none is under way.
    [[nodiscard]] Nanos next_event_ns() const;
    /// Moves the clock; what is due by then waits in the inboxes.
    void advance_to(Nanos to_ns);
    /// Frames that wait for receive() at this end.
    [[nodiscard]] uint32_t waiting(uint32_t end) const { return ends_[end].inbox_count; }

    /// For frames that end `from_end` sends from now on.
    void set_faults(uint32_t from_end, const LinkFaults& faults);
    void set_link_up(uint32_t end, bool up);
    void set_port_mtu(uint32_t end, uint32_t mtu);

    struct Counters {
        uint64_t sent = 0;  // frames taken by transmit(), after TSO
        uint64_t delivered = 0;
        uint64_t bytes = 0;  // of delivered ones
        uint64_t lost = 0;   // by chance, burst, rule, blackout or a link that is down
        uint64_t duplicated = 0;
        uint64_t reordered = 0;
        uint64_t corrupted = 0;
        uint64_t truncated = 0;
        uint64_t padded = 0;
        uint64_t stripped = 0;
        uint64_t queue_full = 0;
        uint64_t too_big = 0;
        uint64_t icmp = 0;  // "too big" answers to this sender
        uint64_t rule_hits = 0;
        uint64_t inbox_full = 0;
        uint64_t refused = 0;     // calls that the port did not serve in full, on purpose
        uint64_t no_buffer = 0;   // the pool was empty
        uint64_t bad_frames = 0;  // that no stack may hand to a port: too long, bad offload fields
    };
    [[nodiscard]] const Counters& counters(uint32_t from_end) const {
        return ends_[from_end].counters;
    }
    /// Folds everything that happened, and what note() added.
    [[nodiscard]] uint64_t hash() const { return hash_; }
    void note(uint64_t what) { hash_ = mix64(hash_ ^ what); }

    /// Allocated or received by this end's stack and not given back.
    [[nodiscard]] uint32_t buffers_held(uint32_t end) const { return ends_[end].held; }
    /// Not free: held, on the wire, or waiting.
    [[nodiscard]] uint32_t buffers_used() const {
        return static_cast<uint32_t>(buffers_.size() - free_.size());
    }

    /// What this end sends and gets, as a capture on its host would show it; null stops it.
    void set_pcap(uint32_t end, PcapWriter* pcap) { ends_[end].pcap = pcap; }
    /// Every frame and its fate as a line; null stops it.
    void set_trace(std::FILE* trace) { trace_ = trace; }

  private:
    class Port;

    enum class Owner : uint8_t { nobody, wire, stack0, stack1 };
    struct Buffer {
        uint8_t* data = nullptr;
        uint32_t bytes = 0;
        uint32_t index = 0;
        Owner owner = Owner::nobody;
    };
    struct Arrival {
        Nanos at_ns = 0;
        uint64_t order = 0;
        Buffer* buffer = nullptr;
        uint32_t to_end = 0;
        bool later_than(const Arrival& other) const {
            return at_ns != other.at_ns ? at_ns > other.at_ns : order > other.order;
        }
    };
    struct RuleOutcome {
        bool drop = false;
        bool duplicate = false;
        bool corrupt = false;
        Nanos extra_ns = 0;
    };
    struct Held {  // by the reorder fault
        Buffer* buffer = nullptr;
        uint32_t frames_left = 0;
        Nanos until_ns = 0;
    };
    struct End {
        std::unique_ptr<Port> port;
        tcpip::PortInfo info;
        LinkFaults faults;
        Counters counters;
        std::vector<Buffer*> inbox;  // a ring
        uint32_t inbox_at = 0;
        uint32_t inbox_count = 0;
        uint32_t held = 0;
        bool burst_bad = false;
        Nanos line_free_ns = 0;
        Nanos last_arrival_ns = 0;
        std::vector<Held> reordered;
        std::vector<uint32_t> rule_seen;
        PcapWriter* pcap = nullptr;
    };

    static Owner stack(uint32_t end) { return end == 0 ? Owner::stack0 : Owner::stack1; }
    Buffer* take_buffer(Owner owner);
    void free_buffer(Buffer& buffer);
    Buffer& checked(void* buffer, uint32_t end);

    uint32_t receive(uint32_t end, std::span<tcpip::RxFrame> out);
    void give_back(uint32_t end, void* buffer);
    uint32_t allocate(uint32_t end, std::span<tcpip::TxFrame> out);
    uint32_t transmit(uint32_t end, std::span<const tcpip::TxFrame> frames);

    void send(uint32_t end, Buffer& buffer, const tcpip::TxFrame& frame);
    void cut_segments(uint32_t end, Buffer& buffer, const tcpip::TxFrame& frame);
    void enter_wire(uint32_t end, Buffer& buffer);
    [[nodiscard]] const char* fate_by_chance(End& from);
    [[nodiscard]] RuleOutcome apply_rules(End& from, const Packet& packet);
    [[nodiscard]] bool offload_right(const Buffer& buffer, const tcpip::TxFrame& frame) const;
    [[nodiscard]] bool too_big(uint32_t end, Buffer& buffer, const Packet& packet);
    void answer_too_big(uint32_t end, const Buffer& buffer, const Packet& packet, uint32_t mtu);
    void strip_options(End& from, Buffer& buffer, const Packet& packet);
    void damage(uint32_t end, Buffer& buffer, const Packet& packet);
    void corrupt(uint32_t end, Buffer& buffer, const Packet& packet);
    void carry(uint32_t end, Buffer& buffer, Nanos extra_ns);
    void drop(uint32_t end, Buffer& buffer, const char* why, uint64_t& counter);
    void duplicate(uint32_t end, const Buffer& buffer, Nanos extra_ns);
    void schedule(uint32_t to_end, Buffer& buffer, Nanos at_ns);
    void release_held(uint32_t end, bool frame_passed);
    void arrive(const Arrival& arrival);
    void fold(const Buffer& buffer);
    void trace(const char* what, uint32_t end, const Buffer& buffer);

    PacketLinkOptions options_;
    Prng prng_;
    Nanos now_ns_;
    uint64_t order_ = 0;
    uint64_t hash_;
    std::FILE* trace_ = nullptr;
    uint32_t capacity_;
    std::unique_ptr<uint8_t[]> memory_;
    std::vector<Buffer> buffers_;
    std::vector<Buffer*> free_;
    std::vector<Arrival> arrivals_;  // a heap, the next one in front
    std::array<End, 2> ends_;
};

}  // namespace sy::sim
