#include "core/match/pattern_set.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <hs.h>

#include "core/base/assert.h"
#include "core/base/bytes.h"

namespace sy::match {

namespace {

// The serialised form: this word, the number of expressions, Hyperscan's octets.
constexpr uint32_t magic = 0x53595031;
constexpr size_t header_octets = 8;

unsigned flags_of(const std::string& expression) {
    // ALLOWEMPTY: ".*" and "(stop)?" are what people write; Hyperscan refuses them otherwise.
    return HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY |
           (needs_utf8_mode(expression) ? HS_FLAG_UTF8 : 0U);
}

std::string text_of(hs_compile_error_t* error) {
    std::string text = error != nullptr && error->message != nullptr ? error->message : "refused";
    hs_free_compile_error(error);
    return text;
}

// Hyperscan takes C strings: what is behind a NUL would be ignored without a word.
constexpr const char* nul_inside = "a NUL octet is not allowed, write \\x00";

/// Parses one expression alone: cheap, and finds nearly everything that compiling would refuse.
bool check(const std::string& expression, std::string& why) {
    if (expression.find('\0') != std::string::npos) {
        why = nul_inside;
        return false;
    }
    hs_expr_info_t* info = nullptr;
    hs_compile_error_t* error = nullptr;
    if (hs_expression_info(expression.c_str(), flags_of(expression), &info, &error) != HS_SUCCESS) {
        why = text_of(error);
        return false;
    }
    std::free(info);  // NOLINT(cppcoreguidelines-no-malloc): Hyperscan's default allocator
    return true;
}

// The arrays that hs_compile_multi() wants.
struct Input {
    std::vector<const char*> expressions;
    std::vector<unsigned> flags;
    std::vector<unsigned> ids;

    /// All but the refused ones.
    Input(std::span<const std::string> from, const std::vector<bool>& refused) {
        for (size_t i = 0; i < from.size(); ++i) {
            if (!refused[i]) {
                add(from[i], static_cast<unsigned>(i));
            }
        }
    }
    Input(const std::string& expression, unsigned id) { add(expression, id); }

    template <class DatabasePtr>
    [[nodiscard]] bool compile(DatabasePtr& database, std::string& why) const {
        hs_database_t* compiled = nullptr;
        hs_compile_error_t* error = nullptr;
        if (hs_compile_multi(expressions.data(), flags.data(), ids.data(),
                             static_cast<unsigned>(ids.size()), HS_MODE_BLOCK, nullptr, &compiled,
                             &error) != HS_SUCCESS) {
            why = text_of(error);
            return false;
        }
        database.reset(compiled);
        return true;
    }

  private:
    void add(const std::string& expression, unsigned id) {
        expressions.push_back(expression.c_str());
        flags.push_back(flags_of(expression));
        ids.push_back(id);
    }
};

}  // namespace

void PatternSet::FreeDatabase::operator()(hs_database* database) const {
    hs_free_database(database);
}

void PatternScratch::FreeScratch::operator()(hs_scratch* scratch) const {
    hs_free_scratch(scratch);
}

PatternSet PatternSet::compile(std::span<const std::string> expressions,
                               std::vector<PatternError>& errors) {
    const size_t errors_before = errors.size();
    std::vector<bool> refused(expressions.size());
    for (size_t i = 0; i < expressions.size(); ++i) {
        std::string why;
        if (!check(expressions[i], why)) {
            refused[i] = true;
            errors.push_back({i, std::move(why)});
        }
    }
    PatternSet set;
    // The compiler has limits that parsing does not see, and does not always say whose fault it is:
    // then each is compiled alone.
    std::string why;
    const Input all(expressions, refused);
    if (!all.ids.empty() && !all.compile(set.database_, why)) {
        for (const unsigned id : all.ids) {
            std::string own;
            std::unique_ptr<hs_database, FreeDatabase> alone;
            if (!Input(expressions[id], id).compile(alone, own)) {
                errors.push_back({id, std::move(own)});
            }
        }
        if (errors.size() == errors_before) {
            errors.push_back({all.ids.front(), "all expressions together: " + why});
        }
    }
    set.count_ = static_cast<uint32_t>(expressions.size());
    if (errors.size() != errors_before) {
        std::sort(errors.begin() + static_cast<ptrdiff_t>(errors_before), errors.end(),
                  [](const PatternError& a, const PatternError& b) { return a.index < b.index; });
        return {};
    }
    return set;
}

Result<std::string> PatternSet::serialise() const {
    std::string octets(header_octets, '\0');
    auto* out = reinterpret_cast<uint8_t*>(octets.data());
    store_be(out, magic);
    store_be(out + 4, count_);
    if (database_ != nullptr) {
        char* serial = nullptr;
        size_t size = 0;
        if (hs_serialize_database(database_.get(), &serial, &size) != HS_SUCCESS) {
            return fail("the expressions cannot be serialised");
        }
        octets.append(serial, size);
        std::free(serial);  // NOLINT(cppcoreguidelines-no-malloc): Hyperscan's default allocator
    }
    return octets;
}

Result<PatternSet> PatternSet::deserialise(std::string_view octets) {
    const auto* in = reinterpret_cast<const uint8_t*>(octets.data());
    if (octets.size() < header_octets || load_be<uint32_t>(in) != magic) {
        return fail("not a compiled expression set");
    }
    PatternSet set;
    set.count_ = load_be<uint32_t>(in + 4);
    octets.remove_prefix(header_octets);
    if ((set.count_ == 0) != octets.empty()) {
        return fail("the compiled expression set is cut short");
    }
    if (!octets.empty()) {
        hs_database_t* database = nullptr;
        if (hs_deserialize_database(octets.data(), octets.size(), &database) != HS_SUCCESS) {
            return fail("the compiled expression set is damaged or from another Hyperscan or CPU");
        }
        set.database_.reset(database);
    }
    return set;
}

void PatternSet::scan(std::string_view text,
                      PatternScratch& scratch,
                      std::span<uint64_t> bits) const {
    SY_ASSERT(bits.size() >= words());
    std::fill_n(bits.begin(), words(), uint64_t{0});
    if (database_ == nullptr) {
        return;
    }
    const auto on_match = [](unsigned id, unsigned long long, unsigned long long, unsigned,
                             void* context) -> int {
        static_cast<uint64_t*>(context)[id / 64] |= uint64_t{1} << (id % 64);
        return 0;
    };
    // Hyperscan refuses a null pointer even for an empty text.
    const char* data = text.empty() ? "" : text.data();
    const hs_error_t status = hs_scan(database_.get(), data, static_cast<unsigned>(text.size()), 0,
                                      scratch.scratch_.get(), on_match, bits.data());
    if (status != HS_SUCCESS) {
        SY_COUNT_BUG("hs_scan refused its arguments");
    }
}

Result<void> PatternScratch::prepare(const PatternSet& set) {
    if (set.database_ == nullptr) {
        return {};
    }
    hs_scratch_t* scratch = scratch_.release();
    const hs_error_t status = hs_alloc_scratch(set.database_.get(), &scratch);
    scratch_.reset(scratch);
    if (status != HS_SUCCESS) {
        return fail("no memory for the scratch space of the expressions");
    }
    return {};
}

}  // namespace sy::match
