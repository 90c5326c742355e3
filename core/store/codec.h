// How ways back and receipts are written in the store: one octet of version, then big-endian
// fields. Customers and networks are written by name, since ids are of one run of the router. Pure;
// any thread. What is read is not trusted: anything wrong is said, never guessed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/engine/message.h"
#include "core/store/names.h"

namespace sy::store {

/// Of the values; a reader refuses newer ones, and reads older ones for as long as there are any.
inline constexpr uint8_t format_version = 1;
/// Of a receipt's: names the supplier that it came from, which format_version did not.
inline constexpr uint8_t receipt_version = 2;

// --- Keys.

/// 16 octets: all ways of one supplier's id, which may have been used more than once.
[[nodiscard]] std::string way_prefix(const engine::ReceiptKey& key);
[[nodiscard]] std::string way_key(const engine::ReceiptKey& key, uint64_t id);
[[nodiscard]] std::string receipt_prefix(std::string_view customer);
/// In order of `sequence`. Customers' names hold no NUL.
[[nodiscard]] std::string receipt_key(std::string_view customer, uint64_t sequence);
/// False for what receipt_key() does not make.
[[nodiscard]] bool parse_receipt_key(std::string_view key,
                                     std::string_view& customer,
                                     uint64_t& sequence);

// --- Values.

[[nodiscard]] std::string encode_way(const engine::ReceiptWay& way, const Names& names);
[[nodiscard]] bool decode_way(std::string_view value, const Names& names, engine::ReceiptWay& out);

/// way, receipt_state, receipt_error, intermediate, network_error_code and received_wall_ns of the
/// message. `supplier`: that it came from; none: the router made it.
[[nodiscard]] std::string encode_receipt(const engine::Message& message,
                                         SupplierId supplier,
                                         const Names& names);
/// Likewise, and `supplier`.
[[nodiscard]] bool decode_receipt(std::string_view value, const Names& names, engine::Message& out);

/// When it began to count: of a way its submit, of a receipt its arrival (UTC); 0 for what cannot
/// be read. For expiry without names.
[[nodiscard]] Nanos wall_ns_of(std::string_view value);

}  // namespace sy::store
