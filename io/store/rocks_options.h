// Where the store's database stands and how large it may grow.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/base/time.h"

namespace rocksdb {
class Env;
}

namespace sy::store {

struct RocksOptions {
    std::string path;
    Nanos age_ns = Nanos{72} * 3600 * second_ns;
    uint64_t memory_bytes = 512ull << 20;  // cache and write buffers together
    rocksdb::Env* env = nullptr;           // outlives it; null: the machine's
    std::function<Nanos()> wall_ns;        // UTC; any thread
};

}  // namespace sy::store
