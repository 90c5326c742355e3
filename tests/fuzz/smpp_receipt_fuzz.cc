// Receipts as suppliers send them: one octet of esm_class, one of the text's length, the text, and
// a TLV stream. What is read must lie in the input, and what we would write of it must read back.
#include <algorithm>
#include <array>
#include <cstdint>

#include "core/base/assert.h"
#include "core/smpp/receipt.h"

namespace sy::smpp {
namespace {

void check_inside(std::string_view view, Octets input) {
    if (view.empty()) {
        return;
    }
    const auto* begin = reinterpret_cast<const uint8_t*>(view.data());
    SY_ASSERT(begin >= input.data());
    SY_ASSERT(begin + view.size() <= input.data() + input.size());
}

void check_id(std::string_view id) {
    NormalisedId plain;
    normalise_message_id(id, IdConversion::none, plain);
    NormalisedId again;
    normalise_message_id(plain.view(), IdConversion::none, again);
    SY_ASSERT(again.view() == plain.view());

    // The model of "is a hexadecimal number" is the conversion itself: it changes nothing else.
    NormalisedId decimal;
    normalise_message_id(id, IdConversion::hex_to_decimal, decimal);
    const bool digits = !decimal.view().empty() &&
                        decimal.view().find_first_not_of("0123456789") == std::string_view::npos;
    const bool hex = !plain.view().empty() &&
                     plain.view().find_first_not_of("0123456789abcdef") == std::string_view::npos;
    SY_ASSERT(!hex || digits);
    if (hex && decimal.length <= 64) {
        NormalisedId back;
        normalise_message_id(decimal.view(), IdConversion::decimal_to_hex, back);
        SY_ASSERT(back.view() == plain.view());
    }
}

void check_written(const Receipt& read) {
    const bool plain = std::all_of(read.message_id.begin(), read.message_id.end(), [](char c) {
        return c > ' ' && c != ',' && c != ';' && c != ':';
    });
    if (!plain) {
        return;  // the text form cannot carry it; ours never look like that
    }
    ReceiptText ours;
    ours.message_id = read.message_id;
    ours.state = read.state;
    ours.error = std::min(read.error, 999u);
    ours.text = as_octets(read.text);
    ours.network_error_code = read.network_error_code;
    ours.user_message_reference = read.user_message_reference;
    std::array<uint8_t, receipt_text_octets_max> text{};
    std::array<uint8_t, receipt_tlvs_octets_max> tlvs{};
    Sm sm;
    sm.short_message = format_receipt_text(ours, text);
    SY_ASSERT(!sm.short_message.empty());
    Receipt back;
    SY_ASSERT(parse_receipt(sm, back));
    SY_ASSERT(back.message_id == read.message_id);
    SY_ASSERT(back.state == read.state);
    SY_ASSERT(back.error == ours.error);
    SY_ASSERT(is_receipt(sm, true));
    sm.tlvs = format_receipt_tlvs(ours, tlvs);
    SY_ASSERT(!sm.tlvs.empty());
    SY_ASSERT(parse_receipt(sm, back));
    SY_ASSERT(back.message_id == read.message_id);
    SY_ASSERT(back.user_message_reference == read.user_message_reference);
    SY_ASSERT(is_receipt(sm, false));
}

void check_receipt(Octets input) {
    if (input.size() < 2) {
        return;
    }
    Sm sm;
    sm.esm_class = input[0];
    Octets rest = input.subspan(2);
    sm.short_message = rest.first(std::min<size_t>(input[1], rest.size()));
    rest = rest.subspan(sm.short_message.size());
    sm.tlvs = rest.first(whole_tlvs_bytes(rest));

    const bool by_tlv_or_type = is_receipt(sm, false);
    SY_ASSERT(!by_tlv_or_type || is_receipt(sm, true));
    Receipt receipt;
    const bool readable = parse_receipt(sm, receipt);
    for (const std::string_view view :
         {receipt.message_id, receipt.text_message_id, receipt.stat, receipt.err, receipt.text}) {
        check_inside(view, input);
    }
    SY_ASSERT(readable == !receipt.message_id.empty());
    SY_ASSERT(receipt.message_id.size() <= 64);
    check_id(receipt.message_id);
    check_id(as_chars(sm.short_message));
    if (readable) {
        check_written(receipt);
    }
}

}  // namespace
}  // namespace sy::smpp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    sy::smpp::check_receipt({data, size});
    return 0;
}
