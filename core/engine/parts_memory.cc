#include "core/engine/parts_memory.h"

#include <algorithm>
#include <bit>

#include "core/base/assert.h"
#include "core/base/limits.h"

namespace sy::engine {

static_assert(limits::cache_line_bytes == 64);

PartsMemory::PartsMemory(uint32_t messages_max)
    : line_mask_(std::bit_ceil(std::max(messages_max / line_words, 1U)) - 1),
      lines_(std::make_unique<Line[]>(size_t{line_mask_} + 1)) {}

// Never 0, which is an empty place: no value is none.
PartsMemory::Word PartsMemory::word_of(uint64_t key, uint16_t value, uint16_t second) {
    return (key >> 32) << 32 | uint64_t{second} << 16 | static_cast<uint16_t>(value + 1);
}

bool PartsMemory::is_fresh(Word word, uint16_t second) {
    const auto age = static_cast<uint16_t>(second - static_cast<uint16_t>(word >> 16));
    return word != 0 && age <= seconds_max;
}

uint16_t PartsMemory::put(uint64_t key, uint16_t value, Nanos now_ns, bool replace) {
    SY_DCHECK(value != none);
    const auto second = static_cast<uint16_t>(now_ns / second_ns);
    const Word mine = word_of(key, value, second);
    Line& line = lines_[key >> 1 & line_mask_];
    while (true) {
        std::atomic<Word>* place = nullptr;
        Word there = 0;
        uint16_t oldest_age = 0;
        for (std::atomic<Word>& each : line.words) {
            // Relaxed throughout: the word is all that workers tell each other here.
            const Word word = each.load(std::memory_order_relaxed);
            const bool fresh = is_fresh(word, second);
            if (fresh && word >> 32 == key >> 32) {
                if (!replace) {
                    return static_cast<uint16_t>((word & 0xFFFF) - 1);
                }
                place = &each;
                there = word;
                break;
            }
            const auto age = fresh
                                 ? static_cast<uint16_t>(second - static_cast<uint16_t>(word >> 16))
                                 : uint16_t{0xFFFF};
            if (place == nullptr || age > oldest_age) {
                place = &each;
                there = word;
                oldest_age = age;
            }
        }
        // Somebody else's word may have come since: then look again.
        if (place->compare_exchange_strong(there, mine, std::memory_order_relaxed)) {
            return value;
        }
    }
}

uint16_t PartsMemory::claim(uint64_t key, uint16_t value, Nanos now_ns) {
    return put(key, value, now_ns, false);
}

void PartsMemory::move(uint64_t key, uint16_t value, Nanos now_ns) {
    (void)put(key, value, now_ns, true);
}

uint16_t PartsMemory::find(uint64_t key, Nanos now_ns) const {
    const auto second = static_cast<uint16_t>(now_ns / second_ns);
    for (const std::atomic<Word>& each : lines_[key >> 1 & line_mask_].words) {
        const Word word = each.load(std::memory_order_relaxed);
        if (is_fresh(word, second) && word >> 32 == key >> 32) {
            return static_cast<uint16_t>((word & 0xFFFF) - 1);
        }
    }
    return none;
}

}  // namespace sy::engine
