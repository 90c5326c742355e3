// core/text and core/number per message: text to UTF-8, numbers to E.164 and to keys. Every
// benchmark checks its results while it runs (SY_ASSERT), so that a smoke run is a test. Beside it
// the C library's iconv, which knows Latin-1 and UCS-2, but not GSM 03.38.
#include <array>
#include <iconv.h>
#include <span>
#include <string>
#include <string_view>
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

struct Texts {
    std::vector<std::vector<uint8_t>> octets;
    std::vector<std::string> utf8;
};

Texts texts_of(text::CharacterSet set, const std::string& sentence) {
    Texts out;
    for (size_t i = 0; i < batch; ++i) {
        out.utf8.push_back(sentence.substr(0, sentence.size() - i % 8));
        std::vector<uint8_t> octets(4 * sentence.size());
        const text::Encoded encoded = text::from_utf8(out.utf8.back(), set, {}, octets);
        SY_ASSERT(encoded.replaced == 0);
        octets.resize(encoded.octets);
        out.octets.push_back(octets);
    }
    return out;
}

/// `to_utf8(octets, out)`: how many octets of UTF-8 it wrote. Compared with what is wanted before
/// the time runs, their number all along.
template <class ToUtf8>
void decode_each(benchmark::State& state, Texts& texts, ToUtf8 to_utf8) {
    std::array<char, 1024> out{};
    for (size_t i = 0; i < batch; ++i) {
        const size_t written = to_utf8(texts.octets[i], out);
        SY_ASSERT(std::string_view(out.data(), written) == texts.utf8[i]);
    }
    size_t octets_read = 0;
    for (auto _ : state) {
        for (size_t i = 0; i < batch; ++i) {
            const size_t written = to_utf8(texts.octets[i], out);
            SY_ASSERT(written == texts.utf8[i].size());
            benchmark::DoNotOptimize(out);
            octets_read += texts.octets[i].size();
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(batch));
    state.SetBytesProcessed(static_cast<int64_t>(octets_read));
}

void decode_text(benchmark::State& state, text::CharacterSet set, const std::string& sentence) {
    Texts texts = texts_of(set, sentence);
    decode_each(state, texts, [set](const std::vector<uint8_t>& octets, std::span<char> out) {
        return text::to_utf8(octets, {.character_set = set}, {}, out);
    });
}

void decode_by_iconv(benchmark::State& state,
                     text::CharacterSet set,
                     const char* name,
                     const std::string& sentence) {
    Texts texts = texts_of(set, sentence);
    const iconv_t converter = iconv_open("UTF-8", name);
    // iconv_open() says so with -1 in a pointer.
    SY_ASSERT(reinterpret_cast<intptr_t>(converter) != -1);
    decode_each(state, texts, [converter](std::vector<uint8_t>& octets, std::span<char> out) {
        auto* from = reinterpret_cast<char*>(octets.data());
        size_t from_left = octets.size();
        char* to = out.data();
        size_t to_left = out.size();
        SY_ASSERT(iconv(converter, &from, &from_left, &to, &to_left) == 0);
        return out.size() - to_left;
    });
    iconv_close(converter);
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

// As real texts are: letters of other scripts, two and three octets each in UTF-8.
const std::string cyrillic = "Ваш код подтверждения 123456. Никому его не сообщайте. +74951234567";
const std::string german =
    "Ihr Bestätigungscode lautet 123456. Er ist für zehn Minuten gültig; "
    "geben Sie ihn niemandem weiter. Grüße, Ihre Firma.";

void text_ucs2_cyrillic(benchmark::State& state) {
    decode_text(state, text::CharacterSet::ucs2, cyrillic);
}
BENCHMARK(text_ucs2_cyrillic)->Name("text/to_utf8/set=ucs2/script=cyrillic");

void text_latin1_german(benchmark::State& state) {
    decode_text(state, text::CharacterSet::latin1, german);
}
BENCHMARK(text_latin1_german)->Name("text/to_utf8/set=latin1/language=german");

void iconv_latin1(benchmark::State& state) {
    decode_by_iconv(state, text::CharacterSet::latin1, "ISO-8859-1", plain);
}
BENCHMARK(iconv_latin1)->Name("text/peer=iconv/set=latin1/octets=156");

void iconv_latin1_german(benchmark::State& state) {
    decode_by_iconv(state, text::CharacterSet::latin1, "ISO-8859-1", german);
}
BENCHMARK(iconv_latin1_german)->Name("text/peer=iconv/set=latin1/language=german");

void iconv_ucs2(benchmark::State& state) {
    decode_by_iconv(state, text::CharacterSet::ucs2, "UCS-2BE", plain.substr(0, 70));
}
BENCHMARK(iconv_ucs2)->Name("text/peer=iconv/set=ucs2/octets=140");

void iconv_ucs2_cyrillic(benchmark::State& state) {
    decode_by_iconv(state, text::CharacterSet::ucs2, "UCS-2BE", cyrillic);
}
BENCHMARK(iconv_ucs2_cyrillic)->Name("text/peer=iconv/set=ucs2/script=cyrillic");

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
