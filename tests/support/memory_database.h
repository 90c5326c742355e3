// store::Database in memory, for tests: what was committed and is not durable yet may be lost in a
// crash, from any point of the write order on; writes and reads can be made to fail, and commits to
// wait. One thread.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "core/store/database.h"

namespace sy::test {

class MemoryDatabase final : public store::Database {
  public:
    void put(store::Family family, std::string_view key, std::string_view value) override;
    /// Ends the program where the key is there.
    void put_new(store::Family family, std::string_view key, std::string_view value) override;
    void erase(store::Family family, std::string_view key) override;
    [[nodiscard]] Result<void> commit(bool durable) override;
    [[nodiscard]] Result<bool> seek(store::Family family,
                                    std::string_view from,
                                    std::string_view prefix,
                                    Entry& out) override;
    [[nodiscard]] Result<void> each(
        store::Family family,
        const std::function<void(std::string_view key, std::string_view value)>& see) override;

    /// The process is gone: the open batch is, and of the batches that were not durable some of the
    /// last ones, as many as `prng` says.
    void crash(Prng& prng);

    [[nodiscard]] size_t size(store::Family family) const {
        return now_[static_cast<size_t>(family)].size();
    }

    bool fails_writes = false;
    bool fails_reads = false;
    uint64_t commits = 0;
    uint64_t fails_at = 0;  // that commit alone fails, counted from 1

  private:
    using Table = std::map<std::string, std::string, std::less<>>;
    using Tables = std::array<Table, store::families>;
    struct Change {
        store::Family family{};
        std::string key;
        std::string value;
        bool is_erase = false;
    };
    using Batch = std::vector<Change>;

    static Table& of(Tables& tables, store::Family family) {
        return tables[static_cast<size_t>(family)];
    }
    [[nodiscard]] bool is_there(store::Family family, std::string_view key) const;
    static void apply(Tables& tables, const Batch& batch);

    Tables now_;
    Tables durable_;
    std::vector<Batch> since_;  // committed, not durable
    Batch open_;
};

}  // namespace sy::test
