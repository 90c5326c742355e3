"""Peers made of other people's SMPP libraries, driven over JSON lines, and what an ESME and an SMSC
do with one: bind, answer, submit, deliver. The library encodes and decodes; only decisions are here.
"""

import json
import os
import subprocess
import threading
import time

from lab import Missing

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")

# command_status values that the scenarios name (SMPP 3.4 section 5.1.3).
ROK, RINVCMDID, RINVBNDSTS, RALYBND, RSYSERR = 0x00, 0x03, 0x04, 0x05, 0x08
RINVSRCADR, RINVDSTADR, RINVMSGID, RBINDFAIL, RCANCELFAIL, RREPLACEFAIL = 0x0A, 0x0B, 0x0C, 0x0D, 0x11, 0x13
RMSGQFUL, RINVESMCLASS, RSUBMITFAIL, RTHROTTLED, RX_R_APPN, RQUERYFAIL = 0x14, 0x43, 0x45, 0x58, 0x66, 0x67

# TLVs that the scenarios send: how many octets an integer has, or the kind of the value.
TLVS = {
    "user_message_reference": 2, "sar_msg_ref_num": 2, "sar_total_segments": 1,
    "sar_segment_seqnum": 1, "message_state": 1, "source_port": 2, "destination_port": 2,
    "receipted_message_id": "text", "message_payload": "octets", "operator_id": "octets",
    "network_error_code": "octets", "more_messages_to_send": 1, "dest_addr_subunit": 1,
    "sc_interface_version": 1, "ms_availability_status": 1,
}


def tlv(name, value):
    """A TLV for either library: node-smpp has types, Net::SMPP takes octets."""
    kind = TLVS[name]
    if kind == "octets":
        return {"octets": value.hex()}
    if kind == "text":
        return {"value": value, "octets": (value.encode() + b"\0").hex()}
    return {"value": value, "octets": value.to_bytes(kind, "big").hex()}


def octets(value):
    """The octets of a reported field or TLV, whichever way the library reads it."""
    if isinstance(value, dict):
        return bytes.fromhex(value["octets"])
    if isinstance(value, str):
        return value.encode("latin-1")
    return value


def number(value):
    return value if isinstance(value, int) else int.from_bytes(octets(value), "big")


def text_of(value):
    return octets(value).rstrip(b"\0").decode("latin-1")


def wire_time(value):
    """schedule_delivery_time and validity_period as the wire had them."""
    return value["wire"] if isinstance(value, dict) else value or ""


def brief(event):
    """An event in one short line, for messages."""
    pdu = event.get("pdu")
    if pdu is None:
        return " ".join(str(value) for value in event.values())
    where = f" {pdu['source_addr']}>{pdu['destination_addr']}" if "destination_addr" in pdu else ""
    return f"{event['conn']}:{pdu['command']} {pdu['command_status']:#x} #{pdu['sequence_number']}{where}"

# A bound, not an expectation: lost frames over a loaded virtual device cost seconds of retransmission.
ANSWER_SECONDS = 20.0


class Peer:
    """One process with one library; its events are kept until somebody asks for them."""

    def __init__(self, lab, host, kind, npm_modules):
        self.lab, self.host, self.kind = lab, host, kind
        self.label = f"{host.name}-{kind}"
        command = {"node": ["node", os.path.join(HERE, "node_smpp.js")],
                   "perl": ["perl", os.path.join(HERE, "net_smpp.pl")]}[kind]
        environment = {**os.environ, "NODE_PATH": npm_modules or ""}
        self.process = host.start(self.label, command, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, env=environment)
        self.events = []
        self.handlers = []  # called with each event as it comes; True takes it off the list
        self.condition = threading.Condition()
        self.open = set()  # connections
        self.sequence_last = 0
        threading.Thread(target=self._read, daemon=True).start()
        self.library = self.expect("ready")["library"]

    def _read(self):
        log = open(self.lab.path(self.label + ".events"), "w")
        for line in self.process.stdout:
            event = json.loads(line)
            log.write(f"{time.time():.3f} {json.dumps(event)}\n")
            log.flush()
            with self.condition:
                if event["event"] in ("accepted", "connected"):
                    self.open.add(event["conn"])
                elif event["event"] == "closed":
                    self.open.discard(event["conn"])
                if not any([handler(event) for handler in self.handlers]):
                    self.events.append(event)
                self.condition.notify_all()

    def command(self, do, **arguments):
        self.process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
        self.process.stdin.flush()

    def expect(self, kind, seconds=ANSWER_SECONDS, where=lambda event: True, what=""):
        """Takes the first event of that kind off the list; waits for it up to the bound."""
        end = time.monotonic() + seconds
        with self.condition:
            while True:
                for index, event in enumerate(self.events):
                    if event["event"] == kind and where(event):
                        return self.events.pop(index)
                left = end - time.monotonic()
                if left <= 0 or not self.condition.wait(left):
                    if time.monotonic() >= end:
                        raise Missing(f"{self.label}: no {what or kind} within {seconds:g} s; "
                                      f"unclaimed: {[brief(event) for event in self.events[-8:]]}")

    def expect_pdu(self, conn, command, seconds=ANSWER_SECONDS, **fields):
        """Takes the first PDU with that command and these field values."""
        def is_it(event):
            pdu = event["pdu"]
            return (conn in (None, event["conn"]) and pdu["command"] == command
                    and all(pdu.get(key) == value for key, value in fields.items()))
        what = f"{command} {fields or ''} on connection {conn}"
        event = self.expect("pdu", seconds, is_it, what)
        return {**event["pdu"], "conn": event["conn"]}

    def count_pdus(self, command, **fields):
        """How many unclaimed PDUs there are with that command and these field values."""
        with self.condition:
            return sum(1 for event in self.events
                       if event["event"] == "pdu" and event["pdu"]["command"] == command
                       and all(event["pdu"].get(key) == value for key, value in fields.items()))

    def take_unclaimed(self, *commands):
        """Takes all PDUs with these commands off the list and forgets every other event."""
        with self.condition:
            taken = [event for event in self.events
                     if event["event"] == "pdu" and event["pdu"]["command"] in commands]
            self.events.clear()
        return taken

    def send(self, conn, command, **fields):
        """Sends a request under a fresh sequence number, which is returned."""
        with self.condition:
            self.sequence_last += 1
            fields["sequence_number"] = self.sequence_last
        self.command("send", conn=conn, pdu={"command": command, **fields})
        return fields["sequence_number"]

    def answer(self, conn, pdu, status=ROK, **fields):
        name = pdu["command"] + "_resp"
        if self.kind == "perl" and name in ("submit_sm_resp", "deliver_sm_resp", "data_sm_resp"):
            fields.setdefault("message_id", "")  # Net::SMPP insists, with an error status too
        self.command("send", conn=conn, pdu={"command": name, "command_status": status,
                                             "sequence_number": pdu["sequence_number"], **fields})

    def stop(self):
        self.lab.stop(self.process)


class Esme:
    """One bind of a customer. Answers enquire_link and unbind at once, deliver_sm as it is told."""

    def __init__(self, peer, address, port):
        self.peer = peer
        peer.command("connect", host=address, port=port)
        self.conn = peer.expect("connected")["conn"]
        self.deliver_status = ROK
        self.enquire_links = 0
        peer.handlers.append(self._serve)

    def _serve(self, event):
        if event["event"] != "pdu" or event["conn"] != self.conn:
            return False
        command = event["pdu"]["command"]
        if command == "enquire_link":
            self.enquire_links += 1
            self.peer.answer(self.conn, event["pdu"])
            return True
        if command == "unbind":
            self.peer.answer(self.conn, event["pdu"])
        if command == "deliver_sm":
            self.peer.answer(self.conn, event["pdu"], self.deliver_status)
        return False

    def bind(self, mode, system_id, password, **fields):
        """The bind's answer."""
        fields.setdefault("interface_version", 0x34)
        sequence = self.peer.send(self.conn, f"bind_{mode}", system_id=system_id, password=password,
                                  system_type="", **fields)
        return self.expect(f"bind_{mode}_resp", sequence_number=sequence)

    def expect(self, command, seconds=ANSWER_SECONDS, **fields):
        return self.peer.expect_pdu(self.conn, command, seconds, **fields)

    def request(self, command, seconds=ANSWER_SECONDS, **fields):
        """Sends a request and returns its response."""
        sequence = self.peer.send(self.conn, command, **fields)
        return self.expect(command + "_resp", seconds, sequence_number=sequence)

    def expect_closed(self, seconds=ANSWER_SECONDS):
        self.peer.expect("closed", seconds, lambda event: event["conn"] == self.conn,
                         f"close of connection {self.conn}")

    def unbind(self):
        response = self.request("unbind")
        self.expect_closed()
        return response

    def close(self):
        self.peer.command("close", conn=self.conn)
        self.expect_closed()


class Smsc:
    """A supplier: accepts binds and answers submits; the policy may hold or refuse them."""

    def __init__(self, peer, port, system_id, password, id_first, id_form="as-is"):
        self.peer, self.port = peer, port
        self.system_id, self.password = system_id, password
        self.id_last, self.id_form = id_first, id_form
        self.lock = threading.Lock()
        self.binds = {}   # connection -> bind type
        self.enquire_links = 0
        self.policy = lambda pdu: ROK  # a status to answer with, or None: the test answers
        peer.handlers.append(self._serve)
        self.listen()

    def listen(self):
        self.peer.command("listen", port=self.port)
        self.peer.expect("listening")

    def _serve(self, event):
        if event["event"] == "closed":
            self.binds.pop(event["conn"], None)
            return False
        if event["event"] != "pdu":
            return event["event"] == "accepted"
        pdu, conn = event["pdu"], event["conn"]
        command = pdu["command"]
        if command.startswith("bind_") and not command.endswith("_resp"):
            good = (pdu["system_id"], pdu["password"]) == (self.system_id, self.password)
            self.peer.answer(conn, pdu, ROK if good else RBINDFAIL, system_id="smsc")
            if good:
                self.binds[conn] = command[len("bind_"):]
            return False
        if command == "enquire_link":
            self.enquire_links += 1
            self.peer.answer(conn, pdu)
            return True
        if command == "unbind":
            self.peer.answer(conn, pdu)
        if command in ("submit_sm", "data_sm"):
            status = self.policy(pdu)
            if status is not None:
                self.accept(conn, pdu, status)
        return False

    def next_id(self):
        with self.lock:
            self.id_last += 1
            return self.id_last

    def accept(self, conn, pdu, status=ROK):
        """Answers a submit_sm; the id is kept in the event for its receipt."""
        if status != ROK:
            self.peer.answer(conn, pdu, status)
            return None
        message = self.next_id()
        pdu["accepted_as"] = message
        form = "%X" if self.id_form == "hex-decimal" else "%d"
        self.peer.answer(conn, pdu, message_id=form % message)
        return message

    def id_in_receipt(self, message):
        return "%010d" % message  # SMPP 3.4 appendix B: ten decimal digits

    def expect_submit(self, seconds=ANSWER_SECONDS, command="submit_sm", **fields):
        return self.peer.expect_pdu(None, command, seconds, **fields)

    def wait_bound(self, count=1, seconds=10.0):
        """Until the router has that many binds here and has seen our answers to them."""
        end = time.monotonic() + seconds
        with self.peer.condition:
            while len(self.binds) < count:
                left = end - time.monotonic()
                if left <= 0:
                    raise Missing(f"{self.peer.label}: {count} binds; has {self.binds}")
                self.peer.condition.wait(left)
            conns = list(self.binds)
        for conn in conns:
            self.round_trip(conn)

    def round_trip(self, conn):
        """Until the router has seen all that this supplier said on that connection."""
        sequence = self.peer.send(conn, "enquire_link")
        return self.peer.expect_pdu(conn, "enquire_link_resp", sequence_number=sequence)

    def receiving_conn(self):
        """A connection that may carry deliver_sm."""
        for conn, mode in self.binds.items():
            if mode in ("receiver", "transceiver"):
                return conn
        raise Missing(f"{self.peer.label}: no receiving bind among {self.binds}")

    def receipt(self, submit, stat="DELIVRD", state=2, error=0, message=None, tlvs=True, esm_class=0x04,
                id_text=None, carrier="short_message"):
        """Sends the receipt for a submit_sm that it accepted; the request's sequence number. The text
        goes into short_message, into message_payload, or into that of a data_sm."""
        message = submit["accepted_as"] if message is None else message
        id_text = id_text or self.id_in_receipt(message)
        text = (f"id:{id_text} sub:001 dlvrd:{int(state == 2):03} submit date:2611230900 "
                f"done date:2611230901 stat:{stat} err:{error:03} text:receipt").encode()
        fields = {}
        if tlvs:
            fields["receipted_message_id"] = tlv("receipted_message_id", id_text)
            fields["message_state"] = tlv("message_state", state)
        if carrier == "short_message":
            fields["short_message"] = {"octets": text.hex()}
        else:
            fields["message_payload"] = tlv("message_payload", text)
        return self.peer.send(
            self.receiving_conn(), "data_sm" if carrier == "data_sm" else "deliver_sm", service_type="",
            source_addr_ton=submit["dest_addr_ton"], source_addr_npi=submit["dest_addr_npi"],
            source_addr=submit["destination_addr"], dest_addr_ton=submit["source_addr_ton"],
            dest_addr_npi=submit["source_addr_npi"], destination_addr=submit["source_addr"],
            esm_class=esm_class, data_coding=0, **fields)

    def deliver(self, **fields):
        """Sends an MO message; its sequence number."""
        return self.peer.send(self.receiving_conn(), "deliver_sm", **{
            "service_type": "", "source_addr_ton": 1, "source_addr_npi": 1, "dest_addr_ton": 1,
            "dest_addr_npi": 1, "esm_class": 0, "data_coding": 0, **fields})

    def expect_delivered(self, sequence, seconds=ANSWER_SECONDS, command="deliver_sm"):
        """The status that the request of that number was answered with."""
        answer = self.peer.expect_pdu(None, command + "_resp", seconds, sequence_number=sequence)
        return answer["command_status"]

    def go_down(self):
        """Stops listening and drops every link without a word."""
        self.peer.command("unlisten", port=self.port)
        self.peer.expect("unlistened")
        for conn in list(self.binds):
            self.peer.command("close", conn=conn)
            self.peer.expect("closed", where=lambda event, c=conn: event["conn"] == c)
