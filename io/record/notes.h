// What the record thread and librdkafka's threads have to tell people: lines for the log, taken by
// the control thread. Any thread; bounded, what is beyond is dropped (it is counted elsewhere).
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sy::record {

class Notes {
  public:
    void add(std::string line) {
        const std::lock_guard lock(mutex_);
        if (lines_.size() < lines_max) {
            lines_.push_back(std::move(line));
        }
    }
    [[nodiscard]] std::vector<std::string> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(lines_, {});
    }

  private:
    static constexpr size_t lines_max = 100;

    std::mutex mutex_;
    std::vector<std::string> lines_;
};

}  // namespace sy::record
