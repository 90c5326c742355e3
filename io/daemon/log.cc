#include "io/daemon/log.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace sy::daemon {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warning:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

// The names that the configuration accepts; anything else was refused there.
spdlog::level::level_enum parse_level(std::string_view name) {
    if (name == "trace") {
        return spdlog::level::trace;
    }
    if (name == "debug") {
        return spdlog::level::debug;
    }
    if (name == "warning") {
        return spdlog::level::warn;
    }
    return name == "error" ? spdlog::level::err : spdlog::level::info;
}

Result<spdlog::sink_ptr> make_sink(const std::string& path) {
    if (path.empty()) {
        return std::make_shared<spdlog::sinks::stderr_sink_mt>();
    }
    try {
        return std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    } catch (const spdlog::spdlog_ex& failure) {
        return fail(fmt::format("cannot open the log file: {}", failure.what()));
    }
}

std::unique_ptr<spdlog::formatter> make_formatter(bool json) {
    return std::make_unique<spdlog::pattern_formatter>(
        json ? "{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%l\",%v}"
             : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
        spdlog::pattern_time_type::utc);
}

// Octets of the UTF-8 character that `text` begins with; 0 where it is none. Overlong forms pass:
// this keeps lines parseable, it does not judge text.
size_t character_octets(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    const size_t count = first < 0x80                    ? 1
                         : first >= 0xC2 && first < 0xE0 ? 2
                         : first >= 0xE0 && first < 0xF0 ? 3
                         : first >= 0xF0 && first < 0xF5 ? 4
                                                         : 0;
    if (count > text.size()) {
        return 0;
    }
    for (size_t i = 1; i < count; ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
            return 0;
        }
    }
    return count;
}

// RFC 8259 section 7: quotation mark, reverse solidus and controls are escaped; so are octets that
// are no UTF-8, which names sent by peers may hold.
void append_json(std::string& out, std::string_view text) {
    out.push_back('"');
    while (!text.empty()) {
        const char c = text.front();
        const size_t count = character_octets(text);
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (count == 0 || static_cast<unsigned char>(c) < 0x20) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
        } else {
            out += text.substr(0, count);
        }
        text.remove_prefix(std::max<size_t>(count, 1));
    }
    out.push_back('"');
}

bool needs_quotes(std::string_view text) {
    return text.empty() || std::ranges::any_of(text, [](char c) {
               return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=';
           });
}

}  // namespace

std::string render_text(std::string_view phrase, std::span<const Field> fields) {
    std::string line(phrase);
    for (const Field& field : fields) {
        fmt::format_to(std::back_inserter(line), " {}=", field.key);
        if (field.quoted && needs_quotes(field.value)) {
            append_json(line, field.value);
        } else {
            line += field.value;
        }
    }
    // A line break inside the phrase would forge a line of its own.
    std::ranges::replace(line, '\n', ' ');
    return line;
}

std::string render_json(std::string_view phrase, std::span<const Field> fields) {
    std::string line = "\"event\":";
    append_json(line, phrase);
    for (const Field& field : fields) {
        line.push_back(',');
        append_json(line, field.key);
        line.push_back(':');
        if (field.quoted) {
            append_json(line, field.value);
        } else {
            line += field.value;
        }
    }
    return line;
}

Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;
Log::~Log() = default;

Result<Log> Log::open(const config::Logging& setting, const std::string& directory) {
    Log log;
    if (!setting.path.empty()) {
        // operator/ leaves an absolute path as it is.
        log.path_ = (std::filesystem::path(directory) / setting.path).string();
    }
    log.json_ = setting.json;
    auto sink = make_sink(log.path_);
    if (!sink) {
        return std::unexpected(std::move(sink).error());
    }
    log.logger_ = std::make_shared<spdlog::logger>("switchyard", *std::move(sink));
    log.logger_->set_level(parse_level(setting.level));
    // Lines are rare (never one a message) and worth most when the process dies: flush each.
    log.logger_->flush_on(spdlog::level::trace);
    log.logger_->set_formatter(make_formatter(setting.json));
    return log;
}

void Log::write(Level level, std::string_view phrase, std::span<const Field> fields) {
    const auto spdlog_level = to_spdlog(level);
    if (logger_->should_log(spdlog_level)) {
        logger_->log(spdlog_level,
                     json_ ? render_json(phrase, fields) : render_text(phrase, fields));
    }
}

Result<void> Log::reopen() {
    if (path_.empty()) {
        return {};
    }
    auto sink = make_sink(path_);
    if (!sink) {
        return std::unexpected(std::move(sink).error());
    }
    (*sink)->set_formatter(make_formatter(json_));
    logger_->sinks().assign(1, *std::move(sink));
    return {};
}

std::string Log::target() const {
    return path_.empty() ? "standard error" : path_;
}

}  // namespace sy::daemon
