#include "core/route/error_table.h"

#include <gtest/gtest.h>

namespace sy::route {
namespace {

using smpp::CommandStatus;

constexpr SupplierId alpha{1};
constexpr SupplierId beta{2};

TEST(ErrorTable, DefaultsFollowTheRetryClasses) {
    const ErrorTable table;
    for (const auto status : {CommandStatus::esme_rsyserr, CommandStatus::esme_rmsgqful,
                              CommandStatus::esme_rinvdstadr, CommandStatus::esme_rinvbndsts,
                              CommandStatus::esme_rsubmitfail, CommandStatus::esme_rx_t_appn,
                              CommandStatus::esme_rinvcmdid, CommandStatus::esme_rbindfail,
                              CommandStatus::esme_runknownerr, CommandStatus::esme_rprohibited}) {
        EXPECT_EQ(table.classify(alpha, status), ErrorClass::next) << static_cast<uint32_t>(status);
    }
    for (const auto status : {CommandStatus::esme_rinvmsglen, CommandStatus::esme_rinvsrcadr,
                              CommandStatus::esme_rinvexpiry, CommandStatus::esme_rx_p_appn,
                              CommandStatus::esme_rx_r_appn, CommandStatus::esme_rinvdstton,
                              CommandStatus::esme_rinvoptparamval, CommandStatus::esme_rinvdcs}) {
        EXPECT_EQ(table.classify(alpha, status), ErrorClass::final)
            << static_cast<uint32_t>(status);
    }
    EXPECT_EQ(table.classify(alpha, CommandStatus::esme_rthrottled), ErrorClass::pause);
}

TEST(ErrorTable, UnknownAndVendorCodesTryTheNext) {
    const ErrorTable table;
    for (const uint32_t code : {0x22U, 0x400U, 0x4A1U, 0x4FFU, 0x500U, 0xFFFFFFFFU}) {
        EXPECT_EQ(table.classify(alpha, static_cast<CommandStatus>(code)), ErrorClass::next);
    }
}

TEST(ErrorTable, RowForASupplierBeforeRowForAny) {
    const ErrorTable table({{1, SupplierId::none(), CommandStatus::esme_rsyserr, ErrorClass::final},
                            {2, alpha, CommandStatus::esme_rsyserr, ErrorClass::pause},
                            {3, beta, CommandStatus::esme_rinvmsglen, ErrorClass::next}});
    EXPECT_EQ(table.classify(alpha, CommandStatus::esme_rsyserr), ErrorClass::pause);
    EXPECT_EQ(table.classify(beta, CommandStatus::esme_rsyserr), ErrorClass::final);
    EXPECT_EQ(table.classify(beta, CommandStatus::esme_rinvmsglen), ErrorClass::next);
    EXPECT_EQ(table.classify(alpha, CommandStatus::esme_rinvmsglen), ErrorClass::final);
}

TEST(ErrorTable, EarlierOfTwoEqualRowsCounts) {
    const ErrorTable table({{1, alpha, CommandStatus::esme_rsyserr, ErrorClass::pause},
                            {2, alpha, CommandStatus::esme_rsyserr, ErrorClass::final}});
    EXPECT_EQ(table.classify(alpha, CommandStatus::esme_rsyserr), ErrorClass::pause);
}

}  // namespace
}  // namespace sy::route
