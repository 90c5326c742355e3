// Control plane: boundaries into the lines of an IntervalIndex, all at once or as they come.
#include <algorithm>
#include <bit>

#include <tbb/parallel_for.h>

#include "core/base/assert.h"
#include "core/base/release.h"
#include "core/route/flatten.h"
#include "core/route/interval_index.h"
#include "core/route/interval_line.h"
#include "core/route/interval_stream.h"

namespace sy::route {

namespace {

// A line is wide where it holds more than so many times more by it.
constexpr size_t wide_gain_min = 2;

// One level of a segment's tree, or a part of it, and where each of its lines starts.
struct Level {
    std::vector<IndexLine> lines;
    std::vector<uint64_t> starts;
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
        bool wide = false;
        Fit used;
        size_t consumed = 0;
    };

    // A line that starts at `base`, which is the next boundary or lies between it and the one
    // before.
    Plan plan_from(uint64_t base) const {
        const bool on_boundary = all_[next_].start == base;
        const size_t from = next_ + (on_boundary ? 1 : 0);
        const auto start_of = [&](size_t i) { return all_[from + i].start; };
        const auto most = [&](size_t keys) { return std::min(keys, end_ - from); };
        Plan plan;
        plan.base = base;
        plan.used = fit<uint16_t>(base, most(leaf::Layout<Answer, uint16_t>::keys), start_of);
        const size_t wide = most(leaf::Layout<Answer, uint64_t>::keys);
        if (wide > wide_gain_min * plan.used.count) {
            plan.wide = true;
            plan.used = {wide, 0};
        }
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
        line.store<uint16_t>(
            0, 0,
            static_cast<uint16_t>(uint32_t{plan.wide} << leaf::wide_bit_at | plan.used.shift));
        plan.wide ? fill<uint64_t>(line, plan, on_boundary)
                  : fill<uint16_t>(line, plan, on_boundary);
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
    // Returns how many children it took.
    size_t write_line(size_t first) {
        const uint64_t base = children_[first];
        const size_t others = children_.size() - first - 1;
        const auto start_of = [&](size_t i) { return children_[first + 1 + i]; };
        Fit used = fit<uint16_t>(base, std::min(directory::keys, others), start_of);
        used.count = round_end(first, used.count);
        IndexLine line{};
        line.store<uint32_t>(0, 0,
                             static_cast<uint32_t>(first << directory::child_bits_at) | used.shift);
        store_keys<uint16_t>(line, directory::keys_at, directory::keys, base, used, start_of);
        out_.lines.push_back(line);
        out_.starts.push_back(base);
        return used.count + 1;
    }

    // The line after this one should start at a number with many zeros behind, so that its offsets
    // have few bits: the best of the last few.
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

// The tree of starts of one segment; `bottom` and `layers` as in IntervalIndex::Root.
struct StartTree {
    std::vector<IndexLine> nodes;
    uint32_t bottom = 0;
    uint32_t layers = 1;
};

StartTree start_tree_of(const std::vector<uint64_t>& starts) {
    using start_tree::children;
    using start_tree::keys;
    StartTree tree;
    const size_t last_nodes = (starts.size() + keys - 1) / keys;
    size_t last_nodes_max = 1;
    for (; last_nodes_max < last_nodes; last_nodes_max *= children) {
        tree.bottom += static_cast<uint32_t>(last_nodes_max);
        ++tree.layers;
    }
    const auto start_at = [&](size_t i) {
        const uint64_t start = i < starts.size() ? starts[i] : unused<uint64_t>;
        return start ^ bias<uint64_t>;
    };
    tree.nodes.resize(tree.bottom + last_nodes);
    size_t node = 0;
    // How many nodes of the last layer are below a child of this layer.
    size_t below = last_nodes_max / children;
    for (size_t in_layer = 1; node < tree.bottom; in_layer *= children, below /= children) {
        for (size_t i = 0; i < in_layer; ++i, ++node) {
            for (size_t key = 0; key < keys; ++key) {
                tree.nodes[node].store(0, key, start_at((children * i + key + 1) * below * keys));
            }
        }
    }
    for (size_t i = 0; i < last_nodes * keys; ++i) {
        tree.nodes[tree.bottom + i / keys].store(0, i % keys, start_at(i));
    }
    return tree;
}

// Boundaries that one task writes lines from.
constexpr size_t chunk = 1 << 16;

// Lines for boundaries [begin, end) of one segment, behind those of `parts`. In parallel.
template <class Answer>
void write_leaves(std::span<const typename IntervalIndex<Answer>::Boundary> boundaries,
                  size_t begin,
                  size_t end,
                  std::vector<Level>& parts) {
    const size_t first = parts.size();
    const size_t chunks = (end - begin + chunk - 1) / chunk;
    parts.resize(first + chunks);
    tbb::parallel_for(size_t{0}, chunks, [&](size_t i) {
        const size_t from = begin + i * chunk;
        Level& part = parts[first + i];
        LeafWriter<Answer>(boundaries, from, std::min(end, from + chunk), part).write();
        if (parts.size() > 1) {  // all are there at once
            part.lines.shrink_to_fit();
            part.starts.shrink_to_fit();
        }
    });
}

}  // namespace

// A segment's lines.
struct IntervalTree {
    StartTree starts;
    std::vector<IndexLine> directory;  // none, or one level
    std::vector<Level> answers;        // one behind the other
    size_t answer_lines = 0;
};

namespace {

// What the levels above are made of; the parts have none behind it.
std::vector<uint64_t> take_starts(std::vector<Level>& parts) {
    size_t count = 0;
    for (const Level& part : parts) {
        count += part.starts.size();
    }
    std::vector<uint64_t> starts;
    starts.reserve(count);
    for (Level& part : parts) {
        starts.insert(starts.end(), part.starts.begin(), part.starts.end());
        release(part.starts);
    }
    return starts;
}

IntervalTree tree_over(std::vector<Level> answers, size_t direct_lines_max) {
    IntervalTree tree;
    const std::vector<uint64_t> starts = take_starts(answers);
    Level directory;
    if (starts.size() > direct_lines_max) {
        DirectoryWriter(starts, directory).write();
    }
    // A directory line takes as much as the starts of eight.
    const bool worthwhile =
        !directory.lines.empty() && directory.lines.size() * start_tree::children < starts.size();
    tree.starts = start_tree_of(worthwhile ? directory.starts : starts);
    if (worthwhile) {
        tree.directory = std::move(directory.lines);
    }
    tree.answers = std::move(answers);
    tree.answer_lines = starts.size();
    return tree;
}

template <class Answer>
IntervalTree tree_of(std::span<const typename IntervalIndex<Answer>::Boundary> boundaries,
                     size_t direct_lines_max) {
    SY_ASSERT(!boundaries.empty() && boundaries.front().start == 0);
    SY_ASSERT(boundaries.back().start <= IntervalIndex<Answer>::start_max);
    std::vector<Level> parts;
    write_leaves<Answer>(boundaries, 0, boundaries.size(), parts);
    return tree_over(std::move(parts), direct_lines_max);
}

}  // namespace

template <class Answer>
IntervalIndex<Answer>::IntervalIndex(std::span<const Boundary> boundaries,
                                     std::span<const uint32_t> segment_begins,
                                     size_t direct_lines_max) {
    std::vector<IntervalTree> trees(segment_begins.size());
    tbb::parallel_for(size_t{0}, trees.size(), [&](size_t i) {
        const size_t begin = segment_begins[i];
        const size_t end = i + 1 < trees.size() ? segment_begins[i + 1] : boundaries.size();
        trees[i] = tree_of<Answer>(boundaries.subspan(begin, end - begin), direct_lines_max);
    });
    take(trees);
}

// All trees into one block; they are empty behind it.
template <class Answer>
void IntervalIndex<Answer>::take(std::vector<IntervalTree>& trees) {
    size_t directory_at = 0;
    for (const IntervalTree& tree : trees) {
        directory_at += tree.starts.nodes.size();
        leaf_begin_ += tree.starts.nodes.size() + tree.directory.size();
        line_count_ += tree.answer_lines;
    }
    line_count_ += leaf_begin_;
    SY_ASSERT(line_count_ < directory::lines_max);
    block_ = HugeBlock(line_count_ * sizeof(IndexLine), HugeBlock::Content::any);
    auto* lines = static_cast<IndexLine*>(block_.data());
    size_t tree_at = 0;
    size_t leaf_at = leaf_begin_;
    const auto move = [&](std::vector<IndexLine>& from, size_t& at) {
        std::ranges::copy(from, lines + at);
        at += from.size();
        return_pages(from.data(), from.size() * sizeof(IndexLine));  // never all lines twice
        release(from);
    };
    for (IntervalTree& tree : trees) {
        const bool has_directory = !tree.directory.empty();
        roots_.push_back({static_cast<uint32_t>(tree_at), tree.starts.bottom,
                          static_cast<uint32_t>(has_directory ? directory_at : leaf_at),
                          static_cast<uint8_t>(tree.starts.layers),
                          static_cast<uint8_t>(has_directory ? 1 : 0)});
        levels_max_ = std::max(levels_max_, tree.starts.layers + roots_.back().levels);
        for (IndexLine& line : tree.directory) {  // children were numbered from 0
            const auto moved = static_cast<uint32_t>(leaf_at << directory::child_bits_at);
            line.store<uint32_t>(0, 0, line.load<uint32_t>(0) + moved);
        }
        move(tree.starts.nodes, tree_at);
        move(tree.directory, directory_at);
        for (Level& part : tree.answers) {
            move(part.lines, leaf_at);
        }
    }
}

template <class Answer>
struct IntervalStream<Answer>::Written {
    std::vector<Level> parts;
};

template <class Answer>
IntervalStream<Answer>::IntervalStream(size_t batch, size_t direct_lines_max)
    : batch_(batch), direct_lines_max_(direct_lines_max), lines_(std::make_unique<Written>()) {
    SY_ASSERT(batch > 0);
}
template <class Answer>
IntervalStream<Answer>::~IntervalStream() = default;

template <class Answer>
void IntervalStream<Answer>::add(const Boundary& next) {
    add_boundary(boundaries_, written_, next);
    // The last two may still change: add_boundary() drops one and looks at the one before.
    constexpr size_t open = 2;
    if (boundaries_.size() == written_ + batch_ + open) {
        write(batch_);
    }
}

template <class Answer>
void IntervalStream<Answer>::write(size_t count) {
    SY_ASSERT(written_ != 0 || boundaries_.front().start == 0);
    const size_t end = written_ + count;
    write_leaves<Answer>(boundaries_, written_, end, lines_->parts);
    boundaries_.erase(boundaries_.begin(), boundaries_.begin() + static_cast<ptrdiff_t>(end) - 1);
    written_ = 1;
}

template <class Answer>
IntervalIndex<Answer> IntervalStream<Answer>::finish() && {
    SY_ASSERT(boundaries_.size() > written_ && boundaries_.back().start <= Index::start_max);
    write(boundaries_.size() - written_);
    release(boundaries_);
    std::vector<IntervalTree> trees;
    trees.push_back(tree_over(std::move(lines_->parts), direct_lines_max_));
    Index index;
    index.take(trees);
    return index;
}

// Whole classes: also what the header has inline, which a build without optimisation calls.
template class IntervalIndex<uint16_t>;
template class IntervalIndex<uint32_t>;
template class IntervalStream<uint16_t>;

}  // namespace sy::route
