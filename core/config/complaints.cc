#include "core/config/complaints.h"

#include <algorithm>
#include <cctype>
#include <tuple>

#include <fmt/format.h>

namespace sy::config {
namespace {

// Restricted edit distance (insert, remove, replace, swap of neighbours), letter case ignored.
// Names are short; longer ones are not compared.
size_t distance(std::string_view a, std::string_view b) {
    constexpr size_t name_octets_max = 64;
    if (a.size() > name_octets_max || b.size() > name_octets_max) {
        return name_octets_max;
    }
    const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
    std::vector<size_t> before(b.size() + 1);
    std::vector<size_t> above(b.size() + 1);
    std::vector<size_t> row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) {
        above[j] = j;
    }
    for (size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0u : 1u)});
            const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                                 lower(a[i - 2]) == lower(b[j - 1]);
            if (swapped) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        before.swap(above);
        above.swap(row);
    }
    return above[b.size()];
}

std::string place(const Diagnostic& diagnostic) {
    std::string out = diagnostic.file;
    if (diagnostic.line != 0) {
        out += fmt::format(":{}", diagnostic.line);
        if (diagnostic.column != 0) {
            out += fmt::format(":{}", diagnostic.column);
        }
    }
    return out;
}

}  // namespace

std::string to_string(const Diagnostic& diagnostic) {
    const bool is_error = diagnostic.severity == Diagnostic::Severity::error;
    return fmt::format("{}: {}: {}", place(diagnostic), is_error ? "error" : "warning",
                       diagnostic.text);
}

void Complaints::append_to(std::vector<Diagnostic>& out) const {
    // By place, then in the order they were made; libstdc++ 12's stable_sort uses what C++23
    // deprecates.
    std::vector<const Diagnostic*> sorted;
    sorted.reserve(kept_.size());
    for (const Diagnostic& diagnostic : kept_) {
        sorted.push_back(&diagnostic);
    }
    std::sort(sorted.begin(), sorted.end(), [](const Diagnostic* a, const Diagnostic* b) {
        return std::tuple(a->line, a->column, a) < std::tuple(b->line, b->column, b);
    });
    out.reserve(out.size() + sorted.size());
    for (const Diagnostic* diagnostic : sorted) {
        out.push_back(*diagnostic);
    }
    const auto rest = [&](uint32_t count, Diagnostic::Severity severity, const char* what) {
        if (count > shown_max) {
            out.push_back({severity, file_, 0, 0,
                           fmt::format("{} more {}, not shown", count - shown_max, what)});
        }
    };
    rest(error_count_, Diagnostic::Severity::error, "errors");
    rest(warning_count_, Diagnostic::Severity::warning, "warnings");
}

void Complaints::take(const Complaints& later) {
    uint32_t errors = error_count_;
    uint32_t warnings = warning_count_;
    for (const Diagnostic& diagnostic : later.kept_) {
        const bool is_error = diagnostic.severity == Diagnostic::Severity::error;
        if ((is_error ? errors : warnings)++ < shown_max) {
            kept_.push_back(diagnostic);
        }
    }
    error_count_ += later.error_count_;
    warning_count_ += later.warning_count_;
}

void Complaints::repeat(const std::vector<Diagnostic>& warnings) {
    kept_.insert(kept_.end(), warnings.begin(), warnings.end());
}

void Complaints::error(Position at, std::string text) {
    if (error_count_++ < shown_max) {
        kept_.push_back({Diagnostic::Severity::error, file_, at.line, at.column, std::move(text)});
    }
}

void Complaints::warning(Position at, std::string text) {
    if (warning_count_++ < shown_max) {
        kept_.push_back(
            {Diagnostic::Severity::warning, file_, at.line, at.column, std::move(text)});
    }
}

void Complaints::error_with_hint(Position at,
                                 std::string text,
                                 std::string_view word,
                                 std::span<const std::string_view> candidates) {
    if (error_count_ < shown_max) {
        text += hint(word, candidates);
    }
    error(at, std::move(text));
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    // Up to a third of the letters may differ: one in "qeue", two in "enquire_lnik".
    const size_t allowed = std::max<size_t>(1, word.size() / 3);
    std::string_view best;
    size_t best_distance = allowed + 1;
    for (const std::string_view candidate : candidates) {
        if (const size_t d = distance(word, candidate); d < best_distance) {
            best_distance = d;
            best = candidate;
        }
    }
    return best;
}

std::string hint(std::string_view word, std::span<const std::string_view> candidates) {
    constexpr size_t listed_max = 12;
    if (const std::string_view near = nearest(word, candidates); !near.empty()) {
        return fmt::format(", did you mean '{}'?", near);
    }
    if (candidates.empty()) {
        return {};
    }
    const auto listed = candidates.first(std::min(candidates.size(), listed_max));
    return fmt::format(", expected {}{}{}", candidates.size() > 1 ? "one of " : "", joined(listed),
                       candidates.size() > listed_max ? " ..." : "");
}

std::string joined(std::span<const std::string_view> words, std::string_view separator) {
    std::string out;
    for (const std::string_view word : words) {
        out += out.empty() ? std::string_view{} : separator;
        out += word;
    }
    return out;
}

std::string in_quotes(std::string_view text) {
    constexpr size_t shown_octets_max = 60;
    std::string out = "'";
    size_t at = 0;
    for (; at < text.size(); ++at) {
        const auto octet = static_cast<unsigned char>(text[at]);
        const bool continues = (octet & 0xC0) == 0x80;
        if (at >= shown_octets_max && !continues) {
            break;
        }
        out += octet < 0x20 || octet == 0x7F ? '?' : text[at];
    }
    out += at < text.size() ? "...'" : "'";
    return out;
}

}  // namespace sy::config
