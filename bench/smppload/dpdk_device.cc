#include "bench/smppload/dpdk_device.h"

#include <sstream>

#include <fmt/format.h>

namespace sy::load {
namespace {

std::vector<std::string> words(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> out;
    for (std::string word; in >> word;) {
        out.push_back(word);
    }
    return out;
}

bool is_loopback(const Endpoint& endpoint) {
    return parse_cidr("127.0.0.0/8")->contains(endpoint);
}

// Both ends of a pair need the same; vhost hands its memory over as files.
DpdkEnd end_of_pair(const Options& options, const std::string& device, const std::string& vdev) {
    DpdkEnd out{words(options.dpdk.eal), device, options.dpdk.address};
    out.eal.push_back("--vdev=" + vdev);
    if (options.dpdk.kind == DpdkKind::vhost) {
        out.eal.emplace_back("--single-file-segments");
    }
    return out;
}

std::string memif(const Options& options, const char* role) {
    return fmt::format("net_memif0,role={},id=0,socket={},socket-abstract=no,bsize=2048,rsize=10",
                       role, options.dpdk.socket);
}

}  // namespace

DpdkEnd our_end(const Options& options) {
    switch (options.dpdk.kind) {
        case DpdkKind::memif:
            return end_of_pair(options, "net_memif0", memif(options, "client"));
        case DpdkKind::vhost:
            return end_of_pair(
                options, "net_virtio_user0",
                fmt::format("net_virtio_user0,path={},queues=1,queue_size=1024,packed_vq=1,"
                            "mrg_rxbuf=0,in_order=1,vectorized=1",
                            options.dpdk.socket));
        case DpdkKind::none:
        case DpdkKind::device:
            break;
    }
    return {words(options.dpdk.eal), options.dpdk.device, options.dpdk.address};
}

DpdkEnd router_end(const Options& options) {
    DpdkEnd out =
        options.dpdk.kind == DpdkKind::memif
            ? end_of_pair(options, "net_memif0", memif(options, "server"))
            : end_of_pair(options, "net_vhost0",
                          fmt::format("net_vhost0,iface={},queues=1", options.dpdk.socket));
    out.address.address = options.router.address;
    return out;
}

void settle_addresses(Options& options) {
    if (options.dpdk.kind == DpdkKind::none) {
        return;
    }
    if (is_loopback(options.listen)) {
        options.listen.address = options.dpdk.address.address;
    }
    if (is_loopback(options.router)) {
        // The next address: .2 where ours is .1.
        options.router.address = options.dpdk.address.address;
        ++options.router.address.back();
    }
}

Result<void> check_dpdk(const Options& options) {
    const DpdkOptions& dpdk = options.dpdk;
    if (dpdk.kind == DpdkKind::none) {
        return {};
    }
    if (options.mode == Mode::direct) {
        return fail("--mode direct has both ends here: it needs kernel sockets, not --dpdk");
    }
    if (options.listen.address != dpdk.address.address || options.listen.port == 0) {
        return fail(fmt::format("--listen {}: over --dpdk it is --dpdk-address, and not port 0",
                                to_string(options.listen)));
    }
    if (dpdk.kind == DpdkKind::device && dpdk.device.empty()) {
        return fail("--dpdk device: which one? For example --dpdk-device net_tap0");
    }
    if (dpdk.kind == DpdkKind::device && !options.write_config.empty()) {
        return fail("--write-config knows the router's end of --dpdk memif and vhost only");
    }
    return {};
}

}  // namespace sy::load
