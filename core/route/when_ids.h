// Gives each distinct `when` of a table its id. Rules share the objects of equal ones, or they do
// not: then there are more ids than need be. Control plane only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/limits.h"
#include "core/route/mt_table.h"
#include "core/route/when.h"

namespace sy::route {

class WhenIds {
  public:
    explicit WhenIds(std::vector<std::shared_ptr<const When>>& whens) : whens_(whens) {}

    template <class Rule>
    WhenId of(const Rule& rule, std::vector<MtTable::BuildError>& errors) {
        if (rule.when == nullptr) {
            return WhenId::none();
        }
        const auto [found, is_new] =
            ids_.try_emplace(rule.when.get(), WhenId{static_cast<uint16_t>(whens_.size())});
        if (is_new && whens_.size() >= limits::whens_max) {
            errors.push_back(
                {rule.line, "when",
                 "too many different ones: expected at most " + std::to_string(limits::whens_max)});
        } else if (is_new) {
            whens_.push_back(rule.when);
        }
        return found->second;
    }

  private:
    std::vector<std::shared_ptr<const When>>& whens_;
    std::unordered_map<const When*, WhenId> ids_;
};

}  // namespace sy::route
