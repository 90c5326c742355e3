// Control plane: what workers counted into figures.
#include "core/route/quality.h"

#include <algorithm>
#include <bit>

#include "core/base/assert.h"

namespace sy::route {

namespace {

// Room for 2.8e14 milliseconds of delay in the window: 10,000 receipts a second of 13 hours each.
constexpr unsigned fraction_bits = 16;
constexpr uint64_t million = 1'000'000;

uint64_t load(const std::atomic<uint64_t>& number) {
    return number.load(std::memory_order_relaxed);
}

// (1 - 1 / window)^seconds, with 32 binary digits.
uint64_t share_kept(uint64_t window_seconds, uint64_t seconds) {
    constexpr uint64_t one = uint64_t{1} << 32;
    uint64_t base = one - one / window_seconds;
    uint64_t kept = one;
    for (; seconds > 0; seconds >>= 1) {
        kept = (seconds & 1) != 0 ? kept * base >> 32 : kept;
        base = base * base >> 32;
    }
    return kept;
}

uint64_t ppm(uint64_t part, uint64_t whole) {
    return whole == 0 ? 0 : part * million / whole;
}

}  // namespace

// ---------------------------------------------------------------- pairs

QualityPairs::QualityPairs(uint32_t pairs_max)
    : mask_(std::bit_ceil(std::max<uint32_t>(pairs_max, 2) * 4 / 3) - 1),
      room_(pairs_max),
      slots_(std::make_unique<std::atomic<uint64_t>[]>(slot_count())) {
    for (uint16_t i = 0; i < limits::suppliers_max; ++i) {
        slots_[i].store(key_of(SupplierId{i}, NetworkId::none()) << 32, std::memory_order_relaxed);
    }
}

SupplierId QualityPairs::supplier(uint32_t slot) const {
    return SupplierId{static_cast<uint16_t>(((load(slots_[slot]) >> 32) - 1) >> 16)};
}

NetworkId QualityPairs::network(uint32_t slot) const {
    return NetworkId{static_cast<uint16_t>((load(slots_[slot]) >> 32) - 1)};
}

QualityCounts::QualityCounts(uint32_t pairs_max)
    : pairs_(pairs_max), cells_(std::make_unique<Cell[]>(pairs_.slot_count())) {}

// ---------------------------------------------------------------- the board

QualityBoard::QualityBoard(uint32_t workers, uint32_t pairs_max)
    : pairs_(pairs_max), sums_(std::make_unique<Sums[]>(pairs_.slot_count())), seen_(workers) {
    for (Seen& seen : seen_) {
        seen.slot_of.assign(pairs_.slot_count(), QualityPairs::none);
        seen.totals.assign(pairs_.slot_count(), {});
    }
    configure({});
}

void QualityBoard::configure(const QualityOptions& options) {
    window_seconds_.store(std::max<uint64_t>(options.window_ns / second_ns, 1),
                          std::memory_order_relaxed);
    samples_min_.store(std::max<uint32_t>(options.samples_min, 1), std::memory_order_relaxed);
    explore_every_.store(options.explore_every, std::memory_order_relaxed);
}

void QualityBoard::merge(Nanos now_ns, std::span<const std::unique_ptr<QualityCounts>> workers) {
    SY_ASSERT(workers.size() == seen_.size());
    if (merged_ns_ == 0) {
        merged_ns_ = now_ns;
    }
    const uint64_t seconds = (now_ns - merged_ns_) / second_ns;
    if (seconds == 0) {
        return;
    }
    merged_ns_ += seconds * second_ns;
    fade(seconds);
    for (size_t w = 0; w < workers.size(); ++w) {
        take(*workers[w], seen_[w]);
    }
    for (uint32_t slot = 0; slot < pairs_.slot_count(); ++slot) {
        if (pairs_.used(slot)) {
            const QualityReading reading = reading_of(slot);
            pairs_.set_value(slot, reading.measured ? reading.score.value() + 1 : 0);
        }
    }
}

void QualityBoard::fade(uint64_t seconds) {
    const uint64_t kept = share_kept(load(window_seconds_), seconds);
    for (uint32_t slot = 0; slot < pairs_.slot_count(); ++slot) {
        for (std::atomic<uint64_t>& sum : sums_[slot]) {
            if (const uint64_t before = load(sum); before != 0) {
                __extension__ using Wide = unsigned __int128;
                sum.store(static_cast<uint64_t>(static_cast<Wide>(before) * kept >> 32),
                          std::memory_order_relaxed);
            }
        }
    }
}

void QualityBoard::take(const QualityCounts& counts, Seen& seen) {
    const uint32_t slots = std::min(counts.pairs_.slot_count(), pairs_.slot_count());
    for (uint32_t theirs = 0; theirs < slots; ++theirs) {
        if (!counts.pairs_.used(theirs)) {
            continue;
        }
        const SupplierId supplier = counts.pairs_.supplier(theirs);
        for (size_t kind = 0; kind < quality_kinds; ++kind) {
            const uint64_t total = load(counts.cells_[theirs][kind]);
            const uint64_t added = total - seen.totals[theirs][kind];
            if (added == 0) {
                continue;
            }
            seen.totals[theirs][kind] = total;
            uint32_t& slot = seen.slot_of[theirs];
            if (slot == QualityPairs::none) {
                slot = pairs_.claim(supplier, counts.pairs_.network(theirs));
            }
            const auto add_to = [&](std::atomic<uint64_t>& sum) {
                sum.store(load(sum) + (added << fraction_bits), std::memory_order_relaxed);
            };
            add_to(sums_[slot][kind]);
            if (slot != supplier.value) {
                add_to(sums_[supplier.value][kind]);  // over all networks
            }
        }
    }
}

QualityReading QualityBoard::reading_of(uint32_t slot) const {
    const auto sum = [&](QualityKind kind) { return load(sums_[slot][static_cast<size_t>(kind)]); };
    const uint64_t answers = sum(QualityKind::accepted) + sum(QualityKind::refused);
    const uint64_t receipts = sum(QualityKind::delivered) + sum(QualityKind::failed);
    const uint64_t enough = load(samples_min_) << fraction_bits;
    QualityReading out;
    out.supplier = pairs_.supplier(slot);
    out.network = pairs_.network(slot);
    out.answers = answers >> fraction_bits;
    out.accepted_ppm = ppm(sum(QualityKind::accepted) >> 4, answers >> 4);
    out.receipts = receipts >> fraction_bits;
    out.delivered_ppm = ppm(sum(QualityKind::delivered) >> 4, receipts >> 4);
    const uint64_t delivered = sum(QualityKind::delivered);
    out.delay_ms = delivered == 0 ? 0 : sum(QualityKind::delay_ms) / delivered;
    out.measured = answers >= enough;
    out.score = unmeasured_score;
    if (out.measured) {
        // Without enough receipts acceptance alone speaks, and the delay is nobody's advantage.
        const bool receipts_count = receipts >= enough;
        const uint64_t good =
            receipts_count ? out.accepted_ppm * out.delivered_ppm / million : out.accepted_ppm;
        out.score = QualityScore(static_cast<uint32_t>((good + 5'000) / 10'000),
                                 receipts_count ? QualityScore::class_of_delay(out.delay_ms)
                                                : unmeasured_score.delay_class());
    }
    return out;
}

QualityReading QualityBoard::reading(SupplierId supplier, NetworkId network) const {
    const auto found = pairs_.find(supplier, network);
    if (found.slot == QualityPairs::none) {
        QualityReading unknown;
        unknown.supplier = supplier;
        unknown.network = network;
        unknown.score = unmeasured_score;
        return unknown;
    }
    return reading_of(found.slot);
}

std::vector<QualityReading> QualityBoard::readings() const {
    std::vector<QualityReading> out;
    for (uint32_t slot = 0; slot < pairs_.slot_count(); ++slot) {
        if (pairs_.used(slot)) {
            const QualityReading reading = reading_of(slot);
            if (reading.answers > 0 || reading.receipts > 0) {
                out.push_back(reading);
            }
        }
    }
    return out;
}

}  // namespace sy::route
