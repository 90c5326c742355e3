"""The life of a running router: start, messages, reloads good and bad, log rotation, drain. Runs the
program against a customer and a supplier on plain sockets; usage: life_cycle_test.py PROGRAM."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import unittest

from router import RESP, SUBMIT_SM, UNBIND, Client, Files, Router, Supplier
from router import listening, submit_body, wait_until

PROGRAM = ""


class LifeCycle(unittest.TestCase):
    def setUp(self):
        self.files = Files()
        self.addCleanup(self.files.remove)
        self.supplier = Supplier(self.files.supplier_port)
        self.addCleanup(self.supplier.close)

    def start(self):
        router = Router(PROGRAM, self.files)
        self.addCleanup(router.close)
        return router.wait_ready()

    def start_bound(self):
        """A router with its supplier and a customer bound: (router, supplier link, client)."""
        router = self.start()
        link = self.supplier.accept_bind()
        self.addCleanup(link.close)
        wait_until(lambda: router.metric('switchyard_supplier_up{supplier="alpha"}') == 1,
                   "supplier up")
        client = Client(self.files.smpp_port)
        self.addCleanup(client.close)
        self.assertEqual(client.bind(), 0)
        return router, link, client

    def exchange(self, link, client, destination="447700900001"):
        """One message through the router; its body as the supplier saw it."""
        sequence = client.send(SUBMIT_SM, submit_body(destination, b"hello"))
        body = self.supplier.answer_submit(link)
        command, status, answered, _ = client.receive()
        self.assertEqual((command, status, answered), (SUBMIT_SM | RESP, 0, sequence))
        return body

    def stop(self, router, *links):
        """SIGTERM; the peers answer the unbinds; exit status 0."""
        router.signal(signal.SIGTERM)
        for link in links:
            self.answer_unbind(link)
        self.assertEqual(router.wait_exit(), 0, router.log())
        self.assertFalse(listening(self.files.smpp_port))
        self.assertFalse(listening(self.files.admin_port))

    def answer_unbind(self, link):
        command, _, sequence, _ = link.receive()
        self.assertEqual(command, UNBIND)
        link.send(UNBIND | RESP, sequence=sequence)
        link.close()

    # --- Start and stop.

    def test_starts_serves_pages_and_stops(self):
        router = self.start()
        status, page = router.get("/metrics")
        self.assertEqual(status, 200)
        self.assertIn("# TYPE switchyard_mt_in_total counter", page)
        self.assertRegex(page, r'switchyard_build_info\{.*version="\d')
        self.assertEqual(router.metric("switchyard_snapshot_generation"), 1)
        self.assertEqual(router.get("/nothing")[0], 404)
        self.stop(router)

    def test_sigint_stops_too(self):
        router = self.start()
        router.signal(signal.SIGINT)
        self.assertEqual(router.wait_exit(), 0, router.log())

    def test_health_follows_the_supplier(self):
        router = self.start()
        status, body = router.get("/health")
        self.assertEqual((status, json.loads(body)["status"]), (503, "no supplier is bound"))
        link = self.supplier.accept_bind()
        wait_until(lambda: router.get("/health")[0] == 200, "healthy")
        link.close()
        wait_until(lambda: router.get("/health")[0] == 503, "unhealthy again")
        self.stop(router)

    def test_any_port_is_one_port_for_all_workers(self):
        cpus = sorted(os.sched_getaffinity(0))[:2]
        self.files.write_root(
            runtime=f"[runtime]\nworkers = {cpus}\nconnections_max = 64\n",
            smpp='[smpp]\nlisten = ["127.0.0.1:0"]\n',
        )
        router = self.start()
        match = re.search(r"listening for customers address=127\.0\.0\.1:(\d+)", router.log())
        port = int(match.group(1))
        self.assertNotEqual(port, 0)
        for _ in range(8):  # the kernel spreads them over the workers
            client = Client(port)
            self.assertEqual(client.bind(), 0)
            client.close()
        self.stop(router)

    def test_two_workers_share_one_supplier(self):
        cpus = sorted(os.sched_getaffinity(0))[:2]
        if len(cpus) < 2:
            self.skipTest("needs two CPUs")
        self.files.write_root(
            runtime=f"[runtime]\nworkers = {cpus}\nconnections_max = 64\nmessages_max = 1024\n"
        )
        router, link, client = self.start_bound()
        # One link on one worker; customers on both: some messages must cross.
        clients = [client]
        for _ in range(3):
            clients.append(Client(self.files.smpp_port))
            self.addCleanup(clients[-1].close)
            self.assertEqual(clients[-1].bind(), 0)
        for one in clients * 3:
            self.exchange(link, one)
        total = sum(
            router.metric(f'switchyard_mt_accepted_total{{worker="{w}"}}') for w in range(2)
        )
        self.assertEqual(total, 12)
        self.stop(router, link, *clients)

    def test_second_router_on_the_same_ports_is_refused_and_the_first_stays(self):
        router, link, client = self.start_bound()
        second = Router(PROGRAM, self.files)
        self.addCleanup(second.close)
        self.assertEqual(second.wait_exit(), 1)
        self.assertIn("in use", second.log())
        self.exchange(link, client)
        self.stop(router, link, client)

    # --- Messages and counters.

    def test_message_is_routed_and_counted(self):
        router, link, client = self.start_bound()
        body = self.exchange(link, client)
        self.assertIn(b"447700900001", body)
        wait_until(lambda: router.metric('switchyard_mt_accepted_total{worker="0"}') == 1,
                   "mt_accepted counted")
        self.assertEqual(router.metric('switchyard_supplier_accepted_total{supplier="alpha"}'), 1)
        self.assertEqual(router.metric('switchyard_customer_accepted_total{customer="acme"}'), 1)
        self.assertEqual(router.metric('switchyard_customer_binds{customer="acme"}'), 1)
        self.stop(router, link, client)

    # --- Reload.

    def test_reload_brings_new_routes_and_leaves_sessions_alone(self):
        router, link, client = self.start_bound()
        status, _ = client.submit("4915112345678")
        self.assertEqual(status, 0x0B)  # ESME_RINVDSTADR: no route
        self.files.write("mt.csv", "plan,prefix,targets\ndefault,44,alpha\ndefault,49,alpha\n")
        router.signal(signal.SIGHUP)
        router.wait_notified("RELOADING=1")
        router.wait_notified("READY=1")
        router.wait_log("configuration reloaded generation=2 customers=1 suppliers=1 mt_rules=2")
        # The very same connections go on, and the new route holds.
        self.exchange(link, client, "4915112345678")
        self.assertEqual(router.metric("switchyard_snapshot_generation"), 2)
        self.assertEqual(router.metric('switchyard_reloads_total{result="ok"}'), 1)
        self.stop(router, link, client)

    def write_many_networks(self):
        """A configuration that takes a second or more to read."""
        self.files.write_root(routes='[routes]\nmt = "mt.csv"\nmo = "mo.csv"\nerrors = ""\n'
                              'networks = "networks.csv"\n')
        rows = "".join(f"{number},23410\n" for number in range(4470000000, 4471000000))
        self.files.write("networks.csv", "prefix,mccmnc\n" + rows)

    def test_signals_during_a_reload_are_served_and_lead_to_one_more(self):
        router, link, client = self.start_bound()
        self.write_many_networks()
        router.signal(signal.SIGHUP)
        router.wait_log("reload begins")
        self.files.write("mt.csv", "plan,prefix,targets\ndefault,44,alpha\ndefault,49,alpha\n")
        router.signal(signal.SIGHUP)
        router.signal(signal.SIGUSR1)
        router.wait_log("log file opened again")
        self.assertNotIn("configuration reloaded", router.log())
        self.exchange(link, client)
        router.wait_log("configuration reloaded", count=2)
        self.exchange(link, client, "4915112345678")
        self.stop(router, link, client)

    def test_drain_during_a_reload_does_not_wait_for_it(self):
        router, link, client = self.start_bound()
        self.write_many_networks()
        router.signal(signal.SIGHUP)
        router.wait_log("reload begins")
        self.stop(router, link, client)
        self.assertNotIn("configuration reloaded", router.log())

    # --- What a running router does, explained.

    def explain(self, router, *arguments):
        """The command against the router, as JSON."""
        result = subprocess.run(
            [PROGRAM, "explain", "--router", f"127.0.0.1:{self.files.admin_port}", "--json", *arguments],
            capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(result.returncode, 0, result.stderr + router.log())
        return json.loads(result.stdout)

    def test_running_router_explains_what_it_does_not_what_the_files_say(self):
        router, link, client = self.start_bound()
        mt = ("mt", "--customer", "acme", "--to", "447700900001", "--text", "hello")
        first = self.explain(router, *mt)
        self.assertEqual((first["generation"], first["decision"]["kind"]), (1, "route"))
        self.assertEqual([target["name"] for target in first["decision"]["targets"]], ["alpha"])
        self.exchange(link, client)
        self.files.write("mt.csv", "plan,prefix,action,targets\ndefault,44,reject:RINVSRCADR,\n"
                         "default,49,,alpha\n")
        self.assertEqual(self.explain(router, *mt)["decision"], first["decision"])
        router.signal(signal.SIGHUP)
        router.wait_log("configuration reloaded")
        second = self.explain(router, *mt)
        self.assertEqual((second["generation"], second["decision"]["kind"],
                          second["decision"]["status"]), (2, "reject", "RINVSRCADR"))
        self.assertEqual(client.submit("447700900001")[0], 0x0A)  # ESME_RINVSRCADR
        mo = self.explain(router, "mo", "--supplier", "alpha", "--to", "447700900123",
                          "--from", "447700900999")
        self.assertEqual([target["name"] for target in mo["decision"]["targets"]], ["acme"])
        self.stop(router, link, client)

    def test_explanations_over_http_say_what_is_wrong_with_a_question(self):
        router = self.start()
        status, text = router.get("/explain/mt?customer=acme&to=447700900001")
        self.assertEqual(status, 200)
        self.assertIn("by the running configuration (generation 1)", text)
        for query, reason in (
            ("customer=amce&to=447700900001", "no customer named 'amce'"),
            ("customer=acme&to=hello", "to 'hello' is no number"),
            ("customer=acme&to=44770090&data_coding=256", "expected 0 to 255"),
            ("customer=acme&to=44770090&format=xml", "expected json or text"),
            ("customer=acme&to=44770090&colour=red", "unknown parameter 'colour'"),
            ("supplier=alpha&to=44770090", "unknown parameter 'supplier'"),
            ("customer=acme&to=44770090&at=tomorrow", "at 'tomorrow' is no time"),
            ("customer=acme&to=44770090&text=" + "x" * 5000, "longer than what is matched"),
        ):
            status, text = router.get("/explain/mt?" + query)
            self.assertEqual(status, 400, query)
            self.assertIn(reason, text)
        self.stop(router)

    def test_explanations_and_reloads_do_not_disturb_each_other(self):
        router = self.start()
        answers = []

        def ask():
            while len(answers) < 200:
                answers.append(router.get("/explain/mt?customer=acme&to=447700900001")[0])

        asking = threading.Thread(target=ask)
        asking.start()
        generation = 1
        while asking.is_alive():
            router.signal(signal.SIGHUP)
            generation += 1
            router.wait_notified(f"STATUS=generation {generation},")
        asking.join()
        self.assertGreater(generation, 2)
        self.assertEqual(set(answers), {200})
        self.stop(router)

    # --- Expressions: cache, reload of one of them, merge.

    def write_texts(self, texts):
        rows = "".join(f"default,44,{text},alpha\n" for text in texts)
        self.files.write("mt.csv", "plan,prefix,text,targets\n" + rows)

    def cached(self):
        return sorted(os.listdir(os.path.join(self.files.path, "cache")))

    def write_cached_root(self):
        cpu = min(os.sched_getaffinity(0))
        self.files.write_root(runtime=f'[runtime]\nworkers = [{cpu}]\nconnections_max = 64\n'
                              'messages_max = 1024\ndrain = "5s"\ncache = "cache"\n')

    def test_changed_expression_is_live_at_once_and_merged_beside_the_traffic(self):
        texts = [f"w{i}.x" for i in range(20)]
        self.write_texts(texts)
        self.write_cached_root()
        router, link, client = self.start_bound()
        self.assertEqual(len(self.cached()), 1)
        self.assertEqual(client.submit("447700900001")[0], 0x0B)  # "hello" matches none of them
        self.write_texts(["h.llo"] + texts[1:])
        router.signal(signal.SIGHUP)
        router.wait_log("configuration reloaded generation=2")
        self.exchange(link, client)
        router.wait_log("expressions merged generation=3")
        self.exchange(link, client)
        self.assertIn("merging expressions beside the traffic set=mt-text expressions=20",
                      router.log())
        self.assertEqual(len(self.cached()), 2)
        self.assertEqual(router.metric("switchyard_snapshot_generation"), 3)
        self.stop(router, link, client)

    def test_damaged_cache_file_is_said_and_built_anew(self):
        self.write_texts([f"w{i}.x" for i in range(19)] + ["h.llo"])
        self.write_cached_root()
        router, link, client = self.start_bound()
        self.stop(router, link, client)
        name, = self.cached()
        path = os.path.join(self.files.path, "cache", name)
        with open(path, "r+b") as file:
            file.seek(1000)
            file.write(b"damage")
        with open(path, "rb") as file:
            damaged = file.read()
        router, link, client = self.start_bound()
        self.assertRegex(router.log(), f"warning: cache .*{name} is not used and built anew")
        with open(path, "rb") as file:
            self.assertNotEqual(file.read(), damaged)
        self.exchange(link, client)
        self.stop(router, link, client)

    def test_bad_reload_says_every_error_and_changes_nothing(self):
        router, link, client = self.start_bound()
        self.files.write("mt.csv", "plan,prefix,targets\ndefault,4x,alpha\ndefault,44,beta\n")
        router.signal(signal.SIGHUP)
        router.wait_log("reload refused, nothing has changed")
        log = router.log()
        self.assertRegex(log, r"mt\.csv:2:\d+: error: [^\n]*4x")
        self.assertRegex(log, r"mt\.csv:3:\d+: error: [^\n]*beta")
        self.assertIn("errors=2 generation=1", log)
        self.exchange(link, client)
        self.assertEqual(router.metric('switchyard_reloads_total{result="failed"}'), 1)
        self.assertEqual(router.metric("switchyard_last_load_ok"), 0)
        # Mended, it is taken.
        self.files.write("mt.csv", "plan,prefix,targets\ndefault,44,alpha\n")
        router.signal(signal.SIGHUP)
        router.wait_log("configuration reloaded generation=2")
        self.exchange(link, client)
        self.assertEqual(router.metric("switchyard_last_load_ok"), 1)
        self.stop(router, link, client)

    def test_reload_logs_accounts_and_unbinds_the_removed_one(self):
        second = '[[customer]]\nname = "zeta"\nsystem_id = "zeta"\npassword = "secret"\n'
        self.files.write_root(zeta=second)
        router, link, client = self.start_bound()
        other = Client(self.files.smpp_port)
        self.addCleanup(other.close)
        self.assertEqual(other.bind("zeta"), 0)
        third = '[[customer]]\nname = "nova"\nsystem_id = "nova"\npassword = "secret"\n'
        self.files.write_root(nova=third)
        router.signal(signal.SIGHUP)
        router.wait_log("customers added count=1 names=nova")
        router.wait_log("customers removed, their sessions are unbound count=1 names=zeta")
        self.answer_unbind(other)
        self.exchange(link, client)
        newcomer = Client(self.files.smpp_port)
        self.addCleanup(newcomer.close)
        self.assertEqual(newcomer.bind("nova"), 0)
        self.stop(router, link, client, newcomer)

    def test_reload_of_a_setting_that_needs_a_restart_is_a_warning(self):
        router, link, client = self.start_bound()
        self.files.write("mt.csv", "plan,prefix,targets\ndefault,44,alpha\ndefault,49,alpha\n")
        old = self.files.smpp_port
        self.files.write_root(smpp=f'[smpp]\nlisten = ["127.0.0.1:{old + 1}"]\n')
        router.signal(signal.SIGHUP)
        router.wait_log("smpp.listen changed: needs a restart")
        router.wait_log("configuration reloaded generation=2")
        self.exchange(link, client, "4915112345678")  # the rest is applied
        self.assertTrue(listening(old))
        self.stop(router, link, client)

    # --- Logs.

    def test_sigusr1_opens_the_log_again_after_a_rename(self):
        path = os.path.join(self.files.path, "router.log")
        self.files.write_root(log='[log]\npath = "router.log"\njson = true\n')
        router = self.start()
        os.rename(path, path + ".1")
        router.signal(signal.SIGUSR1)
        wait_until(lambda: os.path.exists(path) and "log file opened again" in read(path),
                   "the new log file")
        self.stop(router)
        for line in (read(path + ".1") + read(path)).splitlines():
            self.assertIn("event", json.loads(line))
        self.assertIn("switchyard started", read(path + ".1"))
        self.assertIn("switchyard stopped", read(path))

    # --- Drain.

    def test_drain_settles_what_is_in_flight(self):
        router, link, client = self.start_bound()
        sequence = client.send(SUBMIT_SM, submit_body("447700900001", b"last words"))
        command, _, in_flight, _ = link.receive()
        self.assertEqual(command, SUBMIT_SM)
        router.signal(signal.SIGTERM)
        router.wait_notified("STOPPING=1")
        link.send(SUBMIT_SM | RESP, b"id1\0", sequence=in_flight)
        command, status, answered, _ = client.receive()
        self.assertEqual((command, status, answered), (SUBMIT_SM | RESP, 0, sequence))
        for peer in (client, link):
            self.answer_unbind(peer)
        self.assertEqual(router.wait_exit(), 0, router.log())

    def test_drain_is_bounded_and_answers_what_a_silent_supplier_left(self):
        runtime = f'[runtime]\nworkers = [{min(os.sched_getaffinity(0))}]\ndrain = "300ms"\n'
        self.files.write_root(runtime=runtime)
        router, link, client = self.start_bound()
        sequence = client.send(SUBMIT_SM, submit_body("447700900001", b"no answer"))
        self.assertEqual(link.receive()[0], SUBMIT_SM)
        router.signal(signal.SIGTERM)
        self.answer_unbind(link)  # the supplier never answers the submit_sm
        command, status, answered, _ = client.receive()
        self.assertEqual((command, answered), (SUBMIT_SM | RESP, sequence))
        self.assertNotEqual(status, 0, "a success that nobody gave")
        self.answer_unbind(client)
        self.assertEqual(router.wait_exit(), 0, router.log())
        self.assertFalse(listening(self.files.smpp_port))

    def test_second_stop_signal_ends_the_drain(self):
        router, link, client = self.start_bound()
        client.send(SUBMIT_SM, submit_body("447700900001", b"no answer"))
        self.assertEqual(link.receive()[0], SUBMIT_SM)
        router.signal(signal.SIGTERM)
        router.wait_notified("STOPPING=1")
        router.signal(signal.SIGTERM)
        self.assertEqual(router.wait_exit(), 0, router.log())
        self.assertIn("second stop signal", router.log())


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
