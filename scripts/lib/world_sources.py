"""What scripts/world reads: mobile prefixes with their carriers from libphonenumber's Python port,
MCC/MNC codes from mcc-mnc-list, and which carrier of the one is which network of the other.

The two know nothing of each other, so they are joined by name inside a country, by rules that a
reader can check (match() below). What they do not join stays unmatched, with a reason.
"""

import collections
import importlib
import json
import pathlib
import re
import sys
import unicodedata

DEBIAN_PACKAGES = "/usr/lib/python3/dist-packages"

# Words that say what kind of company this is, not which.
COMMON_WORDS = frozenset("""
    mobile mobil movil moviles moveis gsm telecom telecoms telecommunications telecommunication
    telekom communications communication comunicaciones cellular wireless network networks group
    holding holdings company operator services service international limited ltd llc plc inc corp
    corporation co sa sas sarl srl spa ag gmbh ab as asa oy oyj oao ooo zao pjsc jsc ojsc cjsc bv nv
    kft zrt doo dd ad ead eood kk pt tbk pte pty the of and de y del la le""".split())
# One brand, written in the languages of its countries; mcc-mnc-list writes "3".
SAME_WORD = {"three": "3", "tre": "3", "drei": "3"}


class SourceError(Exception):
    """A package is missing or is not what it was: the text says which, and what to do."""


Network = collections.namedtuple("Network", "mccmnc name country words operational")
# A mobile prefix: digits with the country code, its region (ISO 3166), what its carrier is called.
CarrierPrefix = collections.namedtuple("CarrierPrefix", "digits region carrier")
Source = collections.namedtuple("Source", "name version licence")


class PhoneData:
    """Prefixes, carriers and regions, of the package phonenumbers."""

    def __init__(self, folder):
        self.package = self._import(folder)
        self.carriers = importlib.import_module("phonenumbers.carrierdata").CARRIER_DATA
        self.regions_of = self.package.COUNTRY_CODE_TO_REGION_CODE
        self.source = Source("phonenumbers (Debian: python3-phonenumbers)",
                             self.package.__version__, "Apache-2.0")
        self._metadata = {}

    @staticmethod
    def _import(folder):
        for path in [folder] if folder else ["", DEBIAN_PACKAGES]:
            if path:
                sys.path.insert(0, str(path))
            try:
                return importlib.import_module("phonenumbers")
            except ImportError:
                continue
        raise SourceError(f"no Python package phonenumbers in {folder}" if folder else
                          "the Python package phonenumbers is missing: apt-get install "
                          "python3-phonenumbers (scripts/world --install does)")

    def metadata(self, region):
        if region not in self._metadata:
            self._metadata[region] = self.package.PhoneMetadata.metadata_for_region(region)
        return self._metadata[region]

    def country_code(self, digits):
        for length in (1, 2, 3):
            if int(digits[:length]) in self.regions_of:
                return digits[:length]
        raise SourceError(f"the prefix {digits} of phonenumbers begins with no country code")

    def region(self, digits):
        """The region of a prefix; where a country code has several, the one whose mobile numbers
        can begin so, the main one last."""
        code = self.country_code(digits)
        regions = self.regions_of[int(code)]
        national = digits[len(code):]
        for region in regions[1:]:
            known = self.metadata(region)
            if known.leading_digits:
                if re.match(known.leading_digits, national):
                    return region
            elif self._can_begin(known, national):
                return region
        return regions[0]

    @staticmethod
    def _can_begin(known, national):
        pattern = re.compile(known.mobile.national_number_pattern or "(?!)")
        return any(pattern.fullmatch(national + filler * (length - len(national)))
                   for length in known.mobile.possible_length if length >= len(national)
                   for filler in "0123456789")

    def number_digits(self, region):
        """The longest mobile number, with its country code."""
        known = self.metadata(region)
        lengths = known.mobile.possible_length or known.general_desc.possible_length
        return len(str(known.country_code)) + max(lengths)

    def prefixes(self):
        """All that have a name, in the order of their digits."""
        return [CarrierPrefix(digits, self.region(digits), names["en"])
                for digits, names in sorted(self.carriers.items()) if "en" in names]


def words_of(name):
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall("[a-z0-9]+", re.sub("[&'.]", "", plain))
    return tuple(SAME_WORD.get(word, word) for word in words)


def read_mcc_mnc(folder):
    """Networks by region, and the source. `folder` is the package's."""
    folder = pathlib.Path(folder)
    try:
        about = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        rows = json.loads((folder / "mcc-mnc-list.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(f"the npm package mcc-mnc-list is not in {folder} ({error.strerror}): "
                          "scripts/world --install fetches it") from error
    except ValueError as error:
        raise SourceError(f"{folder}: not JSON: {error}") from error
    networks = collections.defaultdict(list)
    for row in rows:
        mccmnc = (row["mcc"] or "") + (row["mnc"] or "")
        name = row["brand"] or row["operator"]
        if not re.fullmatch("[0-9]{5,6}", mccmnc) or not name or not row["countryCode"]:
            continue
        words = tuple(words_of(text) for text in (row["brand"], row["operator"]) if text)
        network = Network(mccmnc, name, row["countryName"], words, row["status"] == "Operational")
        for region in row["countryCode"].split("/"):
            networks[region].append(network)
    return networks, Source("mcc-mnc-list (npm)", about["version"], about["license"])


def match(carrier, region, networks):
    """The network of a carrier: (network, how), or (None, why). Names are compared without accents,
    case and punctuation, first whole, then without common words, the country's name and its code,
    then as a part of the network's name. Of one company's codes the first that operates counts; a
    name that two companies could mean is no match."""
    words = words_of(carrier)
    known = networks.get(region, [])
    if not known:
        return None, "country without codes"
    country = set(words_of(known[0].country)) | {region.lower()}

    def core(of):
        return tuple(word for word in of if word not in COMMON_WORDS and word not in country)

    steps = [
        ("whole name", lambda name: "".join(name) == "".join(words)),
        ("without common words", lambda name: core(words) and core(name) == core(words)),
        ("part of the name", lambda name: core(words) and set(core(words)) <= set(core(name))),
    ]
    for how, is_same in steps:
        found = [network for network in known if any(map(is_same, network.words))]
        if not found:
            continue
        brands = {network.words[0] for network in found}
        companies = {network.words[-1] for network in found}
        if len(brands) > 1 and len(companies) > 1:
            return None, "several companies of that name"
        return min(found, key=lambda network: (not network.operational, network.mccmnc)), how
    return None, "no code of that name"


def carve(matched, unmatched):
    """Prefixes so that none of the unmatched lies in a matched one: where one does, its prefix is
    given as the longer ones around it. Takes {digits: network}, and digits; returns the first."""
    result = dict(matched)
    holes = frozenset(unmatched)
    for hole in unmatched:
        for length in range(1, len(hole)):
            outer = hole[:length]
            network = result.pop(outer, None)
            if network is None:
                continue
            for digit in "0123456789":
                inner = outer + digit
                if inner not in holes:
                    result.setdefault(inner, network)
    return result
