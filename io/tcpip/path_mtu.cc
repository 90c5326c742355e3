#include "io/tcpip/path_mtu.h"

#include <algorithm>

#include "core/base/prng.h"

namespace sy::tcpip {

uint32_t PathMtu::set_of(const IpAddress& remote) const {
    uint64_t words[2];
    std::memcpy(words, remote.octets.data(), sizeof words);
    return static_cast<uint32_t>(mix64(mix64(words[0] ^ seed_) + words[1])) & (sets - 1);
}

uint32_t PathMtu::of(const IpAddress& remote) const {
    const Entry* set = &entries_[set_of(remote) * ways];
    for (uint32_t way = 0; way < ways; ++way) {
        if (set[way].mtu != 0 && set[way].remote == remote) {
            return set[way].mtu;
        }
    }
    return 0;
}

bool PathMtu::learn(const IpAddress& remote, uint32_t mtu, Nanos now) {
    mtu = std::max(mtu, remote.is_ipv4() ? ipv4_min : ipv6_min);
    Entry* set = &entries_[set_of(remote) * ways];
    Entry* chosen = set;
    for (uint32_t way = 0; way < ways; ++way) {
        Entry& entry = set[way];
        if (entry.mtu != 0 && entry.remote == remote) {
            chosen = &entry;
            break;
        }
        // An unused one expires at 0: before all others.
        chosen = entry.expires_ns < chosen->expires_ns ? &entry : chosen;
    }
    const bool known = chosen->mtu != 0 && chosen->remote == remote;
    if (known && mtu >= chosen->mtu) {
        return false;
    }
    *chosen = {.remote = remote, .mtu = mtu, .expires_ns = now + lifetime_ns};
    next_ns_ = std::min(next_ns_, chosen->expires_ns);
    return true;
}

void PathMtu::tick(Nanos now) {
    if (now < next_ns_) {
        return;
    }
    next_ns_ = ~Nanos{0};
    for (Entry& entry : entries_) {
        if (entry.mtu != 0 && entry.expires_ns <= now) {
            entry = Entry{};
        } else if (entry.mtu != 0) {
            next_ns_ = std::min(next_ns_, entry.expires_ns);
        }
    }
}

}  // namespace sy::tcpip
