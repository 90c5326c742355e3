// Where the parts of a long message go: remembered by the first part, over all workers, for as long
// as the others may come, so that they stay together although prices, quality or links change
// between them. Of an MT that is its supplier, of an MO the place of the rule that it won by. No
// part waits for another.
//
// Any worker calls anything; no locks. Bounded: a new message takes the place of the oldest that
// falls into the same line. What is forgotten costs no more than a look at the rules as they are
// now.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/base/time.h"

namespace sy::engine {

class PartsMemory {
  public:
    /// Long messages that are remembered at a time, rounded up to a power of two.
    explicit PartsMemory(uint32_t messages_max);

    /// How long the first part is remembered. Customers submit all parts at once; queues and
    /// windows may hold some up.
    static constexpr uint32_t seconds_max = 300;

    static constexpr uint16_t none = 0xFFFF;

    /// Where the message `key` (not 0) goes: what an earlier part claimed, else `value` from now
    /// on. Of two parts at the same time on two workers one is the earlier. REQUIRES: not none.
    [[nodiscard]] uint16_t claim(uint64_t key, uint16_t value, Nanos now_ns);
    /// From now on another: the one before could not take a part.
    void move(uint64_t key, uint16_t value, Nanos now_ns);
    /// What an earlier part claimed, or none.
    [[nodiscard]] uint16_t find(uint64_t key, Nanos now_ns) const;

  private:
    // One word, so that it changes as a whole: hash (32), second (16), value (16). A second is
    // known modulo 18 hours: after such a time an old entry may count once more as fresh, and then
    // names a supplier that is preferred for no reason but is still one of the rule's targets, or a
    // rule of the number that its message did win by.
    using Word = uint64_t;
    static constexpr uint32_t line_words = 8;

    struct alignas(64) Line {
        std::atomic<Word> words[line_words];
    };

    [[nodiscard]] static Word word_of(uint64_t key, uint16_t value, uint16_t second);
    [[nodiscard]] static bool is_fresh(Word word, uint16_t second);
    [[nodiscard]] uint16_t put(uint64_t key, uint16_t value, Nanos now_ns, bool replace);

    uint32_t line_mask_;
    std::unique_ptr<Line[]> lines_;
};

}  // namespace sy::engine
