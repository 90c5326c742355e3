#include "core/route/reply.h"

#include <array>
#include <cstring>
#include <optional>

#include "core/route/keyword.h"

namespace sy::route {

namespace {

using Part = ReplyTemplate::Part;

struct Name {
    std::string_view name;
    Part part;
};
constexpr std::array<Name, 4> names{{{"keyword", Part::keyword},
                                     {"args", Part::args},
                                     {"sender", Part::sender},
                                     {"number", Part::number}}};

std::optional<ReplyTemplate::Piece> piece_of(std::string_view name) {
    if (name.size() == 1 && name[0] >= '1' && name[0] <= '9') {
        return ReplyTemplate::Piece{Part::argument, static_cast<uint8_t>(name[0] - '0'), {}};
    }
    for (const Name& each : names) {
        if (each.name == name) {
            return ReplyTemplate::Piece{each.part, 0, {}};
        }
    }
    return std::nullopt;
}

void add_text(ReplyTemplate& reply, char c) {
    if (reply.pieces.empty() || reply.pieces.back().part != Part::text) {
        reply.pieces.emplace_back();
    }
    reply.pieces.back().text += c;
}

// Writes pieces one behind the other; what has no room is cut at the end of a character.
class Writer {
  public:
    explicit Writer(std::span<char> out) : out_(out) {}

    void add(std::string_view text) {
        size_t octets = text.size();
        if (rendered_.cut) {
            return;
        }
        if (octets > out_.size() - rendered_.octets) {
            octets = out_.size() - rendered_.octets;
            while (octets > 0 && (static_cast<unsigned char>(text[octets]) & 0xC0) == 0x80) {
                --octets;
            }
            rendered_.cut = true;
        }
        if (octets > 0) {
            std::memcpy(out_.data() + rendered_.octets, text.data(), octets);
            rendered_.octets += octets;
        }
    }
    [[nodiscard]] Rendered rendered() const { return rendered_; }

  private:
    std::span<char> out_;
    Rendered rendered_;
};

// The first word, and what is behind it from the next word on.
std::string_view take_word(std::string_view& rest) {
    const std::string_view word = first_word(rest);
    const size_t end =
        word.empty() ? rest.size() : static_cast<size_t>(word.data() - rest.data()) + word.size();
    rest.remove_prefix(end);
    return word;
}

// Without white space around it.
std::string_view trimmed_args(std::string_view rest) {
    const std::string_view word = first_word(rest);
    if (word.empty()) {
        return {};
    }
    rest.remove_prefix(static_cast<size_t>(word.data() - rest.data()));
    const size_t last = rest.find_last_not_of(" \t\r\n\v\f");
    return rest.substr(0, last + 1);
}

std::string_view argument_of(std::string_view args, uint8_t index) {
    std::string_view word;
    for (uint8_t i = 0; i < index; ++i) {
        word = take_word(args);
    }
    return word;
}

}  // namespace

std::expected<ReplyTemplate, ReplyError> parse_reply(std::string_view text) {
    ReplyTemplate reply;
    reply.source = text;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool doubled = i + 1 < text.size() && text[i + 1] == c;
        if ((c == '{' || c == '}') && doubled) {
            add_text(reply, c);
            ++i;
        } else if (c == '}') {
            return std::unexpected(ReplyError{i, "'}' without '{', expected }} for the character"});
        } else if (c == '{') {
            const size_t end = text.find('}', i);
            if (end == std::string_view::npos) {
                return std::unexpected(
                    ReplyError{i, "'{' without '}', expected {{ for the character"});
            }
            const std::string_view name = text.substr(i + 1, end - i - 1);
            auto piece = piece_of(name);
            if (!piece) {
                return std::unexpected(
                    ReplyError{i, "'{" + std::string(name) +
                                      "}' stands for nothing, expected {keyword}, {args}, {1} to "
                                      "{9}, {sender} or {number}"});
            }
            reply.pieces.push_back(*std::move(piece));
            i = end;
        } else {
            add_text(reply, c);
        }
    }
    return reply;
}

Rendered render(const ReplyTemplate& reply, const ReplyValues& values, std::span<char> out) {
    std::string_view rest = values.text;
    const std::string_view keyword = take_word(rest);
    const std::string_view args = trimmed_args(rest);
    Writer writer(out);
    for (const ReplyTemplate::Piece& piece : reply.pieces) {
        switch (piece.part) {
            case Part::text:
                writer.add(piece.text);
                break;
            case Part::keyword:
                writer.add(keyword);
                break;
            case Part::args:
                writer.add(args);
                break;
            case Part::argument:
                writer.add(argument_of(args, piece.argument));
                break;
            case Part::sender:
                writer.add(values.sender);
                break;
            case Part::number:
                writer.add(values.number);
                break;
        }
    }
    return writer.rendered();
}

}  // namespace sy::route
