#include "bench/smppload/ledger.h"

#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace sy::load {

const char* describe(Trouble trouble) {
    switch (trouble) {
        case Trouble::unanswered:
            return "submit_sm never answered";
        case Trouble::answered_twice:
            return "submit_sm answered twice";
        case Trouble::unknown_sequence:
            return "submit_sm_resp with a sequence number that is not outstanding";
        case Trouble::lost:
            return "messages answered ESME_ROK that no supplier accepted (lost)";
        case Trouble::reached_twice:
            return "messages that reached a supplier again after one had accepted them";
        case Trouble::misrouted:
            return "messages at the wrong supplier";
        case Trouble::altered:
            return "messages whose content changed on the way";
        case Trouble::unreadable:
            return "messages at a supplier that nobody sent";
        case Trouble::false_status:
            return "answers with another status than the supplier gave";
        case Trouble::accepted_but_refused:
            return "messages accepted by a supplier but answered with an error";
        case Trouble::refused:
            return "messages refused without asking a supplier (see --allow-refusals)";
        case Trouble::receipt_lost:
            return "receipts that never came home";
        case Trouble::receipt_unknown_id:
            return "receipts with an id that no customer was given, or a second time";
        case Trouble::receipt_wrong_customer:
            return "receipts at the wrong customer";
        case Trouble::receipt_altered:
            return "receipts with wrong addresses, state, or text and TLVs that contradict";
        case Trouble::receipt_unasked:
            return "receipts that nobody asked for";
        case Trouble::mo_lost:
            return "MO messages that reached no customer";
        case Trouble::mo_twice:
            return "MO messages that came twice";
        case Trouble::mo_misrouted:
            return "MO messages at the wrong customer";
        case Trouble::mo_altered:
            return "MO messages whose content changed on the way";
        case Trouble::session_lost:
            return "sessions lost during the run";
        case Trouble::session_deaf:
            return "sessions that did not answer enquire_link at the end";
        case Trouble::unbind_unclean:
            return "sessions that did not answer unbind";
        case Trouble::malformed:
            return "PDUs that are malformed or do not belong here";
        case Trouble::count_:
            break;
    }
    return "";
}

std::string status_text(uint32_t status) {
    const std::string_view name = smpp::status_name(static_cast<smpp::CommandStatus>(status));
    return name.empty() ? fmt::format("0x{:08x}", status) : std::string(name);
}

void Ledger::trouble(Trouble kind, std::string story) {
    trouble(kind, uint64_t{1});
    auto& stories = stories_[static_cast<size_t>(kind)];
    if (stories.size() < stories_max) {
        stories.push_back(std::move(story));
    }
}

uint64_t Ledger::troubles() const {
    return std::accumulate(troubles_.begin(), troubles_.end(), uint64_t{0});
}

void Ledger::audit(uint32_t message_count, bool customers_here, bool suppliers_here) {
    for (uint32_t m = 0; m < message_count && customers_here; ++m) {
        const uint16_t record = messages_[m];
        const bool ok = (record & answered_ok) != 0;
        if ((record & submitted) != 0 && (record & answered) == 0) {
            trouble(Trouble::unanswered, fmt::format("M{:010}", m));
        }
        if (suppliers_here && ok && (record & accepted) == 0) {
            trouble(Trouble::lost, fmt::format("M{:010}", m));
        }
        if ((record & answered) != 0 && !ok && (record & accepted) != 0) {
            trouble(Trouble::accepted_but_refused, fmt::format("M{:010}", m));
        }
        if (ok && (record & receipt_asked) != 0 && (record & receipt_home) == 0) {
            trouble(Trouble::receipt_lost, fmt::format("M{:010}", m));
        }
    }
    for (size_t n = 0; n < mo.size() && customers_here && suppliers_here; ++n) {
        if (mo[n] == 1) {
            trouble(Trouble::mo_lost, fmt::format("MO {:010}", n));
        }
    }
}

}  // namespace sy::load
