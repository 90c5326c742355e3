// Which stack the scripts and the two-stack simulation run against: the one place that names it.
#pragma once

#include "tests/packet/stack.h"
#include "tests/packet/toy_transport.h"

namespace sy::test {

/// Until io/tcpip has its transport, scripts are parsed but not run, and the two-stack simulation
/// runs with the toy alone. Switching: true here, and make_stack() below builds the transport.
inline constexpr bool stack_under_test_present = false;

/// The stack as `setup` wants it. Tunables are the scripts' "option KEY VALUE"; an unknown one is
/// an error, so that a script never runs without what it asks for.
[[nodiscard]] inline Result<std::unique_ptr<Stack>> make_stack(tcpip::PacketPort& port,
                                                               const StackSetup& setup) {
    if (!setup.tunables.empty()) {
        return fail("no tunable '" + setup.tunables.begin()->first + "'");
    }
    const ToyOptions options{.ipv4 = setup.ipv4, .ipv6 = setup.ipv6};
    return std::make_unique<StackOf<ToyTransport>>(port, options);
}

}  // namespace sy::test
