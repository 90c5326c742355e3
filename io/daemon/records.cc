#include "io/daemon/records.h"

#include "io/daemon/clock.h"

namespace sy::daemon {

record::Names names_of(const config::Registry& registry) {
    return {registry.customers(), registry.suppliers(), registry.networks()};
}

Result<std::unique_ptr<record::Writer>> open_records(engine::Hub& hub,
                                                     const config::Config& config,
                                                     const config::Registry& registry) {
    if (!config.records.on()) {
        return nullptr;
    }
    return record::Writer::create(hub, config.records, names_of(registry), &read_clocks);
}

std::vector<admin::TotalSample> record_samples(const record::Writer* writer) {
    std::vector<admin::TotalSample> samples;
    if (writer != nullptr) {
        for (const record::Sample& one : writer->samples()) {
            samples.push_back({one.name, one.help, "kind", one.kind, one.value});
        }
    }
    return samples;
}

admin::RecordState record_state(const record::Writer* writer) {
    return writer == nullptr   ? admin::RecordState::off
           : writer->failing() ? admin::RecordState::failing
                               : admin::RecordState::ok;
}

void log_notes(record::Writer* writer, Log& log) {
    if (writer != nullptr) {
        for (const std::string& line : writer->take_notes()) {
            log.warning(line);
        }
    }
}

}  // namespace sy::daemon
