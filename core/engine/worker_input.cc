// Framing, and what every session does alike whoever is at its other end. See worker.h.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/prefetch.h"
#include "core/engine/worker.h"
#include "core/smpp/encode.h"

namespace sy::engine {
namespace {

// Two malformed PDUs in a row are an accident, a run of them a peer that speaks something else
// (PROTOCOL: close on a nack storm).
constexpr uint8_t malformed_run_max = 16;

}  // namespace

// A session whose peer has not read its answers, and has begun to.
void Worker::read_again(Session& session) {
    if (session.output.pending_bytes() <= chunks_.share_bytes() / 4) {
        session.paused = false;
        act(Action::Kind::resume, session.conn);
    }
}

size_t Worker::on_bytes(ConnId conn, Octets octets) {
    Session* session = session_of(conn);
    const size_t offered = octets.size();
    ++work_;
    if (session == nullptr) {
        return offered;
    }
    if (session->side == Side::supplier && session->window != nullptr) {
        prefetch_answered(*session, octets);
    }
    while (!octets.empty() && session->ending != Ending::closing) {
        // A peer that does not read its answers.
        if (session->output.pending_bytes() > chunks_.share_bytes()) {
            if (!session->paused) {
                session->paused = true;
                act(Action::Kind::pause, conn);
            }
            return offered - octets.size();
        }
        if (session->partial != nullptr) {
            if (!collect_partial(*session, octets)) {
                break;
            }
            continue;
        }
        smpp::Frame frame;
        const auto outcome = smpp::next_frame(octets, limits::pdu_bytes_max, frame);
        if (outcome == smpp::FrameOutcome::complete) [[likely]] {
            on_pdu(*session, frame);
        } else if (outcome == smpp::FrameOutcome::need_more) {
            const uint32_t wanted = octets.size() >= sizeof(uint32_t)
                                        ? load_be<uint32_t>(octets.data())
                                        : limits::pdu_header_bytes;
            session->partial = chunks_.take(wanted, false);
            if (session->partial == nullptr) {
                counters_.output_exhausted.add();
                drop_session(*session);
                break;
            }
        } else {
            on_bad_frame(*session, outcome, frame.header);
        }
    }
    // What a closing session still says is not for us.
    return offered;
}

// One of thousands was last touched a round trip ago.
void Worker::expect(ConnId conn) const {
    if (conn.slot < sessions_.size()) {
        const Session* session = &sessions_[conn.slot];
        prefetch_lines(session, session + 1);
    }
}

// The messages that these responses answer were last touched a round trip ago, as were the sessions
// that they came by: their lines are asked for before the first response is handled. Of another
// worker's message it is a session of ours that nobody looks at, which costs nothing but the
// asking.
void Worker::prefetch_answered(const Session& session, Octets octets) const {
    static_assert(sizeof(MessageHead) == 2 * limits::cache_line_bytes);
    std::array<const Message*, limits::burst> messages;
    uint32_t count = 0;
    while (octets.size() >= limits::pdu_header_bytes) {
        const smpp::Header header = smpp::decode_header(octets.data());
        if (header.command_id == smpp::CommandId::submit_sm_resp) {
            if (const Outstanding* request = session.window->find(header.sequence_number)) {
                const Message* message = request->message;
                prefetch(message);
                prefetch(reinterpret_cast<const uint8_t*>(message) + limits::cache_line_bytes);
                prefetch(&message->next);
                if (count < messages.size()) {
                    messages[count++] = message;
                }
            }
        }
        if (header.command_length < limits::pdu_header_bytes ||
            header.command_length > octets.size()) {
            break;
        }
        octets = octets.subspan(header.command_length);
    }
    for (uint32_t i = 0; i < count; ++i) {
        expect(messages[i]->origin);
    }
}

// Adds to the PDU that straddles spans; handles it when whole. False when more octets are needed.
bool Worker::collect_partial(Session& session, Octets& octets) {
    Chunk* chunk = session.partial;
    const auto take = [&](uint32_t upto) {
        const size_t count = std::min<size_t>(upto - chunk->end, octets.size());
        std::memcpy(chunk->data() + chunk->end, octets.data(), count);
        chunk->end += static_cast<uint32_t>(count);
        octets = octets.subspan(count);
        return chunk->end == upto;
    };
    if (chunk->end < sizeof(uint32_t) && !take(sizeof(uint32_t))) {
        return false;
    }
    const uint32_t length = load_be<uint32_t>(chunk->data());
    const bool impossible = length < limits::pdu_header_bytes || length > limits::pdu_bytes_max;
    if (!impossible && length > chunk->capacity) {
        // The first octets came alone and did not tell the size.
        Chunk* larger = chunks_.take(length, true);
        if (larger == nullptr) {
            counters_.output_exhausted.add();
            drop_session(session);
            return false;
        }
        std::memcpy(larger->data(), chunk->data(), chunk->end);
        larger->end = chunk->end;
        chunks_.give_back(chunk);
        session.partial = chunk = larger;
    }
    if (!take(impossible ? std::max(chunk->end, limits::pdu_header_bytes) : length) &&
        !impossible) {
        return false;
    }
    session.partial = nullptr;  // on_pdu may end the session
    Octets whole{chunk->data(), chunk->end};
    smpp::Frame frame;
    const auto outcome = smpp::next_frame(whole, limits::pdu_bytes_max, frame);
    if (outcome == smpp::FrameOutcome::complete) {
        on_pdu(session, frame);
    } else {
        on_bad_frame(session, outcome, frame.header);
    }
    chunks_.give_back(chunk);
    return true;
}

void Worker::on_bad_frame(Session& session,
                          smpp::FrameOutcome outcome,
                          const smpp::Header& header) {
    counters_.frames_bad.add();
    if (session.window == nullptr) {
        // Nothing SMPP was heard from this peer: scanners and other protocols get no answer.
        event(EventKind::peer_not_smpp, session, {}, header.command_length);
        if (session.state != smpp::SessionState::open || header.command_length > 0x00FFFFFF) {
            close_session(session);
            return;
        }
    }
    const uint32_t sequence = outcome == smpp::FrameOutcome::too_long ? header.sequence_number : 0;
    send_empty(session, smpp::CommandId::generic_nack, smpp::CommandStatus::esme_rinvcmdlen,
               sequence);
    counters_.nacks_out.add();
    close_session(session);
}

void Worker::on_pdu(Session& session, const smpp::Frame& frame) {
    counters_.pdus_in.add();
    session.last_in_ns = now_.mono_ns;
    session.probe_ns = 0;
    if (frame.header.command_id == smpp::CommandId::outbind && session.side == Side::customer &&
        session.state == smpp::SessionState::open) {
        // Only a supplier may say this: it makes the connection a link of ours.
        on_outbind(session, frame);
        return;
    }
    const smpp::Role role = session.side == Side::customer ? smpp::Role::mc : smpp::Role::esme;
    const smpp::Verdict verdict =
        smpp::judge(role, session.state, session.version, frame.header.command_id);
    switch (verdict.action) {
        case smpp::Action::handle:
            session.side == Side::customer ? on_customer_pdu(session, frame)
                                           : on_supplier_pdu(session, frame);
            return;
        case smpp::Action::respond:
            answer_error(session, frame.header, verdict.status);
            break;
        case smpp::Action::generic_nack:
            counters_.nacks_out.add();
            send_empty(session, smpp::CommandId::generic_nack, verdict.status,
                       frame.header.sequence_number);
            break;
        case smpp::Action::ignore:
            if (smpp::is_response(frame.header.command_id)) {
                counters_.responses_unmatched.add();
            }
            return;
    }
    note_malformed(session);
}

void Worker::note_malformed(Session& session) {
    counters_.pdus_malformed.add();
    if (++session.malformed_in_row >= malformed_run_max) {
        close_session(session);
    }
}

// enquire_link, unbind and their responses, generic_nack: the same on both sides.
void Worker::on_control(Session& session, const smpp::Header& header) {
    using smpp::CommandId;
    using smpp::CommandStatus;
    switch (header.command_id) {
        case CommandId::enquire_link:
            send_empty(session, CommandId::enquire_link_resp, CommandStatus::esme_rok,
                       header.sequence_number);
            return;
        case CommandId::unbind:
            send_empty(session, CommandId::unbind_resp, CommandStatus::esme_rok,
                       header.sequence_number);
            if (session.side == Side::customer) {
                release_bind(session);
            }
            close_session(session);
            return;
        case CommandId::unbind_resp:
            if (session.ending == Ending::unbinding) {
                close_session(session);
            }
            return;
        default:
            return;  // enquire_link_resp: hearing it was enough
    }
}

std::span<uint8_t> Worker::reserve(Session& session, size_t bytes) {
    SY_DCHECK(bytes <= ChunkPool::large_bytes);
    if (session.ending == Ending::closing) {
        return {};
    }
    const auto out = session.output.reserve(chunks_, static_cast<uint32_t>(bytes));
    if (out.empty()) {
        counters_.output_exhausted.add();
        drop_session(session);
    }
    return out;
}

void Worker::commit(Session& session, size_t bytes) {
    session.output.commit(static_cast<uint32_t>(bytes));
    if (!session.dirty && !session.blocked) {
        session.dirty = true;
        dirty_.push_back(session.conn.slot);
    }
}

void Worker::send_empty(Session& session,
                        smpp::CommandId id,
                        smpp::CommandStatus status,
                        uint32_t sequence_number) {
    const auto out = reserve(session, limits::pdu_header_bytes);
    if (!out.empty()) {
        commit(session, smpp::encode_empty(out, id, smpp::status_for(session.version, status),
                                           sequence_number));
    }
}

void Worker::answer_error(Session& session,
                          const smpp::Header& request,
                          smpp::CommandStatus status) {
    send_empty(session, smpp::response_to(request.command_id), status, request.sequence_number);
}

}  // namespace sy::engine
