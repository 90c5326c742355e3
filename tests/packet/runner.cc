#include "tests/packet/runner.h"

#include <algorithm>

#include "core/base/assert.h"
#include "tests/packet/icmp.h"
#include "tests/packet/script_run.h"

namespace sy::test {
namespace {

using sim::Packet;
using sim::PacketKind;

class Runner final : public ScriptRun {
  public:
    using ScriptRun::ScriptRun;

    RunResult run(const StackFactory& factory) {
        auto made = factory(link_.port(stack_end), setup_);
        if (!made) {
            return {.passed = false, .message = script_.name + ": " + made.error().text};
        }
        stack_ = std::move(*made);
        settle();
        for (const Step& step : script_.steps) {
            step_ = &step;
            if (problem_.empty()) {
                perform(step);
            }
        }
        if (problem_.empty()) {
            finish();
        }
        return {.passed = problem_.empty(), .message = report(), .hash = link_.hash()};
    }

  private:
    // Steps.

    void perform(const Step& step) {
        switch (step.op) {
            case Op::expect:
            case Op::expect_icmp:
            case Op::expect_who_has:
            case Op::expect_is_at:
                expect_output(step);
                return;
            case Op::expect_nothing:
                expect_nothing(step);
                return;
            case Op::event_accepted:
            case Op::event_connected:
            case Op::event_closed:
            case Op::event_writable:
                expect_event(step);
                return;
            case Op::event_bytes:
                expect_bytes(step);
                return;
            default:
                break;
        }
        const Nanos at_ns = time_of(step);
        if (at_ns < link_.now_ns()) {
            complain("the clock is already at " + seconds_text(link_.now_ns() - script_start_ns));
            return;
        }
        run_to(at_ns);
        at_ns_ = at_ns;
        act(step);
        settle();
    }

    void act(const Step& step) {
        switch (step.op) {
            case Op::inject:
                inject(step);
                break;
            case Op::inject_icmp:
                inject_icmp(step);
                break;
            case Op::inject_who_has:
                inject_who_has();
                break;
            case Op::inject_is_at:
                if (step.amount) {
                    addresses_.peer_mac[5] = static_cast<uint8_t>(*step.amount);
                }
                inject_is_at();
                break;
            case Op::event_nothing:
                if (!events_.empty() || delivered_ > 0) {
                    complain("the application was told something");
                }
                break;
            case Op::wait:
            case Op::skip:
                run_to(at_ns_ + step.duration_ns);
                at_ns_ += step.duration_ns;
                if (step.op == Op::skip) {
                    outputs_.clear();
                }
                break;
            case Op::use:
                flow_number_ = static_cast<uint32_t>(*step.amount);
                flow();
                break;
            case Op::fresh: {
                const Flow old = flow();
                flows_.erase(flow_number_);
                flow().peer_iss = old.peer_iss;
                break;
            }
            case Op::peer_iss:
                flow().peer_iss = static_cast<uint32_t>(*step.amount);
                break;
            case Op::counter:
                check_counter(step);
                break;
            case Op::stale_calls:
                call_stale();
                break;
            case Op::stack_iss:
                expect_iss(flow(), static_cast<uint32_t>(*step.amount));
                break;
            case Op::link_up:
            case Op::link_down:
                link_.set_link_up(stack_end, step.op == Op::link_up);
                break;
            default:
                call(step);
                break;
        }
    }

    void check_counter(const Step& step) {
        const auto value = step.name == "connections_used"
                               ? std::optional<uint64_t>(stack_->connections_used())
                               : stack_->counter(step.name);
        if (!value) {
            complain("the stack has no counter of this name");
        } else if (*value != *step.amount) {
            complain("it is " + std::to_string(*value));
        }
    }

    void call_stale() {
        const auto found = ended_.find(flow_number_);
        if (found == ended_.end()) {
            complain("no connection of this flow has ended");
            return;
        }
        const ConnId conn = found->second;
        if (stack_->send(conn, as_octets("stale")) != 0) {
            complain("send() takes octets for a connection that has ended");
        }
        stack_->pause(conn);
        stack_->resume(conn);
        stack_->close(conn);
        stack_->abort(conn);
    }

    /// The stack's initial number is a secret of its own: a script that needs a certain one waits
    /// for its time, and says so here, lest it passes without testing what it is for.
    void expect_iss(const Flow& of, uint32_t wanted) {
        if (of.stack_iss != wanted) {
            complain("the stack's initial number is " +
                     (of.stack_iss ? std::to_string(*of.stack_iss) : "not known") + ", expected " +
                     std::to_string(wanted));
        }
    }

    /// The application's calls.
    void call(const Step& step) {
        Flow& mine = flow();
        log(step.text, mine);
        const auto result = [&](const Result<void>& got) {
            if (!got) {
                complain(got.error().text);
            }
        };
        switch (step.op) {
            case Op::listen:
                listening_ = static_cast<uint16_t>(*step.amount);
                mine.stack_port = listening_;
                result(stack_->listen({addresses_.stack.octets, listening_}));
                return;
            case Op::close_listeners:
                stack_->close_listeners();
                return;
            case Op::connect:
            case Op::connect_self:
            case Op::connect_fails:
                connect(step.op, mine);
                return;
            case Op::consume:
                budget_ =
                    step.amount ? (budget_ == everything ? 0 : budget_) + *step.amount : everything;
                return;
            default:
                break;
        }
        if (!mine.conn.valid()) {
            complain("there is no connection to call this for");
            return;
        }
        call_connection(step, mine);
    }
    void connect(Op op, Flow& mine) {
        mine.stack_port.reset();
        const tcpip::IpAddress& to = op == Op::connect_self ? addresses_.stack : addresses_.peer;
        const auto conn = stack_->connect({to.octets, mine.peer_port});
        if (conn.has_value() == (op == Op::connect_fails)) {
            complain(conn ? "connect() took it" : conn.error().text);
        }
        if (conn) {
            mine.conn = *conn;
        }
    }
    void call_connection(const Step& step, Flow& mine) {
        switch (step.op) {
            case Op::send: {
                std::string octets(*step.amount, '\0');
                for (size_t i = 0; i < octets.size(); ++i) {
                    octets[i] =
                        static_cast<char>(stream_octet(mine.stack_salt(), mine.app_sent + i));
                }
                // Known before the call: a stack may send from within it.
                mine.app_sent += octets.size();
                const size_t took = stack_->send(mine.conn, as_octets(octets));
                mine.app_sent -= octets.size() - took;
                if (took != octets.size()) {
                    log("  send took " + std::to_string(took), mine);
                }
                return;
            }
            case Op::close:
                stack_->close(mine.conn);
                return;
            case Op::abort:
                stack_->abort(mine.conn);
                return;
            case Op::pause:
                stack_->pause(mine.conn);
                return;
            case Op::resume:
                stack_->resume(mine.conn);
                return;
            default:
                SY_ASSERT(false);
        }
    }

    // What the peer sends.

    void inject(const Step& step) {
        const Flow& mine = flow();
        if (!mine.stack_port) {
            complain("no 'listen' or 'connect' has said which port to send to");
            return;
        }
        const std::string octets = put([&](std::span<uint8_t> out) {
            return write_segment(out, step.segment, mine, addresses_);
        });
        const Packet packet = sim::parse_packet(as_octets(octets));
        log(packet.kind == PacketKind::tcp ? notation(as_octets(octets), packet, mine, true)
                                           : step.text,
            mine);
    }
    void inject_who_has() {
        log("< who-has", flow());
        put([&](std::span<uint8_t> out) {
            return write_neighbour(out,
                                   {.kind = Neighbour::Kind::who_has,
                                    .target = addresses_.stack,
                                    .sender = addresses_.peer,
                                    .mac = addresses_.peer_mac},
                                   addresses_.stack_mac);
        });
    }
    void inject_icmp(const Step& step) {
        const Flow& mine = flow();
        log(step.text, mine);
        if (step.icmp.kind == IcmpSpec::Kind::echo_request ||
            step.icmp.kind == IcmpSpec::Kind::echo_reply) {
            put([&](std::span<uint8_t> out) {
                return write_echo(out, step.icmp.kind == IcmpSpec::Kind::echo_request, addresses_);
            });
            return;
        }
        if (mine.last_frame.empty()) {
            complain("the stack has sent no segment to quote");
            return;
        }
        std::string quoted = mine.last_frame;
        const Packet packet = sim::parse_packet(as_octets(quoted));
        if (step.icmp.quoted_seq) {
            store_be(reinterpret_cast<uint8_t*>(quoted.data()) + packet.l4 + 4,
                     static_cast<uint32_t>(static_cast<uint64_t>(*step.icmp.quoted_seq)) +
                         mine.stack_iss.value_or(0));
        }
        put([&](std::span<uint8_t> out) {
            return sim::write_icmp_error(out, icmp_error(step.icmp, script_.ipv6), addresses_.peer,
                                         as_octets(quoted), packet);
        });
    }

    // What is expected.

    /// Checks that something which came at `came_ns` came when the step says.
    bool in_time(const Step& step, Nanos came_ns) {
        const Nanos due_ns = time_of(step);
        if (step.anytime || (came_ns >= due_ns && came_ns <= due_ns + step.within_ns)) {
            at_ns_ = std::max(at_ns_, came_ns);
            return true;
        }
        const bool early = came_ns < due_ns;
        complain("it came at " + seconds_text(came_ns - script_start_ns) + ", " +
                 seconds_text(early ? due_ns - came_ns : came_ns - due_ns - step.within_ns) +
                 (early ? " early" : " late"));
        return false;
    }
    void expect_output(const Step& step) {
        const auto here = [&] { return !outputs_.empty(); };
        run_until(time_of(step) + step.within_ns, here);
        if (!problem_.empty()) {
            return;
        }
        const std::string difference =
            outputs_.empty()
                ? "nothing came until " + seconds_text(link_.now_ns() - script_start_ns)
                : output_mismatch(step, outputs_.front());
        if (!difference.empty() && step.optional) {
            return;  // whatever came is left to the next step
        }
        if (outputs_.empty()) {
            complain(difference);
            return;
        }
        const Output output = std::move(outputs_.front());
        outputs_.pop_front();
        if (!difference.empty()) {
            complain(difference + "\n    came:    " + describe(output));
        } else {
            in_time(step, output.at_ns);
        }
    }
    std::string describe(const Output& output) {
        if (output.packet.kind == PacketKind::tcp) {
            return notation(as_octets(output.frame), output.packet, *flow_of(output.packet), false);
        }
        if (output.neighbour.kind != Neighbour::Kind::none) {
            return output.neighbour.kind == Neighbour::Kind::who_has ? "> who-has" : "> is-at";
        }
        const auto* icmp = reinterpret_cast<const uint8_t*>(output.frame.data()) + output.packet.l4;
        return "> icmp type " + std::to_string(icmp[0]) + " code " + std::to_string(icmp[1]);
    }
    std::string output_mismatch(const Step& step, const Output& output) {
        const Octets frame = as_octets(output.frame);
        switch (step.op) {
            case Op::expect: {
                if (output.packet.kind != PacketKind::tcp) {
                    return "no segment came";
                }
                const Flow* found = flow_of(output.packet);
                if (found->number != flow_number_) {
                    return "a segment of flow " + std::to_string(found->number) + " came";
                }
                return mismatch(step.segment, frame, output.packet, *found);
            }
            case Op::expect_icmp:
                return icmp_mismatch(step.icmp, script_.ipv6, frame, output.packet);
            case Op::expect_who_has:
                return output.neighbour.kind == Neighbour::Kind::who_has &&
                               output.neighbour.target == addresses_.peer
                           ? ""
                           : "no question for the peer came";
            default:
                return output.neighbour.kind == Neighbour::Kind::is_at &&
                               output.neighbour.target == addresses_.stack &&
                               output.neighbour.mac == addresses_.stack_mac
                           ? ""
                           : "no answer with the stack's address and MAC came";
        }
    }
    void expect_nothing(const Step& step) {
        const Nanos to_ns = time_of(step) + step.duration_ns;
        const auto here = [&] { return !outputs_.empty(); };
        run_until(to_ns, here);
        if (!outputs_.empty()) {
            complain("something came at " + seconds_text(outputs_.front().at_ns - script_start_ns) +
                     "\n    came:    " + describe(outputs_.front()));
        }
        at_ns_ = to_ns;
    }
    void expect_event(const Step& step) {
        const auto here = [&] {
            if (step.op != Op::event_writable) {
                while (!events_.empty() && events_.front().op == Op::event_writable) {
                    events_.pop_front();
                }
            }
            return !events_.empty();
        };
        run_until(time_of(step) + step.within_ns, here);
        if (!problem_.empty()) {
            return;
        }
        if (!here()) {
            complain("no event until " + seconds_text(link_.now_ns() - script_start_ns));
            return;
        }
        const AppEvent event = events_.front();
        events_.pop_front();
        if (event.op != step.op || event.flow != flow_number_ ||
            (event.op == Op::event_closed && event.reason != step.reason)) {
            complain(
                std::string("another event came: ") + event_name(event.op) +
                (event.op == Op::event_closed ? std::string(" ") + reason_name(event.reason) : "") +
                " of flow " + std::to_string(event.flow));
            return;
        }
        in_time(step, event.at_ns);
    }
    void expect_bytes(const Step& step) {
        run_until(time_of(step) + step.within_ns, [&] { return delivered_ >= *step.amount; });
        if (problem_.empty() && delivered_ != *step.amount) {
            complain(std::to_string(delivered_) + " octets were delivered");
        }
        if (problem_.empty() && *step.amount > 0) {
            in_time(step, delivered_ns_);
        }
        delivered_ = 0;
    }

    /// Nothing may be left that no step asked for, and no buffer lost.
    void finish() {
        step_ = nullptr;
        if (!outputs_.empty()) {
            complain("at the end, what the stack sent and no step asked for: " +
                     describe(outputs_.front()));
        }
        for (const AppEvent& event : events_) {
            if (event.op != Op::event_writable) {
                complain(std::string("at the end, an event that no step asked for: ") +
                         event_name(event.op));
            }
        }
        stack_.reset();
        link_.advance_to(link_.now_ns());
        if (link_.buffers_held(stack_end) != 0) {
            complain("the stack has lost " + std::to_string(link_.buffers_held(stack_end)) +
                     " buffers");
        }
        if (link_.counters(stack_end).bad_frames != 0) {
            complain("the stack handed a frame to the port that no port takes");
        }
    }
};

}  // namespace

RunResult run_script(const Script& script, const StackFactory& factory, const RunOptions& options) {
    return Runner(script, options).run(factory);
}

}  // namespace sy::test
