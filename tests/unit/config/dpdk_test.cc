// [dpdk] and [[dpdk.port]]: what good ones become, and the very words for bad ones.
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/config/load_support.h"

namespace sy::config::test {
namespace {

std::array<uint8_t, 16> address(const char* text) {
    return parse_cidr(text)->address;
}

Loaded load_with(const std::string& text) {
    Files files = good_files();
    files["etc/sy.toml"] += text;
    return load_files(files);
}

TEST(DpdkConfig, EveryKeyIsRead) {
    const Loaded loaded = load_with(R"([runtime]
transport = "dpdk"
idle = "adaptive"
[smpp]
listen = ["10.20.0.2:2775", "[::]:2776"]
[dpdk]
eal = ["--in-memory", "-a", "0000:3b:00.0", "-m", "512"]
[[dpdk.port]]
device = "3b:00.0"
address = ["10.20.0.2/24", "fd20::2/64"]
gateway = ["10.20.0.1", "fe80::1"]
vlan = 101
mtu = 9000
rx_descriptors = 2048
tx_descriptors = 512
rss = "software"
offloads = false
)");
    ASSERT_EQ(loaded.complaints, std::vector<std::string>{});
    const Config& config = *loaded.config;
    EXPECT_EQ(config.runtime.transport, TransportKind::dpdk);
    EXPECT_EQ(config.runtime.idle, Idle::adaptive);
    EXPECT_EQ(config.dpdk.eal.size(), 5u);
    ASSERT_EQ(config.dpdk.ports.size(), 1u);
    const DpdkPort& port = config.dpdk.ports[0];
    EXPECT_EQ(port.device, "0000:3b:00.0");
    ASSERT_EQ(port.addresses.size(), 2u);
    EXPECT_EQ(port.addresses[0], *parse_cidr("10.20.0.2/24"));
    EXPECT_EQ(port.addresses[1], *parse_cidr("fd20::2/64"));
    EXPECT_EQ(port.gateway_ipv4, address("10.20.0.1"));
    EXPECT_EQ(port.gateway_ipv6, address("fe80::1"));
    EXPECT_EQ(port.vlan, 101);
    EXPECT_EQ(port.mtu, 9000u);
    EXPECT_EQ(port.rx_descriptors, 2048u);
    EXPECT_EQ(port.tx_descriptors, 512u);
    EXPECT_EQ(port.rss, RssMode::software);
    EXPECT_FALSE(port.offloads);
}

TEST(DpdkConfig, DefaultsSpinAndListenOnEveryAddress) {
    const Loaded loaded = load_with(R"([runtime]
transport = "dpdk"
[dpdk]
eal = ["--no-pci", "--vdev", "net_tap0,iface=sy0"]
[[dpdk.port]]
device = "net_tap0"
address = ["10.20.0.2/24", "fd20::2/64"]
)");
    ASSERT_EQ(loaded.complaints, std::vector<std::string>{});
    const Config& config = *loaded.config;
    EXPECT_EQ(config.runtime.idle, Idle::spin);
    ASSERT_EQ(config.listen.size(), 2u);
    EXPECT_EQ(to_string(config.listen[0]), "10.20.0.2:2775");
    EXPECT_EQ(to_string(config.listen[1]), "[fd20::2]:2775");
    const DpdkPort& port = config.dpdk.ports[0];
    EXPECT_FALSE(port.gateway_ipv4);
    EXPECT_FALSE(port.gateway_ipv6);
    EXPECT_EQ(port.vlan, 0);
    EXPECT_EQ(port.mtu, 1500u);
    EXPECT_EQ(port.rx_descriptors, 1024u);
    EXPECT_EQ(port.rss, RssMode::automatic);
    EXPECT_TRUE(port.offloads);
}

TEST(DpdkConfig, KernelTransportKeepsItsDefaultsBesideAPort) {
    const Loaded loaded = load_with(R"([dpdk]
eal = ["--vdev=net_tap0"]
[[dpdk.port]]
device = "net_tap0"
address = "10.20.0.2/24"
)");
    ASSERT_EQ(loaded.complaints, std::vector<std::string>{});
    EXPECT_EQ(loaded.config->runtime.transport, TransportKind::kernel);
    EXPECT_EQ(loaded.config->runtime.idle, Idle::adaptive);
    ASSERT_EQ(loaded.config->listen.size(), 1u);
    EXPECT_EQ(to_string(loaded.config->listen[0]), "127.0.0.1:2775");
}

struct BadDpdk {
    const char* name;
    std::string text;  // from line 13 on
    std::vector<std::string> complaints;
};

void PrintTo(const BadDpdk& input, std::ostream* out) {
    *out << input.name;
}

class BadDpdkTest : public testing::TestWithParam<BadDpdk> {};

TEST_P(BadDpdkTest, IsComplainedAboutInTheseWords) {
    std::vector<std::string> expected;
    for (const std::string& text : GetParam().complaints) {
        expected.push_back("etc/sy.toml:" + text);
    }
    const Loaded loaded = load_with(GetParam().text);
    EXPECT_EQ(loaded.complaints, expected);
    EXPECT_FALSE(loaded.config);
}

// Lines 13 to 17; a case adds keys of the port behind.
const std::string port =
    "[dpdk]\n"
    "eal = [\"--vdev=net_tap0,iface=sy0\"]\n"
    "[[dpdk.port]]\n"
    "device = \"net_tap0\"\n"
    "address = [\"10.20.0.2/24\", \"fd20::2/64\"]\n";

const BadDpdk bad_inputs[] = {
    {"transport_without_port",
     "[runtime]\ntransport = \"dpdk\"\n",
     {"14:13: error: transport is 'dpdk' and there is no [[dpdk.port]], expected one"}},
    {"not_a_table", "[[dpdk]]\n", {"13:1: error: dpdk is not a table, expected [dpdk]"}},
    {"unknown_keys",
     "[dpdk]\ncores = 2\n[[dpdk.port]]\ndevise = \"x\"\n",
     {"14:1: error: unknown key 'cores' in [dpdk], expected one of eal, port",
      "15:1: error: [[dpdk.port]] needs the key device",
      "15:1: error: [[dpdk.port]] needs the key address",
      "16:1: error: unknown key 'devise' in [[dpdk.port]], did you mean 'device'?"}},
    {"port_is_one_table",
     "[dpdk.port]\ndevice = \"net_tap0\"\n",
     {"13:1: error: port is not a list of tables, expected [[dpdk.port]]"}},
    {"eal_takes_cpus",
     "[dpdk]\neal = [\"-l\", \"--lcores=1@2\", \"-c3\", \"--proc-type=secondary\", \"--\", "
     "\"-n4\"]\n",
     {"14:8: error: eal holds '-l', expected [runtime] workers",
      "14:14: error: eal holds '--lcores=1@2', expected [runtime] workers",
      "14:30: error: eal holds '-c3', expected [runtime] workers",
      "14:37: error: eal holds '--proc-type=secondary', expected one process",
      "14:62: error: eal holds '--', expected EAL's own options alone"}},
    {"eal_control_characters",
     "[dpdk]\neal = [\"--in\\u0007memory\", \"\", 5]\n",
     {"14:8: error: eal holds '--in?memory', expected 1 to 1024 octets without control characters",
      "14:28: error: eal holds '', expected 1 to 1024 octets without control characters",
      "14:32: error: eal holds 5, expected strings"}},
    {"eal_memory_twice",
     "[dpdk]\neal = [\"--no-huge\", \"--in-memory\"]\n",
     {"14:7: error: eal is an array, expected --no-huge or --in-memory, not both"}},
    {"device_not_made",
     "[dpdk]\neal = [\"--vdev=net_tap01\", \"--no-pci\"]\n[[dpdk.port]]\n"
     "device = \"net_tap0\"\naddress = \"10.20.0.2/24\"\n",
     {"16:10: error: device is 'net_tap0', expected eal to hold \"--vdev=net_tap0,...\", or a PCI "
      "address"}},
    {"pci_device_without_pci",
     "[dpdk]\neal = [\"--no-pci\"]\n[[dpdk.port]]\n"
     "device = \"3b:00.1\"\naddress = \"10.20.0.2/24\"\n",
     {"16:10: error: device is '3b:00.1', expected a virtual device, because eal holds --no-pci"}},
    {"second_port",
     port + "[[dpdk.port]]\ndevice = \"net_tap0\"\naddress = \"10.20.0.2/24\"\n",
     {"18:1: error: a second [[dpdk.port]] is not available in this version, expected one port",
      "19:10: error: device 'net_tap0' is taken by line 16, expected another",
      "20:11: error: address '10.20.0.2' is taken by line 17, expected another"}},
    {"addresses",
     "[dpdk]\neal = [\"--vdev=net_tap0\"]\n[[dpdk.port]]\ndevice = \"net_tap0\"\naddress = [\n"
     "\"10.20.0.2\",\n\"10.20.0.0/24\",\n\"10.20.0.255/24\",\n\"127.0.0.1/8\",\n\"224.0.0.1/4\",\n"
     "\"::1/128\",\n\"ff02::1/64\",\n\"10.20.0.2/33\",\n\"host\",\n\"0.0.0.0/0\",\n"
     "\"10.20.0.0/31\",\n\"fd20::/64\"]\n",
     {"18:1: error: address holds '10.20.0.2', expected an address of a host with its network like "
      "10.20.0.2/24",
      "19:1: error: address holds '10.20.0.0/24', expected an address of a host with its network "
      "like 10.20.0.2/24",
      "20:1: error: address holds '10.20.0.255/24', expected an address of a host with its network "
      "like 10.20.0.2/24",
      "21:1: error: address holds '127.0.0.1/8', expected an address of a host with its network "
      "like 10.20.0.2/24",
      "22:1: error: address holds '224.0.0.1/4', expected an address of a host with its network "
      "like 10.20.0.2/24",
      "23:1: error: address holds '::1/128', expected an address of a host with its network like "
      "10.20.0.2/24",
      "24:1: error: address holds 'ff02::1/64', expected an address of a host with its network "
      "like 10.20.0.2/24",
      "25:1: error: address holds '10.20.0.2/33', expected an address of a host with its network "
      "like 10.20.0.2/24",
      "26:1: error: address holds 'host', expected an address of a host with its network like "
      "10.20.0.2/24",
      "27:1: error: address holds '0.0.0.0/0', expected an address of a host with its network like "
      "10.20.0.2/24"}},
    {"no_addresses",
     "[dpdk]\neal = [\"--vdev=net_tap0\"]\n[[dpdk.port]]\ndevice = \"net_tap0\"\naddress = []\n",
     {"17:11: error: address is an empty array, expected 1 to 16 addresses"}},
    {"address_twice",
     "[dpdk]\neal = [\"--vdev=net_tap0\"]\n[[dpdk.port]]\ndevice = \"net_tap0\"\n"
     "address = [\"10.20.0.2/24\", \"10.20.0.2/16\"]\n",
     {"17:28: error: address '10.20.0.2' is taken by line 17, expected another"}},
    {"gateways",
     port +
         "gateway = [\n\"10.20.1.1\",\n\"10.20.0.2\",\n\"fd21::1\",\n\"10.20.0.1/24\",\n\"any\"]\n",
     {"19:1: error: gateway holds '10.20.1.1', expected one in a network of the port's addresses",
      "20:1: error: gateway holds '10.20.0.2', expected another than the port's own address",
      "20:1: error: gateway holds '10.20.0.2', expected one gateway for IPv4 and one for IPv6",
      "21:1: error: gateway holds 'fd21::1', expected one in a network of the port's addresses",
      "22:1: error: gateway holds '10.20.0.1/24', expected an address like 10.20.0.1",
      "23:1: error: gateway holds 'any', expected an address like 10.20.0.1"}},
    {"numbers",
     port + "vlan = 4095\nmtu = 9601\nrx_descriptors = 32\ntx_descriptors = 32768\n"
            "rss = \"hardware\"\noffloads = 1\n",
     {"18:8: error: vlan is 4095, expected a whole number from 1 to 4094",
      "19:7: error: mtu is 9601, expected a whole number from 576 to 9600",
      "20:18: error: rx_descriptors is 32, expected a whole number from 64 to 16384",
      "21:18: error: tx_descriptors is 32768, expected a whole number from 64 to 16384",
      "22:7: error: rss is 'hardware', expected one of \"auto\", \"software\"",
      "23:12: error: offloads is 1, expected true or false"}},
    {"mtu_of_ipv6",
     port + "mtu = 1279\n",
     {"18:7: error: mtu is 1279, expected at least 1280 where an address is IPv6"}},
    {"listen_elsewhere",
     port + "[runtime]\ntransport = \"dpdk\"\n[smpp]\nlisten = [\"127.0.0.1:2775\", "
            "\"0.0.0.0:2775\", \"[fd20::2]:0\"]\n",
     {"21:11: error: listen: '127.0.0.1:2775' is no address of a [[dpdk.port]], expected one of "
      "10.20.0.2, fd20::2, or any (0.0.0.0, [::]) of a family among them",
      "21:45: error: listen: '[fd20::2]:0' leaves the port open, expected a number over transport "
      "'dpdk'"}},
    {"listen_on_a_family_without_address",
     "[dpdk]\neal = [\"--vdev=net_tap0\"]\n[[dpdk.port]]\ndevice = \"net_tap0\"\n"
     "address = \"10.20.0.2/24\"\n[runtime]\ntransport = \"dpdk\"\n[smpp]\nlisten = "
     "\"[::]:2775\"\n",
     {"21:10: error: listen: '[::]:2775' is no address of a [[dpdk.port]], expected one of "
      "10.20.0.2, or any (0.0.0.0, [::]) of a family among them"}},
};

std::string name_of(const testing::TestParamInfo<BadDpdk>& info) {
    return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Files, BadDpdkTest, testing::ValuesIn(bad_inputs), name_of);

}  // namespace
}  // namespace sy::config::test
