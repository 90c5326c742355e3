// A session's octets on their way out: a list of fixed chunks from the worker's pool, held only
// while something is unsent, so that an idle session costs nothing. PDUs are encoded in place
// (reserve, then commit) and flushed once a turn.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/bytes.h"
#include "core/base/limits.h"

namespace sy::engine {

struct Chunk {
    Chunk* next = nullptr;
    uint32_t begin = 0;  // first unsent octet
    uint32_t end = 0;    // behind the last octet
    uint32_t capacity = 0;

    [[nodiscard]] uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }
};

/// Two sizes: small for a session's first answers, large for bulk and for the largest PDU.
class ChunkPool {
  public:
    ChunkPool(uint32_t small_count, uint32_t large_count);
    ~ChunkPool();
    ChunkPool(const ChunkPool&) = delete;
    ChunkPool& operator=(const ChunkPool&) = delete;

    /// Null when that size, and where it fits the other one, is used up.
    [[nodiscard]] Chunk* take(uint32_t bytes_min, bool prefer_large);
    void give_back(Chunk* chunk);

    /// What one session may hold before its requests are no longer read: a quarter of what is left
    /// of the large chunks, 1 MiB at most. Peers that do not read share these; whoever comes after
    /// has half of a small one, of which there is one for each connection.
    [[nodiscard]] uint64_t share_bytes() const {
        const uint64_t left = large_free_ > large_kept_ ? large_free_ - large_kept_ : 0;
        return std::clamp<uint64_t>(left * large_bytes / 4, small_bytes / 2, session_bytes_max);
    }

    static constexpr uint32_t small_bytes = 4096 - sizeof(Chunk);
    static constexpr uint32_t large_bytes = limits::pdu_bytes_max;

  private:
    static constexpr uint64_t session_bytes_max = 1 << 20;

    uint8_t* memory_ = nullptr;
    Chunk* small_ = nullptr;
    Chunk* large_ = nullptr;
    uint32_t large_free_ = 0;
    // Left to what fits nowhere else: PDUs larger than a small chunk.
    uint32_t large_kept_ = 0;
};

class Output {
  public:
    /// Room for `bytes` octets in one piece, empty when the pool is used up. REQUIRES: commit() or
    /// another reserve() follows; bytes <= ChunkPool::large_bytes.
    [[nodiscard]] std::span<uint8_t> reserve(ChunkPool& pool, uint32_t bytes);
    void commit(uint32_t bytes);

    [[nodiscard]] bool empty() const { return pending_bytes_ == 0; }
    [[nodiscard]] uint64_t pending_bytes() const { return pending_bytes_; }
    /// The next unsent octets in one piece.
    [[nodiscard]] Octets front() const;
    /// `bytes` of front() were sent; chunks that are done go back to the pool.
    void sent(ChunkPool& pool, uint32_t bytes);
    void clear(ChunkPool& pool);

  private:
    Chunk* head_ = nullptr;
    Chunk* tail_ = nullptr;
    uint64_t pending_bytes_ = 0;
    bool bulk_ = false;  // the last flush outgrew a small chunk: start with a large one
};

}  // namespace sy::engine
