// How an account writes numbers. Filled by config/, read by normalise.h and the engine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sy::number {

// How digits are brought to E.164 on the way in.
struct NumberPlan {
    std::string country_code;           // default country for national numbers, empty: none
    std::string national_prefix = "0";  // trunk prefix of national numbers
    bool strip_00 = true;               // 0049... is international
    // Up to here digits without sign of being international may be a short code, kept as it is;
    // 0: none may.
    uint8_t short_code_digits_max = 8;

    friend bool operator==(const NumberPlan&, const NumberPlan&) = default;
};

// Digits that begin a destination, and what to put in their place.
struct Rewrite {
    std::string from;  // empty: every number
    std::string to;

    friend bool operator==(const Rewrite&, const Rewrite&) = default;
};

// How numbers are written for a supplier on the way out.
struct NumberForm {
    uint8_t ton = 1;
    uint8_t npi = 1;
    std::string prefix;  // put before the digits of an international number: "", "+", "00"
    // Numbers of this country go out in national form, TON 2: without its code, behind this trunk
    // prefix. Empty: none do.
    std::string national_country;
    std::string trunk_prefix;
    // Of destinations alone, before all of the above; longer `from` first.
    std::vector<Rewrite> rewrites;
    // Short codes never go out as international: PROTOCOL facts name 3/0, 0/1 and 6/0.
    uint8_t short_code_ton = 3;
    uint8_t short_code_npi = 0;

    friend bool operator==(const NumberForm&, const NumberForm&) = default;
};

}  // namespace sy::number
