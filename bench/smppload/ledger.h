// The books: what became of every message, receipt and MO message, seen from both ends. Two octets
// a message in one flat array, indexed by the message's number; what is wrong is counted by kind,
// with the first few examples in words. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/smppload/reserved_array.h"
#include "core/smpp/status.h"

namespace sy::load {

enum class Trouble : uint8_t {
    unanswered,
    answered_twice,
    unknown_sequence,
    lost,
    reached_twice,
    misrouted,
    altered,
    unreadable,
    false_status,
    accepted_but_refused,
    refused,
    receipt_lost,
    receipt_unknown_id,
    receipt_wrong_customer,
    receipt_altered,
    receipt_unasked,
    mo_lost,
    mo_twice,
    mo_misrouted,
    mo_altered,
    session_lost,
    session_deaf,
    unbind_unclean,
    malformed,
    count_,
};
[[nodiscard]] const char* describe(Trouble trouble);

class Ledger {
  public:
    // Bits of a record.
    static constexpr uint16_t submitted = 1 << 0;
    static constexpr uint16_t answered = 1 << 1;
    static constexpr uint16_t answered_ok = 1 << 2;
    static constexpr uint16_t reached = 1 << 3;        // a supplier saw it
    static constexpr uint16_t accepted = 1 << 4;       // and said ESME_ROK
    static constexpr uint16_t receipt_sent = 1 << 5;   // by the supplier
    static constexpr uint16_t receipt_home = 1 << 6;   // at the customer
    static constexpr uint16_t receipt_asked = 1 << 7;  // as the customer submitted it
    // Above the bits: how often suppliers refused it, and the last refusal's status.
    static constexpr uint32_t attempts_max = 15;
    [[nodiscard]] static uint32_t attempts(uint16_t record) { return (record >> 8) & 15u; }
    /// 0: never refused, else 1 + index into the error mix.
    [[nodiscard]] static uint32_t last_status(uint16_t record) { return record >> 12; }
    static void add_refusal(uint16_t& record, uint8_t status_index) {
        const uint32_t count = std::min(attempts(record) + 1, attempts_max);
        record = static_cast<uint16_t>((record & 0xFFu) | reached | count << 8 |
                                       uint32_t{status_index} << 12);
    }

    explicit Ledger(uint64_t messages_max) : messages_(messages_max), direct_(messages_max) {}

    [[nodiscard]] uint16_t& message(uint32_t number) { return messages_[number]; }
    [[nodiscard]] uint16_t message(uint32_t number) const { return messages_[number]; }
    [[nodiscard]] uint64_t messages_max() const { return messages_.size(); }
    /// Direct mode: the supplier that the message was sent to.
    [[nodiscard]] uint8_t& direct_supplier(uint32_t number) { return direct_[number]; }

    /// Counts it; the first few with their story.
    void trouble(Trouble kind, std::string story);
    void trouble(Trouble kind, uint64_t count) { troubles_[static_cast<size_t>(kind)] += count; }
    [[nodiscard]] uint64_t troubles(Trouble kind) const {
        return troubles_[static_cast<size_t>(kind)];
    }
    [[nodiscard]] uint64_t troubles() const;
    [[nodiscard]] const std::vector<std::string>& stories(Trouble kind) const {
        return stories_[static_cast<size_t>(kind)];
    }

    /// The final look at every record. `suppliers_here`, `customers_here`: which ends were ours.
    void audit(uint32_t message_count, bool customers_here, bool suppliers_here);

    // Totals.
    uint64_t submits = 0;
    uint64_t answers_ok = 0;
    std::map<uint32_t, uint64_t> answers_error;    // by status, as the customers saw them
    std::map<uint32_t, uint64_t> supplier_errors;  // by status, as the suppliers answered
    uint64_t refusals = 0;                         // answered with an error, no supplier asked
    std::vector<uint64_t> arrivals;                // by supplier
    uint64_t receipts_sent = 0;
    uint64_t receipts_home = 0;
    uint64_t receipts_refused = 0;  // deliver_sm answered with an error, repeated by us
    uint64_t mo_sent = 0;
    uint64_t mo_home = 0;
    std::vector<uint8_t> mo;  // by number: 1 sent, 2 home

  private:
    static constexpr size_t stories_max = 4;

    ReservedArray<uint16_t> messages_;
    ReservedArray<uint8_t> direct_;
    std::array<uint64_t, static_cast<size_t>(Trouble::count_)> troubles_{};
    std::array<std::vector<std::string>, static_cast<size_t>(Trouble::count_)> stories_;
};

/// "RTHROTTLED", or "0x00000458" for a status that has no name.
[[nodiscard]] std::string status_text(uint32_t status);

}  // namespace sy::load
