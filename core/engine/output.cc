#include "core/engine/output.h"

#include <cstdlib>
#include <new>

#include "core/base/assert.h"

namespace sy::engine {

ChunkPool::ChunkPool(uint32_t small_count, uint32_t large_count) {
    const size_t small_stride = sizeof(Chunk) + small_bytes;
    const size_t large_stride = sizeof(Chunk) + large_bytes;
    const size_t bytes = small_stride * small_count + large_stride * large_count;
    memory_ = static_cast<uint8_t*>(std::aligned_alloc(
        limits::cache_line_bytes, (bytes + limits::cache_line_bytes - 1) /
                                      limits::cache_line_bytes * limits::cache_line_bytes));
    SY_ASSERT(memory_ != nullptr);
    uint8_t* at = memory_;
    const auto carve = [&](uint32_t count, size_t stride, uint32_t capacity) {
        for (uint32_t i = 0; i < count; ++i, at += stride) {
            auto* chunk = new (at) Chunk;
            chunk->capacity = capacity;
            give_back(chunk);
        }
    };
    carve(small_count, small_stride, small_bytes);
    carve(large_count, large_stride, large_bytes);
    large_kept_ = large_count / 4;
}

ChunkPool::~ChunkPool() {
    std::free(memory_);
}

Chunk* ChunkPool::take(uint32_t bytes_min, bool prefer_large) {
    SY_DCHECK(bytes_min <= large_bytes);
    const bool fits_small = bytes_min <= small_bytes;
    Chunk** list = !fits_small || (prefer_large && large_free_ > large_kept_) ? &large_ : &small_;
    if (*list == nullptr) {
        list = &large_;
    }
    Chunk* chunk = *list;
    if (chunk != nullptr) {
        *list = chunk->next;
        large_free_ -= chunk->capacity == large_bytes ? 1 : 0;
        chunk->next = nullptr;
        chunk->begin = 0;
        chunk->end = 0;
    }
    return chunk;
}

void ChunkPool::give_back(Chunk* chunk) {
    Chunk*& list = chunk->capacity == large_bytes ? large_ : small_;
    chunk->next = list;
    list = chunk;
    large_free_ += chunk->capacity == large_bytes ? 1 : 0;
}

std::span<uint8_t> Output::reserve(ChunkPool& pool, uint32_t bytes) {
    if (tail_ == nullptr || tail_->capacity - tail_->end < bytes) {
        bulk_ = bulk_ || tail_ != nullptr;
        Chunk* chunk = pool.take(bytes, bulk_);
        if (chunk == nullptr) {
            return {};
        }
        (tail_ == nullptr ? head_ : tail_->next) = chunk;
        tail_ = chunk;
    }
    return {tail_->data() + tail_->end, tail_->capacity - tail_->end};
}

void Output::commit(uint32_t bytes) {
    SY_DCHECK(tail_ != nullptr && bytes <= tail_->capacity - tail_->end);
    tail_->end += bytes;
    pending_bytes_ += bytes;
}

Octets Output::front() const {
    if (head_ == nullptr) {
        return {};
    }
    return {head_->data() + head_->begin, head_->end - head_->begin};
}

void Output::sent(ChunkPool& pool, uint32_t bytes) {
    SY_DCHECK(head_ != nullptr && bytes <= head_->end - head_->begin);
    head_->begin += bytes;
    pending_bytes_ -= bytes;
    if (head_->begin == head_->end) {
        Chunk* done = head_;
        if (done->next == nullptr && done->capacity == ChunkPool::large_bytes) {
            bulk_ = done->end > ChunkPool::small_bytes;
        }
        head_ = done->next;
        if (head_ == nullptr) {
            tail_ = nullptr;
        }
        pool.give_back(done);
    }
}

void Output::clear(ChunkPool& pool) {
    while (head_ != nullptr) {
        Chunk* done = head_;
        head_ = done->next;
        pool.give_back(done);
    }
    tail_ = nullptr;
    pending_bytes_ = 0;
}

}  // namespace sy::engine
