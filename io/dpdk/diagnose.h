// What this machine lacks for [dpdk], told from /proc and /sys, for `switchyard check` and for a
// start that failed. Reads files below a root directory and nothing else, so that tests bring their
// own; EAL is not needed. Control plane.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/config.h"

namespace sy::dpdk {

struct Finding {
    enum class Severity : uint8_t {
        error,   // it will not start
        advice,  // it starts, and does worse than it could
    };
    Severity severity = Severity::error;
    std::string text;     // what is missing
    std::string command;  // what to type, as root; several lines where it takes several
};

struct HostView {
    std::string root = "/";
    bool is_root = false;  // effective user id 0
};

/// All of them, in the order in which they are to be put right.
[[nodiscard]] std::vector<Finding> diagnose(const HostView& host,
                                            const config::Dpdk& settings,
                                            const std::vector<uint32_t>& cpus);

/// "0-3,8" to numbers; what is no such list gives what was read before it. For /sys and the
/// kernel's command line.
[[nodiscard]] std::vector<uint32_t> parse_cpu_list(const std::string& text);

}  // namespace sy::dpdk
