// The router's store as the configuration wants it, and what the rest of the daemon has to do with
// it. Control thread, but for the samples.
#pragma once

#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/engine/hub.h"
#include "io/admin/metrics.h"
#include "io/record/writer.h"
#include "io/store/store.h"

namespace sy::daemon {

/// Null when [store] names no path. `hub` was made accordingly.
[[nodiscard]] Result<std::unique_ptr<store::Store>> open_store(engine::Hub& hub,
                                                               const config::Config& config,
                                                               const config::Registry& registry);

/// Before anything is sent: messages that a router that died had under way have records that say
/// so.
void mark_interrupted(engine::Hub& hub,
                      store::Store& store,
                      record::Writer* records,
                      const config::Registry& registry);

[[nodiscard]] std::shared_ptr<const store::Names> store_names_of(const config::Registry& registry);

/// `store` may be null. Any thread.
void add_store_samples(const store::Store* store, std::vector<admin::TotalSample>& out);

}  // namespace sy::daemon
