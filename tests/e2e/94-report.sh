#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# report: one HTML file, or text, with all that an auditor asks for; hostile names are text in it; it is
# written whole, for its owner alone, and never through a link; a browser shows it at 400 and 1280 pixels.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

report() { fr agent report e2e "$@"; }
has() { if grep -qxF -- "$2" <<<"$cells"; then ok "$1"; else not_ok "$1" "no cell '$2' in: $cells"; fi; }

write_tables()
{
	mkdir -p "$work/tables"
	cp "$e2e_top"/policies/tables/*.yaml "$work/tables/"
	cat >"$work/tables/acme.yaml" <<-'YAML'
		apiVersion: flowreeve/v1
		kind: PortTable
		metadata: {name: acme, title: "</title></td><script>alert(2)</script>&amp;", url: https://docs.example.com/acme?a=1&b=2, read: 2026-11-21}
		roles: {agent: {}, server: {}}
		rows: [{id: web, from: agent, to: server, ports: [443/tcp]}]
	YAML
}

browser_of() # prints the path of a browser; fails without one
{
	local name
	for name in chromium chromium-browser google-chrome; do
		type -P "$name" && return
	done
	return 1
}

# The text, the console and the width of the page as it is laid out at so many pixels.
look() # WIDTH
{
	cat >"$work/frame.html" <<-HTML
		<!DOCTYPE html><meta charset="utf-8"><title>frame</title>
		<iframe id="f" src="report.html" style="width: $1px; height: 900px; border: 0"></iframe>
		<pre id="o"></pre><script>
		document.getElementById('f').onload = function (e) {
			var d = e.target.contentDocument, m = 0;
			d.querySelectorAll('body *').forEach(function (n) { m = Math.max(m, n.getBoundingClientRect().right); });
			document.getElementById('o').textContent = 'width ' + (m <= $1 && d.documentElement.scrollWidth <= $1 ? 'fits' : m)
				+ ' images ' + d.images.length + ' scripts ' + d.scripts.length + ' cells ' + (d.querySelectorAll('td').length > 20);
		};
		</script>
	HTML
	timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$work/profile" \
		--allow-file-access-from-files --enable-logging=stderr --v=0 --virtual-time-budget=5000 \
		--window-size=1400,1000 --dump-dom "file://$work/frame.html" 2>"$work/console" | sed -n 's/.*<pre id="o">\(.*\)<\/pre>.*/\1/p'
}

e2e_begin report
write_tables
cat >"$work/policy.yaml" <<-YAML
	apiVersion: flowreeve/v1
	kind: Policy
	metadata: {name: e2e}
	mode: audit
	attach: {interfaces: [ens5]}
	use:
	  - {table: acme, as: agent, peers: {server: [10.20.0.5]}}
	  - {table: icmp-diagnostics, as: host, with: [echo-out], peers: {target: [10.20.0.5]}}
	rules:
	  - {id: door, direction: ingress, peer: any, ports: [8091/tcp], action: allow}
	  - {id: gate, direction: ingress, peer: any, ports: [8091/tcp], action: allow}
	failsafe: []
YAML
# A process that calls itself as no process should.
lab_spawn hostile agent python3 -c "
import ctypes, socket, sys, signal
ctypes.CDLL(None).prctl(15, b'<img src=x o=1>', 0, 0, 0)
s = socket.socket(); s.bind(('', 8400)); s.listen()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.sendto(b'x', ('10.66.0.66', 4444))
print('ready', flush=True); sys.stdin.read(1) if False else signal.pause()"
succeeds 'apply' fr agent apply --tables "$work/tables" "$work/policy.yaml"
until_true says "$LAB_DIR/log/hostile" ready
peer_try agent tcp 10.66.0.66 4444 --wait 0.3 >/dev/null 2>&1
is_refused() { [ "$(fr_ask agent '.drops | length > 0' show drops)" = true ]; }
until_true is_refused

umask 000
succeeds 'it is written' report --tables "$work/tables" -o "$work/report.html"
equal 'for its owner alone' 600 "$(stat -c %a "$work/report.html")"
equal 'and nothing else is left beside it' "$work/report.html" "$(ls -d "$work"/report.html*)"
cells=$("$e2e_here/tools/read-report" "$work/report.html" 2>"$work/faults")
equal 'all markup is its own, and it loads nothing' '' "$(cat "$work/faults")"
has 'the title of a table is text' '</title></td><script>alert(2)</script>&amp;'
has 'and its address' 'https://docs.example.com/acme?a=1&b=2'
has 'and its date' 2026-11-21
matches 'the name of a process is text' '^<img src=x o=1> \([0-9]+\)$' "$cells"
has 'the policy' e2e
has 'the digest' "$(fr_ask agent '.windows[0].digest' coverage)"
has 'what would be dropped' would-drop
has 'its peer' 10.66.0.66
matches 'and the port that it came from' '^10\.0\.5\.5:[1-9][0-9]*$' "$cells"
has 'ports on which nobody listens' 8091/tcp
has 'a rule that was never used' acme/web
equal 'two rules of the same traffic, each beside the other' 'door gate' "$(awk '/^door$|^gate$/ { if (last != $0) n[$0]++; last = $0 } END { print (n["door"] > 1 ? "door" : "-"), (n["gate"] > 1 ? "gate" : "-") }' <<<"$cells")"

succeeds 'as text' report --tables "$work/tables" --text --output "$work/report.txt"
matches 'with the same' '^8400/tcp +every address +<img src=x o=1> ' "$(cat "$work/report.txt")"
matches 'and no markup' '^Tables$' "$(cat "$work/report.txt")"
equal 'to stdout' '<!DOCTYPE html>' "$(report --tables "$work/tables" 2>/dev/null | head -n 1)"

echo before >"$work/victim"
ln -s "$work/victim" "$work/link.html"
fails 'not through a link' report --tables "$work/tables" -o "$work/link.html"
equal 'whose target is as it was' before "$(cat "$work/victim")"
mkdir "$work/dir.html"
fails 'not in place of a directory' report -o "$work/dir.html"
fails 'not where there is no directory' report -o "$work/absent/report.html"
echo old >"$work/old.html" && chmod 666 "$work/old.html"
succeeds 'in place of a file' report --tables "$work/tables" -o "$work/old.html"
equal 'which is then as private' 600 "$(stat -c %a "$work/old.html")"
fr_exits 'a policy that is not applied' 1 agent report nobody

if browser=$(browser_of); then
	for width in 400 1280; do
		equal "a browser, at $width pixels" 'width fits images 0 scripts 0 cells true' "$(look $width)"
		equal "a browser, at $width pixels: its console is empty" '' "$(grep CONSOLE "$work/console")"
	done
else
	skip 'a browser' 'no chromium here'
fi
