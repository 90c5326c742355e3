#include "core/store/open.h"

#include <algorithm>
#include <array>
#include <string>

#include "core/store/codec.h"

namespace sy::store {
namespace {

constexpr std::string_view version_key = "version";

Result<void> check_version(Database& database) {
    Database::Entry entry;
    const auto found = database.seek(Family::meta, version_key, version_key, entry);
    if (!found) {
        return std::unexpected(found.error());
    }
    const std::string ours = std::to_string(database_version);
    // 1 had no messages, 2 none whose receipt decides: their families are made empty when it is
    // opened. 3 had no journal. 4 did not say which supplier a receipt came from, which is read
    // too. Nothing else differs.
    constexpr std::array<std::string_view, 4> older{"1", "2", "3", "4"};
    if (!*found || std::ranges::find(older, entry.value) != older.end()) {
        database.put(Family::meta, version_key, ours);
        return database.commit(true);
    }
    if (entry.value != ours) {
        return fail("it is of format " + entry.value + ", this program knows format " + ours +
                    "; start the program that wrote it, or name another folder in [store] path");
    }
    return {};
}

}  // namespace

Result<Found> open(Database& database, Spills& spills) {
    SY_TRY(check_version(database));
    Found out;
    SY_TRY(database.each(Family::receipts, [&](std::string_view key, std::string_view /*value*/) {
        std::string_view customer;
        uint64_t sequence = 0;
        if (parse_receipt_key(key, customer, sequence)) {
            spills.found(customer);
            ++out.receipts;
            out.next_sequence = std::max(out.next_sequence, sequence + 1);
        }
    }));
    return out;
}

}  // namespace sy::store
