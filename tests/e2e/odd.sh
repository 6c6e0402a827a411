# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The odd packets' policy and questions: a host that may ask the endpoint on port 7 and ping, and that
# serves it on port 514. Sourced after lib.sh by the scripts 70 to 79.

odd_kinds='interface guest cgroup'
odd_peers='10.0.5.10, "fd00:5::10"' # the endpoint

odd_policy() # FILE MODE [MORE-RULES] [MORE-LINES]
{
	cat >"$1" <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: odd}
		mode: $2
		attach: $attach
		rules:
		  - {id: ask, direction: egress, peer: [$odd_peers], ports: [7/udp, 7/tcp], action: allow}
		  - {id: serve, direction: ingress, peer: [$odd_peers], ports: [514/udp, 514/tcp], action: allow}
		  - {id: ping, direction: egress, peer: any, ports: [icmp/echo-request], action: allow}
		${3:-}
		failsafe: []
		${4:-}
	YAML
}

# The servers: each port that is allowed has a neighbour that is not.
odd_servers_start()
{
	peer_start vpc echo-tcp 7 9
	peer_start vpc echo-udp 10.0.5.10 --udp 7 9
	peer_start vpc echo-udp6 fd00:5::10 --udp 7 9 # it has several: answers come from this one
	odd_party_start agent
	[ "${1:-}" = alone ] || odd_party_start appliance
}

odd_party_start() # NODE
{
	peer_start "$1" "serve-tcp-$1" 514 515
	odd_party_udp_start "$1"
}

odd_party_udp_start() # NODE
{
	peer_start "$1" "serve-udp-$1" --udp 514 515
}

# A kind's turn: the servers of a cgroup's party are started anew, inside of it. KIND
odd_kind()
{
	e2e_kind "$1"
	[ "$1" = cgroup ] || return 0
	lab_stop peer-serve-tcp-agent
	lab_stop peer-serve-udp-agent
	odd_party_start agent
}

odd_apply() # MODE [MORE-RULES] [MORE-LINES]: sets mode, and what becomes of what the policy does not allow
{
	mode=$1 told=drop outward=timeout inward=timeout
	[ "$kind" = cgroup ] && outward=denied
	[ "$1" = audit ] && told=would-drop outward=ok inward=ok
	odd_policy "$work/odd.yaml" "$1" "${2:-}" "${3:-}"
	succeeds "$kind, $1: apply" fr "$host" apply "$work/odd.yaml" --allow-removal $options
}

# Until a tool in the background has printed it: FILE WORD
until_says()
{
	local i
	for i in $(seq 3000); do
		grep -q "$2" "$1" 2>/dev/null && return
		sleep 0.02
	done
	return 1
}

# One of tests/e2e/tools in a node: NODE TOOL ARGUMENTS...
tool()
{
	local node=$1 name=$2
	shift 2
	lab_in "$node" timeout -s KILL 120 "$e2e_here/tools/$name" "$@"
}

# The output of a tool. It waits long for an expected success, and shortly for an expected failure. WHAT
# EXPECTED NODE TOOL ARGUMENTS...
tells()
{
	local what=$1 expected=$2 wait=30
	shift 2
	[ "$expected" = timeout ] && wait=0.3
	equal "$kind, $mode: $what" "$expected" "$(tool "$@" --wait $wait 2>&1)"
}

# Packets of a verdict and reason, on all hooks: VERDICT REASON
reason_of()
{
	fr_ask "$host" "[.policies[].verdicts[] | select(.verdict == \"$1\" and .reason == \"$2\") | .packets] | add // 0" status
}
