// What GET /metrics and GET /health say: the engine's counters, which any thread may read, and the
// control thread's view of the configuration, which it replaces as a whole.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/engine/hub.h"
#include "io/admin/server.h"

namespace sy::admin {

/// Immutable once it is on the board.
struct View {
    std::string version;
    std::vector<std::pair<CustomerId, std::string>> customers;
    std::vector<std::pair<SupplierId, std::string>> suppliers;
    std::vector<std::string> networks;  // MCCMNCs by id
    uint64_t generation = 0;
    uint64_t mt_rules = 0;
    uint64_t mo_rules = 0;
    bool draining = false;
    Nanos start_wall_ns = 0;
    // Reloads since the start; the start itself counts as none.
    uint64_t reloads_ok = 0;
    uint64_t reloads_failed = 0;
    bool last_load_ok = true;
    Nanos last_load_wall_ns = 0;
    Nanos last_load_took_ns = 0;
};

/// Where the control thread pins the current view; any thread may look.
class Board {
  public:
    void pin(std::shared_ptr<const View> view) {
        const std::lock_guard lock(mutex_);
        view_ = std::move(view);
    }
    [[nodiscard]] std::shared_ptr<const View> view() const {
        const std::lock_guard lock(mutex_);
        return view_;
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const View> view_ = std::make_shared<View>();
};

/// One number of one worker that the engine does not know (its transport's counters).
struct WorkerSample {
    std::string_view name;
    std::string_view help;
    uint32_t worker = 0;
    uint64_t value = 0;
};
using WorkerSamples = std::function<std::vector<WorkerSample>()>;

/// One number of the router that the engine does not know; without a label value it has none.
struct TotalSample {
    std::string_view name;
    std::string_view help;
    std::string_view label;
    std::string_view label_value;
    uint64_t value = 0;
};
using TotalSamples = std::function<std::vector<TotalSample>()>;

class Metrics final : public prometheus::Collectable {
  public:
    /// All outlive this; `more` and `totals` may be empty and must be safe on any thread.
    Metrics(engine::Hub& hub, const Board& board, WorkerSamples more, TotalSamples totals = {})
        : hub_(hub), board_(board), more_(std::move(more)), totals_(std::move(totals)) {}

    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

  private:
    engine::Hub& hub_;
    const Board& board_;
    WorkerSamples more_;
    TotalSamples totals_;
};

/// Of [records]; what the engine does not know.
enum class RecordState : uint8_t { off, ok, failing };

/// Healthy: not draining, and at least one link to a supplier is bound (or none is configured). A
/// store that refuses and records that fail are said, as "degraded", but other messages are taken.
[[nodiscard]] Health health(engine::Hub& hub,
                            const View& view,
                            RecordState records = RecordState::off);

}  // namespace sy::admin
