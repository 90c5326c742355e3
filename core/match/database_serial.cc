// A database as octets and its content's name. The form, big-endian: magic, count of expressions,
// checksum of all behind it, content name, the expressions (length, octets), Hyperscan's octets.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>

#include <hs.h>

#include "core/base/bytes.h"
#include "core/base/prng.h"
#include "core/match/database.h"
#include "core/match/database_plan.h"

namespace sy::match {

namespace {

constexpr uint32_t magic = 0x53595032;
constexpr size_t name_octets = 32;
constexpr size_t checked_at = 16;
constexpr size_t header_octets = checked_at + name_octets;

class Hash {
  public:
    explicit Hash(uint64_t seed) : state_(mix64(seed)) {}

    void add(uint64_t value) { state_ = mix64(state_ ^ value); }
    void add(std::string_view octets) {
        add(octets.size());
        while (!octets.empty()) {
            uint64_t word = 0;
            const size_t count = std::min(octets.size(), sizeof word);
            std::memcpy(&word, octets.data(), count);
            add(word);
            octets.remove_prefix(count);
        }
    }
    [[nodiscard]] uint64_t value() const { return state_; }

  private:
    uint64_t state_;
};

uint64_t checksum(std::string_view octets) {
    Hash hash(magic);
    hash.add(octets);
    return hash.value();
}

void append_u32(std::string& out, size_t value) {
    uint8_t octets[4];
    store_be(octets, static_cast<uint32_t>(value));
    out.append(reinterpret_cast<const char*>(octets), sizeof octets);
}

// Takes `count` octets off the front; nothing if there are fewer.
std::optional<std::string_view> take(std::string_view& octets, size_t count) {
    if (octets.size() < count) {
        return std::nullopt;
    }
    const std::string_view front = octets.substr(0, count);
    octets.remove_prefix(count);
    return front;
}

std::optional<uint32_t> take_u32(std::string_view& octets) {
    const auto front = take(octets, 4);
    return front ? std::optional(load_be<uint32_t>(reinterpret_cast<const uint8_t*>(front->data())))
                 : std::nullopt;
}

std::string hex(uint64_t value) {
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (int shift = 60; shift >= 0; shift -= 4) {
        out += digits[value >> shift & 15];
    }
    return out;
}

void add_machine(Hash& hash) {
    hash.add(std::string_view(hs_version()));
    hs_platform_info_t platform{};
    if (hs_populate_platform(&platform) == HS_SUCCESS) {
        hash.add(platform.cpu_features);
        hash.add(platform.tune);
    }
}

std::string name_of(std::span<const std::string> expressions, const DatabasePlan& plan) {
    std::string name;
    for (const uint64_t seed : {uint64_t{1}, uint64_t{2}}) {
        Hash hash(seed + magic);
        add_machine(hash);
        for (const std::string& expression : expressions) {
            hash.add(expression);
        }
        for (size_t i = 0; i < plan.texts.size(); ++i) {
            hash.add(plan.texts[i]);
            hash.add(plan.flags[i]);
            for (const DatabasePlan::Check& check : plan.checks[i]) {
                hash.add(uint64_t{check.expression} << 32 | uint64_t{check.word_octets} << 16 |
                         uint64_t{check.left} << 8 | check.right);
            }
        }
        name += hex(hash.value());
    }
    return name;
}

}  // namespace

std::string Database::content_name(std::span<const std::string> expressions) {
    return name_of(expressions, DatabasePlan(expressions));
}

Result<std::string> Database::serialise() const {
    std::string octets(checked_at, '\0');
    octets += content_name(expressions_);
    for (const std::string& expression : expressions_) {
        append_u32(octets, expression.size());
        octets += expression;
    }
    if (database_ != nullptr) {
        char* serial = nullptr;
        size_t size = 0;
        if (hs_serialize_database(database_, &serial, &size) != HS_SUCCESS) {
            return fail("the expressions cannot be serialised");
        }
        octets.append(serial, size);
        std::free(serial);  // NOLINT(cppcoreguidelines-no-malloc): Hyperscan's default allocator
    }
    auto* out = reinterpret_cast<uint8_t*>(octets.data());
    store_be(out, magic);
    store_be(out + 4, static_cast<uint32_t>(expressions_.size()));
    store_be(out + 8, checksum(std::string_view(octets).substr(checked_at)));
    return octets;
}

Result<std::shared_ptr<const Database>> Database::deserialise(std::string_view octets) {
    const auto* in = reinterpret_cast<const uint8_t*>(octets.data());
    if (octets.size() < header_octets || load_be<uint32_t>(in) != magic) {
        return fail("not a compiled expression set of this version");
    }
    if (load_be<uint64_t>(in + 8) != checksum(octets.substr(checked_at))) {
        return fail("damaged: its checksum is wrong");
    }
    const auto count = load_be<uint32_t>(in + 4);
    std::shared_ptr<Database> database(new Database());
    std::string_view rest = octets.substr(checked_at);
    const auto name = take(rest, name_octets);
    for (uint32_t i = 0; i < count; ++i) {
        const auto length = take_u32(rest);
        const auto expression = length ? take(rest, *length) : std::nullopt;
        if (!expression) {
            return fail("damaged: it ends inside its expressions");
        }
        if (i > 0 && *expression <= database->expressions_.back()) {
            return fail("damaged: its expressions are out of order");
        }
        database->expressions_.emplace_back(*expression);
    }
    DatabasePlan plan(database->expressions_);
    if (name_of(database->expressions_, plan) != *name) {
        return fail("compiled by another version, or for another CPU");
    }
    if (rest.empty() != database->expressions_.empty()) {
        return fail("damaged: the compiled part is missing");
    }
    if (!rest.empty() &&
        hs_deserialize_database(rest.data(), rest.size(), &database->database_) != HS_SUCCESS) {
        return fail("damaged, or from another Hyperscan or CPU");
    }
    database->adopt(std::move(plan));
    return database;
}

}  // namespace sy::match
