#include "bench/smppload/id_table.h"

#include <string>
#include <unordered_map>

#include <gtest/gtest.h>

namespace sy::load {
namespace {

TEST(IdTable, LikeAMapOnRandomInput) {
    Prng prng(6);
    IdTable table;
    std::unordered_map<uint64_t, uint32_t> model;
    for (int step = 0; step < 200'000; ++step) {
        // Few different low bits: long probe chains, deletions in their middle.
        const uint64_t hash = (prng.below(60) << 40 | prng.below(64)) + 1;
        IdTable::Entry* found = table.find(hash);
        const auto known = model.find(hash);
        ASSERT_EQ(found != nullptr, known != model.end()) << step;
        if (found == nullptr) {
            const auto value = static_cast<uint32_t>(prng());
            table.insert({hash, value, 0, false});
            model.emplace(hash, value);
        } else {
            ASSERT_EQ(found->value, known->second);
            if (prng.chance(1, 2)) {
                table.erase(found);
                model.erase(known);
            }
        }
        ASSERT_EQ(table.size(), model.size());
    }
}

TEST(IdTable, HashTellsIdsApartThatShareAPrefixOrPadding) {
    const std::string nul("1234\0", 5);
    EXPECT_NE(hash_id("1234"), hash_id("01234"));
    EXPECT_NE(hash_id("1234"), hash_id(nul));
    EXPECT_NE(hash_id("12345678"), hash_id("1234567812345678"));
    EXPECT_NE(hash_id(""), 0u);
}

}  // namespace
}  // namespace sy::load
