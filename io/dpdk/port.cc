// The life of a port: find, configure, start, stop. What it tells while it runs: port_watch.cc; how
// its frames are spread: port_spread.cc.
#include "io/dpdk/port.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "io/dpdk/interrupt_thread.h"

namespace sy::dpdk {
namespace {

// Drivers that need to be known by name; everything else is asked of the device.
bool emulates_tso(std::string_view driver) {
    return driver == "net_tap";  // cuts in software, copying: what the stack does better
}
// memif takes one queue a connection as its peer says, and unmaps its memory while it is polled.
bool is_memif(std::string_view driver) {
    return driver == "net_memif";
}

// Virtual devices on a kernel interface, which do not see it go down or away.
bool is_over_kernel(std::string_view driver) {
    return driver == "net_af_packet" || driver == "net_af_xdp" || driver == "net_tap";
}

std::string known_devices() {
    std::string list;
    for (uint64_t next = rte_eth_find_next(0); next < RTE_MAX_ETHPORTS;
         next = rte_eth_find_next(static_cast<uint16_t>(next + 1))) {
        const auto id = static_cast<uint16_t>(next);
        char name[RTE_ETH_NAME_MAX_LEN] = "";
        if (rte_eth_dev_get_name_by_port(id, name) == 0) {
            list += (list.empty() ? "" : ", ") + std::string(name);
        }
    }
    return list.empty() ? "none" : list;
}

int socket_of(uint32_t cpu) {
    return cpu < RTE_MAX_LCORE ? static_cast<int>(rte_lcore_to_socket_id(cpu)) : SOCKET_ID_ANY;
}

}  // namespace

Result<std::unique_ptr<Port>> Port::open(const config::DpdkPort& settings,
                                         const std::vector<uint32_t>& cpus) {
    std::unique_ptr<Port> port(new Port());
    if (auto done = port->set_up(settings, cpus); !done) {
        return std::unexpected(std::move(done).error());
    }
    return port;
}

Port::~Port() {
    // The workers have ended. Rings first, then the device gives its frames back, then the pools.
    for (auto& queue : queues_) {
        queue->drain();
        unguard_driver(queue->guard());
    }
    if (is_started_) {
        finish_interrupt_thread();
        rte_eth_dev_stop(shared_.port_id);
    }
    if (is_watched_) {
        unwatch();
    }
    if (is_configured_) {
        rte_eth_dev_close(shared_.port_id);
    }
}

Result<void> Port::set_up(const config::DpdkPort& settings, const std::vector<uint32_t>& cpus) {
    device_ = settings.device;
    shared_.workers = static_cast<uint32_t>(cpus.size());
    SY_TRY(find(settings.device));
    rte_eth_dev_info info{};
    if (const int error = rte_eth_dev_info_get(shared_.port_id, &info); error != 0) {
        return fail(
            fmt::format("port {} says nothing of itself: {}", device_, rte_strerror(-error)));
    }
    summary_.driver = info.driver_name;
    kernel_if_index_ = is_over_kernel(summary_.driver) ? info.if_index : 0;
    summary_.workers = shared_.workers;
    if (settings.mtu > info.max_mtu || settings.mtu < info.min_mtu) {
        return fail(
            fmt::format("port {} takes an mtu of {} to {}, not {}: change mtu in "
                        "[[dpdk.port]]",
                        device_, info.min_mtu, info.max_mtu, settings.mtu));
    }
    const uint32_t device_queues =
        is_memif(summary_.driver) ? 1 : std::min<uint32_t>(info.max_rx_queues, info.max_tx_queues);
    shared_.queues = std::max<uint32_t>(1, std::min(shared_.workers, device_queues));
    shared_.guarded = is_memif(summary_.driver);
    summary_.queues = shared_.queues;
    choose_offloads(settings, info);
    SY_TRY(configure(settings, info));
    SY_TRY(make_pools(cpus));
    SY_TRY(set_up_queues(cpus));
    SY_TRY(start());
    SY_TRY(spread(info));
    read_names();
    for (uint32_t worker = 0; worker < shared_.workers; ++worker) {
        queues_.push_back(
            std::make_unique<DpdkQueue>(shared_, worker, tx_pools_[worker].get(), info_));
        if (shared_.guarded && !guard_driver(queues_.back()->guard())) {
            return fail(
                fmt::format("port {}: workers cannot be kept out of driver {} when its peer "
                            "goes: use another device",
                            device_, summary_.driver));
        }
    }
    return {};
}

Result<void> Port::find(const std::string& device) {
    if (rte_eth_dev_get_port_by_name(device.c_str(), &shared_.port_id) != 0) {
        return fail(
            fmt::format("port {} is not there (EAL found: {}): check device and eal, and with "
                        "a NIC that it is bound to vfio-pci (dpdk-devbind.py --status)",
                        device, known_devices()));
    }
    return {};
}

void Port::choose_offloads(const config::DpdkPort& settings, const rte_eth_dev_info& info) {
    if (!settings.offloads) {
        return;
    }
    constexpr uint64_t rx_checksums = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
    constexpr uint64_t tx_checksums = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
    rx_offloads_ = info.rx_offload_capa & rx_checksums;
    tx_offloads_ = info.tx_offload_capa & tx_checksums;
    const bool tso = (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_TCP_TSO) != 0 &&
                     tx_offloads_ == tx_checksums && !emulates_tso(summary_.driver);
    if (tso) {
        tx_offloads_ |= RTE_ETH_TX_OFFLOAD_TCP_TSO;
    }
    // Legal while a transmit queue sees frames of one pool only, and none twice: every worker has
    // its own queue.
    if (shared_.queues == shared_.workers) {
        tx_offloads_ |= info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
    }
    info_.tx_ip_checksum = (tx_offloads_ & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0;
    info_.tx_tcp_checksum = (tx_offloads_ & RTE_ETH_TX_OFFLOAD_TCP_CKSUM) != 0;
    info_.tso_bytes_max = tso ? tso_bytes_max : 0;
    summary_.rx_tcp_checksum = (rx_offloads_ & RTE_ETH_RX_OFFLOAD_TCP_CKSUM) != 0;
    summary_.tx_tcp_checksum = info_.tx_tcp_checksum;
    summary_.tso = tso;
}

Result<void> Port::configure(const config::DpdkPort& settings, const rte_eth_dev_info& info) {
    rte_eth_conf wanted{};
    wanted.rxmode.mtu = settings.mtu;
    wanted.rxmode.offloads = rx_offloads_;
    wanted.txmode.offloads = tx_offloads_;
    wanted.intr_conf.lsc = (*info.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0 ? 1 : 0;
    wanted.intr_conf.rmv = (*info.dev_flags & RTE_ETH_DEV_INTR_RMV) != 0 ? 1 : 0;
    if (can_rss(settings, info)) {
        shared_.hardware_rss = true;
        wanted.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        wanted.rx_adv_conf.rss_conf.rss_hf =
            RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;
    }
    const auto queues = static_cast<uint16_t>(shared_.queues);
    if (const int error = rte_eth_dev_configure(shared_.port_id, queues, queues, &wanted);
        error != 0) {
        return fail(fmt::format("port {} cannot be set up with {} queues: {}", device_, queues,
                                rte_strerror(-error)));
    }
    is_configured_ = true;
    const int error = rte_eth_dev_set_mtu(shared_.port_id, static_cast<uint16_t>(settings.mtu));
    if (error != 0 && error != -ENOTSUP) {  // not supported: what configure() took counts
        return fail(fmt::format("port {} does not take an mtu of {}: {}", device_, settings.mtu,
                                rte_strerror(-error)));
    }
    auto rx = static_cast<uint16_t>(settings.rx_descriptors);
    auto tx = static_cast<uint16_t>(settings.tx_descriptors);
    if (const int adjusted = rte_eth_dev_adjust_nb_rx_tx_desc(shared_.port_id, &rx, &tx);
        adjusted != 0) {
        return fail(fmt::format("port {} takes no {} and {} descriptors: {}", device_,
                                settings.rx_descriptors, settings.tx_descriptors,
                                rte_strerror(-adjusted)));
    }
    needs_ = {.workers = shared_.workers,
              .rx_descriptors = rx,
              .tx_descriptors = tx,
              .mtu = settings.mtu,
              .tso = info_.tso_bytes_max != 0,
              .driver_frames = driver_frames(summary_.driver)};
    info_.mtu = settings.mtu;
    return {};
}

Result<FramePool> Port::make_pool(const char* kind, uint32_t worker, uint32_t cpu) {
    const PoolSizes sizes = pool_sizes(needs_);
    const bool rx = *kind == 'r';
    FramePoolOptions options{.name = fmt::format("sy{}_{}_{}", kind, shared_.port_id, worker),
                             .frames = rx ? sizes.rx_frames : sizes.tx_frames,
                             .room_bytes = rx ? sizes.rx_room_bytes : sizes.tx_room_bytes,
                             .socket = socket_of(cpu),
                             .packed = rx && shares_pool_with_kernel(summary_.driver)};
    FramePool pool = make_frame_pool(options);
    if (!pool) {  // better a pool on another node than none
        options.socket = SOCKET_ID_ANY;
        pool = make_frame_pool(options);
    }
    if (!pool) {
        return fail(fmt::format(
            "port {}: no memory{} for {} frames of {} octets of worker {} ({} MiB "
            "for all workers): more huge pages (sysctl vm.nr_hugepages), or "
            "more with -m where eal holds --no-huge: {}",
            device_, options.packed ? " in one piece" : "", options.frames, options.room_bytes,
            worker, pool_bytes(needs_) >> 20, rte_strerror(rte_errno)));
    }
    return pool;
}

Result<void> Port::make_pools(const std::vector<uint32_t>& cpus) {
    for (uint32_t worker = 0; worker < shared_.workers; ++worker) {
        if (worker < shared_.queues) {
            auto pool = make_pool("rx", worker, cpus[worker]);
            if (!pool) {
                return std::unexpected(std::move(pool).error());
            }
            rx_pools_.push_back(*std::move(pool));
        }
        auto pool = make_pool("tx", worker, cpus[worker]);
        if (!pool) {
            return std::unexpected(std::move(pool).error());
        }
        tx_pools_.push_back(*std::move(pool));
    }
    summary_.pool_bytes = pool_bytes(needs_);
    return {};
}

Result<void> Port::set_up_queues(const std::vector<uint32_t>& cpus) {
    for (uint32_t queue = 0; queue < shared_.queues; ++queue) {
        const auto socket = static_cast<unsigned>(socket_of(cpus[queue]));
        const auto id = static_cast<uint16_t>(queue);
        int error = rte_eth_rx_queue_setup(shared_.port_id, id,
                                           static_cast<uint16_t>(needs_.rx_descriptors), socket,
                                           nullptr, rx_pools_[queue].get());
        if (error == 0) {
            error = rte_eth_tx_queue_setup(
                shared_.port_id, id, static_cast<uint16_t>(needs_.tx_descriptors), socket, nullptr);
        }
        if (error != 0) {
            return fail(fmt::format("port {}: queue {} cannot be set up: {}", device_, queue,
                                    rte_strerror(-error)));
        }
    }
    return {};
}

Result<void> Port::start() {
    watch();
    if (const int error = rte_eth_dev_start(shared_.port_id); error != 0) {
        return fail(fmt::format("port {} does not start: {}", device_, rte_strerror(-error)));
    }
    is_started_ = true;
    rte_ether_addr mac{};
    if (const int error = rte_eth_macaddr_get(shared_.port_id, &mac); error != 0) {
        return fail(fmt::format("port {} has no MAC address: {}", device_, rte_strerror(-error)));
    }
    std::memcpy(info_.mac.data(), mac.addr_bytes, info_.mac.size());
    // IPv6 neighbour discovery comes by multicast. Devices that filter nothing have no such switch.
    rte_eth_allmulticast_enable(shared_.port_id);
    poll();
    info_.link_up = link_up();
    return {};
}

}  // namespace sy::dpdk
