// The books of a simulation: what the peers sent and got, written down by the peers themselves, and
// the rules that must hold between them. The router is not asked, but for its counters at the end.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "core/base/time.h"
#include "core/route/account.h"
#include "core/route/error_table.h"
#include "core/smpp/pdu.h"
#include "core/smpp/status.h"
#include "io/sim/net.h"
#include "tests/sim/stream_log.h"

namespace sy::sim {

/// What the routing tables of one published snapshot say about one prefix, in the test's own words.
struct PrefixRule {
    enum class Kind : uint8_t { route, reject, drop, none };
    Kind kind = Kind::none;
    std::vector<uint16_t> suppliers;  // in order
};
/// Of one snapshot: a rule a prefix.
using RuleSet = std::vector<PrefixRule>;

/// Where a PDU stands in the octets of a link: behind its last one.
struct Place {
    uint64_t link = 0;
    uint64_t end = 0;
};

struct Attempt {
    uint16_t supplier = 0;
    uint64_t link = 0;
    uint64_t end = 0;  // of the request, in what the router sent there
    Nanos at_ns = 0;
    std::optional<uint32_t> status{};  // of the answer that was sent
    uint64_t answer_end = 0;           // in what the supplier sent
    Nanos answered_ns = 0;
};

struct ReceiptSent {
    size_t attempt = 0;  // of which it speaks
    uint8_t state = 0;
    bool final = true;
    bool acknowledged = false;  // deliver_sm_resp OK came
    uint32_t tries = 0;
};
struct ReceiptGot {
    uint64_t link = 0;
    uint64_t end = 0;
    uint8_t state = 0;
    std::optional<uint32_t> status{};  // of the answer that was sent
    uint64_t answer_end = 0;
    Nanos at_ns = 0;
    Nanos answered_ns = 0;
};

/// One submit_sm of a customer.
struct Submit {
    uint16_t customer = 0;
    uint16_t prefix = 0;
    uint64_t link = 0;
    Nanos sent_ns = 0;
    uint8_t source_ton = 0, source_npi = 0, destination_ton = 0, destination_npi = 0;
    std::string source_digits;  // as the customer wrote them
    std::string destination_digits;
    std::string number;  // the destination in E.164
    std::string text;
    uint8_t registered_delivery = 0;
    bool answered = false;
    uint32_t status = 0;
    std::string id;          // of the response
    std::string receipt_id;  // of the first receipt
    std::vector<Attempt> attempts;
    std::vector<ReceiptSent> receipts_sent;
    std::vector<ReceiptGot> receipts_got;
};

/// One deliver_sm of a supplier that is no receipt.
struct Mo {
    uint16_t supplier = 0;
    uint64_t link = 0;
    Nanos sent_ns = 0;
    uint16_t customer = 0;  // whose number it was sent to
    bool answered = false;
    uint32_t status = 0;
    struct Got {
        uint16_t customer = 0;
        uint64_t link = 0;
        uint64_t end = 0;
        Nanos at_ns = 0;
        std::optional<uint32_t> status{};
        uint64_t answer_end = 0;
        Nanos answered_ns = 0;
    };
    std::vector<Got> got;
};

class Ledger {
  public:
    /// `log_of`: what the router did on the link of that name; null: it never had it.
    using LogOf = std::function<const StreamLog*(const std::string& name)>;
    Ledger(SimNet& net, LogOf log_of) : net_(net), log_of_(std::move(log_of)) {}

    template <class... T>
    void violation(fmt::format_string<T...> format, T&&... values) {
        add_violation(fmt::format(format, std::forward<T>(values)...));
    }
    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

    // Links. A link that has not died has no entry in the second.
    uint64_t new_link(std::string name);
    void link_died(uint64_t link, Nanos now_ns);
    [[nodiscard]] bool alive_until(uint64_t link, Nanos until_ns) const;

    // Snapshots, in order of publication. `policies`: by supplier.
    void published(RuleSet rules, Nanos now_ns);
    void set_supplier(uint16_t supplier, route::OnUnknown on_unknown, Nanos response_ns);

    // Customers.
    [[nodiscard]] uint32_t next_token() const { return static_cast<uint32_t>(submits_.size()); }
    uint32_t submitted(Submit submit);  // returns the token
    void answered(uint32_t token, uint32_t status, std::string_view id);
    size_t receipt_delivered(uint32_t token, ReceiptGot got);
    void receipt_answered(uint32_t token, size_t index, uint32_t status, uint64_t answer_end);
    size_t mo_delivered(uint32_t token, Mo::Got got);
    void mo_customer_answered(uint32_t token, size_t index, uint32_t status, uint64_t answer_end);

    [[nodiscard]] StreamLog::Between written(const Place& place) const;
    /// The router certainly still waits at `at_ns` for the answer to what it wrote then.
    [[nodiscard]] bool awaited(Nanos written_ns, Nanos at_ns) const;

    // Suppliers.
    size_t attempted(uint32_t token, uint16_t supplier, const Place& place);
    void attempt_answered(uint32_t token, size_t attempt, uint32_t status, uint64_t answer_end);
    size_t receipt_sent(uint32_t token, size_t attempt, uint8_t state, bool final);
    void receipt_tried(uint32_t token, size_t index);
    void receipt_acknowledged(uint32_t token, size_t index);
    [[nodiscard]] uint32_t next_mo() const { return static_cast<uint32_t>(mos_.size()); }
    uint32_t mo_sent(Mo mo);
    void mo_answered(uint32_t token, uint32_t status);

    [[nodiscard]] Submit* submit(uint32_t token);
    [[nodiscard]] Mo* mo(uint32_t token);
    /// The token whose message went to this destination; every message has one of its own.
    [[nodiscard]] std::optional<uint32_t> token_of(const std::string& destination_digits) const;

    void allow_lost_receipts() { receipts_may_be_lost_ = true; }
    /// Everything that can only be said when all is over.
    void balance();

    /// All that is known of one message, for people.
    [[nodiscard]] std::string story(uint32_t token) const;

    struct Totals {
        uint64_t submits = 0, answered_ok = 0, answered_error = 0, unanswered = 0;
        uint64_t attempts = 0, attempts_heard = 0, duplicates = 0;
        uint64_t receipts_sent = 0, receipts_got = 0, receipts_duplicate = 0;
        uint64_t mo = 0, mo_ok = 0, mo_error = 0, mo_got = 0;
        uint64_t links = 0, links_died = 0;
    };
    [[nodiscard]] Totals totals() const;

  private:
    struct Published {
        Nanos at_ns = 0;
        RuleSet rules;
    };
    struct Policy {
        route::OnUnknown on_unknown = route::OnUnknown::fail;
        Nanos response_ns = 0;
    };

    void add_violation(std::string text);
    [[nodiscard]] bool allowed(const Submit& submit, PrefixRule::Kind kind) const;
    [[nodiscard]] bool may_reach(const Submit& submit, uint16_t supplier) const;
    [[nodiscard]] bool ended_for_resend(const Attempt& attempt) const;
    template <class Asked>
    [[nodiscard]] bool heard_in_time(const Asked& asked) const;
    [[nodiscard]] bool written_behind(const ReceiptGot& next, const ReceiptGot& first) const;
    [[nodiscard]] bool may_be_older(const Attempt& next, const Attempt& than) const;
    [[nodiscard]] const StreamLog* log_of(uint64_t link) const;
    void balance_submit(uint32_t token, const Submit& submit);
    void balance_attempts(uint32_t token, const Submit& submit);
    void balance_repetitions(uint32_t token, const Submit& submit);
    void balance_receipts(uint32_t token, const Submit& submit);
    void balance_mo(uint32_t token, const Mo& mo);

    SimNet& net_;
    LogOf log_of_;
    std::vector<std::string> violations_;
    std::vector<std::string> link_names_;  // link - 1
    std::unordered_map<uint64_t, Nanos> died_;
    std::vector<Published> published_;
    std::map<uint16_t, Policy> policies_;
    std::deque<Submit> submits_;
    std::deque<Mo> mos_;
    std::unordered_map<std::string, uint32_t> by_destination_;
    route::ErrorTable errors_;
    bool receipts_may_be_lost_ = false;
    Nanos shortest_response_ns_ = second_ns;
};

}  // namespace sy::sim
