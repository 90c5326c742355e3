#include "core/config/mo_shadow.h"

#include <functional>
#include <string>

#include "core/config/hopeless.h"
#include "core/route/keyword.h"

namespace sy::config {
namespace {

using route::MoRule;

std::string folded(const std::string& keyword) {
    return std::string(route::fold_word(keyword).view());
}

// Beside its place, which is number and keyword: a row with a keyword stands before one without
// whatever else they ask for.
struct Facts {
    enum Asks : uint32_t { supplier = 1, source = 2, when = 4, text = 8, everything = 15 };

    static uint32_t asks_of(const MoRule& rule) {
        return (rule.supplier.valid() ? supplier : 0u) | (rule.source.empty() ? 0u : source) |
               (rule.when != nullptr ? when : 0u) | (rule.text.empty() ? 0u : text);
    }

    static size_t hash_of(const MoRule& rule, uint32_t asks) {
        const std::hash<std::string> of_text;
        size_t hash = fold(of_text(rule.number), of_text(folded(rule.keyword)));
        hash = fold(hash, rule.number_is_prefix ? 1 : 0);
        hash = fold(hash, asks);
        hash = fold(hash, (asks & supplier) != 0 ? rule.supplier.value : 0);
        hash = fold(hash, (asks & source) != 0 ? of_text(rule.source) : 0);
        hash = fold(hash, (asks & when) != 0 ? std::hash<const void*>{}(rule.when.get()) : 0);
        return fold(hash, (asks & text) != 0 ? of_text(rule.text) : 0);
    }

    static bool equal_in(const MoRule& a, const MoRule& b, uint32_t asks) {
        return a.number == b.number && a.number_is_prefix == b.number_is_prefix &&
               folded(a.keyword) == folded(b.keyword) &&
               ((asks & supplier) == 0 || a.supplier == b.supplier) &&
               ((asks & source) == 0 || a.source == b.source) &&
               ((asks & when) == 0 || a.when == b.when) && ((asks & text) == 0 || a.text == b.text);
    }
};

}  // namespace

void warn_of_hopeless_rows(const std::vector<MoRule>& rules, Complaints& complaints) {
    warn_of_rows_that_never_win<Facts>(rules, complaints);
}

}  // namespace sy::config
