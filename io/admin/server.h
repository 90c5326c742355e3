// The HTTP side of the router: GET /metrics, GET /health and what else it is given. Owns its
// listener and its threads; the control thread starts and stops it, the callbacks run on its
// threads and must be safe there (they read relaxed atomics and an immutable view). Nothing here
// touches a worker.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/endpoint.h"
#include "core/base/result.h"

namespace prometheus {
struct MetricFamily;
}

namespace sy::admin {

struct Health {
    bool healthy = false;
    std::string body_json;
};

struct Page {
    int status = 200;
    std::string content_type;
    std::string body;
};
using Parameters = std::multimap<std::string, std::string>;  // of a URL

struct Pages {
    std::function<std::vector<prometheus::MetricFamily>()> metrics;
    std::function<Health()> health;
    // By path, "/explain/mt".
    std::map<std::string, std::function<Page(const Parameters&)>> more = {};
};

class Server {
  public:
    /// Binds and listens; nothing is answered before start(). Errors: the port cannot be had.
    static Result<Server> open(const Endpoint& endpoint, Pages pages);

    Server(Server&&) noexcept;
    Server& operator=(Server&&) noexcept;
    ~Server();  // stops

    void start();
    void stop();

  private:
    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace sy::admin
