// What to do with a status that a supplier answered: try the next target, hold the supplier a
// moment, or give it to the customer. Immutable; any worker.
#pragma once

#include <cstdint>
#include <vector>

#include "core/route/rules.h"

namespace sy::route {

class ErrorTable {
  public:
    /// The default table alone (PROTOCOL 10).
    ErrorTable();
    /// Rows of errors.csv before the defaults; a row for a supplier before one for any.
    explicit ErrorTable(const std::vector<ErrorRule>& rules);

    [[nodiscard]] ErrorClass classify(SupplierId supplier, smpp::CommandStatus status) const;

  private:
    std::vector<ErrorRule> rules_;  // sorted by (status, supplier)
};

}  // namespace sy::route
