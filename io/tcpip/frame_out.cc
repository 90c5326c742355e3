#include "io/tcpip/frame_out.h"

#include <algorithm>

namespace sy::tcpip {

FrameOut::~FrameOut() {
    port_.discard({free_.data(), free_count_});
    port_.discard({waiting_.data(), waiting_count_});
}

TxFrame* FrameOut::make_room() {
    if (!full_ && waiting_count_ == waiting_max) {
        hand_over();
    }
    if (!starved_ && free_count_ == 0) {
        free_count_ = port_.allocate(free_);
        starved_ = free_count_ == 0;
    }
    if (free_count_ == 0 || waiting_count_ == waiting_max) {
        ++counters_.no_memory;
        return nullptr;
    }
    return &free_[free_count_ - 1];
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
    waiting_[waiting_count_++] = frame;
}

void FrameOut::flush() {
    full_ = false;
    starved_ = false;
    if (waiting_count_ != 0) {
        hand_over();
    }
}

void FrameOut::hand_over() {
    const uint32_t taken = port_.transmit({waiting_.data(), waiting_count_});
    counters_.frames += taken;
    for (uint32_t i = 0; i < taken; ++i) {
        counters_.bytes += waiting_[i].bytes;
    }
    if (taken < waiting_count_) {
        ++counters_.port_full;
        full_ = true;
        std::copy(waiting_.begin() + taken, waiting_.begin() + waiting_count_, waiting_.begin());
    }
    waiting_count_ -= taken;
}

}  // namespace sy::tcpip
