// A simulated customer: some ESME binds to the router that submit, take receipts and MO messages,
// and misbehave as drawn.
#pragma once

#include <vector>

#include "tests/sim/peer.h"

namespace sy::sim {

struct CustomerNature {
    uint16_t index = 0;
    std::string system_id;
    std::string password;
    std::vector<smpp::CommandId> binds;
    uint8_t interface_version = 0x34;
    uint32_t window = 10;                 // keeps to it
    Nanos pace_ns = 50 * millisecond_ns;  // between bursts of one bind
    // Parts in 1,000.
    uint32_t receipts = 600;      // submits that ask for one
    uint32_t data_sm = 0;         // of the messages, as data_sm with message_payload
    uint32_t deliver_late = 50;   // deliver_sm answered after seconds
    uint32_t deliver_silent = 0;  // never answered
    uint32_t deliver_temporary = 0;
    uint32_t deliver_refused = 0;
    uint32_t hang_up = 0;  // after a burst: close, reset or unbind
    uint32_t slow_reader = 0;
};

class Customer final : public Peer {
  public:
    Customer(Network& network,
             Ledger& ledger,
             uint64_t seed,
             const CustomerNature& nature,
             const Endpoint& router,
             const std::vector<std::string>& prefixes);

    void start();
    void stop_traffic() { traffic_ = false; }
    /// From here on it answers everything at once and stays.
    void behave();
    [[nodiscard]] bool all_bound() const;
    [[nodiscard]] size_t outstanding() const;

  protected:
    void link_up(PeerLink& link) override;
    void link_down(PeerLink& link, CloseReason reason) override;
    void pdu(PeerLink& link, const smpp::Frame& frame) override;

  private:
    void bind(size_t index);
    void on_bind_resp(PeerLink& link, const smpp::Frame& frame);
    void on_submit_resp(PeerLink& link, const smpp::Frame& frame);
    void on_deliver(PeerLink& link, const smpp::Frame& frame);
    void on_receipt(PeerLink& link, uint32_t sequence_number, const smpp::Sm& sm);
    void on_mo(PeerLink& link, uint32_t sequence_number, const smpp::Sm& sm);
    // `note` gets the status and where the answer ends in what the link sends.
    void answer(PeerLink& link,
                uint32_t sequence_number,
                std::function<void(uint32_t, uint64_t)> note);
    void burst(PeerLink& link);
    void submit(PeerLink& link);
    void leave(PeerLink& link);

    CustomerNature nature_;
    Endpoint router_;
    const std::vector<std::string>& prefixes_;
    bool traffic_ = true;
    bool stopped_ = false;
};

}  // namespace sy::sim
