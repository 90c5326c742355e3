#include "core/match/expression_tree.h"

#include <algorithm>
#include <utility>

#include "core/text/utf8.h"

namespace sy::match {

namespace {

constexpr uint32_t depth_max = 100;      // groups in groups; the parser recurses
constexpr uint32_t repeat_max = 32'767;  // as PCRE has it

struct Flags {
    bool caseless = false;
    bool multiline = false;
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

int hex_value(char c) {
    const char lower = static_cast<char>(c | 0x20);
    return is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// What an escape in or outside of a class stands for.
struct Escape {
    enum class Kind : uint8_t { unknown, character, set };
    Kind kind = Kind::unknown;
    char32_t character = 0;
    Wide wide = Wide::none;  // set
};

// "\d" and the like; the exact members matter to nobody, only what is beyond ASCII does.
Escape set_escape(char c) {
    switch (c) {
        case 'd':
        case 'w':
        case 's':
            return {Escape::Kind::set, 0, Wide::none};
        case 'D':
        case 'W':
        case 'S':
            return {Escape::Kind::set, 0, Wide::all};
        case 'h':  // U+00A0 and others
        case 'H':
        case 'v':  // U+0085 and others
        case 'V':
            return {Escape::Kind::set, 0, Wide::some};
        default:
            return {};
    }
}

char32_t control_escape(char c) {
    switch (c) {
        case 'a':
            return 0x07;
        case 'e':
            return 0x1B;
        case 'f':
            return 0x0C;
        case 'n':
            return 0x0A;
        case 'r':
            return 0x0D;
        case 't':
            return 0x09;
        default:
            return 0;
    }
}

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    std::optional<ExpressionTree> parse() {
        const std::optional<uint32_t> root = alternation({}, 0);
        if (!root || at_ != text_.size()) {
            return std::nullopt;
        }
        return ExpressionTree{std::move(nodes_), *root};
    }

  private:
    using Index = std::optional<uint32_t>;

    [[nodiscard]] bool more() const { return at_ < text_.size(); }
    [[nodiscard]] char peek() const { return text_[at_]; }
    bool take(std::string_view expected) {
        if (!text_.substr(at_).starts_with(expected)) {
            return false;
        }
        at_ += expected.size();
        return true;
    }

    uint32_t add(Node node) {
        nodes_.push_back(std::move(node));
        return static_cast<uint32_t>(nodes_.size() - 1);
    }

    // A whole group's content: flags at its start hold for all of it.
    Index alternation(Flags flags, uint32_t depth) {
        if (depth > depth_max) {
            return std::nullopt;
        }
        while (take("(?")) {
            if (!flag_setting(flags)) {
                at_ -= 2;  // "(?:" and the like: an ordinary group
                break;
            }
        }
        Node node;
        node.kind = NodeKind::alternation;
        do {
            const Index branch = sequence(flags, depth);
            if (!branch) {
                return std::nullopt;
            }
            node.children.push_back(*branch);
        } while (take("|"));
        return node.children.size() == 1 ? node.children.front() : add(std::move(node));
    }

    // "i)" and the like behind "(?"; takes nothing if it is something else.
    bool flag_setting(Flags& flags) {
        const size_t start = at_;
        Flags set = flags;
        if (flag_letters(set) && take(")")) {
            flags = set;
            return true;
        }
        at_ = start;
        return false;
    }

    // (?s) changes only whether "." takes a newline: nobody here asks.
    bool flag_letters(Flags& flags) {
        bool on = true;
        bool any = false;
        for (; more(); ++at_) {
            switch (peek()) {
                case 'i':
                    flags.caseless = on;
                    break;
                case 'm':
                    flags.multiline = on;
                    break;
                case 's':
                    break;
                case '-':
                    if (!on) {
                        return false;
                    }
                    on = false;
                    break;
                default:
                    return any;
            }
            any = true;
        }
        return false;
    }

    Index sequence(Flags flags, uint32_t depth) {
        Node node;
        node.kind = NodeKind::sequence;
        while (more() && peek() != '|' && peek() != ')') {
            Index item = atom(flags, depth);
            if (item) {
                item = quantified(*item);
            }
            if (!item) {
                return std::nullopt;
            }
            node.children.push_back(*item);
        }
        return add(std::move(node));
    }

    Index quantified(uint32_t item) {
        Node node;
        node.kind = NodeKind::repeat;
        if (!quantifier(node.min, node.max)) {
            return more() && peek() == '{' ? std::nullopt : Index(item);
        }
        if (nodes_[item].kind == NodeKind::assertion) {
            return std::nullopt;
        }
        take("?");  // lazy: finds the same texts
        if (more() && (peek() == '+' || peek() == '*' || peek() == '?' || peek() == '{')) {
            return std::nullopt;  // possessive, or a quantifier of a quantifier
        }
        node.children.push_back(item);
        return add(std::move(node));
    }

    bool quantifier(uint32_t& min, uint32_t& max) {
        min = 0;
        max = Node::unbounded;
        if (take("*")) {
            return true;
        }
        if (take("+")) {
            min = 1;
            return true;
        }
        if (take("?")) {
            max = 1;
            return true;
        }
        const size_t start = at_;
        if (take("{") && number(min)) {
            max = min;
            const bool open = take(",");
            if (open && !number(max)) {
                max = Node::unbounded;
            }
            if (take("}") && min <= max) {
                return true;
            }
        }
        at_ = start;
        return false;
    }

    bool number(uint32_t& value) {
        const size_t start = at_;
        uint32_t sum = 0;
        while (more() && is_digit(peek()) && at_ - start < 6) {
            sum = sum * 10 + static_cast<uint32_t>(peek() - '0');
            ++at_;
        }
        if (at_ == start || sum > repeat_max) {
            at_ = start;
            return false;
        }
        value = sum;
        return true;
    }

    Index atom(Flags flags, uint32_t depth) {
        switch (peek()) {
            case '(':
                return group(flags, depth);
            case '[':
                return character_class(flags);
            case '\\':
                return escape_atom(flags);
            case '.':
                ++at_;
                return add_set({}, Wide::all, false, flags);
            case '^':
                ++at_;
                return add_assertion(flags.multiline ? Assertion::line : Assertion::text_begin);
            case '$':
                ++at_;
                return add_assertion(flags.multiline ? Assertion::line
                                                     : Assertion::text_end_or_newline);
            case '*':
            case '+':
            case '?':
            case '{':
                return std::nullopt;
            default:
                return plain_character(flags);
        }
    }

    Index plain_character(Flags flags) {
        const size_t octets = text::character_octets(text_, at_);
        if (octets == 0) {
            return std::nullopt;
        }
        char32_t c = static_cast<unsigned char>(text_[at_]);
        if (octets > 1) {
            c &= 0x7Fu >> octets;
            for (size_t i = 1; i < octets; ++i) {
                c = c << 6 | (static_cast<unsigned char>(text_[at_ + i]) & 0x3Fu);
            }
        }
        at_ += octets;
        return add_character(c, true, flags);
    }

    Index group(Flags flags, uint32_t depth) {
        take("(");
        if (more() && peek() == '*') {
            return std::nullopt;  // (*UTF8) and other verbs
        }
        if (take("?")) {
            if (!take(":") && !group_name() && !(flag_letters(flags) && take(":"))) {
                return std::nullopt;
            }
        }
        const Index inside = alternation(flags, depth + 1);
        return inside && take(")") ? inside : std::nullopt;
    }

    bool group_name() {
        const size_t start = at_;
        const bool quoted = take("'");
        if (quoted || take("P<") || take("<")) {
            const char close = quoted ? '\'' : '>';
            const size_t first = at_;
            while (more() && (is_digit(peek()) || peek() == '_' || is_letter(peek()))) {
                ++at_;
            }
            if (at_ > first && more() && peek() == close) {
                ++at_;
                return true;
            }
        }
        at_ = start;
        return false;
    }

    static bool is_letter(char c) {
        const char lower = static_cast<char>(c | 0x20);
        return lower >= 'a' && lower <= 'z';
    }

    Index escape_atom(Flags flags) {
        if (at_ + 1 < text_.size()) {
            constexpr std::pair<char, Assertion> assertions[] = {
                {'b', Assertion::word_boundary},
                {'B', Assertion::no_word_boundary},
                {'A', Assertion::text_begin},
                {'z', Assertion::text_end},
                {'Z', Assertion::text_end_or_newline}};
            for (const auto& [letter, assertion] : assertions) {
                if (text_[at_ + 1] == letter) {
                    at_ += 2;
                    return add_assertion(assertion);
                }
            }
        }
        const Escape escape = take_escape();
        switch (escape.kind) {
            case Escape::Kind::character:
                return add_character(escape.character, escape.character < 0x80, flags);
            case Escape::Kind::set:
                return add_set({}, escape.wide, false, flags);
            case Escape::Kind::unknown:
                break;
        }
        return std::nullopt;
    }

    // All escapes but the assertions. REQUIRES: peek() is the backslash.
    Escape take_escape() {
        ++at_;
        if (!more()) {
            return {};
        }
        const char c = peek();
        ++at_;
        if (const Escape set = set_escape(c); set.kind == Escape::Kind::set) {
            return set;
        }
        if (c == 'p' || c == 'P') {
            return property();
        }
        if (c == 'x') {
            return hexadecimal();
        }
        if (const char32_t control = control_escape(c); control != 0) {
            return {Escape::Kind::character, control};
        }
        const auto octet = static_cast<unsigned char>(c);
        if (octet <= ' ' || octet >= 0x7F || is_digit(c) || is_letter(c)) {
            return {};
        }
        return {Escape::Kind::character, octet};
    }

    Escape property() {
        if (!take("{")) {
            at_ += more() ? size_t{1} : size_t{0};
            return {Escape::Kind::set, 0, Wide::some};
        }
        const size_t close = text_.find('}', at_);
        if (close == std::string_view::npos) {
            return {};
        }
        at_ = close + 1;
        return {Escape::Kind::set, 0, Wide::some};
    }

    Escape hexadecimal() {
        const bool braces = take("{");
        const size_t digits_max = braces ? 6 : 2;
        char32_t value = 0;
        size_t digits = 0;
        for (; more() && digits < digits_max && hex_value(peek()) >= 0; ++digits, ++at_) {
            value = value * 16 + static_cast<char32_t>(hex_value(peek()));
        }
        const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
        if (digits == 0 || (braces && !take("}")) || value > 0x10FFFF || surrogate) {
            return {};
        }
        return {Escape::Kind::character, value};
    }

    // What stands between the brackets.
    struct Members {
        std::bitset<128> ascii{};
        Wide wide = Wide::none;
        bool listed = true;

        void add(char32_t first, char32_t last) {
            for (char32_t c = first; c <= last && c < 0x80; ++c) {
                ascii.set(size_t{c});
            }
            wide = last >= 0x80 ? Wide::some : wide;
        }
        void add_set(Wide beyond) {
            listed = false;
            wide = std::max(wide, beyond);  // "some" is the careful answer
        }
    };

    Index character_class(Flags flags) {
        take("[");
        const bool negated = take("^");
        Members members;
        for (bool first = true; more() && (first || peek() != ']'); first = false) {
            if (!class_member(members)) {
                return std::nullopt;
            }
        }
        if (!take("]")) {
            return std::nullopt;
        }
        if (negated) {
            members.ascii.flip();
            members.wide = members.wide == Wide::none  ? Wide::all
                           : members.wide == Wide::all ? Wide::none
                                                       : Wide::some;
        }
        return add_set(members.ascii, members.wide, members.listed && !negated, flags);
    }

    bool class_member(Members& members) {
        if (peek() == '[' && at_ + 1 < text_.size() &&
            std::string_view(":.=").find(text_[at_ + 1]) != std::string_view::npos) {
            return posix_class(members);
        }
        Escape from = class_character();
        if (from.kind == Escape::Kind::set) {
            members.add_set(from.wide);
            return !(more() && peek() == '-');  // "[\d-x]": engines differ
        }
        if (from.kind == Escape::Kind::unknown) {
            return false;
        }
        if (at_ + 1 < text_.size() && peek() == '-' && text_[at_ + 1] != ']') {
            ++at_;
            const Escape to = peek() == '[' ? Escape{} : class_character();
            if (to.kind != Escape::Kind::character || to.character < from.character) {
                return false;
            }
            members.add(from.character, to.character);
            return true;
        }
        members.add(from.character, from.character);
        return true;
    }

    Escape class_character() {
        if (peek() == '\\') {
            if (at_ + 1 < text_.size() && text_[at_ + 1] == 'b') {
                at_ += 2;
                return {Escape::Kind::character, 0x08};
            }
            return take_escape();
        }
        const Index index = plain_character({});
        if (!index) {
            return {};
        }
        const char32_t c = nodes_[*index].character;
        nodes_.pop_back();
        return {Escape::Kind::character, c};
    }

    bool posix_class(Members& members) {
        if (!take("[:")) {
            return false;
        }
        const bool negated = take("^");
        const size_t close = text_.find(":]", at_);
        if (close == std::string_view::npos) {
            return false;
        }
        at_ = close + 2;
        members.add_set(negated ? Wide::all : Wide::none);
        return true;
    }

    uint32_t add_character(char32_t c, bool as_written, Flags flags) {
        Node node;
        node.kind = NodeKind::character;
        node.character = c;
        node.as_written = as_written;
        node.caseless = flags.caseless;
        return add(std::move(node));
    }
    uint32_t add_set(std::bitset<128> ascii, Wide wide, bool listed, Flags flags) {
        Node node;
        node.kind = NodeKind::set;
        node.ascii = ascii;
        node.wide = wide;
        node.listed = listed;
        node.caseless = flags.caseless;
        return add(std::move(node));
    }
    uint32_t add_assertion(Assertion assertion) {
        Node node;
        node.kind = NodeKind::assertion;
        node.assertion = assertion;
        return add(std::move(node));
    }

    std::string_view text_;
    size_t at_ = 0;
    std::vector<Node> nodes_;
};

}  // namespace

std::optional<ExpressionTree> parse_expression(std::string_view expression) {
    return Parser(expression).parse();
}

}  // namespace sy::match
