#include "core/store/journal.h"

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/store/fields.h"

namespace sy::store {
namespace {

// Checksum of what follows it, number of the journal, octets of the changes.
constexpr size_t number_at = sizeof(uint64_t);
constexpr size_t octets_at = number_at + sizeof(uint64_t);
constexpr size_t head_octets = octets_at + sizeof(uint32_t);

// Each step is one to one, so that a change of one octet always shows.
uint64_t checksum(std::string_view octets) {
    constexpr uint64_t odd = 0x9fb21c651e98df25u;
    uint64_t sum = octets.size() * odd;
    const uint8_t* at = as_octets(octets).data();
    size_t left = octets.size();
    const auto step = [&](uint64_t word) {
        sum = (sum ^ word) * odd;
        sum ^= sum >> 32;
    };
    for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), at += sizeof(uint64_t)) {
        step(load_be<uint64_t>(at));
    }
    for (; left > 0; --left, ++at) {
        step(*at);
    }
    return sum;
}

template <std::unsigned_integral T>
void append_integer(std::string& to, T value) {
    std::array<uint8_t, sizeof value> octets;
    store_be(octets.data(), value);
    to.append(as_chars(octets));
}

}  // namespace

void JournalBatch::add(const Change& change) {
    SY_ASSERT(change.key.size() <= UINT16_MAX);
    octets_.push_back(static_cast<char>(change.kind));
    octets_.push_back(static_cast<char>(change.family));
    append_integer(octets_, static_cast<uint16_t>(change.key.size()));
    append_integer(octets_, static_cast<uint32_t>(change.value.size()));
    octets_.append(change.key);
    octets_.append(change.value);
    ++count_;
}

std::string_view JournalBatch::seal(uint64_t journal) {
    const size_t octets = octets_.size() - head_octets;
    SY_ASSERT(octets <= UINT32_MAX);
    auto* head = reinterpret_cast<uint8_t*>(octets_.data());
    store_be(head + number_at, journal);
    store_be(head + octets_at, static_cast<uint32_t>(octets));
    store_be(head, checksum(std::string_view(octets_).substr(number_at)));
    return octets_;
}

void JournalBatch::each(const SeeChange& see) const {
    const bool whole = read_changes(std::string_view(octets_).substr(head_octets), see);
    SY_ASSERT(whole);
}

void JournalBatch::clear() {
    octets_.assign(head_octets, '\0');
    count_ = 0;
}

bool read_changes(std::string_view octets, const SeeChange& see) {
    FieldReader in(octets);
    while (!in.is_whole()) {
        const auto kind = in.integer<uint8_t>();
        const auto family = in.integer<uint8_t>();
        const auto key_octets = in.integer<uint16_t>();
        const auto value_octets = in.integer<uint32_t>();
        Change change;
        change.kind = static_cast<Change::Kind>(kind);
        change.family = static_cast<Family>(family);
        change.key = in.chars(key_octets);
        change.value = in.chars(value_octets);
        if (in.is_short() || kind < static_cast<uint8_t>(Change::Kind::put) ||
            kind > static_cast<uint8_t>(Change::Kind::erase) || family >= families ||
            (change.kind == Change::Kind::erase && value_octets > 0)) {
            return false;
        }
        see(change);
    }
    return true;
}

JournalRead read_journal(std::string_view octets, uint64_t journal, const SeeChange& see) {
    SY_ASSERT(journal > 0);
    JournalRead out;
    while (octets.size() - out.whole_octets >= head_octets) {
        const std::string_view left = octets.substr(out.whole_octets);
        const uint8_t* head = as_octets(left).data();
        const auto size = load_be<uint32_t>(head + octets_at);
        if (load_be<uint64_t>(head + number_at) != journal) {
            break;
        }
        const std::string_view frame = left.substr(0, head_octets + size);
        const std::string_view changes = frame.substr(head_octets);
        if (changes.size() < size || load_be<uint64_t>(head) != checksum(frame.substr(number_at))) {
            out.cut_octets = frame.size();
            break;
        }
        out.is_foreign = !read_changes(changes, [](const Change&) {});
        if (out.is_foreign || !read_changes(changes, see)) {
            break;
        }
        out.whole_octets += frame.size();
    }
    return out;
}

}  // namespace sy::store
