// A network device: found, configured, started, watched and stopped. Gives each worker its queue.
//
// open(), the destructor, poll() and statistics(): the control thread. Workers may run from open()
// on and must have ended before the destructor: it stops and closes the device and frees the pools.
// The device's own threads and EAL's interrupt thread report link and removal.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "io/dpdk/counters.h"
#include "io/dpdk/frame_pool.h"
#include "io/dpdk/queue.h"
#include "io/dpdk/sizing.h"

struct rte_eth_dev_info;

namespace sy::dpdk {

struct PortStatistic {
    std::string_view name;  // lives as long as the port
    uint64_t value = 0;
};

/// What open() found out and decided, for the log.
struct PortSummary {
    std::string driver;
    uint32_t queues = 0;
    uint32_t workers = 0;
    bool hardware_rss = false;
    std::string why_not_rss;       // empty with hardware_rss or one worker
    bool rx_tcp_checksum = false;  // over the payload: what costs; virtio leaves IP's to us
    bool tx_tcp_checksum = false;
    bool tso = false;
    uint64_t pool_bytes = 0;
};

class Port {
  public:
    /// `cpus`: of the workers in their order. REQUIRES: EAL is up.
    [[nodiscard]] static Result<std::unique_ptr<Port>> open(const config::DpdkPort& settings,
                                                            const std::vector<uint32_t>& cpus);
    ~Port();
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    [[nodiscard]] DpdkQueue& queue(uint32_t worker) { return *queues_[worker]; }
    [[nodiscard]] const PortSummary& summary() const { return summary_; }
    [[nodiscard]] const std::string& device() const { return device_; }

    /// Asks the device for its link, a few times a second. True if the state changed.
    bool poll();
    [[nodiscard]] bool link_up() const;
    [[nodiscard]] bool removed() const;
    /// What a device reports when it is pulled out: nothing is polled or sent from here on. Any
    /// thread.
    void note_removed();
    void note_link(bool up);

    /// The device's own counters, with those only its driver knows (xstats). Allocates.
    [[nodiscard]] std::vector<PortStatistic> statistics() const;
    /// Of every queue; any thread.
    [[nodiscard]] std::vector<QueueSample> samples() const;

  private:
    Port() = default;
    Result<void> set_up(const config::DpdkPort& settings, const std::vector<uint32_t>& cpus);
    Result<void> find(const std::string& device);
    Result<void> configure(const config::DpdkPort& settings, const rte_eth_dev_info& info);
    void choose_offloads(const config::DpdkPort& settings, const rte_eth_dev_info& info);
    [[nodiscard]] bool can_rss(const config::DpdkPort& settings, const rte_eth_dev_info& info);
    Result<void> make_pools(const std::vector<uint32_t>& cpus);
    Result<FramePool> make_pool(const char* kind, uint32_t worker, uint32_t cpu);
    Result<void> set_up_queues(const std::vector<uint32_t>& cpus);
    void watch();
    void unwatch();
    Result<void> start();
    Result<void> spread(const rte_eth_dev_info& info);
    Result<std::vector<uint8_t>> read_key(const rte_eth_dev_info& info) const;
    Result<std::vector<uint16_t>> read_table(const rte_eth_dev_info& info) const;
    void read_names();

    std::string device_;
    PortSummary summary_;
    PoolNeeds needs_;
    uint64_t rx_offloads_ = 0;
    uint64_t tx_offloads_ = 0;
    tcpip::PortInfo info_;
    bool is_configured_ = false;
    bool is_started_ = false;
    bool is_watched_ = false;
    uint32_t kernel_if_index_ = 0;    // not 0: a kernel interface carries the port and is asked too
    std::vector<std::string> names_;  // of xstats
    // In this order: queues hold frames of the pools, and the shared part their rings.
    std::vector<FramePool> rx_pools_;  // of workers with a queue
    std::vector<FramePool> tx_pools_;
    PortShared shared_;
    std::vector<std::unique_ptr<DpdkQueue>> queues_;
};

}  // namespace sy::dpdk
