// A fixed array in a HugeBlock: for large tables that are read at random places, where 4 KiB pages
// would cost a TLB miss each. Filled by its constructor, then immutable.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

#include "core/base/huge_block.h"

namespace sy {

template <class T>
class HugeArray {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

  public:
    HugeArray() = default;
    explicit HugeArray(std::span<const T> content)
        : block_(content.size_bytes()), size_(content.size()) {
        std::uninitialized_copy(content.begin(), content.end(), static_cast<T*>(block_.data()));
    }

    [[nodiscard]] const T& operator[](size_t index) const { return data()[index]; }
    [[nodiscard]] const T* data() const { return static_cast<const T*>(block_.data()); }
    [[nodiscard]] size_t size() const { return size_; }
    [[nodiscard]] size_t bytes() const { return block_.bytes(); }
    [[nodiscard]] std::span<const T> span() const { return {data(), size_}; }

  private:
    HugeBlock block_;
    size_t size_ = 0;
};

}  // namespace sy
