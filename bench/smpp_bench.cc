// core/smpp per PDU: decoding and encoding the PDUs that the message path sees. Every benchmark
// checks its results while it runs (SY_ASSERT), so that a smoke run is a test.
#include <array>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/smpp/decode.h"
#include "core/smpp/encode.h"
#include "core/smpp/framer.h"

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

BENCHMARK(frame_and_decode_sm)->Name("smpp/decode/pdu=submit_sm/octets=165");
BENCHMARK(frame_and_decode_sm_validity_tlvs)->Name("smpp/decode/pdu=submit_sm/validity+tlvs");
BENCHMARK(frame_and_decode_sm_short)->Name("smpp/decode/pdu=submit_sm/text=5");
BENCHMARK(encode_submit_sm)->Name("smpp/encode/pdu=submit_sm/octets=169");
BENCHMARK(decode_submit_sm_resp)->Name("smpp/decode/pdu=submit_sm_resp");
BENCHMARK(encode_submit_sm_resp)->Name("smpp/encode/pdu=submit_sm_resp");

}  // namespace
}  // namespace sy::smpp

BENCHMARK_MAIN();
