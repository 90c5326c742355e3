// A simulated SMPP peer: one transport, its links, PDUs in and out, things to do later. What it
// says and how it misbehaves is in customer.h and supplier.h. Single thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_map>

#include "core/smpp/decode.h"
#include "core/smpp/encode.h"
#include "core/smpp/framer.h"
#include "tests/sim/ledger.h"
#include "tests/sim/network.h"

namespace sy::sim {

/// One TCP connection of a peer.
struct PeerLink {
    uint64_t serial = 0;  // never used twice in a run
    ConnId conn;
    bool up = false;
    bool bound = false;
    bool can_transmit = false;  // in the direction ESME to SMSC
    bool can_receive = false;
    bool leaving = false;      // unbind sent or received: no new requests
    size_t account_index = 0;  // which of its binds (customers)
    Nanos last_in_ns = 0;
    std::string in;
    std::string out;
    uint64_t octets_in = 0;   // that were read
    uint64_t pdu_end = 0;     // of these, up to the end of the PDU in hand
    uint64_t octets_out = 0;  // that were written, sent or not
    uint32_t next_sequence = 1;
    std::unordered_map<uint32_t, uint32_t> outstanding;  // our sequence number -> token
    // The router's sequence numbers that are unanswered, when it wrote the request (suppliers).
    std::map<uint32_t, Nanos> requests_in;
};

class Peer {
  public:
    Peer(Network& network, Ledger& ledger, uint64_t seed, const Endpoint& address);
    virtual ~Peer() = default;
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    void turn();
    /// When the next turn is wanted, if nothing arrives before.
    [[nodiscard]] Nanos next_ns() const;
    [[nodiscard]] bool has_work() const { return transport_->has_work(); }
    [[nodiscard]] size_t links_up() const;

    // TransportHandler.
    void on_accepted(ConnId conn, const Endpoint& from);
    void on_connected(ConnId conn);
    size_t on_bytes(ConnId conn, Octets octets);
    void on_writable(ConnId conn);
    void on_closed(ConnId conn, CloseReason reason);

  protected:
    virtual void link_up(PeerLink& link) = 0;
    virtual void link_down(PeerLink& link, CloseReason reason) = 0;
    virtual void pdu(PeerLink& link, const smpp::Frame& frame) = 0;

    // Starts a connect; the link exists at once and is up when link_up() comes.
    PeerLink* connect(const Endpoint& to);
    void later(Nanos after_ns, std::function<void()> action);
    /// As later(), but forgotten when the link is gone by then.
    void later(const PeerLink& link, Nanos after_ns, std::function<void(PeerLink&)> action);
    [[nodiscard]] PeerLink* find(uint64_t serial);
    void send(PeerLink& link, std::span<const uint8_t> pdu);
    void send_empty(PeerLink& link,
                    smpp::CommandId id,
                    uint32_t sequence_number,
                    smpp::CommandStatus status = smpp::CommandStatus::esme_rok);
    void hang_up(PeerLink& link, bool with_reset);
    /// enquire_link, unbind and their responses: alike for all. True when it was one of them.
    bool common_pdu(PeerLink& link, const smpp::Frame& frame);
    [[nodiscard]] Nanos between(Nanos from_ns, Nanos to_ns);
    [[nodiscard]] Nanos now_ns() const { return network_.now_ns(); }
    [[nodiscard]] std::span<uint8_t> buffer() { return buffer_; }

    Network& network_;
    Ledger& ledger_;
    Prng prng_;
    std::unique_ptr<PeerTransport> transport_;
    std::map<uint64_t, PeerLink> links_;  // by serial: walked in a fixed order
    uint32_t slow_reader = 0;  // parts in 1,000 of reads that make it stop reading for a while

  private:
    PeerLink* find(ConnId conn);
    void flush(PeerLink& link);
    void came_up(PeerLink& link);
    void keep_alive(PeerLink& link);
    void note_cut(const PeerLink& link);

    std::unordered_map<uint32_t, uint64_t> by_slot_;
    std::multimap<Nanos, std::function<void()>> actions_;
    std::array<uint8_t, 8192> buffer_{};
};

}  // namespace sy::sim
