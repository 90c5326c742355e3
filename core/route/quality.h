// How well suppliers do, by supplier and network, over a sliding window: the share of messages that
// they accept, the share of receipts that report success, and how long receipts take.
//
// Threads: a QualityCounts belongs to one worker, which alone writes it. merge() and configure() of
// the QualityBoard belong to the control thread; figures and readings may be taken by any thread.
// Nothing locks; nothing allocates after construction.
//
// The window: once a second what the workers counted is added to the board's sums, and these lose
// their share 1 / (seconds of the window). So a sample counts whole at first, a third (1 / e) after
// one window and a twentieth after three. Whole numbers throughout: the same counts at the same
// times give the same figures.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/limits.h"
#include "core/base/time.h"

namespace sy::route {

struct QualityOptions {
    Nanos window_ns = 600 * second_ns;
    uint32_t samples_min = 50;    // answers (or receipts) in the window before they count
    uint32_t explore_every = 64;  // of so many messages one is spread by weight alone; 0: none

    friend bool operator==(const QualityOptions&, const QualityOptions&) = default;
};

/// What select = quality compares: larger is better. Whole percents of (accepted x delivered)
/// first, then the shorter receipt delay, in classes of doubling length. Coarse on purpose: targets
/// that are about as good share their traffic by weight, and nobody flutters over a hundredth.
class QualityScore {
  public:
    constexpr QualityScore() = default;
    constexpr QualityScore(uint32_t percent, uint32_t delay_class)
        : value_(percent << 8 | (delay_classes - 1 - delay_class)) {}
    static constexpr QualityScore from_value(uint32_t value) {
        QualityScore score;
        score.value_ = value;
        return score;
    }

    [[nodiscard]] constexpr uint32_t value() const { return value_; }
    [[nodiscard]] constexpr uint32_t percent() const { return value_ >> 8; }
    /// Receipts take up to 5 s in class 0, up to 10 s in class 1, 20 s in class 2 ...
    [[nodiscard]] constexpr uint32_t delay_class() const {
        return delay_classes - 1 - (value_ & 0xFF);
    }
    [[nodiscard]] static constexpr uint32_t class_of_delay(uint64_t delay_ms) {
        uint32_t delay_class = 0;
        for (uint64_t end_ms = 5'000; delay_ms > end_ms && delay_class + 1 < delay_classes;
             end_ms *= 2) {
            ++delay_class;
        }
        return delay_class;
    }
    static constexpr uint32_t delay_classes = 16;  // the last one: beyond 22 hours

    friend constexpr auto operator<=>(QualityScore, QualityScore) = default;

  private:
    uint32_t value_ = 0;
};

/// Of a target without enough samples: ahead of one that does worse, behind one that does better.
inline constexpr QualityScore unmeasured_score{90, 4};

/// Slots for suppliers (always there) and for pairs of supplier and network (as they come, for as
/// long as there is room). One thread adds; any finds.
class QualityPairs {
  public:
    explicit QualityPairs(uint32_t pairs_max);

    static constexpr uint32_t none = ~uint32_t{0};

    /// The slot of the pair; the supplier's own when there is no room, or without a network.
    [[nodiscard]] uint32_t claim(SupplierId supplier, NetworkId network);
    /// The slot and the value beside it in one load; none when the pair has no slot.
    struct Found {
        uint32_t slot = none;
        uint32_t value = 0;
    };
    [[nodiscard]] Found find(SupplierId supplier, NetworkId network) const;
    void set_value(uint32_t slot, uint32_t value) {
        // Relaxed: one number, it orders nothing.
        const uint64_t word = slots_[slot].load(std::memory_order_relaxed);
        slots_[slot].store((word >> 32) << 32 | value, std::memory_order_relaxed);
    }
    [[nodiscard]] uint32_t value(uint32_t slot) const {
        return static_cast<uint32_t>(slots_[slot].load(std::memory_order_relaxed));
    }

    [[nodiscard]] uint32_t slot_count() const { return limits::suppliers_max + mask_ + 1; }
    [[nodiscard]] bool used(uint32_t slot) const {
        return slots_[slot].load(std::memory_order_relaxed) >> 32 != 0;
    }
    [[nodiscard]] SupplierId supplier(uint32_t slot) const;
    [[nodiscard]] NetworkId network(uint32_t slot) const;

  private:
    [[nodiscard]] static uint64_t key_of(SupplierId supplier, NetworkId network) {
        return (uint64_t{supplier.value} << 16 | network.value) + 1;
    }

    uint32_t mask_;
    uint32_t room_;                                   // pairs that still fit
    std::unique_ptr<std::atomic<uint64_t>[]> slots_;  // key << 32 | value; key 0: free
};

enum class QualityKind : uint8_t { accepted, refused, delivered, failed, delay_ms };
inline constexpr size_t quality_kinds = 5;

/// What one worker saw, ever growing.
class QualityCounts {
  public:
    explicit QualityCounts(uint32_t pairs_max);

    /// A supplier answered a submit, or never did. Throttling is no answer: it says that we are too
    /// fast, not that the supplier is bad.
    void answered(SupplierId supplier, NetworkId network, bool accepted) {
        add(pairs_.claim(supplier, network),
            accepted ? QualityKind::accepted : QualityKind::refused, 1);
    }
    /// A final receipt, so long after its submit_sm_resp.
    void receipt(SupplierId supplier, NetworkId network, bool delivered, Nanos delay_ns) {
        const uint32_t slot = pairs_.claim(supplier, network);
        add(slot, delivered ? QualityKind::delivered : QualityKind::failed, 1);
        if (delivered) {
            add(slot, QualityKind::delay_ms, delay_ns / millisecond_ns);
        }
    }

  private:
    friend class QualityBoard;
    using Cell = std::array<std::atomic<uint64_t>, quality_kinds>;

    void add(uint32_t slot, QualityKind kind, uint64_t count) {
        // Relaxed throughout: a statistic with one writer.
        std::atomic<uint64_t>& counter = cells_[slot][static_cast<size_t>(kind)];
        counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }

    QualityPairs pairs_;
    std::unique_ptr<Cell[]> cells_;
};

/// What is known of a supplier (network none: over all networks) in the window.
struct QualityReading {
    SupplierId supplier;
    NetworkId network;
    uint64_t answers = 0;        // whole samples, faded ones in part
    uint64_t accepted_ppm = 0;   // of answers
    uint64_t receipts = 0;       // final ones
    uint64_t delivered_ppm = 0;  // of receipts
    uint64_t delay_ms = 0;       // mean of the delivered
    bool measured = false;       // enough answers for a score
    QualityScore score;          // unmeasured_score if not
};

class QualityBoard {
  public:
    /// REQUIRES: as many pairs as each worker's counts have, or more.
    QualityBoard(uint32_t workers, uint32_t pairs_max);

    // --- Control thread.

    void configure(const QualityOptions& options);
    /// Adds what the workers counted since the last call and publishes new figures, at most once a
    /// second of `now_ns` (monotonic). REQUIRES: the same workers' counts each time.
    void merge(Nanos now_ns, std::span<const std::unique_ptr<QualityCounts>> workers);

    // --- Any thread.

    /// Of the pair; where that has too few samples of the supplier over all networks.
    [[nodiscard]] QualityScore score(SupplierId supplier, NetworkId network) const {
        uint32_t value = pairs_.find(supplier, network).value;
        if (value == 0) {
            value = pairs_.find(supplier, NetworkId::none()).value;
        }
        return value == 0 ? unmeasured_score : QualityScore::from_value(value - 1);
    }
    /// Whether this message is one that looks how the others do.
    [[nodiscard]] bool explores(uint64_t spread) const;

    [[nodiscard]] QualityReading reading(SupplierId supplier, NetworkId network) const;
    /// Of everything that was ever counted.
    [[nodiscard]] std::vector<QualityReading> readings() const;

  private:
    using Sums = std::array<std::atomic<uint64_t>, quality_kinds>;  // 16 binary digits of fraction
    using Totals = std::array<uint64_t, quality_kinds>;

    // What was seen of one worker.
    struct Seen {
        std::vector<uint32_t> slot_of;  // its slots to ours; none: not seen yet
        std::vector<Totals> totals;
    };

    void fade(uint64_t seconds);
    void take(const QualityCounts& counts, Seen& seen);
    [[nodiscard]] QualityReading reading_of(uint32_t slot) const;

    QualityPairs pairs_;  // the value beside a key: its score + 1, 0 while unmeasured
    std::unique_ptr<Sums[]> sums_;
    std::vector<Seen> seen_;
    std::atomic<uint64_t> window_seconds_;
    std::atomic<uint64_t> samples_min_;
    std::atomic<uint64_t> explore_every_;
    Nanos merged_ns_ = 0;
};

}  // namespace sy::route
