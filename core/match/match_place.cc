#include "core/match/match_place.h"

#include <memory>

#include <hs.h>

#include "core/match/database_plan.h"
#include "core/match/expression_form.h"

namespace sy::match {

namespace {

struct FreeDatabase {
    void operator()(hs_database_t* database) const { hs_free_database(database); }
};
struct FreeScratch {
    void operator()(hs_scratch_t* scratch) const { hs_free_scratch(scratch); }
};

// The start of match is for whole expressions: a list of words is compiled as the expression that
// it is written as.
std::unique_ptr<hs_database_t, FreeDatabase> compile(const std::string& expression) {
    const unsigned flags =
        (flags_of(form_of(expression)) & ~unsigned{HS_FLAG_SINGLEMATCH}) | HS_FLAG_SOM_LEFTMOST;
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    if (hs_compile(expression.c_str(), flags, HS_MODE_BLOCK, nullptr, &database, &error) !=
        HS_SUCCESS) {
        hs_free_compile_error(error);
    }
    return std::unique_ptr<hs_database_t, FreeDatabase>(database);
}

int keep_leftmost_longest(unsigned /*id*/,
                          unsigned long long from,
                          unsigned long long to,
                          unsigned /*flags*/,
                          void* context) {
    auto& best = *static_cast<std::optional<MatchPlace>*>(context);
    const MatchPlace place{static_cast<size_t>(from), static_cast<size_t>(to)};
    if (!best || place.first < best->first ||
        (place.first == best->first && place.last > best->last)) {
        best = place;
    }
    return 0;
}

}  // namespace

std::optional<MatchPlace> first_match(const std::string& expression, std::string_view text) {
    const auto database = compile(expression);
    hs_scratch_t* made = nullptr;
    if (database == nullptr || hs_alloc_scratch(database.get(), &made) != HS_SUCCESS) {
        return std::nullopt;
    }
    const std::unique_ptr<hs_scratch_t, FreeScratch> scratch(made);
    std::optional<MatchPlace> best;
    const char* const octets = text.data() == nullptr ? "" : text.data();
    if (hs_scan(database.get(), octets, static_cast<unsigned>(text.size()), 0, scratch.get(),
                keep_leftmost_longest, &best) != HS_SUCCESS) {
        return std::nullopt;
    }
    return best;
}

}  // namespace sy::match
