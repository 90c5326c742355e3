// The peers of Hyperscan behind one face: RE2::Set, and PCRE2-JIT expression by expression.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <re2/set.h>

#include "core/base/assert.h"

namespace sy::match {

// An engine over one set: how many expressions match a text.
class Engine {
  public:
    Engine() = default;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    virtual ~Engine() = default;
    virtual uint64_t matches(const std::string& text) = 0;
    [[nodiscard]] virtual size_t bytes() const { return 0; }
    double compile_seconds = 0;
};

class Re2Set : public Engine {
  public:
    explicit Re2Set(const std::vector<std::string>& of) : set_(options(), RE2::UNANCHORED) {
        for (const std::string& expression : of) {
            SY_ASSERT(set_.Add(expression, nullptr) >= 0);
        }
        SY_ASSERT(set_.Compile());
    }
    uint64_t matches(const std::string& text) override {
        found_.clear();
        (void)set_.Match(text, &found_);
        return found_.size();
    }

  private:
    static RE2::Options options() {
        RE2::Options options;
        options.set_max_mem(int64_t{1} << 30);
        return options;
    }
    RE2::Set set_;
    std::vector<int> found_;
};

class PcreJit : public Engine {
  public:
    explicit PcreJit(const std::vector<std::string>& of) {
        for (const std::string& expression : of) {
            int error = 0;
            size_t offset = 0;
            pcre2_code* code =
                pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                              PCRE2_UTF | PCRE2_NO_UTF_CHECK, &error, &offset, nullptr);
            SY_ASSERT(code != nullptr && pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0);
            codes_.push_back(code);
        }
        data_ = pcre2_match_data_create(1, nullptr);
    }
    ~PcreJit() override {
        pcre2_match_data_free(data_);
        for (pcre2_code* code : codes_) {
            pcre2_code_free(code);
        }
    }
    uint64_t matches(const std::string& text) override {
        uint64_t count = 0;
        for (size_t i = 0; i < codes_.size(); ++i) {
            count += matches_one(i, text) ? 1u : 0u;
        }
        return count;
    }
    bool matches_one(size_t expression, std::string_view text) {
        return pcre2_jit_match(codes_[expression], reinterpret_cast<PCRE2_SPTR>(text.data()),
                               text.size(), 0, 0, data_, nullptr) >= 0;
    }

  private:
    std::vector<pcre2_code*> codes_;
    pcre2_match_data* data_ = nullptr;
};

}  // namespace sy::match
