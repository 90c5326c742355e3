// A scripted SMPP peer over the simulated network: it connects or listens, sends the PDUs that a
// test gives it, keeps what it receives, and may answer by itself. Not the engine's code: a plain
// decoder loop, so that both ends do not share a mistake in session handling.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/smpp/decode.h"
#include "core/smpp/encode.h"
#include "io/sim/net.h"
#include "io/sim/transport.h"

namespace sy::test {

/// A PDU with its octets; the views of decode_* point into `body`.
struct Pdu {
    smpp::Header header;
    std::string body;
    ConnId conn;

    [[nodiscard]] Octets octets() const { return as_octets(body); }
    [[nodiscard]] smpp::CommandStatus status() const {
        return static_cast<smpp::CommandStatus>(header.command_status);
    }
};

class SimPeer {
  public:
    explicit SimPeer(sim::SimNet& net, const std::string& address);

    /// As a supplier: listens, answers bind, enquire_link, unbind by itself; submit_sm goes to
    /// `on_submit`, which by default answers OK with ids "1", "2", ...
    void listen(const std::string& at);
    /// As a customer.
    ConnId connect(const std::string& to);
    ConnId bind(const std::string& to,
                smpp::CommandId kind,
                const std::string& system_id,
                const std::string& password = "secret",
                uint8_t version = 0x34);

    void send(ConnId conn, const std::string& octets);
    /// Encodes with `encode(std::span<uint8_t>) -> size_t` and sends.
    template <class Encode>
    void send_pdu(ConnId conn, Encode&& encode) {
        std::string buffer(70'000, '\0');
        const size_t bytes =
            encode(std::span<uint8_t>(reinterpret_cast<uint8_t*>(buffer.data()), buffer.size()));
        buffer.resize(bytes);
        send(conn, buffer);
    }
    void submit(ConnId conn, uint32_t sequence, const smpp::Sm& sm);
    void answer(const Pdu& request, smpp::CommandStatus status, const std::string& message_id = "");
    void close(ConnId conn) { transport_.close(conn); }
    void abort(ConnId conn) { transport_.abort(conn); }
    /// From now on it does not take what arrives on that connection.
    void stop_reading(ConnId conn) { transport_.pause(conn); }
    void start_reading(ConnId conn) { transport_.resume(conn); }

    bool turn();
    [[nodiscard]] Nanos next_wakeup_ns() const { return sim::never_ns; }

    /// Called for every PDU that is not answered by itself; false: keep it in `received`.
    std::function<bool(const Pdu&)> on_pdu;
    bool answer_binds = true;
    bool answer_enquire = true;
    bool answer_submits = true;
    bool answer_delivers = true;
    smpp::CommandStatus submit_status = smpp::CommandStatus::esme_rok;

    std::vector<Pdu> received;
    std::vector<ConnId> bound;  // supplier side: links that sent a bind, live
    std::vector<ConnId> live;
    uint64_t next_id = 1;

    /// Of a kind, in order of arrival.
    [[nodiscard]] std::vector<const Pdu*> all(smpp::CommandId id) const;
    [[nodiscard]] const Pdu* response(ConnId conn, uint32_t sequence) const;
    [[nodiscard]] bool is_live(ConnId conn) const;

    // TransportHandler.
    void on_accepted(ConnId conn, const Endpoint& peer);
    void on_connected(ConnId conn);
    size_t on_bytes(ConnId conn, Octets octets);
    void on_writable(ConnId conn);
    void on_closed(ConnId conn, CloseReason reason);

  private:
    struct Link {
        std::string in;
        std::string out;
        bool connected = false;
    };
    void take(const Pdu& pdu);
    bool answered_by_itself(const Pdu& pdu);
    void flush(ConnId conn);

    sim::SimNet& net_;
    sim::SimTransport transport_;
    std::vector<Link> links_;
};

/// A submit_sm or deliver_sm with the given essentials; the strings must outlive it.
[[nodiscard]] smpp::Sm sm(std::string_view from, std::string_view to, std::string_view text);

}  // namespace sy::test
