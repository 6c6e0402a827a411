#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# How TCP connections begin and end at their edges: a closed port refuses, a reset arrives, TIME_WAIT still
# answers, and two sides that open at once meet. Packets of the kernel's own, which belong to no socket
# that a program has.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"

rules='
  - {id: closed, direction: egress, peer: [10.0.5.10, "fd00:5::10"], ports: [11/tcp], action: allow}
  - {id: closed-here, direction: ingress, peer: [10.0.5.10, "fd00:5::10"], ports: [516/tcp], action: allow}
  - {id: last, direction: egress, peer: [10.0.5.10, "fd00:5::10"], ports: [12/tcp], action: allow}
  - {id: meet, direction: egress, peer: [10.0.5.10, "fd00:5::10"], ports: [5000-5002/tcp], action: allow}'

closed_run()
{
	local here=refused
	# Where no socket is, the hooks of a cgroup are not asked.
	[ "$kind" = cgroup ] || [ "$mode" = audit ] || here=timeout
	tells 'a closed port of the peer refuses' refused "$party" sock-client tcp 10.0.5.10 11
	tells 'over IPv6' refused "$party" sock-client tcp fd00:5::10 11
	tells 'a closed port of ours refuses' refused vpc sock-client tcp "$party4" 516 --bind 10.0.5.10
	tells 'over IPv6' refused vpc sock-client tcp "$party6" 516 --bind fd00:5::10
	tells 'one that is not allowed' $here vpc sock-client tcp "$party4" 517 --bind 10.0.5.10
	tells 'a reset from the peer' ok vpc sock-client reset "$party4" 514
	tells 'a reset of ours' ok "$party" sock-client reset 10.0.5.10 7
	matches "$kind, $mode: is the end of the flow" closing "$(fr_ask "$host" '[.flows[] |
		select(.rule == "ask" and .protocol == "tcp")] | max_by(.first) | .state' show flows)"
}

# The peer repeats its FIN to a socket that is in TIME_WAIT.
last_words() # ADDRESS
{
	local words
	tool vpc retransmit-fin eth0 12 >"$work/words" 2>&1 &
	words=$!
	until_says "$work/words" ready
	tries "$kind, $mode: a connection to $1 that we close first" ok peer_try "$party" tcp "$1" 12
	wait $words
	equal "$kind, $mode: its TIME_WAIT answers" answered "$(tail -1 "$work/words")"
}

# Both sides connect from bound ports, and their packets are lost at first. The peer sends again before the
# party does, and so its SYN meets an unanswered SYN: in both families at once.
meeting()
{
	local meets=() family
	lab_enter "$party" ping -nc1 -W30 10.0.5.10 >/dev/null
	lab_enter "$party" ping -nc1 -W30 fd00:5::10 >/dev/null
	ip -n "$LAB_TAG-router" link set p-vpc nomaster
	meet_start vpc 4 "$party4" 5100 5000 --bind 10.0.5.10
	meet_start vpc 6 "$party6" 5100 5000 --bind fd00:5::10
	meet_start "$party" 4 10.0.5.10 5000 5100
	meet_start "$party" 6 fd00:5::10 5000 5100
	ip -n "$LAB_TAG-router" link set p-vpc master lan
	wait "${meets[@]}"
	for family in 4 6; do
		equal "$kind, $mode: simultaneous open, IPv$family: both sides" 'ok ok' \
			"$(cat "$work/meet-vpc-$family") $(cat "$work/meet-$party-$family")"
	done
}

meet_start() # NODE FAMILY ADDRESS PORT FROM OPTIONS...
{
	local node=$1 family=$2 _
	shift 2
	tool "$node" sock-client meet "$@" --wait 60 >"$work/meet-$node-$family" 2>&1 &
	meets+=("$!")
	for _ in $(seq 3000); do
		lab_enter "$node" ss -H"$family"tn state syn-sent "sport = :$3" | grep -q . && break
		sleep 0.02
	done
}

ends_run() # KIND MODE
{
	local lost
	odd_kind "$1"
	odd_apply "$2" "$rules"
	closed_run
	last_words 10.0.5.10
	last_words fd00:5::10
	meeting
	lost=timeout
	[ "$mode" = audit ] && lost=refused
	[ "$kind" = cgroup ] && lost=refused # nobody there: no hook is asked
	tells 'the same without our opening' $lost vpc sock-client meet "$party4" 5100 5002 --bind 10.0.5.10
	succeeds "$kind, $mode: detach" fr "$host" detach
}

e2e_begin ends
odd_servers_start
ends_run interface audit
for kind in $odd_kinds; do
	ends_run "$kind" enforce
done
