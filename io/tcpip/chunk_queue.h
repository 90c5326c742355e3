// Octet queues over shared chunks of 2 KiB: what a connection has to send, or has received and not
// delivered. An empty queue holds no chunk. One ChunkPool a worker, all its memory taken at start;
// a queue always goes with the same pool. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "io/tcpip/copy_checksum.h"
#include "io/tcpip/page_array.h"

namespace sy::tcpip {

/// Chunks by index; the links stand apart, so that all 2048 octets are payload.
class ChunkPool {
  public:
    static constexpr uint32_t none = 0xFFFFFFFF;
    static constexpr uint32_t chunk_bytes = 2048;

    explicit ChunkPool(uint32_t chunks)
        : chunks_(chunks), data_(size_t{chunks} * chunk_bytes), next_(chunks) {
        for (uint32_t i = 0; i < chunks; ++i) {
            next_[i] = i + 1 == chunks ? none : i + 1;
        }
        free_ = chunks == 0 ? none : 0;
        available_ = chunks;
    }

    /// A chunk with next() none, or none when all are in use.
    [[nodiscard]] uint32_t acquire() {
        const uint32_t chunk = free_;
        if (chunk != none) [[likely]] {
            free_ = next_[chunk];
            next_[chunk] = none;
            --available_;
        }
        return chunk;
    }
    void release(uint32_t chunk) {
        SY_DCHECK(available_ < chunks_);
        next_[chunk] = free_;
        free_ = chunk;
        ++available_;
    }
    /// Gives back `chunk` and all that follow it; none is allowed.
    void release_chain(uint32_t chunk) {
        while (chunk != none) {
            const uint32_t following = next_[chunk];
            release(chunk);
            chunk = following;
        }
    }

    [[nodiscard]] uint8_t* data(uint32_t chunk) {
        SY_DCHECK(chunk < chunks_);
        return data_.data() + size_t{chunk} * chunk_bytes;
    }
    [[nodiscard]] const uint8_t* data(uint32_t chunk) const {
        SY_DCHECK(chunk < chunks_);
        return data_.data() + size_t{chunk} * chunk_bytes;
    }
    [[nodiscard]] uint32_t next(uint32_t chunk) const { return next_[chunk]; }
    void set_next(uint32_t chunk, uint32_t following) { next_[chunk] = following; }

    [[nodiscard]] uint32_t available() const { return available_; }
    [[nodiscard]] uint32_t chunks() const { return chunks_; }
    [[nodiscard]] size_t memory_bytes() const {
        return data_.memory_bytes() + next_.memory_bytes();
    }

  private:
    uint32_t chunks_;
    uint32_t available_ = 0;
    uint32_t free_ = none;
    PageArray<uint8_t> data_;
    PageArray<uint32_t> next_;
};

/// First in, first out. Octets have positions, counted modulo 2^32 like sequence numbers; where
/// they begin is the user's choice (restart), so that a position can be the octet's sequence
/// number. Not destructed: clear() gives the chunks back. Fewer than 2^31 octets.
class ChunkQueue {
  public:
    /// Where to read on. Valid as long as its octet is in the queue or next to come: over any
    /// append and commit, and over drop_front of octets before it (up to and including: of all
    /// octets, when it stands at the end). INVALID after drop_front of the octet that it stands at
    /// or a later one, after clear() and after restart(); at() makes a new one.
    struct Cursor {
        uint32_t chunk = ChunkPool::none;
        uint32_t offset = 0;
        uint32_t position = 0;
    };

    [[nodiscard]] uint32_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    /// Position of the first octet, and of the one that is appended next.
    [[nodiscard]] uint32_t front_position() const { return front_position_; }
    [[nodiscard]] uint32_t end_position() const { return front_position_ + size_; }

    /// The next octet appended has this position. REQUIRES: empty().
    void restart(uint32_t position) {
        SY_DCHECK(size_ == 0);
        front_position_ = position;
    }

    /// Copies octets to the end; how many, from the front, the pool had memory for.
    size_t append(ChunkPool& pool, Octets octets) {
        size_t taken = 0;
        while (taken < octets.size()) {
            const std::span<uint8_t> room = reserve(pool);
            if (room.empty()) [[unlikely]] {
                break;
            }
            const size_t n = std::min(room.size(), octets.size() - taken);
            std::memcpy(room.data(), octets.data() + taken, n);
            commit(static_cast<uint32_t>(n));
            taken += n;
        }
        return taken;
    }

    /// Contiguous room at the end, to be written in place; empty: the pool is. May take a chunk,
    /// which stays with the queue until it is emptied, cleared, or cancel() is called. The room is
    /// valid until the next call that is not const.
    [[nodiscard]] std::span<uint8_t> reserve(ChunkPool& pool) {
        if (tail_ == ChunkPool::none || tail_bytes_ == ChunkPool::chunk_bytes) [[unlikely]] {
            if (!add_chunk(pool)) {
                return {};
            }
        }
        return {pool.data(tail_) + tail_bytes_, ChunkPool::chunk_bytes - size_t{tail_bytes_}};
    }
    /// The first n octets of the last reserve() are part of the queue.
    void commit(uint32_t n) {
        SY_DCHECK(n <= ChunkPool::chunk_bytes - uint32_t{tail_bytes_});
        tail_bytes_ = static_cast<uint16_t>(tail_bytes_ + n);
        size_ += n;
    }
    /// Gives back the chunk of a reserve() that nothing was committed to, if the queue is empty.
    void cancel(ChunkPool& pool) {
        if (size_ == 0) {
            clear(pool);
        }
    }

    /// The first contiguous piece; empty only if the queue is.
    [[nodiscard]] Octets front(const ChunkPool& pool) const {
        if (size_ == 0) {
            return {};
        }
        return {pool.data(head_) + head_offset_,
                std::min<size_t>(size_, ChunkPool::chunk_bytes - size_t{head_offset_})};
    }

    /// Chunks go back as soon as all their octets are dropped. REQUIRES: n <= size().
    [[gnu::always_inline]] void drop_front(ChunkPool& pool, uint32_t n) {
        SY_DCHECK(n <= size_);
        size_ -= n;
        front_position_ += n;
        if (size_ == 0) {
            empty_out(pool);
            return;
        }
        uint32_t offset = head_offset_ + n;
        while (offset >= ChunkPool::chunk_bytes) {
            const uint32_t following = pool.next(head_);
            pool.release(head_);
            head_ = following;
            offset -= ChunkPool::chunk_bytes;
        }
        head_offset_ = static_cast<uint16_t>(offset);
    }

    /// Drops everything. The position of what is appended next stays end_position().
    void clear(ChunkPool& pool) {
        front_position_ += size_;
        size_ = 0;
        empty_out(pool);
    }

    /// Walks over the chunks. REQUIRES: offset <= size().
    [[nodiscard]] Cursor at(const ChunkPool& pool, uint32_t offset) const {
        SY_DCHECK(offset <= size_);
        Cursor cursor{head_, head_offset_ + offset, front_position_ + offset};
        while (cursor.offset > ChunkPool::chunk_bytes) {
            cursor.chunk = pool.next(cursor.chunk);
            cursor.offset -= ChunkPool::chunk_bytes;
        }
        return cursor;
    }

    /// Fills `out` with the octets at the cursor and moves it behind them.
    /// REQUIRES: so many octets are there.
    void copy_out(const ChunkPool& pool, Cursor& cursor, std::span<uint8_t> out) const {
        if (const uint8_t* from = take_piece(pool, cursor, out.size())) [[likely]] {
            std::memcpy(out.data(), from, out.size());
            return;
        }
        size_t done = 0;
        walk(pool, cursor, out.size(), [&](const uint8_t* from, size_t n) {
            std::memcpy(out.data() + done, from, n);
            done += n;
        });
    }
    /// The same, and returns the octets' sum (copy_checksum.h).
    uint64_t copy_out_and_sum(const ChunkPool& pool, Cursor& cursor, std::span<uint8_t> out) const {
        if (const uint8_t* from = take_piece(pool, cursor, out.size())) [[likely]] {
            return copy_and_sum(out.data(), from, out.size());
        }
        size_t done = 0;
        uint64_t sum = 0;
        walk(pool, cursor, out.size(), [&](const uint8_t* from, size_t n) {
            sum = join_sums(sum, copy_and_sum(out.data() + done, from, n), done);
            done += n;
        });
        return sum;
    }

  private:
    // All chunks go back. REQUIRES: size_ is 0.
    [[gnu::always_inline]] void empty_out(ChunkPool& pool) {
        if (head_ == tail_) [[likely]] {
            if (head_ != ChunkPool::none) {
                pool.release(head_);
            }
        } else {
            pool.release_chain(head_);
        }
        head_ = ChunkPool::none;
        tail_ = ChunkPool::none;
        head_offset_ = 0;
        tail_bytes_ = 0;
    }

    bool add_chunk(ChunkPool& pool) {
        const uint32_t chunk = pool.acquire();
        if (chunk == ChunkPool::none) {
            return false;
        }
        if (tail_ == ChunkPool::none) {
            head_ = chunk;
        } else {
            pool.set_next(tail_, chunk);
        }
        tail_ = chunk;
        tail_bytes_ = 0;
        return true;
    }

    // The next `n` octets if they lie in one piece, and the cursor behind them; else null.
    [[nodiscard]] const uint8_t* take_piece(const ChunkPool& pool, Cursor& cursor, size_t n) const {
        const bool at_front = cursor.position == front_position_;
        const uint32_t chunk = at_front ? head_ : cursor.chunk;
        const uint32_t offset = at_front ? head_offset_ : cursor.offset;
        if (offset + n > ChunkPool::chunk_bytes || n == 0) {
            return nullptr;
        }
        cursor = {chunk, offset + static_cast<uint32_t>(n),
                  cursor.position + static_cast<uint32_t>(n)};
        return pool.data(chunk) + offset;
    }

    // Calls piece(from, n) for the contiguous pieces of the next `n` octets.
    template <class Piece>
    [[gnu::noinline]] void walk(const ChunkPool& pool,
                                Cursor& cursor,
                                size_t n,
                                Piece&& piece) const {
        SY_DCHECK(cursor.position - front_position_ <= size_);
        SY_DCHECK(n <= size_ - (cursor.position - front_position_));
        if (n == 0) {
            return;
        }
        // A cursor's chunk may have gone back only if all its octets were dropped; then the cursor
        // stands at the front.
        if (cursor.position == front_position_) {
            cursor.chunk = head_;
            cursor.offset = head_offset_;
        }
        cursor.position += static_cast<uint32_t>(n);
        while (true) {
            if (cursor.offset == ChunkPool::chunk_bytes) {
                cursor.chunk = pool.next(cursor.chunk);
                cursor.offset = 0;
            }
            const size_t part = std::min<size_t>(n, ChunkPool::chunk_bytes - cursor.offset);
            piece(pool.data(cursor.chunk) + cursor.offset, part);
            cursor.offset += static_cast<uint32_t>(part);
            n -= part;
            if (n == 0) {
                return;
            }
        }
    }

    uint32_t head_ = ChunkPool::none;
    uint32_t tail_ = ChunkPool::none;
    uint32_t size_ = 0;
    uint32_t front_position_ = 0;
    uint16_t head_offset_ = 0;  // of the first octet in the first chunk
    uint16_t tail_bytes_ = 0;   // used in the last chunk, up to and including 2048
};
static_assert(sizeof(ChunkQueue) == 20);

}  // namespace sy::tcpip
