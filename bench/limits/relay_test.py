#!/usr/bin/env python3
"""The relay moves every octet, in order, both ways, also where one side does not read for a while.

Usage: relay_test.py RELAY
"""

import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "smppload" / "tests"))
from through_router import free_ports  # noqa: E402

OCTETS = 48 << 20  # more than all sockets and buffers between hold, so that a side that does not read is felt


def take(connection, count):
    connection.settimeout(60)
    out = bytearray()
    while len(out) < count:
        got = connection.recv(1 << 16)
        if not got:
            break
        out += got
    return bytes(out)


def both_ways(port, listener):
    ours = socket.create_connection(("127.0.0.1", port), timeout=30)
    theirs, _ = listener.accept()
    source = random.Random(port)
    there, back = source.randbytes(OCTETS), source.randbytes(OCTETS)
    senders = [threading.Thread(target=ours.sendall, args=(there,)),
               threading.Thread(target=theirs.sendall, args=(back,))]
    for sender in senders:
        sender.start()
    senders[0].join(0.2)
    blocked = senders[0].is_alive()  # nobody reads yet: it must stand, not lose
    right = take(theirs, OCTETS) == there
    left = take(ours, OCTETS) == back
    for sender in senders:
        sender.join()
    ours.close()
    ended = theirs.recv(1) == b""
    theirs.close()
    return {"the sender waits while nobody reads": blocked, "there": right, "back": left, "the end": ended}


def main():
    first = free_ports(2)
    listener = socket.create_server(("127.0.0.1", first + 1))
    listener.settimeout(30)
    with subprocess.Popen([sys.argv[1], str(first), str(first + 1)], stdout=subprocess.PIPE, text=True) as relay:
        try:
            good = relay.stdout.readline() == "relay: ready\n"
            for round_number in range(2):
                for what, held in both_ways(first, listener).items():
                    print(f"{'ok' if held else 'NOT OK'}: {what}, connection {round_number}")
                    good = good and held
        finally:
            relay.send_signal(signal.SIGTERM)
        good = relay.wait(timeout=30) == 0 and good
    wrong = subprocess.run([sys.argv[1], "1"], capture_output=True, check=False)
    good = good and wrong.returncode == 2
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
