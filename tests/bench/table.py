# SPDX-License-Identifier: GPL-2.0-only
"""The figures as text for a terminal."""
from figures import BASES, HOOK_CASES, REPLACED, VARIANTS, WORKLOADS

WIDTH = 28


def spread_text(spread, digits=0):
    return "%.*f [%.*f-%.*f]" % (digits, spread.median, digits, spread.low, digits, spread.high)


def number(value):
    return "{:,}".format(value)


def cell_text(series):
    if not series:
        return "-"
    if not series.added:
        return spread_text(series.total)
    text = spread_text(series.added)
    return text + "  x%.2f" % series.ratio.median if series.ratio else text


def row(title, cells, indent=2):
    return " " * indent + title.ljust(24 - indent) + "".join(cell.rjust(WIDTH) for cell in cells)


def machine_lines(figures):
    for name, value in figures.machine.items():
        yield "%-13s %s" % (name, value)


def group_title(workload, peers, cpus):
    title = dict(WORKLOADS)[workload]
    if peers > 1:
        title += ", %s peers" % number(peers)
    return title + (", both CPUs" if cpus == 2 else "")


def traffic_lines(figures):
    scales = figures.scales("traffic")
    if not figures.groups():
        return
    yield "ADDED PROCESSOR TIME per operation, ns: median [quartiles]  xRATIO to nft's concatenated set"
    yield row("rules", [number(scale) for scale in scales], 0)
    for workload, peers, cpus in figures.groups():
        yield group_title(workload, peers, cpus)
        for name in BASES + tuple(name for name, _ in VARIANTS):
            found = [figures.find("traffic", workload, name, scale, peers, cpus) for scale in scales]
            if any(found):
                title = "(%s)" % name if name in BASES else name
                yield row(title, [cell_text(series) for series in found])
        if workload == "stream":
            yield from stream_lines(figures, scales, peers, cpus)
    yield "(none), (drop): the whole operation without a firewall, or with a drop of everything at the hook"


def stream_lines(figures, scales, peers, cpus):
    for name, _ in VARIANTS:
        found = [figures.find("traffic", "stream", name, scale, peers, cpus) for scale in scales]
        if any(series and series.added for series in found):
            yield row(name + ", speed", [spread_text(series.speed, 3) if series and series.added else "-"
                                         for series in found])


def hooks_lines(figures):
    scales = figures.scales("hooks")
    if not any(key[0] == "hooks" for key in figures.series):
        return
    yield "BPF_PROG_TEST_RUN, ns over an empty program; -before: %s" % figures.machine.get("against", "none")
    yield row("rules", [number(scale) for scale in scales], 0)
    for case, title in HOOK_CASES:
        yield title
        for name in ("tc", "tc-before", "cgroup", "cgroup-before"):
            found = [figures.find("hooks", case, name, scale) for scale in scales]
            if any(found):
                yield row(name, [cell_text(series) for series in found])


def replace_lines(figures):
    for scale in figures.scales("replace"):
        if not figures.find("replace", "cpu", "interface", scale):
            continue
        yield "REPLACING %s rules, from file to force" % number(scale)
        yield row("", [title for _, title in REPLACED], 0)
        for name, _ in VARIANTS:
            found = [figures.find("replace", what, name, scale) for what, _ in REPLACED]
            if any(found):
                yield row(name, [spread_text(series.total) if series else "-" for series in found])
        check = figures.find("replace", "check-memory", "interface", scale)
        if check:
            yield "  checking the file, without the kernel: %.0f MB" % check.total.median


def memory_lines(figures):
    scales = figures.scales("memory")
    if not any(key[0] == "memory" for key in figures.series):
        return
    yield "MEMORY that the kernel holds for the policy, MB"
    yield row("rules", [number(scale) for scale in scales], 0)
    for name, _ in VARIANTS:
        found = [figures.find("memory", "kernel", name, scale) for scale in scales]
        if any(found):
            yield row(name, ["%.1f" % series.total.median if series else "-" for series in found])


def dump_lines(figures):
    for count in figures.scales("dump"):
        shown = figures.find("dump", "shown", "interface", count)
        if shown:
            yield "SHOW FLOWS: %s of %s were in the table" % (number(int(shown.total.median)), number(count))
        for what, words in (("read", "those of one peer"), ("text", "all to nowhere, as text"),
                            ("json", "all to nowhere, as JSON")):
            cpu, wall = (figures.find("dump", name, "interface", count) for name in (what, what + "-wall"))
            if cpu and wall:
                yield "  %s: ms of processor time %s, of wall time %s" % (
                    words, spread_text(cpu.total), spread_text(wall.total))


def gap_lines(figures):
    if figures.gaps:
        yield "NOT MEASURED"
    told = {}
    for gap in figures.gaps:
        where = told.setdefault((gap.section, gap.variant, gap.reason), [])
        words = [gap.workload]
        words += ["%s rules" % number(gap.rules)] if gap.rules else []
        words += ["%s peers" % number(gap.peers)] if gap.peers > 1 else []
        words += ["both CPUs"] if gap.cpus == 2 else []
        where.append(", ".join(words))
    for (section, variant, reason), where in told.items():
        places = where[0] if len(where) == 1 else "%d cells" % len(where)
        yield "  %s, %s, %s: %s" % (section, variant, places, reason)


def lines(figures):
    for part in (machine_lines, traffic_lines, hooks_lines, replace_lines, memory_lines, dump_lines,
                 gap_lines):
        text = list(part(figures))
        yield from text
        if text:
            yield ""
