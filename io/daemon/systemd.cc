#include "io/daemon/systemd.h"

#include <systemd/sd-daemon.h>

#include <fmt/format.h>

namespace sy::daemon::systemd {
namespace {

void notify(const std::string& message) {
    // The result says whether a systemd listens; the router does the same either way.
    (void)sd_notify(0, message.c_str());
}

}  // namespace

void ready(const std::string& status) {
    notify(fmt::format("READY=1\nSTATUS={}", status));
}

void reloading(Nanos mono_ns) {
    // Type=notify-reload wants the moment; older managers ignore it.
    notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=reloading", mono_ns / 1000));
}

void stopping(const std::string& status) {
    notify(fmt::format("STOPPING=1\nSTATUS={}", status));
}

void status(const std::string& text) {
    notify(fmt::format("STATUS={}", text));
}

void feed_watchdog() {
    notify("WATCHDOG=1");
}

Nanos watchdog_period_ns() {
    uint64_t period_us = 0;
    return sd_watchdog_enabled(0, &period_us) > 0 ? period_us * 1000 : 0;
}

}  // namespace sy::daemon::systemd
