// An expression (the first line) and a text (the rest): whatever is made of the expression (words,
// octets in place of characters) matches as Hyperscan's own reading in UTF-8 mode does; the words
// that have to stand in a text stand in every text that matches. The same octets as a cache entry:
// refused, or sound.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hs.h>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/match/expression_form.h"
#include "core/match/pattern_set.h"
#include "core/match/quick_set.h"
#include "core/text/utf8.h"

namespace {

using namespace sy::match;

// Nothing if Hyperscan refuses it, as it does what can never match.
struct Reference {
    explicit Reference(const std::string& expression) {
        hs_compile_error_t* error = nullptr;
        if (hs_compile(expression.c_str(), HS_FLAG_UTF8 | HS_FLAG_ALLOWEMPTY, HS_MODE_BLOCK,
                       nullptr, &database, &error) == HS_SUCCESS) {
            SY_ASSERT(hs_alloc_scratch(database, &scratch) == HS_SUCCESS);
        }
        hs_free_compile_error(error);
    }
    Reference(const Reference&) = delete;
    Reference& operator=(const Reference&) = delete;
    ~Reference() {
        hs_free_scratch(scratch);
        hs_free_database(database);
    }
    [[nodiscard]] bool matches(const std::string& text) const {
        bool found = false;
        const auto on_match = [](unsigned, unsigned long long, unsigned long long, unsigned,
                                 void* context) -> int {
            *static_cast<bool*>(context) = true;
            return 0;
        };
        SY_ASSERT(hs_scan(database, text.c_str(), static_cast<unsigned>(text.size()), 0, scratch,
                          on_match, &found) == HS_SUCCESS);
        return found;
    }
    hs_database_t* database = nullptr;
    hs_scratch_t* scratch = nullptr;
};

// U+017F and U+212A fold to ASCII letters in UTF-8 mode alone: known, and said in
// expression_form.h.
bool folds_to_ascii(std::string_view text) {
    return text.find("\xC5\xBF") != text.npos || text.find("\xE2\x84\xAA") != text.npos;
}

void compare(const std::string& expression, const std::string& text) {
    constexpr uint64_t quick = 100;  // positions: the fuzzer is to see many expressions
    const ExpressionForm form = form_of(expression);
    if (form.positions > quick || why_refused(expression) || folds_to_ascii(text) ||
        !sy::text::is_utf8(text)) {
        return;
    }
    const Reference reference(expression);
    std::vector<PatternError> errors;
    const std::vector<std::string> one = {expression};
    const PatternSet set = PatternSet::compile(one, errors);
    if (reference.database == nullptr || !errors.empty()) {
        return;
    }
    PatternScratch scratch;
    MatchSet matches;
    matches.reserve(2);
    SY_ASSERT(scratch.prepare(set).has_value());
    set.scan(text, scratch, matches);
    const bool matched = matches.contains(0);
    SY_ASSERT(matched == reference.matches(text));
    const WiderWords words = wider_words(expression);
    const QuickSet::Part part{0, &words};
    if (const auto few = QuickSet::compile({&part, 1}, 1)) {
        SY_ASSERT(scratch.prepare(*few->database()).has_value());
        SY_ASSERT(!few->scan(text, scratch, matches) || matches.contains(0) == matched);
        SY_ASSERT(!few->rules_out(sy::as_octets(text)) || !matched);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view input = sy::as_chars({data, size});
    const size_t line_end = std::min(input.find('\n'), size);
    constexpr size_t expression_octets_max = 200;
    if (line_end > 0 && line_end <= expression_octets_max) {
        compare(std::string(input.substr(0, line_end)),
                std::string(input.substr(std::min(line_end + 1, size))));
    }
    if (const auto database = Database::deserialise(input)) {
        SY_ASSERT((*database)->find("") == Database::none || !(*database)->expressions().empty());
    }
    return 0;
}
