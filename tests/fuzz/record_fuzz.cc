// What a worker hands to the record thread. The first octet says how the rest is taken: as a record
// as it is; as the values of one, which must come back; or as those and octets to overwrite in it,
// so that the search does not depend on how a record is laid out. Whatever is accepted must be
// written again as it was read, and makes one well-formed line of each format.
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/engine/record.h"
#include "io/record/csv.h"
#include "io/record/json.h"

namespace {

using namespace sy;
using namespace sy::engine;

void check(bool holds) {
    if (!holds) {
        std::abort();
    }
}

// Values out of the input; behind its end they are zero.
class Input {
  public:
    explicit Input(Octets in) : rest_(in) {}

    template <std::unsigned_integral T>
    T number() {
        T value = 0;
        for (size_t i = 0; i < sizeof(T) && !rest_.empty(); ++i) {
            value = static_cast<T>((uint64_t{value} << 8) | rest_[0]);
            rest_ = rest_.subspan(1);
        }
        return value;
    }
    uint8_t below(uint8_t limit) { return static_cast<uint8_t>(number<uint8_t>() % limit); }
    Octets octets(size_t limit) {
        const size_t count = std::min<size_t>(number<uint8_t>() % limit, rest_.size());
        const Octets taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }
    [[nodiscard]] Octets rest() const { return rest_; }

  private:
    Octets rest_;
};

const record::Names& names() {
    static const record::Names some{{"acme", "a \"quoted\", one"}, {"alpha", "beta"}, {"26201"}};
    return some;
}

void take_flags(Input& in, Record& out) {
    const auto bits = in.number<uint16_t>();
    out.has_sent = (bits & 1) != 0;
    out.has_price = (bits & 2) != 0;
    out.per_delivery = (bits & 4) != 0;
    out.resent = (bits & 8) != 0;
    out.is_reply = (bits & 16) != 0;
    out.is_data_sm = (bits & 32) != 0;
    out.is_multi = (bits & 64) != 0;
    out.intermediate = (bits & 128) != 0;
}

void take_head(Input& in, Record& out) {
    out.kind = static_cast<RecordKind>(in.below(record_kinds));
    out.end = static_cast<RecordEnd>(in.below(record_ends));
    out.id_form = static_cast<IdForm>(in.below(3));
    out.alphabet = static_cast<text::Alphabet>(in.below(3));
    take_flags(in, out);
    out.id = in.number<uint64_t>();
    out.accepted_ns = in.number<uint64_t>();
    out.finished_ns = in.number<uint64_t>();
    out.finished_wall_ns = in.number<uint64_t>();
    out.submitted_wall_ns = in.number<uint64_t>();
    out.price_nanos = static_cast<int64_t>(in.number<uint64_t>());
    out.status = static_cast<smpp::CommandStatus>(in.number<uint32_t>());
    out.customer = CustomerId{in.number<uint16_t>()};
    out.supplier = SupplierId{in.number<uint16_t>()};
    out.network = NetworkId{in.number<uint16_t>()};
    out.data_coding = in.number<uint8_t>();
    out.part_total = in.number<uint8_t>();
    out.receipt_state = in.number<uint8_t>();
    out.currency.fill(static_cast<char>(in.number<uint8_t>()));
}

std::vector<uint8_t> written(const Record& record) {
    std::vector<uint8_t> octets(encoded_record_bytes(record));
    encode_record(record, octets);
    return octets;
}

std::vector<uint8_t> made_of(Input& in, RecordStorage& storage) {
    Record record;
    take_head(in, record);
    const uint8_t targets = in.below(limits::targets_max + 1);
    for (uint8_t i = 0; i < targets; ++i) {
        storage.targets[i] = in.number<uint16_t>();
    }
    record.targets = {storage.targets.data(), targets};
    const uint8_t attempts = in.below(AttemptLog::attempts_max + 1);
    for (uint8_t i = 0; i < attempts; ++i) {
        Attempt& attempt = storage.attempts[i];
        attempt.sent_ns = in.number<uint64_t>();
        attempt.settled_ns = in.number<uint64_t>();
        attempt.status = static_cast<smpp::CommandStatus>(in.number<uint32_t>());
        attempt.party = in.number<uint16_t>();
        attempt.outcome =
            static_cast<Outcome>(in.below(static_cast<uint8_t>(Outcome::unstored) + 1));
        attempt.set_id(as_chars(in.octets(limits::message_id_octets_max + 1)));
    }
    record.attempts = {storage.attempts.data(), attempts};
    for (size_t i = 0; i < record_parts; ++i) {
        record.set(static_cast<RecordPart>(i), in.octets(256));
    }
    return written(record);
}

// Pairs of a place and what to put there; what is left over is not looked at.
void damage(Octets how, std::vector<uint8_t>& octets) {
    for (; how.size() >= 3; how = how.subspan(3)) {
        octets[load_be<uint16_t>(how.data()) % octets.size()] = how[2];
    }
}

// RFC 4180: as many cells as the header has, quotes in pairs, a line end at the end alone.
void check_row(const std::string& row) {
    bool quoted = false;
    ptrdiff_t commas = 0;
    for (size_t i = 0; i < row.size(); ++i) {
        quoted = quoted != (row[i] == '"');
        commas += !quoted && row[i] == ',' ? 1 : 0;
        check(quoted || row[i] != '\n' || i + 1 == row.size());
    }
    check(!quoted && row.ends_with('\n'));
    check(commas == std::ranges::count(record::csv_header(), ','));
}

void check_json(const std::string& line) {
    check(std::ranges::count(line, '\n') == 1 && line.ends_with('\n'));
    check(nlohmann::json::accept(line));
}

bool check_record(Octets octets) {
    Record record;
    RecordStorage storage;
    if (!decode_record(octets, storage, record)) {
        return false;
    }
    const std::vector<uint8_t> octets_again = written(record);
    check(octets_again.size() == octets.size());
    Record again;
    RecordStorage storage_again;
    check(decode_record(octets_again, storage_again, again));
    std::string line, line_again, row, row_again;
    record::put_json(line, record, names());
    record::put_json(line_again, again, names());
    record::put_csv(row, record, names());
    record::put_csv(row_again, again, names());
    check(line == line_again && row == row_again);
    check_json(line);
    check_row(row);
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Input in({data, size});
    const uint8_t how = in.below(3);
    if (how == 0) {
        // A copy: its views are of aligned and exactly bounded octets, as in the ring.
        const Octets rest = in.rest();
        const std::vector<uint8_t> octets(rest.begin(), rest.end());
        (void)check_record(octets);
        return 0;
    }
    RecordStorage storage;
    std::vector<uint8_t> octets = made_of(in, storage);
    check(check_record(octets));
    if (how == 2) {
        damage(in.rest(), octets);
        (void)check_record(octets);
    }
    return 0;
}
