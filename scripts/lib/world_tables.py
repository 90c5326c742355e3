"""What scripts/world writes: networks from the sources, and a hub's rules and prices over them. The
rules and prices are invented, their shape is a hub's; who uses which prefix and code is not.

Everything that is drawn comes from one seeded generator, of which only random() is used: its
numbers are the same in every version of Python.
"""

import collections
import random

# A supplier of each kind: how much of the world it sells, what it takes more than the cheapest.
KINDS = (("direct", 0.05, 0.8), ("regional", 0.25, 1.0), ("hub", 0.9, 1.15))
SCREENED_COUNTRIES = 24
WHENS = ("Mon-Fri 08:00-18:00 UTC", "22:00-06:00 UTC", "Sat Sun", "Mon-Sat 09:00-21:00 UTC")
BLOCK_DIGITS = 3        # --prefixes: blocks have at least a thousand numbers
MOVED_ONE_IN = 8        # ... and so many of them belong to another network of the country

# Where a rule or a price may stand: its name, its prefix ("" without one of its own), its networks
# and how much of the traffic it has.
Country = collections.namedtuple("Country", "region prefix networks carriers weight screened")


class Draw:
    def __init__(self, seed):
        self._random = random.Random(seed)

    def below(self, count):
        return int(self._random.random() * count)

    def chance(self, share):
        return self._random.random() < share

    def one_of(self, values):
        return values[self.below(len(values))]

    def some_of(self, values, count):
        """So many of them (all, if there are less), in any order."""
        mixed = list(values)
        count = min(count, len(mixed))
        for i in range(count):
            other = i + self.below(len(mixed) - i)
            mixed[i], mixed[other] = mixed[other], mixed[i]
        return mixed[:count]


def country_prefix(code, region, main_region, prefixes, all_prefixes):
    """What all numbers of a country, and no others, begin with; "" if there is no such prefix."""
    if region == main_region:
        return code
    common = prefixes[0]
    for digits in prefixes[1:]:
        while not digits.startswith(common):
            common = common[:-1]
    alone = sum(digits.startswith(common) for digits in all_prefixes) == len(prefixes)
    return common if len(common) > len(code) and alone else ""


def countries_of(prefixes, matched, phone, everything):
    """Countries by their number of prefixes, the largest first. everything: prefixes of countries that
    are left out as well."""
    by_region = collections.defaultdict(list)
    for prefix in prefixes:
        by_region[prefix.region].append(prefix)
    by_code = collections.defaultdict(list)
    for prefix in everything:
        by_code[phone.country_code(prefix.digits)].append(prefix.digits)
    order = sorted(by_region, key=lambda region: (-len(by_region[region]), region))
    countries = []
    for rank, region in enumerate(order):
        here = by_region[region]
        code = phone.country_code(here[0].digits)
        prefix = country_prefix(code, region, phone.regions_of[int(code)][0],
                                [p.digits for p in here], by_code[code])
        networks = sorted({matched[p.digits].mccmnc for p in here if p.digits in matched})
        carriers = [p.digits for p in here]
        screened = rank % 2 == 1 and rank < 2 * SCREENED_COUNTRIES and prefix != ""
        countries.append(Country(region, prefix, networks, carriers, 1 / (rank + 3), screened))
    return countries


def expand(rows, wanted, phone, region_of, draw):
    """Adds longer prefixes inside the given ones until there are `wanted`. rows: {digits: network};
    how many there can be is returned where that is less, else None. Which network an added block
    has is invented: mostly its range's own."""
    networks = collections.defaultdict(set)
    for digits, network in rows.items():
        networks[region_of(digits)].add(network)
    choices = {region: sorted(of) for region, of in networks.items()}
    level = sorted(rows)
    while len(rows) < wanted:
        below = []
        for outer in draw.some_of(level, len(level)):
            region = region_of(outer)
            if len(outer) >= phone.number_digits(region) - BLOCK_DIGITS:
                continue
            for digit in "0123456789":
                inner = outer + digit
                if inner not in rows and len(rows) < wanted:
                    moved = draw.below(MOVED_ONE_IN) == 0
                    rows[inner] = draw.one_of(choices[region]) if moved else rows[outer]
                    below.append(inner)
        if not below:
            return len(rows)
        level = below
    return None


def suppliers_of(count):
    """Names with their kind: mostly direct ones, at least one of each kind."""
    kinds = [0] * count
    for i in range(count):
        kinds[i] = 2 if i % 6 == 0 else 1 if i % 3 == 0 else 0
    if count > 1:
        kinds[1] = 0
    return [(f"{KINDS[kind][0]}-{i + 1}", kind) for i, kind in enumerate(kinds)]


class Hub:
    """Suppliers, what they sell where and for how much, and rules made of that."""

    def __init__(self, countries, supplier_count, draw):
        self.draw = draw
        self.countries = countries
        self.suppliers = suppliers_of(supplier_count)
        # By country: [(supplier, price in millionths)], the cheapest first.
        self.offers = {country.region: self._offers() for country in countries}
        self._total_weight = sum(country.weight for country in countries)

    def _offers(self):
        base = 3_000 + self.draw.below(60_000)
        offers = []
        for name, kind in self.suppliers:
            _, share, factor = KINDS[kind]
            if self.draw.chance(share):
                offers.append((name, int(base * factor * (0.9 + self.draw.below(200) / 1000))))
        if not offers:
            offers.append((self.suppliers[0][0], base))
        return sorted(offers, key=lambda offer: (offer[1], offer[0]))

    def country(self):
        at = self.draw.below(1_000_000) / 1_000_000 * self._total_weight
        for country in self.countries:
            at -= country.weight
            if at < 0:
                return country
        return self.countries[-1]

    def targets(self, region):
        """Two or three of the cheaper ones by weight, then dearer ones to fall back on."""
        offers = [name for name, _ in self.offers[region]]
        first = self.draw.some_of(offers[:6], 1 + self.draw.below(3))
        rest = [name for name in offers if name not in first]
        second = self.draw.some_of(rest[:8], self.draw.below(3))
        tiers = [" | ".join(f"{name}:{10 * (1 + self.draw.below(9))}" for name in first)]
        tiers += [" | ".join(second)] if second else []
        return " > ".join(tiers)

    def rule(self, plan, region, **cells):
        draw = self.draw.below(20)
        select = "order" if draw < 3 else "cost" if draw < 6 else "quality" if draw == 6 else ""
        return {"plan": plan, "action": "route", "targets": self.targets(region),
                "select": select, **cells}


def rule_cells(country, customers, draw):
    """Where one rule stands and what it asks for. Rules that ask for more come first: priority."""
    cells = {"priority": "10"}
    kind = draw.below(100)
    if kind < 45 and country.networks:
        cells["network"] = draw.one_of(country.networks)
    elif kind < 60 or not country.prefix:
        cells["prefix"] = draw.one_of(country.carriers)
    else:
        cells["prefix"] = country.prefix
    asks = draw.below(100)
    if asks < 12:
        cells |= {"sender_type": draw.one_of(("alpha", "short", "long")), "priority": "5"}
    elif asks < 20 and customers:
        cells |= {"customer": draw.one_of(customers), "priority": "1"}
    elif asks < 25:
        cells |= {"data_coding": "8", "priority": "4"}
    elif asks < 30:
        cells |= {"when": draw.one_of(WHENS), "priority": "3"}
    elif asks < 33:
        cells |= {"sender": f"(?i)^{word(draw)}", "priority": "2"}
    return cells


def mt_rules(hub, rule_count, expression_count, customers_of):
    """Rows of mt.csv: screening expressions, then the plans' rules. customers_of: by plan."""
    draw = hub.draw
    rows = [expression_rule(i, hub.countries, draw) for i in range(expression_count)]
    seen = set()
    plans = sorted(customers_of)
    for plan in plans:
        region = draw.one_of(hub.countries[:20]).region
        hubs = [name for name, kind in hub.suppliers if kind == 2]
        everywhere = " | ".join(draw.some_of(hubs, 3))
        rows.append({**hub.rule(plan, region), "targets": everywhere, "note": "everywhere else"})
    tries = 20 * rule_count
    while len(rows) < rule_count and tries > 0:
        tries -= 1
        plan = plans[len(rows) % len(plans)]
        country = hub.country()
        cells = rule_cells(country, customers_of[plan], draw)
        key = (plan, *sorted(cells.items()))
        if key not in seen:
            seen.add(key)
            rows.append(hub.rule(plan, country.region, note=country.region, **cells))
    return rows


SYLLABLES = ("ba be bo ca co da de di do fa fi ga go ka ki la le li lo ma me mi mo na ne no pa pe po ra "
             "re ri ro sa se si so ta te ti to va ve vi vo za ze zo").split()


def word(draw):
    return "".join(draw.one_of(SYLLABLES) for _ in range(3 + draw.below(2)))


def expression_rule(i, countries, draw):
    """Screening of spam, fraud and codes as hubs have it, in the countries that are screened."""
    screened = [country for country in countries if country.screened] or countries[:1]
    country = draw.one_of(screened)
    rule = {"plan": "*", "prefix": country.prefix, "action": "reject:RX_P_APPN", "priority": "10",
            "note": country.region}
    name = word(draw) + str(i)
    if i % 5 == 4:
        return {**rule, "sender": f"(?i)^{name}"}
    text = (rf"(?i)\b{name}\s+(code|otp|pin)\s*(is|:)?\s*[0-9]{{4,8}}",
            rf"(?i)\b(win|won|free|prize)\s+{name}\b",
            rf"(?i)\b{name}\b",
            rf"(?i){name}.*\b(bit\.ly|t\.me|wa\.me)/[a-z0-9]+")[i % 4]
    return {**rule, "text": text}


def price_rows(hub):
    """Each supplier everywhere that it sells: by country, now and then by network, some of them with
    a new price later in the year."""
    draw = hub.draw
    rows = []
    priced = set()
    for country in hub.countries:
        for name, millionths in hub.offers[country.region]:
            places = [{"prefix": country.prefix}] if country.prefix else []
            # A network can be in two countries; its price stands once.
            codes = [code for code in country.networks if (name, code) not in priced]
            places += [{"network": code} for code in codes if draw.chance(0.5)]
            priced.update((name, code) for code in codes)
            for place in places:
                price = int(millionths * (0.8 + draw.below(400) / 1000))
                rows.append({"supplier": name, **place, "price": money(price), "from": "2026-01-01"})
                if draw.chance(0.15):
                    later = {"price": money(int(price * 1.07)), "from": "2026-07-01"}
                    rows.append({"supplier": name, **place, **later})
    return rows


def money(millionths):
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06}"
