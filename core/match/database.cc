#include "core/match/database.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <hs.h>

#include "core/base/assert.h"
#include "core/match/database_plan.h"
#include "core/match/expression_form.h"
#include "core/text/utf8.h"

namespace sy::match {

namespace {

struct FreeDatabase {
    void operator()(hs_database_t* database) const { hs_free_database(database); }
};
using OwnedDatabase = std::unique_ptr<hs_database_t, FreeDatabase>;

std::string text_of(hs_compile_error_t* error) {
    std::string text = error != nullptr && error->message != nullptr ? error->message : "refused";
    hs_free_compile_error(error);
    return text;
}

OwnedDatabase compile_patterns(const DatabasePlan& plan, std::string& why) {
    std::vector<const char*> pointers;
    std::vector<unsigned> ids;
    for (const std::string& text : plan.texts) {
        ids.push_back(static_cast<unsigned>(pointers.size()));
        pointers.push_back(text.c_str());
    }
    hs_database_t* compiled = nullptr;
    hs_compile_error_t* error = nullptr;
    if (hs_compile_multi(pointers.data(), plan.flags.data(), ids.data(),
                         static_cast<unsigned>(ids.size()), HS_MODE_BLOCK, nullptr, &compiled,
                         &error) != HS_SUCCESS) {
        why = text_of(error);
        return nullptr;
    }
    return OwnedDatabase(compiled);
}

// The compiler has limits that parsing does not see, and does not always say whose fault it is:
// then each is compiled alone.
void name_the_guilty(std::span<const std::string> expressions,
                     const std::string& why_all,
                     std::vector<PatternError>& errors) {
    const size_t errors_before = errors.size();
    for (size_t i = 0; i < expressions.size(); ++i) {
        std::string why;
        if (compile_patterns(DatabasePlan(expressions.subspan(i, 1)), why) == nullptr) {
            errors.push_back({i, std::move(why)});
        }
    }
    if (errors.size() == errors_before) {
        errors.push_back({0, "all expressions together: " + why_all});
    }
}

}  // namespace

std::optional<std::string> why_refused(const std::string& expression) {
    // Hyperscan takes C strings: what is behind a NUL would be ignored without a word.
    if (expression.find('\0') != std::string::npos) {
        return "a NUL octet is not allowed, write \\x00";
    }
    if (!text::is_utf8(expression)) {
        return "it is not valid UTF-8";
    }
    const ExpressionForm form = form_of(expression);
    if (!form.words.empty()) {
        return std::nullopt;
    }
    if (form.positions > positions_max) {
        return "its repeats stand for " + std::to_string(form.positions) +
               " characters written out, expected at most " + std::to_string(positions_max) +
               " (\".\" and the like count four where characters are counted)";
    }
    hs_expr_info_t* info = nullptr;
    hs_compile_error_t* error = nullptr;
    if (hs_expression_info(expression.c_str(), flags_of(form), &info, &error) != HS_SUCCESS) {
        return text_of(error);
    }
    std::free(info);  // NOLINT(cppcoreguidelines-no-malloc): Hyperscan's default allocator
    return std::nullopt;
}

uint64_t compile_cost_us(const std::string& expression) {
    return cost_us_of(form_of(expression));
}

Database::~Database() {
    hs_free_database(database_);
}

void Database::adopt(const DatabasePlan& plan) {
    cost_us_ = plan.cost_us;
    checks_begin_.reserve(plan.checks.size() + 1);
    for (const auto& of_pattern : plan.checks) {
        checks_begin_.push_back(static_cast<uint32_t>(checks_.size()));
        checks_.insert(checks_.end(), of_pattern.begin(), of_pattern.end());
    }
    checks_begin_.push_back(static_cast<uint32_t>(checks_.size()));
}

std::shared_ptr<const Database> Database::compile(std::vector<std::string> expressions,
                                                  std::vector<PatternError>& errors) {
    SY_ASSERT(std::is_sorted(expressions.begin(), expressions.end()));
    std::shared_ptr<Database> database(new Database());
    const DatabasePlan plan(expressions);
    if (!expressions.empty()) {
        std::string why;
        OwnedDatabase compiled = compile_patterns(plan, why);
        if (compiled == nullptr) {
            name_the_guilty(expressions, why, errors);
            return nullptr;
        }
        database->database_ = compiled.release();
    }
    database->adopt(plan);
    database->expressions_ = std::move(expressions);
    return database;
}

uint32_t Database::find(std::string_view expression) const {
    const auto it = std::lower_bound(expressions_.begin(), expressions_.end(), expression);
    return it != expressions_.end() && *it == expression
               ? static_cast<uint32_t>(it - expressions_.begin())
               : none;
}

size_t Database::bytes() const {
    size_t size = 0;
    if (database_ == nullptr || hs_database_size(database_, &size) != HS_SUCCESS) {
        return 0;
    }
    return size;
}

// ---- scan ----

namespace {

bool is_word_octet(char octet) {
    const auto lower = static_cast<char>(octet | 0x20);
    return (lower >= 'a' && lower <= 'z') || (octet >= '0' && octet <= '9') || octet == '_';
}

bool left_fits(Edge edge, std::string_view text, size_t begin) {
    switch (edge) {
        case Edge::anything:
            return true;
        case Edge::word_character:
            return begin > 0 && is_word_octet(text[begin - 1]);
        case Edge::no_word_character:
            return begin == 0 || !is_word_octet(text[begin - 1]);
        case Edge::end:
        case Edge::end_or_newline:
            return begin == 0;
    }
    return false;
}

bool right_fits(Edge edge, std::string_view text, size_t end) {
    switch (edge) {
        case Edge::anything:
            return true;
        case Edge::word_character:
            return end < text.size() && is_word_octet(text[end]);
        case Edge::no_word_character:
            return end == text.size() || !is_word_octet(text[end]);
        case Edge::end:
            return end == text.size();
        case Edge::end_or_newline:
            return end == text.size() || (end + 1 == text.size() && text[end] == '\n');
    }
    return false;
}

}  // namespace

// What a match is told of.
struct Scanning {
    const Database& database;
    std::string_view text;
    const uint32_t* bit_of;
    MatchSet& out;

    void matched(unsigned id, size_t end) const {
        const uint32_t last = database.checks_begin_[id + 1];
        for (uint32_t i = database.checks_begin_[id]; i < last; ++i) {
            const DatabasePlan::Check& check = database.checks_[i];
            if (check.word_octets != 0 &&
                (!left_fits(static_cast<Edge>(check.left), text, end - check.word_octets) ||
                 !right_fits(static_cast<Edge>(check.right), text, end))) {
                continue;
            }
            if (const uint32_t bit = bit_of[check.expression]; bit != Database::none) {
                out.add(bit);
            }
        }
    }
};

void Database::scan(std::string_view text,
                    hs_scratch* scratch,
                    const uint32_t* bit_of,
                    MatchSet& out) const {
    if (database_ == nullptr) {
        return;
    }
    // Hyperscan refuses a null pointer even for an empty text.
    const char* data = text.empty() ? "" : text.data();
    Scanning scanning{*this, text, bit_of, out};
    const auto on_match = [](unsigned id, unsigned long long, unsigned long long end, unsigned,
                             void* context) -> int {
        static_cast<const Scanning*>(context)->matched(id, static_cast<size_t>(end));
        return 0;
    };
    const hs_error_t status = hs_scan(database_, data, static_cast<unsigned>(text.size()), 0,
                                      scratch, on_match, &scanning);
    if (status != HS_SUCCESS) {
        SY_COUNT_BUG("hs_scan refused its arguments");
    }
}

}  // namespace sy::match
