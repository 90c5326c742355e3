#include "core/route/expressions.h"

namespace sy::route {

uint32_t Expressions::add(const std::string& expression, uint32_t line, const char* column) {
    if (expression.empty()) {
        return none;
    }
    const auto [it, added] =
        ids_.try_emplace(expression, static_cast<uint32_t>(expressions_.size()));
    if (added) {
        expressions_.push_back(expression);
    }
    uses_.push_back({it->second, line, column});
    return it->second;
}

match::PatternSet Expressions::compile(const char* set_name,
                                       const match::PatternSet* running,
                                       match::DatabaseCache* cache,
                                       std::vector<MtTable::BuildError>& errors) const {
    match::CompileOptions options;
    options.base = running == nullptr ? nullptr : running->base();
    options.cache = cache;
    options.name = set_name;
    std::vector<match::PatternError> refused;
    match::PatternSet set = match::PatternSet::compile(expressions_, options, refused);
    for (const auto& error : refused) {
        for (const Use& use : uses_) {
            if (use.id == error.index) {
                errors.push_back(
                    {use.line, use.column,
                     "expression \"" + expressions_[use.id] + "\" cannot be used: " + error.text});
            }
        }
    }
    return set;
}

}  // namespace sy::route
