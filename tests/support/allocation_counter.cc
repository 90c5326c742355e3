#include "tests/support/allocation_counter.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include "core/base/assert.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SY_SANITIZER_ALLOCATES
#endif
#endif
#if defined(SY_SANITIZER_ALLOCATES)
#include <sanitizer/allocator_interface.h>
#endif

namespace {

// Relaxed: start() and stop() stand outside of what is counted.
std::atomic<bool> counting{false};
std::atomic<uint64_t> allocations{0};

void count() {
    if (counting.load(std::memory_order_relaxed)) {
        allocations.fetch_add(1, std::memory_order_relaxed);
    }
}

}  // namespace

#if defined(SY_SANITIZER_ALLOCATES)

// A sanitizer of clang has an operator new of its own and tells of every allocation, malloc() too.
namespace {

const int hooks_installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, size_t) { count(); }, [](const volatile void*) {});

}  // namespace

#else

namespace {

void* counted(void* memory) {
    count();
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

void* allocate(size_t bytes) {
    return counted(std::malloc(bytes == 0 ? 1 : bytes));
}

void* allocate(size_t bytes, std::align_val_t alignment) {
    const auto align = static_cast<size_t>(alignment);
    const size_t whole = (bytes + align - 1) / align * align;  // as aligned_alloc() wants it
    return counted(std::aligned_alloc(align, whole == 0 ? align : whole));
}

}  // namespace

void* operator new(size_t bytes) {
    return allocate(bytes);
}
void* operator new[](size_t bytes) {
    return allocate(bytes);
}
void* operator new(size_t bytes, std::align_val_t alignment) {
    return allocate(bytes, alignment);
}
void* operator new[](size_t bytes, std::align_val_t alignment) {
    return allocate(bytes, alignment);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
    std::free(memory);
}

#endif

namespace sy::test {

void AllocationCounter::start() {
#if defined(SY_SANITIZER_ALLOCATES)
    SY_ASSERT(hooks_installed != 0);
#endif
    allocations.store(0, std::memory_order_relaxed);
    counting.store(true, std::memory_order_relaxed);
}

uint64_t AllocationCounter::stop() {
    counting.store(false, std::memory_order_relaxed);
    return allocations.load(std::memory_order_relaxed);
}

}  // namespace sy::test
