// What both ends share.
#pragma once

#include <memory>
#include <vector>

#include "bench/smppload/histogram.h"
#include "bench/smppload/interval_percentile.h"
#include "bench/smppload/kernel_net.h"
#include "bench/smppload/ledger.h"
#include "bench/smppload/net.h"
#include "bench/smppload/options.h"
#include "bench/smppload/traffic.h"

namespace sy::load {

struct Context {
    Options options;
    Traffic traffic;
    Ledger ledger;
    std::unique_ptr<Net> made_net;
    Net& net{*made_net};

    // Who is here: both in modes both and direct.
    bool customers_here = true;
    bool suppliers_here = true;

    // When the receipt of message m (modulo size) was due, when MO message n was: for latencies.
    static constexpr size_t due_count = 1 << 20;
    ReservedArray<Nanos> receipt_due_ns{due_count};
    ReservedArray<Nanos> mo_due_ns{due_count};

    Histogram submit_latency;
    IntervalPercentile submit_p99{99, options.duration_ns};
    Histogram receipt_latency;
    Histogram mo_latency;
    std::vector<uint64_t> answers_by_second;  // since the measured part began
    Nanos measure_from_ns = ~Nanos{0};
    uint32_t measure_from_message = 0xFFFFFFFF;
    bool ending = false;  // sessions may close now

    Context(Options opts,
            Traffic made,
            uint64_t messages_max,
            std::unique_ptr<Net> over = std::make_unique<KernelNet>())
        : options(std::move(opts)),
          traffic(std::move(made)),
          ledger(messages_max),
          made_net(std::move(over)) {}
};

/// The message was submitted after the warm-up.
[[nodiscard]] inline bool measured(const Context& context, uint32_t message) {
    return message >= context.measure_from_message;
}

}  // namespace sy::load
