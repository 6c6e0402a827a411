#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The benchmark itself, on a tiny matrix: every cell is measured or named as a gap, verdicts are counted and a
# wrong one is found out, JSON and the page are whole, missing tools are reported while the rest goes on, and
# an interrupted run leaves nothing behind. Counts only: no figure of time is judged.
. "$(dirname "$0")/lib.sh"

commands=${BUILD:-build}

bench() # NAME ARGS...: figures in $work/NAME -> $said, $code
{
	local name=$1
	shift
	said=$(cd "$e2e_top" && PATH="${bench_path:-$PATH}" timeout -s KILL 200 \
		scripts/bench -d "$work/$name" "$@" 2>&1)
	code=$?
}

ask() { jq -r "$2" "$work/$1/bench.json" 2>&1; } # NAME FILTER

# Each cell of the matrix once, as a series or as a gap. NAME COUNT WORKLOAD...
every_cell() # NAME WORKLOADS VARIANTS
{
	local w v left=''
	for w in $2; do
		for v in $3; do
			[ "$(ask "$1" "[.series[], .gaps[] | select(.workload == \"$w\" and .variant == \"$v\")] | length")" = 1 ] ||
				left+=" $w/$v"
		done
	done
	equal "$1: every cell is there, or why it is not" '' "$left"
}

# Objects whose name begins with the tag of that process.
remains() # PID
{
	ls -d /run/netns/frb"$1"-* /sys/fs/bpf/frb"$1"* "$(lab_cgroup_root)"/frb"$1"* \
		/sys/fs/cgroup/memory/frb"$1"* 2>/dev/null
}

# ---------------------------------------------------------------- a whole run

# Balanced elements, and nothing that a browser would fetch.
page_check='
import html.parser, sys
class Page(html.parser.HTMLParser):
    open, wrong = [], []
    def handle_starttag(self, tag, attrs):
        self.wrong += [name for name, _ in attrs if name in ("src", "href")]
        if tag != "meta": self.open.append(tag)
    def handle_startendtag(self, tag, attrs): pass
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag: self.wrong.append(tag)
page = Page()
text = open(sys.argv[1], encoding="utf-8").read()
page.feed(text)
print(len(page.open), len(page.wrong), "url(" in text or "@import" in text, "nan" in text.split("<pre>")[0])'

whole()
{
	local v
	bench whole -s 'traffic hooks replace memory dump' -t 'oneway conn synrandom' -r 10 -p 16 -c 1 -n 3
	equal 'a tiny run: exit 0' 0 $code
	equal 'JSON says its schema' flowreeve/bench/v1 "$(ask whole .schema)"
	every_cell whole 'oneway conn synrandom' 'interface nft-set nft-vmap nft-netdev ipset'
	for v in interface nft-set nft-vmap nft-netdev; do
		equal "$v: each packet of 3 slices and the warm-up arrived, each probe was refused" '4096 4' \
			"$(ask whole ".series[] | select(.workload == \"oneway\" and .variant == \"$v\") | \"\(.passed) \(.refused)\"")"
		equal "$v: each SYN was refused, each sentinel arrived" '4 8192' \
			"$(ask whole ".series[] | select(.workload == \"synrandom\" and .variant == \"$v\") | \"\(.passed) \(.refused)\"")"
		equal "$v: each connection was made" 256 \
			"$(ask whole ".series[] | select(.workload == \"conn\" and .variant == \"$v\") | .passed")"
	done
	equal 'without a firewall nothing is refused' '4100 0' \
		"$(ask whole '.series[] | select(.workload == "oneway" and .variant == "none") | "\(.passed) \(.refused)"')"
	equal 'TEST_RUN has all cases of both hooks' 14 "$(ask whole '[.series[] | select(.section == "hooks")] | length')"
	at_least 'rules were replaced' 9 "$(ask whole '[.series[] | select(.section == "replace")] | length')"
	at_least 'flows were shown' 1 "$(ask whole '.series[] | select(.workload == "shown") | .total.median')"
	equal 'the page is whole and fetches nothing' '0 0 False False' \
		"$(python3 -c "$page_check" "$work/whole/bench.html")"
	at_least 'it has plots' 3 "$(grep -o '<svg' "$work/whole/bench.html" | wc -l)"
	matches 'the table names the ratio' 'nft-set +[0-9-]+ \[' "$said"
}

# ---------------------------------------------------------------- what is missing

# All commands but some, in a directory of links.
path_without() # NAME...
{
	local name
	mkdir -p "$work/bin"
	ln -sf /usr/sbin/* /usr/bin/* "$work/bin/"
	for name in "$@"; do
		rm -f "$work/bin/$name"
	done
	bench_path=$work/bin
}

# A fake nft that loads nothing, or something else.
nft_stub() # TEXT
{
	printf '#!/bin/sh\n%s\n' "$1" >"$work/bin/nft"
	chmod 755 "$work/bin/nft"
}

deceived()
{
	nft_stub 'exit 0'
	bench open -s traffic -v 'interface nft-set' -t 'oneway synrandom' -r 10 -p 16 -c 1 -n 2
	equal 'a firewall that lets everything in is found out: exit 1' 1 $code
	matches '... and named' 'oneway, nft-set, 10 rules: 1 verdicts were wrong' "$said"
	matches '... at the flood too' 'synrandom, nft-set, 10 rules: 2048 verdicts were wrong' "$said"
	equal '... and has no figure' 0 "$(ask open '[.series[] | select(.variant == "nft-set")] | length')"
	# A query of the version runs in the machine's own namespace.
	nft_stub "[ \"\$1\" = -f ] || exec $(command -v nft) \"\$@\"
		exec $(command -v nft) 'add table ip shut; add chain ip shut in { type filter hook input priority 0; policy drop; }'"
	bench shut -s traffic -v 'interface nft-set' -t 'oneway synrandom' -r 10 -p 16 -c 1 -n 2
	equal 'a firewall that lets nothing in is found out: exit 1' 1 $code
	matches '... and named' 'oneway, nft-set, 10 rules: 1024 verdicts were wrong' "$said"
	matches '... at the flood too' 'synrandom, nft-set, 10 rules: 1 verdicts were wrong' "$said"
}

lacking()
{
	path_without nft ipset
	bench lacking -s traffic -t oneway -r 10 -p 16 -c '1 2' -n 2
	equal 'without nft: exit 0' 0 $code

	equal '... the table shows the gap' 'no nft here' \
		"$(ask lacking '[.gaps[] | select(.variant == "nft-set")][0].reason')"
	matches '... on the terminal too' 'nft-set, .*: no nft here' "$said"
	equal '... and the rest goes on' 2048 "$(ask lacking '[.series[] | select(.variant == "interface")][0].passed - 1024')"
	deceived
	bench_path=
	said=$(cd "$e2e_top" && taskset -c 0 scripts/bench -d "$work/single" -s traffic -v interface -t oneway -r 10 -p 16 \
		-c '1 2' -n 2 2>&1)
	equal 'on one CPU: exit 0' 0 $?
	equal '... and the gap is named' 'no second CPU here' "$(ask single '.gaps[0].reason')"
	at_least '... and one CPU is measured' 1 "$(ask single '[.series[] | select(.cpus == 1)] | length')"
}

unprivileged()
{
	mkdir -p "$work/copy/tests" "$work/copy/$commands"
	cp -r "$e2e_top/scripts" "$work/copy/"
	cp -r "$e2e_top/tests/bench" "$work/copy/tests/"
	cp "$e2e_top/$commands/bench" "$e2e_top/$commands/flowreeve" "$work/copy/$commands/"
	mkdir -m 777 "$work/unprivileged"
	said=$(cd "$work/copy" && setpriv --reuid 65534 --regid 65534 --clear-groups \
		scripts/bench -d "$work/unprivileged" 2>&1)
	equal 'without root: exit 0' 0 $?
	matches '... it says so' 'without root' "$said"
	equal '... every section is a gap' 'needs root' "$(ask unprivileged '[.gaps[].reason] | unique | .[]')"
}

refused()
{
	bench refused -t nonsense
	equal 'an unknown workload: exit 2' 2 $code
	matches '... with those that are known' "no 'nonsense' among: oneway" "$said"
	bench refused -r 0
	equal 'no rules at all: exit 2' 2 $code
	bench refused -c 3
	equal 'three CPUs: exit 2' 2 $code
	bench refused --nonsense
	equal 'an unknown option: exit 2' 2 $code
	matches '... with the usage' 'scripts/bench \[OPTION\]' "$said"
}

# ---------------------------------------------------------------- interrupted

interrupted()
{
	local pid code
	(cd "$e2e_top" && exec setsid env --default-signal=INT scripts/bench -d "$work/interrupted" -s traffic \
		-v 'interface cgroup' -t oneway -r 10 -p 16 -c 1 -n 2000) >"$work/said" 2>&1 &
	pid=$!
	for _ in $(seq 600); do
		pgrep -P "$pid" -x bench >/dev/null && break
		sleep 0.1
	done
	at_least 'while it runs there are namespaces of its own' 4 "$(remains "$pid" | wc -l)"
	kill -INT -- "-$pid"
	wait "$pid"
	code=$?
	equal 'an interrupted run: exit 130' 130 $code
	equal '... leaves nothing behind' '' "$(remains "$pid")"
	equal '... of its files neither' '' "$(ls -d "/tmp/flowreeve-bench.$pid."* 2>/dev/null)"
}

# ---------------------------------------------------------------- the gate

# Figures as if measured: all TEST_RUN cases at a tenth of before, traffic at a tenth of nft's; or one of
# them (WORKLOAD) at twice.
gate_figures() # WORKLOAD
{
	awk -v bad="$1" 'BEGIN {
		OFS = "\t"
		split("established established-v6 established-many new denied denied-random", cases, " ")
		split("10 1000 10000 100000", scales, " ")
		split("tc cgroup", hooks, " ")
		for (h in hooks) for (s in scales) for (c in cases) {
			print "series", "hooks", cases[c], hooks[h], scales[s], 0, 1, "ns", 0, 0, 0, cases[c] == bad ? "200,200" : "10,10"
			print "series", "hooks", cases[c], hooks[h] "-before", scales[s], 0, 1, "ns", 0, 0, 0, "100,100"
		}
		n = split("oneway answered rr conn synrandom stream", works, " ")
		for (w = 1; w <= n; w++) {
			peers = w < 5 ? 16 : 1
			series(works[w], "none", 1000); series(works[w], "drop", 1000); series(works[w], "drop-cgroup", 1000)
			own = works[w] == bad ? 3000 : 1010
			series(works[w], "interface", own); series(works[w], "cgroup", own)
			series(works[w], "nft-set", 1100); series(works[w], "nft-netdev", 1020)
		}
		print "series", "replace", "cpu", "interface", 100000, 0, 1, "ms", 0, 0, 0, "20,20"
		print "series", "replace", "cpu", "nft-set", 100000, 0, 1, "ms", 0, 0, 0, "100,100"
		print "series", "replace", "wall", "interface", 100000, 0, 1, "ms", 0, 0, 0, "20,20"
		print "series", "replace", "wall", "nft-set", 100000, 0, 1, "ms", 0, 0, 0, "100,100"
		print "series", "replace", "check-memory", "interface", 100000, 0, 1, "MB", 0, 0, 0, "50"
		print "series", "dump", "shown", "interface", 1000000, 0, 1, "flows", 0, 0, 0, "1000000"
		print "series", "dump", "read", "interface", 1000000, 0, 1, "ms", 0, 0, 0, "39"
	}
	function series(work, variant, ns) {
		print "series", "traffic", work, variant, 10000, peers, 1, "ns", 1, 1, 0, ns "," ns "," ns
	}' >"$work/gate/bench.raw"
}

gate() # WHAT EXPECTED-EXIT PATTERN, about $work/gate/bench.raw
{
	said=$("$e2e_top/tests/bench/report" "$work/gate" --gate 2>&1)
	equal "gate, $1: exit $2" "$2" $?
	matches "gate, $1: says so" "$3" "$said"
}

gates()
{
	mkdir "$work/gate"
	gate_figures none
	gate 'all targets met' 0 '^0 of [0-9]+ targets are missed'
	gate_figures conn
	gate 'a workload that costs too much' 1 '^  interface conn, 16 peers'
	gate_figures stream
	gate 'a stream that is slow' 1 '^  cgroup stream, speed of no firewall'
	gate_figures new
	gate 'a case that is slower than before' 1 '^  TEST_RUN tc new, 1000 rules'
	gate_figures none
	sed -i '/rr\tcgroup/s/ns\t1\t1\t0/ns\t1\t1\t1/' "$work/gate/bench.raw"
	gate 'a wrong verdict' 1 '^bench: rr, cgroup, 10000 rules: 1 verdicts were wrong'
	gate_figures none
	sed -i '/synrandom\tnft-netdev/d' "$work/gate/bench.raw"
	gate 'what was not measured' 1 '^  interface synrandom, of nft.s netdev ingress'
	equal 'a ratio is that of medians' 0.1 \
		"$(ask gate '.series[] | select(.workload == "conn" and .variant == "interface") | .ratio.median')"
}

e2e_begin bench
gates
refused
unprivileged
whole
lacking
interrupted
e2e_end
