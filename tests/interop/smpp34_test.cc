// Every kind of PDU that the router can emit, encoded by core/smpp and decoded by libsmpp34, a C
// library by other people: what they read must be what we meant, and every octet must be read.
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

// clang-format off
extern "C" {
#include <smpp34.h>
#include <smpp34_structs.h>
#include <smpp34_params.h>  // needs the structures before it
}
// clang-format on

#include "core/smpp/encode.h"

namespace sy::smpp {
namespace {

constexpr uint32_t sequence = 0x01020304;

// SMPP 3.4 sections 5.3.2.x; libsmpp34's own names for these are macros.
enum Tag : uint16_t {
    tag_user_message_reference = 0x0204,
    tag_receipted_message_id = 0x001E,
    tag_sc_interface_version = 0x0210,
    tag_ms_availability_status = 0x0422,
    tag_network_error_code = 0x0423,
    tag_message_payload = 0x0424,
    tag_message_state = 0x0427,
    tag_vendor = 0x1402,
};

std::vector<uint8_t> octets(std::string_view text) {
    return {text.begin(), text.end()};
}

/// A TLV stream, put together by hand: core/smpp passes streams through, it does not make them.
class TlvStream {
  public:
    TlvStream& add(Tag tag, const std::vector<uint8_t>& value) {
        for (const size_t part : {size_t{tag}, value.size()}) {
            stream_.push_back(static_cast<uint8_t>(part >> 8));
            stream_.push_back(static_cast<uint8_t>(part));
        }
        stream_.insert(stream_.end(), value.begin(), value.end());
        return *this;
    }
    [[nodiscard]] Octets view() const { return stream_; }

  private:
    std::vector<uint8_t> stream_;
};

/// One PDU on its way: our encoder's octets, then libsmpp34's structure of that kind.
template <class Pdu>
class Theirs {
  public:
    template <class Encode>
    explicit Theirs(Encode encode) {
        std::array<uint8_t, 4096> buffer{};
        const size_t size = encode(std::span<uint8_t>(buffer));
        EXPECT_GE(size, 16u);
        smpp34_strerror[0] = '\0';
        const int outcome = smpp34_unpack2(&pdu_, buffer.data(), static_cast<int>(size));
        EXPECT_EQ(outcome, 0) << smpp34_strerror;
        EXPECT_EQ(pdu_.command_length, size);
        EXPECT_EQ(pdu_.sequence_number, sequence);
    }
    Theirs(const Theirs&) = delete;
    Theirs& operator=(const Theirs&) = delete;
    ~Theirs() {
        if constexpr (requires { pdu_.tlv; }) {
            destroy_tlv(pdu_.tlv);
        }
        if constexpr (requires { pdu_.dest_addr_def; }) {
            destroy_dad(pdu_.dest_addr_def);
        }
        if constexpr (requires { pdu_.unsuccess_smes; }) {
            destroy_udad(pdu_.unsuccess_smes);
        }
    }
    const Pdu* operator->() const { return &pdu_; }
    const Pdu& operator*() const { return pdu_; }

  private:
    Pdu pdu_{};
};

template <size_t size>
std::string text(const uint8_t (&field)[size]) {
    const void* end = std::memchr(field, 0, size);
    EXPECT_NE(end, nullptr) << "no NUL in the field";
    return end == nullptr ? "" : reinterpret_cast<const char*>(field);
}

/// libsmpp34 keeps integers of TLVs that it knows in host order and everything else as octets.
void expect_integer(const tlv_t* list, Tag tag, uint32_t value, uint16_t length) {
    for (const tlv_t* tlv = list; tlv != nullptr; tlv = tlv->next) {
        if (tlv->tag == tag) {
            EXPECT_EQ(tlv->length, length);
            EXPECT_EQ(length == 1 ? tlv->value.val08 : tlv->value.val16, value);
            return;
        }
    }
    ADD_FAILURE() << "no TLV " << tag;
}

void expect_octets(const tlv_t* list, Tag tag, const std::vector<uint8_t>& value) {
    for (const tlv_t* tlv = list; tlv != nullptr; tlv = tlv->next) {
        if (tlv->tag == tag) {
            ASSERT_EQ(tlv->length, value.size());
            EXPECT_EQ(std::memcmp(tlv->value.octet, value.data(), value.size()), 0);
            return;
        }
    }
    ADD_FAILURE() << "no TLV " << tag;
}

/// Fields that submit_sm, deliver_sm and (without the ifs) data_sm have.
template <class Pdu>
void expect_sm(const Pdu& theirs, const Sm& ours) {
    EXPECT_EQ(text(theirs.service_type), ours.service_type);
    EXPECT_EQ(theirs.source_addr_ton, ours.source.ton);
    EXPECT_EQ(theirs.source_addr_npi, ours.source.npi);
    EXPECT_EQ(text(theirs.source_addr), ours.source.digits);
    EXPECT_EQ(theirs.dest_addr_ton, ours.destination.ton);
    EXPECT_EQ(theirs.dest_addr_npi, ours.destination.npi);
    EXPECT_EQ(text(theirs.destination_addr), ours.destination.digits);
    EXPECT_EQ(theirs.esm_class, ours.esm_class);
    EXPECT_EQ(theirs.registered_delivery, ours.registered_delivery);
    EXPECT_EQ(theirs.data_coding, ours.data_coding);
    if constexpr (requires { theirs.short_message; }) {
        EXPECT_EQ(theirs.protocol_id, ours.protocol_id);
        EXPECT_EQ(theirs.priority_flag, ours.priority_flag);
        EXPECT_EQ(text(theirs.schedule_delivery_time), ours.schedule_delivery_time);
        EXPECT_EQ(text(theirs.validity_period), ours.validity_period);
        EXPECT_EQ(theirs.replace_if_present_flag, ours.replace_if_present_flag);
        EXPECT_EQ(theirs.sm_default_msg_id, ours.sm_default_msg_id);
        ASSERT_EQ(theirs.sm_length, ours.short_message.size());
        EXPECT_EQ(
            std::memcmp(theirs.short_message, ours.short_message.data(), ours.short_message.size()),
            0);
    }
}

/// Representative fields, none at its default, strings at their longest where that is legal.
Sm representative_sm(const std::vector<uint8_t>& message, const TlvStream& tlvs) {
    Sm sm;
    sm.service_type = "CMT01";
    sm.source = {5, 0, "Sender of 20 octets."};
    sm.destination = {1, 1, "44770090012345678901"};
    sm.esm_class = esm_class_udhi;
    sm.protocol_id = 0x41;
    sm.priority_flag = 2;
    sm.registered_delivery = 0x11;
    sm.replace_if_present_flag = 1;
    sm.data_coding = 8;
    sm.sm_default_msg_id = 7;
    sm.short_message = message;
    sm.tlvs = tlvs.view();
    return sm;
}

std::vector<uint8_t> every_octet(size_t count) {
    std::vector<uint8_t> message(count);
    for (size_t index = 0; index < count; ++index) {
        message[index] = static_cast<uint8_t>(index);
    }
    return message;
}

template <class Pdu>
void expect_bind(CommandId id) {
    const Bind bind{"system_id_15_ch", "pass8chr", "system_typ12", 0x34, 1, 1, "^4477[0-9]*$"};
    const Theirs<Pdu> theirs(
        [&](std::span<uint8_t> out) { return encode_bind(out, id, sequence, bind); });
    EXPECT_EQ(theirs->command_id, static_cast<uint32_t>(id));
    EXPECT_EQ(text(theirs->system_id), bind.system_id);
    EXPECT_EQ(text(theirs->password), bind.password);
    EXPECT_EQ(text(theirs->system_type), bind.system_type);
    EXPECT_EQ(theirs->interface_version, bind.interface_version);
    EXPECT_EQ(theirs->addr_ton, bind.addr_ton);
    EXPECT_EQ(theirs->addr_npi, bind.addr_npi);
    EXPECT_EQ(text(theirs->address_range), bind.address_range);
}

TEST(Smpp34, Binds) {
    expect_bind<bind_transmitter_t>(CommandId::bind_transmitter);
    expect_bind<bind_receiver_t>(CommandId::bind_receiver);
    expect_bind<bind_transceiver_t>(CommandId::bind_transceiver);
}

template <class Pdu>
void expect_bind_resp(CommandId id) {
    const TlvStream tlvs = TlvStream().add(tag_sc_interface_version, {0x34});
    const Theirs<Pdu> theirs([&](std::span<uint8_t> out) {
        return encode_bind_resp(out, id, sequence, {"switchyard", tlvs.view()});
    });
    EXPECT_EQ(theirs->command_id, static_cast<uint32_t>(id));
    EXPECT_EQ(theirs->command_status, 0u);
    EXPECT_EQ(text(theirs->system_id), "switchyard");
    expect_integer(theirs->tlv, tag_sc_interface_version, 0x34, 1);
}

TEST(Smpp34, BindResponses) {
    expect_bind_resp<bind_transmitter_resp_t>(CommandId::bind_transmitter_resp);
    expect_bind_resp<bind_receiver_resp_t>(CommandId::bind_receiver_resp);
    expect_bind_resp<bind_transceiver_resp_t>(CommandId::bind_transceiver_resp);
}

TEST(Smpp34, Outbind) {
    const Theirs<outbind_t> theirs([](std::span<uint8_t> out) {
        return encode_outbind(out, sequence, {"supplier", "secret"});
    });
    EXPECT_EQ(text(theirs->system_id), "supplier");
    EXPECT_EQ(text(theirs->password), "secret");
}

TEST(Smpp34, SubmitSm) {
    const TlvStream tlvs = TlvStream()
                               .add(tag_user_message_reference, {0x12, 0x34})
                               .add(tag_vendor, {0x00, 0xFF, 0x41});
    const std::vector<uint8_t> message = every_octet(254);
    Sm sm = representative_sm(message, tlvs);
    sm.schedule_delivery_time = "261123120000000+";
    sm.validity_period = "000002000000000R";
    const Theirs<submit_sm_t> theirs(
        [&](std::span<uint8_t> out) { return encode_sm(out, CommandId::submit_sm, sequence, sm); });
    expect_sm(*theirs, sm);
    expect_integer(theirs->tlv, tag_user_message_reference, 0x1234, 2);
    expect_octets(theirs->tlv, tag_vendor, {0x00, 0xFF, 0x41});
}

TEST(Smpp34, SubmitSmOfNothingButADestination) {
    Sm sm;
    sm.destination = {1, 1, "447700900123"};
    const Theirs<submit_sm_t> theirs(
        [&](std::span<uint8_t> out) { return encode_sm(out, CommandId::submit_sm, sequence, sm); });
    expect_sm(*theirs, sm);
    EXPECT_EQ(theirs->tlv, nullptr);
}

TEST(Smpp34, SubmitSmWithMessagePayload) {
    const std::vector<uint8_t> payload = every_octet(1000);  // libsmpp34 holds 1024
    const TlvStream tlvs = TlvStream().add(tag_message_payload, payload);
    const Sm sm = representative_sm({}, tlvs);
    const Theirs<submit_sm_t> theirs(
        [&](std::span<uint8_t> out) { return encode_sm(out, CommandId::submit_sm, sequence, sm); });
    expect_sm(*theirs, sm);
    expect_octets(theirs->tlv, tag_message_payload, payload);
}

TEST(Smpp34, DeliverSm) {
    const TlvStream tlvs = TlvStream().add(tag_user_message_reference, {0x00, 0x01});
    const std::vector<uint8_t> message = every_octet(160);
    const Sm sm = representative_sm(message, tlvs);
    const Theirs<deliver_sm_t> theirs([&](std::span<uint8_t> out) {
        return encode_sm(out, CommandId::deliver_sm, sequence, sm);
    });
    expect_sm(*theirs, sm);
    expect_integer(theirs->tlv, tag_user_message_reference, 1, 2);
}

TEST(Smpp34, DeliverSmWithReceipt) {
    const std::vector<uint8_t> message = octets(
        "id:1234567890 sub:001 dlvrd:001 submit date:2611230900 done date:2611230901 "
        "stat:DELIVRD err:000 text:hello");
    const TlvStream tlvs =
        TlvStream()
            .add(tag_receipted_message_id, octets(std::string_view("1234567890\0", 11)))
            .add(tag_message_state, {2})
            .add(tag_network_error_code, {3, 0, 0});
    Sm sm = representative_sm(message, tlvs);
    sm.esm_class = esm_class_delivery_receipt;
    const Theirs<deliver_sm_t> theirs([&](std::span<uint8_t> out) {
        return encode_sm(out, CommandId::deliver_sm, sequence, sm);
    });
    expect_sm(*theirs, sm);
    expect_octets(theirs->tlv, tag_receipted_message_id,
                  octets(std::string_view("1234567890\0", 11)));
    expect_integer(theirs->tlv, tag_message_state, 2, 1);
    expect_octets(theirs->tlv, tag_network_error_code, {3, 0, 0});
}

TEST(Smpp34, DataSm) {
    const std::vector<uint8_t> payload = every_octet(300);
    const TlvStream tlvs = TlvStream().add(tag_message_payload, payload);
    const Sm sm = representative_sm({}, tlvs);
    const Theirs<data_sm_t> theirs(
        [&](std::span<uint8_t> out) { return encode_data_sm(out, sequence, sm); });
    expect_sm(*theirs, sm);
    expect_octets(theirs->tlv, tag_message_payload, payload);
}

TEST(Smpp34, MessageResponses) {
    const std::string message_id(64, '7');
    const Theirs<submit_sm_resp_t> submit([&](std::span<uint8_t> out) {
        return encode_sm_resp(out, CommandId::submit_sm_resp, sequence, {message_id, {}});
    });
    EXPECT_EQ(text(submit->message_id), message_id);
    const Theirs<deliver_sm_resp_t> deliver([](std::span<uint8_t> out) {
        return encode_sm_resp(out, CommandId::deliver_sm_resp, sequence, {"", {}});
    });
    EXPECT_EQ(text(deliver->message_id), "");
    const Theirs<data_sm_resp_t> data([&](std::span<uint8_t> out) {
        return encode_sm_resp(out, CommandId::data_sm_resp, sequence, {message_id, {}});
    });
    EXPECT_EQ(text(data->message_id), message_id);
}

TEST(Smpp34, SubmitMulti) {
    const TlvStream tlvs = TlvStream().add(tag_user_message_reference, {0x12, 0x34});
    const std::vector<uint8_t> message = every_octet(100);
    SubmitMulti multi;
    multi.sm = representative_sm(message, tlvs);
    multi.sm.destination = {};
    multi.sm.replace_if_present_flag = 0;
    const std::vector<uint8_t> list =
        octets(std::string_view("\1\1\1"
                                "447700900123\0"
                                "\2"
                                "friends\0"
                                "\1\0\0"
                                "60777\0",
                                16 + 9 + 9));
    multi.number_of_dests = 3;
    multi.dest_addresses = list;
    const Theirs<submit_multi_t> theirs(
        [&](std::span<uint8_t> out) { return encode_submit_multi(out, sequence, multi); });
    ASSERT_EQ(theirs->number_of_dests, 3);
    EXPECT_EQ(theirs->sm_length, message.size());
    std::map<std::string, int> seen;
    for (const dad_t* dad = theirs->dest_addr_def; dad != nullptr; dad = dad->next) {
        seen[dad->dest_flag == 1 ? text(dad->value.sme.destination_addr)
                                 : text(dad->value.dl_name)] = dad->dest_flag;
    }
    EXPECT_EQ(seen,
              (std::map<std::string, int>{{"447700900123", 1}, {"friends", 2}, {"60777", 1}}));
    expect_integer(theirs->tlv, tag_user_message_reference, 0x1234, 2);
}

TEST(Smpp34, SubmitMultiResp) {
    const std::array<UnsuccessSme, 2> unsuccess{
        {{{1, 1, "447700900123"}, 0x0B}, {{0, 0, "60777"}, 0x12345678}}};
    const Theirs<submit_multi_resp_t> theirs([&](std::span<uint8_t> out) {
        return encode_submit_multi_resp(out, sequence, "4711", unsuccess);
    });
    EXPECT_EQ(text(theirs->message_id), "4711");
    ASSERT_EQ(theirs->no_unsuccess, 2);
    std::map<std::string, uint32_t> seen;
    for (const udad_t* udad = theirs->unsuccess_smes; udad != nullptr; udad = udad->next) {
        seen[text(udad->destination_addr)] = udad->error_status_code;
    }
    EXPECT_EQ(seen,
              (std::map<std::string, uint32_t>{{"447700900123", 0x0B}, {"60777", 0x12345678}}));
}

TEST(Smpp34, QueryCancelReplace) {
    const Address source{1, 1, "447700900123"};
    const Theirs<query_sm_t> query(
        [&](std::span<uint8_t> out) { return encode_query_sm(out, sequence, {"4711", source}); });
    EXPECT_EQ(text(query->message_id), "4711");
    EXPECT_EQ(text(query->source_addr), source.digits);

    const Theirs<query_sm_resp_t> query_resp([](std::span<uint8_t> out) {
        return encode_query_sm_resp(out, sequence, {"4711", "261123120000000+", 2, 9});
    });
    EXPECT_EQ(text(query_resp->message_id), "4711");
    EXPECT_EQ(text(query_resp->final_date), "261123120000000+");
    EXPECT_EQ(query_resp->message_state, 2);
    EXPECT_EQ(query_resp->error_code, 9);

    const Theirs<cancel_sm_t> cancel([&](std::span<uint8_t> out) {
        return encode_cancel_sm(out, sequence, {"CMT", "4711", source, {2, 8, "0170"}});
    });
    EXPECT_EQ(text(cancel->service_type), "CMT");
    EXPECT_EQ(text(cancel->message_id), "4711");
    EXPECT_EQ(text(cancel->source_addr), source.digits);
    EXPECT_EQ(text(cancel->destination_addr), "0170");
    EXPECT_EQ(cancel->dest_addr_npi, 8);

    const std::vector<uint8_t> message = octets("another text");
    ReplaceSm replace{"4711", source, "", "000002000000000R", 1, 3, message, {}};
    const Theirs<replace_sm_t> theirs(
        [&](std::span<uint8_t> out) { return encode_replace_sm(out, sequence, replace); });
    EXPECT_EQ(text(theirs->message_id), "4711");
    EXPECT_EQ(text(theirs->validity_period), replace.validity_period);
    EXPECT_EQ(theirs->registered_delivery, 1);
    EXPECT_EQ(theirs->sm_default_msg_id, 3);
    ASSERT_EQ(theirs->sm_length, message.size());
    EXPECT_EQ(std::memcmp(theirs->short_message, message.data(), message.size()), 0);
}

TEST(Smpp34, AlertNotification) {
    const TlvStream tlvs = TlvStream().add(tag_ms_availability_status, {1});
    const std::string long_address(64, '9');
    const Theirs<alert_notification_t> theirs([&](std::span<uint8_t> out) {
        return encode_alert_notification(out, sequence,
                                         {{1, 1, long_address}, {5, 0, "service"}, tlvs.view()});
    });
    EXPECT_EQ(text(theirs->source_addr), long_address);
    EXPECT_EQ(text(theirs->esme_addr), "service");
    expect_integer(theirs->tlv, tag_ms_availability_status, 1, 1);
}

template <class Pdu>
void expect_empty(CommandId id, CommandStatus status = CommandStatus::esme_rok) {
    const Theirs<Pdu> theirs(
        [&](std::span<uint8_t> out) { return encode_empty(out, id, status, sequence); });
    EXPECT_EQ(theirs->command_length, 16u);
    EXPECT_EQ(theirs->command_id, static_cast<uint32_t>(id));
    EXPECT_EQ(theirs->command_status, static_cast<uint32_t>(status));
}

TEST(Smpp34, HeaderOnly) {
    expect_empty<enquire_link_t>(CommandId::enquire_link);
    expect_empty<enquire_link_resp_t>(CommandId::enquire_link_resp);
    expect_empty<unbind_t>(CommandId::unbind);
    expect_empty<unbind_resp_t>(CommandId::unbind_resp);
    expect_empty<cancel_sm_resp_t>(CommandId::cancel_sm_resp, CommandStatus::esme_rcancelfail);
    expect_empty<replace_sm_resp_t>(CommandId::replace_sm_resp, CommandStatus::esme_rreplacefail);
    expect_empty<generic_nack_t>(CommandId::generic_nack, CommandStatus::esme_rinvcmdid);
    // libsmpp34 wants the body of other refusals too, against SMPP 3.4 section 4.4.2 and its like;
    // only the one where it agrees is decoded here.
    expect_empty<submit_sm_resp_t>(CommandId::submit_sm_resp, CommandStatus::esme_rthrottled);
}

// What makes the comparisons above worth something: the decoder objects to a PDU that is cut.
TEST(Smpp34, ObjectsToACutPdu) {
    std::array<uint8_t, 256> buffer{};
    Sm sm;
    sm.destination = {1, 1, "447700900123"};
    const size_t size = encode_sm(buffer, CommandId::submit_sm, sequence, sm);
    ASSERT_GT(size, 20u);
    submit_sm_t theirs{};
    EXPECT_NE(smpp34_unpack2(&theirs, buffer.data(), static_cast<int>(size) - 3), 0);
    EXPECT_NE(std::string_view(smpp34_strerror), "");
}

}  // namespace
}  // namespace sy::smpp
