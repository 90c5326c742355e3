// [retry]: when messages that were taken to store and forward are tried again.
#pragma once

#include "core/config/section.h"
#include "core/route/retry.h"

namespace sy::config {

void read_retry(Section& in, route::RetrySchedule& out);

}  // namespace sy::config
