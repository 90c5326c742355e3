// The frame parser as plainly as it can be said, octet by octet: what parse_frame() has to agree
// with. Knows nothing of the port's checksum verdicts: it computes all of them.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "io/tcpip/parse.h"
#include "tests/support/frames.h"

namespace sy::tcpip {

/// What is compared.
struct SlowPacket {
    PacketKind kind = PacketKind::tcp;
    IpAddress source = {};
    IpAddress destination = {};
    uint16_t source_port = 0;
    uint16_t destination_port = 0;
    uint32_t seq = 0;
    uint32_t ack = 0;
    uint32_t flags = 0;
    uint32_t window = 0;
    uint32_t ttl = 0;
    uint32_t traffic_class = 0;
    size_t l3_at = 0;
    size_t l3_bytes = 0;
    bool router_alert = false;
    std::vector<uint8_t> options = {};
    std::vector<uint8_t> payload = {};
};

class SlowParser {
  public:
    using Bytes = frames::Bytes;

    SlowParser(Mac mac,
               std::vector<IpAddress> ours,
               std::optional<uint16_t> vlan,
               std::vector<IpAddress> broadcasts)
        : mac_(mac), ours_(std::move(ours)), vlan_(vlan), broadcasts_(std::move(broadcasts)) {}

    /// Nothing: dropped.
    [[nodiscard]] std::optional<SlowPacket> parse(const Bytes& frame) const {
        if (frame.size() < 14 || (frame[6] & 1) != 0) {
            return std::nullopt;
        }
        size_t at = 12;
        uint64_t type = frames::get(frame, at, 2);
        at += 2;
        std::optional<uint16_t> tag;
        if (type == 0x8100) {
            if (frame.size() < 18) {
                return std::nullopt;
            }
            tag = static_cast<uint16_t>(frames::get(frame, at, 2) & 0xfff);
            type = frames::get(frame, at + 2, 2);
            at += 4;
        }
        if (vlan_ ? tag != vlan_ : (tag && *tag != 0)) {
            return std::nullopt;
        }
        const Bytes mac = frames::part(frame, 0, 6);
        const Bytes rest(frame.begin() + static_cast<long>(at), frame.end());
        std::optional<SlowPacket> out;
        if (type == 0x0806 && (is_ours(mac) || mac == Bytes(6, 0xff)) && rest.size() >= 28) {
            out = SlowPacket{.kind = PacketKind::arp, .l3_bytes = 28};
        } else if (type == 0x0800 && is_ours(mac)) {
            out = parse_ipv4(rest);
        } else if (type == 0x86dd && (is_ours(mac) || is_our_group(mac))) {
            out = parse_ipv6(rest, !is_ours(mac));
        }
        if (out) {
            out->l3_at = at;
        }
        return out;
    }

  private:
    [[nodiscard]] bool is_ours(const Bytes& mac) const {
        return std::equal(mac.begin(), mac.end(), mac_.begin());
    }
    [[nodiscard]] bool is_our_address(const IpAddress& address) const {
        return std::find(ours_.begin(), ours_.end(), address) != ours_.end();
    }
    [[nodiscard]] std::vector<IpAddress> groups() const {
        std::vector<IpAddress> out{frames::ip_address("ff02::1")};
        for (const IpAddress& each : ours_) {
            if (!each.is_ipv4()) {
                out.push_back(frames::ip_address("ff02::1:ff00:0"));
                std::copy_n(each.octets.begin() + 13, 3, out.back().octets.begin() + 13);
            }
        }
        return out;
    }
    [[nodiscard]] bool is_our_group(const Bytes& mac) const {
        const auto all = groups();
        return std::any_of(all.begin(), all.end(), [&](const IpAddress& group) {
            return mac[0] == 0x33 && mac[1] == 0x33 &&
                   std::equal(mac.begin() + 2, mac.end(), group.octets.begin() + 12);
        });
    }

    [[nodiscard]] std::optional<SlowPacket> parse_ipv4(const Bytes& rest) const {
        if (rest.size() < 20 || rest[0] / 16 != 4) {
            return std::nullopt;
        }
        const size_t header = rest[0] % 16 * size_t{4};
        const size_t total = frames::get(rest, 2, 2);
        if (header < 20 || total < header || total > rest.size() ||
            frames::checksum(frames::part(rest, 0, header)) != 0 ||
            !options_are_fine(frames::part(rest, 20, header - 20)) ||
            (frames::get(rest, 6, 2) & 0x3fff) != 0) {
            return std::nullopt;
        }
        SlowPacket out;
        out.source = IpAddress::from_ipv4(rest.data() + 12);
        out.destination = IpAddress::from_ipv4(rest.data() + 16);
        const bool martian =
            rest[12] == 0 || rest[12] == 127 || rest[12] >= 224 || is_our_address(out.source) ||
            std::find(broadcasts_.begin(), broadcasts_.end(), out.source) != broadcasts_.end();
        if (martian || !is_our_address(out.destination)) {
            return std::nullopt;
        }
        out.ttl = rest[8];
        out.traffic_class = rest[1];
        out.l3_bytes = total;
        const Bytes l4 = frames::part(rest, header, total - header);
        if (rest[9] == 1) {
            return parse_icmp(std::move(out), PacketKind::icmp4, l4);
        }
        return rest[9] == 6 ? parse_tcp(std::move(out), l4) : std::nullopt;
    }
    static bool options_are_fine(Bytes options) {
        while (!options.empty()) {
            if (options[0] == 0) {
                return true;
            }
            if (options[0] == 1) {
                options.erase(options.begin());
                continue;
            }
            if (options.size() < 2 || options[1] < 2 || options[1] > options.size() ||
                options[0] == 131 || options[0] == 137) {
                return false;
            }
            options.erase(options.begin(), options.begin() + options[1]);
        }
        return true;
    }

    [[nodiscard]] std::optional<SlowPacket> parse_ipv6(const Bytes& rest, bool group_mac) const {
        if (rest.size() < 40 || rest[0] / 16 != 6) {
            return std::nullopt;
        }
        const size_t total = 40 + frames::get(rest, 4, 2);
        if (total > rest.size()) {
            return std::nullopt;
        }
        SlowPacket out;
        out.source = IpAddress::from_ipv6(rest.data() + 8);
        out.destination = IpAddress::from_ipv6(rest.data() + 24);
        const bool group = rest[24] == 0xff;
        const auto all = groups();
        const bool for_us = group ? std::find(all.begin(), all.end(), out.destination) != all.end()
                                  : !out.destination.is_ipv4() && is_our_address(out.destination);
        const Bytes first_octets = frames::part(rest, 8, 12);
        const bool unspecified = out.source == IpAddress{};
        const bool martian = rest[8] == 0xff || out.source.is_ipv4() ||
                             (first_octets == Bytes(12, 0) && !unspecified);
        if (!for_us || martian || (group_mac && !group)) {
            return std::nullopt;
        }
        out.ttl = rest[7];
        out.traffic_class = static_cast<uint32_t>(frames::get(rest, 0, 2) >> 4 & 0xff);
        out.l3_bytes = total;
        uint8_t protocol = rest[6];
        Bytes l4 = frames::part(rest, 40, total - 40);
        if (!skip_extensions(protocol, l4, out.router_alert)) {
            return std::nullopt;
        }
        const bool nobody = unspecified || is_our_address(out.source);
        if (protocol == 6) {
            return group || nobody ? std::nullopt : parse_tcp(std::move(out), l4);
        }
        if (protocol != 58) {
            return std::nullopt;
        }
        auto packet = parse_icmp(std::move(out), PacketKind::icmp6, l4);
        return packet && nobody && l4[0] != 135 && l4[0] != 136 ? std::nullopt : packet;
    }
    static bool skip_extensions(uint8_t& protocol, Bytes& l4, bool& router_alert) {
        for (int count = 0;; ++count) {
            if (protocol != 0 && protocol != 43 && protocol != 44 && protocol != 60) {
                return true;
            }
            if (count == 8 || l4.size() < 8 || (protocol == 0 && count > 0)) {
                return false;
            }
            const size_t bytes = protocol == 44 ? 8 : 8 + 8 * size_t{l4[1]};
            if (bytes > l4.size()) {
                return false;
            }
            const bool fine = protocol == 44   ? l4[2] == 0 && (l4[3] & 0xf9) == 0
                              : protocol == 43 ? l4[2] != 0 && l4[3] == 0
                                               : may_skip(frames::part(l4, 2, bytes - 2),
                                                          protocol == 0 ? &router_alert : nullptr);
            if (!fine) {
                return false;
            }
            protocol = l4[0];
            l4.erase(l4.begin(), l4.begin() + static_cast<long>(bytes));
        }
    }
    static bool may_skip(Bytes options, bool* router_alert) {
        while (!options.empty()) {
            size_t bytes = 1;
            if (options[0] == 5 && router_alert != nullptr) {
                *router_alert = true;
            }
            if (options[0] != 0) {
                if (options.size() < 2 || options[0] >= 0x40) {
                    return false;
                }
                bytes = size_t{2} + options[1];
            }
            if (bytes > options.size()) {
                return false;
            }
            options.erase(options.begin(), options.begin() + static_cast<long>(bytes));
        }
        return true;
    }

    static std::optional<SlowPacket> parse_icmp(SlowPacket out, PacketKind kind, const Bytes& l4) {
        const uint16_t sum = kind == PacketKind::icmp4
                                 ? frames::checksum(l4)
                                 : frames::l4_checksum(out.source, out.destination, 58, l4);
        if (l4.size() < 8 || sum != 0) {
            return std::nullopt;
        }
        out.kind = kind;
        out.payload = l4;
        return out;
    }
    static std::optional<SlowPacket> parse_tcp(SlowPacket out, const Bytes& l4) {
        if (l4.size() < 20) {
            return std::nullopt;
        }
        const size_t header = l4[12] / 16 * size_t{4};
        if (header < 20 || header > l4.size() ||
            frames::l4_checksum(out.source, out.destination, 6, l4) != 0) {
            return std::nullopt;
        }
        out.source_port = static_cast<uint16_t>(frames::get(l4, 0, 2));
        out.destination_port = static_cast<uint16_t>(frames::get(l4, 2, 2));
        out.seq = static_cast<uint32_t>(frames::get(l4, 4, 4));
        out.ack = static_cast<uint32_t>(frames::get(l4, 8, 4));
        out.flags = l4[13];
        out.window = static_cast<uint32_t>(frames::get(l4, 14, 2));
        out.options = frames::part(l4, 20, header - 20);
        out.payload = frames::part(l4, header, l4.size() - header);
        return out;
    }

    Mac mac_;
    std::vector<IpAddress> ours_;
    std::optional<uint16_t> vlan_;
    std::vector<IpAddress> broadcasts_;
};

}  // namespace sy::tcpip
