// A journal as it may stand on disk: any octets as a file of frames, and as the changes of one
// frame. What is accepted must be written again as it was read.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/bytes.h"
#include "core/store/journal.h"

namespace {

void check(bool holds) {
    if (!holds) {
        std::abort();
    }
}

constexpr uint64_t number = 1;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace sy;
    using namespace sy::store;
    const std::string_view input = as_chars({data, size});

    size_t seen = 0;
    const size_t whole = read_journal(input, number, [&](const Change&) { ++seen; }).whole_octets;
    check(whole <= size && (seen == 0 || whole > 0));
    size_t again = 0;
    const auto second =
        read_journal(input.substr(0, whole), number, [&](const Change&) { ++again; });
    check(second.whole_octets == whole && !second.is_foreign);
    check(again == seen);

    JournalBatch batch;
    if (read_changes(input, [&](const Change& change) { batch.add(change); })) {
        const std::string_view frame = batch.seal(number);
        JournalBatch copy;
        const auto read = read_journal(frame, number, [&](const Change& c) { copy.add(c); });
        check(read.whole_octets == frame.size() && copy.seal(number) == frame &&
              frame.ends_with(input));
    }
    return 0;
}
