#include "io/admin/metrics.h"

#include <array>
#include <map>
#include <span>

#include <fmt/format.h>

#include "core/base/assert.h"

namespace sy::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr double seconds_per_nano = 1e-9;

// Help texts that end so are of values that go up and down.
bool is_gauge(std::string_view help) {
    return help.ends_with(" now");
}

MetricFamily family(std::string name, std::string_view help, bool gauge) {
    MetricFamily result;
    result.name = "switchyard_" + std::move(name) + (gauge ? "" : "_total");
    result.help = std::string(help);
    result.type = gauge ? MetricType::Gauge : MetricType::Counter;
    return result;
}

void add(MetricFamily& to, std::vector<ClientMetric::Label> labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (to.type == MetricType::Gauge ? metric.gauge.value : metric.counter.value) = value;
    to.metric.push_back(std::move(metric));
}

MetricFamily single_gauge(std::string name, std::string_view help, double value) {
    MetricFamily result = family(std::move(name), help, true);
    add(result, {}, value);
    return result;
}

std::vector<ClientMetric::Label> worker_label(uint32_t worker) {
    return {{"worker", fmt::format("{}", worker)}};
}

void add_workers(engine::Hub& hub, std::vector<MetricFamily>& out) {
    for (const auto& field : engine::WorkerCounters::fields()) {
        const bool gauge = is_gauge(field.help);
        MetricFamily one = family(std::string(field.name), field.help, gauge);
        for (uint32_t w = 0; w < hub.workers(); ++w) {
            const engine::WorkerCounters& counters =
                hub.counters(WorkerId{static_cast<uint8_t>(w)});
            add(one, worker_label(w), static_cast<double>((counters.*field.member).get()));
        }
        out.push_back(std::move(one));
    }
}

template <class Counters, class Id>
uint64_t sum_over_workers(engine::Hub& hub, Id id, engine::Counter Counters::* member) {
    uint64_t sum = 0;
    for (uint32_t w = 0; w < hub.workers(); ++w) {
        sum += (hub.counters(WorkerId{static_cast<uint8_t>(w)}, id).*member).get();
    }
    return sum;
}

// Accounts are summed over the workers: there may be thousands of them.
template <class Counters, class Id>
void add_accounts(engine::Hub& hub,
                  std::string_view what,
                  std::span<const std::pair<Id, std::string>> accounts,
                  std::vector<MetricFamily>& out) {
    for (const auto& field : Counters::fields()) {
        MetricFamily one =
            family(fmt::format("{}_{}", what, field.name), field.help, is_gauge(field.help));
        for (const auto& [id, name] : accounts) {
            add(one, {{std::string(what), name}},
                static_cast<double>(sum_over_workers<Counters>(hub, id, field.member)));
        }
        out.push_back(std::move(one));
    }
}

void add_supplier_state(engine::Hub& hub, const View& view, std::vector<MetricFamily>& out) {
    MetricFamily up = family("supplier_up", "1 while a link that takes submit_sm is bound", true);
    MetricFamily queue =
        family("supplier_queue_messages", "messages that wait for the supplier now", true);
    MetricFamily open = family("supplier_breaker_open",
                               "1 while it gets nothing, or a probe, since it failed", true);
    for (const auto& [id, name] : view.suppliers) {
        const engine::SupplierShared& shared = hub.supplier(id);
        add(open, {{"supplier", name}}, shared.gate.is_shut() ? 1 : 0);
        // Relaxed: a statistic.
        add(up, {{"supplier", name}},
            shared.tx_workers.load(std::memory_order_relaxed) != 0 ? 1 : 0);
        // Acquire pairs with the release in Hub::publish(): the ring is complete.
        const queue::SharedRing* const ring = shared.ring.load(std::memory_order_acquire);
        const uint32_t staged = shared.staged.load(std::memory_order_relaxed);
        add(queue, {{"supplier", name}},
            ring != nullptr ? static_cast<double>(ring->count()) + staged : 0);
    }
    out.push_back(std::move(up));
    out.push_back(std::move(queue));
    out.push_back(std::move(open));
}

// By supplier and network; network "all" is over all of them.
void add_quality(engine::Hub& hub, const View& view, std::vector<MetricFamily>& out) {
    constexpr double per_million = 1e-6;
    constexpr double seconds_per_milli = 1e-3;
    MetricFamily answers =
        family("quality_answers", "submit_sm answered in the window now, older ones in part", true);
    MetricFamily accepted =
        family("quality_accepted_ratio", "share of them that was accepted now", true);
    MetricFamily receipts =
        family("quality_receipts", "final receipts in the window now, older ones in part", true);
    MetricFamily delivered =
        family("quality_delivered_ratio", "share of them that says delivered now", true);
    MetricFamily delay = family("quality_delivery_seconds",
                                "mean time from submit_sm_resp to such a receipt now", true);
    MetricFamily score = family("quality_percent", "what select = quality goes by now", true);
    std::map<SupplierId, std::string_view> names;
    for (const auto& [id, name] : view.suppliers) {
        names.emplace(id, name);
    }
    for (const route::QualityReading& one : hub.quality().readings()) {
        const auto name = names.find(one.supplier);
        if (name == names.end()) {
            continue;  // removed by a reload
        }
        const bool known = one.network.value < view.networks.size();
        const std::vector<ClientMetric::Label> labels = {
            {"supplier", std::string(name->second)},
            {"network", known ? view.networks[one.network.value] : "all"}};
        add(answers, labels, static_cast<double>(one.answers));
        add(receipts, labels, static_cast<double>(one.receipts));
        if (one.answers > 0) {
            add(accepted, labels, static_cast<double>(one.accepted_ppm) * per_million);
        }
        if (one.receipts > 0) {
            add(delivered, labels, static_cast<double>(one.delivered_ppm) * per_million);
            add(delay, labels, static_cast<double>(one.delay_ms) * seconds_per_milli);
        }
        if (one.measured) {
            add(score, labels, one.score.percent());
        }
    }
    for (MetricFamily* each : {&answers, &accepted, &receipts, &delivered, &delay, &score}) {
        if (!each->metric.empty()) {
            out.push_back(std::move(*each));
        }
    }
}

void add_control(const View& view, std::vector<MetricFamily>& out) {
    MetricFamily build = family("build_info", "what runs, as labels", true);
    add(build, {{"version", view.version}, {"compiler", __VERSION__}}, 1);
    out.push_back(std::move(build));
    out.push_back(single_gauge("start_time_seconds", "when the router started, UTC since 1970",
                               static_cast<double>(view.start_wall_ns) * seconds_per_nano));
    out.push_back(single_gauge("snapshot_generation", "number of the published configuration",
                               static_cast<double>(view.generation)));
    MetricFamily rules = family("rules", "rules in the published configuration", true);
    add(rules, {{"table", "mt"}}, static_cast<double>(view.mt_rules));
    add(rules, {{"table", "mo"}}, static_cast<double>(view.mo_rules));
    out.push_back(std::move(rules));
    MetricFamily reloads = family("reloads", "reloads of the configuration", false);
    add(reloads, {{"result", "ok"}}, static_cast<double>(view.reloads_ok));
    add(reloads, {{"result", "failed"}}, static_cast<double>(view.reloads_failed));
    out.push_back(std::move(reloads));
    out.push_back(single_gauge("last_load_ok", "1 when the last load or reload was published",
                               view.last_load_ok ? 1 : 0));
    out.push_back(single_gauge("last_load_time_seconds", "when it was, UTC since 1970",
                               static_cast<double>(view.last_load_wall_ns) * seconds_per_nano));
    out.push_back(single_gauge("last_load_duration_seconds", "how long it took",
                               static_cast<double>(view.last_load_took_ns) * seconds_per_nano));
    out.push_back(single_gauge("draining", "1 while the router shuts down", view.draining ? 1 : 0));
    MetricFamily bugs = family("bugs", "impossible states met and survived: report them", false);
    // Relaxed: a statistic.
    add(bugs, {}, static_cast<double>(bug_count().load(std::memory_order_relaxed)));
    out.push_back(std::move(bugs));
}

// Samples of one name become one family, as the text format asks.
void add_more(const std::vector<WorkerSample>& samples, std::vector<MetricFamily>& out) {
    std::map<std::string_view, MetricFamily> by_name;
    for (const WorkerSample& sample : samples) {
        auto [at, is_new] = by_name.try_emplace(sample.name);
        if (is_new) {
            at->second = family(std::string(sample.name), sample.help, is_gauge(sample.help));
        }
        add(at->second, worker_label(sample.worker), static_cast<double>(sample.value));
    }
    for (auto& [name, one] : by_name) {
        out.push_back(std::move(one));
    }
}

void add_totals(const std::vector<TotalSample>& samples, std::vector<MetricFamily>& out) {
    std::map<std::string_view, MetricFamily> by_name;
    for (const TotalSample& sample : samples) {
        auto [at, is_new] = by_name.try_emplace(sample.name);
        if (is_new) {
            at->second = family(std::string(sample.name), sample.help, is_gauge(sample.help));
        }
        std::vector<ClientMetric::Label> labels;
        if (!sample.label_value.empty()) {
            labels.push_back({std::string(sample.label), std::string(sample.label_value)});
        }
        add(at->second, std::move(labels), static_cast<double>(sample.value));
    }
    for (auto& [name, one] : by_name) {
        out.push_back(std::move(one));
    }
}

}  // namespace

std::vector<MetricFamily> Metrics::Collect() const {
    const std::shared_ptr<const View> view = board_.view();
    std::vector<MetricFamily> out;
    add_control(*view, out);
    add_workers(hub_, out);
    if (more_) {
        add_more(more_(), out);
    }
    if (totals_) {
        add_totals(totals_(), out);
    }
    add_accounts<engine::SupplierCounters, SupplierId>(hub_, "supplier", view->suppliers, out);
    add_supplier_state(hub_, *view, out);
    add_quality(hub_, *view, out);
    add_accounts<engine::CustomerCounters, CustomerId>(hub_, "customer", view->customers, out);
    return out;
}

namespace {

// What messages that ask for receipts are refused with, in words.
std::string_view store_word(engine::Hub& hub) {
    if (hub.store() == nullptr) {
        return "off";
    }
    switch (hub.store()->refusal()) {
        case smpp::CommandStatus::esme_rok:
            return "ok";
        case smpp::CommandStatus::esme_rmsgqful:
            return "full";
        default:
            return "failing";
    }
}

std::string_view record_word(RecordState records) {
    constexpr std::array<std::string_view, 3> words{"off", "ok", "failing"};
    return words[static_cast<size_t>(records)];
}

}  // namespace

Health health(engine::Hub& hub, const View& view, RecordState records) {
    size_t bound = 0;
    for (const auto& [id, name] : view.suppliers) {
        const uint64_t links =
            sum_over_workers<engine::SupplierCounters>(hub, id, &engine::SupplierCounters::binds);
        bound += links > 0 ? 1 : 0;
    }
    Health result;
    result.healthy = !view.draining && (bound > 0 || view.suppliers.empty());
    const std::string_view store = store_word(hub);
    const bool degraded = store == "full" || store == "failing" || records == RecordState::failing;
    const char* const status = view.draining     ? "draining"
                               : !result.healthy ? "no supplier is bound"
                               : degraded        ? "degraded"
                                                 : "ok";
    result.body_json = fmt::format(
        "{{\"status\":\"{}\",\"version\":\"{}\",\"generation\":{},\"suppliers\":{},"
        "\"suppliers_bound\":{},\"last_load_ok\":{},\"store\":\"{}\",\"records\":\"{}\"}}\n",
        status, view.version, view.generation, view.suppliers.size(), bound, view.last_load_ok,
        store, record_word(records));
    return result;
}

}  // namespace sy::admin
