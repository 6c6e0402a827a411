# SPDX-License-Identifier: GPL-2.0-only
"""The figures as one page that needs nothing else: plots in SVG, and every figure in a table beneath them."""
import math
from html import escape

import table
from figures import HOOK_CASES, REPLACED, VARIANTS, WORKLOADS

COLOURS = {
    "interface": "#c2410c", "cgroup": "#e69f00", "nft-set": "#0072b2", "nft-vmap": "#56b4e9",
    "nft-netdev": "#009e73", "ipset": "#8a5fa8",
    "tc": "#c2410c", "tc-before": "#777777", "cgroup-before": "#aaaaaa",
}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 390, 250, 62, 14, 12, 38

STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --faint: #8884; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e4e4; --paper: #16181a; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1240px; margin: 2em auto; padding: 0 1em; }
h2 { margin: 2em 0 .3em; } h3 { margin: 1.4em 0 .2em; }
.plots { display: flex; flex-wrap: wrap; gap: 8px 16px; }
figure { margin: 0; } figcaption { font-size: 13px; }
svg { display: block; } svg text { fill: var(--ink); font: 11px system-ui, sans-serif; }
.grid { stroke: var(--faint); } .key i { display: inline-block; width: 1em; height: .7em; margin: 0 .35em 0 1.1em; }
.key { position: sticky; top: 0; background: var(--paper); padding: .3em 0; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; }
td, th { padding: 2px 9px; text-align: right; border-bottom: 1px solid var(--faint); white-space: nowrap; }
td:first-child, th:first-child { text-align: left; }
"""

METHOD = """
<p>Processor time of one thread that owns both ends of every conversation, softirqs included, over the same operation
without a firewall; for refused packets over a program that drops everything at the same hook. Slices of a few
milliseconds through every variant in turn, in a random order in each round; a figure is the median of differences
within rounds, bars are quartiles. After each slice its verdicts are judged: what must pass has arrived, to the last
packet, and what must be refused has not.</p>
<p><b>What the others do more.</b> nft and iptables with connection tracking follow TCP windows, know related
connections and helpers, count by set and not by rule, and carry NAT, which is not used here. nft's netdev ingress
tracks nothing: it judges each packet alone, and would need rules for answers. flowreeve counts packets, bytes and
connections by rule, keeps every flow with its rule, and lists what it refused; it follows the state of TCP
connections but not their windows.</p>
<p><b>What is not measured.</b> Hardware and its drivers, offloads, more than two CPUs; latency and throughput, which a
shared machine cannot tell; forwarding; work that the kernel does later in threads of its own (garbage collection of
conntrack, freeing of what was replaced). docs/performance.md has the whole method.</p>
"""


def nice_ceiling(value):
    if value <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)


def tick_text(value):
    return "{:,.0f}".format(value) if value >= 10 or value == int(value) else "%.2g" % value


class Plot:
    """Lines over scales that are named, not measured, on the x axis."""

    def __init__(self, title, scales, lines, unit):
        self.title, self.scales, self.unit = title, scales, unit
        self.lines = lines  # (name, {scale: Spread})
        tops = [spread.high for _, points in lines for spread in points.values()]
        lows = [spread.low for _, points in lines for spread in points.values()]
        self.top = nice_ceiling(max(tops + [0]))
        self.bottom = -nice_ceiling(-min(lows + [0])) if min(lows + [0]) < 0 else 0

    def x(self, scale, shift=0.0):
        step = (WIDTH - LEFT - RIGHT) / len(self.scales)
        return LEFT + step * (self.scales.index(scale) + 0.5) + shift

    def y(self, value):
        share = (value - self.bottom) / (self.top - self.bottom)
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)

    def axes(self):
        for i in range(5):
            value = self.bottom + (self.top - self.bottom) * i / 4
            yield '<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>' % (
                LEFT, WIDTH - RIGHT, self.y(value), self.y(value))
            yield '<text x="%d" y="%.1f" text-anchor="end">%s</text>' % (
                LEFT - 6, self.y(value) + 4, tick_text(value))
        for scale in self.scales:
            yield '<text x="%.1f" y="%d" text-anchor="middle">%s</text>' % (
                self.x(scale), HEIGHT - BOTTOM + 16, tick_text(scale))
        yield '<text x="%d" y="%d" text-anchor="middle">rules</text>' % (
            (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6)

    def line(self, index, name, points):
        colour, shift = COLOURS[name], (index - len(self.lines) / 2) * 5
        dash = ' stroke-dasharray="4 3"' if name.endswith("-before") else ""
        at = [(self.x(scale, shift), spread) for scale, spread in sorted(points.items())]
        yield '<polyline fill="none" stroke="%s" stroke-width="1.6"%s points="%s"/>' % (
            colour, dash, " ".join("%.1f,%.1f" % (x, self.y(spread.median)) for x, spread in at))
        for x, spread in at:
            yield '<g stroke="%s" fill="%s"><line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>' % (
                colour, colour, x, x, self.y(spread.low), self.y(spread.high))
            yield '<circle cx="%.1f" cy="%.1f" r="2.8"><title>%s: %s %s</title></circle></g>' % (
                x, self.y(spread.median), escape(name), table.spread_text(spread), self.unit)

    def svg(self):
        parts = list(self.axes())
        for index, (name, points) in enumerate(self.lines):
            parts += self.line(index, name, points)
        return '<figure><figcaption>%s</figcaption><svg width="%d" height="%d" role="img">%s</svg></figure>' % (
            escape(self.title), WIDTH, HEIGHT, "".join(parts))


def key(names):
    return '<p class="key">%s</p>' % "".join(
        '<span><i style="background:%s"></i>%s</span>' % (COLOURS[name], escape(title)) for name, title in names)


def points_of(figures, section, workload, name, peers, cpus, added):
    found = {}
    for scale in figures.scales(section):
        series = figures.find(section, workload, name, scale, peers, cpus)
        spread = series and (series.added if added else series.total)
        if spread:
            found[scale] = spread
    return found


def plot(figures, title, section, workload, names, peers=0, cpus=1, added=False):
    lines = [(name, points_of(figures, section, workload, name, peers, cpus, added)) for name in names]
    lines = [line for line in lines if line[1]]
    scales = sorted({scale for _, points in lines for scale in points})
    return Plot(title, scales, lines, "ns").svg() if lines else ""


def traffic_part(figures):
    groups = figures.groups()
    if not groups:
        return
    yield "<h2>Added processor time per operation, ns</h2>"
    yield key(VARIANTS)
    for workload, title in WORKLOADS:
        plots = [plot(figures, plot_title(peers, cpus), "traffic", name, [one for one, _ in VARIANTS],
                      peers, cpus, added=True)
                 for name, peers, cpus in groups if name == workload]
        if any(plots):
            yield '<h3>%s</h3><div class="plots">%s</div>' % (escape(title), "".join(plots))


def plot_title(peers, cpus):
    words = ["{:,} peers".format(peers)] if peers > 1 else []
    return ", ".join(words + ["both CPUs" if cpus == 2 else "one CPU"])


def hooks_part(figures):
    names = ["tc", "tc-before", "cgroup", "cgroup-before"]
    plots = [plot(figures, title, "hooks", case, names) for case, title in HOOK_CASES]
    if any(plots):
        yield "<h2>BPF_PROG_TEST_RUN, ns over an empty program</h2>"
        yield key((name, name) for name in names)
        yield '<div class="plots">%s</div>' % "".join(plots)


def bars(figures, section, what, title, rules):
    found = [(name, figures.find(section, what, name, rules)) for name, _ in VARIANTS]
    found = [(name, series.total) for name, series in found if series]
    if not found:
        return ""
    top, parts = max(spread.high for _, spread in found) or 1, []
    for index, (name, spread) in enumerate(found):
        y, length = 8 + index * 26, (WIDTH - 190) * spread.median / top
        parts.append('<text x="84" y="%d" text-anchor="end">%s</text><rect x="90" y="%d" width="%.1f" height="16" '
                     'fill="%s"/><text x="%.1f" y="%d">%s</text>' % (
                         y + 13, name, y, length, COLOURS[name], 96 + length, y + 13, table.spread_text(spread)))
    return '<figure><figcaption>%s</figcaption><svg width="%d" height="%d" role="img">%s</svg></figure>' % (
        escape(title), WIDTH, len(found) * 26 + 12, "".join(parts))


def policy_part(figures):
    for rules in figures.scales("replace"):
        plots = [bars(figures, "replace", what, title, rules) for what, title in REPLACED]
        if any(plots):
            yield '<h2>Replacing {:,} rules</h2><div class="plots">{}</div>'.format(rules, "".join(plots))
    plots = [bars(figures, "memory", "kernel", "{:,} rules, MB".format(rules), rules)
             for rules in figures.scales("memory")]
    if any(plots):
        yield '<h2>Memory that the kernel holds</h2><div class="plots">%s</div>' % "".join(plots)


def machine_part(figures):
    rows = "".join("<tr><td>%s</td><td>%s</td></tr>" % (escape(name), escape(value))
                   for name, value in figures.machine.items())
    return "<h2>The machine</h2><table>%s</table>" % rows


def text_part(figures):
    return '<h2>All figures</h2><div class="scroll"><pre>%s</pre></div>' % escape("\n".join(table.lines(figures)))


def html(figures):
    parts = ["<h1>flowreeve, measured</h1>", METHOD, *traffic_part(figures), *hooks_part(figures),
             *policy_part(figures), machine_part(figures), text_part(figures)]
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>flowreeve, measured</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><style>%s</style></head>\n'
            '<body>\n%s\n</body></html>\n' % (STYLE, "\n".join(parts)))
