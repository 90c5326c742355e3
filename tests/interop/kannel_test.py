#!/usr/bin/env python3
"""Kannel as a customer, over one transceiver, over a transmitter and receiver pair and over such a pair
that speaks SMPP 3.3, with node-smpp and Net::SMPP as suppliers behind the router.

    kannel_test.py --router PATH --build DIR
"""

import argparse
import os

import lab as lab_module
from capture import Capture
from kannel import (DLR_ACCEPTED, DLR_DELIVERED, DLR_EXPIRED, DLR_FAILED, DLR_REFUSED, Kannel, Reports)
from lab import Lab, wait_until
from router import PORT, Router
from smpp_peer import Peer, RINVDSTADR, ROK, Smsc, octets, wire_time

TOML = """
[runtime]
workers = {workers}
[smpp]
listen = ["0.0.0.0:2775"]
enquire_link = "1s"
[routes]
mt = "mt.csv"
mo = "mo.csv"
[[customer]]
name = "single"
system_id = "single"
password = "secret1"
numbers = ["447700900123"]
[[customer]]
name = "pair"
system_id = "pair"
password = "secret2"
numbers = ["447700900124"]
[[customer]]
name = "old"
system_id = "old"
password = "secret3"
numbers = ["447700900125"]
[[supplier]]
name = "alpha"
host = "{alpha}:2776"
system_id = "sy"
password = "pass-a"
message_id = "hex-decimal"
reconnect_min = "100ms"
reconnect_max = "500ms"
[[supplier]]
name = "beta"
host = "{beta}:2777"
system_id = "sy"
password = "pass-b"
bind = "pair"
reconnect_min = "100ms"
reconnect_max = "500ms"
"""

MT = """plan,prefix,text,priority,targets
default,44,,100,alpha
default,49,,100,beta
default,49,(?i)\\bcode \\d{6}\\b,10,alpha
default,46,,100,alpha:50 | beta:50
"""

MO = """number,targets
447700900123,single
447700900124,pair
447700900125,old
"""

LONG = "This message has more than one part, and every part has to find the same supplier. " * 5


class Bench:
    def __init__(self, options):
        self.modules = lab_module.npm_modules(options.build)
        self.lab = Lab(os.path.join(options.build, f"lab-kannel-{options.device}"),
                       options.device)
        self.capture = Capture(self.lab, [PORT, 2776, 2777])
        alpha_host, beta_host = self.lab.host("alpha"), self.lab.host("beta")
        self.alpha = Smsc(Peer(self.lab, alpha_host, "node", self.modules), 2776, "sy", "pass-a",
                          0xB0001000, "hex-decimal")
        self.beta = Smsc(Peer(self.lab, beta_host, "perl", self.modules), 2777, "sy", "pass-b", 7000)
        workers = [0, 1] if (os.cpu_count() or 1) > 1 else [0]
        toml = TOML.format(alpha=alpha_host.address, beta=beta_host.address, workers=workers)
        self.router = Router(self.lab, options.router, toml, {"mt.csv": MT, "mo.csv": MO})
        self.reports = {"single": Reports(8000), "pair": Reports(8001), "old": Reports(8002)}
        # One that leaves the asking to the router, one that asks more often than the router would.
        self.kannels = {
            "single": Kannel(self.lab, "single", "transceiver", ("single", "secret1"), 8000, 600),
            "pair": Kannel(self.lab, "pair", "pair", ("pair", "secret2"), 8001),
            "old": Kannel(self.lab, "old", "pair", ("old", "secret3"), 8002, version=33)}

    def start(self):
        complaint = self.router.check()
        self.lab.check("switchyard check accepts the configuration", not complaint, complaint)
        self.router.start()
        self.alpha.wait_bound(1)
        self.beta.wait_bound(2)
        for name, kannel in self.kannels.items():
            kannel.start()
            self.lab.check(f"{name}: bearerbox is online", True)


def short_octets(pdu):
    return octets(pdu["short_message"]) if pdu.get("short_message") else b""


def content(b, name):
    kannel = b.kannels[name]
    base = {"single": "4477009110", "pair": "4477009120", "old": "4477009130"}[name]
    kannel.send(base + "01", "Hello from Kannel: @£$ {€}")
    got = b.alpha.expect_submit(destination_addr=base + "01")
    b.lab.check_equal("GSM text reaches alpha as node-smpp reads it",
                      got["short_message"]["decoded"]["message"], "Hello from Kannel: @£$ {€}")
    b.lab.check_equal("its sender", (got["source_addr_ton"], got["source_addr"]), (1, "447700900123"))
    kannel.send(base + "02", "Привет 😀 €", coding="2")
    got = b.alpha.expect_submit(destination_addr=base + "02")
    b.lab.check_equal("UCS-2 text", (got["data_coding"], short_octets(got)),
                      (8, "Привет 😀 €".encode("utf-16-be")))
    raw = bytes(range(256))[:140]
    kannel.send(base + "03", octets=raw, coding="1")
    got = b.alpha.expect_submit(destination_addr=base + "03")
    b.lab.check_equal("8-bit octets", (got["data_coding"] & 0x0C, short_octets(got).hex()), (4, raw.hex()))
    kannel.send(base + "04", "flash", mclass="0")
    got = b.alpha.expect_submit(destination_addr=base + "04")
    b.lab.check_equal("class 0", (got["data_coding"] & 0x13, short_octets(got)), (0x10, b"flash"))
    kannel.send(base + "05", octets=b"\x02\x4a\x3a", udh=bytes.fromhex("06050415811581"), coding="1")
    got = b.alpha.expect_submit(destination_addr=base + "05")
    b.lab.check_equal("its own UDH", (got["esm_class"] & 0x40, short_octets(got).hex()),
                      (0x40, "06050415811581" + "024a3a"))
    kannel.send(base + "06", "for a while", validity="60", **{"from": "Shop 24"})
    got = b.alpha.expect_submit(destination_addr=base + "06")
    b.lab.check_equal("alphanumeric sender", (got["source_addr_ton"], got["source_addr"]), (5, "Shop 24"))
    b.lab.check_equal("validity_period is there", len(wire_time(got["validity_period"])), 16)


def routes(b, name):
    kannel = b.kannels[name]
    base = {"single": "4930123410", "pair": "4930123420", "old": "4930123430"}[name]
    kannel.send(base + "01", "to beta by prefix")
    b.beta.expect_submit(destination_addr=base + "01")
    b.lab.check("prefix 49 goes to beta", True)
    kannel.send(base + "02", "your Code 123456")
    b.alpha.expect_submit(destination_addr=base + "02")
    b.lab.check("an expression over the text sends 49 to alpha", True)
    kannel.send(base + "03", "ваш code 654321", coding="2")
    b.alpha.expect_submit(destination_addr=base + "03")
    b.lab.check("the same in UCS-2", True)


def long_messages(b, name):
    kannel, reports = b.kannels[name], b.reports[name]
    base = {"single": "4670123410", "pair": "4670123420", "old": "4670123430"}[name]
    text = "".join(f"{index:03} {LONG}"[:100] for index in range(9))
    for index in range(4):
        destination = f"{base}{index:02}"
        dlr = f"{name}-long-{index}"
        kannel.send(destination, text, dlr=dlr)
        parts = []
        total = 6  # 900 septets in parts of 153
        for _ in range(total):
            wait_until("a part", lambda: any(smsc.peer.count_pdus("submit_sm", destination_addr=destination)
                                             for smsc in (b.alpha, b.beta)))
            for smsc in (b.alpha, b.beta):
                if smsc.peer.count_pdus("submit_sm", destination_addr=destination):
                    parts.append((smsc, smsc.expect_submit(destination_addr=destination)))
        places = {smsc.peer.label for smsc, _ in parts}
        headers = [short_octets(pdu)[:6] for _, pdu in parts]
        b.lab.check_equal(f"{index}: all parts at one supplier", len(places), 1)
        b.lab.check_equal(f"{index}: numbered in order", [(h[:3].hex(), h[4], h[5]) for h in headers],
                          [("050003", total, part) for part in range(1, total + 1)])
        b.lab.check_equal(f"{index}: one reference", len({h[3] for h in headers}), 1)
        b.lab.check_equal(f"{index}: the text is whole",
                          b"".join(short_octets(pdu)[6:] for _, pdu in parts).decode(), text)
        for smsc, pdu in parts:
            if pdu["registered_delivery"] & 3:
                answered = smsc.receipt(pdu)
                b.lab.check_equal(f"{index}: receipt taken", smsc.expect_delivered(answered), ROK)
        reports.expect("/dlr", name=dlr, type=str(DLR_ACCEPTED))
        reports.expect("/dlr", name=dlr, type=str(DLR_DELIVERED))
        b.lab.check(f"{index}: smsbox reports the long message delivered", True)


def receipts(b, name):
    kannel, reports = b.kannels[name], b.reports[name]
    base = {"single": "447700931", "pair": "447700932", "old": "447700933"}[name]
    german = {"single": "493012351", "pair": "493012352", "old": "493012353"}[name]
    # Kannel sees "expired" in the message_state TLV only; 3.3 has no TLVs, its text means "failed".
    expired = DLR_FAILED if name == "old" else DLR_EXPIRED
    cases = [("delivered by alpha (hex, decimal)", b.alpha, base + "001", "DELIVRD", 2, DLR_DELIVERED),
             ("failed at alpha", b.alpha, base + "002", "UNDELIV", 5, DLR_FAILED),
             ("delivered by beta (other bind)", b.beta, german + "001", "DELIVRD", 2, DLR_DELIVERED),
             ("expired at beta", b.beta, german + "002", "EXPIRED", 3, expired)]
    for index, (what, smsc, destination, stat, state, kind) in enumerate(cases):
        dlr = f"{name}-{index}"
        kannel.send(destination, "with a receipt", dlr=dlr)
        got = smsc.expect_submit(destination_addr=destination)
        b.lab.check_equal(f"{what}: asked for at the supplier", got["registered_delivery"] & 3, 1)
        accepted = reports.expect("/dlr", name=dlr, type=str(DLR_ACCEPTED))
        b.lab.check(f"{what}: Kannel has an id", bool(accepted["id"]) or "ACK" in accepted["text"], accepted)
        answered = smsc.receipt(got, stat, state)
        final = reports.expect("/dlr", name=dlr, type=str(kind))
        b.lab.check(f"{what}: Kannel matched the receipt to its message", stat in final["text"], final)
        b.lab.check_equal(f"{what}: the supplier is answered", smsc.expect_delivered(answered), ROK)
    b.alpha.policy = lambda pdu: RINVDSTADR
    kannel.send(base + "003", "refused", dlr=f"{name}-refused")
    b.alpha.expect_submit(destination_addr=base + "003")
    reports.expect("/dlr", name=f"{name}-refused", type=str(DLR_REFUSED))
    b.alpha.policy = lambda pdu: ROK
    b.lab.check("a refusal comes back to Kannel as one", True)


def mobile_originated(b, name):
    reports = b.reports[name]
    number = {"single": "447700900123", "pair": "447700900124", "old": "447700900125"}[name]
    sequence = b.alpha.deliver(source_addr="447700900401", destination_addr=number,
                               short_message={"octets": b"STOP please".hex()})
    got = reports.expect("/mo", text="STOP please")
    b.lab.check("MO reaches smsbox with its numbers",
                got["from"].lstrip("+") == "447700900401" and got["to"].lstrip("+") == number, got)
    b.lab.check_equal("the supplier is answered", b.alpha.expect_delivered(sequence), ROK)
    sequences = [b.beta.deliver(source_addr="493012340402", destination_addr=number, esm_class=0x40,
                                short_message={"octets": (bytes([5, 0, 3, 77, 2, part]) + half).hex()})
                 for part, half in ((1, b"first half, "), (2, b"second half"))]
    reports.expect("/mo", text="first half, second half")
    b.lab.check("a long MO arrives as one", True)
    b.lab.check_equal("both parts answered", [b.beta.expect_delivered(s) for s in sequences], [ROK, ROK])


def enquire_links(b):
    for name, what in (("single", "Kannel answers the router's enquire_link"),
                       ("pair", "the router answers Kannel's enquire_link")):
        with open(b.lab.path(f"{name}-bearerbox.log"), errors="replace") as log:
            wait_until(what, lambda lines=log: any("type_name: enquire_link_resp" in line for line in lines))
        b.lab.check(what, True)


def wrong_password(b):
    kannel = Kannel(b.lab, "intruder", "transceiver", ("single", "guess"), 8003)
    kannel.start(online=False)
    wait_until("bearerbox logs the refusal", lambda: any(
        "0x0000000d" in line for line in b.lab.log_tail("intruder-bearerbox", 400)), 15)
    b.lab.check("a wrong password is refused with RBINDFAIL", True)
    kannel.stop()


def router_restarts(b):
    b.lab.check_equal("the router ends with status 0", b.router.stop(), 0)
    b.router.start()
    b.alpha.wait_bound(1)
    b.beta.wait_bound(2)
    for index, (name, kannel) in enumerate(b.kannels.items()):
        kannel.wait_online()
        kannel.send(f"44770094100{index}", "after the restart")
        b.alpha.expect_submit(20, destination_addr=f"44770094100{index}")
        b.lab.check(f"{name}: Kannel binds again and traffic flows", True)


def unbinds(b):
    for name, kannel in b.kannels.items():
        status = kannel.stop()
        b.lab.check_equal(f"{name}: smsbox and bearerbox end by themselves", status, [0, 0])
    b.lab.check_equal("the router ends with status 0", b.router.stop(), 0)


def dissect(b):
    b.capture.stop()
    faults = b.capture.faults()
    b.lab.check("tshark finds nothing malformed in the capture", not faults, "\n".join(faults[:20]))
    counts = b.capture.commands("tcp.dstport == 2775")
    for command, name in ((0x9, "bind_transceiver"), (0x1, "bind_receiver"), (0x2, "bind_transmitter"),
                          (0x15, "enquire_link"), (0x80000015, "enquire_link_resp"), (0x6, "unbind"),
                          (0x80000005, "deliver_sm_resp")):
        b.lab.check(f"the dissector saw Kannel send {name}", counts[command] > 0, counts)
    counts = b.capture.commands()
    print(f"# dissected from the router: {sum(counts.values())} PDUs, "
          f"{counts[0x4]} submit_sm, {counts[0x5]} deliver_sm", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--router", required=True)
    parser.add_argument("--build", required=True)
    lab_module.add_device_option(parser)
    options = parser.parse_args()
    lab_module.npm_modules(options.build)
    lab_module.enter(["node", "perl", "bearerbox", "smsbox"], 150)
    b = Bench(options)
    b.lab.scenario("start", b.start)
    if not b.lab.failed:
        for name in b.kannels:
            for scenario in (content, routes, long_messages, receipts, mobile_originated):
                b.lab.scenario(f"{name} {scenario.__name__.replace('_', ' ')}", scenario, b, name)
        for scenario in (enquire_links, wrong_password, router_restarts, unbinds):
            b.lab.scenario(scenario.__name__.replace("_", " "), scenario, b)
        b.lab.scenario("dissector", dissect, b)
    b.lab.finish()


if __name__ == "__main__":
    main()
