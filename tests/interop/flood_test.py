#!/usr/bin/env python3
"""SYNs from sources that do not exist, at full speed, into our stack's listening port while established
connections run traffic: cookies go out, no octet of the others is wrong, new clients get in, and the
memory stays. Throughput with and without the flood is printed for each second of the stack's own CPU
time: attacker, clients and stack share the machine's cores.

    flood_test.py --peer PATH --flood PATH --build DIR
"""

import argparse
import json

import lab as lab_module
from lab import ROUTER_ADDRESS, wait_until
from linux_tcp_test import Bench, PORT

HALF_OPEN = 256
OLD = 64


def delta(after, before):
    return {name: after[name] - before[name] for name in after}


def per_cpu_second(figures):
    return figures["echoed"] / (figures["cpu_us"] / 1e6)


class FloodBench(Bench):
    def __init__(self, options):
        options.device = "af_packet"
        super().__init__(options)
        self.attacker = self.lab.host("attacker")
        self.gateway = self.lab.host("gateway")  # takes the answers and drops them

    def flood(self):
        mac = next(line.split()[1] for line in self.router_link() if "link/ether" in line)
        return self.attacker.start("flood", [
            self.options.flood, "--target", f"{ROUTER_ADDRESS}:{PORT}", "--mac", mac])

    def router_link(self):
        return self.lab.output("ip", "-n", "router", "link", "show", "dev", "eth0").splitlines()


def flooded(b):
    server = b.stack("--listen", f"0.0.0.0:{PORT}", "--half-open-max", str(HALF_OPEN),
                     "--gateway", b.gateway.address, "--seconds", "100")
    server.wait_for("ready")
    old = b.kernel("--connect", f"{ROUTER_ADDRESS}:{PORT}", "--connections", str(OLD),
                   "--traffic", "endless", "--seconds", "100")
    old.wait_for("established")
    start = server.figures()
    wait_until("traffic before the flood", lambda: server.figures()["echoed"] > start["echoed"] + 2_000_000, 20)
    calm_end = server.figures()
    flood = b.flood()
    wait_until("cookies are sent", lambda: server.figures()["tcp_cookies_sent"] > 0, 20)
    flood_start = server.figures()
    newcomers = b.kernel("--connect", f"{ROUTER_ADDRESS}:{PORT}", "--connections", "100", "--traffic",
                         "ping-pong", "--seconds", "30")
    status, new = newcomers.wait(40)
    flood_end = server.figures()
    b.lab.check_equal("new clients get in during the flood and get all back",
                      (status, new.get("complete"), new.get("wrong")), (0, 100, 0))
    b.lab.check_equal("the flood went on all the while", b.lab.stop(flood), 0)
    status, figures = old.stop(30)
    b.lab.check_equal("every old connection lives and every octet is right",
                      (status, figures.get("complete"), figures.get("wrong")), (0, OLD, 0))
    status, final = server.stop(60)
    b.lab.check_equal("the server ends", status, 0)
    b.lab.check("connections came in by cookies", final["tcp_cookies_good"] > 0, final["tcp_cookies_good"])
    b.lab.check_equal("no more connections than clients", final["accepted"], OLD + 100)
    b.lab.check("memory is flat", final["memory_kib"] <= calm_end["memory_kib"] + 1024,
                f"{calm_end['memory_kib']} KiB before, {final['memory_kib']} KiB at the end")
    report(b, delta(calm_end, start), delta(flood_end, flood_start), final)


def report(b, calm, attacked, final):
    sent = json.loads(b.lab.log_tail("flood")[-1])
    print(f"# attacker: {sent['sent']} SYNs in {sent['elapsed_us'] / 1e6:.2f} s, {sent['refused']} refused; "
          f"{final['tcp_cookies_sent']} cookies sent, {final['tcp_cookies_good']} came back", flush=True)
    for name, part in (("without", calm), ("under flood", attacked)):
        print(f"# {name}: {part['echoed'] / part['elapsed_us']:.2f} octets echoed a us of wall time, "
              f"{per_cpu_second(part) / 1e6:.2f} M octets a CPU second of the stack; "
              f"{part['dpdk_rx_frames'] * 1e6 / part['elapsed_us']:.0f} frames/s in", flush=True)


def main():
    parser = argparse.ArgumentParser()
    for name in ("--peer", "--flood", "--build"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    lab_module.enter([], 150)
    b = FloodBench(options)
    b.lab.scenario("SYN flood", flooded, b)
    b.lab.finish()


if __name__ == "__main__":
    main()
