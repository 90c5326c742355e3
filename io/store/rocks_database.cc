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

#include "core/store/codec.h"

namespace sy::store {
namespace {

constexpr std::array<const char*, families> family_names{"default", "ways",  "receipts", "messages",
                                                         "queue",   "order", "watches"};
constexpr size_t way_prefix_octets = 16;
// A miss (a receipt that is nobody's, or that comes before its response) asks the disk once in a
// hundred times.
constexpr double filter_bits = 10;
// What a restart reads again before anything is served: some 3 s.
constexpr uint64_t log_bytes_max = uint64_t{128} << 20;
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
    rocksdb::WriteBatch batch;

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

RocksDatabase::RocksDatabase(RocksOptions options) : options_(std::move(options)) {}

RocksDatabase::~RocksDatabase() = default;

Result<std::unique_ptr<RocksDatabase>> RocksDatabase::open(RocksOptions options) {
    std::unique_ptr<RocksDatabase> out(new RocksDatabase(std::move(options)));
    SY_TRY(out->open_handle());
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

    std::vector<rocksdb::ColumnFamilyDescriptor> wanted{
        {family_names[0], {}},       {family_names[1], ways},     {family_names[2], receipts},
        {family_names[3], messages}, {family_names[4], messages}, {family_names[5], messages},
        {family_names[6], messages}};
    std::vector<rocksdb::ColumnFamilyHandle*> opened;
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(db_options, options_.path, wanted, &opened, &db);
    if (!status.ok()) {
        return std::unexpected(error_of(options_.path, status));
    }
    handle.db.reset(db);
    std::ranges::copy(opened, handle.family.begin());
    broken_ = false;
    return {};
}

void RocksDatabase::put(Family family, std::string_view key, std::string_view value) {
    // A broken one is opened anew at the commit, which fails the whole batch.
    if (!broken_) {
        broken_ = !handle_->batch.Put(handle_->of(family), slice(key), slice(value)).ok();
    }
}

void RocksDatabase::erase(Family family, std::string_view key) {
    // A broken one is opened anew at the commit, which fails the whole batch.
    if (!broken_) {
        broken_ = !handle_->batch.Delete(handle_->of(family), slice(key)).ok();
    }
}

Result<void> RocksDatabase::commit(bool durable) {
    if (broken_) {
        const std::unique_lock lock(mutex_);
        SY_TRY(open_handle());
        return fail("store " + options_.path + ": opened again after an error");
    }
    Handle& handle = *handle_;
    rocksdb::Status status;
    if (handle.batch.Count() > 0) {
        rocksdb::WriteOptions how;
        how.sync = durable;
        status = handle.db->Write(how, &handle.batch);
        handle.batch.Clear();
    } else if (durable) {
        status = handle.db->SyncWAL();
    }
    if (!status.ok()) {
        broken_ = true;
        return std::unexpected(error_of(options_.path, status));
    }
    return {};
}

Result<bool> RocksDatabase::seek(Family family,
                                 std::string_view from,
                                 std::string_view prefix,
                                 Entry& out) {
    const std::shared_lock lock(mutex_);
    if (handle_->db == nullptr) {
        return fail("store " + options_.path + ": not open after an error");
    }
    rocksdb::ReadOptions how;
    how.prefix_same_as_start = family == Family::ways;
    how.total_order_seek = family != Family::ways;
    const std::unique_ptr<rocksdb::Iterator> at(handle_->db->NewIterator(how, handle_->of(family)));
    at->Seek(slice(from));
    if (!at->status().ok()) {
        return std::unexpected(error_of(options_.path, at->status()));
    }
    if (!at->Valid() || !view(at->key()).starts_with(prefix)) {
        return false;
    }
    out.key = view(at->key());
    out.value = view(at->value());
    return true;
}

Result<void> RocksDatabase::each(
    Family family, const std::function<void(std::string_view key, std::string_view value)>& see) {
    const std::shared_lock lock(mutex_);
    rocksdb::ReadOptions how;
    how.total_order_seek = true;
    how.fill_cache = false;
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
    uint64_t sum = 0;
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
