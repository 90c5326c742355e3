#include "io/admin/server.h"

#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <sstream>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <httplib.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace sy::admin {
namespace {

// A scrape every few seconds and a person now and then.
constexpr size_t threads = 2;

std::string host_of(const Endpoint& endpoint) {
    char text[INET6_ADDRSTRLEN] = {};
    if (is_ipv4(endpoint)) {
        inet_ntop(AF_INET, endpoint.address.data() + 12, text, sizeof text);
    } else {
        inet_ntop(AF_INET6, endpoint.address.data(), text, sizeof text);
    }
    return text;
}

// Not the library's default, SO_REUSEPORT: with it a second router would share the port unseen.
void set_reuse_address(socket_t fd) {
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

}  // namespace

struct Server::Impl {
    httplib::Server http;
    Pages pages;
    std::atomic<bool> ended = false;  // release by the thread at its end, acquire by stop()
    std::thread thread;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() {
    if (impl_ != nullptr) {
        stop();
    }
}

Result<Server> Server::open(const Endpoint& endpoint, Pages pages) {
    auto impl = std::make_unique<Impl>();
    impl->pages = std::move(pages);
    impl->http.new_task_queue = [] { return new httplib::ThreadPool(threads); };
    impl->http.set_socket_options(set_reuse_address);
    impl->http.set_payload_max_length(0);  // nothing is posted here
    impl->http.set_keep_alive_timeout(1);  // stop() waits for idle connections
    impl->http.Get("/metrics", [&page = impl->pages.metrics](const httplib::Request&,
                                                             httplib::Response& response) {
        std::ostringstream text;
        prometheus::TextSerializer().Serialize(text, page());
        response.set_content(text.str(), "text/plain; version=0.0.4; charset=utf-8");
    });
    impl->http.Get("/health", [&page = impl->pages.health](const httplib::Request&,
                                                           httplib::Response& response) {
        const Health health = page();
        response.status = health.healthy ? 200 : 503;
        response.set_content(health.body_json, "application/json");
    });
    for (const auto& [path, page] : impl->pages.more) {
        impl->http.Get(
            path, [&answer = page](const httplib::Request& request, httplib::Response& response) {
                const Page made = answer(Parameters(request.params.begin(), request.params.end()));
                response.status = made.status;
                response.set_content(made.body, made.content_type);
            });
    }
    errno = 0;
    if (!impl->http.bind_to_port(host_of(endpoint), endpoint.port)) {
        return fail(fmt::format(
            "[admin] listen: cannot listen on {}: {}", to_string(endpoint),
            errno != 0 ? std::generic_category().message(errno) : "the address is not usable"));
    }
    return Server(std::move(impl));
}

void Server::start() {
    impl_->thread = std::thread([impl = impl_.get()] {
        impl->http.listen_after_bind();
        impl->ended.store(true, std::memory_order_release);
    });
}

void Server::stop() {
    if (impl_->thread.joinable()) {
        // stop() before the loop has begun would be lost.
        while (!impl_->http.is_running() && !impl_->ended.load(std::memory_order_acquire)) {
            std::this_thread::yield();
        }
        impl_->http.stop();
        impl_->thread.join();
    }
}

}  // namespace sy::admin
