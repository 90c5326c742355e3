// Kernel sockets: one epoll set, one large receive buffer that all links share (it stays in cache).
#pragma once

#include "bench/smppload/net.h"

namespace sy::load {

class KernelNet final : public Net {
  public:
    KernelNet();
    ~KernelNet() override;

    [[nodiscard]] Result<void> wait_for_link(Nanos) override { return {}; }
    [[nodiscard]] Result<void> listen(Endpoint& at,
                                      LinkHandler& handler,
                                      uint32_t listener) override;
    void close_listeners() override;
    [[nodiscard]] Result<Link*> connect(const Endpoint& to,
                                        LinkHandler& handler,
                                        uint32_t user) override;
    void poll(Nanos until) override;
    void flush() override;
    void close_now(Link& link, const std::string& reason) override;

  private:
    struct Listener {
        int fd;
        LinkHandler* handler;
        uint32_t number;
    };

    void accept_all(Listener& listener);
    void read(Link& link);
    void send(Link& link);
    void update(Link& link);
    Link& add_socket(int fd, LinkHandler& handler, uint32_t user);

    int epoll_ = -1;
    std::vector<std::unique_ptr<Listener>> listeners_;
    Nanos work_since_ns_ = 0;
};

}  // namespace sy::load
