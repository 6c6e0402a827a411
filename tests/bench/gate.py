# SPDX-License-Identifier: GPL-2.0-only
"""Targets as ratios: a floor that must hold and an aim. A missing measurement counts as a miss."""
from figures import Spread

RULES = 10000
PAIRED = (  # TEST_RUN, over the commit before: case, hooks, floor, aim
    ("established", ("tc",), 0.90, 0.70),
    ("established", ("cgroup",), 0.90, 0.65),
    ("new", ("tc", "cgroup"), 0.70, 0.50),
    ("denied-random", ("tc", "cgroup"), 0.25, 0.18),
    ("denied", ("tc", "cgroup"), 0.90, 0.75),
    ("established-many", ("tc", "cgroup"), 0.80, 0.55),
)
OF_NFT = (  # added processor time over that of nft's concatenated set
    ("oneway", 0.30, 0.18),
    ("answered", 0.40, 0.25),
    ("rr", 0.60, 0.30),
    ("conn", 0.55, 0.35),
    ("synrandom", 0.20, 0.12),
)
OURS = ("interface", "cgroup")


class Target:
    def __init__(self, name, value, floor, aim, least=False):
        self.name, self.value, self.floor, self.aim, self.least = name, value, floor, aim, least

    def within(self, limit):
        if self.value is None:
            return False
        return self.value >= limit if self.least else self.value <= limit

    def text(self):
        state = "aim" if self.within(self.aim) else "floor" if self.within(self.floor) else "MISS"
        value = "not measured" if self.value is None else "%.2f" % self.value
        sign = ">=" if self.least else "<="
        return "%-6s %-62s %12s  %s %g / %g" % (state, self.name, value, sign, self.floor, self.aim)


def quotient(own, other):
    return own.total.median / other.total.median if own and other and other.total.median > 0 else None


def paired_targets(figures):
    for case, hooks, floor, aim in PAIRED:
        for hook in hooks:
            for rules in figures.scales("hooks"):
                if rules <= RULES:
                    pair = (figures.find("hooks", case, name, rules) for name in (hook, hook + "-before"))
                    yield Target("TEST_RUN %s %s, %d rules, of the commit before" % (hook, case, rules),
                                 quotient(*pair), floor, aim)


def shape_targets(figures):
    for hook in ("tc", "cgroup"):
        for case in ("established", "new", "denied"):
            pair = (figures.find("hooks", case, hook, rules) for rules in (100000, 10))
            yield Target("TEST_RUN %s %s, 100,000 rules over 10" % (hook, case), quotient(*pair), 1.3, 1.15)
        v6, v4 = (figures.find("hooks", case, hook, RULES) for case in ("established-v6", "established"))
        more = v6.total.median - v4.total.median if v6 and v4 else None
        yield Target("TEST_RUN %s established, ns more for IPv6" % hook, more, 12, 12)


def peers_of(figures, workload):
    return sorted({key[3] for key in figures.series
                   if key[0] == "traffic" and key[1] == workload and key[2] == RULES}) or [0]


def traffic_targets(figures):
    for workload, floor, aim in OF_NFT:
        for peers in peers_of(figures, workload):
            for name in OURS:
                own = figures.find("traffic", workload, name, RULES, peers)
                title = "%s %s%s, of nft's set" % (name, workload, ", %d peers" % peers if peers > 1 else "")
                yield Target(title, own.ratio.median if own and own.ratio else None, floor, aim)
    for name in OURS:
        own, netdev = (figures.find("traffic", "synrandom", one, RULES, 1) for one in (name, "nft-netdev"))
        both = own and netdev and own.added and netdev.added
        value = own.added.median / netdev.added.median if both and netdev.added.median > 0 else None
        yield Target("%s synrandom, of nft's netdev ingress" % name, value, 1, 1)
        stream = figures.find("traffic", "stream", name, RULES, 1)
        yield Target("%s stream, speed of no firewall" % name,
                     stream.speed.median if stream and stream.added else None, 0.97, 0.97, least=True)


def policy_targets(figures):
    for what in ("cpu", "wall"):
        own, other = (figures.find("replace", what, name, 100000) for name in ("interface", "nft-set"))
        value = Spread([a / b for a, b in zip(own.samples, other.samples)]).median if own and other else None
        yield Target("replacing 100,000 rules, %s, of nft -f" % what, value, 0.30, 0.30)
    check = figures.find("replace", "check-memory", "interface", 100000)
    yield Target("checking 100,000 rules, MB", check.total.median if check else None, 60, 60)
    shown, cpu = (figures.find("dump", what, "interface", 1000000) for what in ("shown", "read"))
    million = cpu.total.median * 1e6 / shown.total.median if shown and cpu and shown.total.median else None
    yield Target("show flows of one peer, ms of processor time for a million", million, 100, 40)


def targets(figures):
    for part in (paired_targets, shape_targets, traffic_targets, policy_targets):
        yield from part(figures)
