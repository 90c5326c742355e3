// A packet script, parsed: what the scripted peer sends, what the stack must send, what the
// application calls and what it must be told, in order. README.md has the grammar.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/engine/transport.h"

namespace sy::test {

/// Where a line of a script stands.
struct Origin {
    std::string file;
    uint32_t line = 0;

    [[nodiscard]] std::string text() const { return file + ":" + std::to_string(line); }
};

/// A line after includes, macros and loops.
struct ScriptLine {
    Origin origin;
    std::string text;
};

/// Relative to the initial sequence number of its side; none: anything will do.
using Wildcard = std::optional<int64_t>;

struct OptionSpec {
    enum class Kind : uint8_t { mss, wscale, sackok, sack, ts, nop, eol, hex };

    Kind kind{};
    bool absent = false;     // "!ts": must not be there
    bool echo_last = false;  // "ts 100 last": the echo is the newest value that the stack sent
    std::vector<Wildcard> values{};
    std::string raw{};  // octets of "hex"

    friend bool operator==(const OptionSpec&, const OptionSpec&) = default;
};

struct SegmentSpec {
    uint8_t flags = 0;
    bool flags_any = false;
    bool flags_more = false;  // others than these may be set
    Wildcard seq{};
    Wildcard length{};
    Wildcard ack{};
    Wildcard window{};
    Wildcard urgent{};
    bool options_any = true;    // not checked at all
    bool options_more = false;  // others than these may be there
    std::vector<OptionSpec> options{};
    // Of injected segments only.
    bool bad_checksum = false;
    bool bad_ip_checksum = false;
    bool junk = false;         // payload that is not the stream's
    int32_t data_offset = -1;  // words; -1: the right one
    uint32_t cut_bytes = 0;    // off the frame's end
    uint32_t pad_bytes = 0;    // behind the IP packet
};

struct IcmpSpec {
    enum class Kind : uint8_t { unreachable, too_big, time_exceeded, echo_request, echo_reply };

    Kind kind{};
    std::string code{};
    uint32_t mtu = 0;
    Wildcard quoted_seq{};  // none: the last segment as it was
};

enum class Op : uint8_t {
    inject,
    expect,
    expect_nothing,
    skip,
    inject_icmp,
    expect_icmp,
    inject_who_has,
    expect_who_has,
    inject_is_at,
    expect_is_at,
    event_accepted,
    event_connected,
    event_closed,
    event_bytes,
    event_writable,
    event_nothing,
    listen,
    close_listeners,
    connect,
    connect_self,
    connect_fails,
    send,
    close,
    abort,
    pause,
    resume,
    consume,
    wait,
    use,
    fresh,
    peer_iss,
    stack_iss,
    link_up,
    link_down,
    counter,
    stale_calls,
};

struct Step {
    Origin origin;
    std::string text;
    Op op{};
    bool absolute = false;  // `at_ns` counts from the script's start, else from the step before
    Nanos at_ns = 0;
    Nanos within_ns = 0;    // how much later it may come
    bool anytime = false;   // when it came does not matter
    bool optional = false;  // may also not come
    SegmentSpec segment{};
    IcmpSpec icmp{};
    CloseReason reason{};
    std::string name{};                // of a counter
    std::optional<uint64_t> amount{};  // octets, port, flow, sequence number, MAC; none: all
    Nanos duration_ns = 0;
};

struct Script {
    std::string name;
    bool ipv6 = false;
    std::string combination{};  // values of its matrix, "" without one
    bool manual_neighbours = false;
    uint32_t mtu = 0;  // of the link; 0: as the run says
    std::map<std::string, std::string> tunables{};
    std::vector<Step> steps{};
};

/// Text of a script or of an include file.
using ScriptLoader = std::function<Result<std::string>(const std::string& file)>;

/// Every script that `file` stands for: each family that it names, each combination of its matrix.
/// Errors read "file:line: what is wrong".
[[nodiscard]] Result<std::vector<Script>> parse_scripts(const std::string& file,
                                                        const ScriptLoader& load);
/// One expanded line as a step; for the parser's own tests too.
[[nodiscard]] Result<Step> parse_step(const ScriptLine& line);

/// Loads files from a folder.
[[nodiscard]] ScriptLoader folder_loader(const std::string& folder);

/// "200ms", "1.5s".
[[nodiscard]] std::optional<Nanos> parse_duration(std::string_view text);

}  // namespace sy::test
