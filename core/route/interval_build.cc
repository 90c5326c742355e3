// Control plane: boundaries into the lines of an IntervalIndex.
#include <bit>

#include <tbb/parallel_for.h>

#include "core/base/assert.h"
#include "core/base/release.h"
#include "core/route/interval_index.h"
#include "core/route/interval_line.h"

namespace sy::route {

namespace {

// Up to here a level's starts are searched one by one: 8 steps of 4 instructions and 2 KiB, where a
// directory line costs 30 instructions and the upper levels would be hardly filled.
constexpr size_t root_lines_max = 256;

// One level of a segment's tree, and where each of its lines starts.
struct Level {
    std::vector<IndexLine> lines;
    std::vector<uint64_t> starts;

    void append(const Level& other) {
        lines.insert(lines.end(), other.lines.begin(), other.lines.end());
        starts.insert(starts.end(), other.starts.begin(), other.starts.end());
    }
};

// How many offsets, of which the first is the smallest, a line of such keys holds exactly, and the
// shift that they need. `start_of(i)` is the i-th key.
struct Fit {
    size_t count = 0;
    unsigned shift = 0;
};
template <class Key, class StartOf>
Fit fit(uint64_t base, size_t count_max, const StartOf& start_of) {
    Fit result{0, 63};
    unsigned shift = 63;
    for (size_t i = 0; i < count_max; ++i) {
        const uint64_t offset = start_of(i) - base;
        shift = std::min(shift, static_cast<unsigned>(std::countr_zero(offset)));
        // The largest capped offset stands for all that is above, so it is no key's.
        if (offset >> shift >= unused<Key> - 1) {
            break;
        }
        result = {i + 1, shift};
    }
    return result;
}
static_assert(IntervalIndex<uint16_t>::start_max < unused<uint64_t> - 1);  // whole offsets fit

template <class Key, class StartOf>
void store_keys(
    IndexLine& line, size_t at, size_t keys, uint64_t base, Fit used, const StartOf& start_of) {
    for (size_t i = 0; i < keys; ++i) {
        const Key key =
            i < used.count ? static_cast<Key>((start_of(i) - base) >> used.shift) : unused<Key>;
        line.store<Key>(at, i, static_cast<Key>(key ^ bias<Key>));
    }
}

// Writes lines with answers from boundaries [begin, end) of one segment.
template <class Answer>
class LeafWriter {
  public:
    using Boundary = typename IntervalIndex<Answer>::Boundary;

    LeafWriter(std::span<const Boundary> all, size_t begin, size_t end, Level& out)
        : all_(all), next_(begin), end_(end), out_(out) {}

    void write() {
        while (next_ < end_) {
            write_line();
        }
    }

  private:
    struct Plan {  // of one line
        uint64_t base = 0;
        LineForm form = LineForm::narrow;
        Fit used;
        size_t consumed = 0;
    };

    template <class Key>
    void consider(Plan& plan, size_t from) const {
        const size_t most = std::min(leaf::Layout<Answer, Key>::keys, end_ - from);
        const auto start_of = [&](size_t i) { return all_[from + i].start; };
        const Fit used =
            sizeof(Key) == sizeof(uint64_t) ? Fit{most, 0} : fit<Key>(plan.base, most, start_of);
        if (used.count >= plan.used.count) {  // of equal ones the cheapest, which comes last
            plan.used = used;
            plan.form = form_of<Key>();
        }
    }

    // A line that starts at `base`, which is the next boundary or lies between it and the one
    // before.
    Plan plan_from(uint64_t base) const {
        const bool on_boundary = all_[next_].start == base;
        const size_t from = next_ + (on_boundary ? 1 : 0);
        Plan plan;
        plan.base = base;
        consider<uint64_t>(plan, from);
        consider<uint32_t>(plan, from);
        consider<uint16_t>(plan, from);
        plan.consumed = plan.used.count + (on_boundary ? 1 : 0);
        return plan;
    }

    void write_line() {
        const uint64_t start = all_[next_].start;
        Plan plan = plan_from(start);
        if (next_ > 0) {
            // A start with few significant bits keeps the directory small, for one answer twice.
            const Plan round = plan_from(round_between(all_[next_ - 1].start, start));
            if (round.consumed > 0 && round.consumed + 1 >= plan.consumed) {
                plan = round;
            }
        }
        end_in_a_gap(plan);
        write_line(plan);
        next_ += plan.consumed;
    }

    // Between the start and the end of a lone number there is no start with few bits for the next
    // line: better one or two entries less in this one.
    void end_in_a_gap(Plan& plan) const {
        const size_t after = next_ + plan.consumed;
        if (after >= end_) {
            return;
        }
        size_t less = 0;
        int most_zeros = -1;
        for (size_t i = 0; i < 3 && i < plan.used.count; ++i) {
            const uint64_t start = round_between(all_[after - i - 1].start, all_[after - i].start);
            const int zeros = std::countr_zero(start);
            if (zeros > most_zeros) {
                most_zeros = zeros;
                less = i;
            }
        }
        plan.used.count -= less;
        plan.consumed -= less;
    }

    // The number in (before, start] with the most zeros behind.
    static uint64_t round_between(uint64_t before, uint64_t start) {
        const auto differ = static_cast<unsigned>(std::bit_width(before ^ start)) - 1;
        return start >> differ << differ;
    }

    void write_line(const Plan& plan) {
        const bool on_boundary = all_[next_].start == plan.base;
        IndexLine line{};
        const auto form = leaf::form_bits(plan.form);
        line.store<uint16_t>(0, 0, static_cast<uint16_t>(form | plan.used.shift));
        switch (plan.form) {
            case LineForm::narrow:
                fill<uint16_t>(line, plan, on_boundary);
                break;
            case LineForm::medium:
                fill<uint32_t>(line, plan, on_boundary);
                break;
            case LineForm::wide:
                fill<uint64_t>(line, plan, on_boundary);
                break;
        }
        out_.lines.push_back(line);
        out_.starts.push_back(plan.base);
    }

    template <class Key>
    void fill(IndexLine& line, const Plan& plan, bool on_boundary) const {
        using L = leaf::Layout<Answer, Key>;
        const size_t first = on_boundary ? next_ : next_ - 1;  // whose answer the line starts with
        store_keys<Key>(line, L::keys_at, L::keys, plan.base, plan.used,
                        [&](size_t i) { return all_[first + 1 + i].start; });
        for (size_t i = 0; i <= plan.used.count; ++i) {
            line.store<Answer>(L::answers_at, i, all_[first + i].answer);
        }
    }

    std::span<const Boundary> all_;
    size_t next_;
    size_t end_;
    Level& out_;
};

// Writes the level above; children are numbered from 0.
class DirectoryWriter {
  public:
    DirectoryWriter(const std::vector<uint64_t>& children, Level& out)
        : children_(children), out_(out) {}

    void write() {
        for (size_t next = 0; next < children_.size();) {
            next += write_line(next);
        }
    }

  private:
    static constexpr size_t narrow_keys = directory::Layout<uint16_t>::keys;
    static constexpr size_t medium_keys = directory::Layout<uint32_t>::keys;
    static constexpr size_t wide_keys = directory::Layout<uint64_t>::keys;

    template <class Key>
    Fit store(IndexLine& line, size_t first, Fit used) const {
        using L = directory::Layout<Key>;
        used.count = round_end(first, used.count);
        const auto form = directory::form_bits(form_of<Key>());
        line.store<uint32_t>(
            0, 0, static_cast<uint32_t>(first << directory::child_bits_at) | form | used.shift);
        store_keys<Key>(line, L::keys_at, L::keys, children_[first], used,
                        [&](size_t i) { return children_[first + 1 + i]; });
        return used;
    }

    // Returns how many children it took.
    size_t write_line(size_t first) {
        const uint64_t base = children_[first];
        const size_t others = children_.size() - first - 1;
        const auto start_of = [&](size_t i) { return children_[first + 1 + i]; };
        const auto most = [&](size_t keys) { return std::min(keys, others); };
        const Fit narrow = fit<uint16_t>(base, most(narrow_keys), start_of);
        const Fit medium = fit<uint32_t>(base, most(medium_keys), start_of);
        const Fit wide{most(wide_keys), 0};
        IndexLine line{};
        Fit used;
        if (narrow.count >= std::max(medium.count, wide.count)) {
            used = store<uint16_t>(line, first, narrow);
            line.store<uint16_t>(directory::narrow_zero_at, 0, uint16_t{0});
        } else if (medium.count >= wide.count) {
            used = store<uint32_t>(line, first, medium);
        } else {
            used = store<uint64_t>(line, first, wide);
        }
        out_.lines.push_back(line);
        out_.starts.push_back(base);
        return used.count + 1;
    }

    // The line after this one should start at a number with many zeros behind, for the level above:
    // the best of the last few.
    [[nodiscard]] size_t round_end(size_t first, size_t count) const {
        if (first + 1 + count == children_.size()) {
            return count;
        }
        size_t best = count;
        int best_zeros = -1;
        for (size_t i = count; i >= 1 && i + count / 4 >= count; --i) {
            const int zeros = std::countr_zero(children_[first + 1 + i]);
            if (zeros > best_zeros) {
                best_zeros = zeros;
                best = i;
            }
        }
        return best;
    }

    const std::vector<uint64_t>& children_;
    Level& out_;
};

// A segment's levels, answers first.
struct Tree {
    std::vector<Level> levels;
};

template <class Answer>
void write_leaves(std::span<const typename IntervalIndex<Answer>::Boundary> boundaries,
                  Level& out) {
    constexpr size_t chunk = 1 << 18;
    if (boundaries.size() <= chunk) {
        LeafWriter<Answer>(boundaries, 0, boundaries.size(), out).write();
        return;
    }
    const size_t chunks = (boundaries.size() + chunk - 1) / chunk;
    std::vector<Level> parts(chunks);
    tbb::parallel_for(size_t{0}, chunks, [&](size_t i) {
        const size_t end = std::min(boundaries.size(), (i + 1) * chunk);
        parts[i].lines.reserve(chunk / 8);
        parts[i].starts.reserve(chunk / 8);
        LeafWriter<Answer>(boundaries, i * chunk, end, parts[i]).write();
    });
    size_t lines = 0;
    for (const Level& part : parts) {
        lines += part.lines.size();
    }
    out.lines.reserve(lines);
    out.starts.reserve(lines);
    for (Level& part : parts) {
        out.append(part);
        part = Level{};
    }
}

template <class Answer>
Tree tree_of(std::span<const typename IntervalIndex<Answer>::Boundary> boundaries) {
    SY_ASSERT(!boundaries.empty() && boundaries.front().start == 0);
    SY_ASSERT(boundaries.back().start <= IntervalIndex<Answer>::start_max);
    Tree tree;
    write_leaves<Answer>(boundaries, tree.levels.emplace_back());
    while (tree.levels.back().lines.size() > root_lines_max) {
        Level above;
        DirectoryWriter(tree.levels.back().starts, above).write();
        SY_ASSERT(above.lines.size() < tree.levels.back().lines.size());
        tree.levels.push_back(std::move(above));
    }
    return tree;
}

}  // namespace

template <class Answer>
IntervalIndex<Answer>::IntervalIndex(std::span<const Boundary> boundaries,
                                     std::span<const uint32_t> segment_begins) {
    std::vector<Tree> trees(segment_begins.size());
    tbb::parallel_for(size_t{0}, trees.size(), [&](size_t i) {
        const size_t begin = segment_begins[i];
        const size_t end = i + 1 < trees.size() ? segment_begins[i + 1] : boundaries.size();
        trees[i] = tree_of<Answer>(boundaries.subspan(begin, end - begin));
    });
    for (const Tree& tree : trees) {
        for (size_t level = 0; level < tree.levels.size(); ++level) {
            line_count_ += tree.levels[level].lines.size();
            leaf_begin_ += level > 0 ? tree.levels[level].lines.size() : 0;
        }
    }
    SY_ASSERT(line_count_ < directory::lines_max);
    block_ = HugeBlock(line_count_ * sizeof(IndexLine));
    auto* lines = static_cast<IndexLine*>(block_.data());
    size_t directory_at = 0;
    size_t leaf_at = leaf_begin_;
    for (Tree& tree : trees) {
        // Top down, so that a tree's first lines, which every lookup reads, stand together.
        const size_t height = tree.levels.size();
        const std::vector<uint64_t>& tops = tree.levels.back().starts;
        const size_t slots = std::bit_ceil(tops.size());
        roots_.push_back({static_cast<uint32_t>(starts_.size()), static_cast<uint32_t>(slots / 2),
                          static_cast<uint32_t>(height > 1 ? directory_at : leaf_at),
                          static_cast<uint32_t>(height - 1)});
        starts_.insert(starts_.end(), tops.begin(), tops.end());
        starts_.resize(starts_.size() + slots - tops.size(), ~uint64_t{0});
        levels_max_ = std::max(levels_max_, roots_.back().levels);
        for (size_t level = height; level-- > 0;) {
            std::vector<IndexLine>& from = tree.levels[level].lines;
            size_t& at = level > 0 ? directory_at : leaf_at;
            const size_t children_at = level > 1 ? at + from.size() : leaf_at;
            for (IndexLine& line : from) {
                if (level > 0) {
                    const auto head = line.load<uint32_t>(0);
                    const auto moved =
                        static_cast<uint32_t>(children_at << directory::child_bits_at);
                    line.store<uint32_t>(0, 0, head + moved);
                }
                lines[at++] = line;
            }
            release(from);
        }
    }
}

template IntervalIndex<uint16_t>::IntervalIndex(std::span<const Boundary>,
                                                std::span<const uint32_t>);
template IntervalIndex<uint32_t>::IntervalIndex(std::span<const Boundary>,
                                                std::span<const uint32_t>);

}  // namespace sy::route
