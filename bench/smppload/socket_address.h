// An Endpoint as the socket calls want it.
#pragma once

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base/endpoint.h"

namespace sy::load {

class SocketAddress {
  public:
    explicit SocketAddress(const Endpoint& endpoint) {
        if (is_ipv4(endpoint)) {
            sockaddr_in in{};
            in.sin_family = AF_INET;
            in.sin_port = htons(endpoint.port);
            std::memcpy(&in.sin_addr, endpoint.address.data() + 12, 4);
            set(&in, sizeof in);
        } else {
            sockaddr_in6 in{};
            in.sin6_family = AF_INET6;
            in.sin6_port = htons(endpoint.port);
            std::memcpy(&in.sin6_addr, endpoint.address.data(), 16);
            set(&in, sizeof in);
        }
    }

    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage_);
    }
    [[nodiscard]] socklen_t size() const { return size_; }
    [[nodiscard]] int family() const { return storage_.ss_family; }

  private:
    void set(const void* from, size_t size) {
        std::memcpy(&storage_, from, size);
        size_ = static_cast<socklen_t>(size);
    }

    sockaddr_storage storage_{};
    socklen_t size_ = 0;
};

}  // namespace sy::load
