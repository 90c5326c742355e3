#!/usr/bin/env python3
"""Customers of Kannel's sendsms: so many kept connections to smsbox, each with one request under way, as HTTP
allows. Every message has a number of its own in its text. Prints JSON: how many were
accepted (numbers 0 to `messages` - 1: all, or it fails), how many of them came one by one before the measured time,
and when that began (monotonic).

Usage: http_customers.py PORT CONNECTIONS SECONDS
"""

import json
import selectors
import socket
import sys
import time

# As long as smppload's messages: 112 octets.
TEXT = "n{:08}+Your+verification+code+is+123456.+Do+not+share+it+with+anyone.+It+is+valid+for+ten+minutes+from+now+on.++"
ACCEPTED = b"HTTP/1.1 202"
PATIENCE_S = 30


class Customer:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = b""

    def ask(self, number):
        self.socket.sendall(
            f"GET /cgi-bin/sendsms?username=bench&password=bench&from=447700900001&to=49171{number:08}"
            f"&text={TEXT.format(number)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def answered(self):
        """Whether the answer to the request under way is complete and says that the message was accepted."""
        part = self.socket.recv(65536)
        if not part:
            raise SystemExit("smsbox closed a connection")
        self.answer += part
        head, separator, body = self.answer.partition(b"\r\n\r\n")
        if not separator:
            return False
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                      if line.lower().startswith(b"content-length:"))
        if len(body) < length:
            return False
        if not head.startswith(ACCEPTED):
            raise SystemExit(f"smsbox refused a message: {head} {body}")
        self.answer = b""
        return True


def main():
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    ready = selectors.DefaultSelector()
    messages = 0
    customers = []
    for _ in range(connections):
        # One answer before the next connects: smsbox lets few wait for accept(), others try again a second later.
        customers.append(Customer(port))
        customers[-1].ask(messages)
        messages += 1
        while not customers[-1].answered():
            pass
    first = messages
    begun = time.monotonic()
    for customer in customers:
        ready.register(customer.socket, selectors.EVENT_READ, customer)
        customer.ask(messages)
        messages += 1
    waiting = connections
    while waiting:
        events = ready.select(PATIENCE_S)
        if not events:
            raise SystemExit(f"smsbox has not answered {waiting} requests for {PATIENCE_S} s")
        going_on = time.monotonic() - begun < seconds
        for key, _ in events:
            if not key.data.answered():
                continue
            waiting -= 1
            if going_on:
                key.data.ask(messages)
                messages += 1
                waiting += 1
    print(json.dumps({"messages": messages, "first": first, "begun": begun}))


if __name__ == "__main__":
    main()
