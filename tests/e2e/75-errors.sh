#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# ICMP errors: the path's MTU is discovered on a real path that gets narrower, before attaching, in audit,
# in enforcement and after; forged errors about conversations that the policy does not know change nothing;
# hop limits, closed ports and traceroute are reported.
#
# lesson: elsewhere "fragmentation needed" was dropped with every other unsolicited packet, and transfers
# hung behind every tunnel.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"
lab_nodes="$lab_nodes hop far"

# router - hop - far, 10.30.0.5: the wire between the first two can be made narrow.
path_make()
{
	local hop="$LAB_TAG-hop" far="$LAB_TAG-far" router="$LAB_TAG-router"
	lab_enter hop sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	ip -n "$router" link add to-hop type veth peer name to-router netns "$hop"
	ip -n "$hop" link add to-far type veth peer name eth0 netns "$far"
	ip -n "$router" link set to-hop up
	ip -n "$hop" link set to-router up
	ip -n "$hop" link set to-far up
	ip -n "$far" link set eth0 up
	lab_address router to-hop 10.31.0.1/24 fd00:31::1/64
	lab_address hop to-router 10.31.0.2/24 fd00:31::2/64
	lab_address hop to-far 10.30.0.1/24 fd00:30::1/64
	lab_address far eth0 10.30.0.5/24 fd00:30::5/64
	lab_gateway hop 10.31.0.1 fd00:31::1
	lab_gateway far 10.30.0.1 fd00:30::1
	ip -n "$router" route add 10.30.0.0/24 via 10.31.0.2
	ip -n "$router" -6 route add fd00:30::/64 via fd00:31::2
}

path_narrow() # MTU
{
	ip -n "$LAB_TAG-router" link set to-hop mtu "$1"
	ip -n "$LAB_TAG-hop" link set to-router mtu "$1"
}

path_forget()
{
	path_narrow 1500
	lab_enter "$party" sh -c 'ip route flush cache; ip -6 route flush cache'
	lab_enter far sh -c 'ip route flush cache; ip -6 route flush cache'
}

pour_start() # NAME ADDRESS
{
	tool "$party" sock-client pour "$2" 7 "$work/enough" >"$work/pour-$1" 2>&1 &
	pours="$pours $!"
	until_says "$work/pour-$1" connected || not_ok "the transfer $1 begins" "$(cat "$work/pour-$1")"
}

narrower() # NAME MTU: it goes on, over what the path can carry
{
	local mss
	matches "$kind: $1: the transfer goes on" '^ok$' "$(cat "$work/pour-$1")"
	mss=$(awk '/^mss/ { print $2 }' "$work/pour-$1")
	at_least "$kind: $1: over what the path can carry" 1 $((0 < ${mss:-9999} && ${mss:-9999} <= $2))
}

path_run() # KIND
{
	local pours=
	e2e_kind "$1"
	rm -f "$work/enough"
	path_forget
	pour_start before-v4 10.30.0.5
	pour_start before-v6 fd00:30::5
	odd_apply audit
	pour_start audit-v4 10.30.0.5
	pour_start audit-v6 fd00:30::5
	path_narrow 1400
	sleep 0.3
	odd_apply enforce
	path_narrow 1280
	# One that knows nothing of the path begins under enforcement.
	lab_enter "$party" sh -c 'ip route flush cache; ip -6 route flush cache'
	pour_start enforce-v4 10.30.0.5
	pour_start enforce-v6 fd00:30::5
	touch "$work/enough"
	wait $pours
	for name in before audit enforce; do
		narrower $name-v4 1240
		narrower $name-v6 1220
	done
	equal "$kind: the kernel holds the path's MTU" '1280 1280' \
		"$(tool "$party" sock-client mtu 10.30.0.5 7) $(tool "$party" sock-client mtu fd00:30::5 7)"
	[ "$kind" = cgroup ] || at_least "$kind: the errors are counted as such" 2 "$(reason_of pass icmp-error)"
}

# Without the built-in rule a transfer hangs: the path is such a one.
path_control()
{
	path_forget
	path_narrow 1280
	odd_apply enforce '' 'builtin: {icmp-error: off}'
	matches "$kind: without ICMP errors a transfer hangs" timeout \
		"$(tool "$party" sock-client pour 10.30.0.5 7 "$work/enough" --wait 0.5 2>&1)"
	odd_apply enforce
}

# ADDRESS PORT LOCAL FORGER: the kernel's MTU after a forged "1300" about a socket of ours
forged_big()
{
	local holder
	rm -f "$work/said"
	tool "$party" sock-client mtu "$1" "$2" --from 4600 --hold "$work/said" >"$work/mtu" 2>&1 &
	holder=$!
	until_says "$work/mtu" ready
	tool vpc raw-client error "$4" "$3" big 1300 "$3" 4600 "$1" "$2" udp >/dev/null
	# Packets that the forger sends after it arrive after it.
	tool vpc sock-client udp "$3" 514 --bind "$4" >/dev/null
	touch "$work/said"
	wait $holder
	tail -1 "$work/mtu"
}

forged_run() # MTU-OF-A-STRANGER
{
	equal "$kind, $mode: an error about what the policy does not know" "$1" \
		"$(forged_big 10.66.0.66 4445 "$party4" 10.0.5.10)"
	equal "$kind, $mode: over IPv6" "$1" "$(forged_big fd00:66::66 4445 "$party6" fd00:5::10)"
	at_least "$kind, $mode: it is told" 1 "$(fr_ask "$host" "[.drops[] | select(.verdict == \"$told\" and
		.protocol == \"icmp\" and .direction == \"ingress\") | .packets] | add // 0" show drops)"
	equal "$kind, $mode: about what it would admit" 1300 "$(forged_big 10.0.5.10 7 "$party4" 10.0.5.10)"
	equal "$kind, $mode: about what it would admit, over IPv6" 1300 \
		"$(forged_big fd00:5::10 7 "$party6" fd00:5::10)"
	lab_enter "$party" sh -c 'ip route flush cache; ip -6 route flush cache'
}

# Errors that programs wait for. A closed port that is allowed refuses at once, in both directions.
told_run() # [MODE'S-OUTCOME-OF-A-HOP-LIMIT MODE'S-OUTCOME-OF-A-CLOSED-PORT], where nothing is refused
{
	local far limited=$outward
	# A socket with errors enabled gets one from its own device if the packet was not taken.
	[ "$kind" != interface ] || limited=ENOBUFS
	for far in 10.30.0.5 fd00:30::5; do
		tells "a hop limit of 1 towards $far" EHOSTUNREACH "$party" sock-client udp $far 7 --ttl 1
	done
	tells 'a hop limit of 1 to a port that is not allowed' "${1:-$limited}" "$party" sock-client udp 10.30.0.5 9 --ttl 1
	matches "$kind, $mode: ping sees who forwards" 'Time to live exceeded|Hop limit' \
		"$(lab_in "$party" ping -n -c1 -t1 -W30 10.30.0.5 2>&1)"
	matches "$kind, $mode: over IPv6" 'Time exceeded|Hop limit' "$(lab_in "$party" ping -n -c1 -t1 -W30 fd00:30::5 2>&1)"
	tells 'a closed port of the peer' refused "$party" sock-client udp 10.0.5.10 11
	tells 'over IPv6' refused "$party" sock-client udp fd00:5::10 11
	tells 'a closed port of ours' refused vpc sock-client udp "$party4" 516 --bind 10.0.5.10
	tells 'over IPv6' refused vpc sock-client udp "$party6" 516 --bind fd00:5::10
	[ "$kind" = cgroup ] || # where no socket is, its hooks are not asked
		tells 'one that is not allowed' "${2:-$inward}" vpc sock-client udp "$party4" 517 --bind 10.0.5.10
}

closed='
  - {id: closed, direction: egress, peer: [10.0.5.10, "fd00:5::10"], ports: [11/udp], action: allow}
  - {id: closed-here, direction: ingress, peer: [10.0.5.10, "fd00:5::10"], ports: [516/udp], action: allow}'

e2e_begin errors
path_make
peer_start far echo-far 7
peer_start far echo-far-udp 10.30.0.5 --udp 7 9
odd_peers="$odd_peers, 10.30.0.5, \"fd00:30::5\""
for kind in $odd_kinds; do
	path_run "$kind"
	[ "$kind" != interface ] || path_control
	path_forget
	odd_apply enforce "$closed"
	told_run
	[ "$kind" = cgroup ] || forged_run 1500
	succeeds "$kind: detach" fr "$host" detach
done
e2e_kind interface
LAB_CGROUP=
odd_apply audit "$closed"
told_run EHOSTUNREACH refused
forged_run 1300
succeeds "$kind: detach" fr "$host" detach
