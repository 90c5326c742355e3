// The common shape of a submit_sm or deliver_sm body, decoded without searching field by field: the
// NULs among its first 64 octets become one bit mask, and each field's end is the next bit. Says no
// to anything unusual or wrong, which the plain decoder then handles. Private to core/smpp.
//
// Evidence: bench smpp/decode (README.md of this folder has the figures of both ways).
#pragma once

#include <bit>
#include <cstring>
#include <emmintrin.h>

#include "core/smpp/field_limits.h"
#include "core/smpp/pdu.h"

namespace sy::smpp {

inline constexpr size_t nul_mask_octets = 64;
inline constexpr size_t nul_mask_half_octets = nul_mask_octets / 2;

/// Bit i is set when from[i] is NUL, for 32 octets. SSE2 is part of every x86-64.
[[nodiscard]] inline uint64_t nul_mask_half(const uint8_t* from) {
    const __m128i zero = _mm_setzero_si128();
    __m128i low;
    __m128i high;
    std::memcpy(&low, from, sizeof low);
    std::memcpy(&high, from + sizeof low, sizeof high);
    const auto low_bits = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(low, zero)));
    const auto high_bits = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(high, zero)));
    return low_bits | (high_bits << 16);
}

/// Bit i is set when body[i] is NUL, for the first 64 octets; bits behind the end are clear.
/// REQUIRES: body.size() >= 32. The halves overlap in a body of less than 64 octets.
[[nodiscard]] inline uint64_t nul_mask(Octets body) {
    const size_t second_at =
        (body.size() < nul_mask_octets ? body.size() : nul_mask_octets) - nul_mask_half_octets;
    return nul_mask_half(body.data()) | (nul_mask_half(body.data() + second_at) << second_at);
}

/// False: not decided here, `out` is then unspecified. True: `out` is complete but for its TLVs,
/// which begin at `tlvs_at`.
[[nodiscard]] inline bool decode_sm_fast(Octets body, Sm& out, size_t& tlvs_at) {
    if (body.size() < nul_mask_half_octets) {
        return false;
    }
    const uint8_t* octets = body.data();
    const auto* chars = reinterpret_cast<const char*>(octets);
    const uint64_t nuls = nul_mask(body);
    const auto field_length = [nuls](size_t at) {
        return static_cast<size_t>(std::countr_zero(nuls >> at));
    };

    const size_t service_type_length = field_length(0);
    if (service_type_length > service_type_octets_max) {
        return false;
    }
    const size_t source_at = service_type_length + 3;  // NUL, TON, NPI
    const size_t source_length = field_length(source_at);
    if (source_length > address_octets_max) {
        return false;
    }
    const size_t destination_at = source_at + source_length + 3;
    const size_t destination_length = field_length(destination_at);
    if (destination_length > address_octets_max) {
        return false;
    }
    // The shifts above and the one mask word are enough only while every field begins inside it.
    static_assert(service_type_octets_max + address_octets_max + 6 < nul_mask_octets);

    const size_t flags_at = destination_at + destination_length + 1;
    const size_t schedule_at = flags_at + 3;
    constexpr size_t octets_after_schedule = 7;  // its NUL, an empty validity_period, 5 octets
    if (schedule_at + octets_after_schedule > body.size() || octets[schedule_at] != 0) {
        return false;
    }
    size_t at = schedule_at + 1;
    size_t validity_length = 0;
    if (octets[at] != 0) {
        if (body.size() - at < time_octets + 6 ||
            std::memchr(octets + at, 0, time_octets + 1) != octets + at + time_octets) {
            return false;
        }
        validity_length = time_octets;
    }
    const size_t validity_at = at;
    at += validity_length + 1;
    const size_t sm_length = octets[at + 4];
    const size_t short_message_at = at + 5;
    if (sm_length > body.size() - short_message_at) {
        return false;
    }

    out.service_type = {chars, service_type_length};
    out.source = {octets[source_at - 2], octets[source_at - 1], {chars + source_at, source_length}};
    out.destination = {octets[destination_at - 2],
                       octets[destination_at - 1],
                       {chars + destination_at, destination_length}};
    out.esm_class = octets[flags_at];
    out.protocol_id = octets[flags_at + 1];
    out.priority_flag = octets[flags_at + 2];
    out.schedule_delivery_time = {};
    out.validity_period = {chars + validity_at, validity_length};
    out.registered_delivery = octets[at];
    out.replace_if_present_flag = octets[at + 1];
    out.data_coding = octets[at + 2];
    out.sm_default_msg_id = octets[at + 3];
    out.short_message = body.subspan(short_message_at, sm_length);
    tlvs_at = short_message_at + sm_length;
    return true;
}

}  // namespace sy::smpp
