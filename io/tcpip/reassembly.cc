#include "io/tcpip/reassembly.h"

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"

namespace sy::tcpip {
namespace {

constexpr uint32_t chunk_bytes = ChunkPool::chunk_bytes;

// Where an octet stands in its chunk. 2048 divides 2^32: wrapping changes nothing.
uint32_t offset_of(Seq seq) {
    return seq.value % chunk_bytes;
}

}  // namespace

void Reassembly::open(uint32_t bytes_max) {
    SY_DCHECK(empty());
    bytes_max_ = bytes_max;
    changes_ = 0;
}

// Whether a segment that ends at `end`, with FIN or without, agrees with all that is known.
bool Reassembly::accept_fin(Seq rcv_nxt, Seq end, bool fin) {
    if (has_fin_) {
        return end <= fin_ && (!fin || end == fin_);
    }
    if (!fin) {
        return true;
    }
    if (end < rcv_nxt || (count_ != 0 && ranges_[count_ - 1].end > end)) {
        return false;
    }
    has_fin_ = true;
    fin_ = end;
    return true;
}

Reassembly::Outcome Reassembly::insert(
    ChunkPool& pool, Seq rcv_nxt, Seq seq, Octets payload, bool fin) {
    const Seq end = seq + static_cast<uint32_t>(payload.size());
    if (!accept_fin(rcv_nxt, end, fin)) {
        return Outcome::beyond_fin;
    }
    ++changes_;
    const uint32_t held_before = held_;
    bool missing = false;
    Seq at = later(seq, rcv_nxt);
    while (at < end) {
        const uint32_t index = first_ending_from(at);
        if (index < count_ && ranges_[index].begin <= at && ranges_[index].end > at) {
            ranges_[index].changed = changes_;
            at = ranges_[index].end;
            continue;
        }
        missing = true;
        // The gap ends at the next range; the one that ends at `at` is not it.
        const uint32_t next = index + (ends_at(index, at) ? 1 : 0);
        const Seq gap_end = next < count_ ? earlier(ranges_[next].begin, end) : end;
        const uint32_t gap = gap_end - at;
        const uint32_t allowed = std::min(gap, bytes_max_ - held_);
        const uint32_t stored = store_gap(pool, index, at, payload.subspan(at - seq, allowed));
        at += stored;
        if (stored != gap) {
            break;
        }
    }
    if (!missing) {
        return Outcome::duplicate;
    }
    if (at >= end) {
        return Outcome::stored;
    }
    if (held_ != held_before) {
        return Outcome::partly;
    }
    return held_ < bytes_max_ && pool.available() == 0 ? Outcome::no_memory : Outcome::full;
}

uint32_t Reassembly::first_ending_from(Seq at) const {
    uint32_t index = 0;
    while (index < count_ && ranges_[index].end < at) {
        ++index;
    }
    return index;
}

bool Reassembly::ends_at(uint32_t index, Seq at) const {
    return index < count_ && ranges_[index].end == at;
}

// Stores octets of which none is held; ranges_[index] ends at `at`, or is the first behind it. How
// many were stored: fewer when a limit is met.
uint32_t Reassembly::store_gap(ChunkPool& pool, uint32_t index, Seq at, Octets octets) {
    const Seq end = at + static_cast<uint32_t>(octets.size());
    const bool extends = ends_at(index, at);
    const uint32_t next = index + (extends ? 1 : 0);
    const bool reaches = next < count_ && ranges_[next].begin == end;
    if (!extends && !reaches && count_ == ranges_max) {
        return 0;
    }
    Range fresh;
    fresh.begin = at;
    fresh.end = at;
    Range& target = extends ? ranges_[index] : fresh;
    const uint32_t stored = write(pool, target, octets);
    if (stored == 0) {
        return 0;
    }
    target.changed = changes_;
    if (reaches && stored == octets.size()) {
        join(pool, target, ranges_[next]);
        if (extends) {
            erase(next);
        } else {
            ranges_[next] = fresh;
        }
    } else if (!extends) {
        if (count_ == ranges_max) {  // it was to become a part of the next range
            pool.release_chain(fresh.head);
            held_ -= stored;
            return 0;
        }
        insert_at(next, fresh);
    }
    return stored;
}

// Appends to the range; how many octets the pool had chunks for.
uint32_t Reassembly::write(ChunkPool& pool, Range& range, Octets octets) {
    uint32_t done = 0;
    while (done < octets.size()) {
        const uint32_t offset = offset_of(range.end);
        if (offset == 0 || range.head == ChunkPool::none) {
            const uint32_t chunk = pool.acquire();
            if (chunk == ChunkPool::none) {
                break;
            }
            if (range.head == ChunkPool::none) {
                range.head = chunk;
            } else {
                pool.set_next(range.tail, chunk);
            }
            range.tail = chunk;
        }
        const auto left = static_cast<uint32_t>(octets.size()) - done;
        const uint32_t n = std::min(left, chunk_bytes - offset);
        std::memcpy(pool.data(range.tail) + offset, octets.data() + done, n);
        range.end += n;
        done += n;
    }
    held_ += done;
    return done;
}

// Adds `right`, which begins where `left` ends, to `left`. Its chunks are `left`'s then.
void Reassembly::join(ChunkPool& pool, Range& left, const Range& right) {
    const uint32_t offset = offset_of(left.end);
    if (offset == 0) {
        pool.set_next(left.tail, right.head);
        left.tail = right.tail;
    } else {
        // Both have octets of the same 2048: the right one's first chunk is moved into the left
        // one's last.
        const uint32_t n = std::min(right.end - right.begin, chunk_bytes - offset);
        std::memcpy(pool.data(left.tail) + offset, pool.data(right.head) + offset, n);
        if (right.head != right.tail) {
            pool.set_next(left.tail, pool.next(right.head));
            left.tail = right.tail;
        }
        pool.release(right.head);
    }
    left.end = right.end;
}

bool Reassembly::ready(Seq rcv_nxt) const {
    return std::any_of(ranges_.begin(), ranges_.begin() + count_, [rcv_nxt](const Range& range) {
        return range.begin <= rcv_nxt && rcv_nxt < range.end;
    });
}

Octets Reassembly::front(ChunkPool& pool, Seq rcv_nxt) {
    while (count_ != 0 && ranges_[0].begin < rcv_nxt) {
        drop_front(pool, earlier(ranges_[0].end, rcv_nxt) - ranges_[0].begin);
    }
    if (count_ == 0 || ranges_[0].begin != rcv_nxt) {
        return {};
    }
    const Range& range = ranges_[0];
    const uint32_t offset = offset_of(range.begin);
    return {pool.data(range.head) + offset,
            std::min(range.end - range.begin, chunk_bytes - offset)};
}

void Reassembly::consume(ChunkPool& pool, uint32_t n) {
    SY_DCHECK(count_ != 0 && n <= ranges_[0].end - ranges_[0].begin);
    drop_front(pool, n);
}

// REQUIRES: n <= octets of the first range.
void Reassembly::drop_front(ChunkPool& pool, uint32_t n) {
    Range& range = ranges_[0];
    uint32_t offset = offset_of(range.begin) + n;
    range.begin += n;
    held_ -= n;
    if (range.begin == range.end) {
        pool.release_chain(range.head);
        erase(0);
        return;
    }
    while (offset >= chunk_bytes) {
        const uint32_t following = pool.next(range.head);
        pool.release(range.head);
        range.head = following;
        offset -= chunk_bytes;
    }
}

uint32_t Reassembly::sack_blocks(std::span<SackBlock> out) const {
    uint32_t written = 0;
    uint32_t below = 0xFFFFFFFF;
    while (written < out.size() && written < count_) {
        // Every insert() leaves its mark on one range only: what it touches becomes one.
        const Range* latest = nullptr;
        for (uint32_t i = 0; i < count_; ++i) {
            const Range& range = ranges_[i];
            if (range.changed < below && (latest == nullptr || range.changed > latest->changed)) {
                latest = &range;
            }
        }
        if (latest == nullptr) {  // only after 2^32 changes, which begin at 0 again
            break;
        }
        below = latest->changed;
        const uint32_t fin = has_fin_ && fin_ == latest->end ? 1 : 0;
        out[written++] = {latest->begin, latest->end + fin};
    }
    return written;
}

void Reassembly::clear(ChunkPool& pool) {
    for (uint32_t i = 0; i < count_; ++i) {
        pool.release_chain(ranges_[i].head);
    }
    count_ = 0;
    held_ = 0;
    has_fin_ = false;
}

void Reassembly::erase(uint32_t index) {
    std::copy(ranges_.begin() + index + 1, ranges_.begin() + count_, ranges_.begin() + index);
    --count_;
}

void Reassembly::insert_at(uint32_t index, const Range& range) {
    std::copy_backward(ranges_.begin() + index, ranges_.begin() + count_,
                       ranges_.begin() + count_ + 1);
    ranges_[index] = range;
    ++count_;
}

}  // namespace sy::tcpip
