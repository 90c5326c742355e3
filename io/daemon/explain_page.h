// Explanations over HTTP: GET /explain/mt and /explain/mo on the admin port, parameters named like
// the options of the command.
#pragma once

#include <memory>
#include <mutex>

#include "io/admin/server.h"
#include "io/daemon/explanation.h"

namespace sy::daemon {

/// Where the control thread puts what the running router routes by; any thread may look.
class ExplainDesk {
  public:
    void put(std::shared_ptr<const ExplainTables> tables) {
        const std::lock_guard lock(mutex_);
        tables_ = std::move(tables);
    }
    [[nodiscard]] std::shared_ptr<const ExplainTables> tables() const {
        const std::lock_guard lock(mutex_);
        return tables_;
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const ExplainTables> tables_;
};

[[nodiscard]] std::string explain_page(Report::Kind kind);  // "/explain/mt"
[[nodiscard]] admin::Parameters parameters_of(Report::Kind kind,
                                              const Question& question,
                                              bool json);

/// 200 and the report as text, or as JSON with format=json; 400 and a line that says what is wrong
/// with the question; 503 before the first configuration.
[[nodiscard]] admin::Page explain_answer(Report::Kind kind,
                                         const ExplainDesk& desk,
                                         const admin::Parameters& parameters);

}  // namespace sy::daemon
