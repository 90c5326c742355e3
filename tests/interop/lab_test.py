#!/usr/bin/env python3
"""The lab itself: its checks can fail, and nothing of it outlives it.

    lab_test.py --build DIR
"""

import argparse
import os
import signal
import socket
import struct
import subprocess
import sys
import threading

import lab as lab_module
from capture import Capture
from lab import INSIDE, Lab, LAB_ADDRESS, wait_until

ENQUIRE_LINK = struct.pack(">IIII", 16, 0x15, 0, 1)
# A submit_sm whose sm_length says more octets than there are.
CUT_SUBMIT = struct.pack(">IIII", 38, 4, 0, 2) + b"\0\1\1" + b"1\0" + b"\1\1" + b"2\0" + bytes(11) + b"\x50" + b"x"
NO_PDU = b"GET / HTTP/1.1\r\n\r\n"


def sink(port):
    """Takes whatever is sent to that port."""
    server = socket.create_server((LAB_ADDRESS, port))

    def serve():
        while True:
            conn, _ = server.accept()
            while conn.recv(4096):
                pass
            conn.close()

    threading.Thread(target=serve, daemon=True).start()


def send_from(lab, port, octets):
    """Sends octets from a host of the lab, over the bridge."""
    program = (f"import socket; s = socket.create_connection(({LAB_ADDRESS!r}, {port}), 5); "
               f"s.sendall(bytes.fromhex('{octets.hex()}')); s.close()")
    process = lab.host("sender").start("sender", [sys.executable, "-c", program])
    lab.check_equal(f"{len(octets)} octets sent to {port}", process.wait(20), 0)


def dissector_can_object(lab, octets, objects):
    port = 3000 + lab.check_count
    capture = Capture(lab, [port])
    sink(port)
    send_from(lab, port, octets)
    capture.stop()
    faults = capture.faults()
    lab.check(f"tshark {'objects' if objects else 'is content'}", bool(faults) == objects, faults)


def nothing_is_left(lab, build):
    """A lab that is killed in the middle takes its processes and networks with it."""
    ready = lab.path("victim-is-ready")
    environment = {key: value for key, value in os.environ.items() if key != INSIDE}
    victim = subprocess.Popen([sys.executable, __file__, "--build", build, "--victim", ready],
                              env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until("the victim runs", lambda: os.path.exists(ready), 20)

    def sleepers():
        wanted = b"\0".join([b"sleep", f"611{victim.pid}".encode(), b""])
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as command_line:
                    if command_line.read() == wanted:
                        found.append(pid)
            except OSError:
                pass  # it ended while we looked
        return found

    open(ready + ".go", "w").write(f"611{victim.pid}")
    wait_until("the victim's processes run", lambda: len(sleepers()) == 2)
    lab.check("its processes are seen", True)
    victim.send_signal(signal.SIGKILL)
    victim.wait(10)
    wait_until("they are gone", lambda: not sleepers())
    lab.check("killed with SIGKILL: all that it started is gone", True)


def be_victim(lab, ready):
    """Starts one process in the router's network and one on a host, then waits for its end."""
    open(ready, "w").close()
    wait_until("the name", lambda: os.path.exists(ready + ".go") and open(ready + ".go").read(), 20)
    seconds = open(ready + ".go").read()
    lab.start("here", ["sleep", seconds])
    lab.host("there").start("there", ["sleep", seconds])
    signal.pause()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--victim")
    options = parser.parse_args()
    lab_module.enter([], 60)
    if options.victim:
        be_victim(Lab(os.path.join(options.build, "lab-victim")), options.victim)
    lab = Lab(os.path.join(options.build, "lab-lab"))
    for name, octets, objects in (("a good PDU", ENQUIRE_LINK, False), ("a cut PDU", CUT_SUBMIT, True),
                                  ("octets that are no PDU", NO_PDU, True)):
        lab.scenario(name, dissector_can_object, lab, octets, objects)
    lab.scenario("cleaning up", nothing_is_left, lab, options.build)
    lab.finish()


if __name__ == "__main__":
    main()
