// A vector whose room is taken once: for lists on the message path, where a std::vector that was
// reserved could still grow. Going past the capacity is a bug (SY_ASSERT), so the owner states why
// the capacity is enough. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

#include "core/base/assert.h"

namespace sy {

template <class T>
class FixedVector {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    explicit FixedVector(size_t capacity)
        : capacity_(capacity), items_(std::make_unique<T[]>(capacity)) {}

    void push_back(const T& item) { append() = item; }
    /// One more item, as an earlier one left it: to be written in place.
    [[nodiscard]] T& append() {
        SY_ASSERT(size_ < capacity_);
        return items_[size_++];
    }
    void pop_back() {
        SY_DCHECK(size_ > 0);
        --size_;
    }
    /// Fills the gap with the last item: order is not kept.
    void remove_at(size_t index) {
        SY_DCHECK(index < size_);
        items_[index] = items_[--size_];
    }
    void clear() { size_ = 0; }

    [[nodiscard]] size_t size() const { return size_; }
    [[nodiscard]] size_t capacity() const { return capacity_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] T& operator[](size_t index) { return items_[index]; }
    [[nodiscard]] const T& operator[](size_t index) const { return items_[index]; }
    [[nodiscard]] T& back() { return items_[size_ - 1]; }
    [[nodiscard]] T* begin() { return items_.get(); }
    [[nodiscard]] T* end() { return items_.get() + size_; }
    [[nodiscard]] const T* begin() const { return items_.get(); }
    [[nodiscard]] const T* end() const { return items_.get() + size_; }

  private:
    size_t capacity_;
    size_t size_ = 0;
    std::unique_ptr<T[]> items_;
};

}  // namespace sy
