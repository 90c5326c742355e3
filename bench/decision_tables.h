// The configuration that bench/decision_bench.cc decides by: made here with the shape of
// scripts/world's (so that the benchmark runs without anything installed), or read from a folder
// that scripts/world made. Both go through the loader and the compiler of the router.
#pragma once

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/prefix_tables.h"
#include "bench/route_parts.h"
#include "core/base/assert.h"
#include "core/config/config.h"

namespace sy::bench {

struct DecisionSize {
    size_t prefixes;
    uint32_t customers, plans, rules, expressions;
};

// Files by name.
using Files = std::map<std::string, std::string>;

class MadeFiles {
  public:
    MadeFiles(const DecisionSize& size, uint64_t seed) : size_(size), prng_(seed) {
        const PrefixTable table = PrefixTableMaker(size.prefixes, seed).make();
        files_["networks.csv"] = networks_text(table);
        files_["mt.csv"] = mt_text();
        files_["switchyard.toml"] = root_text();
    }
    [[nodiscard]] Files take() { return std::move(files_); }

  private:
    static constexpr uint32_t supplier_count = 24;
    static constexpr size_t screened_countries = 24;

    struct Country {
        std::string code;
        std::vector<uint32_t> networks;
    };

    // Countries are what the maker gives up to three digits; their blocks follow them.
    std::string networks_text(const PrefixTable& table) {
        std::string text = "prefix,mccmnc\n";
        for (const route::PrefixRow& row : table.rows) {
            const std::string digits = digits_of(row);
            if (digits.size() <= 3) {
                countries_.push_back({digits, {}});
            }
            auto& networks = countries_.back().networks;
            if (std::ranges::find(networks, row.answer) == networks.end()) {
                networks.push_back(row.answer);
            }
            text += digits + "," + mccmnc(row.answer) + "\n";
        }
        return text;
    }
    static std::string mccmnc(uint32_t network) { return std::to_string(20'000 + network); }

    std::string mt_text() {
        std::string text =
            "plan,customer,prefix,network,sender,sender_type,text,data_coding,when,priority,"
            "action,targets,select\n";
        for (uint32_t i = 0; i < size_.expressions; ++i) {
            text += expression_row(i);
        }
        for (uint32_t i = 0; i < size_.plans; ++i) {
            text += plan(i) + ",,,,,,,,,,route," + targets() + ",\n";
        }
        for (uint32_t i = size_.expressions + size_.plans; i < size_.rules; ++i) {
            text += plan(i) + "," + conditions_row(i) + "\n";
        }
        return text;
    }
    std::string plan(uint32_t i) const { return "plan" + std::to_string(i % size_.plans); }

    // A fifth of them look at senders. Screened are the countries with most prefixes but the first.
    std::string expression_row(uint32_t i) {
        const size_t country = 2 * prng_.below(screened_countries) + 1;
        const std::string name = "brand" + std::to_string(i * 7919 % 100'003);
        const std::string cells =
            i % 5 == 4   ? "(?i)^" + name + ",,"
            : i % 4 == 0 ? ",,\"(?i)\\b" + name + "\\s+(code|otp|pin)\\s*(is|:)?\\s*[0-9]{4,8}\""
            : i % 4 == 1 ? ",,(?i)\\b(win|won|free|prize)\\s+" + name + "\\b"
            : i % 4 == 2 ? ",,(?i)\\b" + name + "\\b"
                         : ",,(?i)" + name + ".*\\b(bit\\.ly|t\\.me|wa\\.me)/[a-z0-9]+";
        return "*,," + countries_[country % countries_.size()].code + ",," + cells +
               ",,,10,reject:RX_P_APPN,,\n";
    }

    // Most traffic, and most rules, are of the largest countries.
    std::string conditions_row(uint32_t i) {
        const size_t rank =
            std::min(prng_.below(countries_.size()), prng_.below(countries_.size()));
        const Country& country = countries_[rank];
        const bool by_network = prng_.chance(1, 2);
        const std::string place =
            by_network ? "," + mccmnc(country.networks[prng_.below(country.networks.size())])
                       : country.code + std::to_string(prng_.below(1'000)) + ",";
        const uint64_t asks = prng_.below(100);
        constexpr const char* types[] = {"alpha", "short", "long"};
        std::string customer, sender, type, coding, when;
        if (asks < 12) {
            type = types[prng_.below(3)];
        } else if (asks < 20) {
            customer = customer_of_plan(i % size_.plans);
        } else if (asks < 25) {
            coding = "8";
        } else if (asks < 30) {
            when = prng_.chance(1, 2) ? "Mon-Fri 08:00-18:00 UTC" : "Sat Sun";
        } else if (asks < 33) {
            sender = "(?i)^brand" + std::to_string(prng_.below(500));
        }
        const char* priority = asks < 33 ? "1" : "10";
        const char* select = prng_.chance(1, 5) ? "order" : "";
        return customer + "," + place + "," + sender + "," + type + ",," + coding + "," + when +
               "," + priority + ",route," + targets() + "," + select;
    }
    std::string customer_of_plan(uint32_t plan) {
        const uint64_t of_plan = size_.customers / size_.plans;
        return "c" + std::to_string(plan + size_.plans * prng_.below(of_plan));
    }

    // One to three by weight, up to two behind them.
    std::string targets() {
        const uint64_t first = prng_.below(supplier_count);
        std::string text;
        const uint64_t count = 1 + prng_.below(3);
        const uint64_t behind = prng_.below(3);
        for (uint64_t i = 0; i < count + behind; ++i) {
            text += i == 0 ? "" : i == count ? " > " : " | ";
            text += "s" + std::to_string((first + 5 * i) % supplier_count) + ":" +
                    std::to_string(10 * (1 + prng_.below(9)));
        }
        return text;
    }

    std::string root_text() const {
        std::string text =
            "[routes]\nmt = \"mt.csv\"\nmo = \"\"\nerrors = \"\"\nnetworks = \"networks.csv\"\n";
        for (uint32_t i = 0; i < size_.customers; ++i) {
            const std::string name = "c" + std::to_string(i);
            text += "[[customer]]\nname = \"" + name + "\"\nsystem_id = \"" + name +
                    "\"\npassword = \"p\"\nplan = \"" + plan(i) + "\"\n";
        }
        for (uint32_t i = 0; i < supplier_count; ++i) {
            text += "[[supplier]]\nname = \"s" + std::to_string(i) +
                    "\"\nhost = \"127.0.0.1:2776\"\nsystem_id = \"sy\"\n";
        }
        return text;
    }

    DecisionSize size_;
    Prng prng_;
    std::vector<Country> countries_;
    Files files_;
};

inline Files read_files(const std::string& folder) {
    Files files;
    for (const char* name : {"switchyard.toml", "mt.csv", "networks.csv", "prices.csv"}) {
        std::ifstream file(folder + "/" + name, std::ios::binary);
        std::ostringstream text;
        if (!file || !(text << file.rdbuf())) {
            std::fprintf(stderr, "decision_bench: cannot read %s/%s\n", folder.c_str(), name);
            std::exit(1);
        }
        files[name] = text.str();
    }
    return files;
}

// What the files say, compiled, and their networks once more in a form that anybody can read.
struct DecisionTables {
    config::Registry registry;
    std::unique_ptr<route::Snapshot> snapshot;
    route::NetworkTables network_tables;
    std::vector<std::string> prefixes;  // of networks.csv
    std::unordered_map<std::string, NetworkId> networks;

    explicit DecisionTables(const Files& files) {
        const config::ReadFile read_file = [&](const std::string& path) -> Result<std::string> {
            const auto it = files.find(path);
            return it == files.end() ? Result<std::string>(fail("no such file")) : it->second;
        };
        std::vector<config::Diagnostic> diagnostics;
        const auto config = config::load("switchyard.toml", read_file, registry, diagnostics);
        if (config.has_value()) {
            snapshot = config::compile(*config, registry, nullptr, diagnostics);
        }
        if (snapshot == nullptr) {
            for (const config::Diagnostic& diagnostic : diagnostics) {
                std::fprintf(stderr, "%s\n", config::to_string(diagnostic).c_str());
            }
        }
        SY_ASSERT(snapshot != nullptr);
        network_tables = config->networks;
        read_prefixes(files.at("networks.csv"));
    }

  private:
    // Its first two columns are prefix and mccmnc, and the loader has nothing against it.
    void read_prefixes(const std::string& text) {
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            if (line.empty() || line[0] < '0' || line[0] > '9') {
                continue;
            }
            const size_t comma = line.find(',');
            const size_t end = std::min(line.find(',', comma + 1), line.size());
            prefixes.push_back(line.substr(0, comma));
            networks.emplace(prefixes.back(),
                             registry.network(line.substr(comma + 1, end - comma - 1)));
        }
    }
};

}  // namespace sy::bench
