// Everything that can be asked of smppload. Filled by the command line, then read only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/endpoint.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/smpp/status.h"

namespace sy::load {

enum class Mode : uint8_t {
    both,    // customers and suppliers here, a router between them
    esme,    // customers only
    smsc,    // suppliers only
    direct,  // customers connect straight to the suppliers, no router
};
enum class CustomerBind : uint8_t { trx, tx_rx };
// How the id in a receipt relates to the one in submit_sm_resp, as suppliers do it.
enum class IdForm : uint8_t { as_is, hex_decimal, decimal_hex };
// Mistakes that the supplier side makes on purpose, to show that the checks find them.
enum class Fault : uint8_t {
    none,
    lose,               // says accepted, but the message never arrived
    duplicate,          // the message arrives twice
    alter,              // one octet of the text differs
    misroute,           // the message arrives at another supplier
    no_answer,          // no submit_sm_resp
    answer_twice,       // two submit_sm_resp
    wrong_sequence,     // submit_sm_resp with a sequence number that was never used
    false_status,       // accepted, but answered with an error
    wrong_id,           // the receipt carries an id that nobody was given
    lose_receipt,       // no receipt
    duplicate_receipt,  // two of them
    wrong_stat,         // the receipt tells another state
    deaf,               // enquire_link goes unanswered at the end
};

struct Range {
    Nanos low_ns = 0;
    Nanos high_ns = 0;
};
struct ErrorShare {
    smpp::CommandStatus status{};
    double share = 0;
};
struct Stat {
    std::string word = "DELIVRD";
    uint8_t message_state = 2;
    double share = 1;
};

// The device under --dpdk. A pair: smppload on one end, the router's process on the other.
enum class DpdkKind : uint8_t {
    none,    // kernel sockets
    memif,   // a pair
    vhost,   // a pair: virtio_user here, vhost there
    device,  // one that --dpdk-device names
};
struct DpdkOptions {
    DpdkKind kind = DpdkKind::none;
    std::string eal;                            // arguments, for both ends of a pair
    std::string device;                         // as EAL names it
    std::string socket = "/run/smppload.sock";  // of a pair
    Cidr address;                               // ours, with its network
    uint32_t mtu = 1500;
};

struct Options {
    Mode mode = Mode::both;
    uint64_t seed = 1;

    DpdkOptions dpdk;

    // Customers.
    Endpoint router;
    uint32_t customers = 1;
    std::vector<std::string> system_ids;  // one a customer
    std::vector<std::string> passwords;
    uint32_t binds = 8;  // a customer
    CustomerBind bind_mode = CustomerBind::trx;
    uint32_t window = 200;
    double rate = 0;        // messages/s over all customers; 0: closed loop
    uint64_t messages = 0;  // 0: by time
    Nanos duration_ns = 10 * second_ns;
    Nanos warmup_ns = 0;

    // Suppliers.
    uint32_t suppliers = 4;
    Endpoint listen;                  // of the first; the others on the ports behind it
    uint32_t supplier_binds = 1;      // wait for so many on each before starting
    uint32_t supplier_window = 1000;  // for the written configuration
    Range supplier_latency;
    std::vector<ErrorShare> error_mix;
    double receipts = 0;
    Range receipt_delay;
    std::vector<Stat> stats = {Stat{}};
    double receipt_before_response = 0;
    IdForm receipt_id = IdForm::as_is;
    bool receipt_other_bind = false;
    uint32_t deliver_window = 100;
    double mo_rate = 0;

    // Routes and content.
    uint32_t prefixes = 1000;
    std::string prefix_file;  // an mt.csv instead of a generated set
    uint32_t expressions = 0;
    double expression_rows = 1;     // share of prefixes with an expression row
    double expression_share = 0.2;  // share of messages that match the expression of their prefix
    bool fallback = false;          // every rule has a second supplier behind the first
    uint32_t destinations = 65536;
    double zipf = 0;          // 0: uniform over the prefixes
    uint32_t text_bytes = 0;  // 0: so that a submit_sm has 165 octets on average

    // The run.
    bool allow_refusals = false;
    Nanos start_timeout_ns = 30 * second_ns;
    Nanos drain_timeout_ns = 10 * second_ns;
    bool spin = false;
    Nanos pace_ns = 20 * microsecond_ns;  // what is due in that time leaves together
    int cpu = -1;
    int router_pid = 0;  // 0: not measured
    std::string csv;
    std::string json;
    Fault fault = Fault::none;
    uint32_t fault_at = 777;  // which message

    // --write-config
    std::string write_config;
    std::vector<uint32_t> workers = {0};
    std::string admin = "127.0.0.1:8080";
    std::string options_text;  // what was asked, for the file beside the written configuration
};

/// "5", "5:20" in milliseconds.
[[nodiscard]] Result<Range> parse_range_ms(const std::string& text);
/// "RTHROTTLED:0.01,RSYSERR:0.001"
[[nodiscard]] Result<std::vector<ErrorShare>> parse_error_mix(const std::string& text);
/// "DELIVRD:0.9,UNDELIV:0.1"
[[nodiscard]] Result<std::vector<Stat>> parse_stat_mix(const std::string& text);
/// What contradicts itself, ready to be printed.
[[nodiscard]] Result<void> check_options(const Options& options);

[[nodiscard]] std::string customer_name(uint32_t customer);
[[nodiscard]] std::string supplier_name(uint32_t supplier);
/// The inbound number of a customer, for MO messages.
[[nodiscard]] std::string customer_number(uint32_t customer);

}  // namespace sy::load
