#include "io/store/rocks_tables.h"

#include <algorithm>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <vector>

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
// What a restart reads again before anything is served, beside two journals.
constexpr uint64_t log_bytes_max = uint64_t{64} << 20;
constexpr uint64_t files_rewritten_every_s = 6 * 3600;

}  // namespace

bool AgeFilter::Filter(int /*level*/,
                       const rocksdb::Slice& /*key*/,
                       const rocksdb::Slice& value,
                       std::string* /*new_value*/,
                       bool* /*value_changed*/) const {
    const Nanos since = wall_ns_of(view(value));
    const Nanos now = wall_ns_();
    const bool old = since != 0 && now > since && now - since > age_ns_;
    if (old) {
        dropped_.fetch_add(1, std::memory_order_relaxed);
    }
    return old;
}

RocksTables::~RocksTables() {
    for (rocksdb::ColumnFamilyHandle* one : family_) {
        if (one != nullptr) {
            db_->DestroyColumnFamilyHandle(one).PermitUncheckedError();
        }
    }
}

rocksdb::Status RocksTables::open(const RocksOptions& options) {
    rocksdb::DBOptions db_options;
    db_options.create_if_missing = true;
    db_options.create_missing_column_families = true;
    db_options.env = options.env != nullptr ? options.env : rocksdb::Env::Default();
    db_options.max_background_jobs = 2;
    db_options.keep_log_file_num = 4;
    db_options.max_log_file_size = 4 << 20;
    db_options.bytes_per_sync = 1 << 20;  // no burst of writing back when a file is closed
    db_options.wal_bytes_per_sync = 1 << 20;
    const uint64_t quarter = options.memory_bytes / 4;
    db_options.max_total_wal_size = std::min(options.memory_bytes, log_bytes_max);

    cache_ = rocksdb::NewLRUCache(2 * quarter);
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache_;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(filter_bits));
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    rocksdb::ColumnFamilyOptions ways;
    ways.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    ways.write_buffer_size = quarter / 2;
    ways.compression = rocksdb::kLZ4Compression;
    ways.compaction_filter = &filter_;
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
    auto status = rocksdb::DB::Open(db_options, options.path, wanted, &opened, &db);
    if (status.ok()) {
        db_.reset(db);
        std::ranges::copy(opened, family_.begin());
    }
    return status;
}

bool RocksTables::may_have(Family family) const {
    rocksdb::ReadOptions how;
    how.total_order_seek = true;
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(how, of(family)));
    at->SeekToFirst();
    return at->Valid() || !at->status().ok();
}

}  // namespace sy::store
