#include "core/store/codec.h"

#include <array>

#include "core/base/bytes.h"
#include "core/smpp/receipt.h"
#include "core/store/fields.h"

namespace sy::store {
namespace {

using engine::ReceiptWay;

constexpr size_t integer_octets = 8;
// Version, time, three names of 255, two addresses, the rest.
constexpr size_t value_octets_max = 1024;

constexpr uint8_t flag_reference = 0x01;
constexpr uint8_t flag_lost = 0x02;
constexpr uint8_t flag_round = 0x04;
constexpr uint8_t flag_intermediate = 0x01;
constexpr uint8_t flag_network_error = 0x02;

bool read_address(FieldReader& in,
                  uint8_t& ton,
                  uint8_t& npi,
                  uint8_t& length,
                  std::array<char, limits::address_octets_max>& digits) {
    ton = in.integer<uint8_t>();
    npi = in.integer<uint8_t>();
    const std::string_view text = in.text();
    length = static_cast<uint8_t>(text.copy(digits.data(), digits.size()));
    return text.size() == length;
}

void write_way(ByteWriter& out, const ReceiptWay& way, const Names& names) {
    out.integer(way.id);
    out.integer(static_cast<uint8_t>(way.id_form));
    out.integer(way.registered_delivery);
    out.integer(way.source_ton);
    out.integer(way.source_npi);
    write_text(out, {way.source.data(), way.source_length});
    out.integer(way.destination_ton);
    out.integer(way.destination_npi);
    write_text(out, {way.destination.data(), way.destination_length});
    out.integer(static_cast<uint8_t>((way.has_reference ? flag_reference : 0) |
                                     (way.is_lost ? flag_lost : 0) |
                                     (way.round != 0 ? flag_round : 0)));
    out.integer(way.user_message_reference);
    if (way.round != 0) {
        out.integer(way.round);
    }
    write_text(out, names.name_of(way.customer));
    write_text(out, names.name_of(way.network));
}

bool read_way(FieldReader& in, const Names& names, ReceiptWay& way) {
    way.id = in.integer<uint64_t>();
    const auto form = in.integer<uint8_t>();
    way.id_form = static_cast<engine::IdForm>(form);
    way.registered_delivery = in.integer<uint8_t>();
    const bool addresses =
        read_address(in, way.source_ton, way.source_npi, way.source_length, way.source) &&
        read_address(in, way.destination_ton, way.destination_npi, way.destination_length,
                     way.destination);
    const auto flags = in.integer<uint8_t>();
    way.has_reference = (flags & flag_reference) != 0;
    way.is_lost = (flags & flag_lost) != 0;
    way.user_message_reference = in.integer<uint16_t>();
    way.round = (flags & flag_round) != 0 ? in.integer<uint8_t>() : uint8_t{0};
    way.customer = names.find_customer(in.text());
    way.network = names.find_network(in.text());
    return addresses && form <= static_cast<uint8_t>(engine::IdForm::hex8);
}

std::string as_string(const std::array<uint8_t, value_octets_max>& buffer,
                      const ByteWriter& written) {
    SY_ASSERT(!written.overflow());
    return std::string(as_chars({buffer.data(), written.written()}));
}

}  // namespace

std::string way_prefix(const engine::ReceiptKey& key) {
    std::string out;
    append(out, key.high);
    append(out, key.low);
    return out;
}

std::string way_key(const engine::ReceiptKey& key, uint64_t id) {
    std::string out = way_prefix(key);
    append(out, id);
    return out;
}

std::string receipt_prefix(std::string_view customer) {
    std::string out(customer);
    out.push_back('\0');
    return out;
}

std::string receipt_key(std::string_view customer, uint64_t sequence) {
    std::string out = receipt_prefix(customer);
    append(out, sequence);
    return out;
}

bool parse_receipt_key(std::string_view key, std::string_view& customer, uint64_t& sequence) {
    const size_t name_octets = key.find('\0');
    if (name_octets == std::string_view::npos || key.size() != name_octets + 1 + integer_octets) {
        return false;
    }
    customer = key.substr(0, name_octets);
    sequence = load_be<uint64_t>(as_octets(key).data() + name_octets + 1);
    return true;
}

std::string encode_way(const ReceiptWay& way, const Names& names) {
    std::array<uint8_t, value_octets_max> buffer;
    ByteWriter out(buffer);
    out.integer(format_version);
    out.integer(way.submitted_wall_ns);
    write_way(out, way, names);
    return as_string(buffer, out);
}

bool decode_way(std::string_view value, const Names& names, ReceiptWay& out) {
    FieldReader in(value);
    out = {};
    if (in.integer<uint8_t>() != format_version) {
        return false;
    }
    out.submitted_wall_ns = in.integer<uint64_t>();
    return read_way(in, names, out) && in.is_whole();
}

std::string encode_receipt(const engine::Message& message,
                           SupplierId supplier,
                           const Names& names) {
    std::array<uint8_t, value_octets_max> buffer;
    ByteWriter out(buffer);
    out.integer(receipt_version);
    out.integer(message.received_wall_ns);
    out.integer(message.way.submitted_wall_ns);
    out.integer(message.receipt_state);
    out.integer(message.receipt_error);
    const auto& network_error = message.network_error_code;
    out.integer(static_cast<uint8_t>((message.intermediate ? flag_intermediate : 0) |
                                     (network_error ? flag_network_error : 0)));
    out.integer(network_error ? network_error->type : uint8_t{0});
    out.integer(network_error ? network_error->code : uint16_t{0});
    write_way(out, message.way, names);
    write_text(out, names.name_of(supplier));
    return as_string(buffer, out);
}

bool decode_receipt(std::string_view value, const Names& names, engine::Message& out) {
    FieldReader in(value);
    const auto version = in.integer<uint8_t>();
    if (version != format_version && version != receipt_version) {
        return false;
    }
    out.way = {};
    out.received_wall_ns = in.integer<uint64_t>();
    out.way.submitted_wall_ns = in.integer<uint64_t>();
    out.receipt_state = in.integer<uint8_t>();
    out.receipt_error = in.integer<uint32_t>();
    const auto flags = in.integer<uint8_t>();
    out.intermediate = (flags & flag_intermediate) != 0;
    const smpp::NetworkErrorCode network_error{in.integer<uint8_t>(), in.integer<uint16_t>()};
    out.network_error_code.reset();
    if ((flags & flag_network_error) != 0) {
        out.network_error_code = network_error;
    }
    constexpr auto state_max = static_cast<uint8_t>(smpp::MessageState::skipped);
    const bool is_read = read_way(in, names, out.way);
    out.supplier = version == receipt_version ? names.find_supplier(in.text()) : SupplierId::none();
    return is_read && in.is_whole() && out.receipt_state <= state_max;
}

Nanos wall_ns_of(std::string_view value) {
    FieldReader in(value);
    const auto version = in.integer<uint8_t>();
    return version == format_version || version == receipt_version ? in.integer<uint64_t>() : 0;
}

}  // namespace sy::store
