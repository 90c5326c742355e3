#include "io/tcpip/sack.h"

#include <algorithm>

#include "core/base/assert.h"

namespace sy::tcpip {

SackUpdate Scoreboard::update(Seq una, Seq nxt, std::span<const SackBlock> blocks) {
    SackUpdate out;
    for (size_t i = 0; i < blocks.size(); ++i) {
        const SackBlock block = blocks[i];
        // RFC 2883 section 4: only the first block can report a duplicate; it lies below the
        // acknowledgement, or inside of the second block.
        const bool ordered = block.begin < block.end;
        const bool inside = ordered && i == 0 && blocks.size() > 1 &&
                            blocks[1].begin < blocks[1].end && block != blocks[1] &&
                            block.begin >= blocks[1].begin && block.end <= blocks[1].end &&
                            block.end <= nxt;
        if (ordered && i == 0 && (block.end <= una || inside)) {
            out.duplicate = true;
            out.duplicate_block = block;
            continue;
        }
        if (!ordered || block.begin <= una || block.end > nxt) {
            ++out.invalid;
            continue;
        }
        out.newly_sacked += merge(block);
    }
    return out;
}

uint32_t Scoreboard::merge(SackBlock block) {
    // [first, last): the ranges that the block overlaps or touches.
    uint32_t first = 0;
    while (first < count_ && ranges_[first].end < block.begin) {
        ++first;
    }
    uint32_t last = first;
    uint32_t known = 0;
    SackBlock merged = block;
    while (last < count_ && ranges_[last].begin <= block.end) {
        known += ranges_[last].size();
        merged.begin = earlier(merged.begin, ranges_[last].begin);
        merged.end = later(merged.end, ranges_[last].end);
        ++last;
    }
    if (first != last) {
        ranges_[first] = merged;
        erase(first + 1, last);
    } else {
        if (count_ == ranges_max) {
            if (!make_room(block.size())) {
                return 0;
            }
            return merge(block);
        }
        std::copy_backward(ranges_.begin() + first, ranges_.begin() + count_,
                           ranges_.begin() + count_ + 1);
        ranges_[first] = block;
        ++count_;
    }
    sacked_ += merged.size() - known;
    return merged.size() - known;
}

// The smallest range is worth least: forgetting it costs the fewest octets sent twice. False: the
// block of `bytes` octets itself is not worth more.
bool Scoreboard::make_room(uint32_t bytes) {
    uint32_t smallest = 0;
    for (uint32_t i = 1; i < count_; ++i) {
        smallest = ranges_[i].size() <= ranges_[smallest].size() ? i : smallest;
    }
    if (ranges_[smallest].size() >= bytes) {
        return false;
    }
    sacked_ -= ranges_[smallest].size();
    erase(smallest, smallest + 1);
    return true;
}

void Scoreboard::erase(uint32_t first, uint32_t last) {
    std::copy(ranges_.begin() + last, ranges_.begin() + count_, ranges_.begin() + first);
    count_ -= last - first;
}

void Scoreboard::advance(Seq una) {
    uint32_t gone = 0;
    while (gone < count_ && ranges_[gone].end <= una) {
        sacked_ -= ranges_[gone].size();
        ++gone;
    }
    erase(0, gone);
    if (count_ != 0 && ranges_[0].begin < una) {
        sacked_ -= una - ranges_[0].begin;
        ranges_[0].begin = una;
    }
}

void Scoreboard::clear() {
    count_ = 0;
    sacked_ = 0;
}

bool Scoreboard::is_sacked(Seq seq) const {
    return std::any_of(ranges_.begin(), ranges_.begin() + count_, [seq](const SackBlock& range) {
        return range.begin <= seq && seq < range.end;
    });
}

Seq Scoreboard::lost_before(Seq una, uint32_t mss) const {
    uint32_t bytes = 0;
    for (uint32_t i = count_; i-- > 0;) {
        bytes += ranges_[i].size();
        if (count_ - i >= duplicate_threshold || bytes > (duplicate_threshold - 1) * mss) {
            return later(ranges_[i].begin, una);
        }
    }
    return una;
}

bool Scoreboard::is_lost(Seq seq, uint32_t mss) const {
    SY_DCHECK(!is_sacked(seq));
    // One below seq stands for "nothing", whatever SND.UNA is.
    return seq < lost_before(seq - 1, mss);
}

uint32_t Scoreboard::unsacked_between(Seq from, Seq to) const {
    if (to <= from) {
        return 0;
    }
    uint32_t bytes = to - from;
    for (uint32_t i = 0; i < count_; ++i) {
        const Seq begin = later(ranges_[i].begin, from);
        const Seq end = earlier(ranges_[i].end, to);
        bytes -= begin < end ? end - begin : 0;
    }
    return bytes;
}

uint32_t Scoreboard::pipe(Seq una, Seq nxt, Seq high_rxt, uint32_t mss) const {
    return unsacked_between(lost_before(una, mss), nxt) +
           unsacked_between(una, earlier(high_rxt, nxt));
}

NextSegment Scoreboard::next_segment(Seq una, Seq nxt, Seq high_rxt, uint32_t mss) const {
    Seq begin = later(una, high_rxt);
    for (uint32_t i = 0; i < count_; ++i) {
        if (ranges_[i].end <= begin) {
            continue;
        }
        if (ranges_[i].begin <= begin) {
            begin = ranges_[i].end;
            continue;
        }
        SY_DCHECK(ranges_[i].end <= nxt);
        const uint32_t bytes = std::min(ranges_[i].begin - begin, mss);
        return {begin < lost_before(una, mss) ? 1U : 3U, {begin, begin + bytes}};
    }
    return {};
}

}  // namespace sy::tcpip
