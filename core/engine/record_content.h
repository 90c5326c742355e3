// What a record tells of the message itself. Pure; any thread.
#pragma once

#include "core/engine/message.h"
#include "core/engine/record.h"

namespace sy::engine {

/// Addresses, coding, UDH, part, size, and the text where it is wanted: views into the message.
void set_content(const Message& message, bool with_text, Record& out);

}  // namespace sy::engine
