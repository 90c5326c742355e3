#include "core/base/endpoint.h"

#include <arpa/inet.h>
#include <charconv>
#include <cstring>

namespace sy {
namespace {

constexpr std::array<uint8_t, 12> v4_mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

bool parse_address(std::string_view text, std::array<uint8_t, 16>& out) {
    const std::string copy(text);
    if (inet_pton(AF_INET6, copy.c_str(), out.data()) == 1) {
        return true;
    }
    std::memcpy(out.data(), v4_mapped.data(), v4_mapped.size());
    return inet_pton(AF_INET, copy.c_str(), out.data() + v4_mapped.size()) == 1;
}

bool is_v4(const std::array<uint8_t, 16>& address) {
    return std::memcmp(address.data(), v4_mapped.data(), v4_mapped.size()) == 0;
}

template <class T>
bool parse_number(std::string_view text, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
    const auto wrong = [&] {
        return fail("'" + std::string(text) +
                    "' is not an address and port, expected 127.0.0.1:2775 or [::1]:2775");
    };
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return wrong();
    }
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return wrong();
    }
    Endpoint out;
    if (!parse_number(text.substr(colon + 1), out.port) || !parse_address(host, out.address)) {
        return wrong();
    }
    return out;
}

bool is_ipv4(const Endpoint& endpoint) {
    return is_v4(endpoint.address);
}

std::string to_string(const Endpoint& endpoint) {
    char text[INET6_ADDRSTRLEN] = "";
    const bool v4 = is_ipv4(endpoint);
    inet_ntop(v4 ? AF_INET : AF_INET6, endpoint.address.data() + (v4 ? v4_mapped.size() : 0), text,
              sizeof text);
    return (v4 ? std::string(text) : "[" + std::string(text) + "]") + ":" +
           std::to_string(endpoint.port);
}

Result<Cidr> parse_cidr(std::string_view text) {
    const size_t slash = text.find('/');
    Cidr out;
    bool good = parse_address(text.substr(0, slash), out.address);
    const unsigned base = good && is_v4(out.address) ? 96 : 0;
    if (good && slash != std::string_view::npos) {
        unsigned bits = 0;
        good = parse_number(text.substr(slash + 1), bits) && bits <= 128 - base;
        out.prefix_bits = static_cast<uint8_t>(base + bits);
    }
    if (!good) {
        return fail("'" + std::string(text) + "' is not an address block, expected 10.0.0.0/8");
    }
    return out;
}

bool Cidr::contains(const Endpoint& endpoint) const {
    const size_t whole = prefix_bits / 8;
    if (std::memcmp(address.data(), endpoint.address.data(), whole) != 0) {
        return false;
    }
    const unsigned rest = prefix_bits % 8;
    return rest == 0 || ((address[whole] ^ endpoint.address[whole]) >> (8 - rest)) == 0;
}

}  // namespace sy
