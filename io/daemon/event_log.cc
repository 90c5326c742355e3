#include "io/daemon/event_log.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/engine/transport.h"
#include "core/smpp/status.h"

namespace sy::daemon {
namespace {

struct Phrase {
    Level level;
    std::string_view text;
};

Phrase phrase_of(engine::EventKind kind) {
    using enum engine::EventKind;
    switch (kind) {
        case customer_bound:
            return {Level::info, "customer bound"};
        case customer_bind_refused:
            return {Level::warning, "customer bind refused"};
        case customer_closed:
            return {Level::info, "customer session closed"};
        case supplier_connecting:
            return {Level::debug, "connecting to supplier"};
        case supplier_bound:
            return {Level::info, "supplier bound"};
        case supplier_bind_refused:
            return {Level::warning, "supplier refused our bind"};
        case supplier_closed:
            return {Level::warning, "supplier link closed"};
        case peer_not_smpp:
            return {Level::warning, "peer does not speak SMPP"};
        case session_dead:
            return {Level::warning, "no answer to enquire_link, session closed"};
        case message_unknown:
            return {Level::warning, "outcome of a message unknown"};
        case supplier_paused:
            return {Level::warning, "supplier paused"};
        case supplier_opened:
            return {Level::warning, "supplier fails, no messages for a while"};
        case supplier_probed:
            return {Level::info, "supplier gets one message to see whether it works"};
        case supplier_recovered:
            return {Level::info, "supplier works again, more messages step by step"};
        case drained:
            return {Level::info, "worker drained"};
    }
    return {Level::warning, "event without a name"};
}

std::string_view reason_text(uint64_t reason) {
    switch (static_cast<CloseReason>(reason)) {
        case CloseReason::peer_closed:
            return "closed by the peer";
        case CloseReason::peer_reset:
            return "reset by the peer";
        case CloseReason::connect_refused:
            return "connection refused";
        case CloseReason::connect_failed:
            return "no connection";
        case CloseReason::local:
            return "closed by us";
    }
    return "";
}

bool has_close_reason(engine::EventKind kind) {
    return kind == engine::EventKind::customer_closed || kind == engine::EventKind::supplier_closed;
}

std::string status_text(smpp::CommandStatus status) {
    const std::string_view name = smpp::status_name(status);
    return name.empty() ? fmt::format("{:#010x}", static_cast<uint32_t>(status))
                        : std::string(name);
}

// Empty for no account.
std::string name_of(const std::vector<std::string>& names, uint32_t id, bool valid) {
    return valid && id < names.size() ? names[id] : std::string();
}

}  // namespace

void log_event(Log& log, const config::Registry& registry, const engine::Event& event) {
    Phrase phrase = phrase_of(event.kind);
    if (has_close_reason(event.kind)) {
        const auto reason = static_cast<CloseReason>(event.detail);
        if (reason == CloseReason::local) {
            phrase.level = Level::info;  // a drain or a reload, not a fault
        } else if (reason == CloseReason::connect_refused ||
                   reason == CloseReason::connect_failed) {
            phrase.text = "supplier cannot be reached, trying again";
        }
    }
    std::vector<Field> fields;
    const std::string customer =
        name_of(registry.customers(), event.customer.value, event.customer.valid());
    const std::string supplier =
        name_of(registry.suppliers(), event.supplier.value, event.supplier.valid());
    if (!customer.empty()) {
        fields.emplace_back("customer", customer);
    }
    if (!supplier.empty()) {
        fields.emplace_back("supplier", supplier);
    }
    if (event.peer != Endpoint{}) {
        fields.emplace_back("peer", to_string(event.peer));
    }
    if (event.status != smpp::CommandStatus::esme_rok) {
        fields.emplace_back("status", status_text(event.status));
    }
    if (has_close_reason(event.kind)) {
        fields.emplace_back("reason", reason_text(event.detail));
    } else if (event.kind == engine::EventKind::message_unknown) {
        fields.emplace_back("message", event.detail);
    }
    fields.emplace_back("worker", static_cast<uint32_t>(event.worker));
    log.write(phrase.level, phrase.text, fields);
}

void EventLog::write(
    Log& log, const config::Registry& registry, engine::Hub& hub, uint32_t limit, Nanos mono_ns) {
    if (mono_ns - second_began_ns_ >= second_ns) {
        end_second(log, mono_ns);
    }
    engine::Event event;
    for (uint32_t i = 0; i < limit && hub.next_event(event); ++i) {
        Kind& kind = kinds_[event.kind];
        if (kind.written < lines_a_second_max) {
            ++kind.written;
            log_event(log, registry, event);
        } else {
            ++kind.left_out;
        }
    }
}

void EventLog::end_second(Log& log, Nanos mono_ns) {
    for (auto& [kind, count] : kinds_) {
        if (count.left_out > 0) {
            const Phrase phrase = phrase_of(kind);
            const std::array<Field, 2> fields{Field{"event", phrase.text},
                                              Field{"count", count.left_out}};
            log.write(phrase.level, "more of the same, not logged one by one", fields);
        }
    }
    kinds_.clear();
    second_began_ns_ = mono_ns;
}

}  // namespace sy::daemon
