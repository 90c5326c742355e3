// A choice of targets in words, for explain. Control plane only.
#pragma once

#include <string>

#include "core/route/choice.h"

namespace sy::route {

/// "price 0.02 EUR a submit (prices.csv line 4)", then why it is off the list, or its quality.
[[nodiscard]] std::string target_in_words(const TargetFacts& facts,
                                          const ChoiceCase& the_case,
                                          Select select,
                                          const std::string& currency);

/// "at most 0.03 EUR (sell.csv line 7: 0.04 EUR, less the margin)".
[[nodiscard]] std::string limit_in_words(Money limit,
                                         bool is_sold,
                                         const PriceTable::Step* sell_price,
                                         const std::string& currency);

}  // namespace sy::route
