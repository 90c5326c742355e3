// The ESMEs: binds, submits within windows (closed loop) or by the schedule (open loop), checks
// every answer, receipt and MO message. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/smppload/context.h"
#include "bench/smppload/id_table.h"
#include "bench/smppload/pdu_view.h"
#include "bench/smppload/schedule.h"
#include "core/smpp/pdu.h"

namespace sy::load {

class CustomerSide final : public LinkHandler {
  public:
    explicit CustomerSide(Context& context) : context_(context) {}

    /// Starts all connections. In direct mode bind b goes to supplier_at[b % size].
    [[nodiscard]] Result<void> connect(const std::vector<Endpoint>& supplier_at);
    /// True once every bind was answered with ESME_ROK; an error when one was not.
    [[nodiscard]] Result<bool> bound() const;

    void begin(Nanos now);
    void stop_submitting() { submitting_ = false; }
    /// Submits what windows and schedule allow. Once a turn.
    void turn(Nanos now);
    /// When turn() has something to do by the clock alone.
    [[nodiscard]] Nanos next_ns() const;

    [[nodiscard]] uint64_t outstanding() const { return outstanding_; }
    [[nodiscard]] uint64_t receipts_awaited() const { return receipts_awaited_; }
    [[nodiscard]] uint32_t next_message() const { return next_message_; }
    /// Open loop: the longest that a message left behind its time, and how many left more than a
    /// millisecond behind it (every window was full, or we were too slow).
    [[nodiscard]] Nanos schedule_lag_max_ns() const { return lag_max_ns_; }
    [[nodiscard]] uint64_t late_messages() const { return late_messages_; }

    void probe();  // enquire_link on every session
    [[nodiscard]] uint32_t probes_unanswered() const;
    void unbind();
    [[nodiscard]] uint32_t sessions_open() const { return open_; }
    /// Counts what is left over at the end.
    void close_books();

    void on_accepted(uint32_t, Link&) override {}
    void on_connected(Link& link) override;
    void expect(const Link& link) const override;
    size_t on_bytes(Link& link, Octets octets, Nanos now) override;
    void on_closed(Link& link, const std::string& reason) override;

  private:
    enum class State : uint8_t { connecting, binding, bound, unbinding, closed };

    struct Slot {
        uint32_t message = 0;
        uint32_t sequence = 0;
        Nanos since_ns = 0;
        bool taken = false;
    };

    struct Session {
        Link* link = nullptr;
        uint16_t customer = 0;
        uint8_t direct_supplier = 0;
        bool submits = true;
        smpp::CommandId bind_command = smpp::CommandId::bind_transceiver;
        State state = State::connecting;
        uint32_t next_sequence = 1;
        uint32_t in_flight = 0;
        uint32_t slot_mask = 0;
        uint32_t probe_sequence = 0;
        bool probe_answered = true;
        bool may_fill = false;  // it is in may_fill_
        std::vector<Slot> slots;
    };

    struct Parked {
        uint32_t number = 0;
        uint16_t customer = 0;
        std::string id;
        std::string source;
        std::string destination;
        std::string stat;
        Nanos at_ns = 0;
    };

    [[nodiscard]] Result<void> add_session(uint32_t customer,
                                           smpp::CommandId command,
                                           const Endpoint& to,
                                           uint8_t direct_supplier);
    void handle(Session& session, const smpp::Header& header, Octets body, Nanos now);
    void on_submit_resp(Session& session, const smpp::Header& header, Octets body, Nanos now);
    void on_answer(Session& session, const Slot& slot, uint32_t status, Octets body, Nanos now);
    void on_error_answer(uint32_t message, uint16_t record, uint32_t status);
    void remember_id(uint32_t message, uint16_t customer, Octets body, Nanos now);
    void on_deliver(Session& session, const smpp::Header& header, Octets body, Nanos now);
    void on_receipt(Session& session, const SmView& sm, Nanos now);
    void settle_receipt(uint32_t message,
                        uint16_t owner,
                        uint16_t customer,
                        std::string_view source,
                        std::string_view destination,
                        std::string_view stat,
                        Nanos at_ns);
    void on_mo(Session& session, const SmView& sm, Nanos now);
    void fill(Session& session, Nanos now);
    void may_fill(Session& session);
    void turn_open_loop(Nanos now);
    [[nodiscard]] bool can_submit(const Session& session) const;
    void submit(Session& session, Nanos since_ns);
    void answer(Session& session, smpp::CommandId id, uint32_t sequence_number);
    void malformed(const Session& session, const smpp::Header& header);

    Context& context_;
    std::vector<std::unique_ptr<Session>> sessions_;
    uint32_t open_ = 0;  // of them
    // Closed loop: those whose window may have room. Of ten thousand few are answered in a turn.
    std::vector<Session*> may_fill_;
    std::optional<Schedule> schedule_;
    uint64_t messages_max_ = 0;
    bool submitting_ = false;
    uint32_t next_message_ = 0;
    size_t next_session_ = 0;
    uint64_t outstanding_ = 0;
    uint64_t receipts_awaited_ = 0;
    Nanos lag_max_ns_ = 0;
    uint64_t late_messages_ = 0;
    std::string bind_error_;
    IdTable ids_;
    std::vector<Parked> parked_;
    std::vector<uint32_t> parked_free_;
};

}  // namespace sy::load
