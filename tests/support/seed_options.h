// What every program that runs a simulation seed by seed takes on its command line: which seeds,
// each twice or once, how much it tells. One thread.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sy::test {

struct SeedOptions {
    uint64_t seeds = 100;
    uint64_t first = 1;
    std::string file;
    bool repeat = false;
    bool verbose = false;
    bool trace = false;
    std::string pcap;

    void add_to(CLI::App& app) {
        app.add_option("--seeds", seeds, "how many");
        app.add_option("--first", first, "the first one");
        app.add_option("--file", file, "more seeds, one a line, '#' begins a comment");
        app.add_flag("--repeat", repeat, "run each twice and compare the hashes");
        app.add_flag("--verbose", verbose, "a line for every run");
        app.add_flag("--trace", trace, "every event of the network on standard error");
        app.add_option("--pcap", pcap, "what one end of the wire sees in the last run");
    }

    /// Those of the file, then the others. Ends the program when the file cannot be read.
    [[nodiscard]] std::vector<uint64_t> list() const {
        std::vector<uint64_t> out;
        if (!file.empty()) {
            std::ifstream in(file);
            if (!in) {
                fmt::print(stderr, "error: cannot read '{}'\n", file);
                std::exit(1);
            }
            for (std::string line; std::getline(in, line);) {
                line = line.substr(0, line.find('#'));
                if (line.find_first_of("0123456789") != std::string::npos) {
                    out.push_back(std::stoull(line));
                }
            }
        }
        for (uint64_t i = 0; i < seeds; ++i) {
            out.push_back(first + i);
        }
        return out;
    }
};

}  // namespace sy::test
