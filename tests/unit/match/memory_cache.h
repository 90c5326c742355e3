// A DatabaseCache over a map, with what was done to it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/match/database_cache.h"

namespace sy::match {

class MemoryCache : public DatabaseCache {
  public:
    std::optional<std::string> load(const std::string& name) override {
        ++loads;
        const auto it = entries.find(name);
        if (it == entries.end()) {
            return std::nullopt;
        }
        last_used = name;
        return it->second;
    }
    std::string newest(const std::string& prefix) override {
        return last_used.starts_with(prefix) && entries.contains(last_used) ? last_used : "";
    }
    void store(const std::string& name, std::string_view octets) override {
        ++stores;
        entries[name] = octets;
        last_used = name;
    }
    void reject(const std::string& name, const std::string& reason) override {
        rejected.push_back(reason);
        entries.erase(name);
    }

    std::map<std::string, std::string> entries;
    std::vector<std::string> rejected;
    std::string last_used;
    int loads = 0;
    int stores = 0;
};

}  // namespace sy::match
