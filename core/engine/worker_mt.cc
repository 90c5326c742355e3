// MT: route, dispatch, settle. See worker.h.
#include <algorithm>
#include <array>

#include "core/base/assert.h"
#include "core/engine/attempt_log.h"
#include "core/engine/multi_group.h"
#include "core/engine/worker.h"
#include "core/number/normalise.h"
#include "core/smpp/encode.h"
#include "core/smpp/tlv.h"
#include "core/text/udh.h"

namespace sy::engine {
namespace {

// A message that only suppliers in pause could take is tried again at the same one, this often.
constexpr uint8_t pause_attempts_max = 3;

}  // namespace

// What chooses among weighted targets: the message's own id, or for a part of a long message what
// all its parts share, so that they take one way.
Worker::Spread Worker::spread_of(const Message& message) {
    const Spread part = part_of(message.customer, message.sm, message.destination.view());
    return part.is_part ? part : Spread{mix64(message.id), false, 0};
}

// What the parts of a long message share (PROTOCOL: account, source, destination, ref, total).
Worker::Spread Worker::part_of(CustomerId customer,
                               const smpp::Sm& sm,
                               std::string_view destination) {
    if ((sm.esm_class & smpp::esm_class_udhi) == 0 && sm.tlvs.empty()) [[likely]] {
        return {};
    }
    const text::MessageText body = text::message_text(sm);
    const auto part = text::concat_of(sm, body.udh);
    if (!part) {
        return {};
    }
    uint64_t hash = mix64(uint64_t{customer.value} << 32 | uint64_t{part->ref} << 9 |
                          uint64_t{part->total} << 1 | (part->ref_is_16bit ? 1u : 0u));
    for (const char c : sm.source.digits) {
        hash = mix64(hash ^ static_cast<uint8_t>(c));
    }
    for (const char c : destination) {
        hash = mix64(hash ^ static_cast<uint8_t>(c));
    }
    return {hash, true, part->seq};
}

void Worker::route_mt() {
    if (mt_count_ == 0) {
        return;
    }
    std::array<route::MtQuery, limits::burst> queries;
    std::array<route::MtDecision, limits::burst> decisions;
    const uint32_t count = mt_count_;
    mt_count_ = 0;
    work_ += count;
    for (uint32_t i = 0; i < count; ++i) {
        Message& message = *mt_batch_[i];
        const route::Customer* customer = snapshot_->customer(message.customer);
        route::MtQuery& query = queries[i];
        query.customer = message.customer;
        query.plan = customer != nullptr ? customer->plan_id : PlanId::none();
        query.destination = message.destination.view();
        query.sender = number::sender_text(message.sm.source.digits);
        query.sender_ton = message.sm.source.ton;
        query.alphabet = customer != nullptr ? customer->alphabet : route::Alphabet::gsm7;
        query.sm = &message.sm;
        const Spread spread = spread_of(message);
        query.spread = spread.hash;
        // Never 0: that is no part. One that is re-routed leaves its others where they went.
        message.parts_key = spread.is_part && !message.rerouted ? spread.hash | 1 : 0;
        query.wall_ns = now_.wall_ns;
    }
    snapshot_->mt.decide({queries.data(), count}, {decisions.data(), count}, *scratch_);
    for (uint32_t i = 0; i < count; ++i) {
        Message* message = mt_batch_[i];
        const route::MtDecision& decision = decisions[i];
        message->rule_line = decision.rule_line;
        switch (decision.kind) {
            case route::MtDecision::Kind::route:
                if (decision.sender_to != nullptr) {
                    message->source = decision.sender_to->text;
                    message->source_kind = decision.sender_to->kind;
                    message->sender_replaced = true;
                }
                set_targets(*message, decision);
                if (decision.reroute_ns != 0 || message->rerouted) [[unlikely]] {
                    watch(*message, decision.reroute_ns);
                }
                if (message->rerouted && !drop_tried(*message)) {
                    end_reroute(message);
                } else if (message->to_store) {
                    keep_message(message);
                } else {
                    dispatch_mt(message, smpp::CommandStatus::esme_rsyserr);
                }
                break;
            case route::MtDecision::Kind::reject:
                finish_mt(message, decision.status, counters_.mt_rejected);
                break;
            case route::MtDecision::Kind::drop:
                finish_mt(message, smpp::CommandStatus::esme_rok, counters_.mt_dropped);
                break;
            case route::MtDecision::Kind::too_dear:
                counters_.mt_too_dear.add();
                [[fallthrough]];
            case route::MtDecision::Kind::no_route: {
                const route::Customer* customer = snapshot_->customer(message->customer);
                finish_mt(message,
                          customer != nullptr ? customer->no_route_status
                                              : smpp::CommandStatus::esme_rinvdstadr,
                          counters_.mt_rejected);
                break;
            }
        }
    }
}

// A part of a long message goes where an earlier part went, if that is still a target.
void Worker::set_targets(Message& message, const route::MtDecision& decision) {
    message.target_count = decision.target_count;
    message.network = decision.network;
    for (uint32_t t = 0; t < decision.target_count; ++t) {
        message.targets[t] = decision.targets[t].value;
    }
    if (message.parts_key == 0) [[likely]] {
        return;
    }
    const uint16_t with_others =
        hub_.parts().claim(message.parts_key, decision.targets[0].value, now_.mono_ns);
    const auto end = message.targets.begin() + message.target_count;
    const auto found = std::find(message.targets.begin(), end, with_others);
    if (found != end) {
        std::rotate(message.targets.begin(), found, found + 1);
    }
}

// Puts the message into the ring of the next target that can take it. `status` is the truth so far:
// what the customer hears when nobody can.
void Worker::dispatch_mt(Message* message, smpp::CommandStatus status) {
    if (now_.mono_ns >= message->deadline_ns) {
        give_up(message, status, counters_.mt_expired);
        return;
    }
    SupplierId paused;
    while (message->target_next < message->target_count) {
        const SupplierId supplier{message->targets[message->target_next++]};
        const Nanos paused_until =
            hub_.supplier(supplier).paused_until_ns.load(std::memory_order_relaxed);
        if (paused_until > now_.mono_ns) {
            status = smpp::CommandStatus::esme_rthrottled;
            paused = paused.valid() ? paused : supplier;
            continue;
        }
        if (message->parts_key != 0 && message->target_next > 1) [[unlikely]] {
            hub_.parts().move(message->parts_key, supplier.value, now_.mono_ns);
        }
        if (offer(message, supplier, status)) {
            return;
        }
    }
    // Nobody can take it now. If a supplier only wants a moment, the message waits in its ring.
    for (uint32_t t = 0; t < message->target_count && !paused.valid(); ++t) {
        const SupplierId supplier{message->targets[t]};
        if (hub_.supplier(supplier).paused_until_ns.load(std::memory_order_relaxed) >
            now_.mono_ns) {
            paused = supplier;
        }
    }
    if (paused.valid() && message->attempts < pause_attempts_max &&
        offer(message, paused, status)) {
        return;
    }
    give_up(message, status, counters_.mt_rejected);
}

// Nobody took it: it ends so, or waits for its next round where it was taken to store and forward.
void Worker::give_up(Message* message, smpp::CommandStatus status, Counter& end_state) {
    if (message->stored) {
        postpone(message, status);
    } else if (message->rerouted) {
        reroute_later(message, status, end_state);
    } else {
        finish_mt(message, status, end_state);
    }
}

bool Worker::offer(Message* message, SupplierId supplier, smpp::CommandStatus& status) {
    SupplierShared& shared = hub_.supplier(supplier);
    // Acquire pairs with the release in trunk_up(): the ring is there before anybody is bound.
    const uint64_t workers = shared.tx_workers.load(std::memory_order_acquire);
    if (workers == 0) {
        status = smpp::CommandStatus::esme_rsyserr;
        return false;
    }
    if (shared.gate.is_shut() && !admit_probe(supplier)) [[unlikely]] {
        status = smpp::CommandStatus::esme_rsyserr;
        return false;
    }
    message->supplier = supplier;
    message->outcome = Outcome::none;
    const bool again = message->attempts > 0;
    queue::SharedRing& ring = *shared.ring.load(std::memory_order_relaxed);
    // Relaxed: a momentary count. What workers have taken out of the ring and keep is in the queue
    // as much as what stands in it.
    const uint32_t staged = shared.staged.load(std::memory_order_relaxed);
    const bool full = staged != 0 && staged + ring.count() >= ring.capacity();
    if (full || !ring.push(message)) {
        status = smpp::CommandStatus::esme_rmsgqful;
        return false;
    }
    // From here on the message may be another worker's.
    if (again) {
        counters_.mt_rerouted.add();
    }
    ring_mask_ |= workers;
    return true;
}

// At the supplier's worker: the attempt is over. The way back of a receipt is remembered before the
// customer hears of its message.
void Worker::on_attempt_end(Message* message) {
    const WorkerId home{message->home};
    const bool accepted =
        message->outcome == Outcome::answered && message->status == smpp::CommandStatus::esme_rok;
    if (accepted && message->wants_receipt) {
        message->stage = Stage::receipt_insert;
        send_to(owner_of(message->key), message);
        return;
    }
    message->stage = Stage::settle;
    send_to(home, message);
}

void Worker::settle_mt(Message* message) {
    SY_DCHECK(message->home == id_.value);
    switch (message->outcome) {
        case Outcome::answered:
            if (message->status == smpp::CommandStatus::esme_rok) {
                finish_mt(message, smpp::CommandStatus::esme_rok, counters_.mt_accepted);
            } else {
                retry_or_finish(message);
            }
            return;
        case Outcome::bounced:
            dispatch_mt(message, smpp::CommandStatus::esme_rsyserr);
            return;
        case Outcome::expired:
            give_up(message, smpp::CommandStatus::esme_rsyserr, counters_.mt_expired);
            return;
        case Outcome::unknown: {
            if (sends_again(*message)) {
                // A stored one is counted when it goes out again, which may be later.
                message->maybe_sent = true;
                counters_.mt_resent.add(message->stored ? 0 : 1);
                if (message->log != nullptr) {
                    message->log->resent = true;
                }
                dispatch_mt(message, message->status);
            } else {
                finish_mt(message, message->status, counters_.mt_unknown);
            }
            return;
        }
        case Outcome::unstored:
            if (message->stored || message->rerouted) {
                store_again(message);
                return;
            }
            // The supplier has it, and nobody could tell the customer what became of it: an OK
            // would promise that.
            finish_mt(message, smpp::CommandStatus::esme_rsyserr, counters_.mt_unknown);
            return;
        case Outcome::none:
            SY_COUNT_BUG("an attempt ended without an outcome");
            finish_mt(message, smpp::CommandStatus::esme_rsyserr, counters_.mt_rejected);
            return;
    }
}

// The supplier said no: the error table says what that means.
void Worker::retry_or_finish(Message* message) {
    const auto error_class = snapshot_->errors.classify(message->supplier, message->status);
    if (error_class == route::ErrorClass::final) {
        finish_mt(message, message->status, counters_.mt_rejected);
        return;
    }
    if (error_class == route::ErrorClass::pause) {
        pause_supplier(message->supplier, message->status);
    }
    dispatch_mt(message, message->status);
}

void Worker::finish_mt(Message* message, smpp::CommandStatus status, Counter& end_state) {
    if (message->rerouted) {
        finish_reroute(message, status, end_state);
        return;
    }
    end_state.add();
    if (records_ != nullptr) {
        record_mt(*message, status, end_state);
    }
    if (message->customer.valid()) {
        CustomerCounters& customer = hub_.counters(id_, message->customer);
        if (&end_state == &counters_.mt_accepted) {
            customer.accepted.add();
        } else if (status != smpp::CommandStatus::esme_rok) {
            customer.rejected.add();
        }
    }
    if (message->stored) {
        end_stored(message, status, end_state);
        return;
    }
    if (message->is_reply) {
        // Nobody of ours submitted it: there is nobody to answer.
    } else if (message->group != nullptr) {
        finish_group(message, status);
    } else {
        answer_submit(message, status);
    }
    pool_.give_back(message);
}

void Worker::answer_submit(Message* message, smpp::CommandStatus status) {
    Session* session = session_of(message->origin);
    if (session == nullptr) {
        counters_.answers_unsent.add();
        return;
    }
    SY_DCHECK(session->requests_open > 0);
    --session->requests_open;
    const auto command =
        message->is_data_sm ? smpp::CommandId::data_sm_resp : smpp::CommandId::submit_sm_resp;
    if (status != smpp::CommandStatus::esme_rok) {
        send_empty(*session, command, status, message->origin_sequence);
        return;
    }
    std::array<uint8_t, 5> tlv{};
    ByteWriter tlvs(tlv);
    if (session->version == smpp::Version::v50 && session->customer != nullptr) {
        const uint8_t congestion = congestion_for(*session, message->supplier);
        tlvs.tlv(static_cast<uint16_t>(smpp::TlvTag::congestion_state), {&congestion, 1});
    }
    const auto out = reserve(
        *session, limits::pdu_header_bytes + limits::message_id_octets_max + 1 + tlv.size());
    if (out.empty()) {
        counters_.answers_unsent.add();
        return;
    }
    IdText text;
    const smpp::SmResp resp{format_id(message->id, message->id_form, text),
                            {tlv.data(), tlvs.written()}};
    commit(*session, smpp::encode_sm_resp(out, command, message->origin_sequence, resp));
}

void Worker::finish_group(Message* message, smpp::CommandStatus status) {
    MultiGroup* group = message->group;
    if (status != smpp::CommandStatus::esme_rok) {
        MultiGroup::Failed& failed = group->failed[group->failed_count++];
        const smpp::Address& to = message->sm.destination;
        failed.ton = to.ton;
        failed.npi = to.npi;
        failed.length =
            static_cast<uint8_t>(to.digits.copy(failed.digits.data(), failed.digits.size()));
        failed.status = status;
    }
    if (--group->open > 0) {
        return;
    }
    Session* session = session_of(message->origin);
    if (session == nullptr) {
        counters_.answers_unsent.add();
    } else {
        --session->requests_open;
        answer_group(*session, *message, *group);
    }
    group->failed_count = 0;
    free_groups_.push_back(group);
}

void Worker::answer_group(Session& session, const Message& message, const MultiGroup& group) {
    std::array<smpp::UnsuccessSme, MultiGroup::destinations_max> unsuccess;
    for (uint32_t i = 0; i < group.failed_count; ++i) {
        const MultiGroup::Failed& failed = group.failed[i];
        unsuccess[i] = {{failed.ton, failed.npi, {failed.digits.data(), failed.length}},
                        static_cast<uint32_t>(smpp::status_for(session.version, failed.status))};
    }
    // 27 octets at most for each failed destination (section 4.5.3).
    const auto out = reserve(session, 128 + size_t{27} * group.failed_count);
    if (out.empty()) {
        counters_.answers_unsent.add();
        return;
    }
    IdText text;
    commit(session, smpp::encode_submit_multi_resp(out, message.origin_sequence,
                                                   format_id(group.id, message.id_form, text),
                                                   {unsuccess.data(), group.failed_count}));
}

}  // namespace sy::engine
