#include "bench/smppload/options.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace sy::load {
namespace {

bool parse_double(std::string_view text, double& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

struct WordShare {
    std::string word;
    double share = 1;
};

/// "a:0.2,b": words with their shares; a word without one has all of it.
Result<std::vector<WordShare>> parse_shares(const std::string& text) {
    std::vector<WordShare> out;
    double sum = 0;
    for (size_t at = 0; at <= text.size();) {
        const size_t end = std::min(text.find(',', at), text.size());
        const std::string part = text.substr(at, end - at);
        at = end + 1;
        const size_t colon = part.find(':');
        WordShare share{part.substr(0, colon), 1};
        if (share.word.empty() ||
            (colon != std::string::npos && !parse_double(part.substr(colon + 1), share.share)) ||
            share.share < 0) {
            return fail(
                fmt::format("'{}' in '{}' is not NAME:SHARE with a share of 0 to 1", part, text));
        }
        sum += share.share;
        out.push_back(share);
    }
    if (sum > 1.0 + 1e-9) {
        return fail(fmt::format("the shares in '{}' add up to {}, more than 1", text, sum));
    }
    return out;
}

struct Word {
    const char* word;
    uint8_t message_state;
};
// SMPP 3.4 section 5.2.28 and appendix B.
constexpr Word words[] = {{"ENROUTE", 1}, {"DELIVRD", 2}, {"EXPIRED", 3}, {"DELETED", 4},
                          {"UNDELIV", 5}, {"ACCEPTD", 6}, {"UNKNOWN", 7}, {"REJECTD", 8}};

}  // namespace

Result<Range> parse_range_ms(const std::string& text) {
    const size_t colon = text.find(':');
    double low = 0, high = 0;
    const bool good = parse_double(std::string_view(text).substr(0, colon), low) &&
                      (colon == std::string::npos ||
                       parse_double(std::string_view(text).substr(colon + 1), high));
    high = colon == std::string::npos ? low : high;
    if (!good || low < 0 || high < low || high > 3.6e6) {
        return fail(fmt::format("'{}' is not a delay, expected milliseconds: 5, or 5:20", text));
    }
    return Range{static_cast<Nanos>(std::llround(low * 1e6)),
                 static_cast<Nanos>(std::llround(high * 1e6))};
}

Result<std::vector<ErrorShare>> parse_error_mix(const std::string& text) {
    auto shares = parse_shares(text);
    if (!shares) {
        return std::unexpected(std::move(shares).error());
    }
    std::vector<ErrorShare> out;
    for (const WordShare& share : *shares) {
        const auto status = smpp::parse_status(share.word);
        if (!status || *status == smpp::CommandStatus::esme_rok) {
            return fail(
                fmt::format("'{}' is no error status, expected a name such as RTHROTTLED "
                            "or a number such as 0x58",
                            share.word));
        }
        out.push_back({*status, share.share});
    }
    if (out.size() > 14) {
        return fail("more than 14 statuses in the error mix");
    }
    return out;
}

Result<std::vector<Stat>> parse_stat_mix(const std::string& text) {
    auto shares = parse_shares(text);
    if (!shares) {
        return std::unexpected(std::move(shares).error());
    }
    std::vector<Stat> out;
    for (const WordShare& share : *shares) {
        uint8_t state = 0;
        for (const Word& word : words) {
            if (share.word == word.word) {
                state = word.message_state;
            }
        }
        if (state == 0) {
            return fail(
                fmt::format("'{}' is no state of a receipt, expected DELIVRD, UNDELIV, "
                            "EXPIRED, DELETED, REJECTD, ACCEPTD, UNKNOWN or ENROUTE",
                            share.word));
        }
        out.push_back({share.word, state, share.share});
    }
    return out;
}

Result<void> check_options(const Options& options) {
    if (options.customers < 1 || options.customers > 10'000 || options.binds < 1) {
        return fail("--customers must be 1 to 10000 and --binds at least 1");
    }
    if (options.suppliers < 1 || options.suppliers > 200) {
        return fail(fmt::format("--suppliers {}: expected 1 to 200", options.suppliers));
    }
    if (options.window < 1 || options.window > 4096 || options.deliver_window < 1 ||
        options.deliver_window > 4096) {
        return fail("--window and --deliver-window must be 1 to 4096");
    }
    if (options.listen.port != 0 && options.listen.port + options.suppliers > 65536) {
        return fail("--listen: not enough ports above the first one");
    }
    if (options.text_bytes != 0 && (options.text_bytes < 32 || options.text_bytes > 160)) {
        return fail(fmt::format("--text-bytes {}: expected 32 to 160", options.text_bytes));
    }
    if (options.prefixes < 1 || options.prefixes > 10'000'000 || options.destinations < 1) {
        return fail("--prefixes must be 1 to 10000000 and --destinations at least 1");
    }
    if (options.expressions > 60'000) {
        return fail("--expressions must not exceed 60000");
    }
    if (options.mode == Mode::direct && options.receipt_id != IdForm::as_is) {
        return fail("--receipt-id other than as-is needs a router that translates it");
    }
    if (options.mode == Mode::direct && options.mo_rate > 0 && options.customers > 1) {
        return fail("--mo with several --customers needs a router that tells them apart");
    }
    if (options.messages == 0 && options.duration_ns == 0) {
        return fail("nothing to do: give --messages or --duration");
    }
    if (options.messages > 0xFFFFFFFEu) {
        return fail("--messages must be below 4294967295");
    }
    if ((options.mode == Mode::both || options.mode == Mode::esme) && options.router.port == 0 &&
        options.write_config.empty()) {
        return fail("--router: where is the router? For example 127.0.0.1:2775");
    }
    return {};
}

std::string customer_name(uint32_t customer) {
    return fmt::format("load{}", customer);
}
std::string supplier_name(uint32_t supplier) {
    return fmt::format("sim{}", supplier);
}
std::string customer_number(uint32_t customer) {
    return fmt::format("447999{:06}", customer);
}

}  // namespace sy::load
