// Which supplier the parts of a long message go to: remembered by the first part, over all workers,
// for as long as the others may come, so that they stay together although prices, quality or links
// change between them. No part waits for another.
//
// Any worker calls anything; no locks. Bounded: a new message takes the place of the oldest that
// falls into the same line. What is forgotten costs no more than a look at the rules as they are
// now.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/base/ids.h"
#include "core/base/time.h"

namespace sy::engine {

class PartsMemory {
  public:
    /// Long messages that are remembered at a time, rounded up to a power of two.
    explicit PartsMemory(uint32_t messages_max);

    /// How long the first part is remembered. Customers submit all parts at once; queues and
    /// windows may hold some up.
    static constexpr uint32_t seconds_max = 300;

    /// Who takes the message `key` (not 0): the supplier that an earlier part claimed, else
    /// `supplier` from now on. Of two parts at the same time on two workers one is the earlier.
    [[nodiscard]] SupplierId claim(uint64_t key, SupplierId supplier, Nanos now_ns);
    /// From now on another: the one before could not take a part.
    void move(uint64_t key, SupplierId supplier, Nanos now_ns);

  private:
    // One word, so that it changes as a whole: hash (32), second (16), supplier (16). A second is
    // known modulo 18 hours: after such a time an old entry may count once more as fresh, and then
    // names a supplier that is preferred for no reason but is still one of the rule's targets.
    using Word = uint64_t;
    static constexpr uint32_t line_words = 8;

    struct alignas(64) Line {
        std::atomic<Word> words[line_words];
    };

    [[nodiscard]] static Word word_of(uint64_t key, SupplierId supplier, uint16_t second);
    [[nodiscard]] static bool is_fresh(Word word, uint16_t second);
    [[nodiscard]] SupplierId put(uint64_t key, SupplierId supplier, Nanos now_ns, bool replace);

    uint32_t line_mask_;
    std::unique_ptr<Line[]> lines_;
};

}  // namespace sy::engine
