#include "core/base/endpoint.h"

#include <gtest/gtest.h>

namespace sy {
namespace {

TEST(Endpoint, TextOfAParsedEndpointIsTheSame) {
    for (const char* text : {"127.0.0.1:2775", "0.0.0.0:0", "[::1]:65535", "[2001:db8::1]:1"}) {
        const auto endpoint = parse_endpoint(text);
        ASSERT_TRUE(endpoint.has_value()) << text;
        EXPECT_EQ(to_string(*endpoint), text);
    }
}

TEST(Endpoint, RefusesWhatIsNoAddressAndPort) {
    for (const char* text :
         {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.256:1",
          "::1:2775", "[::1]", "localhost:1", "[]:1", ":1", "127.0.0.1:1x"}) {
        EXPECT_FALSE(parse_endpoint(text).has_value()) << text;
    }
}

TEST(Cidr, ContainsItsAddressesAndNoOthers) {
    const auto inside = [](const char* block, const char* address) {
        return parse_cidr(block).value().contains(parse_endpoint(address).value());
    };
    EXPECT_TRUE(inside("127.0.0.0/8", "127.255.0.1:1"));
    EXPECT_FALSE(inside("127.0.0.0/8", "128.0.0.1:1"));
    EXPECT_TRUE(inside("10.1.2.128/25", "10.1.2.129:1"));
    EXPECT_FALSE(inside("10.1.2.128/25", "10.1.2.127:1"));
    EXPECT_TRUE(inside("10.1.2.3", "10.1.2.3:9"));
    EXPECT_FALSE(inside("10.1.2.3", "10.1.2.4:9"));
    EXPECT_TRUE(inside("0.0.0.0/0", "1.2.3.4:1"));
    EXPECT_FALSE(inside("0.0.0.0/0", "[2001:db8::1]:1"));
    EXPECT_TRUE(inside("2001:db8::/32", "[2001:db8:1::1]:1"));
}

TEST(Cidr, RefusesWhatIsNoBlock) {
    for (const char* text : {"", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0/8", "10.0.0.0/8x"}) {
        EXPECT_FALSE(parse_cidr(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace sy
