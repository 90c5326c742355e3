// What a running port tells: link, removal, statistics.
#include <array>
#include <cerrno>
#include <cstring>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "io/dpdk/port.h"

namespace sy::dpdk {
namespace {

// On EAL's interrupt thread, or the driver's.
int on_event(uint16_t port_id, rte_eth_event_type event, void* port, void* /*unused*/) {
    auto* self = static_cast<Port*>(port);
    if (event == RTE_ETH_EVENT_INTR_RMV) {
        self->note_removed();
    } else if (event == RTE_ETH_EVENT_INTR_LSC) {
        rte_eth_link link{};
        if (rte_eth_link_get_nowait(port_id, &link) == 0) {
            self->note_link(link.link_status == RTE_ETH_LINK_UP);
        }
    }
    return 0;
}

enum class KernelLink : uint8_t { up, down, gone };

/// Of the kernel's interface under af_packet, af_xdp and tap, whose drivers say "up" for ever.
KernelLink kernel_link(unsigned if_index) {
    ifreq request{};
    if (if_indextoname(if_index, request.ifr_name) == nullptr) {
        return errno == ENXIO ? KernelLink::gone : KernelLink::up;
    }
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return KernelLink::up;  // no file to be had: nothing is known
    }
    const bool known = ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    close(fd);
    const bool is_running =
        (request.ifr_flags & IFF_UP) != 0 && (request.ifr_flags & IFF_RUNNING) != 0;
    return !known || is_running ? KernelLink::up : KernelLink::down;
}

constexpr std::array<rte_eth_event_type, 2> events{RTE_ETH_EVENT_INTR_RMV, RTE_ETH_EVENT_INTR_LSC};

}  // namespace

void Port::watch() {
    for (const rte_eth_event_type event : events) {
        rte_eth_dev_callback_register(shared_.port_id, event, on_event, this);
    }
    is_watched_ = true;
}

void Port::unwatch() {
    for (const rte_eth_event_type event : events) {
        rte_eth_dev_callback_unregister(shared_.port_id, event, on_event, this);
    }
}

void Port::note_removed() {
    shared_.removed.store(true, std::memory_order_relaxed);
    shared_.link_up.store(false, std::memory_order_relaxed);
}

void Port::note_link(bool up) {
    shared_.link_up.store(up && !removed(), std::memory_order_relaxed);
}

bool Port::link_up() const {
    return shared_.link_up.load(std::memory_order_relaxed);
}
bool Port::removed() const {
    return shared_.removed.load(std::memory_order_relaxed);
}

bool Port::poll() {
    const bool before = link_up();
    rte_eth_link link{};
    bool is_up = !removed() && rte_eth_link_get_nowait(shared_.port_id, &link) == 0 &&
                 link.link_status == RTE_ETH_LINK_UP;
    if (is_up && kernel_if_index_ != 0) {
        const KernelLink kernel = kernel_link(kernel_if_index_);
        is_up = kernel == KernelLink::up;
        if (kernel == KernelLink::gone) {
            note_removed();
        }
    }
    note_link(is_up);
    return link_up() != before;
}

void Port::read_names() {
    const int count = rte_eth_xstats_get_names(shared_.port_id, nullptr, 0);
    if (count <= 0) {
        return;
    }
    std::vector<rte_eth_xstat_name> names(static_cast<size_t>(count));
    if (rte_eth_xstats_get_names(shared_.port_id, names.data(), static_cast<unsigned>(count)) !=
        count) {
        return;
    }
    for (const rte_eth_xstat_name& name : names) {
        names_.emplace_back(name.name);
    }
}

std::vector<PortStatistic> Port::statistics() const {
    std::vector<PortStatistic> out;
    if (removed()) {
        return out;
    }
    rte_eth_stats basic{};
    if (rte_eth_stats_get(shared_.port_id, &basic) == 0) {
        out = {{"ipackets", basic.ipackets}, {"opackets", basic.opackets},
               {"ibytes", basic.ibytes},     {"obytes", basic.obytes},
               {"imissed", basic.imissed},   {"ierrors", basic.ierrors},
               {"oerrors", basic.oerrors},   {"rx_nombuf", basic.rx_nombuf}};
    }
    std::vector<rte_eth_xstat> more(names_.size());
    const int count =
        rte_eth_xstats_get(shared_.port_id, more.data(), static_cast<unsigned>(more.size()));
    for (int i = 0; i < count && i < static_cast<int>(more.size()); ++i) {
        const rte_eth_xstat& one = more[static_cast<size_t>(i)];
        if (one.id < names_.size()) {
            out.push_back({names_[one.id], one.value});
        }
    }
    return out;
}

std::vector<QueueSample> Port::samples() const {
    std::vector<QueueSample> out;
    for (const auto& queue : queues_) {
        const QueueCounters& from = queue->counters();
        const auto add = [&](std::string_view name, std::string_view help, const Counter& value) {
            out.push_back({name, help, queue->worker(), value.get()});
        };
        add("dpdk_rx_frames", "received frames given to the stack", from.rx_frames);
        add("dpdk_rx_handed_over", "received frames given to other workers", from.rx_handed_over);
        add("dpdk_rx_handover_full", "received frames dropped: the other worker's ring was full",
            from.rx_handover_full);
        add("dpdk_rx_shared", "received frames that every worker needs", from.rx_shared);
        add("dpdk_rx_linearised", "received frames copied into one buffer", from.rx_linearised);
        add("dpdk_rx_too_long", "received frames dropped: no buffer holds them", from.rx_too_long);
        add("dpdk_rx_rss_wrong", "flows seen on another queue than the device's table says",
            from.rx_rss_wrong);
        add("dpdk_tx_frames", "frames that the device took", from.tx_frames);
        add("dpdk_tx_handed_over", "frames sent through another worker's queue",
            from.tx_handed_over);
        add("dpdk_tx_full", "frames not taken at once", from.tx_full);
        add("dpdk_tx_link_down", "frames discarded: no link", from.tx_link_down);
        add("dpdk_tx_refused", "frames discarded: refused by the driver", from.tx_refused);
        add("dpdk_tx_no_memory", "allocations that fell short", from.tx_no_memory);
    }
    return out;
}

}  // namespace sy::dpdk
