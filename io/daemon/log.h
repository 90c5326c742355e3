// Structured logs: one line an event, a short phrase and named fields, as text or as JSON lines.
// Control thread only; workers hand events to it through rings and never log.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>

#include "core/base/result.h"
#include "core/config/config.h"

namespace spdlog {
class logger;  // NOLINT(readability-identifier-naming): the library's name
}

namespace sy::daemon {

/// One named value of a log line. Numbers and booleans stay bare in JSON, all else is quoted.
struct Field {
    std::string_view key;
    std::string value;
    bool quoted = true;

    template <class T>
    Field(std::string_view field_key, const T& field_value)
        : key(field_key), value(fmt::format("{}", field_value)), quoted(!std::is_arithmetic_v<T>) {}
};

enum class Level : uint8_t { debug, info, warning, error };

class Log {
  public:
    /// Opens the file that the setting names (standard error when it names none); `directory` is
    /// where relative paths start.
    static Result<Log> open(const config::Logging& setting, const std::string& directory);

    Log(Log&&) noexcept;
    Log& operator=(Log&&) noexcept;
    ~Log();

    void write(Level level, std::string_view phrase, std::span<const Field> fields);
    void debug(std::string_view phrase, std::initializer_list<Field> fields = {}) {
        write(Level::debug, phrase, std::span(fields.begin(), fields.size()));
    }
    void info(std::string_view phrase, std::initializer_list<Field> fields = {}) {
        write(Level::info, phrase, std::span(fields.begin(), fields.size()));
    }
    void warning(std::string_view phrase, std::initializer_list<Field> fields = {}) {
        write(Level::warning, phrase, std::span(fields.begin(), fields.size()));
    }
    void error(std::string_view phrase, std::initializer_list<Field> fields = {}) {
        write(Level::error, phrase, std::span(fields.begin(), fields.size()));
    }

    /// Opens the file again under its name (SIGUSR1, after a rename). On error the old one stays.
    [[nodiscard]] Result<void> reopen();

    /// Where the lines go: a path, or "standard error".
    [[nodiscard]] std::string target() const;

  private:
    Log() = default;

    std::shared_ptr<spdlog::logger> logger_;
    std::string path_;  // absolute or relative to the process, empty: standard error
    bool json_ = false;
};

/// The part of a line behind time and level, in both forms; exposed for tests.
[[nodiscard]] std::string render_text(std::string_view phrase, std::span<const Field> fields);
[[nodiscard]] std::string render_json(std::string_view phrase, std::span<const Field> fields);

}  // namespace sy::daemon
