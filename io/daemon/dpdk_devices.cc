#include "io/daemon/dpdk_devices.h"

#include <utility>

#include <fmt/format.h>

namespace sy::daemon {
namespace {

dpdk::EalOptions eal_options(const config::Config& config) {
    dpdk::EalOptions options;
    options.arguments = config.dpdk.eal;
    for (const config::DpdkPort& port : config.dpdk.ports) {
        options.devices.push_back(port.device);
        // Whether a device segments is known when EAL is up: counted as if.
        options.memory_bytes +=
            dpdk::pool_bytes({.workers = static_cast<uint32_t>(config.runtime.workers.size()),
                              .rx_descriptors = port.rx_descriptors,
                              .tx_descriptors = port.tx_descriptors,
                              .mtu = port.mtu,
                              .tso = port.offloads,
                              .driver_frames = dpdk::driver_frames(port.device)});
    }
    return options;
}

std::string describe(const dpdk::Port& port) {
    const dpdk::PortSummary& about = port.summary();
    return fmt::format(
        "port {}: driver {}, {} queues for {} workers, {}, TCP checksums {} in and {} out, "
        "{}, {} MiB of frames, link {}",
        port.device(), about.driver, about.queues, about.workers,
        about.hardware_rss   ? "spread by the device"
        : about.workers == 1 ? "one worker"
                             : "spread by the workers (" + about.why_not_rss + ")",
        about.rx_tcp_checksum ? "by the device" : "by us",
        about.tx_tcp_checksum ? "by the device" : "by us",
        about.tso ? "segmentation by the device" : "no segmentation", about.pool_bytes >> 20,
        port.link_up() ? "up" : "down");
}

}  // namespace

Result<std::unique_ptr<DpdkDevices>> DpdkDevices::start(const config::Config& config) {
    std::unique_ptr<DpdkDevices> devices(new DpdkDevices());
    auto eal = dpdk::Eal::start(eal_options(config));
    if (!eal) {
        return std::unexpected(std::move(eal).error());
    }
    devices->eal_ = *std::move(eal);
    for (const config::DpdkPort& settings : config.dpdk.ports) {
        auto port = dpdk::Port::open(settings, config.runtime.workers);
        if (!port) {
            return std::unexpected(std::move(port).error());
        }
        devices->ports_.push_back(*std::move(port));
    }
    return devices;
}

std::vector<std::string> DpdkDevices::summary() const {
    std::vector<std::string> lines;
    for (const auto& port : ports_) {
        lines.push_back(describe(*port));
    }
    return lines;
}

std::vector<std::string> DpdkDevices::poll() {
    std::vector<std::string> lines;
    for (const auto& port : ports_) {
        if (port->poll()) {
            lines.push_back(fmt::format("port {}: {}", port->device(),
                                        port->removed()   ? "the device is gone"
                                        : port->link_up() ? "link up"
                                                          : "link down"));
        }
    }
    return lines;
}

void DpdkDevices::add_samples(std::vector<admin::WorkerSample>& out) const {
    for (const auto& port : ports_) {
        for (const dpdk::QueueSample& one : port->samples()) {
            out.push_back({one.name, one.help, one.worker, one.value});
        }
    }
}

}  // namespace sy::daemon
