// What a receipt needs to know of the message that it is about. Pure; any thread.
#pragma once

#include <cstdint>

#include "core/base/time.h"
#include "core/engine/message.h"
#include "core/smpp/receipt.h"

namespace sy::engine {

/// The way back to the message's customer; `submitted_wall_ns`: when that handed it over.
void fill_way(const Message& message, Nanos submitted_wall_ns, ReceiptWay& way);

/// Makes the message, which ended here, the receipt that its customer is owed: `way` and receipt_*.
void make_own_receipt(Message& message,
                      smpp::MessageState state,
                      smpp::CommandStatus status,
                      Nanos now_wall_ns);

[[nodiscard]] bool is_success(smpp::MessageState state);

/// Whether a customer asked for a receipt of this state: SMPP 3.4 section 5.2.17; value 3 is
/// "success only" (5.0).
[[nodiscard]] bool is_wanted(uint8_t registered_delivery, bool final, smpp::MessageState state);

}  // namespace sy::engine
