// A large array of plain values, taken once: whole pages from the kernel, on huge pages where it
// offers them, so that random access to a hundred thousand connections does not pay for TLB misses
// too. Filled with zero octets. Failure to allocate ends the process: it happens at start only.
// Owned by whoever made it; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sys/mman.h>
#include <type_traits>
#include <utility>

#include "core/base/assert.h"

namespace sy::tcpip {

template <class T>
class PageArray {
    static_assert(std::is_trivially_destructible_v<T>);

  public:
    explicit PageArray(size_t count) : size_(count) {
        // Arrays of several huge pages end on one too; small ones don't waste 2 MiB each.
        const size_t unit = count * sizeof(T) >= huge_bytes ? huge_bytes : page_bytes;
        bytes_ = (count * sizeof(T) + unit - 1) / unit * unit;
        if (bytes_ == 0) {
            return;
        }
        SY_ASSERT(count <= SIZE_MAX / 2 / sizeof(T));
        // An address that is a multiple of `unit`: reserve more, give back the ends.
        const size_t slack = unit == page_bytes ? 0 : unit;
        void* mapped = mmap(nullptr, bytes_ + slack, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        SY_ASSERT(mapped != MAP_FAILED);
        auto* begin = static_cast<uint8_t*>(mapped);
        const size_t front =
            slack == 0 ? 0 : (unit - reinterpret_cast<uintptr_t>(begin) % unit) % unit;
        if (front != 0) {
            SY_ASSERT(munmap(begin, front) == 0);
        }
        if (slack != front) {
            SY_ASSERT(munmap(begin + front + bytes_, slack - front) == 0);
        }
        memory_ = begin + front;
        if (slack != 0) {
            // A wish: without huge pages everything works, slower.
            (void)madvise(memory_, bytes_, MADV_HUGEPAGE);
        }
        static_assert(std::is_trivially_default_constructible_v<T> ||
                      std::is_trivially_copyable_v<T>);
        items_ = reinterpret_cast<T*>(memory_);
    }
    ~PageArray() {
        if (memory_ != nullptr) {
            SY_ASSERT(munmap(memory_, bytes_) == 0);
        }
    }
    PageArray(const PageArray&) = delete;
    PageArray& operator=(const PageArray&) = delete;

    [[nodiscard]] T& operator[](size_t index) {
        SY_DCHECK(index < size_);
        return items_[index];
    }
    [[nodiscard]] const T& operator[](size_t index) const {
        SY_DCHECK(index < size_);
        return items_[index];
    }
    [[nodiscard]] T* data() { return items_; }
    [[nodiscard]] const T* data() const { return items_; }
    [[nodiscard]] size_t size() const { return size_; }
    /// Octets of address space; touched pages count as memory.
    [[nodiscard]] size_t memory_bytes() const { return bytes_; }

  private:
    static constexpr size_t page_bytes = 4096;
    static constexpr size_t huge_bytes = size_t{2} << 20;

    size_t size_;
    size_t bytes_ = 0;
    uint8_t* memory_ = nullptr;
    T* items_ = nullptr;
};

}  // namespace sy::tcpip
