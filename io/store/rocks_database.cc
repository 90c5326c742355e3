#include "io/store/rocks_database.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/store/codec.h"

namespace sy::store {
namespace {

constexpr std::array<const char*, families> family_names{"default", "ways",  "receipts", "messages",
                                                         "queue",   "order", "watches"};
constexpr size_t way_prefix_octets = 16;
constexpr size_t order_prefix_octets = 8;
// A miss (a receipt that is nobody's, or that comes before its response) asks the disk once in a
// hundred times.
constexpr double filter_bits = 10;
// What a restart reads again before anything is served, some 3 s: two journals and RocksDB's log.
constexpr uint64_t journal_octets_most = uint64_t{64} << 20;
constexpr uint64_t log_bytes_max = uint64_t{64} << 20;
// A piece of what is brought to RocksDB, and a piece of a journal that is read again.
constexpr size_t piece_octets = 64 << 10;
// Of a family that is read through, which at a start is gigabytes.
constexpr size_t readahead_octets = 4 << 20;
// A quiet router's entries do not stay in memory for ever.
constexpr Nanos young_max_ns = Nanos{3600} * second_ns;
constexpr uint64_t files_rewritten_every_s = 6 * 3600;

rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}

std::string_view view(const rocksdb::Slice& text) {
    return {text.data(), text.size()};
}

// Drops what is older than its age. Used by RocksDB's own threads.
class AgeFilter final : public rocksdb::CompactionFilter {
  public:
    AgeFilter(Nanos age_ns, std::function<Nanos()> wall_ns)
        : age_ns_(age_ns), wall_ns_(std::move(wall_ns)) {}

    [[nodiscard]] const char* Name() const override { return "sy.age"; }
    bool Filter(int /*level*/,
                const rocksdb::Slice& /*key*/,
                const rocksdb::Slice& value,
                std::string* /*new_value*/,
                bool* /*value_changed*/) const override {
        const Nanos since = wall_ns_of(view(value));
        const Nanos now = wall_ns_();
        const bool old = since != 0 && now > since && now - since > age_ns_;
        if (old) {
            dropped_.fetch_add(1, std::memory_order_relaxed);
        }
        return old;
    }
    [[nodiscard]] uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  private:
    Nanos age_ns_;
    std::function<Nanos()> wall_ns_;
    mutable std::atomic<uint64_t> dropped_{0};
};

Error error_of(const std::string& path, const rocksdb::Status& status) {
    return {"store " + path + ": " + status.ToString()};
}

}  // namespace

struct RocksDatabase::Handle {
    explicit Handle(const RocksOptions& options) : filter(options.age_ns, options.wall_ns) {}

    AgeFilter filter;
    std::shared_ptr<rocksdb::Cache> cache;
    std::unique_ptr<rocksdb::DB> db;
    std::array<rocksdb::ColumnFamilyHandle*, families> family{};
    rocksdb::WriteBatch batch;  // on its way down

    ~Handle() {
        for (rocksdb::ColumnFamilyHandle* one : family) {
            if (one != nullptr) {
                db->DestroyColumnFamilyHandle(one).PermitUncheckedError();
            }
        }
    }
    [[nodiscard]] rocksdb::ColumnFamilyHandle* of(Family which) const {
        return family[static_cast<size_t>(which)];
    }
};

RocksDatabase::RocksDatabase(RocksOptions options)
    : options_(std::move(options)),
      journal_octets_max_(std::min(options_.memory_bytes / 8, journal_octets_most)),
      journal_(options_.env != nullptr ? *options_.env : *rocksdb::Env::Default(), options_.path) {}

// A start reads less then. What could not be brought down is in the journals.
RocksDatabase::~RocksDatabase() {
    if (!broken_ && handle_ != nullptr && handle_->db != nullptr) {
        (void)settle_all();
    }
}

Result<std::unique_ptr<RocksDatabase>> RocksDatabase::open(RocksOptions options) {
    std::unique_ptr<RocksDatabase> out(new RocksDatabase(std::move(options)));
    out->broken_ = true;
    SY_TRY(out->open_handle());
    SY_TRY(out->replay());
    out->broken_ = false;
    return out;
}

Result<void> RocksDatabase::open_handle() {
    handle_.reset();  // one at a time: it holds the folder's lock
    handle_ = std::make_unique<Handle>(options_);
    Handle& handle = *handle_;
    rocksdb::DBOptions db_options;
    db_options.create_if_missing = true;
    db_options.create_missing_column_families = true;
    db_options.env = options_.env != nullptr ? options_.env : rocksdb::Env::Default();
    db_options.max_background_jobs = 2;
    db_options.keep_log_file_num = 4;
    db_options.max_log_file_size = 4 << 20;
    db_options.bytes_per_sync = 1 << 20;  // no burst of writing back when a file is closed
    db_options.wal_bytes_per_sync = 1 << 20;
    const uint64_t quarter = options_.memory_bytes / 4;
    db_options.max_total_wal_size = std::min(options_.memory_bytes, log_bytes_max);

    handle.cache = rocksdb::NewLRUCache(2 * quarter);
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = handle.cache;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(filter_bits));
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    rocksdb::ColumnFamilyOptions ways;
    ways.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    ways.write_buffer_size = quarter / 2;
    ways.compression = rocksdb::kLZ4Compression;
    ways.compaction_filter = &handle.filter;
    ways.periodic_compaction_seconds = files_rewritten_every_s;
    rocksdb::ColumnFamilyOptions receipts = ways;
    ways.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(way_prefix_octets));
    ways.memtable_prefix_bloom_size_ratio = 0.1;
    // Messages end by their own validity, not by their age.
    rocksdb::ColumnFamilyOptions messages = receipts;
    messages.compaction_filter = nullptr;
    messages.periodic_compaction_seconds = 0;
    rocksdb::ColumnFamilyOptions order = messages;
    order.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(order_prefix_octets));

    std::vector<rocksdb::ColumnFamilyDescriptor> wanted{
        {family_names[0], {}},       {family_names[1], ways},     {family_names[2], receipts},
        {family_names[3], messages}, {family_names[4], messages}, {family_names[5], order},
        {family_names[6], messages}};
    std::vector<rocksdb::ColumnFamilyHandle*> opened;
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(db_options, options_.path, wanted, &opened, &db);
    if (!status.ok()) {
        return std::unexpected(error_of(options_.path, status));
    }
    handle.db.reset(db);
    std::ranges::copy(opened, handle.family.begin());
    for (size_t family = 0; family < families; ++family) {
        rocksdb::ReadOptions how;
        how.total_order_seek = true;
        const std::unique_ptr<rocksdb::Iterator> at(
            handle.db->NewIterator(how, handle.family[family]));
        at->SeekToFirst();
        is_below_[family] = at->Valid() || !at->status().ok();
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
    {
        const std::unique_lock lock(mutex_);
        batch_.each([&](const Change& change) { recent_.apply(change); });
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
        SY_TRY(open_handle());
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
        rocksdb::ColumnFamilyHandle* to = handle_->of(family);
        const auto status = row.is_erased
                                ? handle_->batch.Delete(to, slice(row.key))
                                : handle_->batch.Put(to, slice(row.key), slice(row.value));
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
    Handle& handle = *handle_;
    rocksdb::Status status;
    if (handle.batch.Count() > 0) {
        is_unsynced_ = true;
        status = handle.db->Write({}, &handle.batch);
        handle.batch.Clear();
    }
    if (status.ok() && durable) {
        status = handle.db->SyncWAL();
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
        rocksdb::ColumnFamilyHandle* to = handle_->family[family];
        const bool is_erase = change.kind == Change::Kind::erase;
        const auto status = is_erase
                                ? handle_->batch.Delete(to, slice(change.key))
                                : handle_->batch.Put(to, slice(change.key), slice(change.value));
        SY_ASSERT(status.ok());  // a batch without a limit
        is_below_[family] = is_below_[family] || !is_erase;
        if (handle_->batch.GetDataSize() >= piece_octets && written) {
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
    if (handle_->db == nullptr) {
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
            below.reset(handle_->db->NewIterator(how, handle_->of(family)));
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
    const auto status = handle_->db->Get({}, handle_->of(Family::messages), slice(key), &out.value);
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
    const std::unique_ptr<rocksdb::Iterator> at(handle_->db->NewIterator(how, handle_->of(family)));
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
    if (handle_->db == nullptr) {
        return 0;
    }
    uint64_t sum = journal_.size_bytes();
    for (const auto which : {Family::meta, Family::ways, Family::receipts, Family::messages,
                             Family::queue, Family::order, Family::watches}) {
        uint64_t bytes = 0;
        if (handle_->db->GetIntProperty(handle_->of(which),
                                        rocksdb::DB::Properties::kTotalSstFilesSize, &bytes)) {
            sum += bytes;
        }
    }
    rocksdb::VectorLogPtr logs;
    if (handle_->db->GetSortedWalFiles(logs).ok()) {
        for (const auto& log : logs) {
            sum += log->SizeFileBytes();
        }
    }
    return sum;
}

uint64_t RocksDatabase::expired() const {
    const std::shared_lock lock(mutex_);
    return handle_->filter.dropped();
}

}  // namespace sy::store
