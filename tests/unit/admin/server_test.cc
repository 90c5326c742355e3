#include "io/admin/server.h"

#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <httplib.h>
#include <prometheus/metric_family.h>

#include "io/admin/client.h"

namespace sy::admin {
namespace {

// A port of 127.0.0.1 that nobody has at the moment.
uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
    ::close(fd);
    return ntohs(address.sin_port);
}

Endpoint loopback(uint16_t port) {
    return *parse_endpoint("127.0.0.1:" + std::to_string(port));
}

Pages pages(bool healthy) {
    return {.metrics =
                [] {
                    prometheus::MetricFamily family;
                    family.name = "one";
                    family.type = prometheus::MetricType::Counter;
                    family.metric.emplace_back();
                    family.metric[0].counter.value = 1;
                    return std::vector{family};
                },
            .health = [healthy] { return Health{healthy, "{}"}; }};
}

TEST(AdminServer, ServesMetricsAndHealth) {
    const uint16_t port = free_port();
    auto server = Server::open(loopback(port), pages(true));
    ASSERT_TRUE(server) << server.error().text;
    server->start();
    httplib::Client client("127.0.0.1", port);
    const auto metrics = client.Get("/metrics");
    ASSERT_TRUE(metrics);
    EXPECT_EQ(metrics->status, 200);
    EXPECT_NE(metrics->body.find("one 1"), std::string::npos);
    EXPECT_EQ(metrics->get_header_value("Content-Type"),
              "text/plain; version=0.0.4; charset=utf-8");
    const auto health = client.Get("/health");
    ASSERT_TRUE(health);
    EXPECT_EQ(health->status, 200);
}

TEST(AdminServer, ServesPagesWithParameters) {
    const uint16_t port = free_port();
    Pages with_more = pages(true);
    with_more.more["/more"] = [](const Parameters& parameters) {
        std::string body;
        for (const auto& [name, value] : parameters) {
            body += name + "=" + value + ";";
        }
        return Page{418, "text/x", body};
    };
    auto server = Server::open(loopback(port), std::move(with_more));
    ASSERT_TRUE(server) << server.error().text;
    server->start();
    const Parameters parameters{{"text", "a&b c\u00e9%"}, {"to", "+44"}};
    const auto page = get(loopback(port), "/more", parameters);
    ASSERT_TRUE(page) << page.error().text;
    EXPECT_EQ(page->status, 418);
    EXPECT_EQ(page->content_type, "text/x");
    EXPECT_EQ(page->body, "text=a&b c\u00e9%;to=+44;");
    server->stop();
    EXPECT_FALSE(get(loopback(port), "/more", {}));
}

TEST(AdminServer, UnhealthyIs503) {
    const uint16_t port = free_port();
    auto server = Server::open(loopback(port), pages(false));
    ASSERT_TRUE(server);
    server->start();
    const auto health = httplib::Client("127.0.0.1", port).Get("/health");
    ASSERT_TRUE(health);
    EXPECT_EQ(health->status, 503);
}

TEST(AdminServer, PortInUseIsAnErrorThatNamesIt) {
    const uint16_t port = free_port();
    auto first = Server::open(loopback(port), pages(true));
    ASSERT_TRUE(first);
    const auto second = Server::open(loopback(port), pages(true));
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().text.find(std::to_string(port)), std::string::npos);
}

TEST(AdminServer, StopBeforeAndAfterStartEnds) {
    auto never_started = Server::open(loopback(free_port()), pages(true));
    ASSERT_TRUE(never_started);
    never_started->stop();
    auto started = Server::open(loopback(free_port()), pages(true));
    ASSERT_TRUE(started);
    started->start();
    started->stop();
    started->stop();
}

}  // namespace
}  // namespace sy::admin
