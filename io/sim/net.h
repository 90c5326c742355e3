// A network that exists in one thread and one object: virtual time, links between SimTransports,
// and faults drawn from a seed. The same seed and the same calls give the same events, octet for
// octet; hash() proves it.
//
// A link is a pair of byte streams as TCP gives them: in order, cut anywhere, late, with a window
// that closes when the reader is slow, ended by FIN, by RST, or by silence.
#pragma once

#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/endpoint.h"
#include "core/base/prng.h"
#include "core/base/time.h"

namespace sy::sim {

class SimTransport;

inline constexpr Nanos never_ns = std::numeric_limits<Nanos>::max();

enum class Cut : uint8_t {
    fin,      // the receiver sees an orderly end, the sender is reset
    rst,      // both ends are reset
    silence,  // nothing arrives any more, nobody is told
};

/// What links are like; each new one draws its own nature from this. Chances are parts in 1,000.
struct LinkMix {
    Nanos latency_min_ns = 100 * microsecond_ns;  // one way, drawn for every segment
    Nanos latency_max_ns = 2 * millisecond_ns;
    uint32_t segment_bytes_max = 1460;
    uint32_t window_bytes_min = 4096;  // taken from the sender, not yet consumed by the reader
    uint32_t window_bytes_max = 256 * 1024;
    uint32_t short_send = 0;       // a send() takes less than the window allows
    uint32_t refuse = 0;           // connect: RST
    uint32_t connect_silence = 0;  // connect: nothing
    uint32_t cut_fin = 0;          // the link ends so, after a number of octets below cut_bytes_max
    uint32_t cut_rst = 0;
    uint32_t cut_silence = 0;
    uint64_t cut_bytes_max = 20'000;
};

class SimNet {
  public:
    explicit SimNet(uint64_t seed, Nanos start_ns = second_ns);
    ~SimNet();
    SimNet(const SimNet&) = delete;
    SimNet& operator=(const SimNet&) = delete;

    [[nodiscard]] Nanos now_ns() const { return now_ns_; }
    /// Wall clock: 2026-01-01 and the virtual time.
    [[nodiscard]] Now now() const;
    /// When something happens next; never_ns when nothing is under way.
    [[nodiscard]] Nanos next_event_ns() const;
    /// Moves the clock to `to_ns` and lets everything happen that is due by then.
    void advance_to(Nanos to_ns);

    void set_mix(const LinkMix& mix) { mix_ = mix; }
    /// For links to this listening address.
    void set_mix(const Endpoint& to, const LinkMix& mix) { mixes_[key(to)] = mix; }

    [[nodiscard]] Prng& prng() { return prng_; }
    /// Folds everything that happened, and what note() added.
    [[nodiscard]] uint64_t hash() const { return hash_; }
    void note(uint64_t what) { hash_ = mix64(hash_ ^ what); }
    /// Every event as a line; null stops it.
    void set_trace(std::FILE* trace) { trace_ = trace; }

    struct Counters {
        uint64_t events = 0;
        uint64_t links = 0;
        uint64_t refused = 0;
        uint64_t cut = 0;  // links that a fault ended
        uint64_t octets = 0;
    };
    [[nodiscard]] const Counters& counters() const { return counters_; }

  private:
    friend class SimTransport;

    // End 0 connected, end 1 accepted.
    struct End {
        SimTransport* owner = nullptr;  // null: gone
        uint32_t slot = 0;
        std::string inbox;  // arrived, not consumed, from inbox_at
        size_t inbox_at = 0;
        bool fin = false;    // the peer's stream ends behind the inbox
        bool reset = false;  // ended by RST
        bool deaf = false;   // what the peer sent before its RST is lost
        bool fin_sent = false;
        uint64_t taken = 0;             // octets taken from this end's sender
        uint64_t credited = 0;          // of these, consumed by the peer's reader, as known here
        uint64_t cut_after = never_ns;  // octets from this end that still arrive
        Nanos last_arrival_ns = 0;      // at the peer: order is kept
    };
    struct Link {
        uint64_t id = 0;
        LinkMix mix;
        Endpoint from;
        Endpoint to;
        uint32_t window_bytes = 0;
        Cut cut = Cut::rst;
        bool broken = false;  // the cut has happened
        Nanos cut_ns = never_ns;
        bool silent = false;
        End ends[2];
    };

    enum class Kind : uint8_t {
        syn,
        connected,
        refused,
        data,
        fin,
        reset,
        credit,
        linger,   // close() has waited long enough
        give_up,  // connect() has
    };
    struct Event {
        Nanos at_ns = 0;
        uint64_t order = 0;
        Kind kind{};
        uint64_t link = 0;
        uint8_t end = 0;  // at which it happens
        uint64_t amount = 0;
        std::string octets{};
    };
    struct Later {
        bool operator()(const Event& a, const Event& b) const {
            return a.at_ns != b.at_ns ? a.at_ns > b.at_ns : a.order > b.order;
        }
    };

    using Key = std::pair<std::array<uint8_t, 16>, uint16_t>;
    static Key key(const Endpoint& endpoint) { return {endpoint.address, endpoint.port}; }

    // For SimTransport.
    Link& open_link(SimTransport& owner, uint32_t slot, const Endpoint& from, const Endpoint& to);
    size_t send(Link& link, uint8_t end, Octets octets);
    void send_fin(Link& link, uint8_t end);
    void send_reset(Link& link, uint8_t end);
    void consumed(Link& link, uint8_t end, size_t octets);
    void linger(Link& link, uint8_t end, Nanos for_ns);
    void detach(Link& link, uint8_t end);
    void sever(Link& link, uint8_t from_end, Cut cut);
    [[nodiscard]] Link* find(uint64_t id);

    void schedule(Event event);
    void run(Event& event);
    void arrive_syn(Link& link);
    void arrive_data(Link& link, const Event& event);
    void send_segment(Link& link, uint8_t end, std::string octets);
    [[nodiscard]] Nanos latency(const Link& link);
    [[nodiscard]] Nanos arrival(Link& link, uint8_t from_end);

    Prng prng_;
    Nanos now_ns_;
    uint64_t order_ = 0;
    uint64_t next_link_ = 1;
    uint64_t hash_ = 0;
    std::FILE* trace_ = nullptr;
    LinkMix mix_;
    std::map<Key, LinkMix> mixes_;
    std::map<Key, std::vector<SimTransport*>> listeners_;
    std::unordered_map<uint64_t, std::unique_ptr<Link>> links_;  // looked up, never walked
    std::vector<Event> events_;                                  // a heap, the next one in front
    Counters counters_;
};

}  // namespace sy::sim
