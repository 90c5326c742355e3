// Second pass over a packet script: one step a line.
#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <sstream>

#include "io/sim/packet.h"
#include "tests/packet/expand.h"
#include "tests/packet/script.h"

namespace sy::test {
namespace {

/// A line from left to right. The first problem stays; what follows it is without meaning.
class Cursor {
  public:
    explicit Cursor(std::string_view text) : text_(text) {}

    [[nodiscard]] bool done() {
        skip();
        return at_ >= text_.size();
    }
    [[nodiscard]] bool failed() const { return !error_.empty(); }
    [[nodiscard]] const std::string& error() const { return error_; }
    void complain(std::string what) {
        if (error_.empty()) {
            error_ = std::move(what);
        }
    }
    /// Whatever comes next, for messages.
    [[nodiscard]] std::string rest() {
        skip();
        return at_ < text_.size() ? "'" + std::string(text_.substr(at_)) + "'" : "nothing";
    }

    /// The character, if it is next.
    bool accept(char c) {
        skip();
        if (at_ < text_.size() && text_[at_] == c) {
            ++at_;
            return true;
        }
        return false;
    }
    void expect(char c) {
        if (!accept(c)) {
            complain(std::string("expected '") + c + "' before " + rest());
        }
    }
    /// The word, if it is next and ends there.
    bool accept(std::string_view wanted) {
        const size_t before = at_;
        if (word() == wanted) {
            return true;
        }
        at_ = before;
        return false;
    }
    /// Letters, digits, '.', '-', '_', '+' and '@': to the next space or mark.
    std::string_view word() {
        skip();
        const size_t from = at_;
        while (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != '\t' && text_[at_] != '<' &&
               text_[at_] != '>' && text_[at_] != ',') {
            ++at_;
        }
        return text_.substr(from, at_ - from);
    }
    [[nodiscard]] bool number_follows() {
        skip();
        return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9';
    }
    int64_t number(const char* what) {
        skip();
        int64_t value = 0;
        const char* begin = text_.data() + at_;
        const char* end = text_.data() + text_.size();
        const auto [stop, problem] = std::from_chars(begin, end, value);
        if (problem != std::errc{}) {
            complain("expected " + std::string(what) + " instead of " + rest());
            return 0;
        }
        at_ += static_cast<size_t>(stop - begin);
        return value;
    }
    int64_t number_within(const char* what, int64_t most) {
        const int64_t value = number(what);
        if (value < 0 || value > most) {
            complain(std::string(what) + " " + std::to_string(value) + " is not within 0 to " +
                     std::to_string(most));
        }
        return value;
    }
    /// A number, or '*'.
    Wildcard wildcard(const char* what) {
        if (accept('*')) {
            return std::nullopt;
        }
        return number(what);
    }
    Nanos duration() {
        const std::string_view text = word();
        const std::optional<Nanos> value = parse_duration(text);
        if (!value) {
            complain("'" + std::string(text) + "' is not a duration like 200ms");
        }
        return value.value_or(0);
    }

  private:
    void skip() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) {
            ++at_;
        }
    }

    std::string_view text_;
    size_t at_ = 0;
    std::string error_;
};

constexpr int64_t u16_max = 0xffff;
constexpr int64_t u32_max = 0xffffffff;

bool parse_flags(std::string_view word, SegmentSpec& segment) {
    if (word == "*") {
        segment.flags_any = true;
        return true;
    }
    if (word == "-") {
        return true;
    }
    if (word.ends_with('*')) {
        segment.flags_more = true;
        word.remove_suffix(1);
    }
    constexpr std::string_view letters = "FSRPAUEC";
    for (const char c : word) {
        const size_t bit = letters.find(c);
        if (bit == std::string_view::npos || (segment.flags >> bit & 1U) != 0) {
            return false;
        }
        segment.flags = static_cast<uint8_t>(segment.flags | 1U << bit);
    }
    return !word.empty();
}

void parse_option_values(Cursor& line, OptionSpec& option) {
    using Kind = OptionSpec::Kind;
    switch (option.kind) {
        case Kind::mss:
            option.values = {line.wildcard("an MSS")};
            break;
        case Kind::wscale:
            option.values = {line.wildcard("a shift")};
            break;
        case Kind::ts:
            option.values = {line.wildcard("a timestamp")};
            if (line.accept("last")) {
                option.echo_last = true;
            } else {
                option.values.push_back(line.wildcard("a timestamp echo"));
            }
            break;
        case Kind::sack: {
            do {
                option.values.push_back(line.wildcard("a left edge"));
                line.expect(':');
                option.values.push_back(line.wildcard("a right edge"));
            } while (!line.failed() && line.number_follows());
            break;
        }
        case Kind::sackok:
        case Kind::nop:
        case Kind::eol:
        case Kind::hex:
            break;
    }
}

void parse_hex(Cursor& line, OptionSpec& option) {
    const std::string_view digits = line.word();
    for (size_t i = 0; i < digits.size(); i += 2) {
        uint8_t octet = 0;
        const char* begin = digits.data() + i;
        const char* end = begin + std::min<size_t>(2, digits.size() - i);
        const auto [stop, problem] = std::from_chars(begin, end, octet, 16);
        if (problem != std::errc{} || stop != begin + 2) {
            line.complain("expected pairs of hex digits instead of '" + std::string(digits) + "'");
            return;
        }
        option.raw.push_back(static_cast<char>(octet));
    }
}

void parse_options(Cursor& line, SegmentSpec& segment) {
    constexpr std::array<std::string_view, 8> names{"mss", "wscale", "sackok", "sack",
                                                    "ts",  "nop",    "eol",    "hex"};
    segment.options_any = false;
    if (line.accept('>')) {
        return;
    }
    do {
        if (line.accept('*')) {
            segment.options_more = true;
            continue;
        }
        OptionSpec option;
        option.absent = line.accept('!');
        const std::string_view name = line.word();
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) {
            line.complain("unknown option '" + std::string(name) +
                          "': expected mss, wscale, sackok, sack, ts, nop, eol or hex");
            return;
        }
        option.kind = static_cast<OptionSpec::Kind>(found - names.begin());
        if (option.kind == OptionSpec::Kind::hex) {
            parse_hex(line, option);
        } else if (!option.absent) {
            parse_option_values(line, option);
        }
        segment.options.push_back(std::move(option));
    } while (!line.failed() && line.accept(','));
    line.expect('>');
    if (segment.options_more && segment.options.empty()) {
        segment.options_any = true;
    }
}

/// SEQ, SEQ:END or SEQ:END(LENGTH), or '*'.
void parse_sequence(Cursor& line, SegmentSpec& segment) {
    if (line.accept('*')) {
        return;
    }
    segment.seq = line.number("a sequence number");
    segment.length = 0;
    if (!line.accept(':')) {
        return;
    }
    if (line.accept('*')) {
        segment.length.reset();
        return;
    }
    segment.length = line.number("the end of the segment") - *segment.seq;
    if (line.accept('(')) {
        const int64_t length = line.number("the segment's length");
        if (length != *segment.length && !line.failed()) {
            line.complain("a length of " + std::to_string(length) + " where the end says " +
                          std::to_string(*segment.length));
        }
        line.expect(')');
    }
    if (*segment.length < 0 || *segment.length > u16_max) {
        line.complain("a segment cannot have " + std::to_string(*segment.length) + " octets");
    }
}

bool parse_injected_flaw(Cursor& line, std::string_view word, SegmentSpec& segment) {
    if (word == "badsum") {
        segment.bad_checksum = true;
    } else if (word == "badipsum") {
        segment.bad_ip_checksum = true;
    } else if (word == "junk") {
        segment.junk = true;
    } else if (word == "offset") {
        segment.data_offset = static_cast<int32_t>(line.number_within("data offset", 15));
    } else if (word == "cut") {
        segment.cut_bytes = static_cast<uint32_t>(line.number_within("octets to cut", u16_max));
    } else if (word == "pad") {
        segment.pad_bytes = static_cast<uint32_t>(line.number_within("octets of padding", 46));
    } else {
        return false;
    }
    return true;
}

bool parse_when(Cursor& line, std::string_view word, Step& step) {
    if (word == "within") {
        step.within_ns = line.duration();
    } else if (word == "anytime") {
        step.anytime = true;
    } else {
        return false;
    }
    return true;
}

void parse_segment(Cursor& line, std::string_view flags, Step& step) {
    SegmentSpec& segment = step.segment;
    const bool injected = step.op == Op::inject;
    if (!parse_flags(flags, segment)) {
        line.complain("'" + std::string(flags) + "' is neither flags (FSRPAUEC, - or *) nor " +
                      (injected ? "icmp, who-has or is-at" : "icmp, who-has, is-at or nothing"));
        return;
    }
    parse_sequence(line, segment);
    while (!line.failed() && !line.done()) {
        if (line.accept('<')) {
            parse_options(line, segment);
            continue;
        }
        const std::string_view word = line.word();
        if (word == "ack") {
            segment.ack = line.wildcard("an acknowledgment number");
        } else if (word == "win") {
            segment.window = line.wildcard("a window");
        } else if (word == "urg") {
            segment.urgent = line.wildcard("an urgent pointer");
        } else if (!(injected ? parse_injected_flaw(line, word, segment)
                              : parse_when(line, word, step))) {
            line.complain("unexpected " +
                          (word.empty() ? line.rest() : "'" + std::string(word) + "'"));
        }
    }
    if (!injected || line.failed()) {
        return;
    }
    if (segment.flags_any || segment.flags_more || !segment.seq || !segment.length) {
        line.complain("what is sent has neither wildcards nor open ends");
    } else if ((segment.flags & sim::tcp_flag::ack) != 0 && !segment.ack) {
        line.complain("flag A without 'ack N'");
    } else if (segment.window.value_or(0) < 0 || segment.window.value_or(0) > u16_max) {
        line.complain("a window has 16 bits");
    } else if (segment.options_more) {
        line.complain("what is sent has no '*' among its options");
    }
}

void parse_icmp(Cursor& line, Step& step) {
    constexpr std::array<std::string_view, 5> kinds{"unreachable", "too-big", "time-exceeded",
                                                    "echo-request", "echo-reply"};
    const std::string_view kind = line.word();
    const auto found = std::find(kinds.begin(), kinds.end(), kind);
    if (found == kinds.end()) {
        line.complain("unknown ICMP message '" + std::string(kind) +
                      "': expected unreachable, too-big, time-exceeded, echo-request, echo-reply");
        return;
    }
    step.icmp.kind = static_cast<IcmpSpec::Kind>(found - kinds.begin());
    if (step.icmp.kind == IcmpSpec::Kind::unreachable) {
        step.icmp.code = line.word();
        constexpr std::array<std::string_view, 5> codes{"net", "host", "protocol", "port", "admin"};
        if (std::find(codes.begin(), codes.end(), step.icmp.code) == codes.end()) {
            line.complain("expected unreachable net, host, protocol, port or admin");
        }
    }
    while (!line.failed() && !line.done()) {
        const std::string_view word = line.word();
        if (word == "mtu") {
            step.icmp.mtu = static_cast<uint32_t>(line.number_within("MTU", u16_max));
        } else if (word == "quoting") {
            if (!line.accept("last")) {
                if (!line.accept("seq")) {
                    line.complain("expected 'quoting last' or 'quoting seq N'");
                }
                step.icmp.quoted_seq = line.number("a sequence number");
            }
        } else if (!parse_when(line, word, step)) {
            line.complain("unexpected '" + std::string(word) + "'");
        }
    }
}

void parse_when_only(Cursor& line, Step& step) {
    while (!line.failed() && !line.done()) {
        const std::string_view word = line.word();
        if (!parse_when(line, word, step)) {
            line.complain("unexpected '" + std::string(word) + "'");
        }
    }
}

void parse_packet_line(Cursor& line, bool injected, Step& step) {
    const std::string_view word = line.word();
    if (word == "icmp") {
        step.op = injected ? Op::inject_icmp : Op::expect_icmp;
        parse_icmp(line, step);
    } else if (word == "who-has") {
        step.op = injected ? Op::inject_who_has : Op::expect_who_has;
        parse_when_only(line, step);
    } else if (word == "is-at") {
        step.op = injected ? Op::inject_is_at : Op::expect_is_at;
        if (injected && !line.done()) {
            step.amount = static_cast<uint64_t>(line.number_within("last octet of the MAC", 255));
        }
        parse_when_only(line, step);
    } else if (!injected && word == "nothing") {
        step.op = Op::expect_nothing;
        if (line.accept("for")) {
            step.duration_ns = line.duration();
        }
    } else {
        step.op = injected ? Op::inject : Op::expect;
        parse_segment(line, word, step);
    }
}

void parse_event(Cursor& line, Step& step) {
    const std::string_view word = line.word();
    constexpr std::array<std::string_view, 5> reasons{"peer_closed", "peer_reset",
                                                      "connect_refused", "connect_failed", "local"};
    if (word == "accepted") {
        step.op = Op::event_accepted;
    } else if (word == "connected") {
        step.op = Op::event_connected;
    } else if (word == "writable") {
        step.op = Op::event_writable;
    } else if (word == "nothing") {
        step.op = Op::event_nothing;
    } else if (word == "bytes") {
        step.op = Op::event_bytes;
        step.amount = static_cast<uint64_t>(line.number_within("octets", u32_max));
    } else if (word == "closed") {
        step.op = Op::event_closed;
        const std::string_view reason = line.word();
        const auto found = std::find(reasons.begin(), reasons.end(), reason);
        if (found == reasons.end()) {
            line.complain(
                "expected closed peer_closed, peer_reset, connect_refused, "
                "connect_failed or local");
            return;
        }
        step.reason = static_cast<CloseReason>(found - reasons.begin());
    } else {
        line.complain("unknown event '" + std::string(word) +
                      "': expected accepted, connected, bytes, writable, closed or nothing");
    }
    parse_when_only(line, step);
}

struct Verb {
    std::string_view name;
    Op op;
    enum class Argument : uint8_t { none, amount, optional_amount, duration } argument;
};

constexpr std::array<Verb, 22> verbs{{
    {"listen", Op::listen, Verb::Argument::amount},
    {"close-listeners", Op::close_listeners, Verb::Argument::none},
    {"connect", Op::connect, Verb::Argument::none},
    {"connect-self", Op::connect_self, Verb::Argument::none},
    {"connect-fails", Op::connect_fails, Verb::Argument::none},
    {"accept", Op::event_accepted, Verb::Argument::none},
    {"send", Op::send, Verb::Argument::amount},
    {"close", Op::close, Verb::Argument::none},
    {"abort", Op::abort, Verb::Argument::none},
    {"pause", Op::pause, Verb::Argument::none},
    {"resume", Op::resume, Verb::Argument::none},
    {"consume", Op::consume, Verb::Argument::optional_amount},
    {"wait", Op::wait, Verb::Argument::duration},
    {"skip", Op::skip, Verb::Argument::duration},
    {"use", Op::use, Verb::Argument::amount},
    {"fresh", Op::fresh, Verb::Argument::none},
    {"peer-iss", Op::peer_iss, Verb::Argument::amount},
    {"stack-iss", Op::stack_iss, Verb::Argument::amount},
    {"link-up", Op::link_up, Verb::Argument::none},
    {"link-down", Op::link_down, Verb::Argument::none},
    {"counter", Op::counter, Verb::Argument::amount},
    {"stale-calls", Op::stale_calls, Verb::Argument::none},
}};

void parse_verb(Cursor& line, std::string_view word, Step& step) {
    const auto found = std::find_if(verbs.begin(), verbs.end(),
                                    [&](const Verb& verb) { return verb.name == word; });
    if (found == verbs.end()) {
        line.complain("unknown statement '" + std::string(word) + "'");
        return;
    }
    step.op = found->op;
    if (step.op == Op::counter) {
        step.name = line.word();
    }
    switch (found->argument) {
        case Verb::Argument::none:
            break;
        case Verb::Argument::optional_amount:
            if (line.accept("all")) {
                break;
            }
            [[fallthrough]];
        case Verb::Argument::amount:
            step.amount = static_cast<uint64_t>(line.number_within("value", u32_max));
            break;
        case Verb::Argument::duration:
            step.duration_ns = line.duration();
            break;
    }
    if ((step.op == Op::listen && step.amount.value_or(0) > u16_max) ||
        (step.op == Op::use && (step.amount.value_or(0) < 1 || step.amount.value_or(0) > 64))) {
        line.complain(step.op == Op::use ? "flows are 1 to 64" : "a port has 16 bits");
    }
    if (!line.failed() && !line.done()) {
        line.complain("unexpected " + line.rest());
    }
}

void parse_time(Cursor& line, Step& step) {
    if (line.accept('+')) {
        step.at_ns = line.duration();
    } else if (line.accept('@')) {
        step.absolute = true;
        step.at_ns = line.duration();
    }
}

Result<Script> to_script(const std::string& file, const Expansion& expansion, bool ipv6) {
    Script script;
    script.name = file;
    script.ipv6 = ipv6;
    script.combination = expansion.combination;
    for (const ScriptLine& line : expansion.lines) {
        if (line.text == "manual neighbours") {
            script.manual_neighbours = true;
            continue;
        }
        if (line.text.starts_with("option ")) {
            Cursor cursor(std::string_view(line.text).substr(7));
            const std::string key(cursor.word());
            const std::string value(cursor.word());
            if (value.empty() || !cursor.done() || !script.steps.empty()) {
                return fail(line.origin.text() +
                            ": expected 'option KEY VALUE' before the first step");
            }
            script.tunables[key] = value;
            continue;
        }
        if (line.text.starts_with("mtu ")) {
            Cursor cursor(std::string_view(line.text).substr(4));
            script.mtu = static_cast<uint32_t>(cursor.number_within("MTU", u16_max));
            if (cursor.failed() || !cursor.done() || script.mtu == 0 || !script.steps.empty()) {
                return fail(line.origin.text() + ": expected 'mtu OCTETS' before the first step");
            }
            continue;
        }
        Result<Step> step = parse_step(line);
        if (!step) {
            return std::unexpected(step.error());
        }
        script.steps.push_back(std::move(*step));
    }
    if (script.steps.empty()) {
        return fail(file + ": no step in it");
    }
    return script;
}

/// The next combination; false behind the last one.
bool advance(std::vector<size_t>& choices, const std::vector<size_t>& sizes) {
    choices.resize(sizes.size());
    for (size_t i = sizes.size(); i > 0; --i) {
        if (++choices[i - 1] < sizes[i - 1]) {
            return true;
        }
        choices[i - 1] = 0;
    }
    return false;
}

}  // namespace

std::optional<Nanos> parse_duration(std::string_view text) {
    uint64_t whole = 0;
    const char* end = text.data() + text.size();
    auto [at, problem] = std::from_chars(text.data(), end, whole);
    if (problem != std::errc{} || whole > 1'000'000'000) {
        return std::nullopt;
    }
    uint64_t fraction = 0;
    uint64_t scale = 1;
    if (at != end && *at == '.') {
        for (++at; at != end && *at >= '0' && *at <= '9' && scale < 1'000'000'000; ++at) {
            fraction = fraction * 10 + static_cast<uint64_t>(*at - '0');
            scale *= 10;
        }
    }
    const std::string_view unit(at, static_cast<size_t>(end - at));
    const Nanos unit_ns = unit == "s"    ? second_ns
                          : unit == "ms" ? millisecond_ns
                          : unit == "us" ? microsecond_ns
                          : unit == "ns" ? 1
                                         : 0;
    if (unit_ns == 0) {
        return std::nullopt;
    }
    return whole * unit_ns + fraction * unit_ns / scale;
}

Result<Step> parse_step(const ScriptLine& source) {
    Step step;
    step.origin = source.origin;
    step.text = source.text;
    Cursor line(source.text);
    parse_time(line, step);
    if (line.accept('<')) {
        parse_packet_line(line, true, step);
    } else if (line.accept('>')) {
        step.optional = line.accept('?');
        parse_packet_line(line, false, step);
    } else if (line.accept("event")) {
        parse_event(line, step);
    } else {
        parse_verb(line, line.word(), step);
    }
    if (line.failed()) {
        return fail(source.origin.text() + ": " + line.error() + "\n    " + source.text);
    }
    return step;
}

Result<std::vector<Script>> parse_scripts(const std::string& file, const ScriptLoader& load) {
    std::vector<Script> out;
    for (const bool ipv6 : {false, true}) {
        const std::map<std::string, std::string> variables{
            {"family", ipv6 ? "ipv6" : "ipv4"},
            {"mss", ipv6 ? "1440" : "1460"},
            {"ip_header", ipv6 ? "40" : "20"},
        };
        std::vector<size_t> choices;
        for (;;) {
            const Result<Expansion> expansion = expand_script(file, load, choices, variables);
            if (!expansion) {
                return std::unexpected(expansion.error());
            }
            if (!(ipv6 ? expansion->ipv6 : expansion->ipv4)) {
                break;
            }
            Result<Script> script = to_script(file, *expansion, ipv6);
            if (!script) {
                return std::unexpected(script.error());
            }
            out.push_back(std::move(*script));
            if (!advance(choices, expansion->matrix_sizes)) {
                break;
            }
        }
    }
    return out;
}

ScriptLoader folder_loader(const std::string& folder) {
    return [folder](const std::string& name) -> Result<std::string> {
        std::ifstream file(folder + "/" + name);
        std::stringstream text;
        if (!file || !(text << file.rdbuf())) {
            return fail("cannot read '" + folder + "/" + name + "'");
        }
        return text.str();
    };
}

}  // namespace sy::test
