#include "tests/sim/transports.h"

#include "tests/sim/network.h"

namespace sy::sim {

std::string Carrier::name_of(ConnId conn, bool router_end) const {
    if (streams_) {
        return std::to_string(streams_->link_id(conn));
    }
    const tcpip::FlowKey& key = stack_->stack().connection(conn.slot).key;
    const Endpoint remote{key.remote.octets, key.remote_port};
    const Endpoint local{key.local.octets, key.local_port};
    return router_end ? to_string(local) + " " + to_string(remote)
                      : to_string(remote) + " " + to_string(local);
}

// ---------------------------------------------------------------- the router's

void RouterTransport::open_log(ConnId conn) {
    logs_[conn.slot] = {conn.generation, &network_.open_log(carrier_.name_of(conn, true))};
}

size_t RouterTransport::send(ConnId conn, Octets octets) {
    const size_t taken = carrier_.send(conn, octets);
    if (StreamLog* log = log_of(conn)) {
        log->offered(network_.now_ns(), octets.size(), taken);
    }
    return taken;
}

void RouterTransport::note_read(ConnId conn, Nanos now_ns, size_t octets) {
    if (StreamLog* log = log_of(conn); log != nullptr && octets > 0) {
        log->read(now_ns, octets);
    }
}

void RouterTransport::note_end(ConnId conn) {
    if (StreamLog* log = log_of(conn)) {
        log->ended(network_.now_ns());
    }
}

void RouterTransport::close(ConnId conn) {
    note_end(conn);
    carrier_.close(conn);
}

void RouterTransport::abort(ConnId conn) {
    note_end(conn);
    carrier_.abort(conn);
}

// ---------------------------------------------------------------- a peer's

void PeerTransport::up(ConnId conn) {
    Fault& fault = faults_[conn.slot];
    fault = {.generation = conn.generation};
    if (carrier_.stack() != nullptr) {
        network_.draw_cut(fault.cut, fault.after);
    }
}

size_t PeerTransport::send(ConnId conn, Octets octets) {
    Fault* fault = fault_of(conn);
    if (fault == nullptr || fault->after == never_ns) {
        return carrier_.send(conn, octets);
    }
    if (fault->cut_ns != never_ns) {
        return octets.size();  // goes nowhere
    }
    const uint64_t left = fault->after - fault->sent;
    const size_t taken = carrier_.send(conn, octets.first(std::min<size_t>(octets.size(), left)));
    fault->sent += taken;
    if (fault->sent == fault->after) {
        fault->cut_ns = network_.now_ns();
        switch (fault->cut) {
            case Cut::fin:
                carrier_.close(conn);
                break;
            case Cut::rst:
                carrier_.abort(conn);
                break;
            case Cut::silence:
                network_.mute(carrier_.stack()->stack().connection(conn.slot).key);
                break;
        }
    }
    return taken;
}

Nanos PeerTransport::cut_ns(ConnId conn) {
    if (carrier_.streams() != nullptr) {
        return carrier_.streams()->cut_ns(conn);
    }
    const Fault* fault = fault_of(conn);
    const StreamLog* log = network_.find_log(name_of(conn));
    return std::min(fault == nullptr ? never_ns : fault->cut_ns,
                    log == nullptr ? never_ns : log->ended_ns());
}

}  // namespace sy::sim
