// A block of memory for large read-only tables, on 2 MiB pages where it is large enough for
// them to pay (LIMITS: random reads beyond the TLB's reach gain 1.2 to 1.5 times). One owner;
// control plane allocates and frees, any thread reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace sy {

class HugeBlock {
  public:
    static constexpr size_t page_bytes = size_t{2} << 20;

    HugeBlock() = default;
    enum class Content : uint8_t {
        zeros,
        any,  // the owner writes it all: pages are taken as it does
    };
    /// Ends the process when there is no memory, as operator new without a handler does.
    explicit HugeBlock(size_t bytes, Content content = Content::zeros);
    ~HugeBlock();
    HugeBlock(HugeBlock&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    HugeBlock& operator=(HugeBlock&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }

    [[nodiscard]] void* data() const { return data_; }
    /// What was taken from the system: `bytes` rounded up.
    [[nodiscard]] size_t bytes() const { return bytes_; }

  private:
    void* data_ = nullptr;
    size_t bytes_ = 0;
};

}  // namespace sy
