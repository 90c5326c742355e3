// A key of the layers of late changes, where its row stands: that of a way back, of a message or of
// a turn is compared without another cache line. Of longer ones, which hold names, the octets stand
// elsewhere. Neither copied nor moved: rows do not move.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <string_view>

namespace sy::store {

class RecentKey {
  public:
    static constexpr size_t here_max = 31;

    RecentKey(std::string_view octets, std::pmr::memory_resource& memory) {
        if (octets.size() <= here_max) {
            size_ = static_cast<uint8_t>(octets.size());
            octets.copy(here_.data(), octets.size());
            return;
        }
        size_ = is_elsewhere;
        auto* copy = static_cast<char*>(memory.allocate(octets.size(), 1));
        octets.copy(copy, octets.size());
        const Elsewhere at{copy, octets.size(), &memory};
        std::memcpy(here_.data(), &at, sizeof at);
    }
    ~RecentKey() {
        if (size_ == is_elsewhere) {
            const Elsewhere at = elsewhere();
            at.memory->deallocate(at.octets, at.size, 1);
        }
    }
    RecentKey(const RecentKey&) = delete;
    RecentKey& operator=(const RecentKey&) = delete;

    [[nodiscard]] std::string_view view() const {
        if (size_ == is_elsewhere) [[unlikely]] {
            const Elsewhere at = elsewhere();
            return {at.octets, at.size};
        }
        return {here_.data(), size_};
    }

    /// For a map that is searched by std::string_view.
    struct Less {
        using is_transparent = void;
        bool operator()(const RecentKey& a, const RecentKey& b) const {
            return a.view() < b.view();
        }
        bool operator()(const RecentKey& a, std::string_view b) const { return a.view() < b; }
        bool operator()(std::string_view a, const RecentKey& b) const { return a < b.view(); }
    };

  private:
    struct Elsewhere {
        char* octets;
        size_t size;
        std::pmr::memory_resource* memory;
    };
    static constexpr uint8_t is_elsewhere = 0xFF;

    [[nodiscard]] Elsewhere elsewhere() const {
        Elsewhere out;
        std::memcpy(&out, here_.data(), sizeof out);
        return out;
    }

    std::array<char, here_max> here_;
    uint8_t size_;
};
static_assert(sizeof(RecentKey) == 32);

}  // namespace sy::store
