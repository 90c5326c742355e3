#include "core/engine/message.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/base/assert.h"
#include "core/base/prefetch.h"
#include "core/engine/attempt_log.h"

namespace sy::engine {
namespace {

constexpr size_t round_to_line(size_t bytes) {
    return (bytes + limits::cache_line_bytes - 1) / limits::cache_line_bytes *
           limits::cache_line_bytes;
}

// Eight decimal digits of a number below 10^8 as text, first digit in the lowest octet: split in
// halves, each half in halves again, all lanes of one word at a time; quotients by multiplication,
// exact in these ranges.
uint64_t eight_digits(uint32_t number) {
    const uint64_t by_10000 = number / 10'000 | uint64_t{number % 10'000} << 32;
    const uint64_t hundreds = (by_10000 * 10'486 >> 20) & 0x0000'007f'0000'007f;
    const uint64_t by_100 = hundreds | (by_10000 - 100 * hundreds) << 16;
    const uint64_t tens = (by_100 * 103 >> 10) & 0x000f'000f'000f'000f;
    const uint64_t by_10 = tens | (by_100 - 10 * tens) << 8;
    return by_10 | 0x3030'3030'3030'3030;
}

// An id has 18 or 19 digits from the clock it begins with: three groups, the first one short.
std::string_view format_decimal(uint64_t id, IdText& buffer) {
    constexpr uint64_t group = 100'000'000;
    const uint64_t upper = id / group;
    const uint64_t words[3] = {eight_digits(static_cast<uint32_t>(upper / group)),
                               eight_digits(static_cast<uint32_t>(upper % group)),
                               eight_digits(static_cast<uint32_t>(id % group))};
    static_assert(sizeof words == sizeof(IdText) && std::endian::native == std::endian::little);
    std::memcpy(buffer.data(), words, sizeof words);
    size_t zeros = 0;
    for (const uint64_t word : words) {
        const uint64_t digits = word ^ 0x3030'3030'3030'3030;
        zeros += digits == 0 ? 8 : static_cast<size_t>(std::countr_zero(digits)) / 8;
        if (digits != 0) {
            break;
        }
    }
    zeros = std::min(zeros, buffer.size() - 1);
    return std::string_view(buffer.data(), buffer.size()).substr(zeros);
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
            return format_decimal(id, buffer);
        case IdForm::hex:
            return write(id, 16, 16);
        case IdForm::hex8:
            return write(id & 0xFFFFFFFF, 16, 8);
    }
    return {};
}

uint64_t parse_id(std::string_view text, IdForm form) {
    uint64_t id = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, id, form == IdForm::decimal ? 10 : 16);
    const bool fits = form != IdForm::hex8 || id <= UINT32_MAX;
    return read.ec == std::errc{} && read.ptr == end && fits ? id : 0;
}

MessagePool::MessagePool(uint8_t home, uint32_t count, uint32_t large_count, bool with_logs)
    : home_(home),
      count_(count + large_count),
      logs_(with_logs ? std::make_unique<AttemptLog[]>(count_) : nullptr) {
    const size_t small_stride = sizeof(Message) + round_to_line(small_body_bytes);
    const size_t large_stride = sizeof(Message) + round_to_line(limits::pdu_bytes_max);
    const size_t bytes = small_stride * count + large_stride * large_count;
    memory_ = static_cast<uint8_t*>(std::aligned_alloc(limits::cache_line_bytes, bytes));
    SY_ASSERT(memory_ != nullptr);
    uint8_t* at = memory_;
    AttemptLog* next_log = logs_.get();
    const auto carve = [&](uint32_t n, size_t stride, uint32_t capacity, bool large) {
        for (uint32_t i = 0; i < n; ++i, at += stride) {
            auto* message = new (at) Message;
            message->large = large;
            message->home = home_;
            message->body = at + sizeof(Message);
            message->body_capacity = capacity;
            message->log = next_log != nullptr ? next_log++ : nullptr;
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
        // The next one to be taken was last touched long ago: the lines that every message needs
        // come while this one is filled.
        prefetch_lines_to_write(list, &list->sm + 1);
    }
    static constexpr MessageHead fresh;
    static_cast<MessageHead&>(*message) = fresh;
    message->destination.length = 0;
    message->source.length = 0;
    message->next = nullptr;
    message->body_bytes = body_bytes;
    if (message->log != nullptr) {
        message->log->clear();
    }
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
