// What the router really did on one connection, written down at its transport: when it had which
// octet to send, when it read which, when it gave the connection up. The books (ledger.h) judge by
// it what the router could know, whatever the network did to the octets in between.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/time.h"
#include "io/sim/net.h"

namespace sy::sim {

class StreamLog {
  public:
    /// send() was offered so many octets and took so many.
    void offered(Nanos now_ns, size_t octets, size_t taken) {
        const uint64_t end = taken_ + octets;
        if (written_.empty() || end > written_.back().end) {
            // While the transport is full the router does not offer: what joins in the meantime may
            // be as old as that.
            const bool waited = full_ || resumed_ns_ == now_ns;
            written_.push_back({end, waited ? full_since_ns_ : now_ns, now_ns});
        }
        taken_ += taken;
        if (taken < octets && !full_ && resumed_ns_ != now_ns) {
            full_since_ns_ = now_ns;  // else: it never caught up
        }
        if (taken == octets && full_) {
            resumed_ns_ = now_ns;
        }
        full_ = taken < octets;
    }
    void read(Nanos now_ns, size_t octets) {
        read_octets_ += octets;
        read_.push_back({read_octets_, now_ns, now_ns});
    }
    void ended(Nanos now_ns) { ended_ns_ = std::min(ended_ns_, now_ns); }
    /// Two connections had one name: nothing can be said of either.
    void spoil() { spoilt_ = true; }

    /// Between which instants the router came to write the octet in front of `end`; never_ns: it
    /// did not, or nobody can tell.
    struct Between {
        Nanos from_ns = never_ns;
        Nanos to_ns = never_ns;
    };
    [[nodiscard]] Between written(uint64_t end) const {
        const Mark* mark = find(written_, end);
        return mark == nullptr ? Between{} : Between{mark->from_ns, mark->to_ns};
    }
    /// When it had read all octets up to there.
    [[nodiscard]] Nanos read_ns(uint64_t end) const {
        const Mark* mark = find(read_, end);
        return mark == nullptr ? never_ns : mark->to_ns;
    }
    [[nodiscard]] Nanos ended_ns() const { return spoilt_ ? never_ns : ended_ns_; }

  private:
    struct Mark {
        uint64_t end = 0;  // octets of the stream up to here
        Nanos from_ns = 0;
        Nanos to_ns = 0;
    };
    [[nodiscard]] const Mark* find(const std::vector<Mark>& marks, uint64_t end) const {
        const auto found = std::ranges::lower_bound(marks, end, {}, &Mark::end);
        return spoilt_ || found == marks.end() ? nullptr : &*found;
    }

    std::vector<Mark> written_;
    std::vector<Mark> read_;
    uint64_t taken_ = 0;
    uint64_t read_octets_ = 0;
    bool full_ = false;
    Nanos full_since_ns_ = 0;
    Nanos resumed_ns_ = never_ns;
    Nanos ended_ns_ = never_ns;
    bool spoilt_ = false;
};

}  // namespace sy::sim
