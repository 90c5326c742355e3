#include "core/smpp/session.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sy::smpp {
namespace {

using enum CommandId;
using enum CommandStatus;

constexpr std::array states = {
    SessionState::open,      SessionState::outbound, SessionState::bound_tx, SessionState::bound_rx,
    SessionState::bound_trx, SessionState::unbound,  SessionState::closed};

// One letter a state, in the order above: h handle, i ignore, n generic_nack RINVCMDID, and own
// responses: b RINVBNDSTS, a RALYBND, c RINVCMDID, p RPROHIBITED.
std::string verdicts(Role ours, Version version, CommandId id) {
    std::string out;
    for (const SessionState state : states) {
        const Verdict verdict = judge(ours, state, version, id);
        char letter = '?';
        switch (verdict.action) {
            case Action::handle:
                letter = 'h';
                break;
            case Action::ignore:
                letter = 'i';
                break;
            case Action::generic_nack:
                letter = verdict.status == esme_rinvcmdid ? 'n' : '?';
                break;
            case Action::respond:
                letter = verdict.status == esme_rinvbndsts    ? 'b'
                         : verdict.status == esme_ralybnd     ? 'a'
                         : verdict.status == esme_rinvcmdid   ? 'c'
                         : verdict.status == esme_rprohibited ? 'p'
                                                              : '?';
                break;
        }
        out += letter;
    }
    return out;
}

struct Row {
    CommandId id;
    const char* expected;  // open outbound tx rx trx unbound closed
};

// PROTOCOL 5, and rows 3 to 8 of PROTOCOL 9.
TEST(Session, JudgesWhatAnEsmeSends) {
    const Row rows[] = {
        {bind_transmitter, "hhaaabi"},
        {bind_receiver, "hhaaabi"},
        {bind_transceiver, "hhaaabi"},
        {unbind, "bbhhhbi"},
        {enquire_link, "hhhhhhi"},
        {submit_sm, "bbhbhbi"},
        {submit_multi, "bbhbhbi"},
        {query_sm, "bbhbhbi"},
        {cancel_sm, "bbhbhbi"},
        {replace_sm, "bbhbhbi"},
        {data_sm, "bbhhhbi"},
        {deliver_sm, "bbcccbi"},
        {broadcast_sm, "bbcccbi"},
        {cancel_broadcast_sm, "bbcccbi"},
        {outbind, "nnnnnni"},
        {alert_notification, "nnnnnni"},
        {static_cast<CommandId>(0x10200), "nnnnnni"},
        {deliver_sm_resp, "hhhhhhi"},
        {data_sm_resp, "hhhhhhi"},
        {enquire_link_resp, "hhhhhhi"},
        {unbind_resp, "hhhhhhi"},
        {generic_nack, "hhhhhhi"},
        {submit_sm_resp, "iiiiiii"},
        {bind_transceiver_resp, "iiiiiii"},
        {static_cast<CommandId>(0x80000102), "iiiiiii"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(verdicts(Role::mc, Version::v34, row.id), row.expected)
            << std::hex << static_cast<uint32_t>(row.id);
    }
}

TEST(Session, JudgesWhatAnMcSends) {
    const Row rows[] = {
        {outbind, "hiiiiii"},
        {unbind, "bbhhhbi"},
        {enquire_link, "hhhhhhi"},
        {deliver_sm, "bbbhhbi"},
        {data_sm, "bbhhhbi"},
        {alert_notification, "iiihhii"},
        {submit_sm, "bbcccbi"},
        {bind_receiver, "bbcccbi"},
        {static_cast<CommandId>(0x0A), "nnnnnni"},
        {submit_sm_resp, "hhhhhhi"},
        {bind_transceiver_resp, "hhhhhhi"},
        {generic_nack, "hhhhhhi"},
        {deliver_sm_resp, "iiiiiii"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(verdicts(Role::esme, Version::v34, row.id), row.expected)
            << std::hex << static_cast<uint32_t>(row.id);
    }
}

TEST(Session, Version50NarrowsDataSmAndNamesProhibited) {
    EXPECT_EQ(verdicts(Role::mc, Version::v50, data_sm), "bbhbhbi");
    EXPECT_EQ(verdicts(Role::esme, Version::v50, data_sm), "bbbhhbi");
    EXPECT_EQ(verdicts(Role::mc, Version::v50, broadcast_sm), "bbpppbi");
}

TEST(Session, NothingIsSentThatThePeerWouldRefuse) {
    EXPECT_TRUE(may_send(Role::esme, SessionState::open, Version::v34, bind_transmitter));
    EXPECT_FALSE(may_send(Role::esme, SessionState::bound_tx, Version::v34, bind_transmitter));
    EXPECT_TRUE(may_send(Role::esme, SessionState::bound_tx, Version::v34, submit_sm));
    EXPECT_FALSE(may_send(Role::esme, SessionState::bound_rx, Version::v34, submit_sm));
    EXPECT_TRUE(may_send(Role::mc, SessionState::bound_rx, Version::v34, deliver_sm));
    EXPECT_FALSE(may_send(Role::mc, SessionState::bound_tx, Version::v34, deliver_sm));
    EXPECT_FALSE(may_send(Role::mc, SessionState::bound_trx, Version::v34, submit_sm));
    EXPECT_FALSE(may_send(Role::esme, SessionState::open, Version::v34, enquire_link));
    EXPECT_TRUE(may_send(Role::esme, SessionState::bound_rx, Version::v34, enquire_link));
    EXPECT_FALSE(may_send(Role::esme, SessionState::unbound, Version::v34, unbind));
    EXPECT_FALSE(may_send(Role::mc, SessionState::bound_trx, Version::v34, submit_sm_resp));
}

TEST(Session, BindMovesOutOfOpenOnSuccessOnly) {
    using enum SessionState;
    EXPECT_EQ(state_after(open, bind_transmitter_resp, esme_rok), bound_tx);
    EXPECT_EQ(state_after(open, bind_receiver_resp, esme_rok), bound_rx);
    EXPECT_EQ(state_after(outbound, bind_transceiver_resp, esme_rok), bound_trx);
    EXPECT_EQ(state_after(open, bind_transceiver_resp, esme_rbindfail), open);
    EXPECT_EQ(state_after(bound_tx, bind_receiver_resp, esme_rok), bound_tx);
    EXPECT_EQ(state_after(unbound, bind_receiver_resp, esme_rok), unbound);
    EXPECT_EQ(state_after(open, outbind, esme_rok), outbound);
    EXPECT_EQ(state_after(bound_rx, outbind, esme_rok), bound_rx);
    EXPECT_EQ(state_after(open, bind_transceiver, esme_rok), open);
}

TEST(Session, UnbindRespEndsTheBind) {
    using enum SessionState;
    for (const SessionState state : {bound_tx, bound_rx, bound_trx}) {
        EXPECT_EQ(state_after(state, unbind, esme_rok), state);
        EXPECT_EQ(state_after(state, unbind_resp, esme_rok), unbound);
    }
    EXPECT_EQ(state_after(open, unbind_resp, esme_rinvbndsts), open);
    EXPECT_EQ(state_after(closed, unbind_resp, esme_rok), closed);
}

TEST(Session, InterfaceVersionsMapToWhatTheyAllow) {
    EXPECT_EQ(version_of(0x00), Version::v33);
    EXPECT_EQ(version_of(0x33), Version::v33);
    EXPECT_EQ(version_of(0x34), Version::v34);
    EXPECT_EQ(version_of(0x4F), Version::v34);
    EXPECT_EQ(version_of(0x50), Version::v50);
    EXPECT_EQ(version_of(0xFF), Version::v50);
    EXPECT_FALSE(tlvs_allowed(Version::v33));
    EXPECT_TRUE(tlvs_allowed(Version::v34));
    EXPECT_EQ(message_id_octets_limit(Version::v33), 8u);
    EXPECT_EQ(message_id_octets_limit(Version::v50), 64u);
}

TEST(Session, OlderPeersGetStatusesTheyKnow) {
    for (uint32_t value = 0; value < 0x1000; ++value) {
        const auto status = static_cast<CommandStatus>(value);
        EXPECT_EQ(status_for(Version::v50, status), status);
        const auto mapped = static_cast<uint32_t>(status_for(Version::v34, status));
        const bool vendor = mapped >= 0x400 && mapped <= 0x4FF;
        EXPECT_TRUE(mapped < 0x100 || vendor) << value;
        EXPECT_EQ(mapped == 0, value == 0) << value;  // a refusal never turns into a success
    }
    EXPECT_EQ(status_for(Version::v34, esme_rinvdcs), esme_rsubmitfail);
    EXPECT_EQ(status_for(Version::v34, esme_rprohibited), esme_rinvcmdid);
    EXPECT_EQ(status_for(Version::v33, esme_rsertypdenied), esme_rinvsertyp);
    EXPECT_EQ(status_for(Version::v34, static_cast<CommandStatus>(0x40D)),
              static_cast<CommandStatus>(0x40D));
}

}  // namespace
}  // namespace sy::smpp
