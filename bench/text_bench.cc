// core/text and core/number per message: text to UTF-8, numbers to E.164 and to keys. Every
// benchmark checks its results while it runs (SY_ASSERT), so that a smoke run is a test.
#include <array>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/base/assert.h"
#include "core/base/prng.h"
#include "core/number/key.h"
#include "core/number/normalise.h"
#include "core/text/utf8.h"

namespace sy {
namespace {

constexpr size_t batch = 64;  // messages in turn, so that no branch is learnt by heart

void decode_text(benchmark::State& state, text::CharacterSet set, const std::string& sentence) {
    std::vector<std::vector<uint8_t>> texts;
    std::vector<std::string> want;
    for (size_t i = 0; i < batch; ++i) {
        want.push_back(sentence.substr(0, sentence.size() - i % 8));
        std::vector<uint8_t> octets(4 * sentence.size());
        const text::Encoded encoded = text::from_utf8(want.back(), set, {}, octets);
        SY_ASSERT(encoded.replaced == 0);
        octets.resize(encoded.octets);
        texts.push_back(octets);
    }
    std::array<char, 1024> out{};
    size_t octets_read = 0;
    for (auto _ : state) {
        for (size_t i = 0; i < batch; ++i) {
            const size_t written = text::to_utf8(texts[i], {.character_set = set}, {}, out);
            SY_ASSERT(written == want[i].size());
            benchmark::DoNotOptimize(out);
            octets_read += texts[i].size();
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(batch));
    state.SetBytesProcessed(static_cast<int64_t>(octets_read));
}

const std::string plain =
    "Your verification code is 123456. Do not share it with anyone. It is valid for ten minutes; "
    "call us under 0800 1234 if you did not ask for it. Thank you, Acme.";

void text_gsm7(benchmark::State& state) {
    decode_text(state, text::CharacterSet::gsm7, plain);
}
BENCHMARK(text_gsm7)->Name("text/to_utf8/set=gsm7/octets=156");

void text_latin1(benchmark::State& state) {
    decode_text(state, text::CharacterSet::latin1, plain);
}
BENCHMARK(text_latin1)->Name("text/to_utf8/set=latin1/octets=156");

void text_ucs2(benchmark::State& state) {
    decode_text(state, text::CharacterSet::ucs2, plain.substr(0, 70));
}
BENCHMARK(text_ucs2)->Name("text/to_utf8/set=ucs2/octets=140");

std::vector<std::string> numbers() {
    Prng prng(1);
    std::vector<std::string> out;
    for (size_t i = 0; i < batch; ++i) {
        std::string digits = std::to_string(1 + prng.below(9));
        for (uint64_t left = 9 + prng.below(6); left != 0; --left) {
            digits += static_cast<char>('0' + prng.below(10));
        }
        out.push_back(digits);
    }
    return out;
}

void number_key(benchmark::State& state) {
    const std::vector<std::string> digits = numbers();
    uint64_t sum = 0;
    for (auto _ : state) {
        for (const std::string& number : digits) {
            const number::Key key = number::key_of(number);
            SY_ASSERT(key.valid());
            sum += key.value;
        }
    }
    benchmark::DoNotOptimize(sum);
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(batch));
}
BENCHMARK(number_key)->Name("number/key/digits=10..15");

void number_normalise(benchmark::State& state) {
    std::vector<std::string> digits = numbers();
    constexpr const char* marks[] = {"", "+", "00", ""};
    for (size_t i = 0; i < batch; ++i) {
        digits[i].insert(0, marks[i % 4]);
    }
    number::NumberPlan plan;
    plan.country_code = "44";
    for (auto _ : state) {
        for (const std::string& text : digits) {
            number::Number number;
            SY_ASSERT(number::normalise({1, 1, text}, plan, number) == number::Outcome::e164);
            benchmark::DoNotOptimize(number);
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(batch));
}
BENCHMARK(number_normalise)->Name("number/normalise/form=mixed");

}  // namespace
}  // namespace sy

BENCHMARK_MAIN();
