// A submit_multi under way: one message a destination, one answer when the last of them has settled
// (SMPP 3.4 section 4.5), or has been stored. Lives at the customer's worker.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/limits.h"
#include "core/smpp/pdu.h"
#include "core/smpp/status.h"

namespace sy::engine {

struct MultiGroup {
    struct Failed {
        uint8_t ton = 0;
        uint8_t npi = 0;
        uint8_t length = 0;
        std::array<char, limits::address_octets_max> digits{};
        smpp::CommandStatus status{};
    };

    static constexpr uint32_t destinations_max = 255;  // number_of_dests is one octet

    uint64_t id = 0;    // that the answer tells
    uint16_t open = 0;  // messages that have not settled
    uint16_t failed_count = 0;
    std::array<Failed, destinations_max> failed;
};

}  // namespace sy::engine
