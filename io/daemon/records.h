// Message records in the daemon: the writer of the configuration's [records], the names that it
// writes, its numbers for the metrics page. Control thread, but for
// record_samples() and record_state().
#pragma once

#include <memory>
#include <vector>

#include "core/config/config.h"
#include "core/engine/hub.h"
#include "io/admin/metrics.h"
#include "io/daemon/log.h"
#include "io/record/writer.h"

namespace sy::daemon {

[[nodiscard]] record::Names names_of(const config::Registry& registry);

/// Null where the configuration wants no records.
[[nodiscard]] Result<std::unique_ptr<record::Writer>> open_records(
    engine::Hub& hub, const config::Config& config, const config::Registry& registry);

/// Of null: none. Any thread.
[[nodiscard]] std::vector<admin::TotalSample> record_samples(const record::Writer* writer);

/// For GET /health; of null: off. Any thread.
[[nodiscard]] admin::RecordState record_state(const record::Writer* writer);

/// What the record thread has to say; null says nothing.
void log_notes(record::Writer* writer, Log& log);

}  // namespace sy::daemon
