// One table of switchyard.toml, read key by key: every read checks type and range, leaves the
// default where the key is absent, and remembers the key, so that finish() knows what nobody asked
// for. Control plane only.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "core/base/endpoint.h"
#include "core/base/time.h"
#include "core/config/complaints.h"
#include "core/smpp/status.h"

namespace sy::config {

[[nodiscard]] Position position_of(const toml::node& node);

template <class T>
struct Choice {
    std::string_view name;
    T value;
};

struct OctetLimits {
    size_t min = 0;
    size_t max = 0;
};

struct DurationLimits {
    Nanos min_ns = 0;
    Nanos max_ns = 0;
};

inline constexpr uint64_t kibibyte = 1024;
inline constexpr uint64_t mebibyte = 1024 * kibibyte;
inline constexpr uint64_t gibibyte = 1024 * mebibyte;

struct SizeLimits {
    uint64_t min = 0;
    uint64_t max = 0;
};

/// Whether a size may be "off".
enum class Off : uint8_t { no, is_0 };

class Section {
  public:
    struct Item {
        std::string text;
        Position at;
    };

    struct Number {
        int64_t value;
        Position at;
    };

    /// `table` may be null: every key keeps its default. `title` as people write it: "[smpp]".
    Section(std::string title, const toml::table* table, Position at, Complaints& complaints)
        : title_(std::move(title)), table_(table), at_(at), complaints_(complaints) {}

    /// The key is known, and read elsewhere.
    void expect(std::string_view key) { known_.push_back(key); }
    /// Complains if the key is absent.
    void require(std::string_view key);

    void text(std::string_view key, std::string& out, OctetLimits octets);
    /// Of a customer, supplier or plan.
    void name(std::string_view key, std::string& out);
    /// Digits with an optional '+' in front of them, which is dropped; may be empty.
    void digits(std::string_view key, std::string& out, size_t digits_max);
    void boolean(std::string_view key, bool& out);
    void duration(std::string_view key, Nanos& out, DurationLimits limits);
    /// "64MiB", in octets.
    void size(std::string_view key, uint64_t& out, SizeLimits limits, Off off = Off::no);
    void status(std::string_view key, smpp::CommandStatus& out);
    /// An array of strings, or one string; empty (and false) if the key is absent.
    bool list(std::string_view key, std::vector<Item>& out);
    /// An array of whole numbers; false if the key is absent or anything is wrong with it.
    bool numbers(std::string_view key, std::vector<Number>& out, int64_t min, int64_t max);

    template <std::integral T>
    void integer(std::string_view key, T& out, T min, T max) {
        int64_t value = 0;
        if (read_integer(key, value, static_cast<int64_t>(min), static_cast<int64_t>(max))) {
            out = static_cast<T>(value);
        }
    }

    template <class T, size_t Count>
    void choice(std::string_view key, T& out, const std::array<Choice<T>, Count>& choices) {
        std::array<std::string_view, Count> names;
        for (size_t i = 0; i < Count; ++i) {
            names[i] = choices[i].name;
        }
        if (const auto index = read_choice(key, names)) {
            out = choices[*index].value;
        }
    }

    /// Complains about every key that was not asked for.
    void finish();

    [[nodiscard]] bool has(std::string_view key) const;
    [[nodiscard]] bool is_empty_array(std::string_view key) const;
    /// Of the key's value, or of the whole table.
    [[nodiscard]] Position at(std::string_view key) const;
    [[nodiscard]] Position at() const { return at_; }
    [[nodiscard]] Complaints& complaints() { return complaints_; }

    /// "`key` is <value>, expected <expected>" at the value.
    void complain(std::string_view key, std::string_view expected);

  private:
    [[nodiscard]] const toml::node* find(std::string_view key);
    [[nodiscard]] bool read_string(std::string_view key,
                                   std::string_view expected,
                                   std::string& out);
    [[nodiscard]] bool read_integer(std::string_view key, int64_t& out, int64_t min, int64_t max);
    [[nodiscard]] std::optional<size_t> read_choice(std::string_view key,
                                                    std::span<const std::string_view> names);

    std::string title_;
    const toml::table* table_;
    Position at_;
    Complaints& complaints_;
    std::vector<std::string_view> known_;
};

}  // namespace sy::config
