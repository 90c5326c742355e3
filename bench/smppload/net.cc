#include "bench/smppload/net.h"

#include <cstring>
#include <ctime>

#include "core/base/assert.h"

namespace sy::load {

Nanos now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<Nanos>(now.tv_sec) * second_ns + static_cast<Nanos>(now.tv_nsec);
}

uint8_t* SendBuffer::claim(size_t bytes) {
    if (end_ + bytes > capacity) {
        std::memmove(octets_.get(), octets_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    SY_ASSERT(end_ + bytes <= capacity);
    return octets_.get() + end_;
}

void SendBuffer::sent(size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) {
        begin_ = end_ = 0;
    }
}

Link& Net::add(LinkHandler& handler, uint32_t user) {
    links_.push_back(std::make_unique<Link>());
    Link& link = *links_.back();
    link.live = true;
    link.handler = &handler;
    link.user = user;
    link.carry.reserve(carry_bytes_max);
    return link;
}

void Net::hand_out(Link& link, size_t size, Nanos now) {
    const size_t used = link.handler->on_bytes(link, {buffer_.get(), size}, now);
    if (!link.open()) {
        return;
    }
    if (size - used > carry_bytes_max) {
        close_now(link, "a PDU longer than 72 KiB");
        return;
    }
    link.carry.assign(buffer_.get() + used, buffer_.get() + size);
}

}  // namespace sy::load
