// Every limit in one place, each with its reason. Exceeding one is an outcome with a name, never
// UB.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sy::limits {

// SMPP: 64 KiB is the largest message_payload (16-bit TLV length); 4 KiB hold all other fields.
inline constexpr uint32_t pdu_bytes_max = 64 * 1024 + 4 * 1024;
inline constexpr uint32_t pdu_header_bytes = 16;

// Messages cut, decided and dispatched together: LIMITS measured 16 to 32 overlapped cache misses.
inline constexpr uint32_t burst = 32;

inline constexpr uint32_t workers_max = 64;  // one bit each in a customer's worker mask
inline constexpr uint32_t suppliers_max = 1024;
inline constexpr uint32_t customers_max = 16384;
inline constexpr uint32_t plans_max = 16384;

// MCCMNCs: the world has about 3,000; two bytes an answer of the prefix index.
inline constexpr uint32_t networks_max = 16384;

// Pairs of supplier and network whose quality is kept apart; later ones count for their supplier
// alone. Some 100 bytes each on every worker and for the board.
inline constexpr uint32_t quality_pairs_max = 16384;

// Distinct `when` of a table; a worker remembers 24 octets of each.
inline constexpr uint32_t whens_max = 16384;

// Links to suppliers on one worker.
inline constexpr uint32_t trunks_max = 4096;

// Targets that one decision can carry, all tiers together.
inline constexpr uint32_t targets_max = 16;

// Customers that get a copy of an MO message, beside its targets; both together fit where a message
// keeps its targets.
inline constexpr uint32_t copies_max = 4;

// Answers that one inbound number gives to one phone in an hour: a person is never that quick, two
// machines that answer each other end there.
inline constexpr uint32_t replies_an_hour_max = 20;

// Outstanding requests of one session, one direction (PROTOCOL: 1 to 200 are typical).
inline constexpr uint32_t window_max = 4096;

// E.164 numbers have at most 15 digits; 20 fit into the SMPP address field (21 with the NUL).
inline constexpr uint32_t number_digits_max = 15;
inline constexpr uint32_t address_octets_max = 20;
inline constexpr uint32_t message_id_octets_max = 64;  // SMPP 3.4 section 5.2.23: 65 with the NUL

// Text of one part as UTF-8 for the expression scan: 255 octets of UCS-2 or GSM grow at most 3x;
// longer text (message_payload) is scanned up to here.
inline constexpr uint32_t scan_text_bytes_max = 4096;

// x86-64 line size; std::hardware_destructive_interference_size is ABI-dependent, so our own.
inline constexpr size_t cache_line_bytes = 64;

}  // namespace sy::limits
