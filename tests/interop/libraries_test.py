#!/usr/bin/env python3
"""SMPP libraries that others wrote, as customer and as suppliers, with the router in between.

    libraries_test.py --router PATH --build DIR --customer node|perl --alpha node|perl --beta node|perl

Supplier alpha gives hex ids in responses and decimal ones in receipts; beta gives the same both times.
"""

import argparse
import time

import lab as lab_module
import stored_scenarios
from lab import Missing, ROUTER_ADDRESS, ROUTER_ADDRESS_V6, wait_until
from library_bench import Bench, check_receipt, MT, payload_of, short_octets
from router import PORT
from smpp_peer import (Esme, RALYBND, RBINDFAIL, RCANCELFAIL, RINVCMDID, RINVDSTADR, RINVMSGID, RMSGQFUL, ROK,
                       RQUERYFAIL, RREPLACEFAIL, RSUBMITFAIL, RSYSERR, RTHROTTLED, RX_R_APPN, number, octets,
                       text_of, tlv, wire_time)


def binds(b):
    for mode in ("transmitter", "receiver", "transceiver"):
        esme = b.connect()
        response = esme.bind(mode, "acme", "secret")
        b.lab.check_equal(f"bind_{mode} accepted", response["command_status"], ROK)
        b.lab.check_equal(f"bind_{mode}_resp names the router", response.get("system_id"), "switchyard")
        version = response.get("sc_interface_version")
        b.lab.check(f"bind_{mode}_resp has sc_interface_version 3.4 or later",
                    version is not None and number(version) >= 0x34, response)
        b.lab.check_equal(f"{mode}: enquire_link answered",
                          esme.request("enquire_link")["command_status"], ROK)
        b.lab.check_equal(f"{mode}: unbind answered, then closed",
                          esme.unbind()["command_status"], ROK)
    modes = sorted(b.beta.binds.values())
    b.lab.check_equal("a supplier with bind = pair gets one of each", modes, ["receiver", "transmitter"])
    b.lab.check_equal("a supplier with bind = transceiver gets that", list(b.alpha.binds.values()),
                      ["transceiver"])


def over_ipv6(b):
    """Net::SMPP knows IPv4 only: the peer that is made of node-smpp calls, whatever else it is."""
    peer = next(p for p in (b.customer, b.alpha.peer, b.beta.peer) if p.kind == "node")
    esme = Esme(peer, ROUTER_ADDRESS_V6, PORT)
    b.lab.check_equal("bound over IPv6", esme.bind("transceiver", "acme", "secret")["command_status"], ROK)
    b.lab.check_equal("unbound over IPv6", esme.unbind()["command_status"], ROK)


def refused_binds(b):
    for name, password in (("acme", "wrong"), ("nobody", "secret"), ("acme", "")):
        esme = b.connect()
        response = esme.bind("transceiver", name, password)
        b.lab.check_equal(f"{name}/{password!r} refused with RBINDFAIL", response["command_status"],
                          RBINDFAIL)
        esme.expect_closed(10)
        b.lab.check(f"{name}/{password!r}: the router closes", True)
    esme = b.connect()
    b.lab.check_equal("an address that is not allowed refused with RBINDFAIL",
                      esme.bind("transceiver", "far", "secret3")["command_status"], RBINDFAIL)
    status = b.esme.bind("receiver", "acme", "secret")["command_status"]
    b.lab.check_equal("a second bind on a session refused with RALYBND", status, RALYBND)
    b.lab.check_equal("and the session stays as it was", b.esme.request("enquire_link")["command_status"], ROK)
    sequence = b.customer.send(b.esme.conn, "deliver_sm", source_addr="1", destination_addr="2",
                               short_message={"octets": ""})
    status = b.esme.expect("deliver_sm_resp", sequence_number=sequence)["command_status"]
    b.lab.check_equal("deliver_sm from a customer refused with RINVCMDID", status, RINVCMDID)

    more = [b.connect() for _ in range(8)]  # one bind of the eight is there already
    statuses = [esme.bind("transceiver", "acme", "secret")["command_status"] for esme in more]
    b.lab.check_equal("bind 9 of 8 refused with RBINDFAIL", statuses, [ROK] * 7 + [RBINDFAIL])
    for esme in more[:7]:
        esme.unbind()
    esme = b.connect()
    status = esme.bind("transceiver", "acme", "secret")["command_status"]
    b.lab.check_equal("after unbinds there is room again", status, ROK)
    esme.close()

    silent = b.connect()
    silent.expect_closed(10)
    b.lab.check("a connection that never binds is closed", True)
    esme = b.connect()
    sequence = b.submit("447700900200", esme=esme)
    status = b.answer_to(sequence, esme)["command_status"]
    b.lab.check_equal("submit_sm before any bind refused with RINVBNDSTS", status, 0x04)
    esme.close()


def routes(b):
    response, _ = b.send_and_take(b.alpha, "447700900201")
    b.lab.check("prefix 44 goes to alpha, answered with an id",
                response["command_status"] == ROK and response["message_id"], response)
    response, _ = b.send_and_take(b.beta, "493012345678")
    b.lab.check("prefix 49 goes to beta, answered with an id",
                response["command_status"] == ROK and response["message_id"], response)
    b.send_and_take(b.alpha, "493012345679", "Your Code 123456 is secret")
    b.lab.check("an expression over the text sends 49 to alpha", True)
    b.send_and_take(b.alpha, "493012345680", source_addr_ton=5, source_addr_npi=0, source_addr="BANK")
    b.lab.check("an expression over the sender sends 49 to alpha", True)
    b.send_and_take(b.beta, "493012345681", source_addr_ton=5, source_addr_npi=0, source_addr="BANKER")
    b.lab.check("a sender that the expression does not match stays at beta", True)
    ucs2 = "code 654321 für dich €".encode("utf-16-be")
    b.send_and_take(b.alpha, "493012345682", ucs2, data_coding=8)
    b.lab.check("the same expression matches UCS-2 text", True)
    status = b.answer_to(b.submit("447700900202", "a Forbidden Phrase"))["command_status"]
    b.lab.check_equal("a screening rule rejects with its status", status, RSUBMITFAIL)
    status = b.answer_to(b.submit("819012345678"))["command_status"]
    b.lab.check_equal("no route: RINVDSTADR", status, RINVDSTADR)


def content(b):
    """What leaves for the supplier is what the customer sent, field by field, octet by octet."""
    cases = {
        "GSM text with escapes": dict(message=bytes(range(0x01, 0x1B)) + b"\x1b\x65 \x1b\x3c" + bytes(range(0x20, 0x80))),
        "160 octets": dict(message=b"x" * 160),
        "254 octets": dict(message=b"y" * 254),
        "one octet": dict(message=b"z"),
        "Latin-1": dict(message="Grüße, Ærø".encode("latin-1"), data_coding=3),
        "UCS-2 with surrogates": dict(message="Привет 😀".encode("utf-16-be"), data_coding=8),
        "8-bit with every octet": dict(message=bytes(range(256))[2:], data_coding=4),
        "flash class": dict(message=b"now", data_coding=0x10),
        "UDH with ports": dict(message=bytes.fromhex("06050415811581") + b"\x02\x4a\x3a", esm_class=0x40,
                               data_coding=4),
        "flags": dict(message=b"flags", protocol_id=0x41, priority_flag=2, registered_delivery=1,
                      service_type="CMT", validity_period="000001000000000R"),
        "alphanumeric sender": dict(message=b"from", source_addr_ton=5, source_addr_npi=0,
                                    source_addr="Shop 24"),
        "short code sender": dict(message=b"from", source_addr_ton=3, source_addr_npi=0,
                                  source_addr="60777"),
    }
    compared = ("source_addr_ton", "source_addr_npi", "source_addr", "esm_class", "protocol_id",
                "priority_flag", "registered_delivery", "replace_if_present_flag", "data_coding",
                "service_type")
    defaults = {"source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "447700900123",
                "esm_class": 0, "protocol_id": 0, "priority_flag": 0, "registered_delivery": 0,
                "replace_if_present_flag": 0, "data_coding": 0, "service_type": ""}
    for index, (name, case) in enumerate(cases.items()):
        destination = f"4477009010{index:02}"
        message = case["message"]
        fields = {key: value for key, value in case.items() if key != "message"}
        response, got = b.send_and_take(b.alpha, destination, message, **fields)
        b.lab.check_equal(f"{name}: accepted", response["command_status"], ROK)
        b.lab.check_equal(f"{name}: octets unchanged", short_octets(got).hex(), message.hex())
        want = {key: fields.get(key, defaults[key]) for key in compared}
        b.lab.check_equal(f"{name}: fields unchanged", {key: got[key] for key in compared}, want)
        b.lab.check_equal(f"{name}: destination", (got["dest_addr_ton"], got["dest_addr_npi"]), (1, 1))
        if "validity_period" in fields:
            b.lab.check_equal(f"{name}: validity_period", wire_time(got["validity_period"]),
                              fields["validity_period"])
    payload = bytes(index % 251 for index in range(3000))
    response, got = b.send_and_take(
        b.beta, "493012340001", b"", data_coding=4, message_payload=tlv("message_payload", payload),
        user_message_reference=tlv("user_message_reference", 0x1234),
        operator_id=tlv("operator_id", b"\x00vendor\xff"))
    b.lab.check_equal("message_payload: accepted", response["command_status"], ROK)
    b.lab.check("message_payload of 3000 octets unchanged", payload_of(got) == payload, got)
    b.lab.check_equal("user_message_reference unchanged", number(got["user_message_reference"]), 0x1234)
    b.lab.check_equal("vendor TLV unchanged", octets(got["operator_id"]), b"\x00vendor\xff")


def one_receipt(b, name, smsc, destination, stat="DELIVRD", state=2, tlvs=True, sender=(1, 1, "447700900123"),
                written=None, error=0):
    """A message with a receipt, all the way; `written` is the destination as the customer writes it."""
    to = written or (1, 1, destination)
    sequence = b.submit(to[2], registered_delivery=1, source_addr_ton=sender[0], source_addr_npi=sender[1],
                        source_addr=sender[2], dest_addr_ton=to[0], dest_addr_npi=to[1])
    got = smsc.expect_submit(destination_addr=destination)
    response = b.answer_to(sequence)
    answered = smsc.receipt(got, stat, state, error, tlvs=tlvs)
    receipt = b.customer.expect_pdu(None, "deliver_sm")
    check_receipt(b, name, receipt, response, {"to": to, "from": sender}, state, stat, error)
    b.lab.check_equal(f"{name}: the supplier is answered", smsc.expect_delivered(answered), ROK)


def receipts(b):
    one_receipt(b, "delivered, hex id to decimal", b.alpha, "447700900301")
    one_receipt(b, "delivered, id as is, other bind", b.beta, "493012340301")
    one_receipt(b, "failed", b.alpha, "447700900302", "UNDELIV", 5, error=42)
    one_receipt(b, "expired, text only", b.beta, "493012340302", "EXPIRED", 3, tlvs=False, error=7)
    one_receipt(b, "alphanumeric sender", b.beta, "493012340303", sender=(5, 0, "Shop 24"))
    one_receipt(b, "the customer's own writing of the number", b.alpha, "447700900303",
                written=(0, 0, "+447700900303"))

    b.alpha.policy = lambda pdu: None
    sequence = b.submit("447700900304", registered_delivery=1)
    got = b.alpha.expect_submit(destination_addr="447700900304")
    message = b.alpha.id_last + 1
    answered = b.alpha.receipt(got, message=message)
    # The supplier's own order on the link: receipt first, then the response.
    b.alpha.accept(got["conn"], got)
    response = b.answer_to(sequence)
    receipt = b.esme.expect("deliver_sm")
    check_receipt(b, "receipt before its response", receipt, response,
                  {"to": (1, 1, "447700900304"), "from": (1, 1, "447700900123")}, 2, "DELIVRD")
    b.lab.check_equal("receipt before its response: the supplier is answered",
                      b.alpha.expect_delivered(answered), ROK)
    b.alpha.policy = lambda pdu: ROK


def receipt_forms(b):
    """What suppliers make of receipts: each comes home in the one form that customers get."""
    forms = {
        "text in message_payload": dict(carrier="message_payload"),
        "as data_sm": dict(carrier="data_sm"),
        "text only, esm_class 0": dict(esm_class=0, tlvs=False),
        "esm_class with mode bits": dict(esm_class=0x07),
        "more leading zeros": dict(id_text="000000%d"),
    }
    for index, (name, form) in enumerate(forms.items()):
        destination = f"44770090032{index}"
        sequence = b.submit(destination, registered_delivery=1)
        got = b.alpha.expect_submit(destination_addr=destination)
        response = b.answer_to(sequence)
        if "id_text" in form:
            form = {**form, "id_text": form["id_text"] % got["accepted_as"]}
        answered = b.alpha.receipt(got, **form)
        receipt = b.esme.expect("deliver_sm")
        check_receipt(b, name, receipt, response,
                      {"to": (1, 1, destination), "from": (1, 1, "447700900123")}, 2, "DELIVRD")
        command = "data_sm" if form.get("carrier") == "data_sm" else "deliver_sm"
        b.lab.check_equal(f"{name}: the supplier is answered",
                          b.alpha.expect_delivered(answered, command=command), ROK)

    # What the customer did not ask for stays here; settle() would find it.
    cases = (("none asked", 0, "DELIVRD", 2, 0x04, False), ("failures asked, a success", 2, "DELIVRD", 2, 0x04, False),
             ("failures asked, a failure", 2, "UNDELIV", 5, 0x04, True),
             ("final asked, an intermediate one", 1, "ENROUTE", 1, 0x20, False),
             ("intermediate asked as well", 0x11, "ENROUTE", 1, 0x20, True))
    for index, (name, asked, stat, state, esm_class, wanted) in enumerate(cases):
        destination = f"44770090033{index}"
        sequence = b.submit(destination, registered_delivery=asked)
        got = b.alpha.expect_submit(destination_addr=destination)
        response = b.answer_to(sequence)
        answered = b.alpha.receipt(got, stat, state, esm_class=esm_class)
        b.lab.check_equal(f"{name}: the supplier is answered", b.alpha.expect_delivered(answered), ROK)
        if wanted:
            receipt = b.esme.expect("deliver_sm")
            b.lab.check_equal(f"{name}: delivered", (text_of(receipt["receipted_message_id"]),
                                                     receipt["esm_class"] & 0x3C),
                              (response["message_id"], esm_class))


def receipts_to_a_pair(b):
    """A customer with a TX and an RX bind: the receipt comes by the RX bind."""
    b.esme.unbind()
    tx, rx = b.connect(), b.connect()
    b.lab.check_equal("transmitter bound", tx.bind("transmitter", "acme", "secret")["command_status"], ROK)
    b.lab.check_equal("receiver bound", rx.bind("receiver", "acme", "secret")["command_status"], ROK)
    sequence = b.submit("447700900310", esme=tx, registered_delivery=1)
    got = b.alpha.expect_submit(destination_addr="447700900310")
    response = b.answer_to(sequence, tx)
    answered = b.alpha.receipt(got)
    receipt = rx.expect("deliver_sm")
    b.lab.check_equal("the receipt comes by the receiver", text_of(receipt["receipted_message_id"]),
                      response["message_id"])
    b.lab.check_equal("the supplier is answered", b.alpha.expect_delivered(answered), ROK)
    status = b.answer_to(b.submit("447700900311", esme=rx), rx)["command_status"]
    b.lab.check_equal("submit_sm on the receiver refused with RINVBNDSTS", status, 0x04)

    # A receipt without a bind that can take it waits for one.
    rx.unbind()
    sequence = b.submit("447700900312", esme=tx, registered_delivery=1)
    got = b.alpha.expect_submit(destination_addr="447700900312")
    response = b.answer_to(sequence, tx)
    answered = b.alpha.receipt(got)
    b.lab.check_equal("no receiver: the supplier is answered all the same",
                      b.alpha.expect_delivered(answered), ROK)
    rx = b.connect()
    rx.bind("receiver", "acme", "secret")
    receipt = rx.expect("deliver_sm")
    b.lab.check_equal("the receipt that waited comes with the next receiver",
                      text_of(receipt["receipted_message_id"]), response["message_id"])
    rx.unbind()
    tx.unbind()
    b.bind_transceiver()


def mobile_originated(b):
    text = b"STOP please"
    sequence = b.alpha.deliver(source_addr="447700900401", destination_addr="447700900123",
                               short_message={"octets": text.hex()})
    got = b.esme.expect("deliver_sm")
    b.lab.check_equal("MO text", short_octets(got), text)
    b.lab.check_equal("MO addresses", (got["source_addr"], got["destination_addr"]),
                      ("447700900401", "447700900123"))
    b.lab.check_equal("MO esm_class", got["esm_class"], 0)
    b.lab.check_equal("the supplier is answered ROK", b.alpha.expect_delivered(sequence), ROK)
    text = "Да €".encode("utf-16-be")
    sequence = b.beta.deliver(source_addr="493012340401", destination_addr="447700900123", data_coding=8,
                              short_message={"octets": text.hex()})
    got = b.esme.expect("deliver_sm")
    b.lab.check_equal("MO in UCS-2 by a receiver bind", (got["data_coding"], short_octets(got)), (8, text))
    b.lab.check_equal("its supplier is answered ROK", b.beta.expect_delivered(sequence), ROK)
    sequence = b.alpha.peer.send(
        b.alpha.receiving_conn(), "data_sm", service_type="", source_addr_ton=1, source_addr_npi=1,
        source_addr="447700900404", dest_addr_ton=1, dest_addr_npi=1, destination_addr="447700900123",
        esm_class=0, registered_delivery=0, data_coding=4,
        message_payload=tlv("message_payload", b"by data_sm"))
    got = b.customer.expect("pdu", where=lambda event: event["pdu"].get("source_addr") == "447700900404")["pdu"]
    if got["command"] == "data_sm":
        b.customer.answer(b.esme.conn, got, message_id="")
    b.lab.check_equal("MO by data_sm: its octets", payload_of(got), b"by data_sm")
    b.lab.check_equal("its supplier is answered ROK", b.alpha.expect_delivered(sequence, command="data_sm"), ROK)
    b.esme.deliver_status = RX_R_APPN
    sequence = b.alpha.deliver(source_addr="447700900403", destination_addr="447700900123",
                               short_message={"octets": b"no".hex()})
    b.esme.expect("deliver_sm")
    b.lab.check_equal("MO that the customer refuses for good: the supplier is told so",
                      b.alpha.expect_delivered(sequence), RX_R_APPN)
    b.esme.deliver_status = ROK
    sequence = b.alpha.deliver(source_addr="447700900402", destination_addr="447700900555",
                               short_message={"octets": b"hi".hex()})
    status = b.alpha.expect_delivered(sequence)
    b.lab.check("MO for a customer that is not bound is refused for now", status in (RSYSERR, RTHROTTLED),
                f"status {status:#x}")


def two_way(b):
    """A keyword is answered to the phone, and a second customer gets a copy."""
    idle = b.connect()
    b.lab.check_equal("the second customer is bound", idle.bind("receiver", "idle", "secret2")["command_status"], ROK)
    text = b"BALANCE 1234 now"
    sequence = b.alpha.deliver(source_addr="447700900405", destination_addr="447700900666",
                               short_message={"octets": text.hex()})
    b.lab.check_equal("the customer gets the message", short_octets(b.esme.expect("deliver_sm")), text)
    b.lab.check_equal("the supplier is answered ROK", b.alpha.expect_delivered(sequence), ROK)
    reply = b.alpha.expect_submit(destination_addr="447700900405")
    b.lab.check_equal("the phone is answered from the inbound number", reply["source_addr"], "447700900666")
    b.lab.check_equal("with the words of the message", short_octets(reply),
                      b"Account 1234: thank you, 447700900405")
    copy = idle.expect("deliver_sm")
    b.lab.check_equal("the copy", (short_octets(copy), copy["source_addr"], copy["destination_addr"]),
                      (text, "447700900405", "447700900666"))
    idle.close()


def long_messages(b):
    """All parts of one message at one supplier and in order, though the rule spreads by weight."""
    suppliers = {"alpha": b.alpha, "beta": b.beta}
    seen = set()
    headers = {
        "8-bit reference": lambda ref, total, n: bytes([5, 0, 3, ref & 0xFF, total, n]),
        "16-bit reference": lambda ref, total, n: bytes([6, 8, 4, ref >> 8, ref & 0xFF, total, n]),
        "sar TLVs": None,
    }
    for kind, header in headers.items():
        for ref in range(0x201, 0x207):
            destination = f"4670{len(seen):04}{ref:04}"
            sequences, total = [], 5
            for part in range(1, total + 1):
                body = f"part {part} of {total} ".encode() * 8
                if header:
                    sequences.append(b.submit(destination, header(ref, total, part) + body, esm_class=0x40))
                else:
                    sequences.append(b.submit(
                        destination, body, sar_msg_ref_num=tlv("sar_msg_ref_num", ref),
                        sar_total_segments=tlv("sar_total_segments", total),
                        sar_segment_seqnum=tlv("sar_segment_seqnum", part)))
            ids = {b.answer_to(sequence)["message_id"] for sequence in sequences}
            b.lab.check_equal(f"{kind} {ref:#x}: every part has its own id", len(ids), total)
            parts = {name: [] for name in suppliers}
            for name, smsc in suppliers.items():
                for _ in range(smsc.peer.count_pdus("submit_sm", destination_addr=destination)):
                    pdu = smsc.expect_submit(destination_addr=destination)
                    parts[name].append(short_octets(pdu)[len(header(ref, total, 1)) - 1] if header
                                       else number(pdu["sar_segment_seqnum"]))
            got = [order for order in parts.values() if order]
            b.lab.check_equal(f"{kind} {ref:#x}: all parts at one supplier, in order", got, [[1, 2, 3, 4, 5]])
            seen.update(name for name in parts if parts[name])
    b.lab.check_equal("the weights spread long messages over both suppliers", seen, set(suppliers))


def reroute(b):
    b.alpha.policy = lambda pdu: RMSGQFUL
    sequence = b.submit("33612345601")
    b.alpha.expect_submit(destination_addr="33612345601")
    b.beta.expect_submit(destination_addr="33612345601")
    b.lab.check_equal("RMSGQFUL at alpha: beta takes it", b.answer_to(sequence)["command_status"], ROK)
    b.alpha.policy = lambda pdu: RINVDSTADR if pdu["destination_addr"].startswith("44") else ROK
    sequence = b.submit("447700900501")
    b.alpha.expect_submit(destination_addr="447700900501")
    status = b.answer_to(sequence)["command_status"]
    b.lab.check_equal("RINVDSTADR at the only target comes back", status, RINVDSTADR)
    b.alpha.policy = lambda pdu: ROK


def other_operations(b):
    """query, cancel, replace, data_sm, submit_multi, alert_notification: each a truthful answer."""
    response, got = b.send_and_take(b.alpha, "447700900601")
    source = {"source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "447700900123"}
    status = b.esme.request("query_sm", message_id=response["message_id"], **source)["command_status"]
    b.lab.check("query_sm of a forwarded message: not possible or unknown, never ROK with a guess",
                status in (RQUERYFAIL, RINVMSGID, 0x03), f"status {status:#x}")
    status = b.esme.request("query_sm", message_id="999999", **source)["command_status"]
    b.lab.check("query_sm of an unknown id", status in (RQUERYFAIL, RINVMSGID, 0x03), f"status {status:#x}")
    status = b.esme.request("cancel_sm", message_id=response["message_id"], service_type="",
                            dest_addr_ton=1, dest_addr_npi=1, destination_addr="447700900601",
                            **source)["command_status"]
    b.lab.check("cancel_sm refused", status in (RCANCELFAIL, RINVMSGID, 0x03), f"status {status:#x}")
    status = b.esme.request("replace_sm", message_id=response["message_id"], short_message={
        "octets": b"new".hex()}, schedule_delivery_time="", validity_period="", registered_delivery=0,
        sm_default_msg_id=0, **source)["command_status"]
    b.lab.check("replace_sm refused", status in (RREPLACEFAIL, RINVMSGID, 0x03), f"status {status:#x}")

    sequence = b.customer.send(b.esme.conn, "data_sm", service_type="", dest_addr_ton=1, dest_addr_npi=1,
                               destination_addr="447700900602", esm_class=0, registered_delivery=0,
                               data_coding=4, message_payload=tlv("message_payload", b"by data_sm"), **source)
    answer = b.esme.expect("data_sm_resp", sequence_number=sequence)
    b.lab.check("data_sm answered with an id", answer["command_status"] == ROK and answer.get("message_id"),
                answer)
    got = b.alpha.peer.expect("pdu", where=lambda event: event["pdu"].get("destination_addr") == "447700900602")
    pdu = got["pdu"]
    b.lab.check_equal(f"its payload arrives (as {pdu['command']})", payload_of(pdu), b"by data_sm")

    alert_notification(b)


def alert_notification(b):
    conn = b.alpha.receiving_conn()
    b.alpha.peer.send(conn, "alert_notification", source_addr_ton=1, source_addr_npi=1,
                      source_addr="447700900603", esme_addr_ton=1, esme_addr_npi=1,
                      esme_addr="447700900123")
    answer = b.alpha.round_trip(conn)
    b.lab.check_equal("alert_notification does not disturb the link", answer["command_status"], ROK)


def submit_multi(b):
    """Split over suppliers; the one answer names what failed."""
    to = [(1, 1, "447700900610"), (1, 1, "493012340610"), (1, 1, "819012340610"), (0, 0, "447700900611")]
    if b.customer.kind == "node":
        fields = {"dest_address": [{"dest_addr_ton": ton, "dest_addr_npi": npi, "destination_addr": digits}
                                   for ton, npi, digits in to]}
    else:
        fields = {"dest_flag": [1] * len(to), "dest_addr_ton": [ton for ton, _, _ in to],
                  "dest_addr_npi": [npi for _, npi, _ in to],
                  "destination_addr": [digits for _, _, digits in to]}
    sequence = b.customer.send(
        b.esme.conn, "submit_multi", service_type="", source_addr_ton=1, source_addr_npi=1,
        source_addr="447700900123", esm_class=0, registered_delivery=1, data_coding=0,
        short_message={"octets": b"to many".hex()}, **fields)
    answer = b.esme.expect("submit_multi_resp", sequence_number=sequence)
    b.lab.check("submit_multi answered with an id", answer["command_status"] == ROK and answer["message_id"],
                answer)
    if b.customer.kind == "node":
        failed = [(sme["destination_addr"], sme["error_status_code"]) for sme in answer["unsuccess_sme"]]
    else:
        failed = list(zip(answer.get("destination_addr", []), answer.get("error_status_code", [])))
    b.lab.check_equal("the destination without a route is the one that failed", failed,
                      [("819012340610", RINVDSTADR)])
    for smsc, digits in ((b.alpha, to[0][2]), (b.beta, to[1][2]), (b.alpha, to[3][2])):
        got = smsc.expect_submit(destination_addr=digits)
        b.lab.check_equal(f"{digits} got the text", short_octets(got), b"to many")
        answered = smsc.receipt(got)
        receipt = b.esme.expect("deliver_sm", source_addr=digits)
        b.lab.check_equal(f"{digits}: its receipt has the one id", text_of(receipt["receipted_message_id"]),
                          answer["message_id"])
        b.lab.check_equal(f"{digits}: the supplier is answered", smsc.expect_delivered(answered), ROK)


def old_version(b):
    """A customer that binds as 3.3: ids of up to 8 hex digits, no TLVs, receipts as text."""
    b.esme.unbind()
    esme = b.connect()
    response = esme.bind("transmitter", "acme", "secret", interface_version=0x33)
    b.lab.check_equal("3.3 transmitter bound", response["command_status"], ROK)
    b.lab.check("its bind response has no TLV", "sc_interface_version" not in response, response)
    receiver = b.connect()
    receiver.bind("receiver", "acme", "secret", interface_version=0x33)
    sequence = b.submit("447700900620", esme=esme, registered_delivery=1)
    got = b.alpha.expect_submit(destination_addr="447700900620")
    response = b.answer_to(sequence, esme)
    try:
        short_hex = len(response["message_id"]) <= 8 and int(response["message_id"], 16) >= 0
    except ValueError:
        short_hex = False
    b.lab.check("its id is at most 8 hex digits", short_hex, response)
    answered = b.alpha.receipt(got)
    receipt = receiver.expect("deliver_sm")
    text = short_octets(receipt).decode("latin-1")
    b.lab.check("its receipt has that id", text.startswith(f"id:{response['message_id']} "), text)
    tlvs = [name for name in ("receipted_message_id", "message_state", "network_error_code") if name in receipt]
    b.lab.check_equal("its receipt has no TLVs", tlvs, [])
    b.lab.check_equal("the supplier is answered", b.alpha.expect_delivered(answered), ROK)
    for each in (esme, receiver):
        each.unbind()
    b.bind_transceiver()


def bursts(b):
    """A full window at once, over both suppliers: every answer comes, under its own number. So many of them
    that alpha, which said RMSGQFUL before, has its whole window again at the end."""
    for turn in range(10):
        sent = {}
        for index in range(40):
            prefix = ("4477009", "4930123")[index % 2]
            sent[b.submit(f"{prefix}{turn}{index:04}")] = f"{prefix}{turn}{index:04}"
        answers = {sequence: b.answer_to(sequence) for sequence in sent}
        refused = {sent[s]: hex(a["command_status"]) for s, a in answers.items() if a["command_status"]}
        b.lab.check_equal(f"{turn}: 40 submits in one go all accepted", refused, {})
        b.lab.check_equal(f"{turn}: every id is another", len({a.get("message_id") for a in answers.values()}), 40)
        got = [event["pdu"]["destination_addr"] for smsc in (b.alpha, b.beta)
               for event in smsc.peer.take_unclaimed("submit_sm")]
        b.lab.check_equal(f"{turn}: each reached a supplier once", sorted(got), sorted(sent.values()))


def windows(b):
    """A supplier that is slow: it sees its window and no more, the customer gets its own and no more."""
    b.alpha.policy = lambda pdu: None
    sent = [b.submit(f"4477009{index:05}") for index in range(50)]
    held = [b.alpha.expect_submit() for _ in range(20)]
    status = b.answer_to(b.submit("447700950051"))["command_status"]
    b.lab.check_equal("submit 51 of a window of 50: RTHROTTLED", status, RTHROTTLED)
    conn = b.alpha.receiving_conn()
    b.alpha.round_trip(conn)
    b.lab.check_equal("the supplier has 20 of its window of 20", b.alpha.peer.count_pdus("submit_sm"), 0)
    b.lab.check_equal("a full window does not hold up enquire_link",
                      b.esme.request("enquire_link")["command_status"], ROK)
    b.alpha.policy = lambda pdu: ROK
    for pdu in held:
        b.alpha.accept(pdu["conn"], pdu)
    statuses = {b.answer_to(sequence)["command_status"] for sequence in sent}
    b.lab.check_equal("all 50 are accepted in the end", statuses, {ROK})
    rest = [b.alpha.expect_submit()["destination_addr"] for _ in range(30)]
    got = [pdu["destination_addr"] for pdu in held] + rest
    b.lab.check_equal("each arrived once and in order", got, [f"4477009{index:05}" for index in range(50)])


def link_lost(b):
    """The supplier's link drops between submit and response: the outcome is unknown, the customer is told."""
    b.alpha.policy = lambda pdu: None
    sent = [b.submit(f"44770096{index:04}") for index in range(5)]
    conns = {b.alpha.expect_submit()["conn"] for _ in sent}
    b.alpha.policy = lambda pdu: ROK
    for conn in conns:
        b.alpha.peer.command("close", conn=conn)
        # Until the peer says so, wait_bound() would take the old connection for the next bind.
        b.alpha.peer.expect("closed", where=lambda event, c=conn: event["conn"] == c)
    statuses = [b.answer_to(sequence)["command_status"] for sequence in sent]
    b.lab.check("each of the five is answered, none with ROK", ROK not in statuses, statuses)
    b.alpha.wait_bound(1)
    b.send_and_take(b.alpha, "447700960010")
    b.lab.check_equal("none of them was sent again", b.alpha.peer.count_pdus("submit_sm"), 0)


def outbind(b):
    """A supplier that calls us: the router binds on the link that the supplier opened."""
    peer = b.beta.peer
    peer.command("connect", host=ROUTER_ADDRESS, port=PORT)
    conn = peer.expect("connected")["conn"]
    peer.send(conn, "outbind", system_id="smsc", password="pass-b")
    bind = peer.expect("pdu", where=lambda e: e["conn"] == conn and e["pdu"]["command"].startswith("bind_"),
                       what=f"bind on connection {conn}")["pdu"]
    b.lab.check_equal("outbind answered by a bind on the same link", (bind["command"], bind["system_id"]),
                      ("bind_transceiver", "sy"))
    b.beta.round_trip(conn)
    sequence = b.submit("31612345678")
    got = peer.expect_pdu(conn, "submit_sm", destination_addr="31612345678")
    b.lab.check("messages leave by that link", b.answer_to(sequence)["command_status"] == ROK, got)
    sequence = peer.send(conn, "unbind")
    peer.expect_pdu(conn, "unbind_resp", sequence_number=sequence)
    peer.expect("closed", where=lambda event: event["conn"] == conn)
    b.lab.check("unbound and closed", True)


def enquire_links(b):
    count = b.esme.enquire_links
    wait_until("the router asks the quiet customer", lambda: b.esme.enquire_links > count)
    b.lab.check("the router sends enquire_link to a quiet customer", True)
    counts = b.alpha.enquire_links, b.beta.enquire_links
    wait_until("the router asks the quiet suppliers",
               lambda: b.alpha.enquire_links > counts[0] and b.beta.enquire_links > counts[1] + 1)
    b.lab.check("the router sends enquire_link to quiet suppliers", True)
    b.alpha.round_trip(b.alpha.receiving_conn())
    b.lab.check("the router answers a supplier's enquire_link", True)
    b.lab.check_equal("the router answers a customer's enquire_link",
                      b.esme.request("enquire_link")["command_status"], ROK)


def supplier_goes_and_comes(b):
    conn = b.alpha.receiving_conn()
    sequence = b.alpha.peer.send(conn, "unbind")
    b.alpha.peer.expect_pdu(conn, "unbind_resp", sequence_number=sequence)
    b.alpha.peer.expect("closed", where=lambda event: event["conn"] == conn)
    b.lab.check("the router answers a supplier's unbind and closes", True)
    b.alpha.wait_bound(1)
    b.send_and_take(b.alpha, "447700900701")
    b.lab.check("it binds again and traffic flows", True)

    b.alpha.go_down()
    sequence = b.submit("33612345701")
    b.beta.expect_submit(destination_addr="33612345701")
    b.lab.check_equal("alpha is down: its messages go to the next tier", b.answer_to(sequence)["command_status"],
                      ROK)
    status = b.answer_to(b.submit("447700900702"))["command_status"]
    b.lab.check("no target left: a temporary status", status in (RSYSERR, RMSGQFUL, RTHROTTLED),
                f"status {status:#x}")
    b.alpha.listen()
    b.alpha.wait_bound(1)
    one_receipt(b, "after the supplier's restart", b.alpha, "447700900703")


def lost_customer(b):
    """The customer's link drops with a message under way: its receipt finds the next bind."""
    b.alpha.policy = lambda pdu: None
    b.submit("447700900801", registered_delivery=1)
    got = b.alpha.expect_submit(destination_addr="447700900801")
    b.esme.close()
    b.alpha.accept(got["conn"], got)
    b.alpha.policy = lambda pdu: ROK
    answered = b.alpha.receipt(got)
    b.bind_transceiver()
    receipt = b.esme.expect("deliver_sm")
    b.lab.check_equal("the receipt comes to the next bind", receipt["source_addr"], "447700900801")
    b.lab.check_equal("the supplier is answered", b.alpha.expect_delivered(answered), ROK)


def reload(b):
    b.router.write("mt.csv", MT.replace("default,44,,,100,route,alpha,", "default,44,,,100,route,beta,"))
    b.router.reload()
    end, index = time.monotonic() + 10, 0
    while True:
        destination = f"44770091{index:04}"
        b.answer_to(b.submit(destination))
        if b.beta.peer.count_pdus("submit_sm", destination_addr=destination):
            b.beta.expect_submit(destination_addr=destination)
            break
        b.alpha.expect_submit(destination_addr=destination)
        if time.monotonic() > end:
            raise Missing("the new route within 10 s of SIGHUP")
        index += 1
    b.lab.check("SIGHUP: the new route is used, the customer's session never dropped", True)
    b.router.write("mt.csv", "plan,prefix,targets\ndefault,44,nobody\n")
    b.router.reload()
    wait_until("the router complains", lambda: any("nobody" in line for line in b.lab.log_tail("router", 50)))
    b.send_and_take(b.beta, "447700920001")
    b.lab.check("a bad table changes nothing", True)


def reload_accounts(b):
    """Changed accounts bind again, unchanged ones do not notice."""
    alpha_conn = b.alpha.receiving_conn()
    b.router.write("mt.csv", MT)
    toml = b.toml.replace('password = "secret"\n', 'password = "changed"\n')
    toml = toml.replace('bind = "pair"\nbinds = 1\nwindow = 20', 'bind = "pair"\nbinds = 1\nwindow = 21')
    b.router.configure(toml)
    b.beta.peer.take_unclaimed()
    b.router.reload()
    b.esme.expect("unbind", 10)
    b.esme.expect_closed()
    b.lab.check("the customer whose password changed is unbound", True)
    old = {b.beta.peer.expect_pdu(None, "unbind", 10)["conn"] for _ in range(2)}
    wait_until("beta's old links are closed", lambda: not old & set(b.beta.binds))
    for command in ("bind_transmitter", "bind_receiver"):
        b.beta.peer.expect_pdu(None, command, 10)
    b.beta.wait_bound(2)
    b.lab.check("the supplier whose window changed is bound again", True)
    status = b.bind_transceiver()["command_status"]
    b.lab.check_equal("the old password is refused", status, RBINDFAIL)
    b.esme.expect_closed(10)
    b.esme = b.connect()
    status = b.esme.bind("transceiver", "acme", "changed")["command_status"]
    b.lab.check_equal("the new one is accepted", status, ROK)
    b.send_and_take(b.beta, "493012340901")
    b.send_and_take(b.alpha, "447700900901")
    b.lab.check("the unchanged supplier kept its link",
                b.alpha.receiving_conn() == alpha_conn and not b.alpha.peer.count_pdus("unbind"))


def drain(b):
    """SIGTERM with one message under way: it settles first."""
    b.alpha.policy = lambda pdu: None
    under_way = b.submit("447700900999")
    held = b.alpha.expect_submit(destination_addr="447700900999")
    b.router.terminate()
    wait_until("the router drains", lambda: any("draining" in line for line in b.lab.log_tail("router", 50)))
    status = b.answer_to(b.submit("447700900998"))["command_status"]
    b.lab.check("a new message is refused while draining", status == RSYSERR, f"status {status:#x}")
    b.alpha.accept(held["conn"], held)
    b.lab.check_equal("the one under way is answered", b.answer_to(under_way)["command_status"], ROK)
    b.lab.check_equal("SIGTERM: exit status", b.router.wait_for_end(), 0)
    b.esme.expect("unbind")
    b.lab.check("SIGTERM: the customer saw an unbind", True)
    for smsc, count in ((b.alpha, 1), (b.beta, 2)):
        for _ in range(count):
            smsc.peer.expect_pdu(None, "unbind")
    b.lab.check("SIGTERM: every supplier bind saw an unbind", True)


def dissect(b):
    b.capture.stop()
    faults = b.capture.faults()
    b.lab.check("tshark finds nothing malformed in the capture", not faults, "\n".join(faults[:20]))
    counts = b.capture.commands()
    expected = {"bind_transceiver": 0x9, "bind_receiver": 0x1, "bind_transmitter": 0x2,
                "bind_transceiver_resp": 0x80000009, "bind_receiver_resp": 0x80000001,
                "bind_transmitter_resp": 0x80000002, "submit_sm": 0x4, "submit_sm_resp": 0x80000004,
                "deliver_sm": 0x5, "deliver_sm_resp": 0x80000005, "enquire_link": 0x15,
                "enquire_link_resp": 0x80000015, "unbind": 0x6, "unbind_resp": 0x80000006,
                "query_sm_resp": 0x80000003, "cancel_sm_resp": 0x80000008,
                "replace_sm_resp": 0x80000007, "data_sm_resp": 0x80000103,
                "submit_multi_resp": 0x80000021}
    missing = [name for name, command in expected.items() if not counts[command]]
    b.lab.check("the dissector saw the router send every kind of PDU", not missing, f"missing {missing}")
    print(f"# dissected from the router: {sum(counts.values())} PDUs, "
          f"{counts[0x4]} submit_sm, {counts[0x5]} deliver_sm", flush=True)


SCENARIOS = (binds, over_ipv6, refused_binds, routes, content, receipts, receipt_forms, receipts_to_a_pair,
             mobile_originated, two_way, long_messages, reroute, other_operations, submit_multi, old_version, bursts,
             windows, link_lost, outbind, enquire_links, supplier_goes_and_comes, lost_customer, reload,
             reload_accounts)


def run(b, scenarios, only=None):
    for scenario in scenarios:
        if only not in (None, scenario.__name__):
            continue
        name = scenario.__name__.replace("_", " ")
        b.lab.scenario(name, scenario, b)
        b.lab.scenario(f"after {name}", b.settle)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--router", required=True)
    parser.add_argument("--build", required=True)
    for role in ("customer", "alpha", "beta"):
        parser.add_argument(f"--{role}", choices=("node", "perl"), required=True)
    lab_module.add_device_option(parser)
    parser.add_argument("--only", help="the one scenario to run, by the name of its function")
    options = parser.parse_args()
    lab_module.npm_modules(options.build)
    lab_module.enter(["node", "perl"], 100)
    b = Bench(options)
    print(f"# customer {b.customer.library}, alpha {b.alpha.peer.library}, beta {b.beta.peer.library}")
    b.lab.scenario("start", b.start)
    if b.esme:
        run(b, SCENARIOS, options.only)
        b.lab.scenario("drain", drain, b)
        if options.only is None or options.only in [scenario.__name__ for scenario in stored_scenarios.SCENARIOS]:
            run(b, (stored_scenarios.start_with_a_store,))
            run(b, stored_scenarios.SCENARIOS, options.only)
        if not options.only:
            b.lab.scenario("records", stored_scenarios.records, b)
            b.lab.scenario("dissector", dissect, b)
    b.lab.finish()


if __name__ == "__main__":
    main()
