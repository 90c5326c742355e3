#include <algorithm>

#include "core/base/assert.h"
#include "core/smpp/field_limits.h"
#include "core/smpp/receipt.h"
#include "core/smpp/time_format.h"

namespace sy::smpp {

namespace {

constexpr size_t quoted_octets_max = 20;      // Appendix B: the first 20 characters
constexpr uint8_t network_type_gsm = 3;       // section 5.3.2.31
constexpr uint32_t error_three_digits = 999;  // err: has three

class TextWriter {
  public:
    explicit TextWriter(std::span<uint8_t> out) : writer_(out) {}

    TextWriter& chars(std::string_view text) {
        writer_.octets(as_octets(text));
        return *this;
    }
    TextWriter& three_digits(uint32_t value) {
        value = std::min(value, error_three_digits);
        const char digits[] = {static_cast<char>('0' + value / 100),
                               static_cast<char>('0' + value / 10 % 10),
                               static_cast<char>('0' + value % 10)};
        return chars({digits, sizeof digits});
    }
    TextWriter& date(Nanos wall_ns) {
        const auto digits = format_receipt_date(wall_ns);
        return chars({digits.data(), digits.size()});
    }
    TextWriter& quote(Octets text) {
        for (const uint8_t octet : text.first(std::min(text.size(), quoted_octets_max))) {
            writer_.integer(octet >= ' ' && octet <= '~' ? octet : static_cast<uint8_t>('?'));
        }
        return *this;
    }
    [[nodiscard]] Octets written() const {
        return writer_.overflow() ? Octets{} : writer_.buffer().first(writer_.written());
    }

  private:
    ByteWriter writer_;
};

bool is_failure(MessageState state) {
    return state == MessageState::expired || state == MessageState::deleted ||
           state == MessageState::undeliverable || state == MessageState::unknown ||
           state == MessageState::rejected || state == MessageState::skipped;
}

}  // namespace

Octets format_receipt_text(const ReceiptText& receipt, std::span<uint8_t> out) {
    SY_DCHECK(receipt.message_id.size() <= message_id_octets_max);
    const bool delivered = receipt.state == MessageState::delivered;
    const Octets written = TextWriter(out)
                               .chars("id:")
                               .chars(receipt.message_id)
                               .chars(delivered ? " sub:001 dlvrd:001" : " sub:001 dlvrd:000")
                               .chars(" submit date:")
                               .date(receipt.submitted_wall_ns)
                               .chars(" done date:")
                               .date(receipt.done_wall_ns)
                               .chars(" stat:")
                               .chars(stat_word(receipt.state))
                               .chars(" err:")
                               .three_digits(receipt.error)
                               .chars(" text:")
                               .quote(receipt.text)
                               .written();
    SY_DCHECK(written.size() <= receipt_text_octets_max);
    return written;
}

Octets format_receipt_tlvs(const ReceiptText& receipt, std::span<uint8_t> out) {
    SY_DCHECK(receipt.message_id.size() <= message_id_octets_max);
    ByteWriter writer(out);
    writer.integer(static_cast<uint16_t>(TlvTag::receipted_message_id));
    writer.integer(static_cast<uint16_t>(receipt.message_id.size() + 1));
    writer.c_string(receipt.message_id);
    const auto state = static_cast<uint8_t>(receipt.state);
    writer.tlv(static_cast<uint16_t>(TlvTag::message_state), {&state, 1});

    std::optional<NetworkErrorCode> error = receipt.network_error_code;
    if (!error && receipt.error != 0 && is_failure(receipt.state)) {
        error = {.type = network_type_gsm,
                 .code = static_cast<uint16_t>(std::min(receipt.error, error_three_digits))};
    }
    if (error) {
        writer.integer(static_cast<uint16_t>(TlvTag::network_error_code));
        writer.integer(uint16_t{3});
        writer.integer(error->type);
        writer.integer(error->code);
    }
    if (receipt.user_message_reference) {
        writer.integer(static_cast<uint16_t>(TlvTag::user_message_reference));
        writer.integer(uint16_t{2});
        writer.integer(*receipt.user_message_reference);
    }
    const Octets written = writer.overflow() ? Octets{} : Octets{out.first(writer.written())};
    SY_DCHECK(written.size() <= receipt_tlvs_octets_max);
    return written;
}

}  // namespace sy::smpp
