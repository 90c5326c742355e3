#include "io/dpdk/rss.h"

namespace sy::dpdk {

RssKey own_rss_key() {
    RssKey key{};
    for (size_t i = 0; i < key.size(); ++i) {
        key[i] = i % 2 == 0 ? 0x6d : 0x5a;
    }
    return key;
}

Toeplitz::Toeplitz(std::span<const uint8_t> key) {
    SY_ASSERT(key.size() >= rss_key_bytes_min);
    for (size_t row = 0; row < table_.size(); ++row) {
        // Bit b (0: highest) of octet `row` adds the 32 bits of the key that begin at bit 8 row +
        // b.
        uint64_t window = 0;
        for (size_t i = 0; i < 5; ++i) {
            window = window << 8 | key[row + i];
        }
        for (size_t value = 0; value < 256; ++value) {
            uint32_t sum = 0;
            for (unsigned bit = 0; bit < 8; ++bit) {
                if ((value >> (7 - bit) & 1) != 0) {
                    sum ^= static_cast<uint32_t>(window >> (8 - bit));
                }
            }
            table_[row][value] = sum;
        }
    }
}

QueueMap QueueMap::make_own(uint32_t queues) {
    SY_ASSERT(queues > 0 && queues <= UINT16_MAX);
    constexpr uint32_t entries_a_queue = 128;
    std::vector<uint16_t> reta(size_t{queues} * entries_a_queue);
    for (size_t i = 0; i < reta.size(); ++i) {
        reta[i] = static_cast<uint16_t>(i % queues);
    }
    return {own_rss_key(), std::move(reta)};
}

}  // namespace sy::dpdk
