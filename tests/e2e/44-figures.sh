#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The figures equal the packets sent, from every CPU at once: by rule, by reason, by flow, refused and
# would be refused; through a replaced policy with other maps, through zero; and on an interface the
# device's own counters.
#
# lesson: counters that lose increments when CPUs add at the same time, that a reload resets, or that count
# a burst as one packet, prove nothing to an auditor.
. "$(dirname "$0")/lib.sh"

count=2000 size=100 l3=128
cpus=$(nproc)

burst() # ARGUMENTS...: from the party
{
	lab_in "$party" timeout -s KILL 600 "$e2e_here/tools/burst" "$@" >"$work/burst" 2>&1 ||
		not_ok "$kind: the burst $*" "$(cat "$work/burst")"
}

# The fields of a rule, in one reading. RULE
figures()
{
	fr_ask "$host" "[.policies[].rules[] | select(.id == \"$1\")] | [(\"bytes\", \"attempts\", \"drops\",
		\"packets\", \"would_drops\") as \$k | ([.[][\$k]] | add)] | join(\" \")" show rules
}

reason_packets() # REASON VERDICT
{
	fr_ask "$host" "[.policies[].verdicts[] | select(.direction == \"egress\" and .reason == \"$1\" and
		.verdict == \"$2\") | .packets] | add // 0" status
}

flow_figures() # PORT
{
	fr_ask "$host" "[.flows[] | select(.protocol == \"udp\" and .local.port == $1)] |
		map(\"\(.egress.packets) \(.egress.bytes)\") | join(\" \")" show flows
}

# Datagrams that are allowed: each CPU on a flow of its own, then all on the same one.
datagrams()
{
	local n=$((cpus * count)) before port
	succeeds "$kind: zero" fr "$host" zero
	before=$(reason_packets rule pass)
	burst udp 10.20.0.5 9 $count $size
	equal "$kind: the rule has each datagram of each CPU" "$((n * l3)) $cpus 0 $n 0" "$(figures spare)"
	equal "$kind: so has the reason" $n $(($(reason_packets rule pass) - before))
	for port in $(sed 's/.*ports //' "$work/burst"); do
		equal "$kind: the flow of each CPU has its own" "$count $((count * l3))" "$(flow_figures "$port")"
	done
	burst udp 10.20.0.5 9 $count $size shared
	equal "$kind: one flow fed by all CPUs has all" "$n $((n * l3))" \
		"$(flow_figures "$(sed 's/.*ports //' "$work/burst")")"
	equal "$kind: and the rule" "$((2 * n * l3)) $((cpus + 1)) 0 $((2 * n)) 0" "$(figures spare)"
}

# The first packets of a flow on every CPU at the same moment: those that had to wait for the neighbour's
# address are sent by the CPU that learns it. One flow, one opening, with every packet that the rule has.
races()
{
	local i before after flow opened bad=''
	for i in $(seq 12); do
		before=$(figures spare)
		opened=$(fr_ask "$host" '.policies[0].tallies.flows_opened' status)
		lab_enter "$party" ip neigh flush all 2>/dev/null
		burst udp 10.20.0.5 9 200 $size shared at-once
		after=$(figures spare)
		flow=$(flow_figures "$(sed 's/.*ports //' "$work/burst")")
		[ "$flow" = "$(awk '{ print $9 - $4, $6 - $1 }' <<<"$before $after")" ] || bad="$bad; flow: $flow: $before, $after"
		[ "$(awk '{ print $7 - $2 }' <<<"$before $after")" = 1 ] || bad="$bad; attempts: $before, $after"
		[ "$(fr_ask "$host" '.policies[0].tallies.flows_opened' status)" = $((opened + 1)) ] || bad="$bad; opened"
	done
	equal "$kind: what all CPUs open at once is one flow and one opening" '' "$bad"
}

# Datagrams that are not allowed. MODE VERDICT
refusals()
{
	local n=$((cpus * count)) port before expected="$((cpus * count)) 0"
	[ "$1" = enforce ] || expected="0 $((cpus * count))"
	succeeds "$kind: $1" fr "$host" apply "$work/more.yaml" --mode "$1" $options
	succeeds "$kind, $1: zero" fr "$host" zero default-egress
	before=$(reason_packets default "$2")
	# A port of its own each time: the record of a refusal lasts as long as its verdict does.
	port=$((4445 + ${#1}))
	burst udp 10.66.0.66 $port $count $size
	equal "$kind, $1: the default has each $2" "$expected" \
		"$(figures default-egress | awk '{ print $3, $5 }')"
	equal "$kind, $1: so has the reason" $n $(($(reason_packets default "$2") - before))
	equal "$kind, $1: so has the list" $n "$(drops_of "$host" "$2" egress 10.66.0.66 $port)"
}

# A policy with other maps comes and goes while the CPUs send; then zero.
carried_over()
{
	local n=$((cpus * count * 10)) sender file
	succeeds "$kind: enforce again" fr "$host" apply "$work/more.yaml" $options
	succeeds "$kind: zero of the rule" fr "$host" zero spare
	lab_in "$party" timeout -s KILL 600 "$e2e_here/tools/burst" udp 10.20.0.5 9 $((count * 10)) $size >"$work/burst" 2>&1 &
	sender=$!
	for file in large more large more; do
		fr "$host" apply "$work/$file.yaml" $options >"$work/apply" 2>&1 || not_ok "$kind: apply $file" "$(cat "$work/apply")"
	done
	wait $sender
	equal "$kind: replaced by larger and smaller policies, the rule has them all" "$((n * l3)) $cpus 0 $n 0" \
		"$(figures spare)"
	succeeds "$kind: zero once more" fr "$host" zero spare
	equal "$kind: it is at zero" '0 0 0 0 0' "$(figures spare)"
	burst udp 10.20.0.5 9 $count $size
	equal "$kind: and counts on from there" $((cpus * count)) "$(figures spare | awk '{ print $4 }')"
}

# Connections: the figures of the rule are those of its flows.
connections()
{
	local n=$((cpus * 100))
	succeeds "$kind: zero of the TCP rule" fr "$host" zero echo
	burst tcp 10.20.0.5 7 100 30000
	equal "$kind: each connection of each CPU is counted once" $n "$(figures echo | awk '{ print $2 }')"
	equal "$kind: packets and bytes are those of the flows" "$(figures echo | awk '{ print $4, $1 }')" \
		"$(fr_ask "$host" '[.flows[] | select(.rule == "echo" and .protocol == "tcp") | .egress, .ingress] |
			"\([.[].packets] | add) \([.[].bytes] | add)"' show flows)"
	at_least "$kind: and not fewer bytes than were sent" $((n * 60000)) "$(figures echo | awk '{ print $1 }')"
}

device_packets()
{
	lab_enter agent ip -s -j link show ens5 | jq '.[0].stats64 | .rx.packets + .tx.packets'
}

judged_packets() { fr_ask agent '[.policies[].verdicts[] | select(.verdict != "drop") | .packets] | add // 0' status; }

# Packets of the device that we have not counted, taken while nothing moves.
unseen()
{
	local before judged after i
	for i in $(seq 20); do
		before=$(device_packets) judged=$(judged_packets) after=$(device_packets)
		[ "$before" != "$after" ] || break
		sleep 0.1
	done
	echo $((before - judged))
}

# Another witness: the device counts what is on the wire, without bursts once each segment is alone.
witness()
{
	local before
	lab_enter agent ip link set ens5 gso_max_segs 1
	lab_enter nfs ip link set eth0 gso_max_segs 1
	before=$(unseen)
	burst tcp 10.20.0.5 7 50 30000
	equal "$kind: as many packets as the device has counted" "$before" "$(unseen)"
	lab_enter agent ip link set ens5 gso_max_segs 65535
	lab_enter nfs ip link set eth0 gso_max_segs 65535
}

policies_write()
{
	local i
	policy_write "$work/more.yaml" enforce "$attach"
	sed -i 's/ports: \[9\/tcp\]/ports: [9\/udp]/' "$work/more.yaml"
	for i in $(seq 2000); do
		echo "  - {id: r$i, direction: egress, peer: [10.$((i % 100 + 100)).$((i / 100)).0/24], ports: [$((i + 2000))/tcp], action: allow}"
	done >"$work/rules"
	sed "/^rules:/r $work/rules" "$work/more.yaml" >"$work/large.yaml"
}

figures_run() # KIND
{
	e2e_kind "$1"
	policies_write
	succeeds "$kind: enforce" fr "$host" apply "$work/more.yaml" $options
	datagrams
	races
	refusals enforce drop
	refusals audit would-drop
	carried_over
	connections
	[ "$kind" != interface ] || witness
	succeeds "$kind: detach" fr "$host" detach
}

e2e_begin figures
peer_start nfs echo 7
lab_spawn mute nfs "$e2e_here/tools/burst" mute 9
lab_spawn mute-enforce intruder "$e2e_here/tools/burst" mute 4452
lab_spawn mute-audit intruder "$e2e_here/tools/burst" mute 4450
lab_listens nfs u '*:9' && lab_listens intruder u '*:4452' && lab_listens intruder u '*:4450'
figures_run interface
figures_run guest
figures_run cgroup
