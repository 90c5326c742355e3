// core/smpp per PDU: framing, decoding and encoding a stream of submit_sm, then every kind of PDU
// by itself; the window beside std::unordered_map. Every benchmark checks its results while it runs
// (SY_ASSERT), so that a smoke run is a test.
#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/pdu_kinds.h"
#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/smpp/decode.h"
#include "core/smpp/encode.h"
#include "core/smpp/framer.h"
#include "core/smpp/receipt.h"
#include "core/smpp/validate.h"
#include "core/smpp/window.h"

namespace sy::smpp {
namespace {

constexpr DecodeRules rules{};
constexpr size_t batch = 64;  // PDUs of different lengths in turn, as a stream has them

Sm plain_sm(const std::string& text) {
    Sm sm;
    sm.source = {1, 1, "447700900001"};
    sm.destination = {1, 1, "491711234567"};
    sm.registered_delivery = 1;
    sm.short_message = as_octets(text);
    return sm;
}

/// `batch` submit_sm PDUs in one stream; address lengths vary so that nothing is learnt by heart.
std::vector<uint8_t> stream_of(size_t text_octets, bool with_validity, bool with_tlvs) {
    static const std::string digits = "49171123456789012345";
    static const std::string tlvs("\x02\x04\x00\x02\x00\x07\x04\x26\x00\x01\x01", 11);
    std::vector<uint8_t> stream;
    for (size_t i = 0; i < batch; ++i) {
        const std::string text(text_octets, 't');
        Sm sm = plain_sm(text);
        sm.destination.digits = std::string_view(digits).substr(0, 10 + i * 7 % 6);
        sm.validity_period = with_validity ? "000002000000000R" : "";
        sm.tlvs = with_tlvs ? as_octets(tlvs) : Octets{};
        std::array<uint8_t, 1024> pdu{};
        const size_t length = encode_sm(pdu, CommandId::submit_sm, static_cast<uint32_t>(i), sm);
        stream.insert(stream.end(), pdu.begin(), pdu.begin() + static_cast<std::ptrdiff_t>(length));
    }
    return stream;
}

void decode_stream(benchmark::State& state, const std::vector<uint8_t>& stream) {
    size_t decoded = 0;
    size_t octets_seen = 0;
    for (auto _ : state) {
        Octets rest(stream);
        Frame frame;
        Sm sm;  // one for all, as a burst keeps them
        while (next_frame(rest, limits::pdu_bytes_max, frame) == FrameOutcome::complete) {
            SY_ASSERT(decode_sm(frame.body, rules, sm) == CommandStatus::esme_rok);
            benchmark::DoNotOptimize(sm);
            octets_seen += sm.short_message.size();
            ++decoded;
        }
    }
    benchmark::DoNotOptimize(octets_seen);
    SY_ASSERT(decoded % batch == 0);
    state.SetItemsProcessed(static_cast<int64_t>(decoded));
}

// 112 octets of text make a PDU of about 165 octets.
void frame_and_decode_sm(benchmark::State& state) {
    decode_stream(state, stream_of(112, false, false));
}
void frame_and_decode_sm_validity_tlvs(benchmark::State& state) {
    decode_stream(state, stream_of(85, true, true));
}
void frame_and_decode_sm_short(benchmark::State& state) {
    decode_stream(state, stream_of(5, false, false));
}

void encode_submit_sm(benchmark::State& state) {
    const std::string text(112, 't');
    const Sm sm = plain_sm(text);
    std::array<uint8_t, 1024> out{};
    uint32_t sequence_number = 0;
    for (auto _ : state) {
        const size_t length = encode_sm(out, CommandId::submit_sm, ++sequence_number, sm);
        benchmark::DoNotOptimize(out);
        SY_ASSERT(length == 169);
    }
    state.SetItemsProcessed(state.iterations());
}

void encode_submit_sm_resp(benchmark::State& state) {
    std::array<uint8_t, 128> out{};
    uint32_t sequence_number = 0;
    for (auto _ : state) {
        const size_t length = encode_sm_resp(out, CommandId::submit_sm_resp, ++sequence_number,
                                             {.message_id = "0123456789abcdef", .tlvs = {}});
        benchmark::DoNotOptimize(out);
        SY_ASSERT(length == 33);
    }
    state.SetItemsProcessed(state.iterations());
}

void decode_submit_sm_resp(benchmark::State& state) {
    const std::string body("0123456789abcdef\0", 17);
    for (auto _ : state) {
        SmResp resp;
        SY_ASSERT(decode_sm_resp(as_octets(body), rules, resp) == CommandStatus::esme_rok);
        SY_ASSERT(resp.message_id.size() == 16);
        benchmark::DoNotOptimize(resp);
    }
    state.SetItemsProcessed(state.iterations());
}

void validate_submit_sm(benchmark::State& state) {
    const std::string text(112, 't');
    const Sm sm = plain_sm(text);
    for (auto _ : state) {
        const CommandStatus status = validate_submit(sm, {});
        benchmark::DoNotOptimize(status);
        SY_ASSERT(status == CommandStatus::esme_rok);
    }
    state.SetItemsProcessed(state.iterations());
}

// The two kinds of window behind one face. The peer gives numbers out itself, and knows no
// timeouts.
struct Payload {
    uint64_t words[4];
};

struct OurWindow {
    explicit OurWindow(uint32_t outstanding) : window(outstanding) {}
    uint32_t push(const Payload& payload) { return window.push(0, payload); }
    Payload take(uint32_t sequence) {
        const auto taken = window.take(sequence);
        SY_ASSERT(taken.has_value());
        return *taken;
    }
    Window<Payload> window;
};

struct MapWindow {
    explicit MapWindow(uint32_t outstanding) { window.reserve(outstanding); }
    uint32_t push(const Payload& payload) {
        window.emplace(++last, payload);
        return last;
    }
    Payload take(uint32_t sequence) {
        const auto found = window.find(sequence);
        SY_ASSERT(found != window.end());
        const Payload taken = found->second;
        window.erase(found);
        return taken;
    }
    std::unordered_map<uint32_t, Payload> window;
    uint32_t last = 0;
};

// As many outstanding, answered in the order of issue.
template <class AnyWindow>
void window_push_take(benchmark::State& state, uint32_t count) {
    std::vector<uint32_t> outstanding(count);
    AnyWindow window(count);
    uint64_t next = 0;
    for (uint32_t& sequence : outstanding) {
        sequence = window.push({{next++}});
    }
    uint64_t answered = 0;
    size_t oldest = 0;
    for (auto _ : state) {
        const Payload taken = window.take(outstanding[oldest]);
        SY_ASSERT(taken.words[0] == answered);
        ++answered;
        outstanding[oldest] = window.push({{next++}});
        oldest = oldest + 1 == outstanding.size() ? 0 : oldest + 1;
    }
    state.SetItemsProcessed(state.iterations());
}

void register_windows() {
    for (const uint32_t count : {50u, 1000u}) {
        const std::string tail = "/push+take/outstanding=" + std::to_string(count);
        benchmark::RegisterBenchmark(
            ("smpp/window" + tail).c_str(),
            [count](benchmark::State& state) { window_push_take<OurWindow>(state, count); });
        benchmark::RegisterBenchmark(
            ("smpp/peer=unordered_map" + tail).c_str(),
            [count](benchmark::State& state) { window_push_take<MapWindow>(state, count); });
    }
}

void encode_kind(benchmark::State& state, const PduKind& kind) {
    std::array<uint8_t, 1024> out{};
    const size_t wanted = kind.encode(out, 1);
    SY_ASSERT(wanted >= limits::pdu_header_bytes);
    SY_ASSERT(load_be<uint32_t>(out.data()) == wanted);
    uint32_t sequence_number = 0;
    for (auto _ : state) {
        const size_t length = kind.encode(out, ++sequence_number);
        benchmark::DoNotOptimize(out);
        SY_ASSERT(length == wanted);
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(wanted));
}

void decode_kind(benchmark::State& state, const PduKind& kind) {
    std::array<uint8_t, 1024> pdu{};
    const size_t octets = kind.encode(pdu, 1);
    Octets body = Octets(pdu).first(octets).subspan(limits::pdu_header_bytes);
    for (auto _ : state) {
        benchmark::DoNotOptimize(body);
        SY_ASSERT(kind.decode(body));
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(octets));
}

void register_kinds() {
    for (const PduKind& kind : pdu_kinds) {
        const std::string name = kind.name;
        benchmark::RegisterBenchmark(
            ("smpp/encode/kind=" + name).c_str(),
            [&kind](benchmark::State& state) { encode_kind(state, kind); });
        if (kind.decode != nullptr) {
            benchmark::RegisterBenchmark(
                ("smpp/decode/kind=" + name).c_str(),
                [&kind](benchmark::State& state) { decode_kind(state, kind); });
        }
    }
}

Sm receipt_sm(const std::string& text, const std::string& tlvs) {
    Sm sm;
    sm.esm_class = esm_class_delivery_receipt;
    sm.short_message = as_octets(text);
    sm.tlvs = as_octets(tlvs);
    return sm;
}

void receipt_parse(benchmark::State& state) {
    const std::string text =
        "id:0123456789 sub:001 dlvrd:001 submit date:2601311200 done date:2601311201 "
        "stat:DELIVRD err:000 text:Hello, this is the t";
    const std::string tlvs(
        "\x00\x1E\x00\x0B"
        "0123456789\0\x04\x27\x00\x01\x02",
        20);
    const Sm sm = receipt_sm(text, tlvs);
    for (auto _ : state) {
        Receipt receipt;
        SY_ASSERT(parse_receipt(sm, receipt));
        SY_ASSERT(receipt.state == MessageState::delivered);
        benchmark::DoNotOptimize(receipt);
    }
    state.SetItemsProcessed(state.iterations());
}

void receipt_format(benchmark::State& state) {
    ReceiptText receipt;
    receipt.message_id = "0123456789";
    receipt.state = MessageState::delivered;
    receipt.submitted_wall_ns = Nanos{1'769'860'800} * second_ns;
    receipt.done_wall_ns = receipt.submitted_wall_ns;
    std::array<uint8_t, receipt_text_octets_max> text{};
    std::array<uint8_t, receipt_tlvs_octets_max> tlvs{};
    for (auto _ : state) {
        SY_ASSERT(!format_receipt_text(receipt, text).empty());
        SY_ASSERT(!format_receipt_tlvs(receipt, tlvs).empty());
        benchmark::DoNotOptimize(text);
        benchmark::DoNotOptimize(tlvs);
    }
    state.SetItemsProcessed(state.iterations());
}

void message_id_hex_to_decimal(benchmark::State& state) {
    for (auto _ : state) {
        NormalisedId id;
        normalise_message_id("0A000000A3D323A1", IdConversion::hex_to_decimal, id);
        SY_ASSERT(id.length == 18);
        benchmark::DoNotOptimize(id);
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(validate_submit_sm)->Name("smpp/validate/pdu=submit_sm");
BENCHMARK(receipt_parse)->Name("smpp/receipt/parse/text+tlvs");
BENCHMARK(receipt_format)->Name("smpp/receipt/format/text+tlvs");
BENCHMARK(message_id_hex_to_decimal)->Name("smpp/message_id/hex_to_decimal/digits=16");
BENCHMARK(frame_and_decode_sm)->Name("smpp/decode/pdu=submit_sm/octets=165");
BENCHMARK(frame_and_decode_sm_validity_tlvs)->Name("smpp/decode/pdu=submit_sm/validity+tlvs");
BENCHMARK(frame_and_decode_sm_short)->Name("smpp/decode/pdu=submit_sm/text=5");
BENCHMARK(encode_submit_sm)->Name("smpp/encode/pdu=submit_sm/octets=169");
BENCHMARK(decode_submit_sm_resp)->Name("smpp/decode/pdu=submit_sm_resp");
BENCHMARK(encode_submit_sm_resp)->Name("smpp/encode/pdu=submit_sm_resp");

}  // namespace
}  // namespace sy::smpp

int main(int argc, char** argv) {
    sy::smpp::register_windows();
    sy::smpp::register_kinds();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
