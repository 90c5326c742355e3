#include <set>

#include <gtest/gtest.h>

#include "io/tcpip/object_pool.h"
#include "io/tcpip/page_array.h"

namespace sy::tcpip {
namespace {

struct Thing {
    [[nodiscard]] bool empty() const { return value == 0; }
    int value = 0;
};

TEST(ObjectPool, GivesEachObjectOnceAndSaysWhenThereIsNone) {
    ObjectPool<Thing> pool(3);
    std::set<uint32_t> seen;
    for (int i = 0; i < 3; ++i) {
        seen.insert(pool.acquire());
    }
    EXPECT_EQ(seen, (std::set<uint32_t>{0, 1, 2}));
    EXPECT_EQ(pool.available(), 0U);
    EXPECT_EQ(pool.acquire(), ObjectPool<Thing>::none);
    pool.release(1);
    EXPECT_EQ(pool.available(), 1U);
    EXPECT_EQ(pool.acquire(), 1U);
    EXPECT_EQ(pool.capacity(), 3U);
}

TEST(PageArray, IsZeroAndWritableToItsEndWhateverItsSize) {
    constexpr size_t huge = size_t{2} << 20;
    for (const size_t bytes : {size_t{1}, size_t{4096}, size_t{4097}, huge - 1, huge, huge + 1,
                               2 * huge, 2 * huge + 5}) {
        PageArray<uint8_t> array(bytes);
        EXPECT_EQ(array.size(), bytes);
        EXPECT_GE(array.memory_bytes(), bytes);
        EXPECT_EQ(array[0], 0);
        EXPECT_EQ(array[bytes - 1], 0);
        array[0] = 1;
        array[bytes - 1] = 2;
        EXPECT_EQ(array.data()[bytes - 1], 2);
        if (bytes >= huge) {
            EXPECT_EQ(reinterpret_cast<uintptr_t>(array.data()) % huge, 0U);
        }
    }
    const PageArray<uint8_t> none(0);
    EXPECT_EQ(none.memory_bytes(), 0U);
}

}  // namespace
}  // namespace sy::tcpip
