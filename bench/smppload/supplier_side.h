// The SMSCs: one listener a supplier, takes the router's binds, answers submit_sm after the wanted
// latency with the wanted mix of statuses, sends receipts and MO messages, and checks that every
// message is here once, unaltered and at the right supplier. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/smppload/context.h"
#include "bench/smppload/event_wheel.h"
#include "bench/smppload/pdu_view.h"
#include "bench/smppload/schedule.h"
#include "core/smpp/pdu.h"

namespace sy::load {

class SupplierSide final : public LinkHandler {
  public:
    explicit SupplierSide(Context& context);

    [[nodiscard]] Result<void> listen();
    [[nodiscard]] const std::vector<Endpoint>& endpoints() const { return endpoints_; }
    /// Every supplier has at least so many binds.
    [[nodiscard]] bool bound(uint32_t binds_each) const;
    [[nodiscard]] std::string describe_binds() const;

    void begin(Nanos now);
    void stop_mo() { mo_schedule_.reset(); }
    /// Delayed answers, receipts, MO messages. Once a turn.
    void turn(Nanos now);
    [[nodiscard]] Nanos next_ns() const;
    /// Answers and receipts that are still to go out or to be answered.
    [[nodiscard]] uint64_t pending() const { return wheel_.size() + waiting_ + unanswered_; }

    void probe();
    [[nodiscard]] uint32_t probes_unanswered() const;
    void unbind();
    [[nodiscard]] uint32_t sessions_open() const;
    void close_books();

    void on_accepted(uint32_t listener, Link& link) override;
    void on_connected(Link&) override {}
    size_t on_bytes(Link& link, Octets octets, Nanos now) override;
    void on_closed(Link& link, const std::string& reason) override;

  private:
    enum class State : uint8_t { open, bound, unbinding, closed };
    enum class Kind : uint8_t { response, receipt, mo };

    // Something that goes out by itself: a delayed response, a receipt, an MO message.
    struct Item {
        Kind kind = Kind::response;
        uint8_t status_index = 0;  // 0: ESME_ROK, else 1 + index into the error mix
        uint16_t repeats = 0;
        uint32_t session = 0;
        uint32_t number = 0;    // of the message
        uint32_t id = 0;        // that we gave it
        uint32_t sequence = 0;  // of the submit_sm, or of our deliver_sm while it is unanswered
    };

    struct Session {
        Link* link = nullptr;
        uint8_t supplier = 0;
        State state = State::open;
        bool delivers = false;  // a receiver or transceiver
        bool queued = false;    // in ready_
        uint32_t next_sequence = 1;
        uint32_t in_flight = 0;  // unanswered deliver_sm
        uint32_t slot_mask = 0;
        uint32_t probe_sequence = 0;
        bool probe_answered = true;
        std::vector<Item> slots;    // unanswered deliver_sm by sequence number; sequence 0: free
        std::vector<Item> waiting;  // receipts and MO messages to be sent, from waiting_head on
        size_t waiting_head = 0;
    };

    void handle(Session& session, const smpp::Header& header, Octets body, Nanos now);
    void on_bind(Session& session, const smpp::Header& header);
    // A readable submit_sm whose destination is on its way into the cache. Points into the octets
    // of the on_bytes() that it came with.
    struct Arrival {
        Session* session = nullptr;
        SmView sm;
        uint32_t message = 0;
        uint32_t sequence_number = 0;
    };

    void on_submit(Session& session, const smpp::Header& header, Octets body, Nanos now);
    void take_arrival(Nanos now);
    void arrived(Session& session, uint32_t message, const Choice& choice, const SmView& sm);
    void check_content(uint32_t message, const Choice& choice, const SmView& sm);
    [[nodiscard]] uint8_t choose_status(uint32_t message, uint32_t attempt) const;
    void accept(Session& session,
                uint32_t message,
                bool wants_receipt,
                uint32_t sequence_number,
                Nanos now);
    void refuse(Session& session,
                uint32_t message,
                uint32_t sequence_number,
                uint8_t status_index,
                Nanos now);
    void respond(const Item& item);
    void fire(const Item& item, Nanos now);
    void queue_deliver(Item item, Nanos now);
    [[nodiscard]] Session* deliver_session(const Item& item);
    void drain_waiting(Nanos now);
    [[nodiscard]] bool can_deliver(const Session& session) const;
    void deliver(Session& session, Item item, Nanos now);
    void on_deliver_resp(Session& session, const smpp::Header& header, Nanos now);
    void make_mo(Nanos now);
    void answer(Session& session, smpp::CommandId id, uint32_t sequence_number);
    void malformed(const Session& session, const smpp::Header& header);
    [[nodiscard]] size_t write_response_id(uint8_t* to, const Session& session, uint32_t id) const;
    [[nodiscard]] size_t write_receipt_id(uint8_t* to, const Session& session, uint32_t id) const;
    [[nodiscard]] size_t encode_receipt(const Session& session, const Item& item, uint8_t* to);
    [[nodiscard]] size_t encode_mo(const Session& session, const Item& item, uint8_t* to);
    [[nodiscard]] Nanos draw(const Range& range);
    [[nodiscard]] bool faulty(Fault fault, uint32_t message) const {
        return context_.options.fault == fault && message == context_.options.fault_at;
    }

    Context& context_;
    std::vector<Endpoint> endpoints_;
    std::vector<std::unique_ptr<Session>> sessions_;
    std::vector<uint32_t> next_id_;            // by supplier
    std::vector<uint32_t> next_deliver_bind_;  // by supplier
    EventWheel<Item> wheel_;
    std::vector<uint32_t> ready_;  // sessions with something waiting
    std::vector<uint32_t> ready_before_;
    uint64_t waiting_ = 0;
    uint64_t unanswered_ = 0;
    std::optional<Schedule> mo_schedule_;
    uint32_t next_mo_ = 0;
    bool listening_ = true;
    bool answer_probes_ = true;
    Prng prng_;
    Arrival arrival_;              // looked at, not yet taken; session null: none
    std::array<char, 11> date_{};  // YYMMDDhhmm of the start, in every receipt
};

}  // namespace sy::load
