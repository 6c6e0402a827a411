#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# coverage on real traffic: used and unused rows, unexplained traffic with its nearest miss, the same under
# audit, under enforcement and under a default that allows; figures that outlive a new policy; a file that
# is no longer the running one.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

coverage() { fr_ask "$host" ".policies[0] | $1" coverage "${@:2}"; } # FILTER [OPTION...]
rule() { coverage "[.rules[] | select(.id == \"$1\") | $2] | first"; }    # ID FILTER
opening() # DIRECTION PEER PORT FILTER
{
	coverage "[.unexplained[] | select(.direction == \"$1\" and .peer == \"$2\" and .port == $3) | $4] | first"
}

three_unexplained() { [ "$(coverage '.unexplained | length')" = 3 ]; }

traffic() # VERDICT: two openings that a row admits, and two that none does
{
	succeeds "$kind, $1: a row's traffic" peer_try "$party" tcp 10.20.0.5 2049
	peer_try "$party" tcp 10.66.0.66 4444 --wait 0.3 >/dev/null 2>&1
	peer_try "$party" tcp 10.66.0.66 2049 --wait 0.3 >/dev/null 2>&1
	peer_try intruder tcp "$party4" $forgotten --wait 0.3 >/dev/null 2>&1
	until_true three_unexplained
	equal "$kind, $1: the row is seen" true "$(rule aws-datasync/nfs .seen)"
	at_least "$kind, $1: with its connections" 1 "$(rule aws-datasync/nfs .connections)"
	equal "$kind, $1: a row without traffic is not, and can be left out" 'false vpc-data' \
		"$(rule aws-datasync/vpc-data '"\(.seen) \(.leave_out)"')"
	equal "$kind, $1: a rule of the site is not a row to leave out" 'false null' \
		"$(rule spare '"\(.seen) \(.leave_out)"')"
	equal "$kind, $1: what no row explains, on its attach point" "$1 ${kind/clsact/interface}" \
		"$(opening egress 10.66.0.66 4444 '"\(.verdict) \(.kind)"')"
	equal "$kind, $1: the other way" "$1" "$(opening ingress 10.66.0.66 $forgotten .verdict)"
	equal "$kind, $1: its nearest miss" \
		'rule aws-datasync/nfs fits but 10.66.0.66 is not in peers.nfs-server' \
		"$(opening egress 10.66.0.66 2049 .nearest)"
	equal "$kind, $1: and nothing else" 3 "$(coverage '.unexplained | length')"
	equal "$kind, $1: the newest of them is that of the report" true \
		"$(coverage '.newest == ([.unexplained[].first] | max) and .nothing_new_days == 0')"
	equal "$kind, $1: the tables have their documents" true \
		"$(coverage '[.tables[] | select(.table == "aws-datasync") | .url | startswith("https://")] | all')"
	equal "$kind, $1: the file is what runs" runs "$(coverage .source_state)"
}

# A new policy: figures of the rules that stay, and none of traffic that it now decides.
replaced()
{
	local before
	before=$(rule aws-datasync/nfs .connections)
	sed 's/^rules:/&\n  - {id: stranger, direction: egress, peer: [10.66.0.66], ports: [4444\/tcp], action: allow}/' \
		"$work/policy.yaml" >"$work/new.yaml"
	said=$(fr "$host" coverage --source "$work/new.yaml" 2>&1)
	matches "$kind: another file is reported" 'new.yaml \(digest [0-9a-f]{64}\) differs from the running policy e2e \(digest [0-9a-f]{64}\)' "$said"
	matches "$kind: what it would decide" 'rule stranger of the file decides it once it is applied' "$said"
	succeeds "$kind: a new policy" fr "$host" apply "$work/new.yaml" --mode enforce $options
	equal "$kind: the row keeps its figures" "$before" "$(rule aws-datasync/nfs .connections)"
	equal "$kind: what it explains is no longer told" null "$(opening egress 10.66.0.66 4444 .verdict)"
	equal "$kind: what it does not is" drop "$(opening egress 10.66.0.66 2049 .verdict)"
	at_least "$kind: and that is counted" 1 "$(coverage .decided_by_current)"
	mv "$work/new.yaml" "$work/gone.yaml"
	equal "$kind: the policy in force needs no file" runs "$(coverage .source_state)"
	said=$(fr "$host" coverage --source "$work/new.yaml" 2>&1)
	matches "$kind: a file that is gone is reported" 'no nearest misses, because the file of e2e' "$said"
	matches "$kind: and the rest is there all the same" '^aws-datasync/nfs ' "$said"
}

zeroed()
{
	local before
	before=$(coverage .since)
	succeeds "$kind: zero" fr "$host" zero
	equal "$kind: nothing is seen since" 0 "$(coverage '[.rules[] | select(.seen)] | length')"
	equal "$kind: so the newest is as old as the figures" true "$(coverage '.newest == .since')"
	equal "$kind: nothing is unexplained since" 0 "$(coverage '.unexplained | length')"
	equal "$kind: and since when is reported" true "$([[ $(coverage .since) > $before ]] && echo true)"
}

default_allow()
{
	sed 's/^rules:/default: {egress: allow, ingress: allow}\n&/' "$work/policy.yaml" >"$work/open.yaml"
	succeeds "$kind: a default that allows" fr "$host" apply "$work/open.yaml" --mode enforce --allow-removal $options
	succeeds "$kind: lets by" peer_try "$party" tcp 10.66.0.66 4444
	equal "$kind: what only the default lets by" 'pass true' \
		"$(opening egress 10.66.0.66 4444 '"\(.verdict) \(.flows > 0)"')"
}

coverage_run() # KIND
{
	e2e_kind "$1"
	policy_write "$work/policy.yaml" audit "$attach"
	succeeds "$kind: apply" fr "$host" apply "$work/policy.yaml" $options
	traffic would-drop
	succeeds "$kind: enforce" fr "$host" apply "$work/policy.yaml" --mode enforce $options
	traffic drop
	replaced
	zeroed
	[ "$kind" != interface ] || default_allow
	succeeds "$kind: detach" fr "$host" detach
}

apply_here() { (cd "$work" && fr agent apply "$1"); } # FILE of the test's directory

# A conversation older than the policy is listed by its opener, though this host sends first.
met_in_its_middle()
{
	policy_write "$work/policy.yaml" audit '{interfaces: [ens5]}'
	mkfifo "$work/late"
	lab_spawn late-serve agent "$e2e_here/tools/late-server" serve 8090 "$work/late"
	lab_listens agent t '*:8090'
	lab_spawn late-hear intruder "$e2e_here/tools/late-server" hear 10.0.5.5 8090
	until_true says "$LAB_DIR/log/late-hear" connected
	succeeds 'met in its middle: apply' fr agent apply "$work/policy.yaml"
	echo late >"$work/late"
	until_true says "$LAB_DIR/log/late-hear" late
	equal 'met in its middle: who opened it' would-drop "$(opening ingress 10.66.0.66 8090 .verdict)"
	equal 'met in its middle: no opening of a port 0' 0 "$(coverage '[.unexplained[] | select(.port == 0)] | length')"
	succeeds 'met in its middle: detach' fr agent detach
}

# Two policies on one host, each reported apart, and a file that cannot belong to both.
several()
{
	policy_write "$work/policy.yaml" audit '{interfaces: [ens5]}'
	sed 's/name: e2e/name: other/; s/interfaces: \[ens5\]/interfaces: [spare0]/' "$work/policy.yaml" >"$work/other.yaml"
	lab_enter agent ip link add spare0 type veth peer name spare1
	equal 'no policy: that is reported' 'no policy is applied no policy is applied' \
		"$({ fr agent coverage; fr agent show rules; } | paste -sd ' ')"
	succeeds 'two policies: the first' apply_here policy.yaml
	equal 'two policies: a file is remembered so that it is found from elsewhere' "$work/policy.yaml" \
		"$(fr_ask agent '.policies[0].source' coverage e2e)"
	succeeds 'two policies: the second' fr agent apply "$work/other.yaml"
	equal 'two policies: both are reported' 'e2e other' "$(fr_ask agent '[.policies[].policy] | join(" ")' coverage)"
	equal 'two policies: one is' other "$(fr_ask agent '[.policies[].policy] | join(" ")' coverage other)"
	fr_exits 'two policies: one file is not of both' 2 agent coverage --source "$work/policy.yaml"
	fr_exits 'a policy that is not applied' 1 agent coverage nobody
}

e2e_begin coverage
peer_start nfs nfsd 2049
peer_start intruder stranger 4444
peer_start intruder stranger-nfs 2049
peer_start agent forgotten 8080
peer_start appliance forgotten 8080
forgotten=8080
host=agent
met_in_its_middle
coverage_run interface
coverage_run guest
e2e_cgroup agent agent
forgotten=8081
peer_start agent forgotten-inside 8081
coverage_run cgroup
several
