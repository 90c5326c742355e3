"""A capture of everything on the lab's bridge, and what tshark's SMPP dissector says of it."""

import collections
import os
import re
import socket
import subprocess

from lab import BRIDGE, LAB_ADDRESS, ROUTER_ADDRESS, wait_until

MARKER_PORT = 9  # discard


class Capture:
    def __init__(self, lab, smpp_ports, buffer_mib=2):
        self.lab = lab
        self.file = lab.path("capture.pcapng")
        self.ports = smpp_ports
        self.process = lab.start("dumpcap", ["dumpcap", "-q", "-i", BRIDGE, "-B", str(buffer_mib),
                                             "-w", self.file,
                                             "-f", f"tcp or arp or icmp6 or udp port {MARKER_PORT}"])
        self._see_marker(b"capture begins")

    def _see_marker(self, marker):
        """Sends a datagram until it is in the file: all that went before it is there as well."""
        def in_file():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                sender.sendto(marker, ("10.77.0.255", MARKER_PORT))
            if not os.path.exists(self.file):
                return False
            with open(self.file, "rb") as captured:
                return marker in captured.read()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((LAB_ADDRESS, 0))
        wait_until(f"dumpcap sees '{marker.decode()}'", in_file, 10)

    def stop(self):
        self._see_marker(b"capture ends")
        self.lab.stop(self.process)

    def dropped(self):
        """Frames that dumpcap did not get, after stop()."""
        for line in self.lab.log_tail("dumpcap", 20)[::-1]:
            counts = re.search(r"received/dropped on interface .*: (\d+)/(\d+)", line)
            if counts:
                return int(counts.group(2))
        raise RuntimeError("dumpcap does not say how many frames it dropped")

    def tshark(self, display_filter, *arguments, passes=2):
        """The lines that tshark prints for the capture."""
        # In two passes: whether a PDU that begins in a segment is whole is known at its end.
        decode = [option for port in self.ports for option in ("-d", f"tcp.port=={port},smpp")]
        done = subprocess.run(["tshark", *(["-2"] if passes == 2 else []), "-n", "-r", self.file, *decode, "-Y", display_filter,
                               *arguments], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"tshark: {done.stderr.strip()}")
        return done.stdout.splitlines()

    def faults(self):
        """What the dissector objects to, a line each: malformed PDUs and octets that are no PDU."""
        ports = " || ".join(f"tcp.port == {port}" for port in self.ports)
        # Of these ports alone: the markers and Kannel's HTTP requests come from any port, and some
        # ports belong to another protocol's dissector (34980 to EtherCAT, which an HTTP request is not).
        return self.tshark(f'({ports}) && (_ws.malformed || _ws.short || _ws.expert.group == "Malformed" || '
                           '_ws.expert.severity == "Error")') + self.tshark(
            f"({ports}) && tcp.len > 0 && !smpp && !tcp.reassembled_in && "
            "!tcp.analysis.retransmission && !tcp.analysis.spurious_retransmission")

    def commands(self, display_filter=f"ip.src == {ROUTER_ADDRESS}"):
        """How often each command_id occurs, by default among what the router sent."""
        counts = collections.Counter()
        for line in self.tshark(f"smpp && {display_filter}", "-T", "fields", "-e", "smpp.command_id",
                                "-E", "occurrence=a", "-E", "aggregator=,"):
            counts.update(int(command, 16) for command in line.split(",") if command)
        return counts
