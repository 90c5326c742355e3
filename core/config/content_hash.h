// A hash of a file's content, to see that it did not change since the last load. Control plane
// only. Not for secrets: nobody gains by making two of his own tables look alike.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/base/prng.h"

namespace sy::config {

[[nodiscard]] inline uint64_t content_hash(std::string_view text) {
    // Four lanes, so that the multiplications overlap: a gigabyte in a fraction of a second.
    constexpr uint64_t odd = 0x9E3779B97F4A7C15u;
    uint64_t lanes[4] = {1, 2, 3, 4};
    size_t at = 0;
    for (; at + sizeof lanes <= text.size(); at += sizeof lanes) {
        uint64_t words[4];
        std::memcpy(words, text.data() + at, sizeof words);
        for (size_t i = 0; i < 4; ++i) {
            lanes[i] = (lanes[i] ^ words[i]) * odd;
            lanes[i] ^= lanes[i] >> 29;
        }
    }
    uint64_t tail[4] = {};
    if (at < text.size()) {
        std::memcpy(tail, text.data() + at, text.size() - at);
    }
    uint64_t hash = mix64(text.size());
    for (size_t i = 0; i < 4; ++i) {
        hash = mix64(hash ^ mix64(lanes[i] ^ mix64(tail[i])));
    }
    return hash;
}

}  // namespace sy::config
