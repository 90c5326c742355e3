// A message as a peer may send it. Input: esm_class, data_coding, alphabet, room for the text, the
// length of short_message, short_message, and the rest as TLVs.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/smpp/pdu.h"
#include "core/text/udh.h"
#include "core/text/utf8.h"

namespace {

using namespace sy;

bool is_utf8(std::string_view text) {
    // Encoding as UCS-2 and back gives the same text only if it was well-formed.
    std::vector<uint8_t> ucs2(2 * text.size() + 2);
    const text::Encoded encoded =
        text::from_utf8(text, text::CharacterSet::ucs2, {}, std::span(ucs2).subspan(2));
    ucs2[0] = 0xFE;  // a byte order mark, so that one in the text itself is kept
    ucs2[1] = 0xFF;
    std::string back(2 * text.size() + 4, '\0');
    back.resize(text::to_utf8(Octets(ucs2).first(encoded.octets + 2),
                              {.character_set = text::CharacterSet::ucs2}, {}, back));
    return back == text;
}

// GSM 7-bit text that came from UTF-8 reads as the same UTF-8.
void round_trip(std::string_view utf8, const text::Udh& udh) {
    std::vector<uint8_t> octets(2 * utf8.size());
    const text::Encoded encoded = text::from_utf8(utf8, text::CharacterSet::gsm7, udh, octets);
    SY_ASSERT(!encoded.truncated);
    if (encoded.replaced != 0) {
        return;
    }
    std::string back(utf8.size() + 4, '\0');
    text::Udh languages;
    languages.locking_language = udh.locking_language;
    languages.single_shift_language = udh.single_shift_language;
    back.resize(text::to_utf8(Octets(octets).first(encoded.octets), {}, languages, back));
    SY_ASSERT(back == utf8);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr size_t head = 5;
    if (size < head) {
        return 0;
    }
    const Octets rest(data + head, size - head);
    const size_t length = std::min<size_t>(data[4], rest.size());
    // Copies of the exact size: an address sanitizer then sees every octet read behind them.
    const std::vector<uint8_t> short_message(rest.begin(),
                                             rest.begin() + static_cast<std::ptrdiff_t>(length));
    const std::vector<uint8_t> tlvs(rest.begin() + static_cast<std::ptrdiff_t>(length), rest.end());
    smpp::Sm sm;
    sm.esm_class = data[0];
    sm.short_message = short_message;
    sm.tlvs = tlvs;

    const text::MessageText message = text::message_text(sm);
    SY_ASSERT(message.udh.octet_count + message.text.size() == message.octets.size());
    if (const auto concat = text::concat_of(sm, message.udh)) {
        SY_ASSERT(concat->seq >= 1 && concat->seq <= concat->total);
    }
    const text::Coding coding = text::coding_of(data[1], static_cast<text::Alphabet>(data[2] % 3));
    std::vector<char> out(4 * size_t{data[3]});
    const size_t written = text::to_utf8(message.text, coding, message.udh, out);
    SY_ASSERT(written <= out.size());
    SY_ASSERT(written == 0 || text::has_text(coding, message.udh));
    const std::string_view utf8(out.data(), written);
    SY_ASSERT(is_utf8(utf8));
    std::vector<char> room(out.size());
    SY_ASSERT(text::as_utf8(message.text, coding, message.udh, room) == utf8);
    round_trip(utf8, message.udh);
    return 0;
}
