"""Binds many transceivers and keeps them: they answer enquire_link and say nothing else.

Usage: bound.py HOST:PORT CONNECTIONS SYSTEM_ID:PASSWORD...   (connections go to the accounts in turn)

Prints "bound" once all are, and at SIGTERM one line of JSON: how many enquire_links it answered, how many connections
ended. Exit status 1: a bind was refused. One thread.
"""

import json
import selectors
import signal
import socket
import struct
import sys

BIND_TRANSCEIVER, BIND_RESP, ENQUIRE_LINK, ENQUIRE_LINK_RESP = 0x09, 0x80000009, 0x15, 0x80000015
HEADER = struct.Struct(">IIII")
AT_ONCE = 512  # connects without an answer


def bind_pdu(system_id, password):
    body = f"{system_id}\0{password}\0\0".encode() + bytes([0x34, 0, 0, 0])
    return HEADER.pack(16 + len(body), BIND_TRANSCEIVER, 0, 1) + body


class Bound:
    def __init__(self, to, count, accounts):
        self.to, self.left, self.accounts = to, count, accounts
        self.selector = selectors.DefaultSelector()
        self.binding, self.bound, self.ended, self.answered = 0, 0, 0, 0

    def connect(self):
        one = socket.socket()
        one.connect(self.to)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.sendall(bind_pdu(*self.accounts[self.left % len(self.accounts)]))
        one.setblocking(False)
        self.selector.register(one, selectors.EVENT_READ, bytearray())
        self.left -= 1
        self.binding += 1

    def turn(self):
        while self.left > 0 and self.binding < AT_ONCE:
            self.connect()
        for key, _ in self.selector.select(0.5):
            self.read(key.fileobj, key.data)

    def read(self, one, buffer):
        try:
            octets = one.recv(65536)
        except ConnectionError:
            octets = b""
        if not octets:
            self.selector.unregister(one)
            one.close()
            self.ended += 1
            return
        buffer += octets
        answers = b""
        while len(buffer) >= 16:
            length, command, status, sequence = HEADER.unpack_from(buffer)
            if len(buffer) < length:
                break
            if command == ENQUIRE_LINK:
                answers += HEADER.pack(16, ENQUIRE_LINK_RESP, 0, sequence)
                self.answered += 1
            elif command == BIND_RESP:
                if status != 0:
                    sys.exit(f"bound.py: a bind was refused: status 0x{status:08x}")
                self.binding -= 1
                self.bound += 1
            del buffer[:length]
        if answers:
            one.sendall(answers)


def main(to, count, *accounts):
    host, port = to.rsplit(":", 1)
    bound = Bound((host, int(port)), int(count), [account.split(":", 1) for account in accounts])
    ending = []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
    said = False
    while not ending:
        bound.turn()
        if not said and bound.bound == int(count):
            print("bound", flush=True)
            said = True
    print(json.dumps({"answered": bound.answered, "ended": bound.ended}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
