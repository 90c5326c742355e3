#include "core/route/error_table.h"

#include <algorithm>
#include <tuple>

namespace sy::route {

namespace {

using smpp::CommandStatus;

// Rows for any supplier have the highest id value (none), so they stand behind the others.
bool before(const ErrorRule& a, const ErrorRule& b) {
    return std::tie(a.status, a.supplier.value) < std::tie(b.status, b.supplier.value);
}

// README.md has the table with its reasons (PROTOCOL facts, section 10). What is not listed is
// permanent for this route, but another supplier may take it: `next`.
ErrorClass default_class(CommandStatus status) {
    switch (status) {
        case CommandStatus::esme_rthrottled:
            return ErrorClass::pause;
        case CommandStatus::esme_rok:
        case CommandStatus::esme_rinvmsglen:
        case CommandStatus::esme_rinvprtflg:
        case CommandStatus::esme_rinvregdlvflg:
        case CommandStatus::esme_rinvsrcadr:
        case CommandStatus::esme_rinvmsgid:
        case CommandStatus::esme_rcancelfail:
        case CommandStatus::esme_rreplacefail:
        case CommandStatus::esme_rinvsertyp:
        case CommandStatus::esme_rinvnumdests:
        case CommandStatus::esme_rinvdlname:
        case CommandStatus::esme_rinvdestflag:
        case CommandStatus::esme_rinvsubrep:
        case CommandStatus::esme_rinvesmclass:
        case CommandStatus::esme_rcntsubdl:
        case CommandStatus::esme_rinvsrcton:
        case CommandStatus::esme_rinvsrcnpi:
        case CommandStatus::esme_rinvdstton:
        case CommandStatus::esme_rinvdstnpi:
        case CommandStatus::esme_rinvrepflag:
        case CommandStatus::esme_rinvnummsgs:
        case CommandStatus::esme_rinvsched:
        case CommandStatus::esme_rinvexpiry:
        case CommandStatus::esme_rinvdftmsgid:
        case CommandStatus::esme_rx_p_appn:
        case CommandStatus::esme_rx_r_appn:
        case CommandStatus::esme_rinvoptparstream:
        case CommandStatus::esme_roptparnotallwd:
        case CommandStatus::esme_rinvparlen:
        case CommandStatus::esme_rmissingoptparam:
        case CommandStatus::esme_rinvoptparamval:
        case CommandStatus::esme_rinvdcs:
        case CommandStatus::esme_rinvsrcaddrsubunit:
        case CommandStatus::esme_rinvdstaddrsubunit:
            return ErrorClass::final;
        default:
            return ErrorClass::next;
    }
}

}  // namespace

ErrorTable::ErrorTable() = default;

ErrorTable::ErrorTable(const std::vector<ErrorRule>& rules) {
    // One by one behind its equals: of two rows for the same, the earlier one is found first.
    for (const ErrorRule& rule : rules) {
        rules_.insert(std::upper_bound(rules_.begin(), rules_.end(), rule, before), rule);
    }
}

ErrorClass ErrorTable::classify(SupplierId supplier, CommandStatus status) const {
    for (const SupplierId id : {supplier, SupplierId::none()}) {
        ErrorRule wanted;
        wanted.supplier = id;
        wanted.status = status;
        const auto it = std::lower_bound(rules_.begin(), rules_.end(), wanted, before);
        if (it != rules_.end() && it->status == status && it->supplier == id) {
            return it->error_class;
        }
    }
    return default_class(status);
}

}  // namespace sy::route
