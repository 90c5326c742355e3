"""Every kind of bad input that an operator can give: a clear message, the right exit status, and
nothing left listening. Runs the program; usage: command_line_test.py PROGRAM."""

import json
import os
import shutil
import socket
import subprocess
import sys
import unittest

from router import DEADLINE_S, Files, free_port, listening

PROGRAM = ""


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.files = Files()
        self.addCleanup(self.files.remove)

    def call(self, *arguments, prefix=()):
        return subprocess.run(
            [*prefix, PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def refused(self, command, *expected, prefix=()):
        """Runs a command that must fail with status 1 and every text; returns what it said."""
        result = self.call(command, "--config", self.files.root, prefix=prefix)
        self.assertEqual(result.returncode, 1, result.stderr)
        for text in expected:
            self.assertIn(text, result.stderr)
        self.assertFalse(listening(self.files.smpp_port), "the SMPP port is open")
        self.assertFalse(listening(self.files.admin_port), "the admin port is open")
        return result.stderr

    def both_refuse(self, *expected):
        """`check` and `run` must agree on the configuration."""
        self.refused("run", *expected)
        return self.refused("check", *expected)

    # --- The command line itself.

    def test_no_command_is_a_usage_error(self):
        result = self.call()
        self.assertEqual(result.returncode, 2)
        self.assertIn("subcommand", result.stderr)

    def test_unknown_option_is_a_usage_error(self):
        result = self.call("check", "--config", self.files.root, "--colour")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--colour", result.stderr)

    def test_missing_config_option_is_a_usage_error(self):
        result = self.call("run")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--config", result.stderr)

    def test_version_names_the_program(self):
        result = self.call("--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^switchyard \d+\.\d+\.\d+\n$")

    # --- Configuration.

    def test_good_configuration_passes_check(self):
        result = self.call("check", "--config", self.files.root)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("ok: 1 customers, 1 suppliers, 1 MT rules", result.stdout)
        self.assertEqual(result.stderr, "")

    def test_missing_root_file(self):
        os.unlink(self.files.root)
        self.both_refuse("switchyard.toml", "no such file")

    def test_missing_table(self):
        os.unlink(os.path.join(self.files.path, "mt.csv"))
        self.both_refuse("mt.csv", "no such file")

    def test_directory_in_place_of_a_table(self):
        os.unlink(os.path.join(self.files.path, "mt.csv"))
        os.mkdir(os.path.join(self.files.path, "mt.csv"))
        self.both_refuse("mt.csv", "a directory, where a file was expected")

    def test_broken_toml_is_placed(self):
        self.files.write("switchyard.toml", "[runtime\nworkers = [0]\n")
        self.assertRegex(self.both_refuse("error:"), r"switchyard\.toml:1:\d+: error: ")

    def test_unknown_key_is_placed(self):
        self.files.write_root(smpp="[smpp]\nlisten_on = 3\n")
        self.assertRegex(
            self.both_refuse("listen_on"), r"switchyard\.toml:\d+:\d+: error: [^\n]*listen_on"
        )

    def test_unreadable_row_is_placed(self):
        self.files.write("mt.csv", "plan,prefix,targets\ndefault,44,alpha\ndefault,4x,alpha\n")
        self.assertRegex(self.both_refuse("4x"), r"mt\.csv:3:\d+: error: [^\n]*4x")

    def test_row_with_unknown_supplier(self):
        self.files.write("mt.csv", "plan,prefix,targets\ndefault,44,alhpa\n")
        self.assertRegex(self.both_refuse("alhpa"), r"mt\.csv:2:\d+: error: [^\n]*alhpa")

    def test_duplicate_account(self):
        twice = '[[supplier]]\nname = "alpha"\nhost = "127.0.0.1:1"\nsystem_id = "b"\n'
        self.files.write_root(again=twice + 'password = "c"\n')
        self.assertRegex(self.both_refuse("alpha"), r"switchyard\.toml:\d+:\d+: error: [^\n]*alpha")

    def test_expression_that_hyperscan_refuses(self):
        self.files.write("mt.csv", "plan,prefix,text,targets\ndefault,44,(abc,alpha\n")
        self.assertRegex(self.both_refuse("(abc"), r"mt\.csv:2:\d+: error: ")

    def test_all_errors_come_at_once(self):
        self.files.write("mt.csv", "plan,prefix,targets\ndefault,4x,alpha\ndefault,44,beta\n")
        self.files.write("mo.csv", "number,targets\n447700900123,acne\n")
        said = self.both_refuse("4x", "beta", "acne")
        self.assertIn("3 errors", said)

    # --- The machine.

    def test_no_such_cpu(self):
        self.files.write_root(runtime="[runtime]\nworkers = [4095]\n")
        self.refused("run", "no CPU 4095 on this machine", "online: ")

    def test_no_such_cpu_is_a_warning_of_check(self):
        self.files.write_root(runtime="[runtime]\nworkers = [4095]\n")
        result = self.call("check", "--config", self.files.root)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("warning: [runtime] workers: no CPU 4095", result.stderr)

    def test_cpu_that_this_process_may_not_use(self):
        allowed = sorted(os.sched_getaffinity(0))
        if len(allowed) < 2 or shutil.which("taskset") is None:
            self.skipTest("needs two CPUs and taskset")
        self.files.write_root(runtime=f"[runtime]\nworkers = [{allowed[1]}]\n")
        taskset = ("taskset", "-c", str(allowed[0]))
        self.refused("run", "may not run on it", f"allowed: {allowed[0]}", prefix=taskset)

    def test_smpp_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            self.files.smpp_port = other.getsockname()[1]
            self.files.write_root()
            result = self.call("run", "--config", self.files.root)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("[smpp] listen: cannot listen on 127.0.0.1:", result.stderr)
        self.assertIn("in use", result.stderr)
        self.assertFalse(listening(self.files.admin_port))

    def test_smpp_port_shared_by_a_reuseport_listener_counts_as_in_use(self):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            other.bind(("127.0.0.1", 0))
            other.listen()
            self.files.smpp_port = other.getsockname()[1]
            self.files.write_root()
            result = self.call("run", "--config", self.files.root)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("in use", result.stderr)

    def test_admin_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            self.files.admin_port = other.getsockname()[1]
            self.files.write_root()
            result = self.call("run", "--config", self.files.root)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("[admin] listen: cannot listen on 127.0.0.1:", result.stderr)
        self.assertIn("in use", result.stderr)
        self.assertFalse(listening(self.files.smpp_port))

    def test_address_that_this_machine_has_not(self):
        # 192.0.2.0/24 is reserved for documentation (RFC 5737).
        port = free_port()
        self.files.write_root(smpp=f'[smpp]\nlisten = ["192.0.2.1:{port}"]\n')
        self.refused("run", f"cannot listen on 192.0.2.1:{port}", "no such address")

    def test_port_without_the_privilege(self):
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
            if int(file.read()) <= 1:
                self.skipTest("every port is open to everybody here")
        prefix = ()
        if os.geteuid() == 0:
            if shutil.which("setpriv") is None:
                self.skipTest("needs setpriv to give up root")
            prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
            prefix += ("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
            # The build folder may lie where only root looks.
            if subprocess.run([*prefix, "test", "-x", PROGRAM], check=False).returncode != 0:
                self.skipTest("the program is not executable by others")
        self.files.write_root(smpp='[smpp]\nlisten = ["127.0.0.1:1"]\n')
        self.refused("run", "cannot listen on 127.0.0.1:1", "CAP_NET_BIND_SERVICE", prefix=prefix)

    def test_table_without_the_right_to_read_it(self):
        os.chmod(os.path.join(self.files.path, "mt.csv"), 0)
        prefix = ()
        if os.geteuid() == 0:
            if shutil.which("setpriv") is None:
                self.skipTest("needs setpriv to give up root")
            prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
            if subprocess.run([*prefix, "test", "-x", PROGRAM], check=False).returncode != 0:
                self.skipTest("the program is not executable by others")
        self.refused("check", "mt.csv", "permission denied", prefix=prefix)
        self.refused("run", "mt.csv", "permission denied", prefix=prefix)

    def test_log_file_that_cannot_be_made(self):
        # A file where a directory would have to be.
        path = self.files.write("plain", "") + "/log"
        self.files.write_root(log=f'[log]\npath = "{path}"\n')
        self.refused("run", "cannot open the log file", path)

    # --- explain.

    def explain(self, *arguments):
        return self.call("explain", "--config", self.files.root, *arguments)

    def test_explain_mt_names_winner_and_losers(self):
        self.files.write(
            "mt.csv",
            "plan,prefix,text,targets\ndefault,4477,casino,alpha\ndefault,44,,alpha\n",
        )
        result = self.explain("mt", "--customer", "acme", "--to", "447700900123", "--text", "hi")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"line 2 .*prefix=4477 text=/casino/ -> alpha\n.*text")
        self.assertRegex(result.stdout, r"line 3 .*prefix=44 -> alpha\n *won")
        self.assertIn("mt.csv:3 routes it", result.stdout)
        self.assertIn("1. alpha", result.stdout)

    def test_explain_mt_names_the_network_and_how_it_was_found(self):
        self.files.write_root(
            routes='[routes]\nmt = "mt.csv"\nmo = "mo.csv"\nerrors = ""\n'
            'networks = "networks.csv"\nported = "ported.csv"\n'
        )
        self.files.write(
            "networks.csv",
            "prefix,mccmnc,name,country\n"
            "4477,23410,O2,United Kingdom\n4478,23415,Vodafone,United Kingdom\n",
        )
        self.files.write("ported.csv", "number,mccmnc\n447700900123,23415\n")
        self.files.write(
            "mt.csv",
            "plan,prefix,network,text,targets\ndefault,44,23415,casino,alpha\ndefault,44,,,alpha\n",
        )
        ported = self.explain("mt", "--customer", "acme", "--to", "447700900123", "--text", "hi")
        self.assertEqual(ported.returncode, 0, ported.stderr)
        self.assertRegex(
            ported.stdout, r"\n  network +23415 Vodafone \(United Kingdom\), by ported number\n"
        )
        self.assertRegex(ported.stdout, r"line 2 .*prefix=44 network=23415 text=/casino/ -> alpha")
        self.assertRegex(ported.stdout, r"line 3 .*prefix=44 -> alpha\n *won")

        by_prefix = self.explain("mt", "--customer", "acme", "--to", "447700900124")
        self.assertEqual(by_prefix.returncode, 0, by_prefix.stderr)
        self.assertRegex(
            by_prefix.stdout, r"\n  network +23410 O2 \(United Kingdom\), by longest prefix\n"
        )
        self.assertNotIn("network=23415", by_prefix.stdout)

        unknown = self.explain("mt", "--customer", "acme", "--to", "4915112345678")
        self.assertRegex(unknown.stdout, r"\n  network +unknown: no ported number, no prefix\n")

    def test_explain_mt_names_prices_limits_and_what_is_off(self):
        self.files.write_root(
            routes='[routes]\nmt = "mt.csv"\nmo = "mo.csv"\nerrors = ""\nprices = "prices.csv"\n'
        )
        self.files.write(
            "prices.csv",
            "supplier,prefix,price,currency,from\nalpha,44,0.03,EUR,\nalpha,44,0.05,EUR,2026-02-01\n",
        )
        self.files.write("mt.csv", "prefix,select,max_cost,targets\n44,cost,0.04,alpha\n")
        number = ("mt", "--customer", "acme", "--to", "447700900123")
        before = self.explain(*number, "--at", "2026-01-31 23:59")
        self.assertEqual(before.returncode, 0, before.stderr)
        self.assertRegex(before.stdout, r"line 2 .*select=cost max_cost=0.04 -> alpha\n *won")
        self.assertIn("a target may cost: at most 0.04 EUR", before.stdout)
        self.assertIn("alpha: price 0.03 EUR a submit (prices.csv line 2)\n", before.stdout)
        self.assertIn("1. alpha", before.stdout)
        after = self.explain(*number, "--at", "2026-02-01 00:00")
        self.assertIn("mt.csv:2 has no target that is cheap enough, the customer is answered "
                      "RINVDSTADR", after.stdout)
        self.assertIn("alpha: price 0.05 EUR a submit (prices.csv line 3); off: above the limit",
                      after.stdout)
        now = self.explain(*number)
        self.assertIn("prices.csv line 3", now.stdout)
        wrong = self.explain(*number, "--at", "tomorrow")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("at 'tomorrow' is no time", wrong.stderr)

    def test_explain_mt_without_networks_says_nothing_of_them(self):
        result = self.explain("mt", "--customer", "acme", "--to", "447700900123")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("network", result.stdout)

    def test_explain_mt_without_a_route_says_the_status(self):
        result = self.explain("mt", "--customer", "acme", "--to", "4915112345678")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("no rule holds, the customer is answered RINVDSTADR", result.stdout)

    def test_explain_mo_names_the_customer(self):
        result = self.explain(
            "mo", "--supplier", "alpha", "--to", "447700900123", "--from", "447700900999"
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("mo.csv:2 routes it", result.stdout)
        self.assertIn("1. acme", result.stdout)

    def test_explain_says_where_expressions_match(self):
        self.files.write("mt.csv", "prefix,sender,text,targets\n44,^A,ca+sino,alpha\n44,,,alpha\n")
        mt = ("mt", "--customer", "acme", "--to", "447700900123")
        both = self.explain(*mt, "--from", "Acme", "--text", "the casaino, the caasino")
        self.assertIn('sender /^A/ matches "A" at octets 0 to 1', both.stdout)
        self.assertIn('text /ca+sino/ matches "caasino" at octets 17 to 24', both.stdout)
        sender_alone = self.explain(*mt, "--from", "Acme", "--text", "hello")
        self.assertIn('sender /^A/ matches', sender_alone.stdout)
        self.assertNotIn('text /ca+sino/ matches', sender_alone.stdout)

    def test_explain_as_json_says_what_the_text_says(self):
        self.files.write("mt.csv", "prefix,text,priority,targets,note\n44,casino,1,alpha,none\n"
                         "44,,2,alpha,\n49,,,alpha,\n")
        mt = ("mt", "--customer", "acme", "--to", "+447700900123", "--text", "h\u00e9llo \"x\"")
        text = self.explain(*mt)
        self.assertEqual(text.returncode, 0, text.stderr)
        said = json.loads(self.explain("--json", *mt).stdout)
        self.assertEqual((said["direction"], said["customer"], said["to"]["digits"], said["text"]),
                         ("mt", "acme", "447700900123", "h\u00e9llo \"x\""))
        self.assertEqual([(rule["line"], rule["won"]) for rule in said["considered"]],
                         [(2, False), (3, True)])
        self.assertEqual(said["considered"][0]["conditions"],
                         {"plan": "default", "prefix": "44", "text": "casino", "priority": "1"})
        self.assertEqual(said["considered"][0]["note"], "none")
        for rule in said["considered"]:
            self.assertIn(rule["verdict"], text.stdout)
        self.assertEqual((said["decision"]["kind"], said["decision"]["line"]), ("route", 3))
        self.assertEqual([target["name"] for target in said["decision"]["targets"]], ["alpha"])
        self.assertEqual(said["decision"]["targets"][0]["to"],
                         {"digits": "447700900123", "ton": 1, "npi": 1})
        mo = json.loads(self.explain("--json", "mo", "--supplier", "alpha", "--to", "447700900123",
                                     "--from", "447700900999").stdout)
        self.assertEqual((mo["direction"], mo["decision"]["kind"]), ("mo", "route"))
        self.assertEqual(mo["decision"]["targets"], [{"name": "acme"}])

    def test_explain_needs_files_or_a_router(self):
        mt = ("mt", "--customer", "acme", "--to", "447700900123")
        for more in ((), ("--config", self.files.root, "--router", "127.0.0.1:1")):
            result = self.call("explain", *more, *mt)
            self.assertEqual(result.returncode, 1)
            self.assertIn("expected one of --config FILE", result.stderr)
        for address, reason in (("127.0.0.1:1", "does not answer"), ("here and there", "expected")):
            result = self.call("explain", "--router", address, *mt)
            self.assertEqual(result.returncode, 1, address)
            self.assertIn(reason, result.stderr)

    def test_explain_of_an_unknown_customer_lists_those_there_are(self):
        result = self.explain("mt", "--customer", "amce", "--to", "447700900123")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no customer named 'amce' in this configuration (there are: acme)",
                      result.stderr)

    def test_explain_of_something_that_is_no_number(self):
        result = self.explain("mt", "--customer", "acme", "--to", "hello")
        self.assertEqual(result.returncode, 1)
        self.assertIn("to 'hello' is no number", result.stderr)

    def test_explain_with_a_wrong_configuration_prints_its_errors(self):
        os.unlink(os.path.join(self.files.path, "mt.csv"))
        result = self.explain("mt", "--customer", "acme", "--to", "447700900123")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no such file", result.stderr)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
