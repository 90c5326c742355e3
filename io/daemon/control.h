// The control thread of a running router: signals, reload, drain, logs of the workers' events,
// reclamation of old snapshots, systemd's watchdog. Runs on the main thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config/config.h"
#include "core/engine/hub.h"
#include "io/admin/metrics.h"
#include "io/daemon/background.h"
#include "io/daemon/event_log.h"
#include "io/daemon/explain_page.h"
#include "io/daemon/load.h"
#include "io/daemon/log.h"
#include "io/daemon/merger.h"
#include "io/record/writer.h"
#include "io/store/store.h"

namespace sy::daemon {

/// SIGHUP, SIGTERM, SIGINT and SIGUSR1 as a file descriptor. Made before the first thread, so that
/// all inherit the blocked mask.
class Signals {
  public:
    static Result<Signals> block();
    Signals(Signals&& other) noexcept;
    Signals& operator=(Signals&&) = delete;
    ~Signals();

    /// The next signal, or 0 when none came within the time.
    [[nodiscard]] int wait(Nanos timeout_ns);

  private:
    explicit Signals(int fd) : fd_(fd) {}
    int fd_ = -1;
};

class Control {
  public:
    /// What runs. The hub has the snapshot of `config` published.
    struct Parts {
        std::string config_path;
        config::Registry registry;
        config::Config config;
        engine::Hub& hub;
        Signals& signals;
        Log& log;
        admin::Board& board;
        ExplainDesk& desk;
        record::Writer* records;                                 // null: none are written
        std::function<std::vector<std::string>()> poll_devices;  // lines for the log
        store::Store* store = nullptr;                           // null: nothing survives
    };
    Control(Parts parts, Nanos load_took_ns);

    /// Says what was loaded, to the log and to systemd, then serves until the drain is over.
    void run();

  private:
    void handle(int signal_number);
    // What a reload reads and compiles, beside the traffic.
    struct Reloaded {
        std::optional<Loaded> loaded;
        config::Registry registry;
        std::vector<config::Diagnostic> diagnostics;
        Nanos started_ns = 0;
    };

    void begin_reload();
    void end_reload();
    void reload_failed(const std::vector<config::Diagnostic>& diagnostics, Nanos started_ns);
    bool publish(Loaded loaded, config::Registry registry, Nanos started_ns);
    void begin_merge();
    void end_merge();
    bool publish_merged(const MergeDone& done);
    void log_changes(const Changes& changes);
    void reopen_log();
    void begin_drain(int signal_number);
    [[nodiscard]] bool drain_over(Nanos mono_ns);
    void housekeeping(Nanos mono_ns);
    void feed_watchdog(Nanos mono_ns);
    void pin_view();
    [[nodiscard]] std::string status_line() const;

    Parts parts_;
    admin::View view_;
    EventLog events_;
    Background<Reloaded> reload_;
    bool reload_again_ = false;  // a signal came while one was going on
    Background<MergeDone> merge_;
    bool draining_ = false;
    Nanos drain_until_ns_ = 0;
    Nanos watchdog_period_ns_ = 0;
    Nanos watchdog_fed_ns_ = 0;
    std::vector<uint64_t> turns_fed_;  // of each worker, when the watchdog was last fed
    uint64_t events_lost_ = 0;
};

}  // namespace sy::daemon
