// compile(): a checked Config into the snapshot that workers read.
#include <fmt/format.h>
#include <tbb/parallel_invoke.h>

#include "core/config/complaints.h"
#include "core/config/config.h"
#include "core/config/expressions.h"

namespace sy::config {
namespace {

using BuildError = route::MtTable::BuildError;

bool report(const std::string& file,
            const std::vector<BuildError>& errors,
            const std::vector<ExpressionCell>& cells,
            std::vector<Diagnostic>& diagnostics) {
    Complaints complaints(file);
    for (const BuildError& error : errors) {
        complaints.error(place_of(cells, error.line, error.column),
                         fmt::format("{}: {}", error.column, error.text));
    }
    complaints.append_to(diagnostics);
    return errors.empty();
}

// An equal account keeps the object that workers and sessions already know.
template <class IdType, class Account>
void place_account(IdType id,
                   const Account& account,
                   const std::vector<std::shared_ptr<const Account>>* previous,
                   std::vector<std::shared_ptr<const Account>>& accounts) {
    std::shared_ptr<const Account> object;
    if (previous != nullptr && id.value < previous->size()) {
        object = (*previous)[id.value];
    }
    if (object == nullptr || *object != account) {
        object = std::make_shared<const Account>(account);
    }
    accounts.at(id.value) = std::move(object);
}

void place_accounts(const Config& config,
                    const Registry& registry,
                    const route::Snapshot* previous,
                    route::Snapshot& snapshot) {
    snapshot.customers.resize(registry.customers().size());
    snapshot.suppliers.resize(registry.suppliers().size());
    for (const auto& [id, account] : config.customers) {
        place_account(id, account, previous == nullptr ? nullptr : &previous->customers,
                      snapshot.customers);
        snapshot.customer_by_system_id.emplace(account.system_id, id);
    }
    for (const auto& [id, account] : config.suppliers) {
        place_account(id, account, previous == nullptr ? nullptr : &previous->suppliers,
                      snapshot.suppliers);
    }
}

struct Sources {
    route::PatternSource mt;
    route::PatternSource mo;
};

std::shared_ptr<const route::Prices> prices_of(const Config& config, const Registry& registry) {
    auto prices = std::make_shared<route::Prices>();
    prices->buy = config.buy_prices;
    prices->sell = config.sell_prices;
    prices->currency = config.currency;
    prices->margins.resize(registry.customers().size());
    for (const auto& [id, account] : config.customers) {
        prices->margins.at(id.value) = account.margin;
    }
    return prices;
}

bool build_tables(const Config& config,
                  const Registry& registry,
                  const route::Snapshot* previous,
                  match::DatabaseCache* cache,
                  route::Snapshot& snapshot,
                  std::vector<Diagnostic>& diagnostics) {
    Sources sources{{.cache = cache}, {.cache = cache}};
    if (previous != nullptr) {
        sources.mt.running = &previous->mt.patterns();
        sources.mt.groups = &previous->mt.text_groups();
        sources.mo.running = &previous->mo.patterns();
    }
    std::vector<std::pair<std::string, CustomerId>> numbers;
    for (const auto& [id, account] : config.customers) {
        for (const std::string& number : account.numbers) {
            numbers.emplace_back(number, id);
        }
    }
    std::vector<BuildError> mt_errors;
    std::vector<BuildError> mo_errors;
    // The file keeps its rules alive.
    const std::shared_ptr<const route::MtRules> mt_rules(config.mt, &config.mt->rules);
    tbb::parallel_invoke(
        [&] {
            // Names keep their ids: a table of the same rules is the same table.
            const bool same = previous != nullptr && &previous->mt.rules() == mt_rules.get();
            snapshot.mt =
                same ? previous->mt
                     : route::MtTable::build(mt_rules, registry.plans(), mt_errors, {}, sources.mt);
            snapshot.mt.set_networks(config.networks);
            snapshot.mt.set_prices(prices_of(config, registry));
        },
        [&] {
            snapshot.mo =
                route::MoTable::build(config.mo_rules, std::move(numbers), mo_errors, sources.mo);
        });
    snapshot.errors = route::ErrorTable(config.error_rules);
    const bool mt_good = report(config.mt_file, mt_errors, config.mt->expressions, diagnostics);
    const bool mo_good = report(config.mo_file, mo_errors, config.mo_expressions, diagnostics);
    return mt_good && mo_good;
}

bool prepare_scratches(const Config& config,
                       route::Snapshot& snapshot,
                       std::vector<Diagnostic>& diagnostics) {
    const auto prepared = route::prepare_scratches(config.runtime.workers.size(), snapshot);
    if (!prepared) {
        diagnostics.push_back(
            {Diagnostic::Severity::error, config.mt_file, 0, 0,
             fmt::format("no memory to scan with its expressions: {}", prepared.error().text)});
    }
    return prepared.has_value();
}

}  // namespace

std::unique_ptr<route::Snapshot> compile(const Config& config,
                                         const Registry& registry,
                                         const route::Snapshot* previous,
                                         std::vector<Diagnostic>& diagnostics,
                                         match::DatabaseCache* cache) {
    auto snapshot = std::make_unique<route::Snapshot>();
    snapshot->generation = previous == nullptr ? 1 : previous->generation + 1;
    snapshot->system_id = config.system_id;
    snapshot->timers = config.timers;
    snapshot->quality = config.quality;
    snapshot->retry = config.retry;
    snapshot->record_fields = config.records.fields;
    place_accounts(config, registry, previous, *snapshot);
    if (!build_tables(config, registry, previous, cache, *snapshot, diagnostics) ||
        !prepare_scratches(config, *snapshot, diagnostics)) {
        return nullptr;
    }
    return snapshot;
}

}  // namespace sy::config
