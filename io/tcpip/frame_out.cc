#include "io/tcpip/frame_out.h"

#include <algorithm>

namespace sy::tcpip {

FrameOut::~FrameOut() {
    port_.discard({frames_.data() + first_, waiting_count_ + free_count_});
}

TxFrame* FrameOut::make_room() {
    if (!full_ && waiting_count_ == waiting_max) {
        hand_over();
    }
    if (!starved_ && free_count_ == 0) {
        if (first_ + waiting_count_ + free_max > frames_max) {
            move_to_front();
        }
        free_count_ = port_.allocate({frames_.data() + first_ + waiting_count_, free_max});
        starved_ = free_count_ == 0;
    }
    if (free_count_ == 0 || waiting_count_ == waiting_max) {
        ++counters_.no_memory;
        return nullptr;
    }
    return &frames_[first_ + waiting_count_];
}

void FrameOut::move_to_front() {
    std::copy_n(frames_.begin() + first_, waiting_count_ + free_count_, frames_.begin());
    first_ = 0;
}

TxFrame FrameOut::take() {
    TxFrame& next = frames_[first_ + waiting_count_];
    const TxFrame taken = next;
    --free_count_;
    next = frames_[first_ + waiting_count_ + free_count_];
    return taken;
}

void FrameOut::send(const TxFrame& frame) {
    if (!full_ && waiting_count_ == waiting_max) {
        hand_over();
    }
    if (waiting_count_ == waiting_max) {
        ++counters_.given_up;
        discard(frame);
        return;
    }
    if (first_ + waiting_count_ + free_count_ == frames_max) {
        move_to_front();
    }
    TxFrame& place = frames_[first_ + waiting_count_];
    frames_[first_ + waiting_count_ + free_count_] = place;  // a free one makes way
    place = frame;
    ++waiting_count_;
}

void FrameOut::flush() {
    full_ = false;
    starved_ = false;
    if (waiting_count_ != 0) {
        hand_over();
    }
}

void FrameOut::hand_over() {
    const uint32_t taken = port_.transmit({frames_.data() + first_, waiting_count_});
    counters_.frames += taken;
    for (uint32_t i = 0; i < taken; ++i) {
        counters_.bytes += frames_[first_ + i].bytes;
    }
    if (taken < waiting_count_) {
        ++counters_.port_full;
        full_ = true;
    }
    first_ += taken;
    waiting_count_ -= taken;
    if (waiting_count_ + free_count_ == 0) {
        first_ = 0;  // the front of the array stays in the cache
    }
}

}  // namespace sy::tcpip
