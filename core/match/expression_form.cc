#include "core/match/expression_form.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "core/match/expression_tree.h"

namespace sy::match {

namespace {

// A word list of one expression; products such as "[ab][cd][ef]" are cut off much earlier.
constexpr size_t words_max = 100'000;
constexpr size_t product_max = 256;
constexpr size_t word_characters_max = 1'000;
constexpr size_t tokens_max = 8'000'000;
// Sets of more are left to Hyperscan.
constexpr size_t set_words_max = 4;

bool is_word_octet(char octet) {
    const auto lower = static_cast<char>(octet | 0x20);
    return (lower >= 'a' && lower <= 'z') || (octet >= '0' && octet <= '9') || octet == '_';
}

// Scripts without letter case. Whoever is not here is taken for cased.
bool is_caseless_script(char32_t c) {
    constexpr struct {
        char32_t first, last;
    } ranges[] = {
        {0x0590, 0x08FF},    // Hebrew, Arabic, Syriac
        {0x0900, 0x0E7F},    // the scripts of India, Sinhala, Thai
        {0x2010, 0x2027},    // punctuation
        {0x20A0, 0x20BF},    // currencies
        {0x3000, 0xA48F},    // Chinese, Japanese
        {0xAC00, 0xD7A3},    // Korean
        {0x1F300, 0x1FAFF},  // emoji
    };
    return std::any_of(std::begin(ranges), std::end(ranges),
                       [c](const auto& range) { return c >= range.first && c <= range.last; });
}

// One text that the expression stands for, still with its assertions.
struct Token {
    bool is_assertion = false;
    bool caseless = false;
    Assertion assertion{};
    char32_t character = 0;
};
using Spelling = std::vector<Token>;
using Spellings = std::optional<std::vector<Spelling>>;

// Writes out all texts of an expression; nothing if there are too many, or no end of them.
class Speller {
  public:
    explicit Speller(const ExpressionTree& tree) : tree_(tree) {}

    [[nodiscard]] Spellings spell(uint32_t index) {
        const Node& node = tree_.nodes[index];
        switch (node.kind) {
            case NodeKind::character:
                return one({false, node.caseless, {}, node.character});
            case NodeKind::assertion:
                return one({true, false, node.assertion, 0});
            case NodeKind::set:
                return set(node);
            case NodeKind::sequence:
                return sequence(node);
            case NodeKind::alternation:
                return alternation(node);
            case NodeKind::repeat:
                return repeat(node);
        }
        return std::nullopt;
    }

  private:
    static Spellings one(Token token) { return std::vector<Spelling>{{token}}; }

    static Spellings set(const Node& node) {
        if (!node.listed || node.wide != Wide::none || node.ascii.count() > set_words_max) {
            return std::nullopt;
        }
        std::vector<Spelling> out;
        for (char32_t c = 0; c < 0x80; ++c) {
            if (node.ascii.test(c)) {
                out.push_back({Token{false, node.caseless, {}, c}});
            }
        }
        return out;
    }

    [[nodiscard]] Spellings sequence(const Node& node) {
        std::vector<Spelling> out(1);
        for (const uint32_t child : node.children) {
            const Spellings next = spell(child);
            if (!next || !multiply(out, *next)) {
                return std::nullopt;
            }
        }
        return out;
    }

    bool multiply(std::vector<Spelling>& left, const std::vector<Spelling>& right) {
        if (right.size() == 1) {
            return append(left, right.front());
        }
        if (left.size() > 1 && left.size() * right.size() > product_max) {
            return false;
        }
        std::vector<Spelling> out;
        for (const Spelling& head : left) {
            std::vector<Spelling> tails(right.size(), head);
            for (size_t i = 0; i < right.size(); ++i) {
                tails[i].insert(tails[i].end(), right[i].begin(), right[i].end());
                if (!spend(tails[i].size())) {
                    return false;
                }
            }
            std::move(tails.begin(), tails.end(), std::back_inserter(out));
        }
        left = std::move(out);
        return true;
    }

    bool append(std::vector<Spelling>& left, const Spelling& tail) {
        for (Spelling& head : left) {
            head.insert(head.end(), tail.begin(), tail.end());
            if (head.size() > word_characters_max || !spend(tail.size())) {
                return false;
            }
        }
        return true;
    }

    // Nested groups copy what is inside them again and again.
    bool spend(size_t tokens) {
        spent_ += tokens;
        return spent_ <= tokens_max;
    }

    [[nodiscard]] Spellings alternation(const Node& node) {
        std::vector<Spelling> out;
        for (const uint32_t child : node.children) {
            Spellings branch = spell(child);
            if (!branch || out.size() + branch->size() > words_max) {
                return std::nullopt;
            }
            std::move(branch->begin(), branch->end(), std::back_inserter(out));
        }
        return out;
    }

    // "x?" and "x{3}"; more is a regular expression.
    [[nodiscard]] Spellings repeat(const Node& node) {
        constexpr uint32_t times_max = 16;
        const bool optional = node.min == 0 && node.max == 1;
        if (!optional && (node.min != node.max || node.min == 0 || node.min > times_max)) {
            return std::nullopt;
        }
        const Spellings once = spell(node.children.front());
        std::vector<Spelling> out(1);
        for (uint32_t i = 0; i < node.max; ++i) {
            if (!once || !multiply(out, *once)) {
                return std::nullopt;
            }
        }
        if (optional) {
            out.emplace_back();
        }
        return out;
    }

    const ExpressionTree& tree_;
    size_t spent_ = 0;
};

// What all assertions at one end of a word ask for together.
struct EndConditions {
    bool boundary = false;
    bool no_boundary = false;
    bool end = false;
    bool end_or_newline = false;

    /// Nothing if nothing can hold them all: Hyperscan has a word for that.
    [[nodiscard]] std::optional<Edge> edge(bool beside_word_character) const {
        if (boundary && no_boundary) {
            return std::nullopt;
        }
        const bool word_wanted = beside_word_character ? no_boundary : boundary;
        const bool no_word_wanted = beside_word_character ? boundary : no_boundary;
        if (end || end_or_newline) {
            // Behind the end there is no word character, nor is a newline one.
            return word_wanted ? std::nullopt
                               : std::optional(end ? Edge::end : Edge::end_or_newline);
        }
        return word_wanted      ? Edge::word_character
               : no_word_wanted ? Edge::no_word_character
                                : Edge::anything;
    }
};

bool add_condition(Assertion assertion, bool left, EndConditions& conditions) {
    switch (assertion) {
        case Assertion::word_boundary:
            conditions.boundary = true;
            return true;
        case Assertion::no_word_boundary:
            conditions.no_boundary = true;
            return true;
        case Assertion::text_begin:
            conditions.end = true;
            return left;
        case Assertion::text_end:
            conditions.end = true;
            return !left;
        case Assertion::text_end_or_newline:
            conditions.end_or_newline = true;
            return !left;
        case Assertion::line:
            break;
    }
    return false;
}

// Assertions, characters, assertions; and all letters under the same case.
std::optional<Word> word_of(const Spelling& spelling) {
    Word word;
    EndConditions left;
    EndConditions right;
    bool cased = false;
    bool behind = false;
    for (const Token& token : spelling) {
        if (token.is_assertion) {
            behind = !word.octets.empty();
            if (!add_condition(token.assertion, !behind, behind ? right : left)) {
                return std::nullopt;
            }
            continue;
        }
        const bool letter = is_ascii_letter(token.character);
        if (behind ||
            (token.caseless && token.character >= 0x80 && !is_caseless_script(token.character)) ||
            (letter && cased && word.caseless != token.caseless)) {
            return std::nullopt;
        }
        if (letter) {
            cased = true;
            word.caseless = token.caseless;
        }
        append_utf8(letter && token.caseless ? token.character | 0x20 : token.character,
                    word.octets);
    }
    if (word.octets.empty()) {
        return std::nullopt;
    }
    const auto left_edge = left.edge(is_word_octet(word.octets.front()));
    const auto right_edge = right.edge(is_word_octet(word.octets.back()));
    if (!left_edge || !right_edge) {
        return std::nullopt;
    }
    word.left = *left_edge;
    word.right = *right_edge;
    return word;
}

std::vector<Word> words_of(const ExpressionTree& tree) {
    const Spellings spellings = Speller(tree).spell(tree.root);
    std::vector<Word> words;
    if (!spellings) {
        return words;
    }
    for (const Spelling& spelling : *spellings) {
        std::optional<Word> word = word_of(spelling);
        if (!word) {
            return {};
        }
        words.push_back(*std::move(word));
    }
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    return words;
}

// Whether octets in place of characters could change the meaning. A run of "any character" with no
// upper bound finds the same texts either way, as long as it may begin and end between characters:
// it stands beside something that does. Two runs of at least one each that touch would be content
// with two octets of one character; so would anything that counts.
class Utf8Need {
  public:
    explicit Utf8Need(const ExpressionTree& tree) : tree_(tree), known_(tree.nodes.size()) {}

    [[nodiscard]] bool needed() {
        visit(tree_.root, false);
        return needed_;
    }

  private:
    // `run`: behind a run of at least one "any character", with no character boundary since.
    // Each answer is kept: repeats ask twice, and groups of repeats stand in each other.
    bool visit(uint32_t index, bool run) {
        std::optional<bool>& known = known_[index][run ? 1 : 0];
        if (!known) {
            known = look_at(index, run);
        }
        return *known;
    }

    bool look_at(uint32_t index, bool run) {
        const Node& node = tree_.nodes[index];
        switch (node.kind) {
            case NodeKind::character:
                // Octets of a character as written are found as they are; alone, without case.
                needed_ |= node.character >= 0x80 && (node.caseless || !node.as_written);
                return false;
            case NodeKind::set:
                needed_ |= node.wide != Wide::none;
                return false;
            case NodeKind::assertion:
                // \B holds between the octets of one character; the others never.
                needed_ |= node.assertion == Assertion::no_word_boundary;
                return false;
            case NodeKind::sequence:
                for (const uint32_t child : node.children) {
                    run = visit(child, run);
                }
                return run;
            case NodeKind::alternation: {
                bool any = false;
                for (const uint32_t child : node.children) {
                    any |= visit(child, run);
                }
                return any;
            }
            case NodeKind::repeat:
                return repeat(node, run);
        }
        return false;
    }

    bool repeat(const Node& node, bool run) {
        const Node& inside = tree_.nodes[node.children.front()];
        if (inside.kind == NodeKind::character) {
            needed_ |= inside.character >= 0x80;  // a quantifier takes the last octet alone
            return node.min == 0 && run;
        }
        if (inside.kind == NodeKind::set && inside.wide == Wide::all &&
            node.max == Node::unbounded && node.min <= 1) {
            needed_ |= node.min == 1 && run;
            return run || node.min == 1;
        }
        const bool once = visit(node.children.front(), run);
        const bool again = node.max > 1 && visit(node.children.front(), run || once);
        return once || again || (node.min == 0 && run);
    }

    const ExpressionTree& tree_;
    std::vector<std::array<std::optional<bool>, 2>> known_;
    bool needed_ = false;
};

uint64_t positions_of(const ExpressionTree& tree, uint32_t index, bool utf8_mode) {
    constexpr uint64_t enough = uint64_t{1} << 40;  // far above any limit, and no overflow
    const Node& node = tree.nodes[index];
    uint64_t sum = 0;
    switch (node.kind) {
        case NodeKind::character:
            return 1;
        case NodeKind::set:
            // As octets of UTF-8 a set becomes a small automaton of its own.
            return utf8_mode && node.wide != Wide::none ? 4 : 1;
        case NodeKind::assertion:
            return 0;
        default:
            break;
    }
    for (const uint32_t child : node.children) {
        sum = std::min(enough, sum + positions_of(tree, child, utf8_mode));
    }
    if (node.kind == NodeKind::repeat) {
        const uint32_t times = node.max == Node::unbounded ? std::max(node.min, 1u) : node.max;
        sum = std::min(enough, sum * times);
    }
    return sum;
}

// Without a tree: every number in braces counts for the whole expression.
uint64_t positions_of_text(std::string_view expression) {
    constexpr uint64_t enough = uint64_t{1} << 40;
    uint64_t product = expression.size();
    for (size_t i = 0; i < expression.size(); ++i) {
        if (expression[i] != '{') {
            continue;
        }
        uint64_t largest = 1;
        uint64_t value = 0;
        for (++i; i < expression.size() && expression[i] != '}'; ++i) {
            const char c = expression[i];
            value = c >= '0' && c <= '9' ? std::min(enough, value * 10 + uint64_t(c - '0')) : 0;
            largest = std::max(largest, value);
        }
        product = largest > enough / (product + 1) ? enough : product * largest;
    }
    return product;
}

}  // namespace

bool is_ascii_letter(char32_t c) {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

void append_utf8(char32_t c, std::string& out) {
    const auto push = [&out](char32_t octet) { out.push_back(static_cast<char>(octet)); };
    if (c < 0x80) {
        push(c);
    } else if (c < 0x800) {
        push(0xC0 | c >> 6);
    } else if (c < 0x10000) {
        push(0xE0 | c >> 12);
        push(0x80 | (c >> 6 & 0x3F));
    } else {
        push(0xF0 | c >> 18);
        push(0x80 | (c >> 12 & 0x3F));
        push(0x80 | (c >> 6 & 0x3F));
    }
    if (c >= 0x80) {
        push(0x80 | (c & 0x3F));
    }
}

void append_literal(char octet, std::string& out) {
    constexpr char digits[] = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(octet);
    if (is_ascii_letter(value) || (octet >= '0' && octet <= '9')) {
        out += octet;
    } else {
        out += {'\\', 'x', digits[value >> 4], digits[value & 15]};
    }
}

ExpressionForm form_of(std::string_view expression) {
    ExpressionForm form;
    const std::optional<ExpressionTree> tree = parse_expression(expression);
    if (!tree) {
        form.utf8_mode = true;  // in doubt: slower, never wrong
        form.positions = positions_of_text(expression);
        return form;
    }
    form.utf8_mode = Utf8Need(*tree).needed();
    form.positions = positions_of(*tree, tree->root, form.utf8_mode);
    form.words = words_of(*tree);
    return form;
}

}  // namespace sy::match
