# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Good input: check, compile and explain accept it, the shipped policies included. Sourced by run.

golden check-good 0 check $in/good.yaml
golden check-table 0 check $in/tables/acme.yaml
golden check-several 0 check $in/good.yaml $in/tables/acme.yaml $in/enforce.yaml
golden compile 0 compile $in/good.yaml
golden compile-dump 0 compile $in/good.yaml --dump
json_is 'check as JSON' 0 \
	'[.files[].ok] == [true, true] and .files[0].image.egress.rules == 4' \
	check $in/good.yaml $in/tables/acme.yaml
json_is 'compile as JSON' 0 '(.image.digest | length) == 64 and (has("dump") | not)' compile $in/good.yaml
json_is 'compile --dump as JSON' 0 '(.dump | length) > 100' compile $in/good.yaml --dump

golden explain-pass 0 explain $in/good.yaml egress tcp 10.20.0.5:2049
golden explain-default 0 explain $in/good.yaml egress tcp 10.66.0.66:2049
golden explain-port 0 explain $in/good.yaml egress tcp 10.20.0.5:2050
golden explain-deny 0 explain $in/good.yaml egress tcp 10.20.0.200:2049
golden explain-enforce 0 explain $in/enforce.yaml egress tcp 10.66.0.66:2049
golden explain-v6 0 explain $in/good.yaml egress udp '[fd00:20::5]:2049'
golden explain-failsafe 0 explain $in/good.yaml ingress tcp 10.1.0.9:22
golden explain-icmp 0 explain $in/good.yaml egress icmp 10.20.0.5 echo-request
golden explain-portless 0 explain $in/good.yaml egress esp 10.9.0.1
golden explain-unknown 0 explain $in/local.yaml egress udp 10.5.0.1:53
golden explain-local 0 explain $in/local.yaml egress udp 10.5.0.1:53 --local-subnet eth0=10.5.0.0/24
golden check-answers 0 check $in/answers.yaml
golden explain-group 0 explain $in/answers.yaml egress udp 239.255.255.250:1900
golden explain-broadcast 0 explain $in/answers.yaml egress udp 10.9.0.255:137 --local-subnet tap0=10.9.0.0/24
golden explain-perhaps-broadcast 0 explain $in/answers.yaml egress udp 10.9.0.255:137
golden explain-transfer 0 explain $in/answers.yaml egress udp 10.9.0.2:69
golden explain-answers-peer 0 explain $in/answers.yaml egress udp 10.9.0.3:69
golden explain-probed 0 explain $in/answers.yaml ingress udp 10.9.0.9:3702
golden explain-answer 0 explain $in/answers.yaml ingress udp 10.9.0.2:40001
json_is 'answers in JSON' 0 '.files[0].answers | map("\(.rule) \(.mode) \(.default_of)") == ["search group a group or broadcast address",
	"transfer peer-any-port 69/udp", "alone peer null", "probed peer-any-port null"]' check $in/answers.yaml
json_is 'a party in JSON' 0 '.files[0].parties == [["tap0", "tap1"]]' check $in/answers.yaml
json_is 'a refused datagram that may be an answer, in JSON' 0 '.answer_to == "search" and .answers == null' \
	explain $in/answers.yaml ingress udp 10.9.0.2:40001
exits 'icmp of an IPv6 peer is ICMPv6' 0 '' explain $in/good.yaml egress icmp fd00:20::5 128
grep -q '^pass  rule=acme/ping' "$work/out" && ok 'and the row for ping covers it' ||
	not_ok 'and the row for ping covers it' "$(cat "$work/out")"
exits 'options after operands, --mode over the file' 0 '' explain $in/good.yaml egress tcp 10.66.0.66:1 --mode enforce
grep -q '^drop  rule=default-egress  reason=default$' "$work/out" && ok 'and the verdict is drop' ||
	not_ok 'and the verdict is drop' "$(cat "$work/out")"
grep -v '^failsafe' $in/good.yaml >"$work/open.yaml"
exits 'no failsafe, audit: nothing to say' 0 '' check --tables $in/tables "$work/open.yaml"
[ -s "$work/err" ] && not_ok 'and nothing is said' "$(cat "$work/err")"
exits 'no failsafe, --mode enforce: the open port is reported' 0 'warning: .*22/tcp.*failsafe-open' \
	check --tables $in/tables --mode enforce "$work/open.yaml"
json_is 'a warning as JSON: stderr stays empty' 0 '.files[0].diagnostics[0].check == "failsafe-open"' \
	check --tables $in/tables --mode enforce "$work/open.yaml"
json_is 'explain as JSON' 0 \
	'.verdict == "pass" and .row == {table: "acme", row: "data", line: 12}' \
	explain $in/good.yaml egress tcp 10.20.0.5:2049
json_is 'an unknown answer as JSON' 0 '.verdict == "unknown" and .rule == "near"' \
	explain $in/local.yaml egress udp 10.5.0.1:53

# ---------------------------------------------------------------- a resolved policy is read as a policy is

cat >"$work/resolved.yaml" <<'END'
apiVersion: flowreeve/v1
kind: ResolvedPolicy
metadata: {name: plain}
source: {file: /etc/flowreeve/plain.yaml}
mode: audit
attach: {cgroups: [/a]}
tables:
- {table: acme, document: acme.txt, file: tables/acme.yaml, line: 7, as: [agent], peers: {server: [10.0.0.1]}}
rules:
- {id: acme/data, direction: egress, peer: [10.0.0.1], ports: [7/tcp], action: allow, line: 7, role: server, row: {table: acme, row: data, line: 12}}
- {id: own, direction: ingress, peer: any, ports: [8/udp], action: allow, line: 9}
failsafe:
- {id: failsafe/1, peer: [10.0.0.9], ports: [22/tcp], line: 11}
END
exits 'check of a resolved policy' 0 '' check --strict "$work/resolved.yaml"
exits 'compile of a resolved policy' 0 '' compile "$work/resolved.yaml"
json_is 'explain of a resolved policy' 0 '.row == {table: "acme", row: "data", line: 12} and .because.document == "acme.txt"' \
	explain "$work/resolved.yaml" egress tcp 10.0.0.1:7
attempt explain "$work/resolved.yaml" ingress udp 10.0.0.1:8
if grep -q '^  written   /etc/flowreeve/plain.yaml:9$' "$work/out"; then
	ok 'explain names the place in the policy itself'
else
	not_ok 'explain names the place in the policy itself' "$(cat "$work/out")"
fi
sed 's/^tables:$/use:/' "$work/resolved.yaml" >"$work/use.yaml"
exits 'a resolved policy uses no table' 3 "a resolved policy has no key 'use'" check "$work/use.yaml"
exits 'show policy prints all of it' 2 'do not apply' show policy --limit 3
exits 'diff needs a file' 2 'usage' diff name

golden explain-no-port 2 explain $in/good.yaml egress tcp 10.20.0.5
golden explain-name 2 explain $in/good.yaml egress tcp files.example.com:2049
exits 'a direction that is none' 2 'neither egress nor ingress' explain $in/good.yaml out tcp 10.0.0.1:1
exits 'an unknown protocol' 2 "did you mean 'tcp'" explain $in/good.yaml egress tpc 10.0.0.1:1
exits 'a port past the end' 2 'not a port from 0 to 65535' explain $in/good.yaml egress tcp 10.0.0.1:65536
exits 'an IPv6 port without brackets' 2 'port is missing' explain $in/good.yaml egress tcp fd00::1
exits 'icmp without a type' 2 'ICMP type is missing' explain $in/good.yaml egress icmp 10.0.0.1
exits 'a port for what has none' 2 'has no ports' explain $in/good.yaml egress esp 10.0.0.1:5

for example in policies/examples/*.yaml; do
	exits "$example" 0 '' check --strict "$example"
	grep ': warning: ' "$work/err" | grep -qv '\[prefixes-old\]$' && not_ok "$example: no warning" "$(cat "$work/err")"
done
for table in policies/tables/*.yaml; do
	exits "$table" 0 '' check "$table"
done

# The prefix is compiled in, and a tree that was built with another one is not reused.
for prefix in /usr/local /opt/elsewhere; do
	make -s BUILD="$work/prefix" PREFIX=$prefix "$work/prefix/user/invocation/run.o" >/dev/null 2>&1
done
grep -qa /opt/elsewhere/share/flowreeve "$work/prefix/user/invocation/run.o" && ok 'make follows a changed PREFIX' ||
	not_ok 'make follows a changed PREFIX'

# ---------------------------------------------------------------- rules that others cover

attempt check --tables policies/tables policies/examples/datasync-agent-public.yaml
if [ "$status" = 0 ] && grep -q "note: rule 'aws-datasync/data-plane' decides nothing: rule 'aws-datasync/control-public' has its peers and ports \[covered\]" "$work/err"; then
	ok 'a row whose traffic another row decides is noted'
else
	not_ok 'a row whose traffic another row decides is noted' "exit $status" "$(cat "$work/err")"
fi

# ---------------------------------------------------------------- documents, names and ages

json_is 'a table names its document by title, address and date' 0 \
	'.title == "AWS DataSync network requirements" and (.url | startswith("https://docs.aws.amazon.com/")) and
	(.read | test("^2[0-9]{3}-[01][0-9]-[0-3][0-9]$"))' roles --tables policies/tables aws-datasync
json_is 'explain as well' 0 '.because | .url == "https://docs.example.com/acme" and .read == "2026-11-21" and .title' \
	explain $in/good.yaml egress tcp 10.20.0.5:2049
json_is 'and check' 0 '.files[0].tables[0].url == "https://docs.example.com/acme" and .files[1].read == "2026-11-21"' \
	check $in/good.yaml $in/tables/acme.yaml
json_is 'roles fills the region in, in every name' 0 \
	'[.roles[].names[], .rows[].names[]] | (length > 10 and all(test("[$]|region") | not))' \
	roles --tables policies/tables aws-datasync region=eu-west-1
json_is 'check has every name of a policy' 0 '[.files[0].names[].names[]] | (length > 10 and all(test("[$]") | not))' \
	check policies/examples/datasync-agent-public.yaml
exits 'a param that the table has not' 3 "settings:1:1: error: table 'aws-datasync' has no param 'regoin'" roles --tables policies/tables aws-datasync regoin=a
exits 'a value that is no setting' 2 "'eu-west-1' is not PARAM=VALUE" roles --tables policies/tables aws-datasync eu-west-1
exits 'an old file of prefixes' 0 'warning: the prefixes of .* days old.*\[prefixes-old\]' \
	check policies/examples/mgn-source-server.yaml
sed "s/2023-11-14-22-13-20/$(date -u +%Y-%m-%d-00-00-00)/" policies/examples/aws-prefixes.json >"$work/aws-prefixes.json"
cp policies/examples/mgn-source-server.yaml "$work/"
exits 'and a new one, also where the file says nothing of it' 0 '' check --tables policies/tables "$work/mgn-source-server.yaml"
grep -q prefixes-old "$work/err" && not_ok 'of which nothing is said' "$(cat "$work/err")"
