#include "core/smpp/status.h"

#include <gtest/gtest.h>

namespace sy::smpp {
namespace {

TEST(Status, NamesAndValuesAreEachOthersInverse) {
    int named = 0;
    for (uint32_t value = 0; value < 0x500; ++value) {
        const auto status = static_cast<CommandStatus>(value);
        const std::string_view name = status_name(status);
        if (!name.empty()) {
            ++named;
            EXPECT_EQ(parse_status(name), status) << name;
        }
    }
    EXPECT_EQ(named, 48 + 19);  // SMPP 3.4's, and 0x100 to 0x112 of 5.0
}

TEST(Status, TakesPrefixCaseAndBothSpellings) {
    EXPECT_EQ(parse_status("ESME_RTHROTTLED"), CommandStatus::esme_rthrottled);
    EXPECT_EQ(parse_status("esme_rthrottled"), CommandStatus::esme_rthrottled);
    EXPECT_EQ(parse_status("rInvDstAdr"), CommandStatus::esme_rinvdstadr);
    EXPECT_EQ(parse_status("RINVTLVSTREAM"), CommandStatus::esme_rinvoptparstream);
    EXPECT_EQ(parse_status("RMISSINGTLV"), CommandStatus::esme_rmissingoptparam);
    EXPECT_EQ(status_name(CommandStatus::esme_rinvoptparstream), "RINVOPTPARSTREAM");
}

TEST(Status, TakesNumbers) {
    EXPECT_EQ(parse_status("0x45"), CommandStatus::esme_rsubmitfail);
    EXPECT_EQ(parse_status("69"), CommandStatus::esme_rsubmitfail);
    EXPECT_EQ(parse_status("0x0000040D"), static_cast<CommandStatus>(0x40D));
    EXPECT_EQ(parse_status("4294967295"), static_cast<CommandStatus>(0xFFFFFFFF));
}

TEST(Status, RefusesEverythingElse) {
    for (const char* text : {"", "ESME_", "RNOSUCH", "0x", "-1", "0x45 ", " 69", "4294967296",
                             "0x100000000", "+5", "ESME_0x45x"}) {
        EXPECT_FALSE(parse_status(text).has_value()) << text;
    }
    EXPECT_TRUE(status_name(static_cast<CommandStatus>(0x40D)).empty());
}

}  // namespace
}  // namespace sy::smpp
