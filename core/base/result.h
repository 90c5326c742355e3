// The control plane's errors: a value or one Error. Never used per message (STYLE: data-plane
// outcomes are one-byte enums). Formatted once, where it is made; printed once, at the edge.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace sy {

/// What went wrong and what to do about it, ready to be printed after "error: ".
struct Error {
    std::string text;
};

template <class T>
using Result = std::expected<T, Error>;

/// `return fail("cannot listen on ...");`
[[nodiscard]] inline std::unexpected<Error> fail(std::string text) {
    return std::unexpected<Error>(Error{std::move(text)});
}

}  // namespace sy

/// Early return of the error of a Result<void> expression.
#define SY_TRY(expression)                                            \
    do {                                                              \
        if (auto sy_try_result = (expression); !sy_try_result) {      \
            return std::unexpected(std::move(sy_try_result).error()); \
        }                                                             \
    } while (false)
