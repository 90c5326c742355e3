#include "core/engine/record.h"

#include <cstring>
#include <type_traits>

#include "core/base/assert.h"

namespace sy::engine {
namespace {

static_assert(std::is_trivially_copyable_v<RecordHead>);
static_assert(std::is_trivially_copyable_v<Attempt>);

// In front of its id, which is as long as it is.
constexpr size_t attempt_head_bytes = offsetof(Attempt, id);

size_t encoded_bytes(const Attempt& attempt) {
    return attempt_head_bytes + attempt.id_octets;
}

class Reader {
  public:
    explicit Reader(Octets in) : rest_(in) {}

    bool copy(void* to, size_t bytes) {
        if (bytes > rest_.size()) {
            return false;
        }
        std::memcpy(to, rest_.data(), bytes);
        rest_ = rest_.subspan(bytes);
        return true;
    }
    bool view(size_t bytes, Octets& out) {
        if (bytes > rest_.size()) {
            return false;
        }
        out = rest_.first(bytes);
        rest_ = rest_.subspan(bytes);
        return true;
    }
    [[nodiscard]] bool done() const { return rest_.empty(); }

  private:
    Octets rest_;
};

// Octets of another kind of value, each of which may hold a few of the 256 only.
bool in_range(const uint8_t* octet, uint8_t limit) {
    return *octet < limit;
}

// Looked at as octets, before they are read as what they should be.
bool is_head(Octets octets) {
    const auto field = [&](size_t offset, uint8_t limit) {
        return in_range(octets.data() + offset, limit);
    };
    bool good = field(offsetof(RecordHead, kind), record_kinds) &&
                field(offsetof(RecordHead, end), record_ends) &&
                field(offsetof(RecordHead, id_form), 3) &&
                field(offsetof(RecordHead, alphabet), 3) &&
                field(offsetof(RecordHead, target_count), limits::targets_max + 1) &&
                field(offsetof(RecordHead, attempt_count), AttemptLog::attempts_max + 1);
    for (size_t flag = offsetof(RecordHead, has_sent); flag <= offsetof(RecordHead, intermediate);
         ++flag) {
        good = good && field(flag, 2);
    }
    return good;
}

bool read_attempt(Reader& in, Attempt& out) {
    std::array<uint8_t, attempt_head_bytes> head;
    if (!in.copy(head.data(), head.size()) ||
        !in_range(&head[offsetof(Attempt, outcome)], static_cast<uint8_t>(Outcome::unstored) + 1) ||
        !in_range(&head[offsetof(Attempt, id_octets)], limits::message_id_octets_max + 1)) {
        return false;
    }
    std::memcpy(static_cast<void*>(&out), head.data(), head.size());
    return in.copy(out.id.data(), out.id_octets);
}

}  // namespace

size_t encoded_record_bytes(const Record& record) {
    size_t bytes = sizeof(RecordHead) + record.targets.size_bytes();
    for (const Attempt& attempt : record.attempts) {
        bytes += encoded_bytes(attempt);
    }
    for (const Octets part : record.part_octets) {
        bytes += part.size();
    }
    return bytes;
}

void encode_record(const Record& record, std::span<uint8_t> out) {
    SY_DCHECK(out.size() == encoded_record_bytes(record));
    SY_DCHECK(record.targets.size() <= limits::targets_max);
    SY_DCHECK(record.attempts.size() <= AttemptLog::attempts_max);
    RecordHead head = record;
    head.target_count = static_cast<uint8_t>(record.targets.size());
    head.attempt_count = static_cast<uint8_t>(record.attempts.size());
    for (size_t i = 0; i < record_parts; ++i) {
        head.part_bytes[i] = static_cast<uint32_t>(record.part_octets[i].size());
    }
    uint8_t* to = out.data();
    const auto put = [&](const void* from, size_t bytes) {
        if (bytes > 0) {
            std::memcpy(to, from, bytes);
            to += bytes;
        }
    };
    put(&head, sizeof head);
    put(record.targets.data(), record.targets.size_bytes());
    for (const Attempt& attempt : record.attempts) {
        put(&attempt, encoded_bytes(attempt));
    }
    for (const Octets part : record.part_octets) {
        put(part.data(), part.size());
    }
}

bool decode_record(Octets in, RecordStorage& storage, Record& out) {
    if (in.size() < sizeof(RecordHead) || !is_head(in)) {
        return false;
    }
    Reader reader(in);
    RecordHead head;
    (void)reader.copy(static_cast<void*>(&head), sizeof head);
    static_cast<RecordHead&>(out) = head;
    if (!reader.copy(storage.targets.data(), head.target_count * sizeof(uint16_t))) {
        return false;
    }
    for (uint8_t i = 0; i < head.attempt_count; ++i) {
        if (!read_attempt(reader, storage.attempts[i])) {
            return false;
        }
    }
    out.targets = {storage.targets.data(), head.target_count};
    out.attempts = {storage.attempts.data(), head.attempt_count};
    for (size_t i = 0; i < record_parts; ++i) {
        if (!reader.view(head.part_bytes[i], out.part_octets[i])) {
            return false;
        }
    }
    return reader.done();
}

}  // namespace sy::engine
