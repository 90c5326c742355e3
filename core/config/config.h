// switchyard.toml and the tables beside it: read, checked as a whole, every complaint collected,
// then compiled into a snapshot. Control plane only. Files come through a function, so nothing here
// opens one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/endpoint.h"
#include "core/base/result.h"
#include "core/match/database_cache.h"
#include "core/route/account.h"
#include "core/route/networks.h"
#include "core/route/prices.h"
#include "core/route/quality.h"
#include "core/route/rules.h"
#include "core/route/snapshot.h"

namespace sy::config {

/// Printed as "file:line:column: error: text". Line and column are 1-based; 0 is left out.
struct Diagnostic {
    enum class Severity : uint8_t { warning, error };
    Severity severity = Severity::error;
    std::string file;
    uint32_t line = 0;
    uint32_t column = 0;
    std::string text;  // what is wrong, the value, what was expected
};
[[nodiscard]] std::string to_string(const Diagnostic& diagnostic);

/// Where an expression of a table stands: Hyperscan refuses it only when the table is compiled.
struct ExpressionCell {
    enum class Column : uint8_t { sender, text };
    uint32_t row_line = 0;  // MtRule::line, MoRule::line
    Column column = Column::sender;
    uint32_t cell_line = 0;
    uint32_t cell_column = 0;
};

/// mt.csv after checking. Immutable, shared by the configurations that did not change it.
struct MtFile {
    route::MtRules rules;
    std::vector<ExpressionCell> expressions;  // in the order of the rows
    struct Plan {
        std::string name;
        uint32_t line = 0;  // of its first row
    };
    std::vector<Plan> plans;  // each that a row is of, but the screening plan
};

/// Equal for files whose rows say the same.
struct FileIdentity {
    uint64_t content_hash = 0;
    uint64_t names_hash = 0;  // of what the file was read with; 0 where that does not matter
    std::string path;

    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// What became of a file, for as long as its content and what its rows may name stay the same.
template <class Table>
struct CompiledFile {
    FileIdentity identity;
    std::shared_ptr<const Table> table;
    std::vector<Diagnostic> warnings;  // repeated at every load
    std::vector<NetworkId> networks;   // ported.csv: that its rows name
    std::string currency;              // prices.csv, sell.csv: known after it

    [[nodiscard]] bool is_of(const FileIdentity& file) const {
        return table != nullptr && identity == file;
    }
};

/// Names get the same ids for as long as the process lives, across reloads. A name that goes keeps
/// its id, so that a late receipt still finds its account.
class Registry {
  public:
    [[nodiscard]] CustomerId customer(std::string_view name);  // none when customers_max is reached
    [[nodiscard]] SupplierId supplier(std::string_view name);
    [[nodiscard]] PlanId plan(std::string_view name);
    [[nodiscard]] NetworkId network(std::string_view mccmnc);
    [[nodiscard]] const std::vector<std::string>& networks() const { return networks_; }
    [[nodiscard]] const std::vector<std::string>& customers() const { return customers_; }
    [[nodiscard]] const std::vector<std::string>& suppliers() const { return suppliers_; }
    [[nodiscard]] const std::vector<std::string>& plans() const { return plans_; }

    /// Of the last configuration without errors: what did not change is not compiled again.
    CompiledFile<route::Networks> networks_file;
    CompiledFile<route::PortedNumbers> ported_file;
    CompiledFile<route::BuyPrices> prices_file;
    CompiledFile<route::SellPrices> sell_file;
    CompiledFile<MtFile> mt_file;

  private:
    using Index = std::unordered_map<std::string, uint16_t>;

    std::vector<std::string> customers_;
    std::vector<std::string> suppliers_;
    std::vector<std::string> plans_;
    std::vector<std::string> networks_;
    Index customer_index_;
    Index supplier_index_;
    Index plan_index_;
    Index network_index_;
};

enum class TransportKind : uint8_t { kernel, dpdk };
enum class Idle : uint8_t { adaptive, spin };

struct Runtime {
    std::vector<uint32_t> workers = {0};  // CPUs, one pinned worker each
    TransportKind transport = TransportKind::kernel;
    Idle idle = Idle::adaptive;
    uint32_t connections_max = 16'384;  // per worker
    uint32_t messages_max = 65'536;     // in flight per worker
    Nanos drain_ns = 30 * second_ns;    // SIGTERM: bound on settling what is in flight
};

/// Who spreads the frames of a port over the workers.
enum class RssMode : uint8_t {
    automatic,  // the device where it can, else the workers
    software,   // the workers, whatever the device can
};

/// [[dpdk.port]]: a network device that the router's own TCP/IP stack drives.
struct DpdkPort {
    using Address = std::array<uint8_t, 16>;  // as in Endpoint

    std::string device;           // as EAL names it: "net_tap0", "0000:3b:00.0"
    std::vector<Cidr> addresses;  // ours, each with its network; never empty
    std::optional<Address> gateway_ipv4;
    std::optional<Address> gateway_ipv6;
    uint16_t vlan = 0;    // 0: no tag
    uint32_t mtu = 1500;  // octets of an IP packet
    uint32_t rx_descriptors = 1024;
    uint32_t tx_descriptors = 1024;
    RssMode rss = RssMode::automatic;
    bool offloads = true;

    friend bool operator==(const DpdkPort&, const DpdkPort&) = default;
};

struct Dpdk {
    std::vector<std::string> eal;  // arguments of rte_eal_init
    std::vector<DpdkPort> ports;

    friend bool operator==(const Dpdk&, const Dpdk&) = default;
};

/// [store]: what survives a restart, and how surely.
struct Store {
    std::string path;          // folder; empty: nothing survives
    bool every_commit = true;  // on disk before the customer or supplier is answered
    Nanos interval_ns = 100 * millisecond_ns;  // else no later than this
    Nanos age_ns = Nanos{72} * 3600 * second_ns;
    uint64_t size_max_bytes = uint64_t{50} << 30;
    uint64_t memory_bytes = 512 << 20;

    friend bool operator==(const Store&, const Store&) = default;
};

struct Logging {
    std::string path;  // empty: standard error
    std::string level = "info";
    bool json = false;
};

enum class RecordFormat : uint8_t { json, csv };

/// When records are on disk whatever happens to the machine.
enum class RecordSync : uint8_t {
    none,      // at the end of the process alone
    rotate,    // whenever a file is complete
    interval,  // every sync_ns
};

struct Records {
    std::string path;  // folder for files; empty: none
    RecordFormat format = RecordFormat::json;
    uint64_t rotate_bytes = uint64_t{1} << 30;  // 0: never by size
    Nanos rotate_ns = 0;                        // 0: never by time
    RecordSync sync = RecordSync::rotate;
    Nanos sync_ns = 0;
    uint64_t ring_bytes = 16 << 20;  // a worker
    uint64_t hold_bytes = 64 << 20;  // of lines that wait for a disk that fails
    route::RecordFields fields;
    std::string kafka;  // brokers; empty: none
    std::string kafka_topic = "switchyard-records";
    std::vector<std::pair<std::string, std::string>> kafka_options;

    [[nodiscard]] bool on() const { return !path.empty() || !kafka.empty(); }
    friend bool operator==(const Records&, const Records&) = default;
};

struct Config {
    std::string directory;  // of the root file; relative paths start here
    Runtime runtime;
    Dpdk dpdk;  // used with TransportKind::dpdk alone, checked always
    std::vector<Endpoint> listen;
    std::string system_id = "switchyard";
    route::Timers timers;  // [smpp]: of peers that are not bound yet, and what accounts start from
    Logging logging;
    Store store;
    route::RetrySchedule retry;
    Records records;
    std::string cache_path;  // folder for compiled expressions; empty: none
    std::optional<Endpoint> admin_listen;
    std::vector<std::pair<CustomerId, route::Customer>> customers;
    std::vector<std::pair<SupplierId, route::Supplier>> suppliers;
    route::NetworkTables networks;
    std::shared_ptr<const route::BuyPrices> buy_prices;    // null: no prices.csv
    std::shared_ptr<const route::SellPrices> sell_prices;  // null: no sell.csv
    std::string currency;                                  // of both; may be empty
    route::QualityOptions quality;
    std::shared_ptr<const MtFile> mt = std::make_shared<const MtFile>();  // never null
    std::vector<route::MoRule> mo_rules;
    std::vector<route::ErrorRule> error_rules;
    std::vector<ExpressionCell> mo_expressions;  // in the order of the rows
    std::string mt_file, mo_file, errors_file;   // paths as diagnostics name them
};

/// The whole file's octets, or why it cannot be read.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

/// Reads and checks everything. Nothing if there is any error, and then `registry` is as it was;
/// warnings alone do not stop it.
[[nodiscard]] std::optional<Config> load(const std::string& root_path,
                                         const ReadFile& read_file,
                                         Registry& registry,
                                         std::vector<Diagnostic>& diagnostics);

/// Compiles tables and accounts. Accounts equal to those of `previous` (may be null) keep their
/// objects, MT rules that are the same keep their table, and its compiled expressions, or those of
/// `cache` (may be null), are used again as far as they go. Null if there is any error (an
/// expression that Hyperscan refuses ...).
[[nodiscard]] std::unique_ptr<route::Snapshot> compile(const Config& config,
                                                       const Registry& registry,
                                                       const route::Snapshot* previous,
                                                       std::vector<Diagnostic>& diagnostics,
                                                       match::DatabaseCache* cache = nullptr);

}  // namespace sy::config
