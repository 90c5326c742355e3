// A bounded pool of objects that few connections need at a time (reassembly, SACK scoreboards): an
// idle connection pays four octets, the index. Everything is constructed at start and stays; what
// an object holds (chunks) is given back by its user before release(). One thread.
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/assert.h"

namespace sy::tcpip {

template <class T>
class ObjectPool {
  public:
    static constexpr uint32_t none = 0xFFFFFFFF;

    explicit ObjectPool(uint32_t objects)
        : capacity_(objects),
          available_(objects),
          objects_(std::make_unique<T[]>(objects)),
          free_(std::make_unique<uint32_t[]>(objects)) {
        for (uint32_t i = 0; i < objects; ++i) {
            free_[i] = objects - 1 - i;
        }
    }

    /// Index of an object that is empty(), or none when all are in use.
    [[nodiscard]] uint32_t acquire() { return available_ == 0 ? none : free_[--available_]; }
    /// REQUIRES: the index is of acquire(), once, and its object is empty().
    void release(uint32_t index) {
        SY_DCHECK(index < capacity_ && available_ < capacity_);
        SY_DCHECK(objects_[index].empty());
        free_[available_++] = index;
    }

    [[nodiscard]] T& operator[](uint32_t index) {
        SY_DCHECK(index < capacity_);
        return objects_[index];
    }
    [[nodiscard]] const T& operator[](uint32_t index) const {
        SY_DCHECK(index < capacity_);
        return objects_[index];
    }
    [[nodiscard]] uint32_t capacity() const { return capacity_; }
    [[nodiscard]] uint32_t available() const { return available_; }

  private:
    uint32_t capacity_;
    uint32_t available_;
    std::unique_ptr<T[]> objects_;
    std::unique_ptr<uint32_t[]> free_;
};

}  // namespace sy::tcpip
