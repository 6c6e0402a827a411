#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# learn: refusals of a policy become a diff of its file; patch takes it, check accepts it, and once
# applied, the proposed traffic is allowed and other traffic is still refused. In audit and in enforce, on
# an interface, for a guest and in a cgroup.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

try() { peer_try "$party" "$@"; }

# The refused traffic of a legitimate peer, and of a stranger.
traffic()
{
	try tcp 10.20.0.6 2049
	try tcp 10.20.0.6 2049
	try udp 10.20.0.5 17
	try tcp "fd00:20::5" 8443
	try tcp 10.66.0.66 4444
	peer_try nfs tcp "$party4" "$forgotten" --wait 0.3
} >/dev/null 2>&1

learned() # FILE: what was proposed, and is it allowed by that file
{
	local question answers=
	for question in 'egress tcp 10.20.0.6:2049' 'egress udp 10.20.0.5:17' 'egress tcp [fd00:20::5]:8443' \
		"ingress tcp 10.20.0.5:$forgotten" 'egress tcp 10.66.0.66:4444' 'egress tcp 10.20.0.6:2050' \
		'egress tcp 10.20.0.7:2049' 'egress udp 10.20.0.6:17'; do
		# shellcheck disable=SC2086 # words
		answers+=" $("$FLOWREEVE" explain "$1" $question --json | jq -r .verdict)"
	done
	echo "${answers# }"
}

learn_run() # KIND MODE
{
	e2e_kind "$1"
	policy_write "$work/policy.yaml" "$2" "$attach"
	cp "$work/policy.yaml" "$work/before.yaml"
	succeeds "$kind, $2: apply" fr "$host" apply "$work/policy.yaml" $options
	traffic
	fr "$host" learn --peer 10.20.0.0/16 >"$work/4.diff" 2>"$work/words"
	equal "$kind, $2: learn" 0 $?
	matches "$kind, $2: in words: a peer joins a role" \
		'^egress 10.20.0.6 2049/tcp: 10.20.0.6 joins peers.nfs-server, by row aws-datasync/nfs$' "$(cat "$work/words")"
	matches "$kind, $2: in words: a rule" '^egress 10.20.0.5 17/udp: rule learned-' "$(cat "$work/words")"
	equal "$kind, $2: the file is as it was" '' "$(diff "$work/before.yaml" "$work/policy.yaml")"
	succeeds "$kind, $2: patch takes the diff" patch --posix "$work/policy.yaml" "$work/4.diff"
	fr "$host" learn --peer fd00::/16 >"$work/6.diff" 2>"$work/words"
	matches "$kind, $2: on top of what is not applied yet" 'rule learned-' "$(cat "$work/words")"
	succeeds "$kind, $2: patch takes the second" patch --posix "$work/policy.yaml" "$work/6.diff"
	succeeds "$kind, $2: check accepts the file" "$FLOWREEVE" check "$work/policy.yaml" \
		--local-subnet ens5=10.0.5.0/24
	sed -i 's/^mode: .*/mode: enforce/' "$work/policy.yaml"
	equal "$kind, $2: what was proposed is allowed, and nothing else" 'pass pass pass pass drop drop drop drop' \
		"$(learned "$work/policy.yaml")"
	succeeds "$kind, $2: enforce it" fr "$host" apply "$work/policy.yaml" $options
	tries "$kind, $2: the role's new peer" ok try tcp 10.20.0.6 2049
	tries "$kind, $2: the learned service" ok try udp 10.20.0.5 17
	tries "$kind, $2: by IPv6" ok try tcp fd00:20::5 8443
	tries "$kind, $2: the way in" ok peer_try nfs tcp "$party4" "$forgotten"
	[ "$(try tcp 10.66.0.66 4444)" != ok ] && ok "$kind, $2: the stranger is refused" ||
		not_ok "$kind, $2: the stranger is refused"
	equal "$kind, $2: the document names the policy in force by its digest, and the time" \
		"$(fr_ask "$host" '.policies[0] | "\(.policy) \(.digest) true"' status)" \
		"$(fr_ask "$host" '.window | "\(.policy) \(.digest) \(.since < .until)"' learn)"
	equal "$kind, $2: only the stranger is left to learn" 'egress 10.66.0.66 4444' \
		"$(fr_ask "$host" '.proposals | map(select(.port) | "\(.direction) \(.peer) \(.port)") | join(", ")' learn)"
	succeeds "$kind, $2: detach" fr "$host" detach
}

refusals()
{
	policy_write "$work/policy.yaml" audit "$attach"
	succeeds 'refusals: apply' fr "$host" apply "$work/policy.yaml" $options
	fr_exits 'nothing was seen' 0 "$host" learn
	matches 'nothing was seen: says so' 'no unexplained traffic was seen' "$said"
	fr_exits 'a policy that is not applied' 1 "$host" learn nobody
	fr_exits 'host bits' 2 "$host" learn --peer 10.0.0.1/8
	traffic
	fr "$host" learn --rules-only >"$work/rules.diff" 2>/dev/null
	equal 'rules only: no list of peers is touched' '' "$(grep -E '^[-]' "$work/rules.diff" | grep -v '^---')"
	try tcp 10.66.0.66 2049 >/dev/null 2>&1
	fr "$host" learn --peer 10.66.0.66/32 >"$work/far.diff" 2>"$work/words"
	matches 'far: the role that fits is named' \
		'^egress 10.66.0.66 2049/tcp: rule learned-[0-9]+; it fits peers.nfs-server of aws-datasync, which has no peer of its /24$' \
		"$(cat "$work/words")"
	matches 'far: also beside the rule' '2049/tcp, [0-9]+ packets.*, fits peers.nfs-server' "$(cat "$work/far.diff")"
	equal 'far: it joins no role' '' "$(grep -E '^[-+] .*nfs-server:' "$work/far.diff")"
	mv "$work/policy.yaml" "$work/gone.yaml"
	fr_exits 'the file is gone' 3 "$host" learn
	succeeds 'the file is gone: named' fr "$host" learn --source "$work/gone.yaml"
	sed 's/^metadata: .*/metadata: {name: another}/' "$work/gone.yaml" >"$work/another.yaml"
	fr_exits "another policy's file" 3 "$host" learn --source "$work/another.yaml"
	matches "another policy's file: says so" 'is the file of policy another, not of' "$said"
	succeeds 'refusals: detach' fr "$host" detach
}

# The refused openings that coverage lists, as lines.
unexplained() { fr_ask "$host" '.policies[0].unexplained[] | "\(.direction) \(.peer) \(.protocol) \(.port)"' coverage "$@" | grep -v ' 9$' | sort; }
watched() { peer_try "$party" tcp 10.66.0.66 9 --wait 0.2 >/dev/null 2>&1; [ -s "$1" ]; }
recorded_all() { [ "$(unexplained --flows "$1" | sort -u)" = "$(unexplained)" ]; }

# Events that monitor recorded show the same as the kernel, by the policy in force and by the file alone.
recorded()
{
	local events="$LAB_DIR/log/recorder" digest
	policy_write "$work/policy.yaml" audit "$attach"
	succeeds 'recorded: apply' fr "$host" apply "$work/policy.yaml" $options
	lab_spawn recorder "$host" "$FLOWREEVE" monitor --openings --json --pin-root "$LAB_DIR/bpf/flowreeve"
	succeeds 'recorded: monitor watches' until_true watched "$events"
	fr "$host" zero >/dev/null
	traffic
	try tcp 10.20.0.5 2049 >/dev/null 2>&1
	succeeds 'recorded: the kernel and the events have the same openings' until_true recorded_all "$events"
	digest=$(fr_ask "$host" '.policies[0].digest' status)
	equal 'recorded: each event has the digest of the policy' "\"$digest\"" "$(jq -c .digest "$events" | sort -u)"
	equal 'recorded: the window is that of the events' "$(jq -rs 'map(.time) | "\(min) \(max)"' "$events")" \
		"$(fr_ask "$host" '.windows[0] | "\(.since) \(.until)"' coverage --flows "$events")"
	equal 'recorded: the allowed row is seen' true \
		"$(fr_ask "$host" '[.policies[0].rules[] | select(.id == "aws-datasync/nfs") | .seen] | any' coverage --flows "$events")"
	equal 'recorded: learn proposes the same' "$(fr "$host" learn --peer 10.20.0.6/32 2>/dev/null | grep '^[-+]')" \
		"$(fr "$host" learn --peer 10.20.0.6/32 --flows "$events" 2>/dev/null | grep '^[-+]')"
	lab_stop recorder
	succeeds 'recorded: detach' fr "$host" detach
	fr_exits 'recorded: nothing is applied' 1 "$host" coverage --flows "$events"
	equal 'recorded: the file alone' 0 "$("$FLOWREEVE" learn --flows "$events" --source "$work/policy.yaml" \
		--local-subnet ens5=10.0.5.0/24 >"$work/file.diff" 2>&1; echo $?)"
	matches 'recorded: by the file alone a peer joins' '^\+.*10.20.0.6' "$(cat "$work/file.diff")"
}

e2e_begin learn
ip -n "$(lab_netns nfs)" address add 10.20.0.6/24 dev eth0
peer_start nfs nfsd 2049
peer_start nfs odd --udp 17
peer_start nfs odd6 8443
peer_start intruder stranger 4444
peer_start agent forgotten 8080
peer_start appliance forgotten 8080
forgotten=8080
learn_run interface audit
learn_run guest enforce
refusals
recorded
e2e_cgroup agent agent
forgotten=8081
peer_start agent forgotten-inside 8081
learn_run cgroup enforce
