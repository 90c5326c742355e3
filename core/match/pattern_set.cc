#include "core/match/pattern_set.h"

#include <algorithm>
#include <utility>

#include <hs.h>

#include "core/base/assert.h"

namespace sy::match {

namespace {

std::string cache_name(const std::string& kind, std::span<const std::string> expressions) {
    return kind + "-" + Database::content_name(expressions);
}

std::shared_ptr<const Database> load(DatabaseCache& cache, const std::string& name) {
    const std::optional<std::string> octets = cache.load(name);
    if (!octets) {
        return nullptr;
    }
    auto database = Database::deserialise(*octets);
    if (!database) {
        cache.reject(name, database.error().text);
        return nullptr;
    }
    return *std::move(database);
}

void store(DatabaseCache& cache, const std::string& kind, const Database& database) {
    if (const auto octets = database.serialise()) {
        cache.store(cache_name(kind, database.expressions()), *octets);
    }
}

}  // namespace

// One compile(): what is wanted, what a base holds of it, what is missing.
class PatternSet::Builder {
  public:
    Builder(std::span<const std::string> expressions, const CompileOptions& options)
        : options_(options), expressions_(expressions) {
        for (size_t i = 0; i < expressions.size(); ++i) {
            order_.push_back(static_cast<uint32_t>(i));
        }
        std::sort(order_.begin(), order_.end(),
                  [&](uint32_t a, uint32_t b) { return expressions_[a] < expressions_[b]; });
        for (const uint32_t i : order_) {
            SY_ASSERT(sorted_.empty() || sorted_.back() < expressions_[i]);
            sorted_.push_back(expressions_[i]);
            cost_us_ += compile_cost_us(expressions_[i]);
        }
    }

    [[nodiscard]] PatternSet build(std::vector<PatternError>& errors) {
        const size_t errors_before = errors.size();
        find_base();
        const std::vector<uint32_t> missing = missing_from(base_.get());
        check(missing, errors);
        if (errors.size() != errors_before) {
            return {};
        }
        uint64_t missing_us = 0;
        for (const uint32_t i : missing) {
            missing_us += compile_cost_us(expressions_[i]);
        }
        const bool whole = missing.size() == expressions_.size() ||
                           (cost_us_ <= options_.at_once_us && !covers_exactly(base_.get())) ||
                           missing_us * 2 > cost_us_;
        if (whole) {
            compile_whole(errors);
        } else {
            add_layer(base_);
            if (!missing.empty()) {
                compile_layer(strings_of(missing), missing, errors);
            }
        }
        if (errors.size() != errors_before) {
            return {};
        }
        set_.count_ = static_cast<uint32_t>(expressions_.size());
        return std::move(set_);
    }

  private:
    [[nodiscard]] bool covers_exactly(const Database* database) const {
        return database != nullptr && database->expressions() == sorted_;
    }

    void find_base() {
        base_ = options_.base;
        if (options_.cache == nullptr || cost_us_ <= options_.at_once_us ||
            covers_exactly(base_.get())) {
            return;
        }
        if (auto exact = load(*options_.cache, cache_name(options_.name, sorted_))) {
            base_ = std::move(exact);
        } else if (base_ == nullptr) {
            const std::string newest = options_.cache->newest(options_.name + "-");
            base_ = newest.empty() ? nullptr : load(*options_.cache, newest);
        }
    }

    // In the order of their texts.
    [[nodiscard]] std::vector<uint32_t> missing_from(const Database* database) const {
        std::vector<uint32_t> missing;
        for (const uint32_t i : order_) {
            if (database == nullptr || database->find(expressions_[i]) == Database::none) {
                missing.push_back(i);
            }
        }
        return missing;
    }

    void check(const std::vector<uint32_t>& which, std::vector<PatternError>& errors) const {
        const auto first = static_cast<ptrdiff_t>(errors.size());
        for (const uint32_t i : which) {
            if (auto why = why_refused(expressions_[i])) {
                errors.push_back({i, *std::move(why)});
            }
        }
        sort_errors(errors, first);
    }

    static void sort_errors(std::vector<PatternError>& errors, ptrdiff_t first) {
        std::sort(errors.begin() + first, errors.end(),
                  [](const PatternError& a, const PatternError& b) { return a.index < b.index; });
    }

    [[nodiscard]] std::vector<std::string> strings_of(const std::vector<uint32_t>& which) const {
        std::vector<std::string> strings;
        for (const uint32_t i : which) {
            strings.push_back(expressions_[i]);
        }
        return strings;
    }

    void compile_whole(std::vector<PatternError>& errors) {
        compile_layer(sorted_, order_, errors);
        if (!set_.layers_.empty() && options_.cache != nullptr && cost_us_ > options_.at_once_us) {
            store(*options_.cache, options_.name, *set_.layers_.front().database);
        }
    }

    // `strings[k]` is the expression with id ids[k].
    void compile_layer(std::vector<std::string> strings,
                       const std::vector<uint32_t>& ids,
                       std::vector<PatternError>& errors) {
        std::vector<PatternError> own;
        auto database = Database::compile(std::move(strings), own);
        const auto first = static_cast<ptrdiff_t>(errors.size());
        for (PatternError& error : own) {
            errors.push_back({ids[error.index], std::move(error.text)});
        }
        sort_errors(errors, first);
        if (database != nullptr) {
            add_layer(std::move(database));
        }
    }

    void add_layer(std::shared_ptr<const Database> database) {
        Layer layer;
        layer.bit_of.assign(database->expressions().size(), Database::none);
        for (uint32_t i = 0; i < expressions_.size(); ++i) {
            if (const uint32_t at = database->find(expressions_[i]); at != Database::none) {
                layer.bit_of[at] = i;
            }
        }
        layer.database = std::move(database);
        set_.layers_.push_back(std::move(layer));
    }

    const CompileOptions& options_;
    std::span<const std::string> expressions_;
    std::vector<uint32_t> order_;      // ids in the order of their texts
    std::vector<std::string> sorted_;  // the texts in that order
    uint64_t cost_us_ = 0;
    std::shared_ptr<const Database> base_;
    PatternSet set_;
};

PatternSet PatternSet::compile(std::span<const std::string> expressions,
                               const CompileOptions& options,
                               std::vector<PatternError>& errors) {
    return expressions.empty() ? PatternSet() : Builder(expressions, options).build(errors);
}

std::vector<std::string> PatternSet::expressions() const {
    std::vector<std::string> out(count_);
    for (const Layer& layer : layers_) {
        for (size_t i = 0; i < layer.bit_of.size(); ++i) {
            if (layer.bit_of[i] != Database::none) {
                out[layer.bit_of[i]] = layer.database->expressions()[i];
            }
        }
    }
    return out;
}

std::shared_ptr<const Database> PatternSet::base() const {
    return layers_.empty() ? nullptr : layers_.front().database;
}

size_t PatternSet::expressions_beside() const {
    return layers_.size() < 2 ? 0 : layers_[1].bit_of.size();
}

size_t PatternSet::database_bytes() const {
    size_t sum = 0;
    for (const Layer& layer : layers_) {
        sum += layer.database->bytes();
    }
    return sum;
}

bool PatternSet::merge_pending() const {
    if (layers_.size() != 1) {
        return layers_.size() > 1;
    }
    constexpr size_t masked_part = 8;  // one in so many may stay
    return (layers_[0].bit_of.size() - count_) * masked_part > layers_[0].bit_of.size();
}

void PatternSet::scan(std::string_view text, PatternScratch& scratch, MatchSet& out) const {
    SY_ASSERT(out.capacity() >= count_);
    out.clear();
    for (const Layer& layer : layers_) {
        layer.database->scan(text, scratch.hyperscan(), layer.bit_of.data(), out);
    }
}

std::shared_ptr<const Database> merge(std::vector<std::string> expressions,
                                      const std::string& name,
                                      DatabaseCache* cache) {
    std::sort(expressions.begin(), expressions.end());
    std::vector<PatternError> errors;
    auto database = Database::compile(std::move(expressions), errors);
    if (database != nullptr && cache != nullptr) {
        store(*cache, name, *database);
    }
    return database;
}

void PatternScratch::FreeScratch::operator()(hs_scratch* scratch) const {
    hs_free_scratch(scratch);
}

Result<void> PatternScratch::prepare(const PatternSet& set) {
    for (const PatternSet::Layer& layer : set.layers_) {
        SY_TRY(prepare(*layer.database));
    }
    return {};
}

Result<void> PatternScratch::prepare(const Database& database) {
    if (database.hyperscan() == nullptr) {
        return {};
    }
    hs_scratch_t* scratch = scratch_.release();
    const hs_error_t status = hs_alloc_scratch(database.hyperscan(), &scratch);
    scratch_.reset(scratch);
    return status == HS_SUCCESS ? Result<void>()
                                : fail("no memory for the scratch space of the expressions");
}

}  // namespace sy::match
