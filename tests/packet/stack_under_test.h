// Which stack the scripts and the two-stack simulation run against: the one place that names it,
// and the tunables that scripts set by "option KEY VALUE".
#pragma once

#include "tests/packet/stack.h"

namespace sy::test {

/// The userspace stack as `setup` wants it. An unknown tunable is an error, so that a script never
/// runs without what it asks for. Durations carry a unit: 200ms, 2s. Keys: stack_under_test.cc.
[[nodiscard]] Result<std::unique_ptr<Stack>> make_stack(tcpip::PacketPort& port,
                                                        const StackSetup& setup);

}  // namespace sy::test
