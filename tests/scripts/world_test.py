"""scripts/world: carriers and codes are joined by the rules that it states, what is not joined is counted
and has no network, and what it writes passes `switchyard check`. Most of it on a world of three countries
that this test invents; what needs the real packages is left out where they are not installed.
usage: world_test.py PROGRAM"""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORLD = ROOT / "scripts/world"
MCC_MNC = ROOT / "build/world/node_modules/mcc-mnc-list"
PROGRAM = ""

sys.path.insert(0, str(ROOT / "scripts/lib"))
import world_sources  # noqa: E402

# As much of the package phonenumbers as scripts/world reads. Country code 1 has two regions.
PHONENUMBERS = '''
import collections
__version__ = "0.1"
COUNTRY_CODE_TO_REGION_CODE = {1: ("US", "BS"), 41: ("CH",), 49: ("DE",)}
Mobile = collections.namedtuple("Mobile", "national_number_pattern possible_length")
Metadata = collections.namedtuple("Metadata", "country_code leading_digits mobile")
class PhoneMetadata:
    @staticmethod
    def metadata_for_region(region):
        return {"US": Metadata(1, None, Mobile("[2-9][0-9]{9}", (10,))),
                "BS": Metadata(1, "242", Mobile("242[3-8][0-9]{6}", (10,))),
                "CH": Metadata(41, None, Mobile("7[0-9]{8}", (9,))),
                "DE": Metadata(49, None, Mobile("1[0-9]{9,10}", (10, 11)))}[region]
'''
CARRIERS = {"41791": "Alpen Mobile AG", "41792": "Nobody Knows", "4179": "Alpen", "4178": "Berg",
            "49151": "Elbe", "491512": "Unlisted", "1242357": "Reef", "1212": "Liberty", "4176": "Twins"}
CODES = [("CH", "Switzerland", "228", "01", "Alpen", "Alpen Telecom Ltd", "Operational"),
         ("CH", "Switzerland", "228", "02", "Berg", "Berg SA", "Not operational"),
         ("CH", "Switzerland", "228", "03", "Berg", "Berg SA", "Operational"),
         ("CH", "Switzerland", "228", "04", "Twins", "One Twin", "Operational"),
         ("CH", "Switzerland", "228", "05", "Other", "Twins", "Operational"),
         ("DE", "Germany", "262", "01", "Elbe Germany", None, "Operational"),
         ("BS", "Bahamas", "364", "39", "REEF", "Reef & Sons", "Operational"),
         ("US", "United States of America", "310", "030", "Liberty", None, "Operational"),
         ("US", "United States of America", "310", "?", "Liberty", None, "Operational")]


def table(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sy-test-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def world(self, out, *options):
        return subprocess.run([sys.executable, WORLD, *options, self.path / out], capture_output=True,
                              text=True, check=False)

    def passes_check(self, out):
        result = subprocess.run([PROGRAM, "check", "--config", self.path / out / "switchyard.toml"],
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "", "warnings")


class SmallWorld(Case):
    def setUp(self):
        super().setUp()
        package = self.path / "packages/phonenumbers"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(PHONENUMBERS, encoding="utf-8")
        carriers = {digits: {"en": name} for digits, name in CARRIERS.items()}
        (package / "carrierdata.py").write_text(f"CARRIER_DATA = {carriers}\n", encoding="utf-8")
        codes = self.path / "mcc-mnc-list"
        codes.mkdir()
        keys = ("countryCode", "countryName", "mcc", "mnc", "brand", "operator", "status")
        (codes / "mcc-mnc-list.json").write_text(
            json.dumps([dict(zip(keys, code)) for code in CODES]), encoding="utf-8")
        (codes / "package.json").write_text('{"version": "7.7.7", "license": "MIT"}', encoding="utf-8")
        self.sources = ["--phonenumbers", self.path / "packages", "--mcc-mnc", codes]

    def small(self, out, *options):
        return self.world(out, *self.sources, "--customers", "6", "--plans", "3", "--rules", "60",
                          "--expressions", "10", *options)

    def networks(self, out):
        return {row["prefix"]: row["mccmnc"] for row in table(self.path / out / "networks.csv")}

    def test_networks_are_joined_by_name_and_holes_are_left_open(self):
        result = self.small("a")
        self.assertEqual(result.returncode, 0, result.stderr)
        networks = self.networks("a")
        # 4179 less its unmatched 41792, given as the prefixes around it; 41791 in its own right.
        alpen = {f"4179{digit}": "22801" for digit in "013456789"}
        elbe = {f"49151{digit}": "26201" for digit in "013456789"}
        self.assertEqual(networks, {**alpen, **elbe, "4178": "22803", "1242357": "36439",
                                    "1212": "310030"})
        unmatched = table(self.path / "a/unmatched.csv")
        self.assertEqual({(row["carrier"], row["why"]) for row in unmatched},
                         {("Nobody Knows", "no code of that name"),
                          ("Unlisted", "no code of that name"),
                          ("Twins", "several companies of that name")})
        self.assertIn("3 prefixes of 3 carriers are unmatched", result.stdout)
        self.assertIn("licence Apache-2.0", (self.path / "a/networks.csv").read_text(encoding="utf-8"))
        self.assertIn("mcc-mnc-list (npm) 7.7.7", (self.path / "a/README").read_text(encoding="utf-8"))

    def test_what_it_writes_passes_check(self):
        self.assertEqual(self.small("a", "--prefixes", "2000").returncode, 0)
        self.assertEqual(len(self.networks("a")), 2000)
        self.passes_check("a")

    def test_blocks_lie_inside_the_real_prefixes(self):
        self.small("a")
        self.small("b", "--prefixes", "2000")
        real, blocks = self.networks("a"), self.networks("b")
        for digits, network in real.items():
            self.assertEqual(blocks[digits], network)
        for digits in blocks:
            self.assertTrue(any(digits.startswith(prefix) for prefix in real), digits)

    def test_same_seed_same_octets(self):
        for out, seed in (("a", "5"), ("b", "5"), ("c", "6")):
            self.assertEqual(self.small(out, "--seed", seed, "--prefixes", "500").returncode, 0)
        files = sorted(path.name for path in (self.path / "a").iterdir())
        self.assertEqual(files, ["README", "mt.csv", "networks.csv", "prices.csv", "switchyard.toml",
                                 "unmatched.csv"])
        octets = {out: [(self.path / out / name).read_bytes() for name in files] for out in "abc"}
        self.assertEqual(octets["a"], octets["b"])
        self.assertNotEqual(octets["a"], octets["c"])

    def test_errors_say_what_to_do(self):
        for options, expected in (
                (["--prefixes", "1000000"], "blocks of a thousand numbers make"),
                (["--prefixes", "1"], "there are 21 real ones"),
                (["--countries", "CH,XX"], "--countries XX"),
                (["--rules", "3"], "--rules 3: at least"),
                (["--suppliers", "0"], "--suppliers 0: 1 to 1024"),
                (["--mcc-mnc", self.path / "nowhere"], "scripts/world --install"),
                (["--phonenumbers", self.path / "nowhere"], "no Python package phonenumbers")):
            result = self.small("a", *options)
            self.assertNotEqual(result.returncode, 0, options)
            self.assertIn(expected, result.stderr)


class Joining(unittest.TestCase):
    def test_a_name_is_compared_whole_then_by_its_own_words_then_as_a_part(self):
        networks = {"CH": [
            world_sources.Network("22801", "Alpen", "Switzerland",
                                  (world_sources.words_of("Alpen"),
                                   world_sources.words_of("Télécom Älpen AG")), True),
            world_sources.Network("22802", "3", "Switzerland", (world_sources.words_of("3"),), True)]}
        for carrier, code, how in (
                ("ALPEN", "22801", "whole name"), ("Telecom Alpen AG", "22801", "whole name"),
                ("Alpen Mobile Switzerland", "22801", "without common words"),
                ("Three", "22802", "whole name"),
                ("Alpenglow", None, "no code of that name"), ("Mobile", None, "no code of that name")):
            network, why = world_sources.match(carrier, "CH", networks)
            self.assertEqual((network and network.mccmnc, why), (code, how), carrier)
        self.assertEqual(world_sources.match("Alpen", "XX", networks), (None, "country without codes"))

    def test_no_unmatched_prefix_stays_inside_a_matched_one(self):
        matched = {"1": "a", "123": "b", "1234567": "c"}
        holes = ["12", "1234", "12345", "1235"]
        around = world_sources.carve(matched, holes)

        def longest(prefixes, number):
            return max((p for p in prefixes if number.startswith(p)), key=len, default=None)

        for number in (f"{n:07}" for n in range(1_000_000, 2_000_000, 37)):
            before = longest({**matched, **dict.fromkeys(holes)}, number)
            expected = None if before in holes else matched.get(before)
            self.assertEqual(around.get(longest(around, number)), expected, number)


class RealPackages(Case):
    def setUp(self):
        super().setUp()
        try:
            phone = world_sources.PhoneData(None)
            codes = world_sources.read_mcc_mnc(MCC_MNC)
        except world_sources.SourceError as error:
            self.skipTest(str(error))
        self.versions = (phone.source.version, codes[1].version)

    def test_the_world_passes_check(self):
        # Few expressions: compiling them would be most of the time.
        result = self.world("a", "--expressions", "10")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.passes_check("a")
        self.assertGreater(len(table(self.path / "a/networks.csv")), 20_000)

    def test_the_example_is_what_it_says(self):
        example = (ROOT / "scripts/example/networks.csv").read_text(encoding="utf-8")
        if not all(f" {version}, licence" in example for version in self.versions):
            self.skipTest(f"the example is of other versions than {self.versions}")
        self.assertEqual(self.world("a", "--countries", "AT,CH,DE").returncode, 0)
        made = (self.path / "a/networks.csv").read_text(encoding="utf-8")
        self.assertEqual(example.split("\n", 1)[1], made)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
