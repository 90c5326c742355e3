// Octets of one connection that arrived out of order (RFC 9293 3.10.7.4, the receiver's part of
// RFC 2018). Bounded three times: at most 32 ranges, octets by the connection's limit, chunks by
// the pool. What is held is never replaced: the first copy of an octet wins, whatever later
// segments that overlap it say. From a bounded pool: an idle connection holds only an index. One
// thread.
//
// Every range has its own chunks, in which an octet stands at its sequence number modulo 2048; so
// ranges that meet join by moving at most one chunk's octets.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/base/bytes.h"
#include "io/tcpip/chunk_queue.h"
#include "io/tcpip/object_pool.h"
#include "io/tcpip/sack.h"
#include "io/tcpip/seq.h"

namespace sy::tcpip {

class Reassembly {
  public:
    static constexpr uint32_t ranges_max = 32;

    enum class Outcome : uint8_t {
        stored,      // all octets that were missing are held now, and there were some
        partly,      // some of them are; the rest met a limit
        duplicate,   // nothing was missing
        full,        // nothing stored: as many ranges or octets as this connection may have
        no_memory,   // nothing stored: the pool has no chunk
        beyond_fin,  // refused: octets beyond the FIN, or a FIN before octets or another FIN
    };

    /// Before the first insert(). REQUIRES: empty().
    void open(uint32_t bytes_max);

    /// Takes what is missing of the octets at `seq`, from rcv_nxt on. The caller has trimmed the
    /// segment to the receive window. `fin`: a FIN follows the last octet (payload may be empty).
    Outcome insert(ChunkPool& pool, Seq rcv_nxt, Seq seq, Octets payload, bool fin);

    /// Whether front() will have something: the octet at rcv_nxt is held.
    [[nodiscard]] bool ready(Seq rcv_nxt) const;
    /// Whether rcv_nxt is the FIN's place: all octets have been delivered.
    [[nodiscard]] bool fin_ready(Seq rcv_nxt) const { return has_fin_ && fin_ == rcv_nxt; }

    /// Drops what is before rcv_nxt and returns the octets from there on that are contiguous in
    /// memory; empty when the octet at rcv_nxt is not held. Valid until the next non-const call.
    [[nodiscard]] Octets front(ChunkPool& pool, Seq rcv_nxt);
    /// Drops the first n octets of front(), which have been delivered: rcv_nxt + n is next.
    void consume(ChunkPool& pool, uint32_t n);

    /// Blocks for the SACK option in the order of RFC 2018 section 4: the one that the latest
    /// segment belongs to, then the others by their latest change. A range that the FIN follows
    /// includes it. How many were written. Call front() first when rcv_nxt has moved.
    uint32_t sack_blocks(std::span<SackBlock> out) const;

    [[nodiscard]] uint32_t held_bytes() const { return held_; }
    [[nodiscard]] uint32_t range_count() const { return count_; }
    /// Nothing is held, no FIN is known.
    [[nodiscard]] bool empty() const { return count_ == 0 && !has_fin_; }
    void clear(ChunkPool& pool);

  private:
    struct Range {
        Seq begin;
        Seq end;
        uint32_t head = ChunkPool::none;
        uint32_t tail = ChunkPool::none;
        uint32_t changed = 0;  // value of changes_ when a segment last touched it
    };

    [[nodiscard]] bool accept_fin(Seq rcv_nxt, Seq end, bool fin);
    [[nodiscard]] uint32_t first_ending_from(Seq at) const;
    [[nodiscard]] bool ends_at(uint32_t index, Seq at) const;
    uint32_t store_gap(ChunkPool& pool, uint32_t index, Seq seq, Octets gap);
    uint32_t write(ChunkPool& pool, Range& range, Octets octets);
    void join(ChunkPool& pool, Range& left, const Range& right);
    void drop_front(ChunkPool& pool, uint32_t n);
    void erase(uint32_t index);
    void insert_at(uint32_t index, const Range& range);

    uint32_t count_ = 0;
    uint32_t held_ = 0;
    uint32_t bytes_max_ = 0;
    uint32_t changes_ = 0;
    Seq fin_;
    bool has_fin_ = false;
    std::array<Range, ranges_max> ranges_{};  // ascending, disjoint, not touching
};

using ReassemblyPool = ObjectPool<Reassembly>;

}  // namespace sy::tcpip
