// Every script below tests/packet/scripts as a test: one a file and family, all combinations of its
// matrix inside it.
//
//   packet_test [gtest options]              runs the scripts
//   packet_test --trace FILE.pkt [--pcap F]  runs one and prints the conversation; exit status 1
//                                            when it fails. Includes are looked up in the script's
//                                            folder's parent, then in its own folder.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>

#include <gtest/gtest.h>

#include "tests/packet/runner.h"
#include "tests/packet/stack_under_test.h"

namespace sy::test {
namespace {

namespace fs = std::filesystem;

/// Includes stand in the folder of all scripts, scripts in a group's folder below it.
ScriptLoader loader_below(const std::string& folder) {
    return [folder](const std::string& name) {
        Result<std::string> text = folder_loader(folder)(name);
        return text ? text : folder_loader(folder + "/common")(name);
    };
}

/// One family of one file.
class ScriptTest : public ::testing::Test {
  public:
    explicit ScriptTest(std::vector<Script> scripts) : scripts_(std::move(scripts)) {}

    void TestBody() override {
        for (const Script& script : scripts_) {
            const RunResult result = run_script(script, make_stack);
            EXPECT_TRUE(result.passed) << result.message;
        }
    }

  private:
    std::vector<Script> scripts_;
};

/// A script that does not parse.
class BrokenScript : public ::testing::Test {
  public:
    explicit BrokenScript(std::string error) : error_(std::move(error)) {}
    void TestBody() override { FAIL() << error_; }

  private:
    std::string error_;
};

void register_scripts(const std::string& folder) {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.path().extension() == ".pkt") {
            files.push_back(fs::relative(entry.path(), folder).string());
        }
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
        const std::string suite = fs::path(file).parent_path().string();
        const std::string name = fs::path(file).stem().string();
        auto scripts = parse_scripts(file, loader_below(folder));
        if (!scripts) {
            ::testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, __FILE__,
                                    __LINE__, [error = scripts.error().text]() -> ::testing::Test* {
                                        return new BrokenScript(error);
                                    });
            continue;
        }
        for (const bool ipv6 : {false, true}) {
            std::vector<Script> chosen;
            std::copy_if(scripts->begin(), scripts->end(), std::back_inserter(chosen),
                         [&](const Script& script) { return script.ipv6 == ipv6; });
            if (!chosen.empty()) {
                ::testing::RegisterTest(
                    suite.c_str(), (name + (ipv6 ? "_ipv6" : "_ipv4")).c_str(), nullptr, nullptr,
                    __FILE__, __LINE__,
                    [chosen]() -> ::testing::Test* { return new ScriptTest(chosen); });
            }
        }
    }
}

int trace_one(const fs::path& path, const std::string& pcap_path) {
    const fs::path absolute = fs::absolute(path);
    const fs::path folder = absolute.parent_path().parent_path();
    const auto scripts =
        parse_scripts(fs::relative(absolute, folder).string(), loader_below(folder.string()));
    if (!scripts) {
        std::cerr << scripts.error().text << "\n";
        return 1;
    }
    sim::PcapWriter pcap;
    if (!pcap_path.empty()) {
        if (const auto opened = pcap.open(pcap_path); !opened) {
            std::cerr << "error: " << opened.error().text << "\n";
            return 1;
        }
    }
    bool passed = true;
    for (const Script& script : *scripts) {
        std::cout << "# " << script.name << (script.ipv6 ? " ipv6 " : " ipv4 ")
                  << script.combination << std::endl;
        RunOptions options;
        options.trace = stdout;
        options.pcap = pcap_path.empty() ? nullptr : &pcap;
        const RunResult result = run_script(script, make_stack, options);
        passed = passed && result.passed;
        std::cout << (result.passed ? "passed" : result.message) << std::endl;
    }
    if (const auto closed = pcap.close(); !closed) {
        std::cerr << "error: " << closed.error().text << "\n";
        return 1;
    }
    return passed ? 0 : 1;
}

}  // namespace
}  // namespace sy::test

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() >= 2 && arguments[0] == "--trace") {
        const bool capture = arguments.size() == 4 && arguments[2] == "--pcap";
        return sy::test::trace_one(arguments[1], capture ? arguments[3] : "");
    }
    ::testing::InitGoogleTest(&argc, argv);
    sy::test::register_scripts(SY_SCRIPTS_DIR);
    return RUN_ALL_TESTS();
}
