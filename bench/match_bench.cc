// Expressions against texts of 160 characters and senders of 11, for sets of 10 to 10,000: words,
// words with boundaries, expressions as operators write them against spam and for one-time
// passwords, the same counting characters (UTF-8 mode). Beside it in the same run: Hyperscan given
// the words as expressions, RE2::Set, PCRE2-JIT one by one; and a few expressions of a set alone.
// Every engine's hits are compared on a sample before it is timed; their sum stands beside the
// times.
//
// Sets that take seconds to compile are left out unless the first argument is --large.
#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <benchmark/benchmark.h>

#include <hs.h>

#include "bench/text_engines.h"
#include "core/base/assert.h"
#include "core/base/prng.h"
#include "core/match/pattern_set.h"
#include "core/match/quick_set.h"
#include "core/match/word_filter.h"
#include "core/route/sender_cache.h"

namespace sy::match {
namespace {

constexpr size_t text_count = 2048;  // more than a branch predictor learns
constexpr size_t text_octets = 160;
constexpr size_t sender_octets = 11;
constexpr size_t verified_work = 300'000;  // expressions times texts compared with PCRE2's hits

enum Kind : int { literals, words, expressions, counting };
constexpr const char* kind_names[] = {"literals", "words", "expressions", "counting"};

std::string random_word(Prng& prng) {
    constexpr std::string_view letters = "etaoinshrdlucmfwypvbgkqjxz";
    std::string word;
    for (uint64_t i = 0, n = 4 + prng.below(7); i < n; ++i) {
        word += letters[std::min(prng.below(26), prng.below(26))];
    }
    return word;
}

// Distinct, the same for every count's beginning.
const std::vector<std::string>& vocabulary() {
    static const std::vector<std::string> all = [] {
        Prng prng(1);
        std::map<std::string, bool> seen;
        std::vector<std::string> out;
        while (out.size() < 20'000) {
            std::string word = random_word(prng);
            if (seen.emplace(word, true).second) {
                out.push_back(std::move(word));
            }
        }
        return out;
    }();
    return all;
}

std::string expression_of(Kind kind, size_t i) {
    const std::string& word = vocabulary()[i];
    const std::string& other = vocabulary()[10'000 + i % 500];
    switch (kind) {
        case literals:
            return "(?i)" + word;
        case words:
            return "(?i)\\b" + word + "\\b";
        case counting:
            return "(?i)\\b" + word + ".{1,20}\\b" + other;
        case expressions:
            break;
    }
    switch (i % 5) {
        case 0:
            return "(?i)\\b" + word + "\\s+(code|otp|pin)\\s*(is|:)?\\s*[0-9]{4,8}";
        case 1:
            return "https?://[a-z0-9.-]*" + word + "[a-z0-9.-]*/[a-z0-9]+";
        case 2:
            return "(?i)" + word + ".*\\b(bit\\.ly|t\\.me|wa\\.me)/[a-z0-9]+";
        case 3:
            return "(?i)\\b(win|won|free|prize)\\s+" + word + "\\b.*" + other;
        default:
            return "(?i)" + word + "[0-9]{3,6}\\b";
    }
}

std::vector<std::string> make_expressions(Kind kind, size_t count) {
    std::vector<std::string> out;
    for (size_t i = 0; i < count; ++i) {
        out.push_back(expression_of(kind, i));
    }
    return out;
}

// Ordinary text: one word in twenty of the vocabulary, now and then a link, a code, an offer.
std::vector<std::string> make_texts(size_t octets) {
    Prng prng(2);
    std::vector<std::string> out;
    while (out.size() < text_count) {
        std::string text;
        while (text.size() < octets) {
            const std::string& known = vocabulary()[prng.below(10'000)];
            switch (prng.below(24)) {
                case 0:
                    text += known;
                    break;
                case 1:
                    text += "http://" + known + ".com/x7";
                    break;
                case 2:
                    text += known + " code is " + std::to_string(prng.below(1'000'000));
                    break;
                case 3:
                    text += "won " + known + "77 t.me/q8";
                    break;
                default:
                    text += random_word(prng);
            }
            text += ' ';
        }
        text.resize(octets);
        out.push_back(std::move(text));
    }
    return out;
}

const std::vector<std::string>& texts_of(bool senders) {
    static const auto texts = make_texts(text_octets);
    static const auto short_ones = make_texts(sender_octets);
    return senders ? short_ones : texts;
}

// Seconds of CPU time that something took: the compilers have one thread.
template <class Work>
double cpu_seconds(const Work& work) {
    const std::clock_t started = std::clock();
    work();
    return static_cast<double>(std::clock() - started) / static_cast<double>(CLOCKS_PER_SEC);
}

// Compiled once for all benchmarks: the large ones take half a minute.
const PatternSet& set_of(Kind kind, size_t count) {
    static std::map<std::pair<int, size_t>, PatternSet> all;
    const auto [it, added] = all.try_emplace({kind, count});
    if (added) {
        std::vector<PatternError> errors;
        it->second = PatternSet::compile(make_expressions(kind, count), errors);
        SY_ASSERT(errors.empty());
    }
    return it->second;
}

class Switchyard : public Engine {
  public:
    explicit Switchyard(const PatternSet& set) : set_(set) {
        SY_ASSERT(scratch_.prepare(set_).has_value());
        found_.reserve(set_.size());
    }
    uint64_t matches(const std::string& text) override {
        set_.scan(text, scratch_, found_);
        return found_.hits().size();
    }
    [[nodiscard]] size_t bytes() const override { return set_.database_bytes(); }

  private:
    const PatternSet& set_;
    PatternScratch scratch_;
    MatchSet found_;
};

class PlainHyperscan : public Engine {
  public:
    explicit PlainHyperscan(const std::vector<std::string>& of) {
        std::vector<const char*> pointers;
        std::vector<unsigned> flags(of.size(), HS_FLAG_SINGLEMATCH);
        std::vector<unsigned> ids;
        for (const std::string& expression : of) {
            ids.push_back(static_cast<unsigned>(pointers.size()));
            pointers.push_back(expression.c_str());
        }
        hs_compile_error_t* error = nullptr;
        SY_ASSERT(hs_compile_multi(pointers.data(), flags.data(), ids.data(),
                                   static_cast<unsigned>(ids.size()), HS_MODE_BLOCK, nullptr,
                                   &database_, &error) == HS_SUCCESS);
        SY_ASSERT(hs_alloc_scratch(database_, &scratch_) == HS_SUCCESS);
    }
    ~PlainHyperscan() override {
        hs_free_scratch(scratch_);
        hs_free_database(database_);
    }
    uint64_t matches(const std::string& text) override {
        uint64_t count = 0;
        const auto on_match = [](unsigned, unsigned long long, unsigned long long, unsigned,
                                 void* context) -> int {
            ++*static_cast<uint64_t*>(context);
            return 0;
        };
        SY_ASSERT(hs_scan(database_, text.data(), static_cast<unsigned>(text.size()), 0, scratch_,
                          on_match, &count) == HS_SUCCESS);
        return count;
    }
    [[nodiscard]] size_t bytes() const override {
        size_t size = 0;
        SY_ASSERT(hs_database_size(database_, &size) == HS_SUCCESS);
        return size;
    }

  private:
    hs_database_t* database_ = nullptr;
    hs_scratch_t* scratch_ = nullptr;
};

enum Peer : int { switchyard, hyperscan, re2, pcre2 };
constexpr const char* peer_names[] = {"switchyard", "hyperscan", "re2_set", "pcre2_jit"};

std::unique_ptr<Engine> make_engine(Peer peer, Kind kind, size_t count) {
    switch (peer) {
        case switchyard:
            return std::make_unique<Switchyard>(set_of(kind, count));
        case hyperscan:
            return std::make_unique<PlainHyperscan>(make_expressions(kind, count));
        case re2:
            return std::make_unique<Re2Set>(make_expressions(kind, count));
        case pcre2:
            return std::make_unique<PcreJit>(make_expressions(kind, count));
    }
    return nullptr;
}

Engine& engine_of(Peer peer, Kind kind, size_t count) {
    static std::map<std::tuple<int, int, size_t>, std::unique_ptr<Engine>> all;
    auto& engine = all[{peer, kind, count}];
    if (engine == nullptr) {
        const double seconds = cpu_seconds([&] { engine = make_engine(peer, kind, count); });
        engine->compile_seconds = seconds;
    }
    return *engine;
}

// Against PCRE2, which reads an expression as everybody expects it.
void verify(Engine& engine, Kind kind, size_t count, const std::vector<std::string>& texts) {
    Engine& reference = engine_of(pcre2, kind, count);
    uint64_t any = 0;
    for (size_t i = 0; i < std::min(text_count, verified_work / count); ++i) {
        const uint64_t expected = reference.matches(texts[i]);
        SY_ASSERT(engine.matches(texts[i]) == expected);
        any += expected;
    }
    SY_ASSERT(count < 1'000 || texts.front().size() < text_octets || any > 0);
}

void scan(benchmark::State& state, Peer peer, Kind kind, size_t count, bool senders) {
    const std::vector<std::string>& texts = texts_of(senders);
    Engine& engine = engine_of(peer, kind, count);
    verify(engine, kind, count, texts);
    uint64_t hits = 0;
    size_t at = 0;
    for (auto _ : state) {
        hits += engine.matches(texts[at]);
        at = (at + 1) % text_count;
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["hits_per_text"] =
        static_cast<double>(hits) / static_cast<double>(state.iterations());
    state.counters["compile_cpu_s"] = engine.compile_seconds;
    state.counters["bytes"] = static_cast<double>(engine.bytes());
}

// A few of `count` expressions, scanned for alone, and for all where that cannot tell: what a
// message costs whose rules ask for these.
void scan_few(benchmark::State& state, Kind kind, size_t few, size_t count) {
    const PatternSet& whole = set_of(kind, count);
    const std::vector<std::string> expressions = make_expressions(kind, count);
    std::vector<WiderWords> words(few);
    std::vector<QuickSet::Part> parts;
    std::vector<uint32_t> ids;
    for (size_t i = 0; i < few; ++i) {
        ids.push_back(static_cast<uint32_t>(i * (count / few)));
        words[i] = wider_words(expressions[ids[i]]);
        parts.push_back({ids[i], &words[i]});
    }
    const auto quick = QuickSet::compile(parts, whole.size());
    SY_ASSERT(quick.has_value());
    PatternScratch scratch;
    SY_ASSERT(scratch.prepare(whole).has_value() &&
              scratch.prepare(*quick->database()).has_value());
    MatchSet found;
    found.reserve(whole.size() + 1);
    uint64_t all_scans = 0;
    const auto hits_in = [&](const std::string& text) {
        if (quick->rules_out(as_octets(text))) {
            found.clear();
        } else if (!quick->scan(text, scratch, found)) {
            ++all_scans;
            whole.scan(text, scratch, found);
        }
        return std::ranges::count_if(ids, [&](uint32_t id) { return found.contains(id); });
    };
    for (const std::string& text : texts_of(false)) {
        const auto hits = hits_in(text);
        whole.scan(text, scratch, found);
        SY_ASSERT(hits == std::ranges::count_if(ids, [&](auto id) { return found.contains(id); }));
    }
    all_scans = 0;
    int64_t hits = 0;
    size_t at = 0;
    for (auto _ : state) {
        hits += hits_in(texts_of(false)[at]);
        at = (at + 1) % text_count;
    }
    state.SetItemsProcessed(state.iterations());
    const auto a_text = [&](auto sum) {
        return static_cast<double>(sum) / static_cast<double>(state.iterations());
    };
    state.counters["hits_per_text"] = a_text(hits);
    state.counters["scans_for_all_per_text"] = a_text(all_scans);
    state.counters["bytes"] = static_cast<double>(quick->bytes());
}

// Which of some words stand in texts: a filter's "no" or "perhaps", beside Hyperscan that finds
// them.
class FewWords {
  public:
    FewWords(size_t count, size_t of) {
        const std::vector<std::string> all = make_expressions(words, of);
        std::vector<std::string> some;
        std::vector<Word> each;
        for (size_t i = 0; i < count; ++i) {
            some.push_back(all[i * (of / count)]);
            std::ranges::move(form_of(some.back()).words, std::back_inserter(each));
        }
        filter_ = WordFilter::make(each);
        SY_ASSERT(filter_.has_value());
        std::vector<PatternError> errors;
        set_ = PatternSet::compile(some, errors);
        SY_ASSERT(errors.empty() && scratch_.prepare(set_).has_value());
        found_.reserve(set_.size());
    }
    bool may_hold(const std::string& text, FilterVariant variant) {
        return filter_->may_hold(as_octets(text), variant);
    }
    size_t hits(const std::string& text) {
        set_.scan(text, scratch_, found_);
        return found_.hits().size();
    }

  private:
    std::optional<WordFilter> filter_;
    PatternSet set_;
    PatternScratch scratch_;
    MatchSet found_;
};

template <class Look>
void look_for_words(benchmark::State& state, FewWords& few, const Look& look) {
    for (const std::string& text : texts_of(false)) {
        SY_ASSERT(few.hits(text) == 0 || look(text) != 0);
    }
    uint64_t held = 0;
    size_t at = 0;
    for (auto _ : state) {
        held += look(texts_of(false)[at]) != 0 ? 1U : 0U;
        at = (at + 1) % text_count;
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["held_per_text"] =
        static_cast<double>(held) / static_cast<double>(state.iterations());
}

void register_few_words(size_t count, size_t of) {
    const std::string name = "match/words=" + std::to_string(count);
    constexpr const char* variant_names[] = {"scalar", "avx2", "avx512"};
    for (const FilterVariant variant : filter_variants()) {
        const std::string by = name + "/filter/" + variant_names[static_cast<size_t>(variant)];
        benchmark::RegisterBenchmark(by.c_str(), [=](benchmark::State& state) {
            FewWords few(count, of);
            look_for_words(state, few, [&](const std::string& text) {
                return few.may_hold(text, variant) ? size_t{1} : size_t{0};
            });
        });
    }
    benchmark::RegisterBenchmark((name + "/hyperscan").c_str(), [=](benchmark::State& state) {
        FewWords few(count, of);
        look_for_words(state, few, [&](const std::string& text) { return few.hits(text); });
    });
}

// A set with one expression of `count` replaced, and the scratch for it: what a reload does.
void reload(benchmark::State& state, Kind kind, size_t count) {
    auto of = make_expressions(kind, count);
    std::vector<PatternError> errors;
    of[count / 2] = "(?i)fresh[0-9]+.*offer";
    CompileOptions options;
    options.base = set_of(kind, count).base();
    size_t databases = 0;
    for (auto _ : state) {
        const PatternSet next = PatternSet::compile(of, options, errors);
        PatternScratch scratch;
        SY_ASSERT(scratch.prepare(next).has_value());
        databases = next.databases();
    }
    SY_ASSERT(errors.empty());
    state.counters["databases"] = static_cast<double>(databases);
}

// A database from the cache in place of a compile.
void load(benchmark::State& state, Kind kind, size_t count) {
    const auto octets = set_of(kind, count).base()->serialise();
    SY_ASSERT(octets.has_value());
    for (auto _ : state) {
        auto database = Database::deserialise(*octets);
        SY_ASSERT(database.has_value());
    }
    state.counters["bytes"] = static_cast<double>(octets->size());
}

void sender_cache(benchmark::State& state) {
    const auto count = static_cast<size_t>(state.range(0));
    route::SenderCache cache;
    cache.reserve();
    Prng prng(3);
    std::vector<std::string> senders;
    for (size_t i = 0; i < count; ++i) {
        senders.push_back(i % 2 == 0 ? vocabulary()[i % 20'000] + std::to_string(i % 7)
                                     : std::to_string(447'700'000'000 + prng.below(100'000'000)));
        if (!cache.find(senders.back())) {
            cache.insert(senders.back(), std::array<uint32_t, 2>{1, 2});
        }
    }
    std::vector<std::string_view> asked;
    for (size_t i = 0; i < 65'536; ++i) {
        asked.push_back(senders[prng.below(count)]);
    }
    uint64_t found = 0;
    size_t at = 0;
    for (auto _ : state) {
        found += cache.find(asked[at]) ? 1u : 0u;
        at = (at + 1) % asked.size();
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["found"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}
BENCHMARK(sender_cache)
    ->Name("route/sender_cache/senders")
    ->Arg(100)
    ->Arg(1'000)
    ->Arg(8'000)
    ->Arg(32'000);

void register_scan(Peer peer, Kind kind, size_t count, bool senders) {
    const std::string name = std::string("match/scan/") + kind_names[kind] +
                             "/octets=" + std::to_string(senders ? sender_octets : text_octets) +
                             "/expressions=" + std::to_string(count) + "/" + peer_names[peer];
    benchmark::RegisterBenchmark(
        name.c_str(), [=](benchmark::State& state) { scan(state, peer, kind, count, senders); });
}

void register_all(bool large) {
    for (const Kind kind : {literals, words, expressions, counting}) {
        for (const size_t count : {size_t{10}, size_t{100}, size_t{1'000}, size_t{10'000}}) {
            // Compile times in seconds: the smoke run of the tests has none of them.
            if (!large && (count > 1'000 || (count == 1'000 && kind != literals))) {
                continue;
            }
            for (const Peer peer : {switchyard, hyperscan, re2, pcre2}) {
                const bool pointless =
                    (peer == hyperscan &&
                     (kind == literals || kind == counting || kind == expressions)) ||
                    (peer == re2 && kind == counting && count > 100) ||
                    (kind == counting && count > 1'000);
                for (const bool senders : {false, true}) {
                    if (!pointless) {
                        register_scan(peer, kind, count, senders);
                    }
                }
            }
        }
    }
    for (const Kind kind : {words, expressions}) {
        const size_t count = large ? 10'000 : 100;
        const std::string tail =
            std::string("/") + kind_names[kind] + "/expressions=" + std::to_string(count);
        for (const size_t few : {size_t{1}, size_t{8}, size_t{32}}) {
            if (kind == words) {
                register_few_words(few, count);
            }
            const std::string name = "match/few=" + std::to_string(few) + tail;
            benchmark::RegisterBenchmark(
                name.c_str(), [=](benchmark::State& state) { scan_few(state, kind, few, count); });
        }
        benchmark::RegisterBenchmark(("match/reload_one" + tail).c_str(), [=](auto& state) {
            reload(state, kind, count);
        })->Unit(benchmark::kMillisecond);
        benchmark::RegisterBenchmark(("match/load" + tail).c_str(), [=](auto& state) {
            load(state, kind, count);
        })->Unit(benchmark::kMillisecond);
    }
}

}  // namespace
}  // namespace sy::match

int main(int argc, char** argv) {
    const bool large = argc > 1 && std::strcmp(argv[1], "--large") == 0;
    if (large) {
        std::swap(argv[0], argv[1]);
        --argc;
        ++argv;
    }
    sy::match::register_all(large);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
