"""Kannel's bearerbox between two SMSCs: what comes as deliver_sm from one leaves as submit_sm to the other.

Kannel has no SMPP server in Debian (opensmppbox is not packaged), so customers cannot bind to it and
smppload cannot drive it. Its own re-routing between SMSC links is SMPP in and SMPP out through one process;
both SMSCs are played here, every message is numbered, and each must arrive once with its text.
"""

import selectors
import socket
import struct
import time

from .programs import Failed, Process, free_ports

CONFIGURATION = """
group = core
admin-port = {admin}
smsbox-port = {smsbox}
admin-password = admin
log-level = 3
sms-incoming-queue-limit = 1000000
sms-outgoing-queue-limit = 1000000
dlr-storage = internal

# Never started: bearerbox wants to know of one.
group = smsbox
bearerbox-host = 127.0.0.1

group = smsc
smsc = smpp
smsc-id = source
reroute-smsc-id = sink
host = 127.0.0.1
port = {source}
transceiver-mode = true
smsc-username = sy
smsc-password = secret
system-type = ""
enquire-link-interval = 30
max-pending-submits = 1000

group = smsc
smsc = smpp
smsc-id = sink
host = 127.0.0.1
port = {sink}
transceiver-mode = true
smsc-username = sy
smsc-password = secret
system-type = ""
enquire-link-interval = 30
max-pending-submits = 1000
"""

HEADER = struct.Struct(">IIII")
DELIVER_SM, SUBMIT_SM, BIND_TRANSCEIVER, ENQUIRE_LINK, UNBIND = 5, 4, 9, 0x15, 6
RESPONSE = 0x80000000
WINDOW = 400
TEXT_OCTETS = 112


def pdu(command, sequence, body=b""):
    return HEADER.pack(HEADER.size + len(body), command, 0, sequence) + body


def deliver(number):
    text = f"M{number:010d} ".encode().ljust(TEXT_OCTETS, b"t")
    return pdu(DELIVER_SM, number + 1, b"\0\1\1447700900001\0\1\1491711234567\0\0\0\0\0\0\0\0\0\0"
               + bytes([len(text)]) + text)


def text_of(body):
    """short_message of a submit_sm: behind service_type, two addresses and nine fields."""
    at = body.index(0) + 1
    for _ in range(2):
        at = body.index(0, at + 2) + 1
    at += 3
    at = body.index(0, at) + 1
    at = body.index(0, at) + 1
    at += 4
    return body[at + 1:at + 1 + body[at]]


class Link:
    """One SMSC: bearerbox binds to it."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(10)
        self.bound, self.kept = False, b""
        self.socket = None

    def accept(self):
        try:
            self.socket, _ = self.listener.accept()
        except TimeoutError:
            raise Failed("bearerbox did not connect") from None
        self.socket.settimeout(10)

    def read(self):
        """[(command, status, sequence, body)] of what is there."""
        got = self.socket.recv(1 << 18)
        if not got:
            raise Failed("bearerbox closed its link")
        data, at, out = self.kept + got, 0, []
        while len(data) - at >= HEADER.size:
            length, command, status, sequence = HEADER.unpack_from(data, at)
            if len(data) - at < length:
                break
            out.append((command, status, sequence, data[at + HEADER.size:at + length]))
            at += length
        self.kept = data[at:]
        return out

    def close(self):
        for one in (self.socket, self.listener):
            if one is not None:
                one.close()


class Traffic:
    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.sent = self.taken = 0
        self.arrived = {}

    def turn(self, selector, submitting):
        for key, _ in selector.select(0.05):
            link, answers = key.data, []
            for command, status, sequence, body in key.data.read():
                if command == BIND_TRANSCEIVER:
                    answers.append(pdu(command | RESPONSE, sequence, b"smsc\0"))
                    link.bound = True
                elif command in (ENQUIRE_LINK, UNBIND):
                    answers.append(pdu(command | RESPONSE, sequence))
                elif command == SUBMIT_SM:
                    number = int(text_of(body)[1:11])
                    self.arrived[number] = self.arrived.get(number, 0) + 1
                    if text_of(body) != deliver(number)[-TEXT_OCTETS:]:
                        raise Failed(f"message {number} was altered: {text_of(body)}")
                    answers.append(pdu(command | RESPONSE, sequence, f"{number}\0".encode()))
                elif command == DELIVER_SM | RESPONSE:
                    if status:
                        raise Failed(f"bearerbox refused a deliver_sm with status {status}")
                    self.taken += 1
            if answers:
                link.socket.sendall(b"".join(answers))
        if submitting and self.sent - len(self.arrived) < WINDOW:
            count = WINDOW - (self.sent - len(self.arrived))
            self.source.socket.sendall(b"".join(deliver(self.sent + i) for i in range(count)))
            self.sent += count


def measure(bench, directory, seconds):
    """Messages/s from one SMSC to the other, in a closed loop."""
    first = free_ports(4)
    path = directory / "kannel.conf"
    path.write_text(CONFIGURATION.format(admin=first, smsbox=first + 1, source=first + 2, sink=first + 3))
    source, sink = Link(first + 2), Link(first + 3)
    try:
        with Process(["bearerbox", "-v", "3", path], directory / "bearerbox.log", bench.router_cpu) as box:
            return run(box, source, sink, seconds)
    finally:
        source.close()
        sink.close()


def run(box, source, sink, seconds):
    traffic = Traffic(source, sink)
    with selectors.DefaultSelector() as selector:
        for link in (source, sink):
            link.accept()
            selector.register(link.socket, selectors.EVENT_READ, link)
        deadline = time.monotonic() + 20
        while not (source.bound and sink.bound):
            traffic.turn(selector, False)
            if time.monotonic() > deadline:
                raise Failed(f"bearerbox did not bind to both SMSCs:\n{box.tail()}")
        warm = time.monotonic() + 0.5
        while time.monotonic() < warm:
            traffic.turn(selector, True)
        before, cpu, begun = len(traffic.arrived), box.cpu_seconds(), time.monotonic()
        while time.monotonic() < begun + seconds:
            traffic.turn(selector, True)
        count, took, cpu = len(traffic.arrived) - before, time.monotonic() - begun, box.cpu_seconds() - cpu
        deadline = time.monotonic() + 20
        while len(traffic.arrived) < traffic.sent and time.monotonic() < deadline:
            traffic.turn(selector, False)
    lost = traffic.sent - len(traffic.arrived)
    twice = sum(times - 1 for times in traffic.arrived.values())
    if lost or twice or not count:
        raise Failed(f"Kannel: {lost} of {traffic.sent} messages lost, {twice} twice, {count} counted\n{box.tail()}")
    return {"rate": count / took, "cpu": cpu * 1e6 / count}
