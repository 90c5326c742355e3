// A bad file among good ones, and what people are told of it.
#pragma once

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/config/load_support.h"

namespace sy::config::test {

enum class How { appended, replaced, missing };

struct BadInput {
    const char* name;
    const char* file;  // the one of good_files() that is bad
    How how;
    std::string text;
    std::vector<std::string> complaints;  // all of them, in order
};

inline void PrintTo(const BadInput& input, std::ostream* out) {
    *out << input.name;
}

inline void expect_complaints(const BadInput& input) {
    Files files = good_files();
    if (input.how == How::missing) {
        files.erase(input.file);
    } else if (input.how == How::replaced) {
        files[input.file] = input.text;
    } else {
        files[input.file] += input.text;
    }
    const Loaded loaded = load_files(files);
    EXPECT_EQ(loaded.complaints, input.complaints);
    const bool any_error =
        std::any_of(input.complaints.begin(), input.complaints.end(),
                    [](const auto& text) { return text.find(": error: ") != std::string::npos; });
    EXPECT_EQ(loaded.config.has_value(), !any_error);
}

inline std::string name_of(const testing::TestParamInfo<BadInput>& info) {
    return info.param.name;
}

}  // namespace sy::config::test
