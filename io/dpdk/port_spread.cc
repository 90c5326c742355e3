// Who spreads a port's frames over the workers: the device, where its key and table can be read
// back, else the workers (steering.h).
#include <algorithm>

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "io/dpdk/port.h"

namespace sy::dpdk {
namespace {

constexpr uint64_t tcp_hashes = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;
constexpr size_t key_bytes_max = 256;  // 40 and 52 are usual

// A driver that says nothing means ethdev's own size.
uint8_t key_bytes_of(const rte_eth_dev_info& info) {
    return info.hash_key_size == 0 ? uint8_t{rss_key_bytes_min} : info.hash_key_size;
}

std::vector<rte_eth_rss_reta_entry64> table_groups(uint16_t entries) {
    std::vector<rte_eth_rss_reta_entry64> groups((entries + RTE_ETH_RETA_GROUP_SIZE - 1u) /
                                                 RTE_ETH_RETA_GROUP_SIZE);
    for (uint16_t i = 0; i < entries; ++i) {
        groups[i / RTE_ETH_RETA_GROUP_SIZE].mask |= uint64_t{1} << (i % RTE_ETH_RETA_GROUP_SIZE);
    }
    return groups;
}

}  // namespace

bool Port::can_rss(const config::DpdkPort& settings, const rte_eth_dev_info& info) {
    if (shared_.workers == 1) {
        return false;
    }
    if (settings.rss == config::RssMode::software) {
        summary_.why_not_rss = "rss = \"software\"";
    } else if (shared_.queues < shared_.workers) {
        summary_.why_not_rss = fmt::format("the device has {} queues", shared_.queues);
    } else if ((info.flow_type_rss_offloads & tcp_hashes) != tcp_hashes) {
        summary_.why_not_rss = "the device does not hash TCP ports of IPv4 and IPv6";
    } else if (info.reta_size == 0 || key_bytes_of(info) < rss_key_bytes_min) {
        summary_.why_not_rss = "the device shows no key and table";
    }
    return summary_.why_not_rss.empty();
}

Result<void> Port::spread(const rte_eth_dev_info& info) {
    if (shared_.workers == 1) {
        return {};
    }
    shared_.received = std::make_unique<Handover>(shared_.workers);
    if (shared_.queues < shared_.workers) {
        shared_.to_send = std::make_unique<Handover>(shared_.workers);
    }
    if (shared_.hardware_rss) {
        auto key = read_key(info);
        auto table = read_table(info);
        if (key && table) {
            shared_.map = std::make_unique<QueueMap>(*key, *std::move(table));
            summary_.hardware_rss = true;
            return {};
        }
        summary_.why_not_rss = key ? table.error().text : key.error().text;
        shared_.hardware_rss = false;
    }
    shared_.map = std::make_unique<QueueMap>(QueueMap::make_own(shared_.workers));
    return {};
}

// The device's own key as it reads it back; ours where it has none and takes one.
Result<std::vector<uint8_t>> Port::read_key(const rte_eth_dev_info& info) const {
    const uint8_t key_bytes = key_bytes_of(info);
    std::vector<uint8_t> key(key_bytes_max, 0);
    rte_eth_rss_conf have{};
    have.rss_key = key.data();
    have.rss_key_len = key_bytes;
    const bool read = rte_eth_dev_rss_hash_conf_get(shared_.port_id, &have) == 0;
    key.resize(key_bytes);
    if (read && (have.rss_hf & tcp_hashes) != tcp_hashes) {
        return fail("the device hashes less than was asked for");
    }
    if (read && std::ranges::any_of(key, [](uint8_t octet) { return octet != 0; })) {
        return key;
    }
    const RssKey own = own_rss_key();
    for (size_t i = 0; i < key.size(); ++i) {
        key[i] = own[i % 2];
    }
    rte_eth_rss_conf wanted{};
    wanted.rss_key = key.data();
    wanted.rss_key_len = key_bytes;
    wanted.rss_hf = tcp_hashes;
    if (rte_eth_dev_rss_hash_update(shared_.port_id, &wanted) != 0) {
        return fail("the device neither shows its key nor takes one");
    }
    return key;
}

Result<std::vector<uint16_t>> Port::read_table(const rte_eth_dev_info& info) const {
    // Even shares; a device that does not take them keeps its own, which is read back as well.
    std::vector<rte_eth_rss_reta_entry64> groups = table_groups(info.reta_size);
    for (uint16_t i = 0; i < info.reta_size; ++i) {
        groups[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] =
            static_cast<uint16_t>(i % shared_.queues);
    }
    rte_eth_dev_rss_reta_update(shared_.port_id, groups.data(), info.reta_size);
    groups = table_groups(info.reta_size);
    if (rte_eth_dev_rss_reta_query(shared_.port_id, groups.data(), info.reta_size) != 0) {
        return fail("the device does not show its table");
    }
    std::vector<uint16_t> table(info.reta_size);
    for (uint16_t i = 0; i < info.reta_size; ++i) {
        table[i] = groups[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
        if (table[i] >= shared_.queues) {
            return fail("the device's table names queues that are not there");
        }
    }
    return table;
}

}  // namespace sy::dpdk
