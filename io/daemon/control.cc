#include "io/daemon/control.h"

#include <cerrno>
#include <csignal>
#include <exception>
#include <poll.h>
#include <sys/signalfd.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "io/daemon/clock.h"
#include "io/daemon/durable.h"
#include "io/daemon/event_log.h"
#include "io/daemon/records.h"
#include "io/daemon/systemd.h"

namespace sy::daemon {
namespace {

// How often the control thread looks around when no signal comes.
constexpr Nanos tick_ns = 100 * millisecond_ns;
constexpr Nanos busy_tick_ns = 5 * millisecond_ns;  // while a drain or a reclamation is awaited
// After runtime.drain: suppliers and then customers get 5 s each to answer our unbind
// (core/engine).
constexpr Nanos unbind_wait_max_ns = 17 * second_ns;
constexpr uint32_t events_a_tick = 1000;

double milliseconds(Nanos nanos) {
    const Nanos microseconds = nanos / microsecond_ns;  // three decimals are enough
    return static_cast<double>(microseconds) / 1000.0;
}

bool same(const config::Logging& a, const config::Logging& b) {
    return a.path == b.path && a.level == b.level && a.json == b.json;
}

}  // namespace

Result<Signals> Signals::block() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGHUP, SIGTERM, SIGINT, SIGUSR1}) {
        sigaddset(&set, number);
    }
    if (const int error_number = pthread_sigmask(SIG_BLOCK, &set, nullptr); error_number != 0) {
        return fail(
            fmt::format("cannot block signals: {}", std::generic_category().message(error_number)));
    }
    // A peer that closes early is an outcome of send(), not a reason to die.
    std::signal(SIGPIPE, SIG_IGN);
    const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return fail(fmt::format("cannot take signals: {}", std::generic_category().message(errno)));
    }
    return Signals(fd);
}

Signals::Signals(Signals&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Signals::~Signals() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

int Signals::wait(Nanos timeout_ns) {
    pollfd one{.fd = fd_, .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, static_cast<int>(timeout_ns / millisecond_ns)) <= 0) {
        return 0;
    }
    signalfd_siginfo info{};
    if (::read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
        return 0;
    }
    return static_cast<int>(info.ssi_signo);
}

Control::Control(Parts parts, Nanos load_took_ns)
    : parts_(std::move(parts)), watchdog_period_ns_(systemd::watchdog_period_ns()) {
    const Now now = read_clocks();
    view_.version = SY_VERSION;
    view_.start_wall_ns = now.wall_ns;
    view_.last_load_wall_ns = now.wall_ns;
    view_.last_load_took_ns = load_took_ns;
    pin_view();
}

void Control::run() {
    parts_.log.info("switchyard started", {{"version", SY_VERSION},
                                           {"workers", parts_.hub.workers()},
                                           {"customers", view_.customers.size()},
                                           {"suppliers", view_.suppliers.size()},
                                           {"mt_rules", view_.mt_rules},
                                           {"mo_rules", view_.mo_rules},
                                           {"load_ms", milliseconds(view_.last_load_took_ns)}});
    systemd::ready(status_line());
    begin_merge();
    while (true) {
        const bool busy = draining_ || parts_.hub.reclaim() > 0 || reload_.busy();
        if (const int number = parts_.signals.wait(busy ? busy_tick_ns : tick_ns); number != 0) {
            handle(number);
        }
        const Nanos mono_ns = read_clock(CLOCK_MONOTONIC);
        housekeeping(mono_ns);
        end_reload();
        end_merge();
        if (draining_ && drain_over(mono_ns)) {
            return;
        }
    }
}

void Control::handle(int signal_number) {
    switch (signal_number) {
        case SIGHUP:
            if (draining_) {
                parts_.log.warning("reload ignored: the router is draining");
            } else {
                begin_reload();
            }
            break;
        case SIGUSR1:
            reopen_log();
            if (parts_.records != nullptr) {
                parts_.records->reopen();
            }
            break;
        case SIGTERM:
        case SIGINT:
            begin_drain(signal_number);
            break;
        default:
            break;
    }
}

void Control::housekeeping(Nanos mono_ns) {
    events_.write(parts_.log, parts_.registry, parts_.hub, events_a_tick, mono_ns);
    for (const std::string& line : parts_.poll_devices()) {
        parts_.log.warning(line);
    }
    for (const std::string& line :
         parts_.store != nullptr ? parts_.store->poll() : std::vector<std::string>{}) {
        parts_.log.error(line);
    }
    log_notes(parts_.records, parts_.log);
    uint64_t lost = 0;
    for (uint32_t w = 0; w < parts_.hub.workers(); ++w) {
        lost += parts_.hub.counters(WorkerId{static_cast<uint8_t>(w)}).events_lost.get();
    }
    if (lost > events_lost_) {
        parts_.log.warning("events lost: more happened than the log could take",
                           {{"count", lost - events_lost_}});
        events_lost_ = lost;
    }
    parts_.hub.merge_quality(mono_ns);
    feed_watchdog(mono_ns);
}

// Fed at half the period, and only when every worker has made a turn since: a worker that hangs
// lets systemd restart the router.
void Control::feed_watchdog(Nanos mono_ns) {
    if (watchdog_period_ns_ == 0 || mono_ns - watchdog_fed_ns_ < watchdog_period_ns_ / 2) {
        return;
    }
    std::vector<uint64_t> turns(parts_.hub.workers());
    for (uint32_t w = 0; w < turns.size(); ++w) {
        turns[w] = parts_.hub.counters(WorkerId{static_cast<uint8_t>(w)}).turns.get();
        if (!turns_fed_.empty() && turns[w] == turns_fed_[w]) {
            return;
        }
    }
    turns_fed_ = std::move(turns);
    watchdog_fed_ns_ = mono_ns;
    systemd::feed_watchdog();
}

void Control::begin_reload() {
    if (reload_.busy()) {
        reload_again_ = true;
        return;
    }
    const Nanos started_ns = read_clock(CLOCK_MONOTONIC);
    systemd::reloading(started_ns);
    parts_.log.info("reload begins", {{"config", parts_.config_path}});
    // Copies, which share what is large: names of a configuration that is refused leave no trace,
    // and the work needs nothing that could end before it.
    reload_.start("sy-reload", [path = parts_.config_path, registry = parts_.registry,
                                running = *parts_.hub.owned_snapshot(), config = parts_.config,
                                started_ns] {
        Reloaded done{std::nullopt, registry, {}, started_ns};
        try {
            done.loaded = load(path, done.registry, &running, &config,
                               CacheFolder::Access::read_write, done.diagnostics);
        } catch (const std::exception& failure) {
            // No memory for a second configuration: the first one goes on.
            done.diagnostics.push_back({config::Diagnostic::Severity::error, path, 0, 0,
                                        fmt::format("the reload ended early: {}", failure.what())});
        }
        return done;
    });
}

void Control::end_reload() {
    std::optional<Reloaded> done = reload_.take();
    if (!done || draining_) {
        return;
    }
    for (const config::Diagnostic& diagnostic : done->diagnostics) {
        const bool is_error = diagnostic.severity == config::Diagnostic::Severity::error;
        parts_.log.write(is_error ? Level::error : Level::warning, config::to_string(diagnostic),
                         {});
    }
    if (!done->loaded ||
        !publish(*std::move(done->loaded), std::move(done->registry), done->started_ns)) {
        reload_failed(done->diagnostics, done->started_ns);
    }
    pin_view();
    systemd::ready(status_line());
    begin_merge();
    if (std::exchange(reload_again_, false)) {
        begin_reload();
    }
}

// Expressions that a reload put beside a large database become one with it, beside the traffic.
void Control::begin_merge() {
    if (merge_.busy() || draining_) {
        return;
    }
    std::vector<config::MergeTask> tasks = config::pending_merges(*parts_.hub.owned_snapshot());
    if (tasks.empty()) {
        return;
    }
    for (const config::MergeTask& task : tasks) {
        parts_.log.info("merging expressions beside the traffic",
                        {{"set", task.set}, {"expressions", task.expressions.size()}});
    }
    merge_.start("sy-merge", [tasks = std::move(tasks), cache_path = parts_.config.cache_path] {
        return run_merges(tasks, cache_path);
    });
}

void Control::end_merge() {
    std::optional<MergeDone> done = merge_.take();
    if (!done || draining_) {
        return;
    }
    for (const std::string& complaint : done->complaints) {
        parts_.log.warning(complaint);
    }
    if (publish_merged(*done)) {
        begin_merge();  // a reload may have come between
    }
}

bool Control::publish_merged(const MergeDone& done) {
    for (const config::MergedSet& set : done.sets) {
        if (set.database == nullptr) {
            parts_.log.warning("expressions do not compile together, they stay in two databases",
                               {{"set", set.set}});
            return false;
        }
    }
    auto merged = config::with_merged(*parts_.hub.owned_snapshot(), done.sets);
    if (!merged) {
        parts_.log.error(merged.error().text);
        return false;
    }
    if (*merged == nullptr) {
        return true;
    }
    if (auto published = parts_.hub.publish(*std::move(merged)); !published) {
        parts_.log.error(published.error().text);
        return false;
    }
    pin_view();
    parts_.log.info("expressions merged", {{"generation", parts_.hub.owned_snapshot()->generation},
                                           {"took_ms", milliseconds(done.took_ns)}});
    return true;
}

void Control::reload_failed(const std::vector<config::Diagnostic>& diagnostics, Nanos started_ns) {
    const Now now = read_clocks();
    ++view_.reloads_failed;
    view_.last_load_ok = false;
    view_.last_load_wall_ns = now.wall_ns;
    view_.last_load_took_ns = now.mono_ns - started_ns;
    parts_.log.error("reload refused, nothing has changed: the running configuration stays",
                     {{"errors", count_errors(diagnostics)},
                      {"generation", parts_.hub.owned_snapshot()->generation},
                      {"took_ms", milliseconds(now.mono_ns - started_ns)}});
}

bool Control::publish(Loaded loaded, config::Registry registry, Nanos started_ns) {
    std::optional<Log> new_log;
    if (!same(loaded.config.logging, parts_.config.logging)) {
        auto opened = Log::open(loaded.config.logging, loaded.config.directory);
        if (!opened) {
            parts_.log.error(opened.error().text);
            return false;
        }
        new_log = *std::move(opened);
    }
    const route::Snapshot& before = *parts_.hub.owned_snapshot();
    const Changes changes = compare(before, *loaded.snapshot);
    loaded.snapshot->generation = before.generation + 1;
    if (parts_.store != nullptr) {
        parts_.store->set_names(store_names_of(registry));
    }
    if (parts_.records != nullptr) {
        parts_.records->put_names(names_of(registry));
    }
    if (auto published = parts_.hub.publish(std::move(loaded.snapshot)); !published) {
        parts_.log.error(published.error().text);
        return false;
    }
    parts_.config = std::move(loaded.config);
    parts_.registry = std::move(registry);
    if (new_log) {
        parts_.log.info("the log goes on elsewhere", {{"target", new_log->target()}});
        parts_.log = *std::move(new_log);
    }
    const Now now = read_clocks();
    ++view_.reloads_ok;
    view_.last_load_ok = true;
    view_.last_load_wall_ns = now.wall_ns;
    view_.last_load_took_ns = now.mono_ns - started_ns;
    log_changes(changes);
    parts_.log.info("configuration reloaded",
                    {{"generation", parts_.hub.owned_snapshot()->generation},
                     {"customers", parts_.config.customers.size()},
                     {"suppliers", parts_.config.suppliers.size()},
                     {"mt_rules", parts_.config.mt->rules.size()},
                     {"mo_rules", parts_.config.mo_rules.size()},
                     {"took_ms", milliseconds(now.mono_ns - started_ns)}});
    return true;
}

void Control::log_changes(const Changes& changes) {
    const auto say = [this](const char* phrase, const std::vector<std::string>& names) {
        if (!names.empty()) {
            parts_.log.info(phrase, {{"count", names.size()}, {"names", join_names(names)}});
        }
    };
    say("customers added", changes.customers_added);
    say("customers changed, their sessions are rebound", changes.customers_changed);
    say("customers removed, their sessions are unbound", changes.customers_removed);
    say("suppliers added", changes.suppliers_added);
    say("suppliers changed, their links are rebound", changes.suppliers_changed);
    say("suppliers removed, their links are unbound", changes.suppliers_removed);
}

void Control::reopen_log() {
    if (auto reopened = parts_.log.reopen(); !reopened) {
        parts_.log.error("the log file cannot be opened again, the old one stays",
                         {{"reason", reopened.error().text}});
        return;
    }
    parts_.log.info("log file opened again", {{"target", parts_.log.target()}});
}

void Control::begin_drain(int signal_number) {
    const Nanos mono_ns = read_clock(CLOCK_MONOTONIC);
    if (draining_) {
        parts_.log.warning("second stop signal: not waiting any longer");
        drain_until_ns_ = mono_ns;
        return;
    }
    draining_ = true;
    const Nanos bound_ns = parts_.config.runtime.drain_ns;
    drain_until_ns_ = mono_ns + bound_ns + unbind_wait_max_ns;
    parts_.log.info("draining: no new messages, what is in flight settles",
                    {{"signal", signal_number == SIGTERM ? "SIGTERM" : "SIGINT"},
                     {"bound_ms", milliseconds(bound_ns)}});
    parts_.hub.begin_drain(mono_ns + bound_ns);
    parts_.hub.ring(~uint64_t{0});
    pin_view();
    systemd::stopping("draining");
}

bool Control::drain_over(Nanos mono_ns) {
    if (parts_.hub.drained()) {
        return true;
    }
    if (mono_ns < drain_until_ns_) {
        return false;
    }
    parts_.log.warning("the drain took too long: what is still in flight is cut off");
    return true;
}

void Control::pin_view() {
    auto next = view_;
    next.customers.clear();
    for (const auto& [id, customer] : parts_.config.customers) {
        next.customers.emplace_back(id, customer.name);
    }
    next.suppliers.clear();
    for (const auto& [id, supplier] : parts_.config.suppliers) {
        next.suppliers.emplace_back(id, supplier.name);
    }
    next.networks = parts_.registry.networks();
    next.generation = parts_.hub.owned_snapshot()->generation;
    next.mt_rules = parts_.config.mt->rules.size();
    next.mo_rules = parts_.config.mo_rules.size();
    next.draining = draining_;
    view_ = next;
    parts_.board.pin(std::make_shared<const admin::View>(std::move(next)));
    parts_.desk.put(std::make_shared<const ExplainTables>(
        parts_.registry, parts_.config, *parts_.hub.owned_snapshot(), &parts_.hub.quality()));
}

std::string Control::status_line() const {
    return fmt::format("generation {}, {} customers, {} suppliers, {} rules{}", view_.generation,
                       view_.customers.size(), view_.suppliers.size(),
                       view_.mt_rules + view_.mo_rules,
                       view_.last_load_ok ? "" : "; the last reload was refused, see the log");
}

}  // namespace sy::daemon
