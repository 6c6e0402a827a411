# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Recorded events in place of a kernel: coverage and learn with --flows. Sourced by run.

events=tests/cli/events good=$in/good.yaml
golden events/coverage 0 coverage --flows $events/good.jsonl --source $good
golden events/refused 0 coverage --flows $events/refused.jsonl --source $good
golden events/learn 0 learn --flows $events/good.jsonl --source $good
golden events/bad 3 coverage --flows $events/bad.jsonl --source $good
exits 'events: learn stops at the same errors' 3 'bad.jsonl:26:121: error: .* \[event-malformed\]' \
	learn --flows $events/bad.jsonl --source $good

json_is 'events: the document has the window, the digest and the hosts' 0 '
	(.windows | length) == 1 and .windows[0].since == "2026-03-01T12:00:00.500000Z" and
	.windows[0].until == "2026-03-04T12:00:40.500000Z" and (.windows[0].digest | length) == 64 and
	(.policies[0] | .recorded.hosts == ["db1"] and .recorded.events == 8 and .recorded.openings == 1 and
	(.unexplained | length) == 3 and .unexplained[0].packets == 8 and .decided_by_current == 1 and
	(.rules[] | select(.id == "acme/data") | .seen and .connections == 1))' \
	coverage --flows $events/good.jsonl --source $good
json_is 'events: the document of learn has them too' 0 '.window.since == "2026-03-01T12:00:00.500000Z" and
	.recorded.events == 8 and (.proposals | length) == 3' learn --flows $events/good.jsonl --source $good

# From a pipe, as `attempt` has no input.
"$flowreeve" coverage --json --flows - --source $good <$events/good.jsonl 2>&1 | jq -e \
	'.policies[0].recorded | .file == "<stdin>" and .events == 8' >/dev/null && ok 'events: from a pipe' || not_ok 'events: from a pipe'
exits 'events: both from standard input' 2 'cannot both read standard input' coverage --flows - --source -
exits 'events: no such file' 1 'nowhere.jsonl: No such file' coverage --flows "$work/nowhere.jsonl" --source $good
exits 'events: a directory' 1 'Is a directory' coverage --flows "$work" --source $good

# ---------------------------------------------------------------- answers from elsewhere

# TYPE DIRECTION LOCAL-PORT PEER PEER-PORT: a line of a datagram
datagram()
{
	local reason=rule verdict=pass
	[ "$1" = opened ] || reason=default verdict=would-drop
	cat <<-JSON
		{"schema": "flowreeve/event/v1", "host": "db1", "type": "$1", "time": "2026-03-01T12:00:00Z", "policy": "asker", "digest": null, "verdict": "$verdict", "reason": "$reason", "direction": "$2", "kind": "interface", "interface": "ens5", "protocol": "udp", "local": {"address": "10.0.5.5", "port": $3}, "peer": {"address": "$4", "port": $5}, "length": 60, "held": 0, "process": null}
	JSON
}
asker() # ANSWERS
{
	cat <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: asker}
		mode: audit
		attach: {interfaces: [ens5]}
		failsafe: []
		rules:
		  - {id: transfer, direction: egress, peer: [10.0.5.10], ports: [69/udp], action: allow, answers: $1}
	YAML
}
asker peer >"$work/asker.yaml"
asker peer-any-port >"$work/wide.yaml"
# A question from port 2000, which no host gives out, and two datagrams to it.
{
	datagram refused ingress 2000 10.0.5.10 50001
	datagram opened egress 2000 10.0.5.10 69
	datagram refused ingress 2001 10.0.5.10 50002
} >"$work/asked.jsonl"
json_is 'events: an answer to a recorded question' 0 '.policies[0].unexplained |
	(map(select(.port == 2000)) | length == 1 and .[0].answer_to.rule == "transfer" and
		.[0].answer_to.write == "answers: peer-any-port") and
	(map(select(.port == 2001)) | length == 1 and .[0].answer_to == null)' \
	coverage --flows "$work/asked.jsonl" --source "$work/asker.yaml"
json_is 'events: learn proposes no port for it' 0 '.proposals | (map(select(.port == 2000)) | map(.edit) == ["none"]) and
	(map(select(.port == 2001)) | map(.edit) == ["rule"])' learn --flows "$work/asked.jsonl" --source "$work/asker.yaml"
json_is 'events: rules that admit the answer explain it' 0 '.policies[0] | .decided_by_current == 1 and
	(.unexplained | map(.port) == [2001])' coverage --flows "$work/asked.jsonl" --source "$work/wide.yaml"
# Whether a group's answer comes from the local subnet is not known of another host.
sed -e 's/answers: peer/answers: group/' -e 's/10.0.5.10/10.0.5.255/' "$work/asker.yaml" >"$work/group.yaml"
{
	datagram opened egress 40000 10.0.5.255 69
	datagram refused ingress 40000 10.0.5.20 69
} >"$work/group.jsonl"
json_is 'events: the local subnet is asked for' 0 '.policies[0].unexplained[0].answer_to.why | contains("--local-subnet")' \
	coverage --flows "$work/group.jsonl" --source "$work/group.yaml"
json_is 'events: with it, the answer is explained' 0 '.policies[0] | .unexplained == [] and .decided_by_current == 1' \
	coverage --flows "$work/group.jsonl" --source "$work/group.yaml" --local-subnet ens5=10.0.5.0/24
sed 's/"local": {"address": "10.0.5.5", /"local": {/' "$work/asked.jsonl" >"$work/nowhere.jsonl"
exits 'events: a datagram without its local address' 3 "the event has no 'local.address'" \
	coverage --flows "$work/nowhere.jsonl" --source "$work/asker.yaml"

# ---------------------------------------------------------------- whose events

sed 's/"policy": "good"/"policy": "other"/' $events/good.jsonl >"$work/other.jsonl"
exits 'events: of another policy alone' 3 'holds no event of policy good: its events are of other \[events-other-policy\]' \
	coverage --flows "$work/other.jsonl" --source $good
cat $events/good.jsonl "$work/other.jsonl" >"$work/two.jsonl"
exits 'events: of another policy too' 0 'of several policies \(good, other\): 8 that are not of good are left out' \
	learn --flows "$work/two.jsonl" --source $good
exits 'events: of two policies, none chosen' 2 'holds events of 2 policies: good, other' coverage --flows "$work/two.jsonl"
: >"$work/none.jsonl"
exits 'events: none at all, of an unknown policy' 2 'holds no event, so it does not say of which policy' coverage --flows "$work/none.jsonl"
exits 'events: none at all' 0 '' coverage --flows "$work/none.jsonl" --source $good
grep -q 1970 "$work/out" && not_ok 'events: none at all, no window' "$(cat "$work/out")" || ok 'events: none at all, no window'
grep -q ': no events$' "$work/out" && ok 'events: none at all, says so' || not_ok 'events: none at all, says so' "$(cat "$work/out")"
exits 'events: a file of another policy than named' 3 'is the file of policy good, not of other \[source-other\]' \
	coverage other --flows $events/good.jsonl --source $good
{ cat $events/good.jsonl; sed 's/"host": "db1"/"host": "db2"/' $events/good.jsonl; } >"$work/hosts.jsonl"
exits 'events: of two hosts' 0 'events of 2 hosts: the figures are their sum \[events-other-host\]' \
	coverage --flows "$work/hosts.jsonl" --source $good
printf '{"schema": "flowreeve/event/v1", "type": "lost", "policy": "good", "count": 7}\n' >>"$work/hosts.jsonl"
exits 'events: some were lost' 0 '7 events were lost while .* was recorded' coverage --flows "$work/hosts.jsonl" --source $good

# The digest of either mode belongs to the file.
digest=$("$flowreeve" compile --json --mode enforce $good | jq -r .image.digest)
[ "${#digest}" = 64 ] && ok 'events: a digest to compare' || not_ok 'events: a digest to compare' "$digest"
sed "s/\"digest\": null/\"digest\": \"$digest\"/" $events/good.jsonl >"$work/digest.jsonl"
exits 'events: of the same digest' 0 '' coverage --flows "$work/digest.jsonl" --source $good
[ -s "$work/err" ] && not_ok 'events: of the same digest, no warning' "$(cat "$work/err")" || ok 'events: of the same digest, no warning'
sed -i "3,4s/$digest/$(printf 'ab%.0s' {1..32})/" "$work/digest.jsonl"
exits 'events: of another digest' 0 "2 of 8 events were recorded under digest (ab){32}, but .*good.yaml has digest [0-9a-f]{64}: they are judged by the latter" \
	learn --flows "$work/digest.jsonl" --source $good

# ---------------------------------------------------------------- figures out of range

later() { # TIME
	sed "3s/\"time\": \"[^\"]*\"/\"time\": \"$1\"/" $events/good.jsonl >"$work/later.jsonl"
}
later 2553-12-31T23:59:59Z
exits 'events: of the last year' 0 '' coverage --flows "$work/later.jsonl" --source $good
grep -q 'to 2553-12-31T23:59:59Z' "$work/out" && ok 'events: of the last year, says so' || not_ok 'events: of the last year, says so' "$(cat "$work/out")"
for time in 2554-01-01T00:00:00Z 2600-01-01T00:00:00Z 9999-12-31T23:59:60Z; do
	later $time
	exits "events: of $time" 3 "later.jsonl:3:76: error: '$time' is after 2553" coverage --flows "$work/later.jsonl" --source $good
done
printf '{"schema": "flowreeve/event/v1", "type": "lost", "policy": "good", "count": 9223372036854775807}\n' >"$work/lost.jsonl"
exits 'events: more were lost than can be' 3 "lost.jsonl:1:77: error: 'count' is 274877906944 at most" \
	coverage --flows "$work/lost.jsonl" --source $good

# ---------------------------------------------------------------- files of others

# Each event has another HOST, POLICY or PEER.
many() { # WHAT COUNT
	awk -v what="$1" -v count="$2" 'BEGIN {
		host = "db1"; policy = "good"; peer = "10.66.0.66"
		for (i = 0; i < count; i++) {
			if (what == "host") host = "db" i
			if (what == "policy") policy = "p" i
			if (what == "peer") peer = sprintf("10.%d.%d.%d", 100 + i / 65536, i / 256 % 256, i % 256)
			printf "{\"schema\": \"flowreeve/event/v1\", \"host\": \"%s\", \"type\": \"refused\", " \
				"\"time\": \"2026-03-01T12:00:00Z\", \"policy\": \"%s\", \"verdict\": \"would-drop\", " \
				"\"reason\": \"default\", \"direction\": \"egress\", \"kind\": \"interface\", " \
				"\"protocol\": \"tcp\", \"peer\": {\"address\": \"%s\", \"port\": 2049}, \"length\": 60, " \
				"\"held\": 0}\n", host, policy, peer
		}
	}' >"$work/many.jsonl"
}
for what in host policy; do
	many $what 200000
	exits "events: of 200,000 values of $what" 3 "many.jsonl:4097:.*: error: more than 4096 values of '$what'" \
		coverage --flows "$work/many.jsonl" --source $good
done
many policy 4096
exits 'events: of as many policies as may be' 2 'holds events of 4096 policies: p0, p1, p2, p3, p4, p5, p6, p7 and 4088 more' \
	coverage --flows "$work/many.jsonl"
many peer 200000
exits 'events: of 200,000 unexplained peers' 3 'many.jsonl:100001:1: error: more than 100000 openings that no rule explains' \
	learn --flows "$work/many.jsonl" --source $good
# A list for each proposal and rule of the policy, and a walk of the list for each proposal, are what such
# a file would cost.
head -n 50000 "$work/many.jsonl" >"$work/peers.jsonl"
{
	sed '/^rules:/,$d; s/storage: \[[^]]*\]/storage: [10.9.0.9]/' $good
	echo 'failsafe: []'
	echo 'rules:'
	awk 'BEGIN { for (i = 0; i < 3000; i++) printf "  - {id: r%d, direction: egress, peer: [10.9.0.2], ports: [%d/tcp], action: allow}\n", i, i + 3000 }'
} >"$work/rules.yaml"
exits 'events: 50,000 peers against 3,000 rules' 0 '^egress 10.100.195.79 2049/tcp: rule learned-50000' \
	learn --tables tests/cli/input/tables --flows "$work/peers.jsonl" --source "$work/rules.yaml"
