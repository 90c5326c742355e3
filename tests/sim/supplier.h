// A simulated supplier: an SMSC that the router binds to. It answers late, out of order, with
// errors or never, sends receipts on any of its links, before or after the response, with ids in
// the form drawn, and MO messages.
#pragma once

#include <vector>

#include "tests/sim/peer.h"

namespace sy::sim {

struct SupplierNature {
    uint16_t index = 0;
    std::string system_id;
    std::string password;
    Endpoint listen;
    uint32_t window = 10;  // of the account: the router must keep to it
    std::string number_prefix;
    route::MessageIdMode id_mode = route::MessageIdMode::as_is;
    Nanos delay_max_ns = 100 * millisecond_ns;
    Nanos mo_pace_ns = 500 * millisecond_ns;
    // Parts in 1,000.
    uint32_t refused = 50;  // final statuses
    uint32_t busy = 50;     // statuses that mean: next, or a pause
    uint32_t late = 10;     // answered after seconds
    uint32_t silent = 5;    // never answered
    uint32_t early_receipt = 100;
    uint32_t bind_refused = 0;
    uint32_t hang_up = 0;
    uint32_t slow_reader = 0;
};

class Supplier final : public Peer {
  public:
    Supplier(Network& network, Ledger& ledger, uint64_t seed, const SupplierNature& nature);

    /// Inbound numbers, by customer.
    void start(const std::vector<std::string>& numbers);
    void stop_traffic() { traffic_ = false; }
    void behave();
    /// Everybody is thrown out; back after a while.
    void restart();
    [[nodiscard]] bool any_bound() const;
    [[nodiscard]] size_t deliveries_open() const { return deliveries_.size(); }
    [[nodiscard]] uint64_t submits() const { return submits_; }

  protected:
    void link_up(PeerLink& link) override;
    void link_down(PeerLink& link, CloseReason reason) override;
    void pdu(PeerLink& link, const smpp::Frame& frame) override;

  private:
    // A deliver_sm on its way to the router.
    struct Delivery {
        bool is_receipt = false;
        uint32_t token = 0;
        size_t index = 0;  // of the receipt
        uint8_t state = 0;
        bool final = true;
        std::string id;
        uint32_t tries = 0;
    };

    void on_bind(PeerLink& link, const smpp::Frame& frame);
    void on_submit(PeerLink& link, const smpp::Frame& frame);
    void check_submit(PeerLink& link, uint32_t sequence_number, uint32_t token, const smpp::Sm& sm);
    void respond(PeerLink& link, uint32_t sequence_number, uint32_t token, size_t attempt);
    void plan_receipts(uint32_t token, size_t attempt, const std::string& id, Nanos after_ns);
    void on_deliver_resp(PeerLink& link, const smpp::Frame& frame);
    void deliver(uint32_t delivery);
    void write_receipt(PeerLink& link, uint32_t sequence_number, const Delivery& delivery);
    void write_mo(PeerLink& link, uint32_t sequence_number, const Delivery& delivery);
    void retry(uint32_t delivery, Nanos after_ns);
    void send_mo();
    [[nodiscard]] PeerLink* receiving_link();
    [[nodiscard]] std::string id_in_response(uint64_t id);
    [[nodiscard]] std::string id_in_receipt(uint64_t id);

    SupplierNature nature_;
    std::vector<std::string> numbers_;
    bool traffic_ = true;
    uint64_t next_id_;
    uint64_t submits_ = 0;
    uint32_t next_delivery_ = 0;
    std::map<uint32_t, Delivery> deliveries_;
};

}  // namespace sy::sim
