// A burst of keys on its way down an IntervalIndex, for whatever instructions `Ops` searches a line
// with. interval_find.cc and interval_find_avx512.cc include this, nothing else does.
//
// The second of them is compiled for CPUs that not every machine has. So all here is inlined or
// belongs to a type of that file's own (Ops), and calls no inline function of a library.
//
// Ops has, static:
//   Needle needle(uint64_t key)                      what starts() compares with
//   uint32_t starts(const IndexLine&, Needle)        of a node of starts,
//   uint32_t children(const IndexLine&, uint16_t)    of a directory line,
//   uint32_t answers<Answer, Key>(const IndexLine&, Key)  of a line with answers:
//     how many of the keys are at most this one. Keys ascend; the rest of a line's octets, and
//     unused keys, are never counted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/route/interval_index.h"
#include "core/route/interval_line.h"

namespace sy::route {

template <class Answer, class Ops>
class Walk {
  public:
    using Index = IntervalIndex<Answer>;
    using Root = typename Index::Root;
    using Probe = typename Index::Probe;

    explicit Walk(const IndexLine* lines) : lines_(lines) {}

    void find(const Root& root, const uint64_t* keys, size_t count, Answer* answers) {
        const Root at = root;
        for (size_t i = 0; i < count; ++i) {
            enter(i, keys[i], at);
        }
        if (at.levels != 0) {
            for (size_t i = 0; i < count; ++i) {
                down(i);
            }
        }
        answer_all(count, answers);
    }

    void find(const Root* roots, const Probe* probes, size_t count, Answer* answers) {
        uint8_t deep[Index::keys_max];  // those whose line is of the directory
        size_t deep_count = 0;
        for (size_t i = 0; i < count; ++i) {
            const Root& root = roots[probes[i].segment];
            enter(i, probes[i].key, root);
            deep[deep_count] = static_cast<uint8_t>(i);
            deep_count += root.levels;
        }
        for (size_t i = 0; i < deep_count; ++i) {
            down(deep[i]);
        }
        answer_all(count, answers);
    }

  private:
    static_assert(Index::keys_max <= 256);

    [[gnu::always_inline]] inline void enter(size_t i, uint64_t key, const Root& root) {
        key = key < Index::start_max ? key : Index::start_max;  // nothing begins above
        const auto needle = Ops::needle(key);
        const IndexLine* tree = lines_ + root.tree;
        uint32_t node = 0;
        for (uint32_t layer = root.layers; layer > 1; --layer) {
            node = start_tree::child(node, Ops::starts(tree[node], needle));
        }
        // Never 0: the first start of this node is at most the key.
        const uint32_t last = Ops::starts(tree[node], needle) - 1;
        rest_[i] = key - (tree[node].template load<uint64_t>(0, last) ^ bias<uint64_t>);
        line_[i] = lines_ + root.line + (start_tree::keys * (node - root.bottom) + last);
        __builtin_prefetch(line_[i]);
    }

    [[gnu::always_inline]] inline void down(size_t i) {
        const IndexLine& at = *line_[i];
        const auto head = at.load<uint32_t>(0);
        const unsigned shift = head & directory::shift_mask;
        const uint32_t index = Ops::children(at, capped<uint16_t>(rest_[i], shift));
        rest_[i] -= uint64_t{at.load<uint16_t>(directory::zero_at, index)} << shift;
        line_[i] = lines_ + ((head >> directory::child_bits_at) + index);
        __builtin_prefetch(line_[i]);
    }

    template <class Key>
    [[gnu::always_inline]] inline Answer answer_in(const IndexLine& at,
                                                   uint64_t offset,
                                                   unsigned shift) const {
        const uint32_t index = Ops::template answers<Answer, Key>(at, capped<Key>(offset, shift));
        return at.load<Answer>(leaf::Layout<Answer, Key>::answers_at, index);
    }

    void answer_all(size_t count, Answer* answers) const {
        uint8_t wide[Index::keys_max];  // those that a second look is for: no guess where they are
        size_t wide_count = 0;
        for (size_t i = 0; i < count; ++i) {
            const IndexLine& at = *line_[i];
            const unsigned head = at.load<uint16_t>(0);
            answers[i] = answer_in<uint16_t>(at, rest_[i], head & leaf::shift_mask);
            wide[wide_count] = static_cast<uint8_t>(i);
            wide_count += head >> leaf::wide_bit_at;
        }
        for (size_t i = 0; i < wide_count; ++i) {
            const size_t which = wide[i];
            answers[which] = answer_in<uint64_t>(*line_[which], rest_[which], 0);
        }
    }

    const IndexLine* lines_;
    uint64_t rest_[Index::keys_max];  // the key less the start of its line
    const IndexLine* line_[Index::keys_max];
};

#if defined(SY_HAVE_AVX512)
/// Walk::find() by AVX-512: `from` is a root and `what` keys, or all roots and probes.
/// interval_find_avx512.cc has these four.
template <class Answer, class From, class What>
void find_avx512(
    const IndexLine* lines, const From& from, const What* what, size_t count, Answer* answers);
#endif

}  // namespace sy::route
