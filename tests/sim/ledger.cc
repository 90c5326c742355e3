#include "tests/sim/ledger.h"

#include <algorithm>

#include "core/base/assert.h"

namespace sy::sim {
namespace {

// A worker adopts a snapshot at its next turn, at the latest when its tick wakes it; this is more.
constexpr Nanos adoption_ns = 300 * millisecond_ns;
// The router's timers are coarse, and a worker may be held up.
constexpr Nanos margin_ns = 200 * millisecond_ns;
constexpr uint8_t receipt_final_mask = 0x03;
constexpr uint8_t receipt_intermediate_mask = 0x10;
constexpr uint8_t state_delivered = 2;

bool temporary(uint32_t status) {
    using smpp::CommandStatus;
    switch (static_cast<CommandStatus>(status)) {
        case CommandStatus::esme_rsyserr:
        case CommandStatus::esme_rmsgqful:
        case CommandStatus::esme_rthrottled:
        case CommandStatus::esme_rx_t_appn:
            return true;
        default:
            return false;
    }
}

// SMPP 3.4 section 5.2.17.
bool asked_for(uint8_t registered_delivery, const ReceiptSent& receipt) {
    if (!receipt.final) {
        return (registered_delivery & receipt_intermediate_mask) != 0;
    }
    switch (registered_delivery & receipt_final_mask) {
        case 1:
            return true;
        case 2:
            return receipt.state != state_delivered;
        case 3:
            return receipt.state == state_delivered;
        default:
            return false;
    }
}

}  // namespace

void Ledger::add_violation(std::string text) {
    violations_.push_back(
        fmt::format("{:.6f}s {}", static_cast<double>(net_.now_ns()) / 1e9, std::move(text)));
}

// ---------------------------------------------------------------- links, snapshots

uint64_t Ledger::new_link(std::string name) {
    link_names_.push_back(std::move(name));
    return link_names_.size();
}

const StreamLog* Ledger::log_of(uint64_t link) const {
    return link == 0 ? nullptr : log_of_(link_names_.at(link - 1));
}

void Ledger::link_died(uint64_t link, Nanos now_ns) {
    Nanos& died_ns = died_.emplace(link, now_ns).first->second;
    died_ns = std::min(died_ns, now_ns);  // the first reason counts
}

bool Ledger::alive_until(uint64_t link, Nanos until_ns) const {
    const auto died = died_.find(link);
    return died == died_.end() || died->second >= until_ns;
}

void Ledger::published(RuleSet rules, Nanos now_ns) {
    published_.push_back({now_ns, std::move(rules)});
}

void Ledger::set_supplier(uint16_t supplier, route::OnUnknown on_unknown, Nanos response_ns) {
    policies_[supplier] = {on_unknown, response_ns};
    shortest_response_ns_ = response_ns;
}

/// Any rule set that may have been in force since the message was sent says so.
bool Ledger::allowed(const Submit& submit, PrefixRule::Kind kind) const {
    for (size_t i = 0; i < published_.size(); ++i) {
        const bool over =
            i + 1 < published_.size() && published_[i + 1].at_ns + adoption_ns < submit.sent_ns;
        if (!over && published_[i].rules.at(submit.prefix).kind == kind) {
            return true;
        }
    }
    return false;
}

bool Ledger::may_reach(const Submit& submit, uint16_t supplier) const {
    for (size_t i = 0; i < published_.size(); ++i) {
        const bool over =
            i + 1 < published_.size() && published_[i + 1].at_ns + adoption_ns < submit.sent_ns;
        const PrefixRule& rule = published_[i].rules.at(submit.prefix);
        if (!over && rule.kind == PrefixRule::Kind::route &&
            std::ranges::find(rule.suppliers, supplier) != rule.suppliers.end()) {
            return true;
        }
    }
    return false;
}

// ---------------------------------------------------------------- customers

uint32_t Ledger::submitted(Submit submit) {
    const auto token = static_cast<uint32_t>(submits_.size());
    submits_.push_back(std::move(submit));
    Submit& kept = submits_.back();
    const bool fresh = by_destination_.emplace(kept.destination_digits, token).second;
    SY_ASSERT(fresh);
    return token;
}

Submit* Ledger::submit(uint32_t token) {
    return token < submits_.size() ? &submits_[token] : nullptr;
}

Mo* Ledger::mo(uint32_t token) {
    return token < mos_.size() ? &mos_[token] : nullptr;
}

std::optional<uint32_t> Ledger::token_of(const std::string& destination_digits) const {
    const auto found = by_destination_.find(destination_digits);
    return found == by_destination_.end() ? std::nullopt : std::optional(found->second);
}

void Ledger::answered(uint32_t token, uint32_t status, std::string_view id) {
    Submit& submit = submits_.at(token);
    net_.note((uint64_t{token} << 32) ^ status);
    if (submit.answered) {
        violation("message {}: answered twice", token);
        return;
    }
    submit.answered = true;
    submit.status = status;
    submit.id = id;
    if (status == 0 && id.empty()) {
        violation("message {}: answered OK without a message_id", token);
    }
}

size_t Ledger::receipt_delivered(uint32_t token, ReceiptGot got) {
    Submit& submit = submits_.at(token);
    const auto same = [&](const ReceiptSent& sent) { return sent.state == got.state; };
    const auto sent = std::ranges::find_if(submit.receipts_sent, same);
    if (sent == submit.receipts_sent.end()) {
        violation("message {}: receipt with state {} that no supplier sent", token, got.state);
    } else if (!asked_for(submit.registered_delivery, *sent)) {
        violation("message {}: receipt with state {} was not asked for ({:#x})", token, got.state,
                  submit.registered_delivery);
    }
    submit.receipts_got.push_back(got);
    return submit.receipts_got.size() - 1;
}

void Ledger::receipt_answered(uint32_t token, size_t index, uint32_t status, uint64_t answer_end) {
    ReceiptGot& got = submits_.at(token).receipts_got.at(index);
    got.status = status;
    got.answer_end = answer_end;
    got.answered_ns = net_.now_ns();
}

size_t Ledger::mo_delivered(uint32_t token, Mo::Got got) {
    Mo& mo = mos_.at(token);
    if (got.customer != mo.customer) {
        violation("MO {}: for customer {} but delivered to {}", token, mo.customer, got.customer);
    }
    if (!mo.got.empty()) {
        violation("MO {}: delivered twice", token);
    }
    mo.got.push_back(got);
    return mo.got.size() - 1;
}

void Ledger::mo_customer_answered(uint32_t token,
                                  size_t index,
                                  uint32_t status,
                                  uint64_t answer_end) {
    Mo::Got& got = mos_.at(token).got.at(index);
    got.status = status;
    got.answer_end = answer_end;
    got.answered_ns = net_.now_ns();
}

// ---------------------------------------------------------------- suppliers

/// The router read this answer, beyond doubt, and before it stopped waiting for it.
template <class Asked>
bool Ledger::heard_in_time(const Asked& asked) const {
    const StreamLog* log = log_of(asked.link);
    if (!asked.status || log == nullptr) {
        return false;
    }
    const Nanos written_ns = log->written(asked.end).from_ns;
    const Nanos read_ns = log->read_ns(asked.answer_end);
    return read_ns != never_ns && read_ns < log->ended_ns() && awaited(written_ns, read_ns);
}

/// The router sent `next` when it had read the answer to `first`.
bool Ledger::written_behind(const ReceiptGot& next, const ReceiptGot& first) const {
    const StreamLog* log = log_of(next.link);
    const Nanos read_ns = log_of(first.link)->read_ns(first.answer_end);
    return log != nullptr && log->written(next.end).from_ns != never_ns &&
           log->written(next.end).from_ns > read_ns;
}

/// Between when the router wrote the request that ends there; never_ns: nobody can tell.
StreamLog::Between Ledger::written(const Place& place) const {
    const StreamLog* log = log_of(place.link);
    return log == nullptr ? StreamLog::Between{} : log->written(place.end);
}

bool Ledger::awaited(Nanos written_ns, Nanos at_ns) const {
    return written_ns != never_ns && at_ns != never_ns &&
           at_ns + margin_ns < written_ns + shortest_response_ns_;
}

/// The one that arrived later may have been sent earlier.
bool Ledger::may_be_older(const Attempt& next, const Attempt& than) const {
    const StreamLog* log = log_of(next.link);
    const StreamLog* other = log_of(than.link);
    return log == nullptr || other == nullptr ||
           log->written(next.end).from_ns <= other->written(than.end).to_ns;
}

/// The router had a reason to send the message once more.
bool Ledger::ended_for_resend(const Attempt& attempt) const {
    const bool refused_for_now =
        attempt.status && *attempt.status != 0 &&
        errors_.classify(SupplierId{attempt.supplier},
                         static_cast<smpp::CommandStatus>(*attempt.status)) !=
            route::ErrorClass::final;
    return refused_for_now ||
           (policies_.at(attempt.supplier).on_unknown == route::OnUnknown::resend &&
            !heard_in_time(attempt));
}

size_t Ledger::attempted(uint32_t token, uint16_t supplier, const Place& place) {
    Submit& submit = submits_.at(token);
    net_.note((uint64_t{token} << 16) ^ supplier);
    if (!may_reach(submit, supplier)) {
        violation("message {}: sent to supplier {} that no rule names", token, supplier);
    }
    submit.attempts.push_back(
        {.supplier = supplier, .link = place.link, .end = place.end, .at_ns = net_.now_ns()});
    return submit.attempts.size() - 1;
}

void Ledger::attempt_answered(uint32_t token,
                              size_t attempt,
                              uint32_t status,
                              uint64_t answer_end) {
    Attempt& known = submits_.at(token).attempts.at(attempt);
    known.status = status;
    known.answer_end = answer_end;
    known.answered_ns = net_.now_ns();
}

size_t Ledger::receipt_sent(uint32_t token, size_t attempt, uint8_t state, bool final) {
    auto& sent = submits_.at(token).receipts_sent;
    sent.push_back({.attempt = attempt, .state = state, .final = final});
    return sent.size() - 1;
}

void Ledger::receipt_tried(uint32_t token, size_t index) {
    ++submits_.at(token).receipts_sent.at(index).tries;
}

void Ledger::receipt_acknowledged(uint32_t token, size_t index) {
    submits_.at(token).receipts_sent.at(index).acknowledged = true;
}

uint32_t Ledger::mo_sent(Mo mo) {
    mos_.push_back(std::move(mo));
    return static_cast<uint32_t>(mos_.size() - 1);
}

void Ledger::mo_answered(uint32_t token, uint32_t status) {
    Mo& mo = mos_.at(token);
    if (mo.answered) {
        violation("MO {}: answered twice", token);
    }
    mo.answered = true;
    mo.status = status;
}

// ---------------------------------------------------------------- when all is over

void Ledger::balance() {
    std::map<std::pair<uint16_t, std::string>, uint32_t> ids;
    for (uint32_t token = 0; token < submits_.size(); ++token) {
        const Submit& submit = submits_[token];
        balance_submit(token, submit);
        balance_attempts(token, submit);
        balance_repetitions(token, submit);
        balance_receipts(token, submit);
        if (submit.answered && !submit.receipt_id.empty() && submit.receipt_id != submit.id) {
            violation("message {}: answered with id '{}', its receipt says '{}'", token, submit.id,
                      submit.receipt_id);
        }
        if (submit.answered && submit.status == 0 &&
            !ids.emplace(std::pair(submit.customer, submit.id), token).second) {
            violation("message {}: message_id {} was given before", token, submit.id);
        }
    }
    for (uint32_t token = 0; token < mos_.size(); ++token) {
        balance_mo(token, mos_[token]);
    }
    std::vector<std::string> with_stories;
    for (std::string& text : violations_) {
        const size_t at = text.find(" message ");
        with_stories.push_back(text);
        if (at != std::string::npos) {
            const auto token = static_cast<uint32_t>(std::stoul(text.substr(at + 9)));
            with_stories.back() += "\n" + story(token);
        }
    }
    violations_ = std::move(with_stories);
}

void Ledger::balance_submit(uint32_t token, const Submit& submit) {
    if (!submit.answered) {
        if (alive_until(submit.link, never_ns)) {
            violation("message {}: never answered, link {} is up", token, submit.link);
        }
        return;
    }
    if (submit.status == 0) {
        const bool accepted = std::ranges::any_of(
            submit.attempts, [](const Attempt& a) { return a.status && *a.status == 0; });
        if (!accepted && !allowed(submit, PrefixRule::Kind::drop)) {
            violation("message {}: answered OK, but no supplier accepted it", token);
        }
        return;
    }
    for (const Attempt& attempt : submit.attempts) {
        if (heard_in_time(attempt) && *attempt.status == 0) {
            violation("message {}: answered {:#x}, but supplier {} accepted it", token,
                      submit.status, attempt.supplier);
        }
    }
}

/// Sent once more only where the router had a reason to. What arrives later was not always sent
/// later: a segment was lost, or the link was given up while it was on its way.
void Ledger::balance_attempts(uint32_t token, const Submit& submit) {
    for (size_t i = 0; i < submit.attempts.size(); ++i) {
        if (ended_for_resend(submit.attempts[i])) {
            continue;
        }
        for (size_t j = i + 1; j < submit.attempts.size(); ++j) {
            const Attempt& next = submit.attempts[j];
            if (!may_be_older(next, submit.attempts[i]) || !ended_for_resend(next)) {
                violation("message {}: sent to supplier {} although {} had it", token,
                          next.supplier, submit.attempts[i].supplier);
            }
        }
    }
}

/// At least once: a repetition is right where the router could not know that the first had come.
void Ledger::balance_repetitions(uint32_t token, const Submit& submit) {
    for (size_t i = 0; i < submit.receipts_got.size(); ++i) {
        const ReceiptGot& first = submit.receipts_got[i];
        const bool done = first.status && !temporary(*first.status) && heard_in_time(first);
        const auto repeated = std::ranges::any_of(submit.receipts_sent, [&](const auto& sent) {
            // A final receipt that the supplier repeats is for the router to recognise.
            return sent.state == first.state && !sent.final && sent.tries > 1;
        });
        const auto speaking = std::ranges::count_if(
            submit.receipts_sent, [&](const auto& sent) { return sent.state == first.state; });
        const auto after = std::ranges::count_if(submit.receipts_got, [&](const ReceiptGot& got) {
            return got.state == first.state && done && written_behind(got, first);
        });
        if (done && !repeated && after >= speaking) {
            violation("message {}: receipt with state {} came again after its answer {:#x}", token,
                      first.state, *first.status);
        }
    }
}

void Ledger::balance_receipts(uint32_t token, const Submit& submit) {
    if (!submit.answered || submit.status != 0) {
        return;  // the customer was not told that there is such a message
    }
    for (const ReceiptSent& sent : submit.receipts_sent) {
        const bool got = std::ranges::any_of(
            submit.receipts_got, [&](const ReceiptGot& g) { return g.state == sent.state; });
        // Of an attempt whose answer the router never heard it cannot know the id. The customer's
        // OK proves that it heard one, so with a single attempt that is the one.
        const bool known =
            submit.attempts.size() == 1 || (heard_in_time(submit.attempts.at(sent.attempt)) &&
                                            submit.attempts.at(sent.attempt).status == 0U);
        if (!receipts_may_be_lost_ && sent.final && sent.acknowledged && !got && known &&
            asked_for(submit.registered_delivery, sent)) {
            violation("message {}: its receipt (state {}) never came to customer {}", token,
                      sent.state, submit.customer);
        }
    }
}

void Ledger::balance_mo(uint32_t token, const Mo& mo) {
    if (!mo.answered) {
        if (mo.link != 0 && alive_until(mo.link, never_ns)) {
            violation("MO {}: never answered, link {} is up", token, mo.link);
        }
        return;
    }
    const bool taken = std::ranges::any_of(
        mo.got, [](const Mo::Got& got) { return got.status && *got.status == 0; });
    if (mo.status == 0 && !taken) {
        violation("MO {}: answered OK, but no customer took it", token);
    }
    for (const Mo::Got& got : mo.got) {
        if (mo.status != 0 && got.status && *got.status == 0 && heard_in_time(got)) {
            violation("MO {}: answered {:#x}, but customer {} took it", token, mo.status,
                      got.customer);
        }
    }
}

std::string Ledger::story(uint32_t token) const {
    const Submit& submit = submits_.at(token);
    const auto s = [](Nanos ns) { return static_cast<double>(ns) / 1e9; };
    std::string text = fmt::format(
        "    message {} of customer {} on link {} at {:.6f}, {} reg {:#x}", token, submit.customer,
        submit.link, s(submit.sent_ns), submit.number, submit.registered_delivery);
    text += submit.answered ? fmt::format(", answered {:#x} id {}", submit.status, submit.id)
                            : ", not answered";
    for (const Attempt& a : submit.attempts) {
        text += fmt::format("\n        attempt at supplier {} link {} at {:.6f}", a.supplier,
                            a.link, s(a.at_ns));
        text += a.status ? fmt::format(", answered {:#x} at {:.6f}", *a.status, s(a.answered_ns))
                         : ", not answered";
        if (const auto died = died_.find(a.link); died != died_.end()) {
            text += fmt::format(", link died at {:.6f}", s(died->second));
        }
    }
    for (const ReceiptSent& r : submit.receipts_sent) {
        text +=
            fmt::format("\n        receipt of attempt {} state {} sent, {} tries, {}", r.attempt,
                        r.state, r.tries, r.acknowledged ? "acknowledged" : "not acknowledged");
    }
    for (const ReceiptGot& r : submit.receipts_got) {
        text += fmt::format("\n        receipt state {} got on link {} at {:.6f}", r.state, r.link,
                            s(r.at_ns));
        text += r.status ? fmt::format(", answered {:#x} at {:.6f}", *r.status, s(r.answered_ns))
                         : ", not answered";
    }
    return text;
}

Ledger::Totals Ledger::totals() const {
    Totals sum;
    for (const Submit& submit : submits_) {
        ++sum.submits;
        sum.answered_ok += submit.answered && submit.status == 0;
        sum.answered_error += submit.answered && submit.status != 0;
        sum.unanswered += !submit.answered;
        sum.attempts += submit.attempts.size();
        sum.attempts_heard += static_cast<uint64_t>(std::ranges::count_if(
            submit.attempts, [this](const Attempt& attempt) { return heard_in_time(attempt); }));
        sum.duplicates += submit.attempts.empty() ? 0 : submit.attempts.size() - 1;
        sum.receipts_sent += submit.receipts_sent.size();
        sum.receipts_got += submit.receipts_got.size();
    }
    for (const Mo& mo : mos_) {
        ++sum.mo;
        sum.mo_ok += mo.answered && mo.status == 0;
        sum.mo_error += mo.answered && mo.status != 0;
        sum.mo_got += mo.got.size();
    }
    sum.links = link_names_.size();
    sum.links_died = died_.size();
    return sum;
}

}  // namespace sy::sim
