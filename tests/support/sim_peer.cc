#include "tests/support/sim_peer.h"

#include <algorithm>

#include "core/smpp/framer.h"

namespace sy::test {

using smpp::CommandId;
using smpp::CommandStatus;

SimPeer::SimPeer(sim::SimNet& net, const std::string& address)
    : net_(net),
      transport_(net,
                 {.connections_max = 64,
                  .address = parse_endpoint(address + ":0").value(),
                  .close_linger_ns = second_ns}),
      links_(64) {}

void SimPeer::listen(const std::string& at) {
    SY_ASSERT(transport_.listen(parse_endpoint(at).value()).has_value());
}

ConnId SimPeer::connect(const std::string& to) {
    const ConnId conn = transport_.connect(parse_endpoint(to).value()).value();
    links_[conn.slot] = {};
    return conn;
}

ConnId SimPeer::bind(const std::string& to,
                     CommandId kind,
                     const std::string& system_id,
                     const std::string& password,
                     uint8_t version) {
    const ConnId conn = connect(to);
    smpp::Bind bind;
    bind.system_id = system_id;
    bind.password = password;
    bind.interface_version = version;
    send_pdu(conn, [&](auto out) { return smpp::encode_bind(out, kind, 1, bind); });
    return conn;
}

void SimPeer::send(ConnId conn, const std::string& octets) {
    links_[conn.slot].out += octets;
    flush(conn);
}

void SimPeer::submit(ConnId conn, uint32_t sequence, const smpp::Sm& sm) {
    send_pdu(conn,
             [&](auto out) { return smpp::encode_sm(out, CommandId::submit_sm, sequence, sm); });
}

void SimPeer::answer(const Pdu& request, CommandStatus status, const std::string& message_id) {
    const CommandId id = smpp::response_to(request.header.command_id);
    const uint32_t sequence = request.header.sequence_number;
    send_pdu(request.conn, [&](auto out) {
        const bool has_body = id == CommandId::submit_sm_resp || id == CommandId::deliver_sm_resp ||
                              id == CommandId::data_sm_resp;
        return status == CommandStatus::esme_rok && has_body
                   ? smpp::encode_sm_resp(out, id, sequence, {message_id, {}})
                   : smpp::encode_empty(out, id, status, sequence);
    });
}

bool SimPeer::turn() {
    return transport_.poll(net_.now_ns(), *this) > 0;
}

std::vector<const Pdu*> SimPeer::all(CommandId id) const {
    std::vector<const Pdu*> out;
    for (const Pdu& pdu : received) {
        if (pdu.header.command_id == id) {
            out.push_back(&pdu);
        }
    }
    return out;
}

const Pdu* SimPeer::response(ConnId conn, uint32_t sequence) const {
    for (const Pdu& pdu : received) {
        if (pdu.conn == conn && pdu.header.sequence_number == sequence &&
            smpp::is_response(pdu.header.command_id)) {
            return &pdu;
        }
    }
    return nullptr;
}

bool SimPeer::is_live(ConnId conn) const {
    return std::ranges::find(live, conn) != live.end();
}

void SimPeer::on_accepted(ConnId conn, const Endpoint& peer) {
    (void)peer;
    links_[conn.slot] = {.in = "", .out = "", .connected = true};
    live.push_back(conn);
}

void SimPeer::on_connected(ConnId conn) {
    links_[conn.slot].connected = true;
    live.push_back(conn);
    flush(conn);
}

size_t SimPeer::on_bytes(ConnId conn, Octets octets) {
    std::string& in = links_[conn.slot].in;
    in += as_chars(octets);
    size_t at = 0;
    while (true) {
        Octets rest = as_octets(std::string_view(in).substr(at));
        const size_t before = rest.size();
        smpp::Frame frame;
        if (smpp::next_frame(rest, limits::pdu_bytes_max, frame) != smpp::FrameOutcome::complete) {
            break;
        }
        at += before - rest.size();
        take({frame.header, std::string(as_chars(frame.body)), conn});
    }
    in.erase(0, at);
    return octets.size();
}

void SimPeer::on_writable(ConnId conn) {
    flush(conn);
}

void SimPeer::on_closed(ConnId conn, CloseReason reason) {
    (void)reason;
    std::erase(live, conn);
    std::erase(bound, conn);
}

void SimPeer::flush(ConnId conn) {
    Link& link = links_[conn.slot];
    if (link.connected && !link.out.empty()) {
        link.out.erase(0, transport_.send(conn, as_octets(link.out)));
    }
}

void SimPeer::take(const Pdu& pdu) {
    if (on_pdu && on_pdu(pdu)) {
        return;
    }
    answered_by_itself(pdu);
    received.push_back(pdu);
}

bool SimPeer::answered_by_itself(const Pdu& pdu) {
    const uint32_t sequence = pdu.header.sequence_number;
    switch (pdu.header.command_id) {
        case CommandId::bind_receiver:
        case CommandId::bind_transmitter:
        case CommandId::bind_transceiver:
            if (!answer_binds) {
                return false;
            }
            bound.push_back(pdu.conn);
            send_pdu(pdu.conn, [&](auto out) {
                return smpp::encode_bind_resp(out, smpp::response_to(pdu.header.command_id),
                                              sequence, {"smsc", {}});
            });
            return true;
        case CommandId::enquire_link:
        case CommandId::unbind:
            if (!answer_enquire && pdu.header.command_id == CommandId::enquire_link) {
                return false;
            }
            answer(pdu, CommandStatus::esme_rok);
            return true;
        case CommandId::submit_sm:
            if (answer_submits) {
                answer(pdu, submit_status, std::to_string(next_id++));
            }
            return answer_submits;
        case CommandId::deliver_sm:
            if (answer_delivers) {
                answer(pdu, CommandStatus::esme_rok);
            }
            return answer_delivers;
        default:
            return false;
    }
}

smpp::Sm sm(std::string_view from, std::string_view to, std::string_view text) {
    smpp::Sm out;
    out.source = {5, 0, from};
    out.destination = {1, 1, to};
    out.short_message = as_octets(text);
    return out;
}

}  // namespace sy::test
