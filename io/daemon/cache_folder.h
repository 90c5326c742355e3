// Compiled expressions on disk, one file an entry, NAME.patterns (core/match/database_cache.h). A
// file appears by rename, so nobody reads half of one; what is used last stays when the folder
// grows too large. Nothing here is an error: a cache that does not work costs time, and is told of.
//
// Several threads and processes may use one folder at a time. Two objects for one folder do not
// know of each other; each collects its own complaints.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "core/match/database_cache.h"

namespace sy::daemon {

class CacheFolder : public match::DatabaseCache {
  public:
    // A database of 10,000 expressions has 1 to 60 MB.
    static constexpr uint64_t bytes_max_default = uint64_t{1} << 30;

    enum class Access : uint8_t {
        read,        // check, explain: they leave the disk as it is
        read_write,  // makes the folder (not its parents) when there is something to keep
    };
    CacheFolder(std::string path, Access access, uint64_t bytes_max = bytes_max_default);

    std::optional<std::string> load(const std::string& name) override;
    std::string newest(const std::string& prefix) override;
    void store(const std::string& name, std::string_view octets) override;
    void reject(const std::string& name, const std::string& reason) override;

    /// What the operator should know; each is said once.
    [[nodiscard]] std::vector<std::string> take_complaints();

  private:
    [[nodiscard]] std::string file_of(const std::string& name) const;
    [[nodiscard]] bool folder_is_safe();
    void trim(const std::string& keep);
    void complain(std::string text);

    std::string path_;
    Access access_;
    uint64_t bytes_max_;
    std::mutex mutex_;  // control plane: a merge runs beside the control thread
    std::vector<std::string> complaints_;
};

}  // namespace sy::daemon
