// Scripts written inside a test, run against the toy transport.
#pragma once

#include <map>
#include <string>

#include "tests/packet/runner.h"
#include "tests/packet/toy_transport.h"

namespace sy::test {

/// Files that exist in a test only.
inline ScriptLoader text_loader(std::map<std::string, std::string> files) {
    return [files = std::move(files)](const std::string& name) -> Result<std::string> {
        const auto found = files.find(name);
        return found == files.end() ? Result<std::string>(fail("cannot read '" + name + "'"))
                                    : found->second;
    };
}

inline StackFactory toy_factory(ToyFault fault = ToyFault::none) {
    return [fault](tcpip::PacketPort& port,
                   const StackSetup& setup) -> Result<std::unique_ptr<Stack>> {
        ToyOptions options{.ipv4 = setup.ipv4, .ipv6 = setup.ipv6, .fault = fault};
        for (const auto& [key, value] : setup.tunables) {
            if (key == "retransmit" && parse_duration(value)) {
                options.retransmit_ns = *parse_duration(value);
            } else {
                return fail("no tunable '" + key + "' of value '" + value + "'");
            }
        }
        return std::make_unique<StackOf<ToyTransport>>(port, options);
    };
}

}  // namespace sy::test
