// One whole run: set up, warm up, measure, drain, probe, unbind, audit.
#pragma once

#include <cstdint>
#include <string>

#include "bench/smppload/context.h"

namespace sy::load {

struct Outcome {
    uint64_t messages = 0;
    double measured_s = 0;    // from the end of the warm-up to the end of submitting
    double overall_rate = 0;  // answers a second in that time
    double median_rate = 0;   // over whole seconds of it
    double cpu_s = 0;         // ours, user and system, in that time
    double router_cpu_s = 0;  // of --router-pid
    double busy_share = 0;    // of that time that the loop was working
    Nanos schedule_lag_max_ns = 0;
    uint64_t late_messages = 0;  // left more than a millisecond behind the schedule
    double drain_s = 0;          // from there until nothing was missing any more
    bool drained = true;
    bool interrupted = false;
};

/// Errors: what kept the run from starting (a port in use, a refused bind). Discrepancies are in
/// the context's ledger.
[[nodiscard]] Result<Outcome> run(Context& context);

/// SIGINT and SIGTERM end the submitting, the books are still closed.
void ask_to_stop();
[[nodiscard]] bool stop_was_asked();

}  // namespace sy::load
