#include "io/store/rocks_database.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "io/store/rocks_tables.h"

namespace sy::store {
namespace {

// What a restart reads again before anything is served, some 3 s: two journals and RocksDB's log.
constexpr uint64_t journal_octets_most = uint64_t{64} << 20;
// A piece of what is brought to RocksDB, and a piece of a journal that is read again.
constexpr size_t piece_octets = 64 << 10;
// Of a family that is read through, which at a start is gigabytes.
constexpr size_t readahead_octets = 4 << 20;
// A quiet router's entries do not stay in memory for ever.
constexpr Nanos young_max_ns = Nanos{3600} * second_ns;

Error error_of(const std::string& path, const rocksdb::Status& status) {
    return {"store " + path + ": " + status.ToString()};
}

}  // namespace

RocksDatabase::RocksDatabase(RocksOptions options)
    : options_(std::move(options)),
      journal_octets_max_(std::min(options_.memory_bytes / 8, journal_octets_most)),
      journal_(options_.env != nullptr ? *options_.env : *rocksdb::Env::Default(), options_.path) {}

// A start reads less then. What could not be brought down is in the journals.
RocksDatabase::~RocksDatabase() {
    if (!broken_ && tables_ != nullptr && tables_->db() != nullptr) {
        (void)settle_all();
    }
}

Result<std::unique_ptr<RocksDatabase>> RocksDatabase::open(RocksOptions options) {
    std::unique_ptr<RocksDatabase> out(new RocksDatabase(std::move(options)));
    out->broken_ = true;
    SY_TRY(out->open_tables());
    SY_TRY(out->replay());
    out->broken_ = false;
    return out;
}

Result<void> RocksDatabase::open_tables() {
    tables_.reset();  // one at a time: it holds the folder's lock
    tables_ = std::make_unique<RocksTables>(options_);
    if (const auto status = tables_->open(options_); !status.ok()) {
        return std::unexpected(error_of(options_.path, status));
    }
    for (size_t family = 0; family < families; ++family) {
        is_below_[family] = tables_->may_have(static_cast<Family>(family));
    }
    return {};
}

// ---------------------------------------------------------------- batches

void RocksDatabase::put(Family family, std::string_view key, std::string_view value) {
    batch_.add({Change::Kind::put, family, key, value});
    // Programs that know no journals look for the version in RocksDB.
    goes_through_ = goes_through_ || family == Family::meta;
}

void RocksDatabase::put_new(Family family, std::string_view key, std::string_view value) {
    batch_.add({Change::Kind::put_new, family, key, value});
}

void RocksDatabase::erase(Family family, std::string_view key) {
    batch_.add({Change::Kind::erase, family, key, {}});
}

Result<void> RocksDatabase::commit(bool durable) {
    const bool was_broken = broken_;
    auto done = was_broken ? recover() : write(durable);
    batch_.clear();
    goes_through_ = false;
    if (!done && !was_broken) {
        broken_ = true;
        why_ = done.error().text;
    }
    return done;
}

Result<void> RocksDatabase::write(bool durable) {
    if (!batch_.empty()) {
        SY_TRY(journal_.append(batch_.seal(young_number_)));
    }
    if (durable) {
        SY_TRY(journal_.sync());
    }
    changes_.clear();
    batch_.each([&](const Change& change) { changes_.push_back(change); });
    {
        const std::unique_lock lock(mutex_);
        recent_.apply(changes_);
    }
    if (goes_through_) {
        SY_TRY(settle_all());
    }
    return journal_.octets() < 2 * journal_octets_max_ ? Result<void>() : turn_over();
}

// Memory has all that was acknowledged. What failed in part is in the journals, which go.
Result<void> RocksDatabase::recover() {
    {
        const std::unique_lock lock(mutex_);
        SY_TRY(open_tables());
    }
    journal_.close();
    is_unsynced_ = true;
    SY_TRY(settle_all());
    broken_ = false;
    return fail("store " + options_.path + ": opened again after an error: " + why_);
}

// ---------------------------------------------------------------- from memory to RocksDB

void RocksDatabase::settle() {
    if (broken_) {
        return;
    }
    if (const auto done = settle_some(); !done) {
        broken_ = true;
        why_ = done.error().text;
    }
}

// What is old has until the journal is nine tenths full, but is left alone until it is half full:
// the longer it waits, the more of it is erased before.
Result<void> RocksDatabase::settle_some() {
    const bool is_late =
        options_.wall_ns() > begun_wall_ns_ + young_max_ns && !recent_.young_empty();
    const size_t octets = journal_.octets();
    const size_t begin = journal_octets_max_ / 2;
    const size_t end = journal_octets_max_ / 10 * 9;
    const size_t left_max =
        octets <= begin ? old_octets_
        : octets >= end
            ? 0
            : static_cast<size_t>(double(end - octets) / double(end - begin) * double(old_octets_));
    while (!recent_.old_empty() && (is_late || recent_.old_octets() > left_max)) {
        SY_TRY(settle_old(piece_octets));
        if (is_late) {
            break;
        }
    }
    SY_TRY(retire_old());
    const bool full = octets >= journal_octets_max_ || is_late;
    return full && old_number_ == 0 ? turn_over() : Result<void>();
}

Result<void> RocksDatabase::turn_over() {
    while (!recent_.old_empty()) {
        SY_TRY(settle_old(piece_octets));
    }
    SY_TRY(retire_old());
    SY_TRY(journal_.begin(young_number_ + 1));
    old_number_ = young_number_++;
    begun_wall_ns_ = options_.wall_ns();
    {
        const std::unique_lock lock(mutex_);
        recent_.turn_over();
    }
    old_octets_ = recent_.old_octets();
    return retire_old();
}

Result<void> RocksDatabase::settle_old(size_t octets_max) {
    std::array<bool, families> is_below{};
    const size_t rows = recent_.each_old(octets_max, [&](Family family, const Recent::Row& row) {
        rocksdb::ColumnFamilyHandle* to = tables_->of(family);
        const auto status = row.is_erased
                                ? tables_->batch.Delete(to, slice(row.key))
                                : tables_->batch.Put(to, slice(row.key), slice(row.value));
        SY_ASSERT(status.ok());  // a batch without a limit
        is_below[static_cast<size_t>(family)] |= !row.is_erased;
    });
    SY_TRY(write_below(false));
    settled_.fetch_add(rows, std::memory_order_relaxed);
    const std::unique_lock lock(mutex_);
    for (size_t family = 0; family < families; ++family) {
        is_below_[family] = is_below_[family] || is_below[family];
    }
    recent_.drop_old(rows);
    return {};
}

// Everything is below, on disk, and a new journal begun.
Result<void> RocksDatabase::settle_all() {
    SY_TRY(turn_over());
    SY_TRY(turn_over());
    return {};
}

Result<void> RocksDatabase::retire_old() {
    if (!recent_.old_empty() || old_number_ == 0) {
        return {};
    }
    if (is_unsynced_) {
        SY_TRY(write_below(true));
    }
    SY_TRY(journal_.retire(old_number_));
    old_number_ = 0;
    return {};
}

Result<void> RocksDatabase::write_below(bool durable) {
    rocksdb::Status status;
    if (tables_->batch.Count() > 0) {
        is_unsynced_ = true;
        status = tables_->db()->Write({}, &tables_->batch);
        tables_->batch.Clear();
    }
    if (status.ok() && durable) {
        status = tables_->db()->SyncWAL();
        is_unsynced_ = !status.ok();
    }
    return status.ok() ? Result<void>() : std::unexpected(error_of(options_.path, status));
}

// ---------------------------------------------------------------- journals of an earlier run

Result<void> RocksDatabase::replay() {
    const auto numbers = journal_.open();
    if (!numbers) {
        return std::unexpected(numbers.error());
    }
    for (const uint64_t number : *numbers) {
        SY_TRY(replay(number));
        young_number_ = number;
    }
    SY_TRY(write_below(true));
    SY_TRY(journal_.begin(++young_number_));
    begun_wall_ns_ = options_.wall_ns();
    for (const uint64_t number : *numbers) {
        SY_TRY(journal_.retire(number));
    }
    return {};
}

Result<void> RocksDatabase::replay(uint64_t number) {
    const auto octets = journal_.read(number);
    if (!octets) {
        return std::unexpected(octets.error());
    }
    if (octets->size() < journal_magic.size()) {
        return {};  // its router died when it began it
    }
    const auto foreign = [&] {
        return fail("store " + options_.path + ": journal " + std::to_string(number) +
                    " is of another program; start the program that wrote it");
    };
    if (!octets->starts_with(journal_magic)) {
        return foreign();
    }
    const std::string_view frames = std::string_view(*octets).substr(journal_magic.size());
    Result<void> written;
    const JournalRead read = read_journal(frames, number, [&](const Change& change) {
        const auto family = static_cast<size_t>(change.family);
        rocksdb::ColumnFamilyHandle* to = tables_->of(change.family);
        const bool is_erase = change.kind == Change::Kind::erase;
        const auto status = is_erase
                                ? tables_->batch.Delete(to, slice(change.key))
                                : tables_->batch.Put(to, slice(change.key), slice(change.value));
        SY_ASSERT(status.ok());  // a batch without a limit
        is_below_[family] = is_below_[family] || !is_erase;
        if (tables_->batch.GetDataSize() >= piece_octets && written) {
            written = write_below(false);
        }
    });
    if (read.is_foreign) {
        return foreign();
    }
    cut_octets_ += read.cut_octets;
    return written;
}

// ---------------------------------------------------------------- reading

Result<bool> RocksDatabase::seek(Family family,
                                 std::string_view from,
                                 std::string_view prefix,
                                 Entry& out) {
    const std::shared_lock lock(mutex_);
    if (tables_->db() == nullptr) {
        return fail("store " + options_.path + ": not open after an error");
    }
    const auto found = [&](std::string_view key, std::string_view value) {
        out.key = key;
        out.value = value;
        return key.starts_with(prefix);
    };
    if (family == Family::messages && prefix == from) {
        return find(from, out);
    }
    const bool by_prefix = family == Family::ways || family == Family::order;
    std::unique_ptr<rocksdb::Iterator> below;
    std::string at(from);
    while (true) {
        Recent::Row row;
        const bool is_recent = recent_.first(family, at, prefix, row);
        if (is_recent && !row.is_erased && row.key == at) {
            return found(row.key, row.value);  // nothing can come before it
        }
        if (below == nullptr && is_below_[static_cast<size_t>(family)]) {
            rocksdb::ReadOptions how;
            how.prefix_same_as_start = by_prefix;
            how.total_order_seek = !by_prefix;
            below.reset(tables_->db()->NewIterator(how, tables_->of(family)));
            below->Seek(slice(at));
        }
        while (below != nullptr && below->Valid() && view(below->key()) < at) {
            below->Next();
        }
        if (below != nullptr && !below->status().ok()) {
            return std::unexpected(error_of(options_.path, below->status()));
        }
        const bool is_below = below != nullptr && below->Valid();
        if (is_below && (!is_recent || view(below->key()) < row.key)) {
            return found(view(below->key()), view(below->value()));
        }
        if (!is_recent) {
            return false;
        }
        if (!row.is_erased) {
            return found(row.key, row.value);
        }
        at = row.key;
        at.push_back('\0');  // the next key there can be
    }
}

// A message by its id: of tables that have none of that id nothing is read but their filters.
Result<bool> RocksDatabase::find(std::string_view key, Entry& out) {
    Recent::Row row;
    if (recent_.first(Family::messages, key, key, row) && row.key == key) {
        out.key = key;
        out.value = row.value;
        return !row.is_erased;
    }
    if (!is_below_[static_cast<size_t>(Family::messages)]) {
        return false;
    }
    const auto status =
        tables_->db()->Get({}, tables_->of(Family::messages), slice(key), &out.value);
    if (!status.ok() && !status.IsNotFound()) {
        return std::unexpected(error_of(options_.path, status));
    }
    out.key = key;
    return status.ok();
}

Result<void> RocksDatabase::each(
    Family family, const std::function<void(std::string_view key, std::string_view value)>& see) {
    SY_TRY(settle_all());
    rocksdb::ReadOptions how;
    how.total_order_seek = true;
    how.fill_cache = false;
    how.readahead_size = readahead_octets;
    const std::unique_ptr<rocksdb::Iterator> at(
        tables_->db()->NewIterator(how, tables_->of(family)));
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        see(view(at->key()), view(at->value()));
    }
    if (!at->status().ok()) {
        return std::unexpected(error_of(options_.path, at->status()));
    }
    return {};
}

uint64_t RocksDatabase::size_bytes() const {
    const std::shared_lock lock(mutex_);
    if (tables_->db() == nullptr) {
        return 0;
    }
    uint64_t sum = journal_.size_bytes();
    for (const auto which : {Family::meta, Family::ways, Family::receipts, Family::messages,
                             Family::queue, Family::order, Family::watches}) {
        uint64_t bytes = 0;
        if (tables_->db()->GetIntProperty(tables_->of(which),
                                          rocksdb::DB::Properties::kTotalSstFilesSize, &bytes)) {
            sum += bytes;
        }
    }
    rocksdb::VectorLogPtr logs;
    if (tables_->db()->GetSortedWalFiles(logs).ok()) {
        for (const auto& log : logs) {
            sum += log->SizeFileBytes();
        }
    }
    return sum;
}

uint64_t RocksDatabase::expired() const {
    const std::shared_lock lock(mutex_);
    return tables_->dropped();
}

}  // namespace sy::store
