#include "bench/smppload/report.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

namespace sy::load {
namespace {

constexpr std::array<double, 5> percents = {50, 90, 99, 99.9, 99.99};

std::string microseconds(uint64_t ns) {
    return fmt::format("{:.1f}", static_cast<double>(ns) * 1e-3);
}

std::string latency_line(const char* name, const Histogram& histogram) {
    if (histogram.count() == 0) {
        return {};
    }
    std::string out = fmt::format("{:<22}", name);
    for (const double percent : percents) {
        out += fmt::format(" p{} {}", percent, microseconds(histogram.percentile(percent)));
    }
    return out + fmt::format(" max {} us ({} samples)\n", microseconds(histogram.max()),
                             histogram.count());
}

std::string statuses(const std::map<uint32_t, uint64_t>& counts) {
    std::string out;
    for (const auto& [status, count] : counts) {
        out += fmt::format("{}{} {}", out.empty() ? "" : ", ", status_text(status), count);
    }
    return out.empty() ? "none" : out;
}

std::string warnings(const Context& context, const Outcome& outcome) {
    std::string out;
    if (outcome.interrupted) {
        out += "warning: stopped by a signal\n";
    }
    if (!outcome.drained) {
        out += "warning: something was still missing when the drain time was over\n";
    }
    if (outcome.busy_share > 0.95 && !context.options.spin) {
        out += fmt::format(
            "warning: smppload itself was busy for {:.0f} % of the time: the rate "
            "may show its limit, not the router's\n",
            outcome.busy_share * 100);
    }
    const double busy_s = outcome.busy_share * outcome.measured_s;
    if (outcome.cpu_s < 0.8 * busy_s) {
        out += fmt::format(
            "warning: other processes had its CPU for {:.0f} % of its busy time: "
            "measure again on a quiet machine\n",
            (1 - outcome.cpu_s / busy_s) * 100);
    }
    if (outcome.late_messages > 0) {
        out += fmt::format(
            "warning: {} messages left more than 1 ms behind the schedule, the "
            "latest {} us: windows were full or smppload too slow; latencies count "
            "from the intended time\n",
            outcome.late_messages, microseconds(outcome.schedule_lag_max_ns));
    }
    return out;
}

std::string troubles(const Ledger& ledger) {
    std::string out;
    for (size_t i = 0; i < static_cast<size_t>(Trouble::count_); ++i) {
        const auto kind = static_cast<Trouble>(i);
        if (ledger.troubles(kind) == 0) {
            continue;
        }
        out += fmt::format("DISCREPANCY: {} {}\n", ledger.troubles(kind), describe(kind));
        for (const std::string& story : ledger.stories(kind)) {
            out += "    " + story + "\n";
        }
    }
    return out;
}

struct Field {
    const char* name;
    std::string value;
};

std::vector<Field> fields(const Context& context, const Outcome& outcome) {
    const Ledger& ledger = context.ledger;
    const Options& options = context.options;
    uint64_t errors = 0;
    for (const auto& [status, count] : ledger.answers_error) {
        errors += count;
    }
    std::vector<Field> out = {{"customers", std::to_string(options.customers)},
                              {"binds", std::to_string(options.binds)},
                              {"window", std::to_string(options.window)},
                              {"suppliers", std::to_string(options.suppliers)},
                              {"rate_wanted", fmt::format("{:.3f}", options.rate)},
                              {"messages", std::to_string(outcome.messages)},
                              {"seconds", fmt::format("{:.3f}", outcome.measured_s)},
                              {"rate_overall", fmt::format("{:.0f}", outcome.overall_rate)},
                              {"drain_seconds", fmt::format("{:.3f}", outcome.drain_s)},
                              {"rate_median", fmt::format("{:.0f}", outcome.median_rate)},
                              {"answered_ok", std::to_string(ledger.answers_ok)},
                              {"answered_error", std::to_string(errors)},
                              {"receipts_sent", std::to_string(ledger.receipts_sent)},
                              {"receipts_home", std::to_string(ledger.receipts_home)},
                              {"mo_sent", std::to_string(ledger.mo_sent)},
                              {"mo_home", std::to_string(ledger.mo_home)},
                              {"cpu_seconds", fmt::format("{:.3f}", outcome.cpu_s)},
                              {"router_cpu_seconds", fmt::format("{:.3f}", outcome.router_cpu_s)},
                              {"busy_share", fmt::format("{:.3f}", outcome.busy_share)},
                              {"discrepancies", std::to_string(ledger.troubles())}};
    struct Named {
        std::array<const char*, 6> names;
        const Histogram* histogram;
    };
    const std::array<Named, 3> histograms = {
        {{{"submit_us_p50", "submit_us_p90", "submit_us_p99", "submit_us_p999", "submit_us_p9999",
           "submit_us_max"},
          &context.submit_latency},
         {{"receipt_us_p50", "receipt_us_p90", "receipt_us_p99", "receipt_us_p999",
           "receipt_us_p9999", "receipt_us_max"},
          &context.receipt_latency},
         {{"mo_us_p50", "mo_us_p90", "mo_us_p99", "mo_us_p999", "mo_us_p9999", "mo_us_max"},
          &context.mo_latency}}};
    for (const Named& named : histograms) {
        for (size_t i = 0; i < percents.size(); ++i) {
            out.push_back({named.names[i], microseconds(named.histogram->percentile(percents[i]))});
        }
        out.push_back({named.names[5], microseconds(named.histogram->max())});
    }
    out.push_back({"submit_us_p99_median_interval", microseconds(context.submit_p99.median())});
    return out;
}

}  // namespace

std::string text_report(const Context& context, const Outcome& outcome) {
    const Ledger& ledger = context.ledger;
    std::string out;
    if (context.customers_here) {
        out += fmt::format(
            "submit_sm              {} ({:.0f} octets on average), {} ESME_ROK, "
            "errors: {}\n",
            outcome.messages, context.traffic.mean_submit_bytes(), ledger.answers_ok,
            statuses(ledger.answers_error));
        if (ledger.refusals > 0) {
            out += fmt::format("refused by the router  {} without asking a supplier\n",
                               ledger.refusals);
        }
    }
    if (context.suppliers_here) {
        out += "at the suppliers      ";
        for (size_t i = 0; i < ledger.arrivals.size(); ++i) {
            out +=
                fmt::format(" {} {}", supplier_name(static_cast<uint32_t>(i)), ledger.arrivals[i]);
        }
        out += fmt::format(", refusals: {}\n", statuses(ledger.supplier_errors));
    }
    if (ledger.receipts_sent + ledger.receipts_home > 0) {
        out += fmt::format(
            "receipts               {} sent, {} home, {} deliver_sm refused and "
            "repeated\n",
            ledger.receipts_sent, ledger.receipts_home, ledger.receipts_refused);
    }
    if (ledger.mo_sent + ledger.mo_home > 0) {
        out += fmt::format("MO messages            {} sent, {} home\n", ledger.mo_sent,
                           ledger.mo_home);
    }
    if (context.customers_here) {
        out += fmt::format(
            "rate                   {:.0f} messages/s (median of 1 s windows), "
            "{:.0f} overall in {:.2f} s\n",
            outcome.median_rate, outcome.overall_rate, outcome.measured_s);
    }
    out += latency_line("submit_sm to its resp", context.submit_latency);
    if (const uint64_t p99 = context.submit_p99.median(); p99 > 0) {
        out += fmt::format("of each 0.1 s         the median p99 {} us\n", microseconds(p99));
    }
    out += latency_line("receipt due to home", context.receipt_latency);
    out += latency_line("MO due to home", context.mo_latency);
    out += fmt::format(
        "smppload itself        {:.2f} s of CPU ({:.3f} us a message), loop busy "
        "{:.0f} % of the time\n",
        outcome.cpu_s,
        outcome.overall_rate > 0 ? outcome.cpu_s * 1e6 / (outcome.overall_rate * outcome.measured_s)
                                 : 0.0,
        outcome.busy_share * 100);
    if (context.options.router_pid != 0) {
        out += fmt::format(
            "router (pid {})      {:.2f} s of CPU ({:.3f} us a message)\n",
            context.options.router_pid, outcome.router_cpu_s,
            outcome.router_cpu_s * 1e6 / std::max(outcome.overall_rate * outcome.measured_s, 1.0));
    }
    out += warnings(context, outcome);
    out += troubles(ledger);
    out += ledger.troubles() == 0 ? "books balance: nothing lost, twice, altered or misrouted\n"
                                  : "books do NOT balance\n";
    return out;
}

std::string json_report(const Context& context, const Outcome& outcome) {
    std::string out = "{";
    for (const Field& field : fields(context, outcome)) {
        out += fmt::format("{}\n  \"{}\": {}", out.size() == 1 ? "" : ",", field.name, field.value);
    }
    out += ",\n  \"errors\": {";
    bool first = true;
    for (const auto& [status, count] : context.ledger.answers_error) {
        out += fmt::format("{}\"{}\": {}", first ? "" : ", ", status_text(status), count);
        first = false;
    }
    return out + "}\n}\n";
}

Result<void> append_csv(const Context& context, const Outcome& outcome) {
    const std::string& path = context.options.csv;
    std::string header, line;
    for (const Field& field : fields(context, outcome)) {
        header += fmt::format("{}{}", header.empty() ? "" : ",", field.name);
        line += fmt::format("{}{}", line.empty() ? "" : ",", field.value);
    }
    const bool fresh = !std::ifstream(path).good();
    std::ofstream file(path, std::ios::app);
    file << (fresh ? header + "\n" : "") << line << "\n";
    if (!file.flush()) {
        return fail(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
    }
    return {};
}

Result<void> write_file(const std::string& path, const std::string& content) {
    std::ofstream file(path, std::ios::trunc);
    file << content;
    if (!file.flush()) {
        return fail(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
    }
    return {};
}

}  // namespace sy::load
