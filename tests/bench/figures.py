# SPDX-License-Identifier: GPL-2.0-only
"""The measurements of scripts/bench: lines of series, gaps and facts, and the figures derived from them.

Sample i of every variant of a cell is from round i, so differences and ratios are made within rounds.
"""

REFERENCE = "nft-set"
BASES = ("none", "drop", "drop-cgroup")
BLOCKS = 9  # of rounds: a ratio's quartiles are those of the blocks' ratios

WORKLOADS = (
    ("oneway", "UDP, one way"),
    ("answered", "UDP, answered"),
    ("rr", "TCP, request and response"),
    ("conn", "TCP: connect, 1 byte, close"),
    ("synrandom", "refused SYN, random sources"),
    ("synone", "refused SYN, one source"),
    ("stream", "TCP stream, 64 KiB"),
)
VARIANTS = (
    ("interface", "flowreeve, interface"),
    ("cgroup", "flowreeve, cgroup"),
    ("nft-set", "nft, concatenated set"),
    ("nft-vmap", "nft, vmap and sets"),
    ("nft-netdev", "nft, netdev ingress"),
    ("ipset", "iptables and ipset"),
)
HOOK_CASES = (
    ("established", "established"),
    ("established-v6", "established, IPv6"),
    ("established-many", "one of 64,000 flows"),
    ("new", "new"),
    ("new-full", "new, in a full table"),
    ("denied", "refused, one packet"),
    ("denied-random", "refused, random"),
)
REPLACED = (
    ("cpu", "processor time, ms"),
    ("wall", "wall time, ms"),
    ("loader", "the command's memory, MB"),
)


class Spread:
    """Median and quartiles."""

    def __init__(self, samples):
        ordered, count = sorted(samples), len(samples)
        self.low = ordered[count // 4]
        self.median = ordered[count // 2]
        self.high = ordered[count * 3 // 4]

    def as_dict(self, digits=1):
        return {name: round(getattr(self, name), digits) for name in ("low", "median", "high")}


class Series:
    def __init__(self, fields):
        self.section, self.workload, self.variant = fields[:3]
        self.rules, self.peers, self.cpus = (int(field) for field in fields[3:6])
        self.unit = fields[6]
        self.passed, self.refused, self.wrong = (int(field) for field in fields[7:10])
        self.samples = [float(field) for field in fields[10].split(",")]
        self.total = Spread(self.samples)
        self.added = self.ratio = None
        self.differences = []

    def cell(self):
        return self.section, self.workload, self.rules, self.peers, self.cpus

    def base_name(self):
        if not self.workload.startswith("syn"):
            return "none"
        return "drop-cgroup" if self.variant == "cgroup" else "drop"


class Gap:
    """A missing measurement, and the reason. "all" means every workload or variant."""

    def __init__(self, fields):
        self.section, self.workload, self.variant = fields[:3]
        self.rules, self.peers, self.cpus = (int(field) for field in fields[3:6])
        self.reason = fields[6]


class Figures:
    def __init__(self, path):
        self.machine, self.series, self.gaps = {}, {}, []
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                self.take(line.rstrip("\n").split("\t"))
        for series in self.series.values():
            self.compare(series)

    def take(self, fields):
        kind, fields = fields[0], fields[1:]
        if kind == "machine":
            self.machine[fields[0]] = fields[1]
        elif kind == "gap":
            self.gaps.append(Gap(fields))
        else:
            series = Series(fields)
            if series.wrong:
                self.gaps.append(Gap(fields[:6] + ["%d verdicts were wrong" % series.wrong]))
            else:
                self.series[series.cell() + (series.variant,)] = series

    def wrong(self):
        return [gap for gap in self.gaps if "verdicts were wrong" in gap.reason]

    def find(self, section, workload, variant, rules, peers=0, cpus=1):
        return self.series.get((section, workload, rules, peers, cpus, variant))

    def compare(self, series):
        if series.section != "traffic" or series.variant in BASES:
            return
        base = self.series.get(series.cell() + (series.base_name(),))
        if not base:
            return
        series.differences = [own - other for own, other in zip(series.samples, base.samples)]
        series.added = Spread(series.differences)
        series.speed = Spread([other / own for own, other in zip(series.samples, base.samples)])
        reference = self.series.get(series.cell() + (REFERENCE,))
        if reference and reference is not series:
            if not reference.differences:
                self.compare(reference)
            series.ratio = ratio_of(series.differences, reference.differences)

    def scales(self, section):
        return sorted({key[2] for key in self.series if key[0] == section} |
                      {gap.rules for gap in self.gaps if gap.section == section and gap.rules})

    def groups(self, section="traffic"):
        """(workload, peers, cpus) of a section, in the order of the table."""
        known = [name for name, _ in WORKLOADS]
        found = {(key[1], key[3], key[4]) for key in self.series if key[0] == section}
        return sorted(found, key=lambda group: (group[2], known.index(group[0]), group[1]))

    def as_dict(self):
        return {
            "schema": "flowreeve/bench/v1",
            "machine": self.machine,
            "series": [series_dict(series) for series in self.series.values()],
            "gaps": [vars(gap) for gap in self.gaps],
        }


def ratio_of(own, reference):
    """Of medians; quartiles over blocks of neighbouring rounds. None where the reference's cost is lost in noise."""
    if not reference or Spread(reference).low <= 0:
        return None
    blocks = min(BLOCKS, len(own))
    edges = [len(own) * block // blocks for block in range(blocks + 1)]
    ratios = []
    for first, last in zip(edges, edges[1:]):
        below = Spread(reference[first:last]).median
        if below > 0:
            ratios.append(Spread(own[first:last]).median / below)
    ratio = Spread(ratios)
    ratio.median = Spread(own).median / Spread(reference).median
    ratio.low, ratio.high = min(ratio.low, ratio.median), max(ratio.high, ratio.median)
    return ratio


def series_dict(series):
    out = {name: getattr(series, name) for name in (
        "section", "workload", "variant", "rules", "peers", "cpus", "unit", "passed", "refused")}
    out["samples"] = len(series.samples)
    out["total"] = series.total.as_dict()
    if series.added:
        out["base"] = series.base_name()
        out["added"] = series.added.as_dict()
        out["speed"] = series.speed.as_dict(3)
    if series.ratio:
        out["ratio"] = series.ratio.as_dict(3)
    return out
