#include <charconv>

#include "core/match/pattern_set.h"

// Which expressions need Hyperscan's UTF-8 mode. It costs two to five times in scan and compile
// time, so it is given only where octets and characters differ: "a.b" must match "a", any one
// character, "b"; "a.*b" finds the same texts either way. In doubt the answer is yes: it is slower,
// never wrong.

namespace sy::match {

namespace {

// After "any character": true if one octet more or less makes no difference.
bool unbounded_repeat(std::string_view rest) {
    return rest.starts_with('*') || rest.starts_with('+') || rest.starts_with("{0,}") ||
           rest.starts_with("{1,}");
}

unsigned number(std::string_view digits, int base) {
    unsigned value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    return value;
}

// `rest` begins behind the backslash; never empty.
bool escape_needs_utf8(std::string_view rest) {
    const char kind = rest.front();
    switch (kind) {
        case 'p':
        case 'P':
        case 'X':
        case 'R':
        case 'o':
            return true;
        case 'x':
            return rest.starts_with("x{") || number(rest.substr(1, 2), 16) >= 0x80;
        case '0':
        case '1':
        case '2':
        case '3':
            return number(rest.substr(0, 3), 8) >= 0x80;
        case 'W':
        case 'D':
        case 'S':
        case 'N':
        case 'H':
        case 'V':
            return !unbounded_repeat(rest.substr(1));
        default:
            return false;
    }
}

// Index behind the class that opens at `at`, and whether it matches characters beyond ASCII.
struct ClassEnd {
    size_t next;
    bool beyond_ascii;
};

ClassEnd skip_class(std::string_view text, size_t at) {
    size_t i = at + 1;
    bool beyond_ascii = false;
    if (i < text.size() && text[i] == '^') {
        beyond_ascii = true;
        ++i;
    }
    for (bool first = true; i < text.size() && (first || text[i] != ']'); first = false) {
        if (text[i] == '\\' && i + 1 < text.size()) {
            beyond_ascii |= std::string_view("WDSHVN").find(text[i + 1]) != std::string_view::npos;
            i += 2;
        } else if (text.substr(i).starts_with("[:")) {
            beyond_ascii |= text.substr(i).starts_with("[:^");
            const size_t close = text.find(":]", i + 2);
            i = close == std::string_view::npos ? i + 1 : close + 2;
        } else {
            ++i;
        }
    }
    return {i < text.size() ? i + 1 : i, beyond_ascii};
}

bool names_wide_characters(std::string_view expression) {
    if (expression.find("(*UTF") != std::string_view::npos ||
        expression.find("(*UCP") != std::string_view::npos) {
        return true;
    }
    for (size_t i = 0; i < expression.size(); ++i) {
        if (static_cast<unsigned char>(expression[i]) >= 0x80) {
            return true;
        }
        if (expression[i] == '\\' && i + 1 < expression.size()) {
            const char kind = expression[i + 1];
            const bool any_but = std::string_view("WDSNHV").find(kind) != std::string_view::npos;
            if (!any_but && escape_needs_utf8(expression.substr(i + 1))) {
                return true;
            }
            ++i;
        }
    }
    return false;
}

}  // namespace

bool needs_utf8_mode(std::string_view expression) {
    if (names_wide_characters(expression)) {
        return true;
    }
    for (size_t i = 0; i < expression.size();) {
        const char c = expression[i];
        if (c == '\\' && i + 1 < expression.size()) {
            if (escape_needs_utf8(expression.substr(i + 1))) {
                return true;
            }
            i += 2;
        } else if (c == '[') {
            const ClassEnd end = skip_class(expression, i);
            if (end.beyond_ascii && !unbounded_repeat(expression.substr(end.next))) {
                return true;
            }
            i = end.next;
        } else {
            if (c == '.' && !unbounded_repeat(expression.substr(i + 1))) {
                return true;
            }
            ++i;
        }
    }
    return false;
}

}  // namespace sy::match
