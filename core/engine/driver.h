// Couples one Worker to one transport: the loop body of a worker thread, and of a simulated worker.
// One indirect decision a turn, none a message. Used by the worker's thread alone.
#pragma once

#include "core/engine/transport.h"
#include "core/engine/worker.h"

namespace sy::engine {

template <class T>
    requires Transport<T, Worker>
class Driver {
  public:
    Driver(Worker& worker, T& transport) : worker_(worker), transport_(transport) {}

    /// One turn: poll, route, send, act. True when something happened: do not sleep yet.
    bool turn(const Now& now) {
        worker_.begin_turn(now);
        const uint32_t events = transport_.poll(now.mono_ns, worker_);
        worker_.run();
        send();
        act();
        worker_.end_turn();
        return events > 0 || worker_.busy();
    }

    /// Sleeps until the transport has something, another worker rings or a timer is due. REQUIRES:
    /// the transport's wake() is registered with Hub::set_waker where there are several workers.
    void sleep() {
        if (worker_.prepare_sleep()) {
            transport_.wait(worker_.next_wakeup_ns());
            worker_.finish_sleep();
        }
    }

    [[nodiscard]] Nanos next_wakeup_ns() const { return worker_.next_wakeup_ns(); }

  private:
    void send() {
        worker_.flush([this](ConnId conn, Octets octets) { return transport_.send(conn, octets); },
                      [this](ConnId conn) { expect(conn); });
    }

    void expect([[maybe_unused]] ConnId conn) {
        if constexpr (Expects<T>) {
            transport_.expect(conn);
        }
    }

    void act() {
        if (worker_.wants_no_listeners() && !listeners_closed_) {
            listeners_closed_ = true;
            transport_.close_listeners();
        }
        // By index: connect_started() may add actions.
        for (size_t i = 0; i < worker_.actions().size(); ++i) {
            const Action action = worker_.actions()[i];
            switch (action.kind) {
                case Action::Kind::connect: {
                    const auto conn = transport_.connect(action.endpoint);
                    worker_.connect_started(action.trunk, conn ? *conn : ConnId{});
                    break;
                }
                case Action::Kind::close:
                    transport_.close(action.conn);
                    break;
                case Action::Kind::abort:
                    transport_.abort(action.conn);
                    break;
                case Action::Kind::pause:
                    transport_.pause(action.conn);
                    break;
                case Action::Kind::resume:
                    transport_.resume(action.conn);
                    break;
            }
        }
        worker_.clear_actions();
    }

    Worker& worker_;
    T& transport_;
    bool listeners_closed_ = false;
};

}  // namespace sy::engine
