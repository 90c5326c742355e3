"""Messages taken to store and forward, between the same libraries: they wait, are asked for, replaced,
cancelled, tried again, expire, and outlive a killed router. README.md of the project says what is
promised ("What is promised").

They run on a bench whose router has ended: start_with_a_store() begins, records() ends.
"""

import glob
import json
import time
from datetime import datetime

from lab import wait_until
from library_bench import check_receipt, MT, payload_of, short_octets
from smpp_peer import (RCANCELFAIL, RINVESMCLASS, RINVSRCADR, RMSGQFUL, ROK, RQUERYFAIL, RREPLACEFAIL, RSYSERR, tlv,
                       wire_time)

RETRY_SECONDS = 0.2

SETTINGS = f"""
[store]
path = "store"
memory = "64MiB"
[retry]
next = ["{RETRY_SECONDS * 1000:.0f}ms"]
down = ["100ms"]
[records]
path = "records"
[[customer]]
name = "depot"
system_id = "depot"
password = "secret4"
mode = "store-and-forward"
window = 50
"""

REROUTE_SECONDS = 2
# Also of messages whose receipt decides. The rules that were there have no such column.
ROUTES = f"""default,32,,,100,route,alpha > beta,order,{REROUTE_SECONDS}s
"""

SOURCE = {"source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "447700900123"}
NOT_THERE = "no such message"
SCHEDULED, ENROUTE, DELIVERED, EXPIRED, DELETED, UNKNOWN, REJECTED = 0, 1, 2, 3, 4, 7, 8
IN_AN_HOUR = "000000010000000R"
# The wall clock, by which the router counts these times, is now and then set right by a little.
CLOCK_SECONDS = 0.02


def in_seconds(count):
    return f"0000000000{count:02}000R"


# ---------------------------------------------------------------- what the customer does

def bind_modern(b):
    """A second bind of the customer, as SMPP 5.0; receipts stay with the first."""
    esme = b.connect()
    status = esme.bind("transmitter", *b.account, interface_version=0x50)["command_status"]
    b.lab.check_equal("bound as 5.0", status, ROK)
    return esme


def store(b, destination, message="stored", esme=None, **fields):
    """Submits; the id, once the router has said that it has the message."""
    answer = b.answer_to(b.submit(destination, message, esme, **fields), esme)
    b.lab.check(f"{destination}: answered OK with an id", answer["command_status"] == ROK and answer["message_id"],
                answer)
    return answer["message_id"]


def query(b, message_id, esme=None, **fields):
    """The state that the router gives, or NOT_THERE; anything else whole."""
    answer = (esme or b.esme).request("query_sm", message_id=message_id, **{**SOURCE, **fields})
    if answer["command_status"] == RQUERYFAIL:
        return NOT_THERE
    is_whole = (answer["command_status"], answer.get("message_id"), wire_time(answer.get("final_date")),
                answer.get("error_code")) == (ROK, message_id, "", 0)  # nothing has ended, nothing failed
    return answer["message_state"] if is_whole else answer


def cancel(b, message_id, destination="", esme=None):
    ton = 1 if destination else 0
    answer = (esme or b.esme).request("cancel_sm", service_type="", message_id=message_id, dest_addr_ton=ton,
                                      dest_addr_npi=ton, destination_addr=destination, **SOURCE)
    return answer["command_status"]


def replace(b, message_id, text, schedule="", registered_delivery=0):
    answer = b.esme.request("replace_sm", message_id=message_id, schedule_delivery_time=schedule, validity_period="",
                            registered_delivery=registered_delivery, sm_default_msg_id=0,
                            short_message={"octets": text.hex()}, **SOURCE)
    return answer["command_status"]


def send_data(b, destination, **fields):
    """A data_sm; its response."""
    return b.esme.request("data_sm", service_type="", dest_addr_ton=1, dest_addr_npi=1, destination_addr=destination,
                          registered_delivery=0, data_coding=4,
                          message_payload=tlv("message_payload", b"by data_sm"), **{"esm_class": 0, **SOURCE, **fields})


def expect_receipt(b, name, destination, message_id, state=DELIVERED, stat="DELIVRD", error=0):
    """When it came."""
    receipt = b.esme.expect("deliver_sm", source_addr=destination)
    came = time.monotonic()
    check_receipt(b, name, receipt, {"message_id": message_id},
                  {"to": (1, 1, destination), "from": tuple(SOURCE.values())}, state, stat, error)
    return came


def comes_home(b, name, smsc, got, message_id):
    """The supplier says that it has delivered what it got; the customer hears it under its own id."""
    answered = smsc.receipt(got)
    expect_receipt(b, name, got["destination_addr"], message_id)
    b.lab.check_equal(f"{name}: the supplier is answered", smsc.expect_delivered(answered), ROK)


def go_down(b):
    """Alpha's link drops; returns when the router has seen that: what is to be forwarded is refused."""
    b.alpha.go_down()
    status = b.answer_to(b.submit("447700901000", esm_class=1))["command_status"]
    b.lab.check_equal("no supplier is bound: mode 1, forward, is refused for now", status, RSYSERR)


def come_up(b):
    b.alpha.listen()
    b.alpha.wait_bound(1)


class Arrivals:
    """A supplier's policy: notes when each submit_sm came, and answers with one status after the other,
    in the end with OK."""

    def __init__(self, *statuses):
        self.seconds = {}  # by destination
        self.statuses = list(statuses)

    def __call__(self, pdu):
        self.seconds.setdefault(pdu["destination_addr"], []).append(time.monotonic())
        return self.statuses.pop(0) if self.statuses else ROK


# ---------------------------------------------------------------- scenarios

def start_with_a_store(b):
    for peer in (b.customer, b.alpha.peer, b.beta.peer):
        peer.take_unclaimed()
    for smsc in (b.alpha, b.beta):
        smsc.go_down()  # a link that has not seen the router's end is no bind
        smsc.policy = lambda pdu: ROK
        smsc.listen()
    park = 'name = "alpha"\nreceipt_park = "1s"'  # how long a receipt of nobody's id waits for its response
    b.router.configure(b.toml.replace('name = "alpha"', park) + SETTINGS)
    header, *rows = MT.splitlines()
    b.router.write("mt.csv", "\n".join([header + ",reroute", *(row + "," for row in rows)]) + "\n" + ROUTES)
    b.router.start()
    b.alpha.wait_bound(1)
    b.beta.wait_bound(2)
    b.account = ("depot", "secret4")
    b.lab.check_equal("the customer is bound", b.bind_transceiver()["command_status"], ROK)


def no_supplier_is_bound(b):
    """What is stored is answered, can be asked for and replaced, and goes out once a supplier binds."""
    go_down(b)
    first = store(b, "447700901001", "first", registered_delivery=1, validity_period=in_seconds(59))
    second = store(b, "447700901001", "second", registered_delivery=1)
    other = store(b, "447700901002", "before")
    for message_id in (first, second, other):
        b.lab.check_equal(f"{message_id} waits: ENROUTE", query(b, message_id), ENROUTE)
    modern = bind_modern(b)
    b.lab.check_equal("5.0 says no other: nobody scheduled it", query(b, first, modern), ENROUTE)
    text = b"after, in more words than before"
    b.lab.check_equal("replace_sm of one that waits", replace(b, other, text, registered_delivery=1), ROK)

    b.alpha.policy = lambda pdu: None
    come_up(b)
    got_first = b.alpha.expect_submit(destination_addr="447700901001")
    got_other = b.alpha.expect_submit(destination_addr="447700901002")
    b.lab.check_equal("the first of two to one number goes out", short_octets(got_first), b"first")
    left = wire_time(got_first["validity_period"])
    b.lab.check("the supplier is told what is left of its validity", in_seconds(0) < left < in_seconds(59), left)
    b.lab.check_equal("the supplier sees the replaced text", short_octets(got_other), text)
    b.lab.check_equal("and the replaced wish for a receipt", got_other["registered_delivery"], 1)
    b.lab.check_equal("under way: ENROUTE", query(b, first), ENROUTE)
    b.lab.check_equal("under way: cancel_sm refused", cancel(b, first, "447700901001"), RCANCELFAIL)
    b.lab.check_equal("under way: replace_sm refused", replace(b, first, b"too late"), RREPLACEFAIL)
    b.alpha.round_trip(got_first["conn"])
    b.lab.check_equal("the second one goes after the first", b.alpha.peer.count_pdus("submit_sm"), 0)

    b.alpha.policy = lambda pdu: ROK
    for got in (got_first, got_other):
        b.alpha.accept(got["conn"], got)
    got_second = b.alpha.expect_submit(destination_addr="447700901001")
    b.lab.check_equal("the second one's text", short_octets(got_second), b"second")
    for name, got, message_id in (("first", got_first, first), ("second", got_second, second),
                                  ("replaced", got_other, other)):
        comes_home(b, name, b.alpha, got, message_id)
    b.lab.check_equal("a supplier has it: query_sm refused", query(b, first), NOT_THERE)


def modes(b):
    """esm_class says otherwise than the account, both ways."""
    acme = b.connect()
    acme.bind("transceiver", "acme", "secret")
    go_down(b)
    status = b.answer_to(b.submit("447700901101", esme=acme), acme)["command_status"]
    b.lab.check_equal("a customer that has its messages forwarded: refused for now", status, RSYSERR)
    kept = store(b, "447700901102", "kept", acme, esm_class=3, registered_delivery=1)
    b.lab.check_equal("the same customer with mode 3: it waits", query(b, kept, acme), ENROUTE)
    status = b.answer_to(b.submit("447700901104", esm_class=2))["command_status"]
    b.lab.check_equal("mode 2 in submit_sm: refused, it is data_sm's", status, RINVESMCLASS)
    answer = send_data(b, "447700901105", esm_class=2)
    b.lab.check_equal("mode 2 in data_sm: refused for now", answer["command_status"], RSYSERR)
    answer = send_data(b, "447700901106")
    b.lab.check_equal("data_sm without a mode: taken", answer["command_status"], ROK)
    b.lab.check_equal("and it waits", query(b, answer["message_id"]), ENROUTE)
    come_up(b)
    got = b.alpha.expect_submit(destination_addr="447700901102")
    b.lab.check_equal("mode 3 goes out as it came", (short_octets(got), got["esm_class"]), (b"kept", 3))
    payload = b.alpha.expect_submit(destination_addr="447700901106")
    b.lab.check_equal("the data_sm goes out", payload_of(payload), b"by data_sm")
    answered = b.alpha.receipt(got)
    receipt = acme.expect("deliver_sm", source_addr="447700901102")
    check_receipt(b, "mode 3", receipt, {"message_id": kept},
                  {"to": (1, 1, "447700901102"), "from": tuple(SOURCE.values())}, DELIVERED, "DELIVRD")
    b.lab.check_equal("its supplier is answered", b.alpha.expect_delivered(answered), ROK)

    b.alpha.policy = lambda pdu: None
    sequence = b.submit("447700901107", esm_class=1)
    got = b.alpha.expect_submit(destination_addr="447700901107")
    b.esme.request("enquire_link")
    b.lab.check_equal("mode 1: no answer before the supplier's",
                      b.customer.count_pdus("submit_sm_resp", sequence_number=sequence), 0)
    b.alpha.accept(got["conn"], got, RINVSRCADR)
    b.lab.check_equal("mode 1: the supplier's status comes back", b.answer_to(sequence)["command_status"], RINVSRCADR)


def questions(b):
    """query_sm and cancel_sm of messages whose time has not come."""
    modern = bind_modern(b)
    acme = b.connect()
    acme.bind("transmitter", "acme", "secret")
    ids = [store(b, f"44770090120{index}", esme=modern, schedule_delivery_time=IN_AN_HOUR, registered_delivery=asked)
           for index, asked in enumerate((1, 2, 0))]
    b.lab.check_equal("5.0: SCHEDULED", query(b, ids[0], modern), SCHEDULED)
    b.lab.check_equal("3.4 has no such state: ENROUTE", query(b, ids[0]), ENROUTE)
    b.lab.check_equal("another source address: refused", query(b, ids[0], source_addr="447700900124"), NOT_THERE)
    b.lab.check_equal("another customer: query_sm refused", query(b, ids[0], acme), NOT_THERE)
    b.lab.check_equal("another customer: cancel_sm refused", cancel(b, ids[0], esme=acme), RCANCELFAIL)
    b.lab.check_equal("another destination: cancel_sm refused", cancel(b, ids[0], "447700901209"), RCANCELFAIL)
    for index, (name, is_owed) in enumerate((("receipt asked", True), ("failures asked", True), ("none asked", False))):
        b.lab.check_equal(f"{name}: cancel_sm", cancel(b, ids[index], f"44770090120{index}"), ROK)
        if is_owed:
            expect_receipt(b, name, f"44770090120{index}", ids[index], DELETED, "DELETED")
        b.lab.check_equal(f"{name}: query_sm refused afterwards", query(b, ids[index]), NOT_THERE)
    b.lab.check_equal("cancel_sm of one that is gone", cancel(b, ids[0], "447700901200"), RCANCELFAIL)
    b.lab.check_equal("replace_sm of one that is gone", replace(b, ids[0], b"new"), RREPLACEFAIL)

    pair = [store(b, "447700901203", schedule_delivery_time=IN_AN_HOUR) for _ in range(2)]
    apart = store(b, "447700901204", schedule_delivery_time=IN_AN_HOUR)
    b.lab.check_equal("cancel_sm without an id", cancel(b, "", "447700901203"), ROK)
    b.lab.check_equal("all to that number are gone, and no other",
                      [query(b, message_id) for message_id in (*pair, apart)], [NOT_THERE, NOT_THERE, ENROUTE])
    b.lab.check_equal("the other one", cancel(b, apart, "447700901204"), ROK)

    part = bytes([5, 0, 3, 7, 2, 1]) + b"part"
    later = store(b, "447700901205", part, schedule_delivery_time=IN_AN_HOUR, esm_class=0x40)
    b.lab.check_equal("a part is not replaced by text without its UDH", replace(b, later, b"plain"), RREPLACEFAIL)
    b.lab.check_equal("with one it is", replace(b, later, part), ROK)
    store(b, "447700901205", "before it")
    got = b.alpha.expect_submit(destination_addr="447700901205")
    b.lab.check_equal("a scheduled one is in nobody's way", short_octets(got), b"before it")
    b.lab.check_equal("and is cancelled", cancel(b, later, "447700901205"), ROK)


def times(b):
    """schedule_delivery_time and validity_period: nothing is early. How late, records() says."""
    b.alpha.policy = b.beta.policy = arrivals = Arrivals()
    begin = time.monotonic()
    # Nobody is bound for 31.
    expiring = store(b, "31612341301", validity_period=in_seconds(1), registered_delivery=1)
    store(b, "447700901302", "in one", schedule_delivery_time=in_seconds(1), validity_period=IN_AN_HOUR)
    never = store(b, "447700901304", "never", schedule_delivery_time=IN_AN_HOUR, validity_period=in_seconds(1),
                  registered_delivery=1)
    moved = store(b, "493012341303", "in an hour", schedule_delivery_time=IN_AN_HOUR)
    status = replace(b, moved, b"in one, after all", schedule=in_seconds(1))
    b.lab.check_equal("replace_sm with another time", status, ROK)
    expired = expect_receipt(b, "expired", "31612341301", expiring, EXPIRED, "EXPIRED", RSYSERR)
    expect_receipt(b, "expired before its schedule", "447700901304", never, EXPIRED, "EXPIRED", RSYSERR)
    b.lab.check_equal("expired: query_sm refused", query(b, expiring), NOT_THERE)
    for smsc, destination, text in ((b.alpha, "447700901302", b"in one"),
                                    (b.beta, "493012341303", b"in one, after all")):
        got = smsc.expect_submit(destination_addr=destination)
        b.lab.check_equal(f"{destination}: text, and no time that the supplier should wait for",
                          (short_octets(got), wire_time(got["schedule_delivery_time"])), (text, ""))
    for name, came in (("EXPIRED", expired), ("scheduled", arrivals.seconds["447700901302"][0]),
                       ("moved", arrivals.seconds["493012341303"][0])):
        b.lab.check(f"{name}: not before one second is over", came - begin >= 1 - CLOCK_SECONDS,
                    f"{came - begin:.3f} s")


def refusals(b):
    """What a supplier's answer makes of a stored message."""
    b.alpha.policy = arrivals = Arrivals(RMSGQFUL)
    again = store(b, "447700901401", "again", registered_delivery=1)
    texts = [short_octets(b.alpha.expect_submit(destination_addr="447700901401"))]
    got = b.alpha.expect_submit(destination_addr="447700901401")
    b.lab.check_equal("refused for now: the same comes again", [*texts, short_octets(got)], [b"again"] * 2)
    came = arrivals.seconds["447700901401"]
    b.lab.check("after the wait of [retry], not before", came[1] - came[0] >= RETRY_SECONDS - CLOCK_SECONDS,
                f"{came[1] - came[0]:.3f} s")
    comes_home(b, "refused for now", b.alpha, got, again)

    b.alpha.policy = lambda pdu: RMSGQFUL
    tiers = store(b, "33612341402", "tiers", registered_delivery=1)
    b.alpha.expect_submit(destination_addr="33612341402")
    got = b.beta.expect_submit(destination_addr="33612341402")
    comes_home(b, "refused by one, taken by the next", b.beta, got, tiers)

    b.alpha.policy = lambda pdu: RINVSRCADR
    final = store(b, "447700901403", registered_delivery=2)
    b.alpha.expect_submit(destination_addr="447700901403")
    expect_receipt(b, "refused for good", "447700901403", final, REJECTED, "REJECTD", RINVSRCADR)

    b.alpha.policy = lambda pdu: None
    lost = store(b, "447700901404", registered_delivery=1)
    conn = b.alpha.expect_submit(destination_addr="447700901404")["conn"]
    b.alpha.peer.command("close", conn=conn)
    b.alpha.peer.expect("closed", where=lambda event: event["conn"] == conn)
    expect_receipt(b, "its link died", "447700901404", lost, UNKNOWN, "UNKNOWN", RSYSERR)
    b.alpha.wait_bound(1)


def reroutes(b):
    """The receipt decides: a failure, and none in time, send the message over the next target; the
    customer sees one message and one final receipt."""
    failed = store(b, "32123451701", "failed", registered_delivery=1)
    got = b.alpha.expect_submit(destination_addr="32123451701")
    missing = store(b, "32123451702", "missing")
    silent = b.alpha.expect_submit(destination_addr="32123451702")
    b.lab.check_equal("the supplier is asked for a receipt, whatever the customer asked for",
                      (silent["registered_delivery"], got["registered_delivery"]), (1, 1))
    answered = b.alpha.receipt(got, "UNDELIV", 5, 27)
    b.lab.check_equal("the failed receipt is taken", b.alpha.expect_delivered(answered), ROK)
    again = b.beta.expect_submit(destination_addr="32123451701")
    b.lab.check_equal("it goes over the next target", short_octets(again), b"failed")
    b.lab.check_equal("and the customer has seen no receipt", b.customer.count_pdus("deliver_sm"), 0)
    comes_home(b, "over the next target", b.beta, again, failed)

    instead = b.beta.expect_submit(REROUTE_SECONDS + 3, destination_addr="32123451702")
    b.lab.check_equal("one whose receipt does not come as well", short_octets(instead), b"missing")
    for smsc, pdu in ((b.alpha, silent), (b.beta, instead)):
        b.lab.check_equal("receipts that nobody asked for are taken", smsc.expect_delivered(smsc.receipt(pdu)), ROK)
    b.lab.check_equal("settled: query_sm refused", query(b, missing), NOT_THERE)

    both = store(b, "32123451703", "both", registered_delivery=1)
    got = b.alpha.expect_submit(destination_addr="32123451703")
    b.lab.check_equal("failed", b.alpha.expect_delivered(b.alpha.receipt(got, "UNDELIV", 5, 27)), ROK)
    b.lab.check_equal("while it goes on: ENROUTE", query(b, both), ENROUTE)
    again = b.beta.expect_submit(destination_addr="32123451703")
    b.lab.check_equal("failed again", b.beta.expect_delivered(b.beta.receipt(again, "REJECTD", 8, 33)), ROK)
    expect_receipt(b, "no target is left: the last failure", "32123451703", both, REJECTED, "REJECTD", 33)


def unknown_is_settled(b):
    """The link dies with a message on it; its receipt comes on the next one, by an id that nobody knows."""
    b.alpha.policy = lambda pdu: None
    lost = store(b, "447700901801", registered_delivery=1)
    got = b.alpha.expect_submit(destination_addr="447700901801")
    b.alpha.peer.command("close", conn=got["conn"])
    b.alpha.peer.expect("closed", where=lambda event: event["conn"] == got["conn"])
    expect_receipt(b, "its link died", "447700901801", lost, UNKNOWN, "UNKNOWN", RSYSERR)
    b.alpha.wait_bound(1)
    answered = b.alpha.receipt(got, message=0, id_text="987654321", tlvs=False)
    expect_receipt(b, "and was delivered after all", "447700901801", lost)
    b.lab.check_equal("the supplier is answered", b.alpha.expect_delivered(answered), ROK)


def killed(b):
    """SIGKILL with messages in every state: those that wait go out after the restart, the one under way
    goes again, and receipts come home, whichever side of the kill they came from."""
    go_down(b)
    waiting = [store(b, f"44770090150{index}", f"waits {index}", registered_delivery=1) for index in range(3)]
    later = store(b, "447700901504", schedule_delivery_time=IN_AN_HOUR, registered_delivery=1)
    accepted = {name: store(b, f"49301234150{index}", registered_delivery=1)
                for index, name in enumerate(("receipt before", "receipt after"))}
    got = [b.beta.expect_submit(destination_addr=f"49301234150{index}") for index in range(2)]
    for message_id in accepted.values():
        wait_until("the router has beta's answer on disk", lambda asked=message_id: query(b, asked) == NOT_THERE)
    # A record is written some milliseconds after what it says; records() looks for these.
    wait_until("and the records of it", lambda: {"493012341500", "493012341501"} <= rounds_of(b).keys())
    b.beta.policy = lambda pdu: None
    under_way = store(b, "493012341502", "under way", registered_delivery=1)
    b.beta.expect_submit(destination_addr="493012341502")
    b.beta.policy = lambda pdu: ROK
    b.esme.close()
    answered = b.beta.receipt(got[0])
    b.lab.check_equal("a receipt for a customer that is away: taken", b.beta.expect_delivered(answered), ROK)

    b.lab.check_equal("killed: exit status", b.router.kill(), -9)
    b.beta.go_down()
    b.router.start()
    b.lab.check_equal("the customer binds again", b.bind_transceiver()["command_status"], ROK)
    expect_receipt(b, "receipt before the kill", "493012341500", accepted["receipt before"])
    b.beta.listen()
    come_up(b)
    b.beta.wait_bound(2)
    for index, message_id in enumerate(waiting):
        out = b.alpha.expect_submit(destination_addr=f"44770090150{index}")
        b.lab.check_equal(f"what waited goes out ({index})", short_octets(out), f"waits {index}".encode())
        comes_home(b, f"what waited ({index})", b.alpha, out, message_id)
    out = b.beta.expect_submit(destination_addr="493012341502")
    b.lab.check_equal("what was under way goes again", short_octets(out), b"under way")
    comes_home(b, "what was under way", b.beta, out, under_way)
    comes_home(b, "receipt after the kill", b.beta, got[1], accepted["receipt after"])
    modern = bind_modern(b)
    b.lab.check_equal("what was scheduled still is", query(b, later, modern), SCHEDULED)
    b.lab.check_equal("and can be cancelled", cancel(b, later, "447700901504"), ROK)
    expect_receipt(b, "cancelled after the kill", "447700901504", later, DELETED, "DELETED")


def rounds_of(b):
    """Of all messages that have a whole record, by destination."""
    rounds = {}
    for name in sorted(glob.glob(b.lab.path("router/records/*.jsonl"))):
        with open(name) as lines:
            for record in (json.loads(line) for line in lines if line.endswith("\n")):
                if record["record"] == "mt":
                    rounds.setdefault(record["to"]["addr"], []).append(record)
    return rounds


def records(b):
    """What the records say of it, once all are written: by the router's own clock, whatever the link did."""
    store(b, "447700901601", schedule_delivery_time=IN_AN_HOUR)
    b.lab.check_equal("SIGTERM while one waits: exit status", b.router.stop(), 0)
    rounds = rounds_of(b)
    ends = {destination: [record["end"] for record in all_of] for destination, all_of in rounds.items()}
    b.lab.check_equal("refused for now, then accepted", ends["447700901401"], ["postponed", "accepted"])
    b.lab.check_equal("refused for good", ends["447700901403"], ["rejected"])
    b.lab.check_equal("its link died", ends["447700901404"], ["unknown"])
    b.lab.check_equal("no supplier until its validity ended", (set(ends["31612341301"][:-1]), ends["31612341301"][-1]),
                      ({"postponed"}, "expired"))
    b.lab.check_equal("waited when the router was killed",
                      [ends[f"44770090150{index}"][-1] for index in range(3)], ["accepted"] * 3)
    b.lab.check_equal("under way when it was killed: accepted, and marked wherever it was sent",
                      (ends["493012341502"][-1],
                       {record.get("resent") for record in rounds["493012341502"] if record["attempts"]}),
                      ("accepted", {True}))
    b.lab.check("accepted before it was killed: not marked", not any("resent" in r for r in rounds["493012341501"]))
    for destination in ("31612341301", "447700901302", "493012341303"):
        last = rounds[destination][-1]
        at = last["attempts"][-1]["sent"] if last["attempts"] else last["finished"]
        seconds = (datetime.fromisoformat(at) - datetime.fromisoformat(last["accepted"])).total_seconds()
        b.lab.check(f"{destination}: its time was one second, and it was kept to the second",
                    1 - CLOCK_SECONDS <= seconds < 2, f"{seconds} s")


SCENARIOS = (no_supplier_is_bound, modes, questions, times, refusals, reroutes, unknown_is_settled, killed)
