#include "core/engine/message.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <new>

#include "core/base/assert.h"

namespace sy::engine {
namespace {

constexpr size_t round_to_line(size_t bytes) {
    return (bytes + limits::cache_line_bytes - 1) / limits::cache_line_bytes *
           limits::cache_line_bytes;
}

}  // namespace

std::string_view format_id(uint64_t id, IdForm form, IdText& buffer) {
    const auto write = [&](uint64_t value, int base, size_t width) {
        const auto end =
            std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, base).ptr;
        const auto length = static_cast<size_t>(end - buffer.data());
        if (length >= width) {
            return std::string_view(buffer.data(), length);
        }
        std::copy_backward(buffer.data(), end, buffer.data() + width);
        std::fill_n(buffer.data(), width - length, '0');
        return std::string_view(buffer.data(), width);
    };
    switch (form) {
        case IdForm::decimal:
            return write(id, 10, 1);
        case IdForm::hex:
            return write(id, 16, 16);
        case IdForm::hex8:
            return write(id & 0xFFFFFFFF, 16, 8);
    }
    return {};
}

MessagePool::MessagePool(uint8_t home, uint32_t count, uint32_t large_count)
    : home_(home), count_(count + large_count) {
    const size_t small_stride = sizeof(Message) + round_to_line(small_body_bytes);
    const size_t large_stride = sizeof(Message) + round_to_line(limits::pdu_bytes_max);
    const size_t bytes = small_stride * count + large_stride * large_count;
    memory_ = static_cast<uint8_t*>(std::aligned_alloc(limits::cache_line_bytes, bytes));
    SY_ASSERT(memory_ != nullptr);
    uint8_t* at = memory_;
    const auto carve = [&](uint32_t n, size_t stride, uint32_t capacity, bool large) {
        for (uint32_t i = 0; i < n; ++i, at += stride) {
            auto* message = new (at) Message;
            message->large = large;
            message->home = home_;
            message->body = at + sizeof(Message);
            message->body_capacity = capacity;
            give_back(message);
        }
    };
    carve(count, small_stride, small_body_bytes, false);
    carve(large_count, large_stride, limits::pdu_bytes_max, true);
}

MessagePool::~MessagePool() {
    std::free(memory_);
}

Message* MessagePool::take(uint32_t body_bytes) {
    SY_DCHECK(body_bytes <= limits::pdu_bytes_max);
    const bool large = body_bytes > small_body_bytes;
    Message*& list = large ? large_ : small_;
    Message* message = list;
    if (message == nullptr) {
        return nullptr;
    }
    list = message->next;
    --(large ? free_large_ : free_small_);
    if (list != nullptr) {
        // The next one to be taken was last touched long ago: its lines come while this one is
        // filled.
        __builtin_prefetch(list, 1);
        __builtin_prefetch(reinterpret_cast<const uint8_t*>(list) + limits::cache_line_bytes, 1);
        __builtin_prefetch(&list->next, 1);
    }
    static_cast<MessageHead&>(*message) = MessageHead{};
    message->destination.length = 0;
    message->source.length = 0;
    message->next = nullptr;
    message->body_bytes = body_bytes;
    return message;
}

void MessagePool::give_back(Message* message) {
    SY_DCHECK(message->home == home_);
    Message*& list = message->large ? large_ : small_;
    message->next = list;
    list = message;
    ++(message->large ? free_large_ : free_small_);
}

}  // namespace sy::engine
