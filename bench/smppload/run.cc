#include "bench/smppload/run.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <numeric>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bench/smppload/customer_side.h"
#include "bench/smppload/supplier_side.h"

namespace sy::load {
namespace {

// Set by a signal handler, read by the loop; it orders nothing.
std::atomic<bool> stop_asked{false};

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// User and system time of another process, all its threads; 0 when it cannot be read.
double cpu_seconds_of(int pid) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::string stat;
    std::getline(file, stat);
    // Fields 14 and 15 (proc(5)); the second one, in brackets, may contain spaces.
    const size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) {
        return 0;
    }
    std::istringstream fields(stat.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field) {
        fields >> skipped;
    }
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

class Run {
  public:
    explicit Run(Context& context) : context_(context), customers_(context), suppliers_(context) {}

    Result<Outcome> go() {
        SY_TRY(start());
        submit();
        const Nanos submitted_ns = now_ns();
        drain();
        outcome_.drain_s = static_cast<double>(now_ns() - submitted_ns) / second_ns;
        finish();
        return outcome_;
    }

  private:
    template <class Until>
    bool turn_until(Nanos deadline, Until&& until);
    Result<void> start();
    void submit();
    void begin_measuring(Nanos now);
    void end_measuring(Nanos now);
    [[nodiscard]] uint64_t arrivals() const;
    void drain();
    void finish();

    Context& context_;
    CustomerSide customers_;
    SupplierSide suppliers_;
    Outcome outcome_;
    bool measuring_ = false;
    Nanos turned_ns_ = now_ns();
    double cpu_before_s_ = 0;
    double router_cpu_before_s_ = 0;
    Nanos busy_before_ns_ = 0;
};

/// Turns the loop until the condition holds; false when the deadline came first.
template <class Until>
bool Run::turn_until(Nanos deadline, Until&& until) {
    for (;;) {
        // Sockets wake us at once; what is due by the clock leaves in small groups, because a sleep
        // a message would cost more than the message.
        const Nanos paced = turned_ns_ + context_.options.pace_ns;
        const Nanos timer = std::max(std::min(suppliers_.next_ns(), customers_.next_ns()), paced);
        const Nanos wake = context_.options.spin
                               ? 0
                               : std::min({deadline, timer, turned_ns_ + 50 * millisecond_ns});
        context_.net.flush();  // what was written outside a turn
        context_.net.poll(wake);
        const Nanos now = now_ns();
        turned_ns_ = now;
        suppliers_.turn(now);
        customers_.turn(now);
        context_.net.flush();
        if (until(now)) {
            return true;
        }
        if (now >= deadline) {
            return false;
        }
    }
}

Result<void> Run::start() {
    const Options& options = context_.options;
    const Nanos deadline = now_ns() + options.start_timeout_ns;
    SY_TRY(context_.net.wait_for_link(deadline));
    if (context_.suppliers_here) {
        SY_TRY(suppliers_.listen());
    }
    if (options.mode == Mode::both || options.mode == Mode::smsc) {
        const Nanos patience = options.mode == Mode::smsc ? ~Nanos{0} : deadline;
        const bool good = turn_until(patience, [&](Nanos) {
            return suppliers_.bound(options.supplier_binds) || stop_asked.load();
        });
        if (!good || stop_asked.load()) {
            return fail(fmt::format("the router did not bind to every supplier in time: {}",
                                    suppliers_.describe_binds()));
        }
    }
    if (!context_.customers_here) {
        return {};
    }
    SY_TRY(customers_.connect(suppliers_.endpoints()));
    Result<bool> bound = false;
    const bool good = turn_until(deadline, [&](Nanos) {
        bound = customers_.bound();
        return !bound || *bound || stop_asked.load();
    });
    if (!bound) {
        return std::unexpected(bound.error());
    }
    if (!good || stop_asked.load()) {
        return fail("not every customer bind was answered in time");
    }
    return {};
}

void Run::begin_measuring(Nanos now) {
    measuring_ = true;
    context_.measure_from_ns = now;
    context_.measure_from_message = customers_.next_message();
    context_.answers_by_second.reserve(
        static_cast<size_t>(context_.options.duration_ns / second_ns) + 64);
    cpu_before_s_ = cpu_seconds();
    router_cpu_before_s_ = cpu_seconds_of(context_.options.router_pid);
    busy_before_ns_ = context_.net.busy_ns();
}

void Run::submit() {
    const Options& options = context_.options;
    const Nanos begun = now_ns();
    // A counted run has no warm-up: every message of it is in the figures.
    const Nanos warm_at = begun + (options.messages > 0 ? 0 : options.warmup_ns);
    const Nanos end_at = options.messages > 0 ? ~Nanos{0} : warm_at + options.duration_ns;
    if (warm_at == begun) {
        begin_measuring(begun);
    }
    if (context_.suppliers_here) {
        suppliers_.begin(begun);
    }
    if (context_.customers_here) {
        customers_.begin(begun);
    }
    const Nanos deadline = options.mode == Mode::smsc && options.messages > 0 ? ~Nanos{0} : end_at;
    turn_until(deadline, [&](Nanos now) {
        if (!measuring_ && now >= warm_at) {
            begin_measuring(now);
        }
        if (stop_asked.load()) {
            outcome_.interrupted = true;
            return true;
        }
        if (!context_.customers_here) {
            return !suppliers_.bound(1);
        }
        return (options.messages > 0 && customers_.next_message() >= options.messages) ||
               customers_.sessions_open() == 0;
    });
    customers_.stop_submitting();
    suppliers_.stop_mo();
    end_measuring(now_ns());
}

void Run::end_measuring(Nanos now) {
    if (!measuring_) {
        return;
    }
    outcome_.measured_s = static_cast<double>(now - context_.measure_from_ns) * 1e-9;
    outcome_.cpu_s = cpu_seconds() - cpu_before_s_;
    outcome_.router_cpu_s = cpu_seconds_of(context_.options.router_pid) - router_cpu_before_s_;
    outcome_.busy_share = static_cast<double>(context_.net.busy_ns() - busy_before_ns_) * 1e-9 /
                          std::max(outcome_.measured_s, 1e-9);
    std::vector<uint64_t>& seconds = context_.answers_by_second;
    uint64_t sum = 0;
    for (const uint64_t count : seconds) {
        sum += count;
    }
    outcome_.overall_rate = static_cast<double>(sum) / std::max(outcome_.measured_s, 1e-9);
    // Whole seconds only: the last one was cut short.
    std::vector<uint64_t> whole(seconds);
    whole.resize(std::min<size_t>(whole.size(), static_cast<size_t>(outcome_.measured_s)));
    std::sort(whole.begin(), whole.end());
    outcome_.median_rate =
        whole.empty() ? outcome_.overall_rate : static_cast<double>(whole[whole.size() / 2]);
}

uint64_t Run::arrivals() const {
    const auto& by_supplier = context_.ledger.arrivals;
    return std::accumulate(by_supplier.begin(), by_supplier.end(), uint64_t{0});
}

void Run::drain() {
    // As long as something still comes, and no longer than the bound without anything.
    const auto left = [&] {
        const Ledger& ledger = context_.ledger;
        const uint64_t mo_left = context_.customers_here && ledger.mo_sent > ledger.mo_home
                                     ? ledger.mo_sent - ledger.mo_home
                                     : 0;
        // A router that stores messages answers them before a supplier has them.
        const uint64_t here = arrivals();
        const uint64_t stored =
            context_.customers_here && context_.suppliers_here && ledger.answers_ok > here
                ? ledger.answers_ok - here
                : 0;
        return customers_.outstanding() + customers_.receipts_awaited() + suppliers_.pending() +
               mo_left + stored;
    };
    const auto progress = [&] {
        return context_.ledger.receipts_home + context_.ledger.mo_home + customers_.outstanding() +
               arrivals();
    };
    uint64_t before = progress();
    Nanos deadline = now_ns() + context_.options.drain_timeout_ns;
    while (left() > 0) {
        if (turn_until(std::min(deadline, now_ns() + 100 * millisecond_ns),
                       [&](Nanos) { return left() == 0; })) {
            return;
        }
        if (progress() != before) {
            before = progress();
            deadline = now_ns() + context_.options.drain_timeout_ns;
        } else if (now_ns() >= deadline) {
            outcome_.drained = false;
            return;
        }
    }
}

void Run::finish() {
    // What comes twice comes a little later: look once more before the sessions are probed.
    const Nanos patience = std::min<Nanos>(context_.options.drain_timeout_ns, 2 * second_ns);
    customers_.probe();
    suppliers_.probe();
    turn_until(now_ns() + patience, [&](Nanos) {
        return customers_.probes_unanswered() + suppliers_.probes_unanswered() == 0;
    });
    context_.ending = true;
    context_.net.close_listeners();
    customers_.unbind();
    turn_until(now_ns() + patience, [&](Nanos) { return customers_.sessions_open() == 0; });
    suppliers_.unbind();
    turn_until(now_ns() + patience, [&](Nanos) { return suppliers_.sessions_open() == 0; });
    customers_.close_books();
    suppliers_.close_books();
    outcome_.messages = customers_.next_message();
    outcome_.schedule_lag_max_ns = customers_.schedule_lag_max_ns();
    outcome_.late_messages = customers_.late_messages();
    context_.ledger.submits = outcome_.messages;
    context_.ledger.audit(customers_.next_message(), context_.customers_here,
                          context_.suppliers_here);
}

}  // namespace

void ask_to_stop() {
    stop_asked.store(true);
}

bool stop_was_asked() {
    return stop_asked.load();
}

Result<Outcome> run(Context& context) {
    return Run(context).go();
}

}  // namespace sy::load
