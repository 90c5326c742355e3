#include "tests/packet/segment.h"

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "tests/packet/stack.h"

namespace sy::test {
namespace {

using Kind = OptionSpec::Kind;

constexpr uint8_t kind_eol = 0;
constexpr uint8_t kind_nop = 1;
constexpr uint8_t kind_mss = 2;
constexpr uint8_t kind_wscale = 3;
constexpr uint8_t kind_sackok = 4;
constexpr uint8_t kind_sack = 5;
constexpr uint8_t kind_ts = 8;

uint32_t u32(int64_t value) {
    return static_cast<uint32_t>(static_cast<uint64_t>(value));
}

void write_option(ByteWriter& out, const OptionSpec& option, const Flow& flow) {
    const auto value = [&](size_t i) { return option.values[i].value_or(0); };
    switch (option.kind) {
        case Kind::mss:
            out.integer(kind_mss);
            out.integer(uint8_t{4});
            out.integer(static_cast<uint16_t>(value(0)));
            break;
        case Kind::wscale:
            out.integer(kind_wscale);
            out.integer(uint8_t{3});
            out.integer(static_cast<uint8_t>(value(0)));
            break;
        case Kind::sackok:
            out.integer(kind_sackok);
            out.integer(uint8_t{2});
            break;
        case Kind::sack:  // of octets that the stack sent
            out.integer(kind_sack);
            out.integer(static_cast<uint8_t>(2 + 4 * option.values.size()));
            for (size_t i = 0; i < option.values.size(); ++i) {
                out.integer(u32(value(i)) + flow.stack_iss.value_or(0));
            }
            break;
        case Kind::ts:
            out.integer(kind_ts);
            out.integer(uint8_t{10});
            out.integer(u32(value(0)));
            out.integer(option.echo_last ? flow.stack_ts_last
                                         : u32(value(1)) + flow.stack_ts_base.value_or(0));
            break;
        case Kind::nop:
            out.integer(kind_nop);
            break;
        case Kind::eol:
            out.integer(kind_eol);
            break;
        case Kind::hex:
            out.octets(as_octets(option.raw));
            break;
    }
}

/// The options and NOPs up to a whole word; EOL where the script asks for it.
std::string option_octets(const SegmentSpec& spec, const Flow& flow) {
    uint8_t octets[256];
    ByteWriter out(octets);
    for (const OptionSpec& option : spec.options) {
        write_option(out, option, flow);
    }
    while (!out.overflow() && out.written() % 4 != 0) {
        out.integer(kind_nop);
    }
    return std::string(as_chars(Octets(octets, std::min<size_t>(out.written(), 40))));
}

OptionSpec read_option(uint8_t kind,
                       std::span<const uint8_t> option,
                       const Flow& flow,
                       bool from_peer) {
    OptionSpec out;
    const uint8_t* at = option.data() + 2;
    if (kind == kind_mss && option.size() == 4) {
        out.kind = Kind::mss;
        out.values = {load_be<uint16_t>(at)};
    } else if (kind == kind_wscale && option.size() == 3) {
        out.kind = Kind::wscale;
        out.values = {*at};
    } else if (kind == kind_sackok && option.size() == 2) {
        out.kind = Kind::sackok;
    } else if (kind == kind_sack && option.size() % 8 == 2) {
        out.kind = Kind::sack;
        const std::optional<uint32_t> base = from_peer ? flow.stack_iss : flow.peer_iss;
        for (size_t i = 2; i < option.size(); i += 4) {
            out.values.push_back(relative(load_be<uint32_t>(option.data() + i), base));
        }
    } else if (kind == kind_ts && option.size() == 10) {
        out.kind = Kind::ts;
        const uint32_t value = load_be<uint32_t>(at);
        const uint32_t echo = load_be<uint32_t>(at + 4);
        out.values = {from_peer ? int64_t{value} : relative(value, flow.stack_ts_base),
                      from_peer && echo != 0 ? relative(echo, flow.stack_ts_base) : int64_t{echo}};
    } else {
        out.kind = Kind::hex;
        out.raw = as_chars(option);
    }
    return out;
}

std::vector<OptionSpec> read_options(Octets frame,
                                     const sim::Packet& packet,
                                     const Flow& flow,
                                     bool from_peer) {
    std::vector<OptionSpec> out;
    uint8_t octets[40];
    const size_t bytes = packet.payload - packet.l4 - sim::tcp_bytes;
    std::memcpy(octets, frame.data() + packet.l4 + sim::tcp_bytes, bytes);
    sim::for_each_option({octets, bytes}, [&](uint8_t kind, std::span<const uint8_t> option) {
        out.push_back(read_option(kind, option, flow, from_peer));
    });
    return out;
}

std::string option_text(const OptionSpec& option) {
    constexpr const char* names[] = {"mss", "wscale", "sackok", "sack", "ts", "nop", "eol", "hex"};
    std::string out = names[static_cast<uint8_t>(option.kind)];
    for (size_t i = 0; i < option.values.size(); ++i) {
        out += option.kind == Kind::sack && i % 2 == 1 ? ":" : " ";
        out += option.values[i] ? std::to_string(*option.values[i]) : "*";
    }
    if (!option.raw.empty()) {
        out += ' ';
    }
    for (const char c : option.raw) {
        constexpr const char* digits = "0123456789abcdef";
        out += digits[static_cast<uint8_t>(c) >> 4];
        out += digits[static_cast<uint8_t>(c) & 15];
    }
    return out;
}

std::string options_text(const std::vector<OptionSpec>& options) {
    std::string out;
    for (const OptionSpec& option : options) {
        out += (out.empty() ? "" : ", ") + option_text(option);
    }
    return "<" + out + ">";
}

bool option_fits(const OptionSpec& expected, const OptionSpec& got, const Flow& flow) {
    if (expected.kind != got.kind || expected.raw != got.raw) {
        return false;
    }
    std::vector<Wildcard> wanted = expected.values;
    if (expected.echo_last) {
        wanted.emplace_back();  // what the peer sent last is the script's own business
    }
    (void)flow;
    return wanted.size() == got.values.size() &&
           std::equal(wanted.begin(), wanted.end(), got.values.begin(),
                      [](const Wildcard& a, const Wildcard& b) { return !a || a == b; });
}

std::string options_mismatch(const SegmentSpec& expected,
                             const std::vector<OptionSpec>& got,
                             const Flow& flow) {
    if (expected.options_any) {
        return {};
    }
    std::vector<OptionSpec> left = got;
    for (const OptionSpec& option : expected.options) {
        if (option.kind == Kind::nop || option.kind == Kind::eol) {
            continue;
        }
        const auto found = std::find_if(left.begin(), left.end(), [&](const OptionSpec& other) {
            return option.absent ? other.kind == option.kind : option_fits(option, other, flow);
        });
        if (option.absent && found != left.end()) {
            return "option " + option_text(*found) + " must not be there";
        }
        if (!option.absent && found == left.end()) {
            return "options are " + options_text(got) + ", without " + option_text(option);
        }
        if (!option.absent) {
            left.erase(found);
        }
    }
    if (!expected.options_more && !left.empty()) {
        return "option " + option_text(left.front()) + " is not expected";
    }
    return {};
}

std::string number_mismatch(const char* what, const Wildcard& expected, int64_t got) {
    if (!expected || *expected == got) {
        return {};
    }
    return std::string(what) + " is " + std::to_string(got) + ", expected " +
           std::to_string(*expected);
}

std::string payload_mismatch(Octets frame, const sim::Packet& packet, const Flow& flow) {
    const int64_t first =
        relative(packet.seq, flow.stack_iss) - 1 + (packet.has(sim::tcp_flag::syn) ? 1 : 0);
    for (uint32_t i = 0; i < packet.payload_bytes(); ++i) {
        const int64_t position = first + i;
        if (position < 0 || static_cast<uint64_t>(position) >= flow.app_sent) {
            return "octet " + std::to_string(position + 1) + " was never sent by the application";
        }
        if (frame[packet.payload + i] !=
            stream_octet(flow.stack_salt(), static_cast<uint64_t>(position))) {
            return "octet " + std::to_string(position + 1) + " is not what was sent";
        }
    }
    return {};
}

}  // namespace

uint32_t write_segment(std::span<uint8_t> out,
                       const SegmentSpec& spec,
                       const Flow& flow,
                       const PeerAddresses& addresses) {
    const std::string options = option_octets(spec, flow);
    const auto payload = static_cast<uint32_t>(*spec.length);
    const auto header_bytes = static_cast<uint32_t>(sim::tcp_bytes + options.size());
    const sim::IpHeader header{.source_mac = addresses.peer_mac,
                               .destination_mac = addresses.stack_mac,
                               .source = addresses.peer,
                               .destination = addresses.stack};
    const uint32_t at = sim::ip_header_bytes(header);
    SY_ASSERT(out.size() >= at + header_bytes + payload + spec.pad_bytes);
    sim::write_ip_header(out, header, header_bytes + payload);
    ByteWriter writer(out.subspan(at));
    writer.integer(flow.peer_port);
    writer.integer(flow.stack_port.value_or(0));
    writer.integer(u32(*spec.seq) + flow.peer_iss);
    writer.integer(spec.ack ? u32(*spec.ack) + flow.stack_iss.value_or(0) : 0U);
    const uint32_t words =
        spec.data_offset >= 0 ? static_cast<uint32_t>(spec.data_offset) : header_bytes / 4;
    writer.integer(static_cast<uint8_t>(words << 4));
    writer.integer(spec.flags);
    writer.integer(static_cast<uint16_t>(spec.window.value_or(0xffff)));
    writer.integer(uint16_t{0});
    writer.integer(static_cast<uint16_t>(spec.urgent.value_or(0)));
    writer.octets(as_octets(options));
    const int64_t first = *spec.seq - 1 + ((spec.flags & sim::tcp_flag::syn) != 0 ? 1 : 0);
    for (uint32_t i = 0; i < payload; ++i) {
        const uint8_t octet =
            stream_octet(flow.peer_salt(), static_cast<uint64_t>(first + int64_t{i}));
        writer.integer(static_cast<uint8_t>(spec.junk ? ~octet : octet));
    }
    uint32_t bytes = at + header_bytes + payload;
    // As a whole segment with the right offset, so that a wrong one is the only flaw.
    sim::Packet packet;
    packet.kind = sim::PacketKind::tcp;
    packet.ip = true;
    packet.ipv6 = !addresses.stack.is_ipv4();
    packet.l3 = sim::ethernet_bytes;
    packet.l4 = at;
    packet.end = bytes;
    packet.source = addresses.peer;
    packet.destination = addresses.stack;
    sim::write_l4_checksum(out.first(bytes), packet);
    if (spec.bad_checksum) {
        out[at + 16] = static_cast<uint8_t>(~out[at + 16]);
    }
    if (spec.bad_ip_checksum && !packet.ipv6) {
        out[sim::ethernet_bytes + 10] = static_cast<uint8_t>(~out[sim::ethernet_bytes + 10]);
    }
    std::fill_n(out.begin() + bytes, spec.pad_bytes, uint8_t{0x5a});
    bytes += spec.pad_bytes;
    return bytes - std::min(spec.cut_bytes, bytes - sim::ethernet_bytes);
}

std::string mismatch(const SegmentSpec& expected,
                     Octets frame,
                     const sim::Packet& packet,
                     const Flow& flow) {
    // PSH is the sender's choice unless the script asks for it.
    auto ignored = static_cast<uint8_t>(
        (expected.flags & sim::tcp_flag::psh) == 0 ? sim::tcp_flag::psh : uint8_t{0});
    if (expected.flags_more) {
        ignored = static_cast<uint8_t>(~expected.flags);
    }
    if (!expected.flags_any && (packet.flags | ignored) != (expected.flags | ignored)) {
        return "flags are " + flag_letters(packet.flags) + ", expected " +
               flag_letters(expected.flags) + (expected.flags_more ? "*" : "");
    }
    std::string found = number_mismatch("seq", expected.seq, relative(packet.seq, flow.stack_iss));
    if (found.empty()) {
        found = number_mismatch("length", expected.length, packet.payload_bytes());
    }
    if (found.empty() && packet.has(sim::tcp_flag::ack)) {
        found = number_mismatch("ack", expected.ack, relative(packet.ack, flow.peer_iss));
    } else if (found.empty() && expected.ack) {
        found = "there is no ack";
    }
    if (found.empty()) {
        found = number_mismatch("win", expected.window, packet.window);
    }
    if (found.empty()) {
        found = number_mismatch("urg", expected.urgent, packet.urgent);
    }
    if (found.empty()) {
        found = options_mismatch(expected, read_options(frame, packet, flow, false), flow);
    }
    return found.empty() ? payload_mismatch(frame, packet, flow) : found;
}

std::string notation(Octets frame, const sim::Packet& packet, const Flow& flow, bool from_peer) {
    const int64_t seq =
        relative(packet.seq, from_peer ? std::optional(flow.peer_iss) : flow.stack_iss);
    std::string out = (from_peer ? "< " : "> ") + flag_letters(packet.flags) + " " +
                      std::to_string(seq) + ":" + std::to_string(seq + packet.payload_bytes()) +
                      "(" + std::to_string(packet.payload_bytes()) + ")";
    if (packet.has(sim::tcp_flag::ack)) {
        out +=
            " ack " + std::to_string(relative(
                          packet.ack, from_peer ? flow.stack_iss : std::optional(flow.peer_iss)));
    }
    out += " win " + std::to_string(packet.window);
    const std::vector<OptionSpec> options = read_options(frame, packet, flow, from_peer);
    return options.empty() ? out : out + " " + options_text(options);
}

std::string flag_letters(uint8_t flags) {
    std::string out;
    constexpr std::string_view letters = "FSRPAUEC";
    for (size_t i = 0; i < letters.size(); ++i) {
        if ((flags >> i & 1) != 0) {
            out += letters[i];
        }
    }
    return out.empty() ? "-" : out;
}

}  // namespace sy::test
