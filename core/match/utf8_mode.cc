#include <charconv>

#include "core/match/pattern_set.h"

// Which expressions need Hyperscan's UTF-8 mode. It costs two to five times in scan and compile
// time, so it is given only where octets and characters differ: "a.b" must match "a", any one
// character, "b"; "a.*b" finds the same texts either way. In doubt the answer is yes: it is slower,
// never wrong.

namespace sy::match {

namespace {

// What stands behind "any character".
enum class Repeat : uint8_t {
    any_number,    // "*": octets or characters, no difference
    at_least_one,  // "+": none either, as long as no other one counts the same run of characters
    counted,       // all else
};

Repeat repeat_of(std::string_view rest) {
    if (rest.starts_with('*') || rest.starts_with("{0,}")) {
        return Repeat::any_number;
    }
    return rest.starts_with('+') || rest.starts_with("{1,}") ? Repeat::at_least_one
                                                             : Repeat::counted;
}

// Adds up what the "any character" atoms of an expression ask for.
class Counting {
  public:
    void add(Repeat repeat) {
        counted_ |= repeat == Repeat::counted;
        at_least_one_ += repeat == Repeat::at_least_one ? 1 : 0;
    }
    void add_repeated_group() { repeated_group_ = true; }

    // "\\W+.+" and "(.+){2}" want two characters; two octets of one would do otherwise.
    [[nodiscard]] bool needs_characters() const {
        return counted_ || at_least_one_ > 1 || (at_least_one_ == 1 && repeated_group_);
    }

  private:
    bool counted_ = false;
    bool repeated_group_ = false;
    int at_least_one_ = 0;
};

unsigned number(std::string_view digits, int base) {
    unsigned value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    return value;
}

bool any_but_ascii(char escape) {
    return std::string_view("WDSNHV").find(escape) != std::string_view::npos;
}

// An escape that names characters beyond ASCII. `rest` begins behind the backslash; never empty.
bool names_wide_character(std::string_view rest) {
    switch (rest.front()) {
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
            beyond_ascii |= any_but_ascii(text[i + 1]);
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
            ++i;
            if (names_wide_character(expression.substr(i))) {
                return true;
            }
        }
    }
    return false;
}

bool counts_characters(std::string_view expression) {
    Counting counting;
    for (size_t i = 0; i < expression.size();) {
        const char c = expression[i];
        size_t next = i + 1;
        bool any_character = c == '.';
        if (c == '\\' && next < expression.size()) {
            any_character = any_but_ascii(expression[next]);
            ++next;
        } else if (c == '[') {
            const ClassEnd end = skip_class(expression, i);
            any_character = end.beyond_ascii;
            next = end.next;
        } else if (c == ')' && next < expression.size() &&
                   std::string_view("*+?{").find(expression[next]) != std::string_view::npos) {
            counting.add_repeated_group();
        }
        if (any_character) {
            counting.add(repeat_of(expression.substr(next)));
        }
        i = next;
    }
    return counting.needs_characters();
}

}  // namespace

bool needs_utf8_mode(std::string_view expression) {
    return names_wide_characters(expression) || counts_characters(expression);
}

}  // namespace sy::match
