// What systemd is told when it started us (Type=notify); every call does nothing without it.
// Control thread only.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/time.h"

namespace sy::daemon::systemd {

void ready(const std::string& status);
void reloading(Nanos mono_ns);
void stopping(const std::string& status);
void status(const std::string& text);
void feed_watchdog();

/// How often the watchdog wants to be fed, 0: not at all (WatchdogSec= is not set).
[[nodiscard]] Nanos watchdog_period_ns();

}  // namespace sy::daemon::systemd
