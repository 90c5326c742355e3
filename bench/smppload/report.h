// What a run found, for people and for programs.
#pragma once

#include <string>

#include "bench/smppload/context.h"
#include "bench/smppload/run.h"

namespace sy::load {

/// Totals, rates, latencies, warnings, discrepancies: some thirty lines.
[[nodiscard]] std::string text_report(const Context& context, const Outcome& outcome);
[[nodiscard]] std::string json_report(const Context& context, const Outcome& outcome);
/// One line behind the file's header; the header too when the file is new.
[[nodiscard]] Result<void> append_csv(const Context& context, const Outcome& outcome);
[[nodiscard]] Result<void> write_file(const std::string& path, const std::string& content);

}  // namespace sy::load
