#include "core/number/outgoing.h"

#include <algorithm>

#include "core/base/assert.h"

namespace sy::number {
namespace {

// SMPP 3.4 sections 5.2.5 and 5.2.6.
constexpr uint8_t ton_alphanumeric = 5;
constexpr uint8_t npi_unknown = 0;

// The first rewrite whose digits begin the number; longer ones stand before shorter ones.
bool rewrite(const Number& number, const NumberForm& form, Number& out) {
    for (const Rewrite& each : form.rewrites) {
        const std::string_view digits = number.view();
        if (!digits.starts_with(each.from)) {
            continue;
        }
        const std::string_view rest = digits.substr(each.from.size());
        if (each.to.size() + rest.size() > out.digits.size()) {
            return false;
        }
        const auto end = std::ranges::copy(each.to, out.digits.begin()).out;
        std::ranges::copy(rest, end);
        out.length = static_cast<uint8_t>(each.to.size() + rest.size());
        return true;
    }
    out = number;
    return true;
}

bool write_destination(const Parties& parties,
                       const NumberForm& form,
                       AddressBuffer& buffer,
                       smpp::Address& destination) {
    if (form.rewrites.empty() || parties.destination_kind == Outcome::short_code) {
        return write_number(parties.destination, parties.destination_kind, form, buffer,
                            destination);
    }
    Number rewritten;
    return rewrite(parties.destination, form, rewritten) &&
           write_number(rewritten, parties.destination_kind, form, buffer, destination);
}

}  // namespace

std::optional<Sender> parse_sender(std::string_view text) {
    constexpr size_t short_code_digits_min = 3;
    constexpr size_t short_code_digits_max = 8;
    constexpr size_t e164_digits_min = 7;
    const bool marked = text.starts_with('+');
    const std::string_view digits = text.substr(marked ? 1 : 0);
    Sender sender;
    if (!digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos) {
        const bool is_short = !marked && digits.size() <= short_code_digits_max;
        sender.kind = is_short ? Outcome::short_code : Outcome::e164;
        const size_t digits_min = is_short ? short_code_digits_min : e164_digits_min;
        if (digits.size() < digits_min || digits.size() > limits::number_digits_max) {
            return std::nullopt;
        }
        text = digits;
    } else {
        sender.kind = Outcome::not_digits;
        const bool printable =
            std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
        if (text.empty() || text.size() > alpha_sender_characters_max || !printable) {
            return std::nullopt;
        }
    }
    std::ranges::copy(text, sender.text.digits.begin());
    sender.text.length = static_cast<uint8_t>(text.size());
    return sender;
}

WriteFault write_addresses(const Parties& parties,
                           const NumberForm& form,
                           AddressBuffers& buffers,
                           smpp::Address& destination,
                           smpp::Address& source) {
    if (!write_destination(parties, form, buffers.destination, destination)) {
        return WriteFault::destination;
    }
    if (usable(parties.source_kind)) {
        if (!write_number(parties.source, parties.source_kind, form, buffers.source, source)) {
            return WriteFault::source;
        }
    } else if (parties.source_kind == Outcome::not_digits) {
        // TON 5, NPI 0: the only form of an alphanumeric sender that all suppliers take.
        source.ton = ton_alphanumeric;
        source.npi = npi_unknown;
        if (parties.source_replaced) {
            source.digits = parties.source.view();
        }
    }
    // data_sm allows 64 octets.
    return source.digits.size() > limits::address_octets_max ? WriteFault::source
                                                             : WriteFault::none;
}

}  // namespace sy::number
