// Where compiled databases are kept between two starts. core/ opens no file: io/daemon implements
// this over a folder, tests over a map. Control plane; an implementation may be called from two
// threads at a time (a merge runs beside the control thread).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sy::match {

class DatabaseCache {
  public:
    DatabaseCache() = default;
    DatabaseCache(const DatabaseCache&) = delete;
    DatabaseCache& operator=(const DatabaseCache&) = delete;
    virtual ~DatabaseCache() = default;

    /// The entry's octets as they were stored, or nothing. Counts as a use.
    virtual std::optional<std::string> load(const std::string& name) = 0;
    /// The entry used last of those whose names begin with `prefix`; empty: there is none.
    virtual std::string newest(const std::string& prefix) = 0;
    /// Failing is the implementation's to report: a cache is never a reason to stop.
    virtual void store(const std::string& name, std::string_view octets) = 0;
    /// The entry is damaged, or from another Hyperscan, CPU or version of ours: it may go.
    virtual void reject(const std::string& name, const std::string& reason) = 0;
};

}  // namespace sy::match
