#include "tests/packet/expand.h"

#include <algorithm>
#include <charconv>

namespace sy::test {
namespace {

using Variables = std::map<std::string, std::string>;

constexpr size_t lines_max = 100'000;
constexpr int depth_max = 32;

std::string trimmed(std::string_view text) {
    const size_t from = text.find_first_not_of(" \t\r");
    if (from == std::string_view::npos) {
        return {};
    }
    return std::string(text.substr(from, text.find_last_not_of(" \t\r") - from + 1));
}

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Calculator {
  public:
    Calculator(std::string_view text, const Variables& variables)
        : text_(text), variables_(variables) {}

    Result<int64_t> run() {
        const int64_t value = sum();
        skip();
        if (error_.empty() && at_ < text_.size()) {
            error_ = "unexpected '" + std::string(text_.substr(at_)) + "'";
        }
        if (!error_.empty()) {
            return fail(error_ + " in {" + std::string(text_) + "}");
        }
        return value;
    }

  private:
    void skip() {
        while (at_ < text_.size() && text_[at_] == ' ') {
            ++at_;
        }
    }
    bool accept(char c) {
        skip();
        if (at_ < text_.size() && text_[at_] == c) {
            ++at_;
            return true;
        }
        return false;
    }
    // Wraps: sums that no script means, and that must not be undefined behaviour either.
    static int64_t wrap(uint64_t value) { return static_cast<int64_t>(value); }
    int64_t sum() {
        int64_t value = product();
        for (;;) {
            if (accept('+')) {
                value = wrap(static_cast<uint64_t>(value) + static_cast<uint64_t>(product()));
            } else if (accept('-')) {
                value = wrap(static_cast<uint64_t>(value) - static_cast<uint64_t>(product()));
            } else {
                return value;
            }
        }
    }
    int64_t product() {
        int64_t value = factor();
        for (;;) {
            if (accept('*')) {
                value = wrap(static_cast<uint64_t>(value) * static_cast<uint64_t>(factor()));
            } else if (accept('/')) {
                const int64_t by = factor();
                if (by == 0 || by == -1) {
                    error_ = "division by " + std::to_string(by);
                    return 0;
                }
                value /= by;
            } else {
                return value;
            }
        }
    }
    int64_t factor() {
        if (++depth_ > depth_max) {
            error_ = "too deep";
            return 0;
        }
        int64_t value = 0;
        if (accept('-')) {
            value = wrap(0 - static_cast<uint64_t>(factor()));
        } else if (accept('(')) {
            value = sum();
            if (!accept(')') && error_.empty()) {
                error_ = "')' is missing";
            }
        } else {
            value = atom();
        }
        --depth_;
        return value;
    }
    int64_t atom() {
        skip();
        const size_t from = at_;
        while (at_ < text_.size() && is_name_char(text_[at_])) {
            ++at_;
        }
        std::string word(text_.substr(from, at_ - from));
        if (const auto found = variables_.find(word); found != variables_.end()) {
            word = found->second;
        }
        int64_t value = 0;
        const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
        if ((problem != std::errc{} || end != word.data() + word.size()) && error_.empty()) {
            error_ = "'" + word + "' is neither a number nor a name";
        }
        return value;
    }

    std::string_view text_;
    const Variables& variables_;
    size_t at_ = 0;
    int depth_ = 0;
    std::string error_;
};

/// Words apart by spaces; spaces within "..." do not count.
std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> out;
    bool inside = false;  // of a word
    bool quoted = false;
    for (const char c : text) {
        if (!quoted && (c == ' ' || c == '\t')) {
            inside = false;
            continue;
        }
        if (!inside) {
            out.emplace_back();
            inside = true;
        }
        if (c == '"') {
            quoted = !quoted;
        } else {
            out.back() += c;
        }
    }
    return out;
}

std::vector<std::string> split_at(std::string_view text, char separator) {
    std::vector<std::string> out;
    size_t from = 0;
    for (;;) {
        const size_t end = text.find(separator, from);
        out.emplace_back(text.substr(from, end - from));
        if (end == std::string_view::npos) {
            return out;
        }
        from = end + 1;
    }
}

bool opens_block(const std::string& text) {
    return text.ends_with(" {");
}

struct Macro {
    std::vector<std::string> parameters;
    std::vector<ScriptLine> body;
};

class Expander {
  public:
    Expander(const ScriptLoader& load, const std::vector<size_t>& choices)
        : load_(load), choices_(choices) {}

    Result<void> file(const std::string& name, const Origin* from, Variables& variables) {
        Result<std::string> text = load_(name);
        if (!text) {
            return fail((from == nullptr ? "" : from->text() + ": ") + text.error().text);
        }
        std::vector<ScriptLine> lines;
        uint32_t number = 0;
        for (const std::string& raw : split_at(*text, '\n')) {
            ++number;
            std::string line = trimmed(std::string_view(raw).substr(0, raw.find('#')));
            if (!line.empty()) {
                lines.push_back({{name, number}, std::move(line)});
            }
        }
        return block(lines, variables, true);
    }

    Expansion out;

  private:
    static auto complain(const ScriptLine& line, const std::string& what) {
        return fail(line.origin.text() + ": " + what);
    }

    /// Index of the "}" or "} else {" that ends the block which opens at `from`.
    static Result<size_t> block_end(const std::vector<ScriptLine>& lines, size_t from) {
        int depth = 1;
        for (size_t i = from + 1; i < lines.size(); ++i) {
            const std::string& text = lines[i].text;
            if (text.starts_with('}')) {
                if (--depth == 0) {
                    return i;
                }
            }
            depth += opens_block(text) ? 1 : 0;
        }
        return complain(lines[from], "no '}' ends this block");
    }

    Result<void> block(const std::vector<ScriptLine>& lines, Variables& variables, bool top) {
        if (lines.empty()) {
            return {};
        }
        if (++depth_ > depth_max) {
            return complain(lines.front(), "includes, loops or macros nest too deep");
        }
        for (size_t i = 0; i < lines.size(); ++i) {
            const ScriptLine& line = lines[i];
            if (opens_block(line.text)) {
                Result<size_t> end = block_end(lines, i);
                if (!end) {
                    return std::unexpected(end.error());
                }
                std::vector<ScriptLine> body(lines.begin() + static_cast<ptrdiff_t>(i) + 1,
                                             lines.begin() + static_cast<ptrdiff_t>(*end));
                std::vector<ScriptLine> other;
                if (lines[*end].text == "} else {") {
                    Result<size_t> last = block_end(lines, *end);
                    if (!last) {
                        return std::unexpected(last.error());
                    }
                    other.assign(lines.begin() + static_cast<ptrdiff_t>(*end) + 1,
                                 lines.begin() + static_cast<ptrdiff_t>(*last));
                    end = last;
                }
                if (lines[*end].text != "}") {
                    return complain(lines[*end], "expected '}' alone");
                }
                SY_TRY(compound(line, body, other, variables));
                i = *end;
            } else if (line.text.starts_with('}')) {
                return complain(line, "'}' without a block");
            } else {
                SY_TRY(simple(line, variables, top));
            }
        }
        --depth_;
        return {};
    }

    Result<std::string> substitute(const ScriptLine& line,
                                   std::string_view text,
                                   const Variables& variables) {
        std::string result;
        size_t at = 0;
        while (at < text.size()) {
            const size_t open = text.find('{', at);
            result += text.substr(at, open - at);
            if (open == std::string_view::npos) {
                break;
            }
            const size_t close = text.find('}', open);
            if (close == std::string_view::npos) {
                return complain(line, "'{' without '}'");
            }
            const std::string inside = trimmed(text.substr(open + 1, close - open - 1));
            if (const auto found = variables.find(inside); found != variables.end()) {
                result += found->second;
            } else if (Result<int64_t> value = evaluate(inside, variables)) {
                result += std::to_string(*value);
            } else {
                return complain(line, value.error().text);
            }
            at = close + 1;
        }
        return result;
    }

    Result<void> simple(const ScriptLine& line, Variables& variables, bool top) {
        const Result<std::string> text = substitute(line, line.text, variables);
        if (!text) {
            return std::unexpected(text.error());
        }
        const std::vector<std::string> words = split(*text);
        if (words.empty()) {
            return {};
        }
        const std::string& word = words.front();
        if (word == "include" && words.size() == 2) {
            return file(words[1], &line.origin, variables);
        }
        if (word == "define" && words.size() >= 3) {
            const size_t at = text->find(words[1], 6) + words[1].size();
            variables[words[1]] = trimmed(std::string_view(*text).substr(at));
            return {};
        }
        if (word == "matrix") {
            return top ? matrix(line, words, variables)
                       : complain(line, "'matrix' stands outside of blocks");
        }
        if (word == "family" && words.size() == 2) {
            out.ipv4 = words[1] != "ipv6";
            out.ipv6 = words[1] != "ipv4";
            const bool known = words[1] == "both" || words[1] == "ipv4" || words[1] == "ipv6";
            return known ? Result<void>{} : complain(line, "expected family both, ipv4 or ipv6");
        }
        if (word == "do" && words.size() >= 2) {
            return call(line, words, variables);
        }
        if (out.lines.size() >= lines_max) {
            return complain(line, "the script is too long");
        }
        out.lines.push_back({line.origin, *text});
        return {};
    }

    /// "NAMES in VALUES" from word `from`: one row of assignments for each value.
    static Result<std::vector<Variables>> rows(const ScriptLine& line,
                                               const std::vector<std::string>& words) {
        if (words.size() < 4 || words[2] != "in") {
            return complain(line, "expected '" + words[0] + " NAME[,NAME] in VALUE ...'");
        }
        const std::vector<std::string> names = split_at(words[1], ',');
        std::vector<Variables> out;
        for (size_t i = 3; i < words.size(); ++i) {
            const std::vector<std::string> values =
                names.size() == 1 ? std::vector{words[i]} : split_at(words[i], ',');
            if (values.size() != names.size()) {
                return complain(line, "'" + words[i] + "' has " + std::to_string(values.size()) +
                                          " values for " + std::to_string(names.size()) + " names");
            }
            Variables& row = out.emplace_back();
            for (size_t n = 0; n < names.size(); ++n) {
                row[names[n]] = values[n];
            }
        }
        return out;
    }

    Result<void> matrix(const ScriptLine& line,
                        const std::vector<std::string>& words,
                        Variables& variables) {
        const auto all = rows(line, words);
        if (!all) {
            return std::unexpected(all.error());
        }
        const size_t index = out.matrix_sizes.size();
        const size_t choice = index < choices_.size() ? choices_[index] : 0;
        out.matrix_sizes.push_back(all->size());
        for (const auto& [name, value] : (*all)[choice]) {
            variables[name] = value;
            out.combination += (out.combination.empty() ? "" : ", ") + name + " = " + value;
        }
        return {};
    }

    Result<void> call(const ScriptLine& line,
                      const std::vector<std::string>& words,
                      const Variables& variables) {
        const auto found = macros_.find(words[1]);
        if (found == macros_.end()) {
            return complain(line, "no macro '" + words[1] + "'");
        }
        const Macro& macro = found->second;
        if (words.size() - 2 != macro.parameters.size()) {
            return complain(line, "macro '" + words[1] + "' takes " +
                                      std::to_string(macro.parameters.size()) + " values");
        }
        Variables inner = variables;
        for (size_t i = 0; i < macro.parameters.size(); ++i) {
            inner[macro.parameters[i]] = words[i + 2];
        }
        return block(std::vector(macro.body), inner, false);
    }

    Result<void> compound(const ScriptLine& line,
                          const std::vector<ScriptLine>& body,
                          const std::vector<ScriptLine>& other,
                          Variables& variables) {
        const std::string head = line.text.substr(0, line.text.size() - 2);
        if (head.starts_with("macro ")) {
            const std::vector<std::string> words = split(head);
            macros_[words.at(1)] = {{words.begin() + 2, words.end()}, body};
            return {};
        }
        const Result<std::string> text = substitute(line, head, variables);
        if (!text) {
            return std::unexpected(text.error());
        }
        const std::vector<std::string> words = split(*text);
        if (words.empty()) {
            return complain(line, "a block without a head");
        }
        if (words[0] == "if" && words.size() == 4 && (words[2] == "==" || words[2] == "!=")) {
            const bool chosen = (words[1] == words[3]) == (words[2] == "==");
            return chosen ? block(body, variables, false) : block(other, variables, false);
        }
        if (!other.empty()) {
            return complain(line, "'else' belongs to 'if A == B {' only");
        }
        if (words[0] == "repeat" && words.size() == 2) {
            const Result<int64_t> count = evaluate(words[1], variables);
            if (!count || *count < 0 || *count > static_cast<int64_t>(lines_max)) {
                return complain(line, "expected 'repeat COUNT {'");
            }
            return loop(body, variables, numbered(*count));
        }
        if (words[0] == "for") {
            const auto all = rows(line, words);
            return all ? loop(body, variables, *all) : std::unexpected(all.error());
        }
        return complain(line, "expected for, repeat, if or macro before '{'");
    }

    static std::vector<Variables> numbered(int64_t count) {
        std::vector<Variables> out;
        for (int64_t i = 0; i < count; ++i) {
            out.push_back({{"i", std::to_string(i)}});
        }
        return out;
    }

    /// Definitions of the body outlive the loop, its own variables do not.
    Result<void> loop(const std::vector<ScriptLine>& body,
                      Variables& variables,
                      const std::vector<Variables>& all) {
        for (const Variables& row : all) {
            Variables before;
            for (const auto& [name, value] : row) {
                if (const auto found = variables.find(name); found != variables.end()) {
                    before.insert(*found);
                }
                variables[name] = value;
            }
            SY_TRY(block(body, variables, false));
            for (const auto& [name, value] : row) {
                variables.erase(name);
            }
            variables.merge(before);
        }
        return {};
    }

    const ScriptLoader& load_;
    const std::vector<size_t>& choices_;
    std::map<std::string, Macro> macros_;
    int depth_ = 0;
};

}  // namespace

Result<int64_t> evaluate(std::string_view expression, const Variables& variables) {
    return Calculator(expression, variables).run();
}

Result<Expansion> expand_script(const std::string& file,
                                const ScriptLoader& load,
                                const std::vector<size_t>& choices,
                                const Variables& variables) {
    Expander expander(load, choices);
    Variables own = variables;
    SY_TRY(expander.file(file, nullptr, own));
    return std::move(expander.out);
}

}  // namespace sy::test
