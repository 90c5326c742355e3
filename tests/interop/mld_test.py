#!/usr/bin/env python3
"""IPv6 behind a switch that snoops MLD: Linux's bridge, with its own querier. It forwards solicitations for
the router's addresses only to ports that a report named, so without reports nobody finds the router.

    mld_test.py --router PATH --build DIR
"""

import argparse
import json
import os
import sys

import lab as lab_module
from lab import BRIDGE, Lab, ROUTER_ADDRESS_V6, wait_until
from router import PORT, Router

TOML = """
[runtime]
workers = [0]
[smpp]
listen = ["0.0.0.0:2775", "[::]:2775"]
[admin]
listen = "127.0.0.1:8080"
[routes]
mt = ""
mo = ""
errors = ""
"""
# In hundredths of a second: the bridge asks every 1.5 s, and forgets a port that has not answered for 4 s.
SNOOPING = ["mcast_snooping", "1", "mcast_querier", "1", "mcast_startup_query_interval", "50",
            "mcast_query_interval", "150", "mcast_query_response_interval", "50", "mcast_membership_interval", "400"]
# The low three octets of fd77::1, which the group has.
GROUP = "ff02::1:ff00:1"
METRICS = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8080/metrics', timeout=5).read().decode())"
CONNECT = (f"import socket; s = socket.create_connection(('{ROUTER_ADDRESS_V6}', {PORT}), 5); print(s.getpeername()[0])")


class Bench:
    def __init__(self, options):
        self.lab = Lab(os.path.join(options.build, "lab-mld"), "af_packet")
        self.linux = self.lab.host("linux")
        self.router = Router(self.lab, options.router, TOML, {})

    def snoop(self, version):
        self.lab.run("ip", "link", "set", BRIDGE, "type", "bridge", "mcast_mld_version", str(version), *SNOOPING)

    def entry(self):
        """What the bridge knows of the group behind the router's port; None: nothing."""
        database = json.loads(self.lab.output("bridge", "-d", "-s", "-j", "mdb", "show", "dev", BRIDGE))
        found = [one for one in database[0]["mdb"] if one["grp"] == GROUP and one["port"] == "vrouter"]
        return found[0] if found else None

    def connects(self):
        """From a host that does not know the router's MAC."""
        self.lab.run("ip", "-n", "linux", "-6", "neigh", "flush", "dev", "eth0")
        return self.run_in("linux", CONNECT).strip()

    def run_in(self, host, program):
        return self.lab.output("ip", "netns", "exec", host, sys.executable, "-c", program)

    def metric(self, name):
        lines = self.run_in("router", METRICS).splitlines()
        return float(next(line for line in lines if line.startswith(f'switchyard_{name}_total{{worker="0"}} ')).split()[-1])


def joined(b):
    b.snoop(2)
    b.router.start()
    wait_until("the bridge knows the router's group", b.entry, 15)
    b.lab.check("the bridge knows the router's group", True)
    b.lab.check_equal("it was told by version 2 (a filter mode)", b.entry().get("filter_mode"), "exclude")
    b.lab.check_equal("a host finds the router and connects", b.connects(), ROUTER_ADDRESS_V6)


def stays(b, version):
    """Over more queries than the bridge remembers a port that does not answer."""
    b.snoop(version)
    names = ("ip_mld_queries_in", "ip_mld_reports_out")
    before = [b.metric(name) for name in names]

    def answered():
        if b.entry() is None:
            raise RuntimeError("the bridge has forgotten the group")
        return all(b.metric(name) >= first + 4 for name, first in zip(names, before))
    wait_until("four queries are answered", answered, 25)
    b.lab.check("four queries are answered, the group is never forgotten", True)
    b.lab.check_equal("no query was refused", b.metric("ip_mld_bad"), 0)
    b.lab.check_equal("a host finds the router and connects", b.connects(), ROUTER_ADDRESS_V6)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--router", required=True)
    parser.add_argument("--build", required=True)
    options = parser.parse_args()
    lab_module.enter(["bridge"], 80)
    b = Bench(options)
    b.lab.scenario("joined", joined, b)
    b.lab.scenario("version 2", stays, b, 2)
    b.lab.scenario("version 1", stays, b, 1)
    b.lab.scenario("end", lambda: b.lab.check_equal("SIGTERM: it ends with status 0", b.router.stop(), 0))
    b.lab.finish()


if __name__ == "__main__":
    main()
