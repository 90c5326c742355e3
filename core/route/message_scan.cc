#include "core/route/message_scan.h"

#include <algorithm>

#include "core/text/coding.h"
#include "core/text/udh.h"
#include "core/text/utf8.h"

namespace sy::route {

namespace {

using Byte = unsigned char;

Byte octet(std::string_view text, size_t index) {
    return static_cast<Byte>(text[index]);
}

// Octets of the well-formed UTF-8 character that begins at `at` (Unicode table 3-7), 0 if none
// does.
size_t character_octets(std::string_view text, size_t at) {
    const Byte lead = octet(text, at);
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xC2 || lead > 0xF4) {
        return 0;
    }
    const size_t count = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (text.size() - at < count) {
        return 0;
    }
    const Byte low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const Byte high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (octet(text, at + 1) < low || octet(text, at + 1) > high) {
        return 0;
    }
    for (size_t i = 2; i < count; ++i) {
        if ((octet(text, at + i) & 0xC0) != 0x80) {
            return 0;
        }
    }
    return count;
}

bool is_utf8(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
        const size_t count = character_octets(text, at);
        if (count == 0) {
            return false;
        }
        at += count;
    }
    return true;
}

}  // namespace

std::string_view sender_utf8(std::string_view sender, std::span<char> buffer) {
    if (is_utf8(sender)) {
        return sender;
    }
    size_t written = 0;
    for (const char c : sender) {
        const auto value = static_cast<Byte>(c);
        if (buffer.size() - written < 2) {
            break;
        }
        if (value < 0x80) {
            buffer[written++] = c;
        } else {
            buffer[written++] = static_cast<char>(0xC0 | value >> 6);
            buffer[written++] = static_cast<char>(0x80 | (value & 0x3F));
        }
    }
    return {buffer.data(), written};
}

void MessageScan::decode() {
    decoded_ = true;
    if (sm_ == nullptr) {
        has_text_ = true;
        return;
    }
    const text::MessageText message = text::message_text(*sm_);
    const text::Coding coding = text::coding_of(sm_->data_coding, alphabet_);
    has_text_ = coding.character_set != text::CharacterSet::binary &&
                coding.character_set != text::CharacterSet::unreadable && !message.udh.sim_toolkit;
    if (has_text_) {
        text_ = {scratch_.text.data(),
                 text::to_utf8(message.text, coding, message.udh, scratch_.text)};
    }
}

void MessageScan::scan_sender(std::string_view sender) {
    sender_scanned_ = true;
    patterns_.scan(sender_utf8(sender, scratch_.sender), scratch_.patterns, scratch_.sender_bits);
}

void MessageScan::scan_text() {
    text_scanned_ = true;
    if (has_text()) {
        patterns_.scan(text(), scratch_.patterns, scratch_.text_bits);
    }
}

}  // namespace sy::route
