// The workers' events as log lines. Control thread only.
#pragma once

#include <cstdint>
#include <map>

#include "core/config/config.h"
#include "core/engine/hub.h"
#include "io/daemon/log.h"

namespace sy::daemon {

/// Writes one event.
void log_event(Log& log, const config::Registry& registry, const engine::Event& event);

/// Takes the workers' events out of the hub and writes them. Of each kind so many lines a second
/// are written and the rest counted: a peer that binds wrongly in a loop must not fill the disk.
class EventLog {
  public:
    static constexpr uint32_t lines_a_second_max = 100;

    /// Writes what waits, at most `limit` events, so that a storm of them does not keep the control
    /// thread from its signals.
    void write(Log& log,
               const config::Registry& registry,
               engine::Hub& hub,
               uint32_t limit,
               Nanos mono_ns);

  private:
    struct Kind {
        uint32_t written = 0;
        uint64_t left_out = 0;
    };
    void end_second(Log& log, Nanos mono_ns);

    Nanos second_began_ns_ = 0;
    std::map<engine::EventKind, Kind> kinds_;
};

}  // namespace sy::daemon
