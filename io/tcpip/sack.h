// What the peer has selectively acknowledged (RFC 2018), and what follows from it for the sender
// (RFC 6675; duplicates by RFC 2883). From a bounded pool: only connections in trouble have one.
// Every block is checked before anything is believed. Sequence positions are ends in the sense of
// iterators: [begin, end). One thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "io/tcpip/object_pool.h"
#include "io/tcpip/seq.h"

namespace sy::tcpip {

/// Octets [begin, end).
struct SackBlock {
    Seq begin;
    Seq end;

    friend constexpr bool operator==(const SackBlock&, const SackBlock&) = default;
    [[nodiscard]] constexpr uint32_t size() const { return end - begin; }
};

/// What one segment's SACK option said.
struct SackUpdate {
    uint32_t newly_sacked = 0;  // octets that were not known to be there
    uint32_t invalid = 0;       // blocks that were refused
    bool duplicate = false;     // the first block reports a duplicate (D-SACK), which is:
    SackBlock duplicate_block;
};

/// RFC 6675 NextSeg.
struct NextSegment {
    // 0: nothing; 1: a hole that is lost: send it first. 3: a hole that is not known to be lost:
    // only if there is no new data to send (rule 2).
    uint32_t rule = 0;
    SackBlock octets;
};

class Scoreboard {
  public:
    static constexpr uint32_t ranges_max = 32;
    static constexpr uint32_t duplicate_threshold = 3;  // RFC 6675 section 2, DupThresh

    /// Takes the blocks of a segment whose acknowledgement `una` is the current SND.UNA (advance()
    /// first), with `nxt` = SND.NXT at its highest. When there are more than ranges_max ranges the
    /// smallest are forgotten: the peer's octets are then sent once more, nothing is claimed that
    /// it does not have.
    SackUpdate update(Seq una, Seq nxt, std::span<const SackBlock> blocks);

    /// Forgets what is before `una`.
    void advance(Seq una);
    /// Forgets everything: when the retransmission timer fires (RFC 2018 section 8: the receiver
    /// may have discarded what it reported), and at the end.
    void clear();

    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] uint32_t sacked_bytes() const { return sacked_; }
    [[nodiscard]] std::span<const SackBlock> ranges() const { return {ranges_.data(), count_}; }
    [[nodiscard]] bool is_sacked(Seq seq) const;

    /// RFC 6675 IsLost: three ranges, or more than two segments' octets, are sacked above `seq`.
    /// REQUIRES: seq is not sacked.
    [[nodiscard]] bool is_lost(Seq seq, uint32_t mss) const;
    /// RFC 6675 SetPipe: octets that are thought to be on their way. `high_rxt`: the end of the
    /// highest retransmission of this recovery (una, when there was none).
    [[nodiscard]] uint32_t pipe(Seq una, Seq nxt, Seq high_rxt, uint32_t mss) const;
    /// RFC 6675 NextSeg, rules 1 and 3: at most one segment of a hole, from `high_rxt` on and below
    /// the highest sacked octet.
    [[nodiscard]] NextSegment next_segment(Seq una, Seq nxt, Seq high_rxt, uint32_t mss) const;

  private:
    // Everything unsacked before this is lost; `una` if nothing is.
    [[nodiscard]] Seq lost_before(Seq una, uint32_t mss) const;
    [[nodiscard]] uint32_t unsacked_between(Seq from, Seq to) const;
    uint32_t merge(SackBlock block);
    bool make_room(uint32_t bytes);
    void erase(uint32_t first, uint32_t last);

    uint32_t count_ = 0;
    uint32_t sacked_ = 0;
    std::array<SackBlock, ranges_max> ranges_{};  // ascending, disjoint, not touching
};

using ScoreboardPool = ObjectPool<Scoreboard>;

}  // namespace sy::tcpip
