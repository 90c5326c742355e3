// Delivery receipts (SMPP 3.4 Appendix B; PROTOCOL 15 and 16.1): recognising and reading what
// suppliers send, writing what customers get, and bringing message ids to one form. Pure, no
// allocation, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/smpp/pdu.h"
#include "core/smpp/tlv.h"

namespace sy::smpp {

// message_state (SMPP 3.4 section 5.2.28; scheduled and skipped are 5.0's).
enum class MessageState : uint8_t {
    scheduled = 0,
    enroute = 1,
    delivered = 2,
    expired = 3,
    deleted = 4,
    undeliverable = 5,
    accepted = 6,
    unknown = 7,
    rejected = 8,
    skipped = 9,
};

/// "DELIVRD" and so on, 7 characters.
[[nodiscard]] std::string_view stat_word(MessageState state);
/// The standard words in any letter case, the ones that suppliers invented (FAILED, BUFFRED, ACKED)
/// and the words in full (DELIVERED).
[[nodiscard]] std::optional<MessageState> parse_stat_word(std::string_view word);

/// What a receipt says. Views point into the message.
struct Receipt {
    std::string_view message_id;       // the TLV's, else the text's; at most 64 characters
    std::string_view text_message_id;  // the text's, when it has one: may differ from the TLV's
    // A word that nobody knows counts as enroute (it may be anything, but failure it is not said to
    // be); no word at all is unknown. `state_known` is false for both.
    MessageState state = MessageState::unknown;
    bool state_known = false;
    bool intermediate = false;  // by esm_class, or enroute or scheduled
    uint32_t error = 0;         // of network_error_code, else err: as a decimal number
    std::string_view stat;      // the words as they stand in the text, empty when absent
    std::string_view err;
    std::optional<NetworkErrorCode> network_error_code;
    std::optional<uint16_t> user_message_reference;
    std::optional<uint16_t> sub;
    std::optional<uint16_t> dlvrd;
    std::optional<Nanos> submit_date_ns;  // taken as UTC; the wire does not say
    std::optional<Nanos> done_date_ns;
    std::string_view text;
};

/// Whether a deliver_sm or data_sm is a receipt: by its type bits, or its TLVs, or (where the
/// supplier's setting says so) a text that begins with "id:" and has "stat:".
[[nodiscard]] bool is_receipt(const Sm& sm, bool by_text);

/// Reads TLVs and text; what a TLV says wins. False when there is no message id to match it by.
bool parse_receipt(const Sm& sm, Receipt& out);

/// What a customer is told.
struct ReceiptText {
    std::string_view message_id;  // in the form that the customer was given
    MessageState state = MessageState::unknown;
    uint32_t error = 0;  // three decimal digits
    Nanos submitted_wall_ns = 0;
    Nanos done_wall_ns = 0;
    Octets text;  // the message's own text; the first 20 characters are quoted
    std::optional<NetworkErrorCode> network_error_code;
    std::optional<uint16_t> user_message_reference;
};

inline constexpr size_t receipt_text_octets_max = 64 + 20 + 109;  // message_id, text, the rest
inline constexpr size_t receipt_tlvs_octets_max = (4 + 65) + (4 + 1) + (4 + 3) + (4 + 2);

/// Every key of Appendix B, dates in UTC, into `out`; empty when it does not fit. REQUIRES: a
/// message_id of at most 64 octets. What is not printable ASCII in `text` becomes '?'.
[[nodiscard]] Octets format_receipt_text(const ReceiptText& receipt, std::span<uint8_t> out);

/// receipted_message_id, message_state, network_error_code (of failures, when there is one) and
/// user_message_reference (when the message had one); empty when it does not fit.
[[nodiscard]] Octets format_receipt_tlvs(const ReceiptText& receipt, std::span<uint8_t> out);

// ---------------------------------------------------------------- message ids

/// What is done with an id to compare it with its counterpart (PROTOCOL 16.1).
enum class IdConversion : uint8_t { none, hex_to_decimal, decimal_to_hex };

struct NormalisedId {
    // 64 hexadecimal digits are at most 78 decimal ones.
    std::array<char, 80> chars{};
    uint8_t length = 0;

    [[nodiscard]] std::string_view view() const { return {chars.data(), length}; }
};

/// Numbers (decimal or hexadecimal digits only) lose leading zeros and are converted, at any
/// length; letters become lower case; anything else stays as it is. Empty for an id of more than 64
/// characters, or of spaces only.
void normalise_message_id(std::string_view id, IdConversion conversion, NormalisedId& out);

}  // namespace sy::smpp
