// How messages taken to store and forward are written: the message itself, and where it stands
// while it waits. One octet of version, then the fields of fields.h; customers by name. Pure; any
// thread. What is read is not trusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/engine/message.h"
#include "core/store/names.h"

namespace sy::store {

inline constexpr uint8_t message_version = 1;
inline constexpr uint8_t watched_version = 2;  // of a message whose receipt decides
inline constexpr uint8_t priorities = 4;       // priority_flag 0 to 3 (SMPP 3.4 section 5.2.14)

/// A message that waits in the store alone.
struct Waiting {
    uint8_t priority = 0;
    uint8_t tries = 0;
    bool maybe_sent = false;
    bool is_scheduled = false;  // for the time that its customer named: until then in nobody's way
    Nanos due_ns = 0;           // UTC
    uint64_t sequence = 0;      // in which messages were taken
    uint64_t id = 0;
    uint64_t destination = 0;  // hash of customer and destination
};

// --- Family::messages: our id -> the message.

[[nodiscard]] std::string message_key(uint64_t id);
[[nodiscard]] std::string encode_message(const engine::Message& message, const Names& names);
/// What is needed of a message before its body: `body` points into `value`.
struct StoredMessage {
    Nanos accepted_wall_ns = 0;
    Nanos expires_wall_ns = 0;
    uint64_t sequence = 0;
    uint64_t destination = 0;
    uint8_t priority = 0;
    engine::IdForm id_form{};
    smpp::Version version{};
    bool is_data_sm = false;
    std::string_view customer_name;
    CustomerId customer;  // none: of a name that this run has not met
    bool is_watched = false;
    engine::Watch watch;  // where it is
    Octets body;
};
[[nodiscard]] bool decode_message(std::string_view value, const Names& names, StoredMessage& out);
/// Writes another Watch of as many rounds into the value. REQUIRES: decode_message() has it
/// watched.
void set_watch(std::string& value, const engine::Watch& watch);
/// Sets the message from it: its body and the views into it, all that was decided when it was
/// taken. REQUIRES: message.body_capacity >= stored.body.size(). False when the body is no message.
[[nodiscard]] bool restore(const StoredMessage& stored, uint64_t id, engine::Message& message);

// --- Family::watches: due, sequence -> id of a message that a supplier has accepted.

[[nodiscard]] std::string watch_key(Nanos due_ns, uint64_t sequence);
/// False for what watch_key() and message_key() do not make.
[[nodiscard]] bool decode_watch(std::string_view key,
                                std::string_view value,
                                Nanos& due_ns,
                                uint64_t& id);

// --- Family::queue: customer, priority, due, sequence -> id and how it stands.

[[nodiscard]] std::string queue_prefix(std::string_view customer, uint8_t priority);
[[nodiscard]] std::string queue_key(std::string_view customer,
                                    uint8_t priority,
                                    Nanos due_ns,
                                    uint64_t sequence);
[[nodiscard]] std::string encode_queue_value(const Waiting& waiting);
/// False for what queue_key() and encode_queue_value() do not make.
[[nodiscard]] bool decode_queue(std::string_view key,
                                std::string_view value,
                                std::string_view& customer,
                                Waiting& out);

// --- Family::order: destination, sequence -> where in the queue. In it the first of a destination
// --- is the one that goes first.

[[nodiscard]] std::string order_prefix(uint64_t destination);
[[nodiscard]] std::string order_key(uint64_t destination, uint64_t sequence);
[[nodiscard]] std::string encode_order_value(const Waiting& waiting);
[[nodiscard]] bool decode_order(std::string_view key, std::string_view value, Waiting& out);

/// destination_hash(): the same over restarts, of the customer's name and the normalised
/// destination.
[[nodiscard]] uint8_t priority_of(const engine::Message& message);
[[nodiscard]] uint64_t destination_hash(std::string_view customer, std::string_view destination);

}  // namespace sy::store
