#include "core/config/dpdk_section.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/config/accounts.h"
#include "core/config/section.h"

namespace sy::config {
namespace {

using Address = DpdkPort::Address;

constexpr size_t eal_arguments_max = 64;
constexpr size_t eal_argument_bytes_max = 1024;
constexpr size_t device_bytes_max = 63;  // RTE_ETH_NAME_MAX_LEN with the NUL
constexpr size_t addresses_max = 16;     // of one port
constexpr size_t ports_max = 1;
constexpr uint32_t mtu_min = 576;        // RFC 791: every IPv4 host takes as much
constexpr uint32_t mtu_min_ipv6 = 1280;  // RFC 8200 section 5
constexpr uint32_t mtu_max = 9600;       // what NICs call jumbo
constexpr uint16_t vlan_max = 4094;      // IEEE 802.1Q: 0 and 4095 are reserved

constexpr std::array<Choice<RssMode>, 2> rss_choices{{
    {"auto", RssMode::automatic},
    {"software", RssMode::software},
}};

// What EAL would do with CPUs and processes is settled elsewhere.
struct EalRefusal {
    std::string_view option;
    std::string_view instead;
};
constexpr std::array<EalRefusal, 12> eal_refusals{{
    {"-c", "[runtime] workers"},
    {"-l", "[runtime] workers"},
    {"-s", "[runtime] workers"},
    {"-S", "[runtime] workers"},
    {"--lcores", "[runtime] workers"},
    {"--main-lcore", "[runtime] workers"},
    {"--proc-type", "one process"},
    {"-h", "no help here"},
    {"--help", "no help here"},
    {"-v", "no version here"},
    {"--version", "no version here"},
    {"--", "EAL's own options alone"},
}};

bool names_option(std::string_view argument, std::string_view option) {
    if (!argument.starts_with(option)) {
        return false;
    }
    if (option == "--") {
        return argument.size() == option.size();
    }
    // "-l1" and "--lcores=1" are the option with its value.
    return !option.starts_with("--") || argument.size() == option.size() ||
           argument[option.size()] == '=';
}

// "0000:3b:00.0" of that or of the short form "3b:00.0"; empty for any other name.
std::string pci_address(std::string_view name) {
    constexpr std::string_view shape = "hhhh:hh:hh.d";
    const std::string full =
        name.size() == shape.size() - 5 ? "0000:" + std::string(name) : std::string(name);
    if (full.size() != shape.size()) {
        return "";
    }
    for (size_t i = 0; i < shape.size(); ++i) {
        const char c = full[i];
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        const bool good = shape[i] == 'h'   ? hex
                          : shape[i] == 'd' ? c >= '0' && c <= '7'
                                            : c == shape[i];
        if (!good) {
            return "";
        }
    }
    return full;
}

bool is_ipv4(const Address& address) {
    return sy::is_ipv4(Endpoint{address, 0});
}

std::string text_of(const Address& address) {
    const std::string text = to_string(Endpoint{address, 0});
    return is_ipv4(address) ? text.substr(0, text.rfind(':')) : text.substr(1, text.rfind(']') - 1);
}

// Host bits all 0 or all 1 in an IPv4 network that has more than two addresses.
bool is_network_or_broadcast(const Cidr& cidr) {
    if (!is_ipv4(cidr.address) || cidr.prefix_bits > 126) {
        return false;
    }
    bool all_zero = true;
    bool all_one = true;
    for (unsigned bit = cidr.prefix_bits; bit < 128; ++bit) {
        const bool one = (cidr.address[bit / 8] >> (7 - bit % 8) & 1) != 0;
        all_zero = all_zero && !one;
        all_one = all_one && one;
    }
    return all_zero || all_one;
}

bool is_host_address(const Address& address) {
    const auto in = [&](const char* block) {
        return parse_cidr(block)->contains(Endpoint{address, 0});
    };
    if (is_ipv4(address)) {
        return !in("0.0.0.0/8") && !in("127.0.0.0/8") && !in("224.0.0.0/3");
    }
    return !in("::/127") && !in("ff00::/8");
}

class DpdkReader {
  public:
    DpdkReader(const toml::table& document, Complaints& complaints, Dpdk& out)
        : document_(document), complaints_(complaints), out_(out) {}

    void read();

  private:
    void read_eal(Section& in);
    void read_ports(const toml::node* node);
    void read_port(Section& in);
    void read_device(Section& in, DpdkPort& port);
    void check_device(Section& in, const DpdkPort& port);
    void read_addresses(Section& in, DpdkPort& port);
    void read_gateways(Section& in, DpdkPort& port);
    void read_gateway(const Section::Item& item, DpdkPort& port);
    [[nodiscard]] bool has_argument(std::string_view text) const;

    const toml::table& document_;
    Complaints& complaints_;
    Dpdk& out_;
    Claims devices_;
    Claims addresses_;
};

void DpdkReader::read() {
    const toml::node* node = document_.get("dpdk");
    if (node == nullptr) {
        return;
    }
    const toml::table* table = node->as_table();
    if (table == nullptr) {
        complaints_.error(position_of(*node), "dpdk is not a table, expected [dpdk]");
        return;
    }
    Section in("[dpdk]", table, position_of(*node), complaints_);
    read_eal(in);
    in.expect("port");
    in.finish();
    read_ports(table->get("port"));
}

void DpdkReader::read_eal(Section& in) {
    std::vector<Section::Item> items;
    in.list("eal", items);
    if (items.size() > eal_arguments_max) {
        in.complain("eal", fmt::format("at most {} arguments", eal_arguments_max));
    }
    for (const Section::Item& item : items) {
        const bool clean = std::ranges::all_of(
            item.text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
        if (!clean || item.text.empty() || item.text.size() > eal_argument_bytes_max) {
            complaints_.error(item.at,
                              fmt::format("eal holds {}, expected 1 to {} octets without control "
                                          "characters",
                                          in_quotes(item.text), eal_argument_bytes_max));
        }
        const auto refusal = std::ranges::find_if(eal_refusals, [&](const EalRefusal& one) {
            return names_option(item.text, one.option);
        });
        if (refusal != eal_refusals.end()) {
            complaints_.error(item.at, fmt::format("eal holds {}, expected {}",
                                                   in_quotes(item.text), refusal->instead));
        }
        out_.eal.push_back(item.text);
    }
    if (has_argument("--no-huge") && has_argument("--in-memory")) {  // EAL: legacy memory
        in.complain("eal", "--no-huge or --in-memory, not both");
    }
}

void DpdkReader::read_ports(const toml::node* node) {
    if (node == nullptr) {
        return;
    }
    const auto wrong = [&](const toml::node& at) {
        complaints_.error(position_of(at), "port is not a list of tables, expected [[dpdk.port]]");
    };
    const toml::array* array = node->as_array();
    if (array == nullptr) {
        wrong(*node);
        return;
    }
    for (const toml::node& element : *array) {
        const toml::table* table = element.as_table();
        if (table == nullptr) {
            wrong(element);
            continue;
        }
        if (out_.ports.size() == ports_max) {
            complaints_.error(position_of(element),
                              "a second [[dpdk.port]] is not available in this version, expected "
                              "one port");
        }
        Section in("[[dpdk.port]]", table, position_of(element), complaints_);
        read_port(in);
    }
}

void DpdkReader::read_port(Section& in) {
    DpdkPort port;
    read_device(in, port);
    read_addresses(in, port);
    read_gateways(in, port);
    in.integer<uint16_t>("vlan", port.vlan, 1, vlan_max);
    in.integer<uint32_t>("mtu", port.mtu, mtu_min, mtu_max);
    const bool any_ipv6 = std::ranges::any_of(
        port.addresses, [](const Cidr& address) { return !is_ipv4(address.address); });
    if (any_ipv6 && port.mtu < mtu_min_ipv6) {
        in.complain("mtu", fmt::format("at least {} where an address is IPv6", mtu_min_ipv6));
    }
    in.integer<uint32_t>("rx_descriptors", port.rx_descriptors, 64, 16'384);
    in.integer<uint32_t>("tx_descriptors", port.tx_descriptors, 64, 16'384);
    in.choice("rss", port.rss, rss_choices);
    in.boolean("offloads", port.offloads);
    in.finish();
    out_.ports.push_back(std::move(port));
}

bool DpdkReader::has_argument(std::string_view text) const {
    return std::ranges::find(out_.eal, text) != out_.eal.end();
}

void DpdkReader::read_device(Section& in, DpdkPort& port) {
    in.require("device");
    in.text("device", port.device, {1, device_bytes_max});
    if (port.device.empty()) {
        return;
    }
    if (std::string full = pci_address(port.device); !full.empty()) {
        port.device = std::move(full);
    }
    claim(devices_, port.device, in.at("device"), "device", complaints_);
    check_device(in, port);
}

// A device that EAL is told not to make or not to look for would be missing at start.
void DpdkReader::check_device(Section& in, const DpdkPort& port) {
    if (!pci_address(port.device).empty()) {
        if (has_argument("--no-pci")) {
            in.complain("device", "a virtual device, because eal holds --no-pci");
        }
        return;
    }
    if (!port.device.starts_with("net_") && !port.device.starts_with("eth_")) {
        return;  // of another bus: only EAL knows
    }
    const std::string wanted = "--vdev=" + port.device;
    for (size_t i = 0; i < out_.eal.size(); ++i) {
        std::string argument = out_.eal[i];
        if (argument == "--vdev" && i + 1 < out_.eal.size()) {
            argument += "=" + out_.eal[i + 1];
        }
        if (argument.starts_with(wanted) &&
            (argument.size() == wanted.size() || argument[wanted.size()] == ',')) {
            return;
        }
    }
    in.complain("device", fmt::format("eal to hold \"{},...\", or a PCI address", wanted));
}

void DpdkReader::read_addresses(Section& in, DpdkPort& port) {
    in.require("address");
    std::vector<Section::Item> items;
    in.list("address", items);
    if (in.has("address") && (items.size() > addresses_max || in.is_empty_array("address"))) {
        in.complain("address", fmt::format("1 to {} addresses", addresses_max));
    }
    for (const Section::Item& item : items) {
        const auto cidr = parse_cidr(item.text);
        const bool good = cidr && item.text.find('/') != std::string::npos &&
                          is_host_address(cidr->address) && !is_network_or_broadcast(*cidr);
        if (!good) {
            complaints_.error(item.at, fmt::format("address holds {}, expected an address of a "
                                                   "host with its network like 10.20.0.2/24",
                                                   in_quotes(item.text)));
            continue;
        }
        claim(addresses_, text_of(cidr->address), item.at, "address", complaints_);
        port.addresses.push_back(*cidr);
    }
}

void DpdkReader::read_gateways(Section& in, DpdkPort& port) {
    std::vector<Section::Item> items;
    in.list("gateway", items);
    for (const Section::Item& item : items) {
        read_gateway(item, port);
    }
}

void DpdkReader::read_gateway(const Section::Item& item, DpdkPort& port) {
    const auto wrong = [&](std::string_view expected) {
        complaints_.error(
            item.at, fmt::format("gateway holds {}, expected {}", in_quotes(item.text), expected));
    };
    const auto cidr = parse_cidr(item.text);
    if (!cidr || item.text.find('/') != std::string::npos || !is_host_address(cidr->address)) {
        wrong("an address like 10.20.0.1");
        return;
    }
    const Address& gateway = cidr->address;
    const Endpoint endpoint{gateway, 0};
    const bool link_local = parse_cidr("fe80::/10")->contains(endpoint);
    const bool near = link_local || std::ranges::any_of(port.addresses, [&](const Cidr& address) {
                          return address.contains(endpoint);
                      });
    if (!near) {
        wrong("one in a network of the port's addresses");
    }
    if (std::ranges::any_of(port.addresses,
                            [&](const Cidr& address) { return address.address == gateway; })) {
        wrong("another than the port's own address");
    }
    auto& slot = is_ipv4(gateway) ? port.gateway_ipv4 : port.gateway_ipv6;
    if (slot) {
        wrong("one gateway for IPv4 and one for IPv6");
    }
    slot = gateway;
}

}  // namespace

void read_dpdk(const toml::table& document, Complaints& complaints, Dpdk& out) {
    DpdkReader(document, complaints, out).read();
}

void check_listen(const Endpoint& endpoint, Position at, const Dpdk& dpdk, Complaints& complaints) {
    const bool ipv4 = is_ipv4(endpoint.address);
    const Address any = ipv4 ? parse_cidr("0.0.0.0")->address : Address{};
    bool has_family = false;
    bool has_address = false;
    std::string ours;
    for (const DpdkPort& port : dpdk.ports) {
        for (const Cidr& address : port.addresses) {
            has_family = has_family || is_ipv4(address.address) == ipv4;
            has_address = has_address || address.address == endpoint.address;
            ours += (ours.empty() ? "" : ", ") + text_of(address.address);
        }
    }
    const bool good = endpoint.address == any ? has_family : has_address;
    if (!good && !ours.empty()) {
        complaints.error(at, fmt::format("listen: '{}' is no address of a [[dpdk.port]], expected "
                                         "one of {}, or any (0.0.0.0, [::]) of a family among them",
                                         to_string(endpoint), ours));
    }
    if (endpoint.port == 0) {
        complaints.error(at, fmt::format("listen: '{}' leaves the port open, expected a number "
                                         "over transport 'dpdk'",
                                         to_string(endpoint)));
    }
}

}  // namespace sy::config
