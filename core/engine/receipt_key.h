// The key of a supplier's message id: the id brought to one form (smpp/receipt.h), then 128 bits.
#pragma once

#include <cstring>
#include <string_view>

#include "core/base/prng.h"
#include "core/engine/message.h"
#include "core/route/account.h"
#include "core/smpp/receipt.h"

namespace sy::engine {

/// How ids are converted in a submit_sm_resp and in a receipt, so that both end in the same form
/// (PROTOCOL 16.1): only the side that differs from decimal is converted.
[[nodiscard]] inline smpp::IdConversion response_id_form(const route::Supplier* supplier) {
    return supplier != nullptr && supplier->id_mode == route::MessageIdMode::hex_decimal
               ? smpp::IdConversion::hex_to_decimal
               : smpp::IdConversion::none;
}
[[nodiscard]] inline smpp::IdConversion receipt_id_form(const route::Supplier* supplier) {
    return supplier != nullptr && supplier->id_mode == route::MessageIdMode::decimal_hex
               ? smpp::IdConversion::hex_to_decimal
               : smpp::IdConversion::none;
}

/// What tells suppliers apart in keys: of the name, so that it is the same after a restart,
/// whatever the order of the accounts.
[[nodiscard]] inline uint64_t key_seed(std::string_view supplier_name) {
    uint64_t seed = mix64(supplier_name.size());
    for (const char c : supplier_name) {
        seed = mix64(seed ^ static_cast<uint8_t>(c));
    }
    return seed;
}

/// `seed`: key_seed() of the supplier. False when the id is empty.
[[nodiscard]] inline bool receipt_key(uint64_t seed,
                                      std::string_view message_id,
                                      smpp::IdConversion conversion,
                                      ReceiptKey& out) {
    smpp::NormalisedId id;
    smpp::normalise_message_id(message_id, conversion, id);
    const std::string_view text = id.view();
    if (text.empty()) {
        return false;
    }
    uint64_t high = mix64(seed + 1);
    uint64_t low = mix64(seed ^ (uint64_t{text.size()} << 32));
    for (size_t at = 0; at < text.size(); at += sizeof(uint64_t)) {
        uint64_t word = 0;
        std::memcpy(&word, text.data() + at, std::min(sizeof word, text.size() - at));
        high = mix64(high ^ word);
        low = mix64(low + word * 0x9FB21C651E98DF25u);
    }
    out = {high, low};
    return true;
}

}  // namespace sy::engine
