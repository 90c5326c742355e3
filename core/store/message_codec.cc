#include "core/store/message_codec.h"

#include <algorithm>
#include <cstring>

#include "core/base/prng.h"
#include "core/smpp/decode.h"
#include "core/store/fields.h"

namespace sy::store {
namespace {

using engine::Message;

constexpr size_t key_integers_octets = 1 + 2 * sizeof(uint64_t);  // priority, due, sequence
constexpr uint8_t flag_maybe_sent = 0x01;
constexpr uint8_t flag_scheduled = 0x02;
constexpr uint8_t flag_data_sm = 0x01;

void append_octet(std::string& to, uint8_t value) {
    to.push_back(static_cast<char>(value));
}

uint8_t flags_of(const Waiting& waiting) {
    return static_cast<uint8_t>((waiting.maybe_sent ? flag_maybe_sent : 0) |
                                (waiting.is_scheduled ? flag_scheduled : 0));
}

void set_flags(uint8_t flags, Waiting& out) {
    out.maybe_sent = (flags & flag_maybe_sent) != 0;
    out.is_scheduled = (flags & flag_scheduled) != 0;
}

constexpr uint8_t flag_ended = 0x01;
constexpr uint8_t flag_maybe_sent_on = 0x02;

void append_watch(std::string& out, const engine::Watch& watch) {
    append(out, watch.due_ns);
    append_octet(out, static_cast<uint8_t>((watch.has_ended ? flag_ended : 0) |
                                           (watch.maybe_sent ? flag_maybe_sent_on : 0)));
    append(out, watch.receipt_ns);
    append_octet(out, watch.failed_state);
    append(out, watch.failed_error);
    append_octet(out, watch.tries);
    append_octet(out, watch.round);
    for (uint8_t i = 0; i < watch.round; ++i) {
        append(out, watch.tried[i]);
    }
}

bool read_watch(FieldReader& in, engine::Watch& watch) {
    watch.due_ns = in.integer<uint64_t>();
    const auto flags = in.integer<uint8_t>();
    watch.has_ended = (flags & flag_ended) != 0;
    watch.maybe_sent = (flags & flag_maybe_sent_on) != 0;
    watch.receipt_ns = in.integer<uint64_t>();
    watch.failed_state = in.integer<uint8_t>();
    watch.failed_error = static_cast<uint32_t>(in.integer<uint64_t>());
    watch.tries = in.integer<uint8_t>();
    watch.round = in.integer<uint8_t>();
    if (watch.round > engine::Watch::rounds_max) {
        return false;
    }
    for (uint8_t i = 0; i < watch.round; ++i) {
        watch.tried[i] = in.integer<uint64_t>();
    }
    return true;
}

bool is_version(uint8_t value) {
    return value == static_cast<uint8_t>(smpp::Version::v33) ||
           value == static_cast<uint8_t>(smpp::Version::v34) ||
           value == static_cast<uint8_t>(smpp::Version::v50);
}

}  // namespace

std::string message_key(uint64_t id) {
    std::string out;
    append(out, id);
    return out;
}

std::string encode_message(const Message& message, const Names& names) {
    std::string out;
    const std::string_view customer = names.name_of(message.customer);
    out.reserve(64 + customer.size() + message.body_bytes);
    append_octet(out, message.watched ? watched_version : message_version);
    if (message.watched) {
        append_watch(out, message.watch);
    }
    append(out, message.accepted_wall_ns);
    append(out, message.expires_wall_ns);
    append(out, message.store_sequence);
    append(out, message.destination_hash);
    append_octet(out, priority_of(message));
    append_octet(out, static_cast<uint8_t>(message.id_form));
    append_octet(out, static_cast<uint8_t>(message.version));
    append_octet(out, message.is_data_sm ? flag_data_sm : uint8_t{0});
    append_octet(out, static_cast<uint8_t>(customer.size()));
    out.append(customer);
    out.append(as_chars({message.body, message.body_bytes}));
    return out;
}

bool decode_message(std::string_view value, const Names& names, StoredMessage& out) {
    FieldReader in(value);
    const auto layout = in.integer<uint8_t>();
    out.is_watched = layout == watched_version;
    if ((layout != message_version && !out.is_watched) ||
        (out.is_watched && !read_watch(in, out.watch))) {
        return false;
    }
    out.accepted_wall_ns = in.integer<uint64_t>();
    out.expires_wall_ns = in.integer<uint64_t>();
    out.sequence = in.integer<uint64_t>();
    out.destination = in.integer<uint64_t>();
    out.priority = in.integer<uint8_t>();
    const auto form = in.integer<uint8_t>();
    const auto version = in.integer<uint8_t>();
    out.id_form = static_cast<engine::IdForm>(form);
    out.version = static_cast<smpp::Version>(version);
    out.is_data_sm = (in.integer<uint8_t>() & flag_data_sm) != 0;
    out.customer_name = in.text();
    out.customer = names.find_customer(out.customer_name);
    if (in.is_short() || out.priority >= priorities ||
        form > static_cast<uint8_t>(engine::IdForm::hex8) || !is_version(version)) {
        return false;
    }
    out.body = in.rest();
    return out.body.size() <= limits::pdu_bytes_max;
}

void set_watch(std::string& value, const engine::Watch& watch) {
    std::string octets;
    append_watch(octets, watch);
    value.replace(1, octets.size(), octets);
}

bool restore(const StoredMessage& stored, uint64_t id, Message& message) {
    SY_ASSERT(stored.body.size() <= message.body_capacity);
    std::memcpy(message.body, stored.body.data(), stored.body.size());
    message.body_bytes = static_cast<uint32_t>(stored.body.size());
    const Octets body{message.body, message.body_bytes};
    const smpp::DecodeRules rules{.version = stored.version};
    const auto status = stored.is_data_sm ? smpp::decode_data_sm(body, rules, message.sm)
                                          : smpp::decode_sm(body, rules, message.sm);
    message.kind = engine::MessageKind::mt;
    message.id = id;
    message.id_form = stored.id_form;
    message.version = stored.version;
    message.is_data_sm = stored.is_data_sm;
    message.customer = stored.customer;
    message.accepted_wall_ns = stored.accepted_wall_ns;
    message.expires_wall_ns = stored.expires_wall_ns;
    message.store_sequence = stored.sequence;
    message.destination_hash = stored.destination;
    message.stored = !stored.is_watched;
    message.watched = stored.is_watched;
    message.rerouted = stored.is_watched;
    message.watch = stored.watch;
    return status == smpp::CommandStatus::esme_rok;
}

std::string watch_key(Nanos due_ns, uint64_t sequence) {
    std::string out;
    append(out, due_ns);
    append(out, sequence);
    return out;
}

bool decode_watch(std::string_view key, std::string_view value, Nanos& due_ns, uint64_t& id) {
    FieldReader at(key);
    due_ns = at.integer<uint64_t>();
    (void)at.integer<uint64_t>();
    FieldReader in(value);
    id = in.integer<uint64_t>();
    return at.is_whole() && in.is_whole();
}

std::string queue_prefix(std::string_view customer, uint8_t priority) {
    std::string out(customer);
    out.push_back('\0');
    append_octet(out, static_cast<uint8_t>(priorities - 1 - priority));
    return out;
}

std::string queue_key(std::string_view customer,
                      uint8_t priority,
                      Nanos due_ns,
                      uint64_t sequence) {
    std::string out = queue_prefix(customer, priority);
    append(out, due_ns);
    append(out, sequence);
    return out;
}

std::string encode_queue_value(const Waiting& waiting) {
    std::string out;
    append_octet(out, message_version);
    append(out, waiting.id);
    append(out, waiting.destination);
    append_octet(out, waiting.tries);
    append_octet(out, flags_of(waiting));
    return out;
}

bool decode_queue(std::string_view key,
                  std::string_view value,
                  std::string_view& customer,
                  Waiting& out) {
    const size_t name_octets = key.find('\0');
    if (name_octets == std::string_view::npos ||
        key.size() != name_octets + 1 + key_integers_octets) {
        return false;
    }
    customer = key.substr(0, name_octets);
    FieldReader at(key.substr(name_octets + 1));
    const auto rank = at.integer<uint8_t>();
    out.priority = static_cast<uint8_t>(priorities - 1 - rank);
    out.due_ns = at.integer<uint64_t>();
    out.sequence = at.integer<uint64_t>();
    FieldReader in(value);
    const auto version = in.integer<uint8_t>();
    out.id = in.integer<uint64_t>();
    out.destination = in.integer<uint64_t>();
    out.tries = in.integer<uint8_t>();
    set_flags(in.integer<uint8_t>(), out);
    return rank < priorities && version == message_version && in.is_whole();
}

std::string order_prefix(uint64_t destination) {
    std::string out;
    append(out, destination);
    return out;
}

std::string order_key(uint64_t destination, uint64_t sequence) {
    std::string out = order_prefix(destination);
    append(out, sequence);
    return out;
}

std::string encode_order_value(const Waiting& waiting) {
    std::string out;
    append_octet(out, message_version);
    append_octet(out, waiting.priority);
    append(out, waiting.due_ns);
    append(out, waiting.id);
    append_octet(out, waiting.tries);
    append_octet(out, flags_of(waiting));
    return out;
}

bool decode_order(std::string_view key, std::string_view value, Waiting& out) {
    FieldReader at(key);
    out.destination = at.integer<uint64_t>();
    out.sequence = at.integer<uint64_t>();
    FieldReader in(value);
    const auto version = in.integer<uint8_t>();
    out.priority = in.integer<uint8_t>();
    out.due_ns = in.integer<uint64_t>();
    out.id = in.integer<uint64_t>();
    out.tries = in.integer<uint8_t>();
    set_flags(in.integer<uint8_t>(), out);
    return at.is_whole() && in.is_whole() && version == message_version &&
           out.priority < priorities;
}

uint8_t priority_of(const Message& message) {
    return std::min<uint8_t>(message.sm.priority_flag, priorities - 1);
}

uint64_t destination_hash(std::string_view customer, std::string_view destination) {
    uint64_t hash = mix64(customer.size());
    for (const std::string_view text : {customer, destination}) {
        for (const char c : text) {
            hash = mix64(hash ^ static_cast<uint8_t>(c));
        }
    }
    return hash;
}

}  // namespace sy::store
