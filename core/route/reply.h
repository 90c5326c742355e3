// The text of a two-way answer: what a rule of mo.csv sends back to the phone. Parsed by the
// control thread, then immutable; rendered by workers, without allocation.
//
//     Balance of {1}: thank you, {sender}. {{braces}}
//
// {keyword}: the first word of the message as it was written. {args}: all behind it. {1} to {9}:
// the words behind it one by one, empty where there is none. {sender}: the phone's number.
// {number}: the inbound number. {{ and }} stand for { and }.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sy::route {

struct ReplyTemplate {
    enum class Part : uint8_t { text, keyword, args, argument, sender, number };
    struct Piece {
        Part part = Part::text;
        uint8_t argument = 0;  // 1 to 9
        std::string text;
    };
    std::vector<Piece> pieces;
    std::string source;  // as the table has it, for people
};

struct ReplyError {
    size_t at = 0;  // octet of the text
    std::string text;
};

/// REQUIRES: valid UTF-8.
[[nodiscard]] std::expected<ReplyTemplate, ReplyError> parse_reply(std::string_view text);

/// What the pieces stand for in one message; UTF-8.
struct ReplyValues {
    std::string_view text;    // of the MO
    std::string_view sender;  // digits
    std::string_view number;
};

struct Rendered {
    size_t octets = 0;
    bool cut = false;  // there was more than room; no character is cut in two
};
[[nodiscard]] Rendered render(const ReplyTemplate& reply,
                              const ReplyValues& values,
                              std::span<char> out);

/// A rendered answer is at most one message: 160 GSM characters or 70 of UCS-2 in octets of UTF-8,
/// three a character.
inline constexpr size_t reply_octets_max = 480;

}  // namespace sy::route
