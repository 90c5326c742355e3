// A zeroed array whose pages are taken only as they are touched, so that it may be sized for the
// largest run. One owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sys/mman.h>

#include "core/base/assert.h"

namespace sy::load {

template <class T>
class ReservedArray {
  public:
    explicit ReservedArray(size_t size) : size_(size) {
        void* memory = mmap(nullptr, size * sizeof(T), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        SY_ASSERT(memory != MAP_FAILED);
        items_ = static_cast<T*>(memory);
    }
    ~ReservedArray() { munmap(items_, size_ * sizeof(T)); }
    ReservedArray(const ReservedArray&) = delete;
    ReservedArray& operator=(const ReservedArray&) = delete;

    [[nodiscard]] T& operator[](size_t index) { return items_[index]; }
    [[nodiscard]] const T& operator[](size_t index) const { return items_[index]; }
    [[nodiscard]] size_t size() const { return size_; }

  private:
    T* items_ = nullptr;
    size_t size_;
};

}  // namespace sy::load
