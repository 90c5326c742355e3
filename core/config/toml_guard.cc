#include "core/config/toml_guard.h"

#include <algorithm>

namespace sy::config {
namespace {

// Behind the string that opens at `at`. Multi-line strings read as three strings on end, which is
// as good here.
size_t skip_string(std::string_view text, size_t at) {
    const char quote = text[at];
    for (++at; at < text.size() && text[at] != quote; ++at) {
        if (quote == '"' && text[at] == '\\') {
            ++at;
        }
    }
    return at;
}

Position position_at(std::string_view text, size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const size_t line_end = before.rfind('\n');
    const size_t line_start = line_end == std::string_view::npos ? 0 : line_end + 1;
    return {static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n')) + 1,
            static_cast<uint32_t>(offset - line_start) + 1};
}

}  // namespace

std::optional<Position> find_deep_key(std::string_view text) {
    constexpr std::string_view ends_key = "=,[]{}\n";
    uint32_t parts = 1;
    for (size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '"' || text[at] == '\'') {
            at = skip_string(text, at);
        } else if (text[at] == '#') {
            at = std::min(text.find('\n', at), text.size());
            parts = 1;
        } else if (ends_key.find(text[at]) != std::string_view::npos) {
            parts = 1;
        } else if (text[at] == '.' && ++parts > key_parts_max) {
            return position_at(text, at);
        }
    }
    return std::nullopt;
}

}  // namespace sy::config
