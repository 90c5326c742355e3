#include "core/base/release.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace sy {
namespace {

constexpr size_t page = 4096;

// Memory of the kernel's own giving, as large containers have it, from the start of a page on.
struct Pages {
    std::vector<uint8_t> memory = std::vector<uint8_t>(512 * page, 7);
    std::span<uint8_t> octets = std::span(memory).subspan(
        (page - reinterpret_cast<uintptr_t>(memory.data()) % page) % page, 500 * page);
};

bool all_are(std::span<const uint8_t> octets, uint8_t value) {
    return std::ranges::all_of(octets, [&](uint8_t octet) { return octet == value; });
}

TEST(ReturnPages, WholePagesGoAndNothingBesides) {
    Pages pages;
    return_pages(pages.octets.data() + 100, 10 * page);
    EXPECT_TRUE(all_are(pages.octets.first(page), 7));
    EXPECT_TRUE(all_are(pages.octets.subspan(page, 9 * page), 0));
    EXPECT_TRUE(all_are(pages.octets.subspan(10 * page), 7));
}

TEST(ReturnPages, LessThanAPageStays) {
    Pages pages;
    return_pages(pages.octets.data() + 1, page);
    return_pages(pages.octets.data() + page, page - 1);
    return_pages(pages.octets.data(), 0);
    EXPECT_TRUE(all_are(pages.octets, 7));
}

TEST(ReturnPages, NeighboursTakeNoneOfEachOther) {
    Pages pages;
    return_pages(pages.octets.data(), 3 * page / 2);
    EXPECT_TRUE(all_are(pages.octets.first(page), 0));
    EXPECT_TRUE(all_are(pages.octets.subspan(page), 7));
}

}  // namespace
}  // namespace sy
