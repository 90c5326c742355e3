#include "io/tcpip/interface.h"

#include <gtest/gtest.h>

#include "tests/support/frames.h"

namespace sy::tcpip {
namespace {

using frames::ip_address;

constexpr Mac mac{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

InterfaceOptions dual() {
    return {.addresses = {{ip_address("10.0.0.1"), 24},
                          {ip_address("10.0.1.1"), 24},
                          {ip_address("2001:db8:1::1"), 64},
                          {ip_address("2001:db8:2::1"), 64}},
            .gateway_v4 = ip_address("10.0.0.254"),
            .gateway_v6 = ip_address("fe80::254"),
            .duplicate_address_detection = false};
}

TEST(Interface, AddsTheLinkLocalAddressOfTheMac) {
    const Interface interface(mac, dual());
    EXPECT_TRUE(interface.has(ip_address("fe80::5054:ff:fe12:3456")));
    InterfaceOptions v4_only;
    v4_only.addresses = {{ip_address("10.0.0.1"), 24}};
    EXPECT_TRUE(Interface(mac, v4_only).ipv6().empty());
}

TEST(Interface, TentativeAddressesAreNotOursYet) {
    InterfaceOptions options = dual();
    options.duplicate_address_detection = true;
    Interface interface(mac, options);
    const IpAddress address = ip_address("2001:db8:1::1");
    EXPECT_FALSE(interface.has(address));
    EXPECT_FALSE(interface.source_for(ip_address("2001:db8:9::9")));
    ASSERT_NE(interface.find_ipv6(address.octets.data()), nullptr);
    interface.set_state(*interface.find_ipv6(address.octets.data()), Interface::State::assigned);
    EXPECT_TRUE(interface.has(address));
    EXPECT_EQ(interface.source_for(ip_address("2001:db8:9::9")), address);
}

TEST(Interface, NextHopIsTheHostItselfOnTheLinkElseTheGateway) {
    const Interface interface(mac, dual());
    const auto hop = [&](const char* to) { return interface.next_hop(ip_address(to)); };
    EXPECT_EQ(hop("10.0.1.77"), ip_address("10.0.1.77"));
    EXPECT_EQ(hop("10.0.2.77"), ip_address("10.0.0.254"));
    EXPECT_EQ(hop("2001:db8:2::77"), ip_address("2001:db8:2::77"));
    EXPECT_EQ(hop("2001:db8:3::77"), ip_address("fe80::254"));
    EXPECT_EQ(hop("fe80::1234"), ip_address("fe80::1234"));
    for (const char* nobody :
         {"0.0.0.0", "127.0.0.1", "224.0.0.5", "255.255.255.255", "::", "::1", "ff02::1"}) {
        EXPECT_EQ(hop(nobody), std::nullopt) << nobody;
    }
    InterfaceOptions alone = dual();
    alone.gateway_v4.reset();
    alone.gateway_v6.reset();
    const Interface island(mac, alone);
    EXPECT_EQ(island.next_hop(ip_address("10.0.2.77")), std::nullopt);
    EXPECT_EQ(island.next_hop(ip_address("2001:db8:3::77")), std::nullopt);
}

TEST(Interface, GatewayBeyondThePrefixesIsOnTheLink) {
    InterfaceOptions options;
    options.addresses = {{ip_address("192.0.2.5"), 32}};
    options.gateway_v4 = ip_address("198.51.100.1");
    const Interface interface(mac, options);
    EXPECT_TRUE(interface.on_link(ip_address("198.51.100.1")));
    EXPECT_FALSE(interface.on_link(ip_address("198.51.100.2")));
    EXPECT_EQ(interface.next_hop(ip_address("8.8.8.8")), ip_address("198.51.100.1"));
}

TEST(Interface, SourceHasTheLongestMatchingPrefixAndTheScope) {
    const Interface interface(mac, dual());
    const auto source = [&](const char* to) { return interface.source_for(ip_address(to)); };
    EXPECT_EQ(source("10.0.1.9"), ip_address("10.0.1.1"));
    EXPECT_EQ(source("10.0.0.9"), ip_address("10.0.0.1"));
    EXPECT_EQ(source("2001:db8:2::9"), ip_address("2001:db8:2::1"));
    EXPECT_EQ(source("2001:db8:1::9"), ip_address("2001:db8:1::1"));
    EXPECT_EQ(source("fe80::9"), ip_address("fe80::5054:ff:fe12:3456"));
}

TEST(Interface, OptionsThatCannotBeAreRefused) {
    const auto refused = [](auto change) {
        InterfaceOptions options = dual();
        change(options);
        return !check_interface(options).has_value();
    };
    EXPECT_FALSE(refused([](auto&) {}));
    EXPECT_TRUE(refused([](auto& o) { o.addresses.clear(); }));
    EXPECT_TRUE(refused([](auto& o) { o.addresses.resize(17, o.addresses[0]); }));
    EXPECT_TRUE(refused([](auto& o) { o.addresses[0].prefix_bits = 33; }));
    EXPECT_TRUE(refused([](auto& o) { o.addresses[2].prefix_bits = 129; }));
    EXPECT_TRUE(refused([](auto& o) { o.addresses[0].address = ip_address("224.0.0.1"); }));
    EXPECT_TRUE(refused([](auto& o) { o.addresses[0].address = ip_address("::"); }));
    EXPECT_TRUE(refused([](auto& o) { o.gateway_v4 = ip_address("fe80::1"); }));
    EXPECT_TRUE(refused([](auto& o) { o.gateway_v6 = ip_address("10.0.0.254"); }));
    EXPECT_TRUE(refused([](auto& o) { o.vlan = 0; }));
    EXPECT_TRUE(refused([](auto& o) { o.vlan = 4095; }));
}

}  // namespace
}  // namespace sy::tcpip
