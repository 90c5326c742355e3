#include "core/route/message_scan.h"

#include <algorithm>

namespace sy::route {

namespace {

using Byte = unsigned char;

}  // namespace

std::string_view sender_utf8(std::string_view sender, std::span<char> buffer) {
    if (text::is_utf8(sender)) {
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

void MessageScan::read() {
    read_ = true;
    if (sm_ == nullptr) {
        has_text_ = true;
        return;
    }
    message_ = text::message_text(*sm_);
    coding_ = text::coding_of(sm_->data_coding, alphabet_);
    has_text_ = text::has_text(coding_, message_.udh);
}

void MessageScan::decode() {
    decoded_ = true;
    if (has_text() && sm_ != nullptr) {
        text_ = text::as_utf8(message_.text, coding_, message_.udh, scratch_.text);
    }
}

void MessageScan::know_sender(std::string_view sender) {
    sender_known_ = true;
    const bool cached = scratch_.cached_patterns.get() == &patterns_;
    const SenderCache::Look look = look_ != nullptr ? *look_
                                   : cached         ? scratch_.senders.look(sender)
                                                    : SenderCache::nowhere();
    if (const auto matches = scratch_.senders.find(look)) {
        sender_matches_ = *matches;
        return;
    }
    sender_scanned_ = true;
    patterns_.sender.scan(sender_utf8(sender, scratch_.sender), scratch_.patterns,
                          scratch_.sender_matches);
    if (cached) {
        scratch_.senders.insert(look, scratch_.sender_matches.hits());
    }
}

void MessageScan::scan_text(uint8_t group) {
    text_scanned_ = true;
    scanned_group_ = group;
    if (!has_text()) {
        return;
    }
    if (group != TextGroups::all && groups_scanned_ < groups_scanned_max) {
        ++groups_scanned_;
        const match::QuickSet& quick = (*groups_)[group];
        const auto octets = text_for_filter(message_.text, coding_, scratch_.text);
        if (octets && quick.rules_out(*octets)) {
            scratch_.text_matches.clear();  // and nothing is decoded
            return;
        }
        if (quick.scan(text(), scratch_.patterns, scratch_.text_matches)) {
            return;
        }
    }
    scanned_group_ = TextGroups::all;
    patterns_.text.scan(text(), scratch_.patterns, scratch_.text_matches);
}

}  // namespace sy::route
