#include <algorithm>
#include <charconv>

#include "core/smpp/field_limits.h"
#include "core/smpp/receipt.h"
#include "core/smpp/time_format.h"

namespace sy::smpp {

namespace {

// The keys stand in the first of these octets; a text behind them may be 64 KiB long.
constexpr size_t receipt_scan_octets_max = 1024;

struct StateWord {
    std::string_view word;
    MessageState state;
};
// The first word of a state is the one that is written (PROTOCOL 15.3).
constexpr StateWord state_words[] = {
    {"DELIVRD", MessageState::delivered},
    {"EXPIRED", MessageState::expired},
    {"DELETED", MessageState::deleted},
    {"UNDELIV", MessageState::undeliverable},
    {"ACCEPTD", MessageState::accepted},
    {"UNKNOWN", MessageState::unknown},
    {"REJECTD", MessageState::rejected},
    {"ENROUTE", MessageState::enroute},
    {"SCHEDLD", MessageState::scheduled},
    {"SKIPPED", MessageState::skipped},
    {"DELIVERED", MessageState::delivered},
    {"UNDELIVERED", MessageState::undeliverable},
    {"UNDELIVERABLE", MessageState::undeliverable},
    {"FAILED", MessageState::undeliverable},
    {"ACCEPTED", MessageState::accepted},
    {"REJECTED", MessageState::rejected},
    {"SCHEDULED", MessageState::scheduled},
    {"BUFFRED", MessageState::enroute},
    {"BUFFERD", MessageState::enroute},
    {"BUFFERED", MessageState::enroute},
    {"ACKED", MessageState::enroute},
};

enum class Key : uint8_t { none, id, sub, dlvrd, submit_date, done_date, stat, err, text };

struct KeyWord {
    Key key;
    std::string_view word;  // a space may be there, be an underscore, or be missing
};
constexpr KeyWord key_words[] = {
    {Key::id, "id"},
    {Key::sub, "sub"},
    {Key::dlvrd, "dlvrd"},
    {Key::submit_date, "submit date"},
    {Key::done_date, "done date"},
    {Key::stat, "stat"},
    {Key::err, "err"},
    {Key::text, "text"},
};

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool is_space(char c) {
    return c >= 0 && c <= ' ';
}
constexpr bool ends_value(char c) {
    return is_space(c) || c == ',' || c == ';';
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

/// An id that can be one, else nothing.
std::string_view checked_id(std::string_view id) {
    id = trim(id);
    return id.size() <= message_id_octets_max ? id : std::string_view{};
}

/// Octets of `word:` at the front of `text`, 0 when it is not there.
size_t match_word(std::string_view text, std::string_view word) {
    size_t at = 0;
    for (const char c : word) {
        const char here = at < text.size() ? lower(text[at]) : '\0';
        if (c == ' ' && here != ' ' && here != '_') {
            continue;
        }
        if (here != c && !(c == ' ' && here == '_')) {
            return 0;
        }
        ++at;
    }
    while (at < text.size() && text[at] == ' ') {
        ++at;
    }
    return at < text.size() && text[at] == ':' ? at + 1 : 0;
}

/// Key:value pairs in any order, whatever is between them (PROTOCOL 15.4 rule 3).
class PairReader {
  public:
    explicit PairReader(std::string_view text) : rest_(text) {}

    /// The next pair; Key::none at the end. The value of Key::text is all that follows.
    Key next(std::string_view& value) {
        for (;;) {
            skip_separators();
            if (rest_.empty()) {
                return Key::none;
            }
            const Key key = take_key();
            if (key != Key::none) {
                value = key == Key::text ? rest_ : take_value();
                if (key == Key::text) {
                    rest_ = {};
                }
                return key;
            }
            take_token();
        }
    }

  private:
    void skip_separators() {
        while (!rest_.empty() && ends_value(rest_.front())) {
            rest_.remove_prefix(1);
        }
    }
    std::string_view take_token() {
        const auto end = std::find_if(rest_.begin(), rest_.end(), ends_value);
        const auto token = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
        rest_.remove_prefix(token.size());
        return token;
    }
    Key peek_key(size_t& octets) const {
        octets = 0;
        if (rest_.empty()) {
            return Key::none;
        }
        const char first = lower(rest_.front());
        for (const KeyWord& entry : key_words) {
            if (entry.word.front() != first) {
                continue;
            }
            octets = match_word(rest_, entry.word);
            if (octets != 0) {
                return entry.key;
            }
        }
        return Key::none;
    }
    Key take_key() {
        size_t octets = 0;
        const Key key = peek_key(octets);
        rest_.remove_prefix(octets);
        return key;
    }
    std::string_view take_value() {
        while (!rest_.empty() && rest_.front() == ' ') {
            rest_.remove_prefix(1);
        }
        size_t octets = 0;
        // "err: text:..." has no value for err.
        return peek_key(octets) != Key::none ? std::string_view{} : take_token();
    }

    std::string_view rest_;
};

/// The message's text: short_message, else message_payload, without a UDH.
std::string_view receipt_text_of(const Sm& sm) {
    Octets text = sm.short_message;
    if (text.empty() && !sm.tlvs.empty()) {
        (void)find_tlv(sm.tlvs, TlvTag::message_payload, text);
    }
    if ((sm.esm_class & esm_class_udhi) != 0 && !text.empty() && text[0] < text.size()) {
        text = text.subspan(size_t{text[0]} + 1);
    }
    return as_chars(text);
}

template <class Integer>
std::optional<Integer> decimal(std::string_view text) {
    Integer value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

void read_pair(Key key, std::string_view value, Receipt& out) {
    switch (key) {
        case Key::id:
            if (out.text_message_id.empty()) {
                out.text_message_id = checked_id(value);
            }
            break;
        case Key::sub:
            out.sub = decimal<uint16_t>(value);
            break;
        case Key::dlvrd:
            out.dlvrd = decimal<uint16_t>(value);
            break;
        case Key::submit_date:
            out.submit_date_ns = parse_receipt_date(value);
            break;
        case Key::done_date:
            out.done_date_ns = parse_receipt_date(value);
            break;
        case Key::stat:
            out.stat = value;
            break;
        case Key::err:
            out.err = value;
            break;
        case Key::text:
            out.text = value;
            break;
        case Key::none:
            break;
    }
}

void read_text(std::string_view text, Receipt& out) {
    PairReader pairs(text.substr(0, receipt_scan_octets_max));
    std::string_view value;
    for (Key key = pairs.next(value); key != Key::none; key = pairs.next(value)) {
        read_pair(key, value, out);
    }
    if (!out.text.empty()) {  // the scan ended before the text may have
        out.text = text.substr(static_cast<size_t>(out.text.data() - text.data()));
    }
    out.message_id = out.text_message_id;
    out.error = decimal<uint32_t>(out.err).value_or(0);
    if (const auto state = parse_stat_word(out.stat); state) {
        out.state = *state;
        out.state_known = true;
    } else if (!out.stat.empty()) {
        out.state = MessageState::enroute;
    }
}

void read_tlv(const Tlv& tlv, Receipt& out) {
    switch (tlv.tag) {
        case TlvTag::receipted_message_id:
            if (const auto id = checked_id(tlv_c_string(tlv.value)); !id.empty()) {
                out.message_id = id;
            }
            break;
        case TlvTag::message_state:
            if (const auto state = tlv_integer(tlv.value);
                state && *state <= static_cast<uint32_t>(MessageState::skipped)) {
                out.state = static_cast<MessageState>(*state);
                out.state_known = true;
            }
            break;
        case TlvTag::network_error_code:
            out.network_error_code = read_network_error_code(tlv.value);
            break;
        case TlvTag::user_message_reference:
            if (const auto reference = tlv_integer(tlv.value); reference) {
                out.user_message_reference = static_cast<uint16_t>(*reference);
            }
            break;
        default:
            break;
    }
}

}  // namespace

std::string_view stat_word(MessageState state) {
    for (const StateWord& entry : state_words) {
        if (entry.state == state) {
            return entry.word;
        }
    }
    return "UNKNOWN";
}

std::optional<MessageState> parse_stat_word(std::string_view word) {
    for (const StateWord& entry : state_words) {
        if (std::ranges::equal(word, entry.word, {}, lower, lower)) {
            return entry.state;
        }
    }
    return std::nullopt;
}

bool is_receipt(const Sm& sm, bool by_text) {
    const uint8_t type = sm.esm_class & esm_class_type_mask;
    if (type == esm_class_delivery_receipt || type == esm_class_intermediate) {
        return true;
    }
    Octets value;
    if (!sm.tlvs.empty() && find_tlv(sm.tlvs, TlvTag::receipted_message_id, value) &&
        find_tlv(sm.tlvs, TlvTag::message_state, value)) {
        return true;
    }
    if (!by_text) {
        return false;
    }
    const std::string_view text = receipt_text_of(sm).substr(0, receipt_scan_octets_max);
    if (match_word(text, "id") == 0) {
        return false;
    }
    PairReader pairs(text);
    std::string_view word;
    for (Key key = pairs.next(word); key != Key::none; key = pairs.next(word)) {
        if (key == Key::stat) {
            return true;
        }
    }
    return false;
}

bool parse_receipt(const Sm& sm, Receipt& out) {
    out = {};
    read_text(receipt_text_of(sm), out);
    for (const Tlv& tlv : TlvRange(sm.tlvs)) {
        read_tlv(tlv, out);
    }
    if (out.network_error_code && out.network_error_code->code != 0) {
        out.error = out.network_error_code->code;
    }
    out.intermediate = (sm.esm_class & esm_class_type_mask) == esm_class_intermediate ||
                       out.state == MessageState::enroute || out.state == MessageState::scheduled;
    return !out.message_id.empty();
}

}  // namespace sy::smpp
