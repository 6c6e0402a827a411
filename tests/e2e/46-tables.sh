#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The user's view of conversations: openings, one-way and two-way, ICMP, established, refused, all in one
# table; the state of each and its end, with short times in the policy.
#
# lesson: one table for everything lets a scan evict important entries, and an entry that only the peer
# keeps alive is an opening that never closes.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/sessions.sh"

# Flows with a peer: state, verdict, opener and packets each way. ADDRESS PROTOCOL
flows_with()
{
	fr_ask "$host" "[.flows[] | select(.peer.address == \"$1\" and .protocol == \"$2\")] | map(\"\(.state) \(.verdict)
		\(.opener) \(.egress.packets) \(.ingress.packets)\" | gsub(\"\\\\s+\"; \" \")) | join(\", \")" show flows
}

evicted() { fr_ask "$host" '[.policies[0].tallies | to_entries[] | select(.key | test("evicted|no_room")) | .value] | add' status; }

entries() { fr_ask "$host" "[.policies[0].maps[] | select(.map == \"$1\") | .entries] | add" status; } # MAP

policy_make() # FILE TIMEOUTS
{
	policy_write "$1" enforce "$attach"
	sed -i "s/^rules:/&\n  - {id: nobody, direction: egress, peer: [10.20.0.77], ports: [7\/tcp, 7\/udp], action: allow}\n  - {id: ping, direction: egress, peer: [10.20.0.5], ports: [icmp\/echo-request], action: allow}/
		s/^failsafe:/timeouts: $2\n&/" "$1"
}

# Each kind of conversation where it belongs.
conversations()
{
	tries "$kind: nobody answers" timeout peer_try "$party" tcp 10.20.0.77 7
	matches "$kind: an opening without an answer is reported as such" '^opening pass local [1-9] 0$' "$(flows_with 10.20.0.77 tcp)"
	tries "$kind: nor to a datagram" timeout peer_try "$party" udp 10.20.0.77 7
	equal "$kind: it is one-way" 'opening pass local 1 0' "$(flows_with 10.20.0.77 udp)"
	at_least "$kind: both are in the table" 2 "$(entries flows)"
	lab_in "$party" ping -c 3 -i 0.2 -W 30 10.20.0.5 >/dev/null
	equal "$kind: a ping is reported with its answers" 'established pass local 3 3' "$(flows_with 10.20.0.5 icmp)"
	sessions_start tcp "$party" hold tcp 10.20.0.5 7 1
	matches "$kind: a connection is established" '^established pass local [0-9]+ [0-9]+$' "$(flows_with 10.20.0.5 tcp)"
	sessions_start udp "$party" hold udp 10.20.0.5 7 1
	equal "$kind: an answered datagram too" 'established pass local 1 1' "$(flows_with 10.20.0.5 udp)"
	equal "$kind: nothing had to make room" 0 "$(evicted)"
	succeeds "$kind: a table of another size" fr "$host" apply "$work/long.yaml" --flows 4096 $options
	equal "$kind: has the flows of the one before" 'established pass local 1 1' "$(flows_with 10.20.0.5 udp)"
	sessions_stop tcp udp
}

# Refused packets are aggregated over the opener's port, and are no conversation.
refusals()
{
	local i
	for i in 1 2 3; do
		peer_try intruder udp "$party4" 8081 --wait 0.05 >/dev/null
		peer_try intruder tcp "$party4" 8080 --wait 0.05 >/dev/null
	done
	equal "$kind: refused datagrams of three ports are one entry" '3 default default-ingress' \
		"$(fr_ask "$host" '[.drops[] | select(.peer.address == "10.66.0.66" and .protocol == "udp")] |
			map("\(.packets) \(.reason) \(.rule)") | join(", ")' show drops)"
	equal "$kind: refused connections are one entry" '1 0' \
		"$(fr_ask "$host" '[.drops[] | select(.peer.address == "10.66.0.66" and .protocol == "tcp")] |
			"\(length) \(.[0].peer.port)"' show drops)"
	matches "$kind: unknown peers are reported, too" 'drop .*udp .*:8081 .*10.66.0.66.*default-ingress' "$(fr "$host" show drops 2>&1)"
	equal "$kind: they are no flows" '' "$(flows_with 10.66.0.66 udp)$(flows_with 10.66.0.66 tcp)"
}

# Openings, pings and one-way datagrams of before have ended by now.
ends()
{
	sleep 2.2
	equal "$kind: the opening has ended" '' "$(flows_with 10.20.0.77 tcp)"
	equal "$kind: so has the one-way datagram" '' "$(flows_with 10.20.0.77 udp)"
	equal "$kind: so has the ping" '' "$(flows_with 10.20.0.5 icmp)"
	equal "$kind: so has the two-way datagram" '' "$(flows_with 10.20.0.5 udp)"
}

fed_refused()
{
	[ "$(fr_ask "$host" '[.drops[] | select(.peer.address == "10.20.0.5" and .protocol == "udp" and
		.direction == "ingress") | .packets] | add // 0' show drops)" -gt 0 ]
}

# The peer sends all the time; the opener asked once, from an unconnected socket that is still there. Only a
# guest's socket cannot be asked.
peer_feeds()
{
	local fed
	rm -f "$work/enough"
	lab_in "$party" timeout -s KILL 600 "$e2e_here/tools/sessions" fed 10.20.0.5 7 "$work/enough" >"$work/fed" 2>&1 &
	fed=$!
	succeeds "$kind: what the peer sends comes in at first" until_true says "$work/fed" '^begun$'
	if [ "$kind" = guest ]; then
		succeeds "$kind: and is refused later, though the peer goes on" until_true fed_refused
	else
		sleep 4.4 # twice the time of the flow
		matches "$kind: and goes on while its socket is there" . "$(flows_with 10.20.0.5 udp)"
		fails "$kind: without a refusal" fed_refused
	fi
	touch "$work/enough"
	wait $fed
	matches "$kind: the peer was heard until then" '^heard [1-9]' "$(cat "$work/fed")"
}

# Asked again each time: the records last a second, and a command may take longer. SESSIONS PEER PATTERN
adopted()
{
	sessions_ask "$1" ask
	says <(flows_with "$2" tcp) "$3"
}

# An idle connection outlives its record: the socket vouches for it. No sleep: ends() has slept.
idle()
{
	equal "$kind: the idle connections have no record" '' "$(flows_with 10.20.0.5 tcp)$(flows_with 10.0.9.5 tcp)"
	equal "$kind: they go on: ours" 'answered 3 of 3' "$(sessions_ask ours ask)"
	equal "$kind: they go on: of the bastion" 'answered 3 of 3' "$(sessions_ask theirs ask)"
	succeeds "$kind: as adopted ones" until_true adopted ours 10.20.0.5 \
		'^adopted pass local [^,]*, adopted pass local [^,]*, adopted pass local [^,]*$'
	succeeds "$kind: with the right opener" until_true adopted theirs 10.0.9.5 '^adopted pass peer '
}

tables_run() # KIND
{
	e2e_kind "$1"
	peer_start "$party" "admin-$kind" 22022 8080
	peer_start "$party" "forgotten-$kind" --udp 8081
	policy_make "$work/long.yaml" '{icmp: 30s}'
	policy_make "$work/short.yaml" '{tcp-opening: 1s, tcp-established: 1s, tcp-closing: 1s, udp-oneway: 1s, udp: 1s, icmp: 1s}'
	succeeds "$kind: enforce" fr "$host" apply "$work/long.yaml" $options
	conversations
	refusals
	sessions_start ours "$party" hold tcp 10.20.0.5 7 3
	sessions_start theirs bastion hold tcp "$party4" 22022 3
	succeeds "$kind: with short times" fr "$host" apply "$work/short.yaml" $options
	ends
	[ "$kind" = guest ] || idle
	peer_feeds
	sessions_stop ours theirs
	lab_stop "peer-admin-$kind"
	lab_stop "peer-forgotten-$kind"
	succeeds "$kind: detach" fr "$host" detach
}

e2e_begin tables
peer_start nfs echo 7
sessions_start serve nfs serve 7
tables_run interface
tables_run guest
tables_run cgroup
